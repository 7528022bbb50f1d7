//! Correlations: some output channels for neighbouring columns of a vector of images at a time.

use std::marker::PhantomData;
use std::ops::Range;

use super::super::few_channels::Pointers;
use super::super::geometry::Geometry;
use super::interleaved::{FromLanes, Interleaved, Runs};
use super::is_suitable;
use crate::isa::Isa;
use crate::kernels::gemm::Epilogue;
use crate::kernels::gemm::microkernel::Vector;
use crate::kernels::gemm::number::{Number, VectorLoop};
use crate::kernels::gemm::pack::{PANEL_PADDING, PackArguments};
use crate::math::{MulAdd, Multiversion};
use crate::pool::{Pool, Scratch, ScratchSize};

/// The most bytes of a block of images with its results, so that they stay in the second-level cache.
const MAX_BLOCK: usize = 896 << 10;

/// Elements of the kernel that are neighbours along its last axis.
#[derive(Clone, Debug)]
struct Taps {
    /// Where the first of them stands, in rows or columns of the image, and which element of its axes it is.
    from: usize,
    index: usize,
    count: usize,
}

/// What [`Tiles`] works on: one block of images, or one group of its channels.
#[derive(Clone, Copy)]
struct Block<T> {
    /// For the rows of the result that are computed, which rows of the kernel meet rows of the image.
    rows: *const [Vec<Taps>],
    first_row: usize,
    /// For columns that are computed together, the first of them, and what they meet of the last axis.
    columns: *const [(usize, Taps)],
    /// `[in_channels, channel_rows, row, lanes]`.
    x: *const T,
    channel_rows: usize,
    row: usize,
    stride: usize,
    dilation: usize,
    /// For each tile of output channels, `[depth, M]`.
    w: *const T,
    in_channels: usize,
    /// Elements of a channel's kernel, and along its last axis.
    taps: usize,
    kernel: usize,
    /// `[out_channels, pixels, lanes]`.
    y: *mut T,
    out_channels: usize,
    pixels: usize,
    width: usize,
}

/// The loop for `M` channels and `P` columns.
struct Tiles<V, const M: usize, const P: usize>(PhantomData<V>);

impl<T: Number, const M: usize, const P: usize> VectorLoop<T> for Tiles<T, M, P> {
    type Arguments = Block<T>;
    type Of<V: Vector<Element = T>> = Tiles<V, M, P>;
}

impl<V: Vector, const M: usize, const P: usize> Multiversion for Tiles<V, M, P> {
    type Arguments = Block<V::Element>;

    #[inline(always)]
    unsafe fn run<Add: MulAdd>(block: Block<V::Element>) {
        let Block { in_channels, out_channels, taps, .. } = block;
        // SAFETY: as the caller vouches, the tables outlive the call.
        let (rows, columns) = unsafe { (&*block.rows, &*block.columns) };
        for (tile, channel) in (0..out_channels).step_by(M).enumerate() {
            // The last channels are computed together with some before them, to the same bits.
            let channel = channel.min(out_channels - M);
            for (row, lines) in (block.first_row..).zip(rows) {
                for (column, met) in columns {
                    // SAFETY: as the caller vouches: what the tables say lies within the block, the weights and the
                    // result.
                    unsafe {
                        let mut sums = [[V::splat(V::Element::default()); P]; M];
                        for in_channel in 0..in_channels {
                            let x = block.x.add((in_channel * block.channel_rows * block.row + met.from) * V::LANES);
                            let w = block.w.add(((tile * in_channels + in_channel) * taps + met.index) * M);
                            for line in lines {
                                let mut x = x.add(line.from * block.row * V::LANES);
                                let mut w = w.add(line.index * block.kernel * M);
                                for _ in 0..met.count {
                                    let mut vectors = [V::splat(V::Element::default()); P];
                                    for (place, vector) in vectors.iter_mut().enumerate() {
                                        *vector = V::load(x.add(place * block.stride * V::LANES));
                                    }
                                    for (channel, sums) in sums.iter_mut().enumerate() {
                                        let factor = V::splat(*w.add(channel));
                                        for (sum, vector) in sums.iter_mut().zip(vectors) {
                                            *sum = factor.mul_add::<Add>(vector, *sum);
                                        }
                                    }
                                    x = x.add(block.dilation * V::LANES);
                                    w = w.add(M);
                                }
                            }
                        }
                        for (index, sums) in sums.into_iter().enumerate() {
                            let place = (channel + index) * block.pixels + row * block.width + column;
                            for (place, sum) in (place..).zip(sums) {
                                sum.store(block.y.add(place * V::LANES));
                            }
                        }
                    }
                }
            }
        }
    }
}

