//! Gradients for the weights: some output channels and neighbouring elements of the kernel, summed over the places of a
//! vector of images at a time.

use std::marker::PhantomData;
use std::ops::Range;

use super::super::geometry::Geometry;
use super::interleaved::{Interleaved, Runs, ToLanes};
use super::is_suitable;
use super::sum_lanes::{SumLanes, Vectors};
use crate::isa::Isa;
use crate::kernel::{Kernel, Run};
use crate::kernels::gemm::microkernel::Vector;
use crate::kernels::gemm::number::{Number, VectorLoop};
use crate::kernels::split::{Shared, split_numbered};
use crate::math::{MulAdd, Multiversion};
use crate::pool::ScratchSize;

/// The most bytes of a block of images with its cotangents and the sums, little more than what stays in the second-level
/// cache.
const MAX_BLOCK: usize = 1536 << 10;
/// The most channels and elements of the kernel that are computed together.
const MAX_HEIGHT: usize = 4;
const MAX_WIDTH: usize = 5;
/// How many bytes of the cotangent stay in the first-level cache.
const CACHED_BYTES: usize = 24 << 10;
/// How many sums over parts of the images there are at most.
const MAX_PARTS: usize = 16;

/// What [`Tiles`] works on: one block of images, one group, and some tiles of its output channels.
#[derive(Clone, Copy)]
struct Block<T> {
    /// For each row of the kernel and each row of the result, which row of the image is met.
    met: *const [Vec<Option<usize>>],
    /// `[in_channels, channel_rows, row, lanes]`.
    x: *const T,
    in_channels: usize,
    channel_rows: usize,
    row: usize,
    stride: usize,
    dilation: usize,
    /// How many tiles the last axis of the kernel has.
    segments: usize,
    /// `[out_channels, rows, width, lanes]`.
    dy: *const T,
    out_channels: usize,
    rows: usize,
    width: usize,
    /// The first of the tiles, and how many there are.
    first: usize,
    count: usize,
    /// For each of these tiles, `[in_channels, rows of the kernel, segments, M, P, lanes]`.
    sums: *mut T,
    /// Whether they are added to.
    add: bool,
}

/// The loop for `M` channels and `P` elements of the kernel.
struct Tiles<V, const M: usize, const P: usize>(PhantomData<V>);

impl<T: Number, const M: usize, const P: usize> VectorLoop<T> for Tiles<T, M, P> {
    type Arguments = Block<T>;
    type Of<V: Vector<Element = T>> = Tiles<V, M, P>;
}

impl<V: Vector, const M: usize, const P: usize> Multiversion for Tiles<V, M, P> {
    type Arguments = Block<V::Element>;

    #[inline(always)]
    unsafe fn run<Add: MulAdd>(block: Block<V::Element>) {
        let Block { in_channels, channel_rows, row, segments, out_channels, rows, width, .. } = block;
        // SAFETY: as the caller vouches, the table outlives the call.
        let met = unsafe { &*block.met };
        let pixels = rows * width;
        let together = (CACHED_BYTES / (M * width * V::LANES * size_of::<V::Element>())).max(1);
        for tile in 0..block.count {
            let first = (block.first + tile) * M;
            // Tiles that are larger than what is left compute the last channel again, for nobody.
            let channels: [usize; M] =
                std::array::from_fn(|channel| (first + channel).min(out_channels - 1) * pixels * V::LANES);
            for start in (0..rows).step_by(together) {
                let end = (start + together).min(rows);
                for index in 0..in_channels * met.len() * segments {
                    let (segment, line) = (index % segments, index / segments % met.len());
                    let channel = index / segments / met.len();
                    // SAFETY: as the caller vouches: what the table says lies within the block, the others within the
                    // cotangent and the sums.
                    unsafe {
                        let place = (tile * in_channels * met.len() * segments + index) * M * P;
                        let to = block.sums.add(place * V::LANES);
                        let mut sums = [[V::splat(V::Element::default()); P]; M];
                        if block.add || start > 0 {
                            for (index, sum) in sums.as_flattened_mut().iter_mut().enumerate() {
                                *sum = V::load(to.add(index * V::LANES));
                            }
                        }
                        for (place, source) in (start..).zip(&met[line][start..end]) {
                            let Some(source) = source else { continue };
                            let column = segment * P * block.dilation;
                            let mut x = block.x.add(((channel * channel_rows + source) * row + column) * V::LANES);
                            let mut dy = block.dy.add(place * width * V::LANES);
                            for _ in 0..width {
                                let mut vectors = [V::splat(V::Element::default()); P];
                                for (tap, vector) in vectors.iter_mut().enumerate() {
                                    *vector = V::load(x.add(tap * block.dilation * V::LANES));
                                }
                                for (sums, channel) in sums.iter_mut().zip(channels) {
                                    let factor = V::load(dy.add(channel));
                                    for (sum, vector) in sums.iter_mut().zip(vectors) {
                                        *sum = factor.mul_add::<Add>(vector, *sum);
                                    }
                                }
                                x = x.add(block.stride * V::LANES);
                                dy = dy.add(V::LANES);
                            }
                        }
                        for (index, sum) in sums.as_flattened().iter().enumerate() {
                            sum.store(to.add(index * V::LANES));
                        }
                    }
                }
            }
        }
    }
}

