//! The gradient of a convolution with respect to its weights: sums over places of the images.
//!
//! The rows of a tile are channels, its columns output channels, for one element of the kernel; what is summed over
//! are the lines that it meets, or, of small images, the images. Images of few channels are copied with their
//! padding, so that the rows can be the channels of all elements of a line of the kernel.

use std::ops::Range;

use self::apart::Sizes;
use self::division::{Division, Task};
use self::finish::{Finish, FinishArguments};
use super::lines::{Lines, Source};
use super::places::Places;
use crate::isa::Isa;
use crate::kernel::{Kernel, Run};
use crate::kernels::convolution::geometry::Geometry;
use crate::kernels::gemm::Epilogue;
use crate::kernels::gemm::microkernel::{BatchReduce, BatchReduceKernel, Piece};
use crate::kernels::gemm::number::Number;
use crate::kernels::split::{Pointers, Shared};
use crate::pool::ScratchSize;

mod apart;
mod division;
mod finish;

/// Bytes of images and cotangents that stay in the second-level cache while tiles are summed over them.
const BLOCK_BYTES: usize = 384 << 10;
/// Bytes of sums that a task keeps, if one panel of them has no more.
const SUMS_BYTES: usize = 160 << 10;
/// How many tasks are wanted, so that threads have equal shares.
const MIN_TASKS: usize = 16;
/// How many tiles of channels a task has at most.
const TASK_TILES: usize = 5;
/// Lines of fewer places than this are summed over image by image, if there are more images.
const FEW_PLACES: usize = 8;
/// How many channels are few.
const FEW_CHANNELS: usize = 8;

/// The kernel of the gradient.
pub(super) struct WeightGrad<T> {
    geometry: Geometry,
    places: [Places; 3],
    depths: Depths,
    kernel: BatchReduceKernel<T>,
    /// Channels, or, of copied lines, channels of a line of the kernel.
    rows: usize,
    tile_height: usize,
    division: Division,
    /// The sizes of both operands, if their groups are copied apart.
    apart: Option<[Sizes; 2]>,
    /// Elements of copied lines, and pieces, of a worker.
    copied_len: usize,
    num_pieces: usize,
    finish: unsafe fn(FinishArguments<T>),
}

/// What is summed over in a piece.
enum Depths {
    /// The places of a line, of the input as it is.
    Places,
    /// The places of a copied line.
    Copied(Lines),
    /// The images, at one place.
    Images,
}

