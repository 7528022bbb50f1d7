//! Sums over places of the kernel and channels: the product that the convolution and the gradient for its input have
//! in common.

use std::ops::Range;

use super::division::{Block, Division, Sizes};
use super::lines::{Lines, Source};
use super::phase::Phase;
use super::places::{Places, Segment, joined};
use super::weights::{Layout, Weights};
use crate::isa::Isa;
use crate::kernel::Run;
use crate::kernels::convolution::geometry::Geometry;
use crate::kernels::gemm::Epilogue;
use crate::kernels::gemm::microkernel::{BatchReduce, BatchReduceKernel, Piece};
use crate::kernels::gemm::number::Number;
use crate::kernels::split::{Pointers, Shared};
use crate::pool::{Pool, ScratchSize};

/// From how many images on they can be the rows of a tile: at each place, only those elements of the kernel are used
/// that meet the input.
const MIN_IMAGES: usize = 8;

/// What a tile costs beside its rows, in rows: it reads weights, and its sums wait for each other if they are few.
const TILE_COST: usize = 2;

/// How many elements of a line are copied in the time of one row of a tile.
const COPIES: usize = 16;

/// Memory for pieces is a multiple of so many, so that what follows begins a line of the cache.
const PIECES_ALIGNMENT: usize = 8;

/// `y[n, place, g, o] = sum over taps k and channels c of w[g, o, c, k] * x[n, what the place meets with k, g, c]`.
pub(super) struct Correlation<T> {
    groups: usize,
    /// Channels of a group of the input and of the result.
    channels: usize,
    columns: usize,
    /// Over how many of the channels is summed.
    depth: usize,
    input: [usize; 3],
    output: [usize; 3],
    phases: Vec<Phase>,
    rows: Rows,
    /// For each phase, how a line of it is divided.
    segments: Vec<Vec<Segment>>,
    division: Division,
    kernel: BatchReduceKernel<T>,
    weights: Weights<T>,
    /// How many pieces and elements of copied lines a worker needs.
    num_pieces: usize,
    copied_len: usize,
}

/// What the rows of a tile are.
enum Rows {
    /// Neighbouring places of a segment of a line, of the input as it is.
    Places,
    /// Neighbouring places of a line, of copied lines.
    Copied(Lines),
    /// The same place of several images.
    Images,
}

/// What tiles of a block have in common.
struct Panel<T> {
    source: Source<T>,
    /// The packed panel.
    w: *const T,
    /// The panel's first column of the first image.
    y: *mut T,
    cols: usize,
    pieces: *mut Piece,
}

impl<T: Number> Correlation<T> {
    /// Of an input and a result of these sizes; for each axis, the phases of the result.
    pub(super) fn new(
        isa: Isa,
        kernel: BatchReduceKernel<T>,
        geometry: &Geometry,
        phases: [Vec<Places>; 3],
        layout: Layout,
    ) -> Self {
        let Geometry { images, groups, in_channels: channels, out_channels: columns, axes } = *geometry;
        let (input, output) = (axes.map(|axis| axis.input), axes.map(|axis| axis.output));
        let rows = Rows::new(geometry, &phases[2], kernel.highest);
        let kernel_sizes = axes.map(|axis| axis.kernel);
        let (phases, taps) = Phase::product(&phases, kernel_sizes);
        let segments = phases.iter().map(|phase| rows.segments(&phase.places[2])).collect();
        let depth = layout.depth;
        let weights = Weights::new(isa, layout, kernel.width, &taps);
        let panels = columns.div_ceil(kernel.width);
        let line_len = if let Rows::Copied(lines) = &rows { lines.len() } else { groups * input[2] * channels };
        let tile_images = if matches!(rows, Rows::Images) { kernel.height(images) } else { 1 };
        let needed = phases.iter().map(|phase| &phase.places[1]).fold([1, 1], |[first, further], places| {
            let extent = places.taps.last().map_or(1, |last| (last.offset - places.taps[0].offset + 1) as usize);
            [first.max(extent.min(places.input.max(1))), further.max(places.stride.div_ceil(places.step))]
        });
        let division = Division::new(&Sizes {
            images,
            panels: groups * panels,
            lines: [output[0], output[1]],
            places: output[2],
            are_lines_whole: matches!(rows, Rows::Copied(_)),
            line_work: groups * output[2] * depth * taps.len() * columns / phases.len().max(1),
            line_bytes: [line_len, output[2] * groups * columns].map(|len| len * size_of::<T>()),
            needed: [needed[0].max(needed[1]), needed[1]],
            weight_bytes: groups * panels * weights.panel_len() * size_of::<T>(),
            tile_images,
        });
        let num_pieces = phases.iter().map(|phase| phase.places.iter().map(|p| p.taps.len()).product()).max();
        let mut correlation = Correlation {
            groups,
            channels,
            columns,
            depth,
            input,
            output,
            phases,
            rows,
            segments,
            division,
            kernel,
            weights,
            num_pieces: num_pieces.unwrap_or(0).next_multiple_of(PIECES_ALIGNMENT),
            copied_len: 0,
        };
        if let Rows::Copied(lines) = &correlation.rows {
            let len = |block: usize| {
                let block = division.block(block);
                block.images.len() * lines.image_len(&correlation.needed(&block))
            };
            correlation.copied_len = (0..division.num_blocks()).map(len).max().unwrap_or(0);
        }
        correlation
    }