/// The gradient for the weights of a convolution of many small images.
pub(in super::super) struct WeightSums<T> {
    geometry: Geometry,
    input: Interleaved<T>,
    function: unsafe fn(Block<T>),
    to_lanes: unsafe fn(Runs<T>),
    sum_lanes: unsafe fn(Vectors<T>),
    lanes: usize,
    /// Channels, and elements of the kernel, that are computed together.
    height: usize,
    width: usize,
    met: Vec<Vec<Option<usize>>>,
    /// How many sums over parts of the images there are.
    parts: usize,
}

impl<T: Number> WeightSums<T> {
    /// The kernel, if the images are many and small.
    pub(in super::super) fn new(isa: Isa, geometry: &Geometry) -> Option<Self> {
        if !is_suitable::<T>(isa, geometry, 0) {
            return None;
        }
        Self::of(isa, geometry).filter(|sums| sums.scratch().per_worker <= MAX_BLOCK)
    }

    /// The kernel, if there is something to sum.
    pub(super) fn of(isa: Isa, geometry: &Geometry) -> Option<Self> {
        let has_32_registers = matches!(isa, Isa::Avx512 | Isa::Neon);
        let balanced = |count: usize, most: usize| count.div_ceil(count.div_ceil(most).max(1));
        let height = balanced(geometry.out_channels, if has_32_registers { MAX_HEIGHT } else { MAX_HEIGHT / 2 });
        let width = balanced(geometry.axes[2].kernel, MAX_WIDTH);
        macro_rules! of_tiles {
            ($($height:literal $width:literal),*) => {
                match (height, width) {
                    $(($height, $width) => T::vectorised::<Tiles<T, $height, $width>>(isa),)*
                    _ => return None,
                }
            };
        }
        let function = of_tiles!(
            1 1, 1 2, 1 3, 1 4, 1 5, 2 1, 2 2, 2 3, 2 4, 2 5, 3 1, 3 2, 3 3, 3 4, 3 5, 4 1, 4 2, 4 3, 4 4, 4 5
        );
        let [depth, rows, _] = geometry.axes;
        let met = |index: usize| {
            let met = |row: usize| {
                let plane = depth.met(row / rows.output, index / rows.kernel)?;
                let line = rows.met(row % rows.output, index % rows.kernel)?;
                Some(plane * rows.input + line)
            };
            (0..depth.output * rows.output).map(met).collect()
        };
        let lanes = T::lanes(isa);
        Some(WeightSums {
            geometry: *geometry,
            input: Interleaved::new(isa, geometry),
            function,
            to_lanes: T::vectorised::<ToLanes<T>>(isa),
            sum_lanes: T::vectorised::<SumLanes<T>>(isa),
            lanes,
            height,
            width,
            met: (0..depth.kernel * rows.kernel).map(met).collect(),
            parts: geometry.images.div_ceil(lanes).min(MAX_PARTS),
        })
    }