impl<T: Number> WeightGrad<T> {
    /// Of the convolution of this geometry.
    pub(super) fn new(isa: Isa, kernel: BatchReduceKernel<T>, geometry: Geometry) -> Self {
        let Geometry { images, groups, in_channels, out_channels, axes } = geometry;
        let places = axes.map(|axis| Places::of_result(&axis));
        let input = axes.map(|axis| axis.input);
        let columns = &places[2];
        let is_flat = axes[0].kernel == 1 && axes[0].output == 1;
        let depths = if is_flat && in_channels < FEW_CHANNELS && columns.taps.len() > 1 && columns.is_run() {
            Depths::Copied(Lines::new(input, groups, in_channels, std::slice::from_ref(columns)))
        } else if columns.count < FEW_PLACES.min(images) {
            Depths::Images
        } else {
            Depths::Places
        };
        let is_copied = matches!(depths, Depths::Copied(_));
        let (rows, taps) = if is_copied { (in_channels * axes[2].kernel, 1) } else { (in_channels, axes[2].kernel) };
        let taps = axes[0].kernel * axes[1].kernel * taps;
        let tile_height = kernel.height(rows);
        let (tiles, panels) = (rows.div_ceil(tile_height), out_channels.div_ceil(kernel.width));
        let lines_of_image = axes[0].output * axes[1].output;
        let lines = if matches!(depths, Depths::Images) { lines_of_image } else { images * lines_of_image };
        let tile_parts = tiles.div_ceil(TASK_TILES + 1);
        let panel_bytes = taps * tiles.div_ceil(tile_parts) * tile_height * kernel.width * size_of::<T>();
        let panel_parts = panels.div_ceil((SUMS_BYTES / panel_bytes.max(1)).max(1)).min(panels);
        let parts = MIN_TASKS.div_ceil(groups * tile_parts * panel_parts).min(lines);
        // A block is of one image, if lines are copied.
        let line_pixels = axes[2].output * if matches!(depths, Depths::Images) { images } else { 1 };
        let met_channels = rows.min(TASK_TILES * tile_height) * axes[1].stride * axes[2].stride.min(4);
        let line_bytes = line_pixels * (met_channels + out_channels / panel_parts) * size_of::<T>();
        let block = (BLOCK_BYTES / line_bytes.max(1)).max(1);
        let apart = (!is_copied && apart::pays(&geometry)).then(|| {
            let of = |pixels: usize, channels: usize| Sizes { pixels: images * pixels, groups, channels };
            [of(geometry.input_pixels(), in_channels), of(geometry.output_pixels(), out_channels)]
        });
        let division = Division { groups, tiles, tile_parts, panels, panel_parts, lines, parts, block };
        let block = block.min(lines.div_ceil(parts) + 1);
        let copied_len = match &depths {
            Depths::Copied(lines) => {
                let block = block.min(axes[1].output);
                let rows = (block - 1) * axes[1].stride + (axes[1].kernel - 1) * axes[1].dilation + 1;
                rows.min(axes[1].input) * lines.len()
            }
            _ => 0,
        };
        let num_pieces = block * if matches!(depths, Depths::Images) { axes[2].output } else { 1 };
        let num_pieces = num_pieces.next_multiple_of(8);
        let finish = T::vectorised::<Finish<T>>(isa);
        WeightGrad {
            geometry,
            places,
            depths,
            kernel,
            rows,
            tile_height,
            division,
            apart,
            copied_len,
            num_pieces,
            finish,
        }
    }

    /// Elements of a panel of sums of a part: `[taps, C, width]`.
    fn panel_len(&self) -> usize {
        self.geometry.depth() * self.kernel.width
    }

    /// Elements of the sums of all parts, and to where the next begin a line of the cache.
    fn sums_len(&self) -> usize {
        (self.division.parts * self.part_len()).next_multiple_of(16)
    }

    /// Elements of the sums of a part.
    fn part_len(&self) -> usize {
        self.division.groups * self.division.panels * self.panel_len()
    }