    fn panels(&self) -> usize {
        self.columns.div_ceil(self.kernel.width)
    }

    /// The working memory it needs.
    pub(super) fn scratch(&self) -> ScratchSize {
        let (shared, own) = if self.division.is_by_panel { (0, 1) } else { (self.groups * self.panels(), 0) };
        let (shared, own) = (shared * self.weights.panel_len(), own * self.weights.panel_len());
        let pieces = self.num_pieces * size_of::<Piece>();
        ScratchSize { shared: shared * size_of::<T>(), per_worker: pieces + (own + self.copied_len) * size_of::<T>() }
    }

    /// Which lines of the input a block meets.
    fn needed(&self, block: &Block) -> [Range<usize>; 2] {
        self.phases.iter().fold([0..0, 0..0], |[depths, rows], phase| {
            let [of_depths, of_rows, _] = &phase.places;
            [
                joined(depths, of_depths.needed(block.depth..block.depth + 1)),
                joined(rows, of_rows.needed(block.rows.clone())),
            ]
        })
    }

    /// Elements of the packed weights.
    pub(super) fn packed_len(&self) -> usize {
        self.groups * self.panels() * self.weights.panel_len()
    }

    /// How the weights are packed.
    pub(super) fn packed_form(&self) -> String {
        format!("{} groups of {}", self.groups, self.weights.form())
    }

    /// Packs the weights.
    ///
    /// # Safety
    /// `w` points to them, `to` to [`Correlation::packed_len`] elements.
    pub(super) unsafe fn pack(&self, w: *const T, to: *mut T, pool: &Pool) {
        let (panels, w, to) = (self.panels(), Shared(w.cast_mut()), Shared(to));
        pool.run(self.groups * panels, &|index, _| {
            let to = to.get().wrapping_add(index * self.weights.panel_len());
            // SAFETY: as the caller vouches; each panel is written by one thread.
            unsafe { self.weights.pack(w.get(), index / panels, index % panels, to) }
        });
    }

    /// Computes it, of packed weights if they come as a third input.
    ///
    /// # Safety
    /// As [`Kernel::run`](crate::kernel::Kernel::run).
    pub(super) unsafe fn run(&self, run: &Run) {
        let (pointers, scratch, epilogue, panels) = (Pointers::of(run), run.scratch, run.epilogue, self.panels());
        let is_prepared = run.inputs.len() > 2;
        let packed = || match is_prepared {
            true => pointers.input::<T>(2).cast_mut(),
            false => scratch.shared::<T>(self.scratch().shared / size_of::<T>()),
        };
        let packs_own = self.division.is_by_panel && !is_prepared;
        if !self.division.is_by_panel && !is_prepared {
            // SAFETY: by this function's own contract.
            unsafe { self.pack(pointers.input(1), packed(), run.pool) }
        }
        run.pool.run(self.division.num_tasks(), &|index, worker| {
            let (x, w, y) = (pointers.input::<T>(0), pointers.input::<T>(1), pointers.output::<T>(0));
            let task = self.division.task(index);
            let pieces = scratch.worker::<u8>(worker, self.scratch().per_worker).cast::<Piece>();
            let own = pieces.wrapping_add(self.num_pieces).cast::<T>();
            let lines = if packs_own { own.wrapping_add(self.weights.panel_len()) } else { own };
            // Of which block and group the source is.
            let mut source_of = None;
            let mut source = Source::of_input(x, self.input, self.groups * self.channels);
            for panel in task.panels.clone() {
                let (group, first) = (panel / panels, panel % panels * self.kernel.width);
                let w = if packs_own {
                    // SAFETY: by this function's own contract.
                    unsafe { self.weights.pack(w, group, panel % panels, own) }
                    own
                } else {
                    packed().wrapping_add(panel * self.weights.panel_len())
                };
                for index in task.blocks.clone() {
                    let block = self.division.block(index);
                    if source_of.replace((index, group)) != Some((index, group)) {
                        // SAFETY: by this function's own contract, there is memory for the lines of a block.
                        source = unsafe { self.source(&block, x, group, lines) };
                    }
                    let y = y.wrapping_add(block.images.start * self.output_len() + group * self.columns + first);
                    let cols = self.kernel.width.min(self.columns - first);
                    // SAFETY: by this function's own contract.
                    unsafe { self.panel(&block, &Panel { source, w, y, cols, pieces }) }
                }
            }
            if let Some(epilogue) = epilogue {
                for block in task.blocks.clone() {
                    self.finish(&self.division.block(block), &task.panels, epilogue, worker);
                }
            }
        });
    }