/// A correlation of many small images.
pub(in super::super) struct ImageLanes<T> {
    geometry: Geometry,
    input: Interleaved<T>,
    function: unsafe fn(Block<T>),
    packing: unsafe fn(PackArguments<T>),
    from_lanes: unsafe fn(Runs<T>),
    lanes: usize,
    /// Channels that are computed together.
    height: usize,
    rows: Vec<Vec<Taps>>,
    columns: Vec<(usize, Taps)>,
}

impl<T: Number> ImageLanes<T> {
    /// The correlation, if the images are many and small, and nothing stands between their elements. `is_input` says
    /// whether other methods read the images as they are.
    pub(in super::super) fn new(isa: Isa, geometry: &Geometry, spread: [usize; 3], is_input: bool) -> Option<Self> {
        // Only these vectors are transposed by shuffles. Without them it is to save the copy with padding.
        let is_cheap = matches!((isa, T::lanes(isa)), (Isa::Avx512, 16) | (Isa::Avx2, 8));
        let worth = match (is_cheap, is_input) {
            (true, true) => 64,
            (true, false) => 0,
            (false, true) => return None,
            (false, false) => 32,
        };
        if spread != [1; 3] || !is_suitable::<T>(isa, geometry, worth) {
            return None;
        }
        Self::of(isa, geometry).filter(|lanes| lanes.scratch().per_worker <= MAX_BLOCK)
    }

    /// The correlation, if there are as many columns as are computed together.
    pub(super) fn of(isa: Isa, geometry: &Geometry) -> Option<Self> {
        let most = match isa {
            Isa::Avx512 | Isa::Neon => 8,
            Isa::Avx2 => 6,
            Isa::Portable => 4,
        };
        let height = geometry.out_channels.div_ceil(geometry.out_channels.div_ceil(most).max(1));
        macro_rules! of_tiles {
            ($($height:literal $width:literal),*) => {
                match height {
                    $($height => (T::vectorised::<Tiles<T, $height, $width>>(isa), $width),)*
                    _ => return None,
                }
            };
        }
        let (function, together) = of_tiles!(1 4, 2 4, 3 3, 4 2, 5 2, 6 2, 7 2, 8 2);
        let [depth, rows, last] = geometry.axes;
        if last.output < together {
            return None;
        }
        let taps_of_row = |row: usize| {
            let taps = (0..depth.kernel * rows.kernel).filter_map(|index| {
                let plane = depth.met(row / rows.output, index / rows.kernel)?;
                let line = rows.met(row % rows.output, index % rows.kernel)?;
                Some(Taps { from: plane * rows.input + line, index, count: 1 })
            });
            taps.collect()
        };
        let taps_of_columns = |column: usize| {
            let column = column.min(last.output - together);
            let is_met = |tap: &usize| (column..column + together).any(|column| last.met(column, *tap).is_some());
            let first = (0..last.kernel).find(is_met).unwrap_or(0);
            let end = (0..last.kernel).rfind(is_met).map_or(0, |tap| tap + 1);
            (column, Taps { from: column * last.stride + first * last.dilation, index: first, count: end - first })
        };
        Some(ImageLanes {
            geometry: *geometry,
            input: Interleaved::new(isa, geometry),
            function,
            packing: T::packing(isa),
            from_lanes: T::vectorised::<FromLanes<T>>(isa),
            lanes: T::lanes(isa),
            height,
            rows: (0..depth.output * rows.output).map(taps_of_row).collect(),
            columns: (0..last.output).step_by(together).map(taps_of_columns).collect(),
        })
    }

    /// Elements of the packed weights of a group.
    fn group_weights(&self) -> usize {
        self.geometry.out_channels.next_multiple_of(self.height) * self.geometry.depth()
    }

    /// Elements of the result of an image.
    fn result_len(&self) -> usize {
        self.geometry.groups * self.geometry.out_channels * self.geometry.output_pixels()
    }

    /// Elements of a worker's memory.
    fn worker_len(&self) -> usize {
        self.input.block_len() + self.result_len() * self.lanes
    }

    /// The memory that [`ImageLanes::run`] works in.
    pub(in super::super) fn scratch(&self) -> ScratchSize {
        let shared = self.geometry.groups * self.group_weights() + PANEL_PADDING;
        ScratchSize { shared: shared * size_of::<T>(), per_worker: self.worker_len() * size_of::<T>() }
    }