    /// Adds a block of lines to the sums of a task.
    unsafe fn add(&self, task: &Task, lines: Range<usize>, memory: &Memory<T>) {
        let [depths, rows, columns] = &self.places;
        let Geometry { images, groups, in_channels, out_channels, axes } = self.geometry;
        // From one pixel to the next.
        let groups = if self.apart.is_some() { 1 } else { groups };
        let (channels, cotangents) = (groups * in_channels, groups * out_channels);
        let image_len = self.geometry.input_pixels() * channels;
        let output_len = self.geometry.output_pixels() * cotangents;
        let (is_copied, are_images) = (self.is_copied(), matches!(self.depths, Depths::Images));
        let mut source = Source::of_input(memory.x, axes.map(|axis| axis.input), channels);
        if let Depths::Copied(copied) = &self.depths {
            let (image, first) = (lines.start / axes[1].output, lines.start % axes[1].output);
            let needed = [0..1, rows.needed(first..first + lines.len())];
            let x = memory.x.wrapping_add(image * image_len);
            // SAFETY: the lines lie within the image, and as many were counted.
            unsafe { copied.copy(x, &needed, memory.copied) }
            source = copied.source(memory.copied, &needed);
            // All are of one image.
            source.strides[0] = 0;
        }
        let column_taps = if is_copied { 1 } else { columns.taps.len() };
        for tap in 0..depths.taps.len() * rows.taps.len() * column_taps {
            let (rest, column_tap) = (tap / column_taps, tap % column_taps);
            let (depth_tap, row_tap) = (rest / rows.taps.len(), rest % rows.taps.len());
            let met = if is_copied { 0..columns.count } else { columns.meeting(&columns.taps[column_tap]) };
            let (mut num_pieces, mut base) = (0, 0);
            for line in lines.clone() {
                let (rest, row) = (line / axes[1].output, line % axes[1].output);
                let (image, depth) = (rest / axes[0].output, rest % axes[0].output);
                if !depths.met(depth).contains(&depth_tap) || !rows.met(row).contains(&row_tap) {
                    continue;
                }
                for place in met.clone().step_by(if are_images { 1 } else { met.len().max(1) }) {
                    let sources = [depths.source(depth, depth_tap), rows.source(row, row_tap)];
                    let at = source.place([sources[0], sources[1], columns.source(place, column_tap)]);
                    let at = at + (image * source.strides[0]) as isize;
                    if num_pieces == 0 {
                        base = at;
                    }
                    // What is met is in ascending order.
                    let (a, b) = ((at - base) as usize, (line * axes[2].output + place) * cotangents);
                    // SAFETY: as many pieces were counted.
                    unsafe { *memory.pieces.add(num_pieces) = Piece { a, b } }
                    num_pieces += 1;
                }
            }
            let (depth, a_depth, b_depth) = if are_images {
                (images, image_len, output_len)
            } else {
                (met.len(), columns.stride * source.strides[3], cotangents)
            };
            for panel in task.panels.clone() {
                let first = panel * self.kernel.width;
                for tile in task.tiles.clone() {
                    let row = tile * self.tile_height;
                    let sums = memory.sums.wrapping_add(
                        (task.group * self.division.panels + panel) * self.panel_len()
                            + (tap * self.rows + row) * self.kernel.width,
                    );
                    let tile = BatchReduce {
                        pieces: memory.pieces,
                        num_pieces,
                        depth,
                        a: source.first.wrapping_offset(base).wrapping_add(row),
                        a_row: 1,
                        a_depth,
                        b: memory.dy.wrapping_add(first),
                        b_depth,
                        c: sums,
                        c_row: self.kernel.width,
                        cols: self.kernel.width.min(out_channels - first),
                        add: lines.start > task.lines.start,
                    };
                    // SAFETY: as the caller vouches: the lines lie within the operands.
                    unsafe { self.kernel.run(self.tile_height.min(self.rows - row), tile) }
                }
            }
        }
    }
}

/// What a task works on.
struct Memory<T> {
    /// The group's first channel.
    x: *const T,
    dy: *const T,
    copied: *mut T,
    pieces: *mut Piece,
    /// Of the task's part.
    sums: *mut T,
}

impl<T: Number> Kernel for WeightGrad<T> {
    fn scratch(&self) -> ScratchSize {
        let per_worker = self.num_pieces * size_of::<Piece>() + self.copied_len * size_of::<T>();
        let apart: usize = self.apart.iter().flatten().map(Sizes::len).sum();
        ScratchSize { shared: (self.sums_len() + apart) * size_of::<T>(), per_worker }
    }

    /// What follows works on whole lines of an output channel's weights.
    fn takes_epilogue(&self) -> bool {
        !self.is_copied() || self.division.parts > 1 || self.division.tile_parts == 1
    }