    /// Where the lines of a group stand that a block meets, which are copied to `lines` if they have to be.
    unsafe fn source(&self, block: &Block, x: *const T, group: usize, lines: *mut T) -> Source<T> {
        let x = x.wrapping_add(block.images.start * self.input_len() + group * self.channels);
        let Rows::Copied(copied) = &self.rows else {
            return Source::of_input(x, self.input, self.groups * self.channels);
        };
        let needed = self.needed(block);
        for image in 0..block.images.len() {
            let x = x.wrapping_add(image * self.input_len());
            let to = lines.wrapping_add(image * copied.image_len(&needed));
            // SAFETY: as the caller vouches; the lines lie within the images.
            unsafe { copied.copy(x, &needed, to) }
        }
        copied.source(lines, &needed)
    }

    fn input_len(&self) -> usize {
        self.input.iter().product::<usize>() * self.groups * self.channels
    }

    fn output_len(&self) -> usize {
        self.output.iter().product::<usize>() * self.groups * self.columns
    }

    /// Gives what a block has of some panels to the epilogue.
    fn finish(&self, block: &Block, panels: &Range<usize>, epilogue: &dyn Epilogue, worker: usize) {
        let (channels, of_group) = (self.groups * self.columns, self.panels());
        let column = |panel: usize| panel / of_group * self.columns + panel % of_group * self.kernel.width;
        let (first, end) = (column(panels.start), column(panels.end));
        let region = |image: usize, row: usize, place: usize, num_places: usize| {
            let line = (image * self.output[0] + block.depth) * self.output[1] + row;
            let start = (line * self.output[2] + place) * channels + first;
            epilogue.region(start, num_places, channels, end - first, worker);
        };
        let Block { images, rows, places, .. } = block;
        for image in images.clone() {
            if places.len() == self.output[2] {
                region(image, rows.start, 0, rows.len() * self.output[2]);
            } else {
                rows.clone().for_each(|row| region(image, row, places.start, places.len()));
            }
        }
    }

    /// Computes a panel for a block.
    unsafe fn panel(&self, block: &Block, panel: &Panel<T>) {
        let [image_step, .., pitch] = panel.source.strides;
        let channels = self.groups * self.columns;
        for (phase, segments) in self.phases.iter().zip(&self.segments) {
            let [depths, rows, columns] = &phase.places;
            let Some(depth) = depths.place(block.depth) else { continue };
            for index in block.rows.clone() {
                let Some(row) = rows.place(index) else { continue };
                let line = (block.depth * self.output[1] + index) * self.output[2];
                let y = |image: usize, column: usize| {
                    let pixel = line + columns.first + columns.step * column;
                    panel.y.wrapping_add(image * self.output_len() + pixel * channels)
                };
                let segments = segments.iter().map(|segment| segment.within(columns, &block.places));
                for Segment { places, taps } in segments.filter(|segment| !segment.places.is_empty()) {
                    // SAFETY: as the caller vouches.
                    unsafe {
                        if let Rows::Images = self.rows {
                            for column in places.clone() {
                                let tile = self.tile(phase, [depth, row, column], taps.clone(), panel);
                                let (c, a_row, c_row) = (y(0, column), image_step, self.output_len());
                                self.tiles(BatchReduce { c, a_row, c_row, ..tile }, block.images.len());
                            }
                            continue;
                        }
                        let tile = self.tile(phase, [depth, row, places.start], taps.clone(), panel);
                        let (a_row, c_row) = (columns.stride * pitch, columns.step * channels);
                        for image in 0..block.images.len() {
                            let (a, c) = (tile.a.wrapping_add(image * image_step), y(image, places.start));
                            self.tiles(BatchReduce { a, c, a_row, c_row, ..tile }, places.len());
                        }
                    }
                }
            }
        }
    }

