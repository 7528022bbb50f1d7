//! Into which tasks a correlation is divided, by sizes alone.

use std::ops::Range;

/// Bytes of images and results that stay in the second-level cache while panels of weights are applied to them.
const BLOCK_BYTES: usize = 512 << 10;
/// How many places of a line are worth a block.
const MIN_PLACES: usize = 48;
/// How many multiplications are worth a task.
const TASK_WORK: usize = 512 << 10;
/// How many tasks are wanted, so that threads have equal shares.
const MIN_TASKS: usize = 8;
/// Weights of so many bytes are packed by the tasks that use them: each has some panels, and all images.
const LARGE_WEIGHTS: usize = 1 << 20;
/// Panels of such a task, if that leaves enough tasks.
const TASK_PANELS: usize = 4;

/// The sizes that matter.
pub(super) struct Sizes {
    pub(super) images: usize,
    /// Panels of all groups.
    pub(super) panels: usize,
    /// Lines of an image of the result, along its first two axes.
    pub(super) lines: [usize; 2],
    /// Places of a line, and whether it must stay whole.
    pub(super) places: usize,
    pub(super) are_lines_whole: bool,
    /// Multiplications of a line.
    pub(super) line_work: usize,
    /// Bytes of a line of the input and of the result.
    pub(super) line_bytes: [usize; 2],
    /// How many lines of the input a block of one line needs, and each further one.
    pub(super) needed: [usize; 2],
    pub(super) weight_bytes: usize,
    /// How many images stand in a tile.
    pub(super) tile_images: usize,
}

/// A division into blocks of images, lines and places, and into panels.
#[derive(Clone, Copy, Debug)]
pub(super) struct Division {
    images: usize,
    lines: [usize; 2],
    panels: usize,
    /// How many images a block has at most.
    pub(super) block_images: usize,
    /// Into how many blocks the lines of an image are divided, and the places of a line.
    line_blocks: usize,
    places: usize,
    place_blocks: usize,
    /// Into how many parts the panels are divided, where there are too few blocks: an epilogue prefers whole places.
    panel_parts: usize,
    /// Whether each task has all blocks, and panels that it packs.
    pub(super) is_by_panel: bool,
}

/// A part of the result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Block {
    pub(super) images: Range<usize>,
    pub(super) depth: usize,
    pub(super) rows: Range<usize>,
    /// Of each line.
    pub(super) places: Range<usize>,
}

/// What a task computes: panels, counted over all groups, for some blocks.
#[derive(Clone, Debug)]
pub(super) struct Task {
    pub(super) blocks: Range<usize>,
    pub(super) panels: Range<usize>,
}

impl Division {
    /// The division of a correlation of these sizes.
    pub(super) fn new(sizes: &Sizes) -> Division {
        let Sizes { images, panels, lines, places, tile_images, .. } = *sizes;
        let [input, output] = sizes.line_bytes;
        let [first, further] = sizes.needed;
        // Of so many lines at least, those of the input that blocks share are worth while.
        let fewest = first.div_ceil(further);
        let fitting = |images: usize| {
            let budget = (BLOCK_BYTES / images).saturating_sub((first - further) * input);
            (budget / (further * input + output).max(1)).max(fewest).clamp(1, lines[1].max(1))
        };
        let mut line_blocks = lines[1].div_ceil(fitting(tile_images)).max(1);
        let image_work = (lines[1] * sizes.line_work).max(1);
        let image_bytes = ((first + further * lines[1]) * input + lines[1] * output).max(1);
        let worth = if line_blocks == 1 { (TASK_WORK / image_work).min(BLOCK_BYTES / image_bytes) } else { 1 };
        let block_images = tile_images * (worth / tile_images).max(1);
        let of_images = images.div_ceil(block_images) * lines[0];
        let is_by_panel = sizes.weight_bytes >= LARGE_WEIGHTS && panels >= MIN_TASKS;
        let wanted = |blocks: usize| if is_by_panel { 1 } else { MIN_TASKS.div_ceil(blocks.max(1)) };
        line_blocks = line_blocks.max(wanted(of_images).min(lines[1] / fewest));
        let most = if sizes.are_lines_whole { 1 } else { places / MIN_PLACES };
        let large = (block_images * (input + output)).div_ceil(BLOCK_BYTES);
        let place_blocks = large.max(wanted(of_images * line_blocks)).min(most).max(1);
        let panel_parts = match is_by_panel {
            true => panels.div_ceil(TASK_PANELS).max(MIN_TASKS),
            false => wanted(of_images * line_blocks * place_blocks).min(panels),
        };
        Division { images, lines, panels, block_images, line_blocks, places, place_blocks, panel_parts, is_by_panel }
    }

    /// How many blocks there are.
    pub(super) fn num_blocks(&self) -> usize {
        self.images.div_ceil(self.block_images) * self.lines[0] * self.line_blocks * self.place_blocks
    }

    /// How many tasks there are.
    pub(super) fn num_tasks(&self) -> usize {
        let blocks = if self.is_by_panel { 1 } else { self.num_blocks() };
        blocks * self.panel_parts
    }

    /// Tasks of the same block are neighbours.
    pub(super) fn task(&self, index: usize) -> Task {
        let (block, part) = (index / self.panel_parts, index % self.panel_parts);
        let blocks = if self.is_by_panel { 0..self.num_blocks() } else { block..block + 1 };
        let panels = self.panels * part / self.panel_parts..self.panels * (part + 1) / self.panel_parts;
        Task { blocks, panels }
    }

    /// The blocks of an image, or of several, are neighbours.
    pub(super) fn block(&self, index: usize) -> Block {
        let (index, part) = (index / self.place_blocks, index % self.place_blocks);
        let places = self.places * part / self.place_blocks..self.places * (part + 1) / self.place_blocks;
        let (rest, part) = (index / self.line_blocks, index % self.line_blocks);
        let (images, depth) = (rest / self.lines[0], rest % self.lines[0]);
        let first = images * self.block_images;
        let rows = self.lines[1] * part / self.line_blocks..self.lines[1] * (part + 1) / self.line_blocks;
        Block { images: first..self.images.min(first + self.block_images), depth, rows, places }
    }
}