    unsafe fn run(&self, run: &Run) {
        let Geometry { in_channels, out_channels, axes, .. } = self.geometry;
        let (pointers, scratch, epilogue) = (Pointers::of(run), run.scratch, run.epilogue);
        let sums = || scratch.shared::<T>(self.scratch().shared / size_of::<T>());
        // Both operands, or the copies of them, and how far it is in them from one group to the next.
        let mut operands = [0, 1].map(|index| Shared(pointers.input::<T>(index).cast_mut()));
        let mut steps = [in_channels, out_channels];
        let mut copy = sums().wrapping_add(self.sums_len());
        for ((sizes, operand), step) in self.apart.iter().flatten().zip(&mut operands).zip(&mut steps) {
            // SAFETY: by this function's own contract.
            unsafe { sizes.copy(operand.get(), copy, run.pool) }
            (*operand, *step) = (Shared(copy), sizes.pixels * sizes.channels);
            copy = copy.wrapping_add(sizes.len());
        }
        run.pool.run(self.division.num_tasks(), &|index, worker| {
            let dw = pointers.output::<T>(0);
            let task = self.division.task(index);
            let pieces = scratch.worker::<u8>(worker, self.scratch().per_worker).cast::<Piece>();
            let of_group =
                |operand: usize| operands[operand].get().wrapping_add(task.group * steps[operand]).cast_const();
            let memory = Memory {
                x: of_group(0),
                dy: of_group(1),
                copied: pieces.wrapping_add(self.num_pieces).cast(),
                pieces,
                sums: sums().wrapping_add(task.part * self.part_len()),
            };
            let mut first = task.lines.start;
            while first < task.lines.end {
                let mut end = task.lines.end.min(first + self.division.block);
                if self.is_copied() {
                    end = end.min((first / axes[1].output + 1) * axes[1].output);
                }
                // SAFETY: by this function's own contract.
                unsafe { self.add(&task, first..end, &memory) }
                first = end;
            }
            if self.division.parts == 1 {
                let rows = task.tiles.start * self.tile_height..self.rows.min(task.tiles.end * self.tile_height);
                for panel in task.panels.clone() {
                    // SAFETY: by this function's own contract; the task has made these sums.
                    unsafe { self.finish(task.group, panel, rows.clone(), sums(), dw) }
                    self.follow(epilogue, task.group, panel, rows.clone(), worker);
                }
            }
        });
        if self.division.parts > 1 {
            let rows = if self.is_copied() { self.rows } else { (FINISHED_LEN / self.geometry.taps()).max(16) };
            let chunks = self.rows.div_ceil(rows);
            run.pool.run(self.division.groups * self.division.panels * chunks, &|index, worker| {
                let (rest, chunk) = (index / chunks, index % chunks);
                let (group, panel) = (rest / self.division.panels, rest % self.division.panels);
                let rows = chunk * rows..self.rows.min((chunk + 1) * rows);
                // SAFETY: by this function's own contract; all sums are made.
                unsafe { self.finish(group, panel, rows.clone(), sums(), pointers.output(0)) }
                self.follow(epilogue, group, panel, rows, worker);
            });
        }
    }
}

/// How many elements of an output channel's weights a task makes of the parts' sums: neighbours in memory.
const FINISHED_LEN: usize = 512;

impl<T: Number> WeightGrad<T> {
    /// Whether the rows of the sums are channels of all elements of a line of the kernel.
    fn is_copied(&self) -> bool {
        matches!(self.depths, Depths::Copied(_))
    }

    /// Lets what follows work on the weights that were made of some rows of a panel.
    fn follow(&self, epilogue: Option<&dyn Epilogue>, group: usize, panel: usize, rows: Range<usize>, worker: usize) {
        let Some(epilogue) = epilogue else { return };
        let Geometry { in_channels, out_channels, .. } = self.geometry;
        let (width, taps) = (self.kernel.width, self.geometry.taps());
        let channels = if self.is_copied() { 0..in_channels } else { rows };
        let (first, row_stride) = (panel * width, in_channels * taps);
        let start = (group * out_channels + first) * row_stride + channels.start * taps;
        epilogue.region(start, width.min(out_channels - first), row_stride, channels.len() * taps, worker);
    }

    /// Adds the parts of some rows of a panel, and writes them where they belong.
    unsafe fn finish(&self, group: usize, panel: usize, rows: Range<usize>, sums: *mut T, dw: *mut T) {
        let Geometry { in_channels, out_channels, axes, .. } = self.geometry;
        let (width, taps) = (self.kernel.width, self.geometry.taps());
        // The sums of copied lines have the channels of several elements of the kernel in a row.
        let row_taps = if self.is_copied() { axes[2].kernel } else { 1 };
        let first = panel * width;
        let arguments = FinishArguments {
            sums: sums.wrapping_add((group * self.division.panels + panel) * self.panel_len()),
            parts: self.division.parts,
            part_len: self.part_len(),
            width,
            rows: [rows.start, rows.len()],
            all_rows: self.rows,
            num_taps: taps / row_taps,
            row_taps,
            channels: in_channels,
            columns: width.min(out_channels - first),
            to: dw.wrapping_add((group * out_channels + first) * in_channels * taps),
        };
        // SAFETY: as the caller vouches; the loop is compiled for this processor.
        unsafe { (self.finish)(arguments) }
    }
}