    /// Tiles of a group's output channels.
    fn tiles(&self) -> usize {
        self.geometry.out_channels.div_ceil(self.height)
    }

    /// Tiles of a row of the kernel.
    fn segments(&self) -> usize {
        self.geometry.axes[2].kernel.div_ceil(self.width)
    }

    /// Sums of a tile of output channels.
    fn tile_sums(&self) -> usize {
        self.geometry.in_channels * self.met.len() * self.segments() * self.height * self.width
    }

    /// Elements of the gradient.
    fn num_weights(&self) -> usize {
        self.geometry.groups * self.geometry.out_channels * self.geometry.depth()
    }

    /// Elements of the cotangent of an image.
    fn cotangent_len(&self) -> usize {
        self.geometry.groups * self.geometry.out_channels * self.geometry.output_pixels()
    }

    /// Elements of a block of images, with what may be read beyond.
    fn images_len(&self) -> usize {
        self.input.block_len() + self.width * self.geometry.axes[2].dilation * self.lanes
    }

    /// Elements of a worker's memory.
    fn worker_len(&self) -> usize {
        let sums = self.geometry.groups * self.tiles() * self.tile_sums();
        self.images_len() + (self.cotangent_len() + sums) * self.lanes
    }

    /// Sums over the images of some blocks, of some of the tiles of all groups.
    ///
    /// # Safety
    /// The operands are as the geometry says, `memory` has [`WeightSums::worker_len`] elements, and `to` one for each of
    /// the weights.
    unsafe fn part(
        &self,
        blocks: Range<usize>,
        tiles: Range<usize>,
        x: *const T,
        dy: *const T,
        memory: *mut T,
        to: *mut T,
    ) {
        let Geometry { images, groups, in_channels, out_channels, axes } = self.geometry;
        let (lanes, cotangent_len, width) = (self.lanes, self.cotangent_len(), axes[2].output);
        let image_len = groups * in_channels * self.geometry.input_pixels();
        let cotangents = memory.wrapping_add(self.images_len());
        let sums = cotangents.wrapping_add(cotangent_len * lanes);
        // SAFETY: as the caller vouches; the table lives as long as the call, and the loops are compiled for this
        // processor.
        unsafe {
            for block in blocks.clone() {
                let first = block * lanes;
                let count = lanes.min(images - first);
                self.input.write(x.add(first * image_len), count, memory);
                if count < lanes {
                    std::slice::from_raw_parts_mut(cotangents, cotangent_len * lanes).fill(T::default());
                }
                (self.to_lanes)(Runs {
                    images: dy.add(first * cotangent_len).cast_mut(),
                    count,
                    stride: cotangent_len,
                    vectors: cotangents,
                    runs: 1,
                    len: cotangent_len,
                    step: 0,
                    vector_step: 0,
                });
                self.of_tiles(tiles.clone(), |group, tiles, place| {
                    (self.function)(Block {
                        met: &raw const self.met[..],
                        x: memory.add(group * self.input.block_len() / groups),
                        in_channels,
                        channel_rows: self.input.channel_rows,
                        row: self.input.row,
                        stride: axes[2].stride,
                        dilation: axes[2].dilation,
                        segments: self.segments(),
                        dy: cotangents.add(group * cotangent_len / groups * lanes),
                        out_channels,
                        rows: axes[0].output * axes[1].output,
                        width,
                        first: tiles.start,
                        count: tiles.len(),
                        sums: sums.add(place * self.tile_sums() * lanes),
                        add: block > blocks.start,
                    });
                });
            }
            let count = tiles.len() * self.tile_sums();
            (self.sum_lanes)(Vectors { from: sums.cast_const(), count, to: sums });
            self.of_tiles(tiles, |group, tiles, place| {
                self.gather(group, tiles, sums.add(place * self.tile_sums()), to);
            });
        }
    }