    /// Computes tiles of `rows` rows together, the first of which begins as this one.
    unsafe fn tiles(&self, tile: BatchReduce<T>, rows: usize) {
        let height = self.kernel.height(rows);
        for first in (0..rows).step_by(height) {
            let (a, c) = (tile.a.wrapping_add(first * tile.a_row), tile.c.wrapping_add(first * tile.c_row));
            // SAFETY: as the caller vouches: the tile lies within the operands.
            unsafe { self.kernel.run(height.min(rows - first), BatchReduce { a, c, ..tile }) }
        }
    }

    /// A tile at a place of the first image, without its rows: with what meets the input along the first two axes,
    /// and with `taps` along the last.
    unsafe fn tile(
        &self,
        phase: &Phase,
        [depth, row, column]: [usize; 3],
        taps: Range<usize>,
        panel: &Panel<T>,
    ) -> BatchReduce<T> {
        let [depths, rows, columns] = &phase.places;
        // Channels of neighbours along the last axis are summed over in one piece if they are neighbours in memory.
        let is_run = panel.source.strides[3] == self.depth && columns.is_run();
        let step = if is_run { taps.len().max(1) } else { 1 };
        let (mut num_pieces, mut base) = (0, 0);
        for depth_tap in depths.met(depth) {
            for row_tap in rows.met(row) {
                let first_tap = phase.first_tap + (depth_tap * rows.taps.len() + row_tap) * columns.taps.len();
                for tap in taps.clone().step_by(step) {
                    let sources = [depths.source(depth, depth_tap), rows.source(row, row_tap)];
                    let place = panel.source.place([sources[0], sources[1], columns.source(column, tap)]);
                    if num_pieces == 0 {
                        base = place;
                    }
                    // What is met is in ascending order.
                    let a = (place - base) as usize;
                    let b = (first_tap + tap) * self.depth * self.kernel.width;
                    // SAFETY: as the caller vouches, there is memory for a piece of each element of the kernel.
                    unsafe { *panel.pieces.add(num_pieces) = Piece { a, b } }
                    num_pieces += 1;
                }
            }
        }
        BatchReduce {
            pieces: panel.pieces,
            num_pieces,
            depth: if is_run { taps.len() * self.depth } else { self.depth },
            a: panel.source.first.wrapping_offset(base),
            a_row: 0,
            a_depth: 1,
            b: panel.w,
            b_depth: self.kernel.width,
            c: panel.y,
            c_row: 0,
            cols: panel.cols,
            add: false,
        }
    }
}

impl Rows {
    /// Those of the least work, with tiles of at most `highest` rows.
    fn new(geometry: &Geometry, columns: &[Places], highest: usize) -> Self {
        let Geometry { images, groups, in_channels, axes, .. } = *geometry;
        let input = axes.map(|axis| axis.input);
        let cost = |rows: usize, taps: usize| taps * (rows + TILE_COST * rows.div_ceil(highest));
        let of_segments = |segments: Vec<Segment>| -> usize {
            segments.iter().map(|segment| cost(segment.places.len(), segment.taps.len())).sum()
        };
        let whole: usize = columns.iter().map(|places| of_segments(vec![places.whole()])).sum();
        let copied = whole + input[2] / COPIES;
        let divided: usize = columns.iter().map(|places| of_segments(places.segments())).sum();
        let met = |segment: Segment| segment.places.len() * segment.taps.len();
        let met: usize = columns.iter().flat_map(Places::segments).map(met).sum();
        // For each image.
        let by_image = if images < MIN_IMAGES { usize::MAX } else { cost(images, met).div_ceil(images) };
        if by_image < copied.min(divided) {
            Rows::Images
        } else if divided <= copied {
            Rows::Places
        } else {
            Rows::Copied(Lines::new(input, groups, in_channels, columns))
        }
    }

    /// How a line is divided.
    fn segments(&self, columns: &Places) -> Vec<Segment> {
        match self {
            Rows::Places | Rows::Images => columns.segments(),
            Rows::Copied(_) => vec![columns.whole()],
        }
    }
}