    /// Computes it.
    ///
    /// # Safety
    /// `x`, `w` and `y` are as the geometry says, `packed` and the workers' memory as [`ImageLanes::scratch`] does.
    pub(in super::super) unsafe fn run(
        &self,
        Pointers { x, w, y }: Pointers<T>,
        packed: *mut T,
        scratch: &Scratch,
        pool: &Pool,
        epilogue: Option<&dyn Epilogue>,
    ) {
        let Geometry { images, groups, out_channels, .. } = self.geometry;
        let depth = self.geometry.depth();
        let of_packing = Pointers { x, w, y: packed };
        pool.run(1, &|_, _| {
            let Pointers { w, y: packed, .. } = of_packing.get();
            for group in 0..groups {
                for (tile, first) in (0..out_channels).step_by(self.height).enumerate() {
                    let first = group * out_channels + first.min(out_channels - self.height);
                    let arguments = PackArguments {
                        from: w.wrapping_add(first * depth),
                        across: depth as isize,
                        along: 1,
                        count: self.height,
                        width: self.height,
                        depth,
                        to: packed.wrapping_add(group * self.group_weights() + tile * self.height * depth),
                        stride: 0,
                    };
                    // SAFETY: as the caller vouches; the loop is compiled for this processor.
                    unsafe { (self.packing)(arguments) }
                }
            }
        });
        // Where there are fewer blocks of images than keep the threads busy, rows are divided too.
        let (blocks, rows) = (images.div_ceil(self.lanes), self.rows.len());
        let wanted = if pool.num_threads() == 1 { 1 } else { 2 * pool.num_threads() };
        let parts = wanted.div_ceil(blocks).min(rows);
        let pointers = Pointers { x, w: packed, y };
        pool.run(blocks * parts, &|task, worker| {
            let part = task % parts;
            let memory = scratch.worker::<T>(worker, self.worker_len());
            // SAFETY: as the caller vouches; tasks compute disjoint parts.
            unsafe {
                self.block(task / parts, rows * part / parts..rows * (part + 1) / parts, pointers.get(), memory);
            }
            if let Some(epilogue) = epilogue {
                let first = task / parts * self.lanes;
                let channels = self.lanes.min(images - first) * groups * out_channels;
                let (pixels, width) = (self.geometry.output_pixels(), self.geometry.axes[2].output);
                let (start, end) = (rows * part / parts * width, rows * (part + 1) / parts * width);
                epilogue.region(first * self.result_len() + start, channels, pixels, end - start, worker);
            }
        });
    }

    /// Computes some rows of a block of images.
    unsafe fn block(&self, block: usize, rows: Range<usize>, Pointers { x, w, y }: Pointers<T>, memory: *mut T) {
        let Geometry { images, groups, in_channels, out_channels, axes, .. } = self.geometry;
        let (pixels, width, lanes) = (self.geometry.output_pixels(), axes[2].output, self.lanes);
        let first = block * lanes;
        let count = lanes.min(images - first);
        let image_len = groups * in_channels * self.geometry.input_pixels();
        let result = memory.wrapping_add(self.input.block_len());
        // SAFETY: as the caller vouches; the tables live as long as the call, and the loops are compiled for this
        // processor.
        unsafe {
            self.input.write(x.add(first * image_len), count, memory);
            for group in 0..groups {
                (self.function)(Block {
                    rows: &raw const self.rows[rows.clone()],
                    first_row: rows.start,
                    columns: &raw const self.columns[..],
                    x: memory.add(group * self.input.block_len() / groups),
                    channel_rows: self.input.channel_rows,
                    row: self.input.row,
                    stride: axes[2].stride,
                    dilation: axes[2].dilation,
                    w: w.add(group * self.group_weights()),
                    in_channels,
                    taps: self.geometry.taps(),
                    kernel: axes[2].kernel,
                    y: result.add(group * out_channels * pixels * lanes),
                    out_channels,
                    pixels,
                    width,
                });
            }
            // Whole images are one run.
            let (runs, len) = if rows.len() * width == pixels {
                (1, self.result_len())
            } else {
                (groups * out_channels, rows.len() * width)
            };
            (self.from_lanes)(Runs {
                images: y.add(first * self.result_len() + rows.start * width),
                count,
                stride: self.result_len(),
                vectors: result.add(rows.start * width * lanes),
                runs,
                len,
                step: pixels,
                vector_step: pixels,
            });
        }
    }
}