    /// Calls `run(group, tiles, place)` for the groups of a range of all tiles, with which of the range is the first.
    fn of_tiles(&self, range: Range<usize>, mut run: impl FnMut(usize, Range<usize>, usize)) {
        let tiles = self.tiles();
        let mut at = range.start;
        while at < range.end {
            let (group, first) = (at / tiles, at % tiles);
            let end = tiles.min(first + range.end - at);
            run(group, first..end, at - range.start);
            at += end - first;
        }
    }

    /// Brings sums of tiles of a group to their places among the weights.
    unsafe fn gather(&self, group: usize, tiles: Range<usize>, from: *const T, to: *mut T) {
        let Geometry { in_channels, out_channels, axes, .. } = self.geometry;
        let (lines, segments, kernel) = (in_channels * self.met.len(), self.segments(), axes[2].kernel);
        let mut from = from;
        for tile in tiles {
            for index in 0..lines * segments {
                let (line, tap) = (index / segments, index % segments * self.width);
                for channel in tile * self.height..(tile + 1) * self.height {
                    if channel < out_channels {
                        let place = ((group * out_channels + channel) * lines + line) * kernel + tap;
                        // SAFETY: as the caller vouches: the sums are those of the tiles.
                        unsafe { to.add(place).copy_from_nonoverlapping(from, self.width.min(kernel - tap)) }
                    }
                    from = from.wrapping_add(self.width);
                }
            }
        }
    }
}

impl<T: Number> Kernel for WeightSums<T> {
    fn scratch(&self) -> ScratchSize {
        let shared = self.parts * self.num_weights();
        ScratchSize { shared: shared * size_of::<T>(), per_worker: self.worker_len() * size_of::<T>() }
    }

    fn takes_epilogue(&self) -> bool {
        true
    }

    unsafe fn run(&self, run: &Run) {
        let (num_weights, scratch, pool, epilogue) = (self.num_weights(), run.scratch, run.pool, run.epilogue);
        let sums = Shared(scratch.shared::<T>(self.parts * num_weights));
        let [x, dy] = [run.inputs[0], run.inputs[1]].map(|input| Shared(input.cast::<T>().cast_mut()));
        let (blocks, tiles) = (self.geometry.images.div_ceil(self.lanes), self.geometry.groups * self.tiles());
        // Where there are fewer parts than keep the threads busy, output channels are divided too.
        let wanted = if pool.num_threads() == 1 { 1 } else { 2 * pool.num_threads() };
        let divisions = wanted.div_ceil(self.parts).min(tiles);
        pool.run(self.parts * divisions, &|task, worker| {
            let (part, division) = (task / divisions, task % divisions);
            let blocks = blocks * part / self.parts..blocks * (part + 1) / self.parts;
            let tiles = tiles * division / divisions..tiles * (division + 1) / divisions;
            let memory = scratch.worker::<T>(worker, self.worker_len());
            // SAFETY: by this function's own contract; tasks write to disjoint parts of the sums.
            unsafe { self.part(blocks, tiles, x.get(), dy.get(), memory, sums.get().add(part * num_weights)) }
        });
        let y = Shared(run.outputs[0].cast::<T>());
        split_numbered(pool, num_weights, (16 << 10) / self.parts, |worker, range| {
            // SAFETY: by this function's own contract; the parts of the result are disjoint.
            let y = unsafe { std::slice::from_raw_parts_mut(y.get().add(range.start), range.len()) };
            for part in 0..self.parts {
                let from = sums.get().wrapping_add(part * num_weights + range.start);
                // SAFETY: the sums are complete.
                let from = unsafe { std::slice::from_raw_parts(from, range.len()) };
                for (sum, other) in y.iter_mut().zip(from) {
                    *sum = if part == 0 { *other } else { sum.add(*other) };
                }
            }
            if let Some(epilogue) = epilogue {
                epilogue.region(range.start, 1, range.len(), range.len(), worker);
            }
        });
    }
}
