//! A task: one part of a block's result.

use std::ops::Range;

use super::ahead::{Ahead, Area, Asked};
use super::block::Block;
use super::blocking::{Blocking, Operands, Sizes};
use super::microkernel::{Addend, Panel, Successors};
use super::number::Number;
use super::pack::Lines;

/// How many elements of the result are finished at a time, where something is done to them: they, and what is read for
/// that, stay in the second-level cache.
const FINISHED_ELEMENTS: usize = 16 << 10;
/// How many elements of the right operand they are multiplied with, at most: these stay in that cache while the tiles of a
/// group are. Longer rows are better for what is done to them.
const PANEL_ELEMENTS: usize = 128 << 10;

/// The products of some tiles of the left operand with some panels of the right one.
pub(super) struct Task<'a, T> {
    block: &'a Block<'a, T>,
    tiles: Range<usize>,
    panels: Range<usize>,
    worker: usize,
    /// Where it packs what tasks do not share.
    own: *mut T,
    /// Where it sums its part of the result, if not in the result itself, and the distance of rows there.
    apart: *mut T,
    apart_stride: usize,
    /// What will be read for the result, and by the next that is packed.
    for_result: Ahead,
    for_packing: Ahead,
    /// What is packed in the place of the group of tiles that it multiplies.
    successors: Successors<T>,
}

/// Some depths.
struct Step<T> {
    depth: Range<usize>,
    /// Whether nothing has been summed before, and whether nothing will be later.
    is_first: bool,
    is_last: bool,
    /// The task's panels, packed.
    right: *const T,
}

/// A part of the result that is computed for a step at a time.
struct Part<T> {
    rows: Range<usize>,
    panels: Range<usize>,
    /// The tiles, packed.
    left: *const T,
    /// Where it is summed, if apart.
    apart: *mut T,
    /// How many panels are multiplied after these before something is packed, if tiles are packed next.
    panels_after: Option<usize>,
    /// What is packed in the tiles' place.
    successors: Successors<T>,
}

impl<'a, T: Number> Task<'a, T> {
    pub(super) fn new(block: &'a Block<'a, T>, tiles: Range<usize>, panels: Range<usize>, worker: usize) -> Self {
        let own = block.memory.worker(worker);
        let apart = own.wrapping_add(panels.len() * block.blocking.panel_len());
        let apart_stride = panels.len() * block.blocking.kernel.width;
        let (for_result, for_packing) = (Ahead::new(), Ahead::new());
        let successors = Successors::NONE;
        Self { block, tiles, panels, worker, own, apart, apart_stride, for_result, for_packing, successors }
    }

    /// # Safety
    /// The part of the result, and the worker's memory, are the task's alone; shared operands are packed.
    pub(super) unsafe fn run(&mut self) {
        let together = self.block.blocking.tiles_together(self.tiles.len());
        for (index, depth) in self.block.steps() {
            // SAFETY: as the caller vouches.
            let step = unsafe { self.step(index, depth) };
            for first in self.tiles.clone().step_by(together) {
                let group = first..(first + together).min(self.tiles.end);
                // SAFETY: as the caller vouches.
                unsafe {
                    let left = self.left(index, &step, &group);
                    self.multiply(&step, group, left);
                }
            }
        }
    }

    /// A step, with its panels packed.
    unsafe fn step(&mut self, index: usize, depth: Range<usize>) -> Step<T> {
        let block = self.block;
        let right = if let Some(packed) = block.packed(depth.start, self.panels.start) {
            packed
        } else if block.blocking.is_right_shared {
            block.right(index, self.panels.start)
        } else {
            // SAFETY: the worker's memory has room for the panels.
            unsafe { block.pack_panels(self.panels.clone(), &depth, self.own) }
            self.next_panels(&depth);
            self.own
        };
        let is_first = block.is_first && index == 0;
        let is_last = block.is_last && depth.end == block.depth.end;
        Step { depth, is_first, is_last, right }
    }

    /// The tiles of a group, packed.
    unsafe fn left(&mut self, index: usize, step: &Step<T>, group: &Range<usize>) -> *const T {
        if !self.block.blocking.is_right_shared {
            return self.block.left(index, group.start);
        }
        let Blocking { kernel, .. } = *self.block.blocking;
        // The first ones were, while those before them were multiplied.
        let packed = self.successors.rows / kernel.height;
        let to = self.own.wrapping_add(packed * self.block.blocking.tile_len());
        // SAFETY: the worker's memory has room for the tiles.
        unsafe {
            if packed < group.len() {
                self.block.pack_tiles(group.start + packed..group.end, &step.depth, to);
            }
            self.block.sum_tiles(group.clone(), self.panels.start, &step.depth, self.own);
        }
        self.next_tiles(group, &step.depth);
        self.own
    }

    /// Multiplies a group of tiles with all panels, in parts that are small enough to be finished in the cache.
    unsafe fn multiply(&mut self, step: &Step<T>, group: Range<usize>, left: *const T) {
        let (block, panels) = (self.block, self.panels.clone());
        let Blocking { kernel, is_right_shared, .. } = *block.blocking;
        let (together, tile_len) = (block.blocking.tiles_together(self.tiles.len()), block.blocking.tile_len());
        let (mut cached, mut abreast) = (together, panels.len());
        if step.is_last && block.operands.epilogue.is_some() {
            let parts = (panels.len() * kernel.width * step.depth.len()).div_ceil(PANEL_ELEMENTS);
            abreast = panels.len().div_ceil(parts.max(1));
            cached = (FINISHED_ELEMENTS / (kernel.height * abreast * kernel.width)).clamp(1, together);
        }
        let first_row = block.rows_of(self.tiles.clone()).start;
        let packed_after = if is_right_shared { group.end } else { self.tiles.end };
        for panel in panels.clone().step_by(abreast) {
            for tile in group.clone().step_by(cached) {
                let rows = block.rows_of(tile..(tile + cached).min(group.end));
                let some = panel..(panel + abreast).min(panels.end);
                let place = (rows.start - first_row) * self.apart_stride + (panel - panels.start) * kernel.width;
                let parts_left = (packed_after - tile).div_ceil(cached);
                let panels_after = (some.end == panels.end).then_some((parts_left - 1) * abreast);
                let left = left.wrapping_add((tile - group.start) * tile_len);
                let successors = self.successors.after((tile - group.start) * kernel.height);
                let apart = self.apart.wrapping_add(place);
                let part = Part { rows, panels: some, left, apart, panels_after, successors };
                if step.is_last {
                    self.read_by_epilogue(&part);
                }
                // SAFETY: the tiles and the panels are packed; the part of the result is this task's.
                unsafe {
                    let mut panel = part.panels.start;
                    while panel < part.panels.end {
                        let count = self.panels_abreast(&part, panel);
                        self.panels(step, &part, panel..panel + count);
                        panel += count;
                    }
                    if step.is_last {
                        self.finish(&part);
                    }
                }
            }
        }
    }

    /// How many panels from one on the tiles of a part are multiplied with in one go: if it is a single tile, which stays in the
    /// first-level cache, all whole ones of a product.
    fn panels_abreast(&self, part: &Part<T>, panel: usize) -> usize {
        let kernel = self.block.blocking.kernel;
        let (_, _, cols) = self.block.columns_of(panel..part.panels.end);
        if part.rows.len() <= kernel.height { (cols / kernel.width).max(1) } else { 1 }
    }

    /// Multiplies the tiles of a part with some of its panels.
    unsafe fn panels(&mut self, step: &Step<T>, part: &Part<T>, panels: Range<usize>) {
        let block = self.block;
        let Blocking { kernel, sizes, .. } = *block.blocking;
        let (target, depth) = (&block.operands.target, step.depth.len());
        let (batch, column, cols) = block.columns(panels.start);
        let packed = step.right.wrapping_add((panels.start - self.panels.start) * block.blocking.panel_len());
        let in_place = block.in_place(panels.start, step.depth.start).map(|(b, stride)| (b, stride, kernel.width));
        let (b, b_stride, b_panel) = in_place.unwrap_or((packed, kernel.width, block.blocking.panel_len()));
        let (c, c_stride) = if sizes.is_direct {
            let place = batch as isize * target.batch_stride + part.rows.start as isize * target.row_stride;
            (target.c.cast::<T>().wrapping_offset(place + column as isize), target.row_stride)
        } else {
            let place = (panels.start - part.panels.start) * kernel.width;
            (part.apart.wrapping_add(place), self.apart_stride as isize)
        };
        let adds_own = !step.is_first || (sizes.is_direct && target.accumulate);
        let added = if adds_own {
            [Addend { from: c.cast_const(), row_stride: c_stride }, Addend::NOTHING]
        } else {
            let next = panels.start + 1..(panels.end + 1).min(part.panels.end);
            if !next.is_empty() {
                self.added_to(&part.rows, next);
            }
            block.operands.added.map(|added| added.at(part.rows.start, column))
        };
        let rows = part.rows.len();
        let lines_per_panel = rows.div_ceil(kernel.height) * kernel.most_ahead(depth);
        // Not so early that what comes between would take their place; for what takes the tiles' place, before the last panel.
        let panels_left = part.panels_after.map(|after| after + part.panels.end - (panels.end - 1));
        let panels_asking = self.for_packing.num_lines().div_ceil(lines_per_panel.max(1));
        let is_near = panels_left.is_some_and(|left| left <= panels_asking + usize::from(part.successors.rows > 0));
        let first = &raw mut self.for_result;
        let second = if is_near { &raw mut self.for_packing } else { first };
        let mut ahead = Asked { first, second };
        let (a, a_depth, a_stride) = (part.left, kernel.height, block.blocking.tile_len());
        let successors = if panels.end == self.panels.end { part.successors } else { Successors::NONE };
        // SAFETY: as the caller vouches.
        unsafe {
            kernel.run(Panel {
                depth,
                a,
                a_depth,
                a_stride,
                b,
                b_stride,
                num_panels: panels.len(),
                b_panel,
                c,
                c_stride,
                rows,
                cols,
                added,
                ahead: &raw mut ahead,
                successors,
            })
        }
    }

    /// Asks for what is packed after a group of tiles: the task's next group, the first one of the next depths, or that of
    /// the next task. What can be packed in the group's place will be.
    fn next_tiles(&mut self, group: &Range<usize>, depth: &Range<usize>) {
        let (block, tiles, num_depths) = (self.block, &self.tiles, depth.len());
        let (first, end, start) = if group.end < tiles.end {
            (group.end, tiles.end, depth.start)
        } else if depth.end < block.depth.end {
            (tiles.start, tiles.end, depth.end)
        } else {
            (tiles.end, block.num_tiles(), block.depth.start)
        };
        let next = first..(first + block.blocking.tiles_together(tiles.len())).min(end);
        let depth = start..(start + block.blocking.step).min(block.depth.end);
        let is_own = next.start < tiles.end && depth.len() == num_depths;
        let lines = block.lines_of(next, depth);
        self.successors = if is_own { block.successors(group.clone(), &lines) } else { Successors::NONE };
        self.for_packing.clear();
        self.for_packing.extend(block.operands.a.area(&lines));
    }

    /// Asks for what is packed, or read in place, after the task's panels: those of the next depths, or the next task's
    /// first ones.
    fn next_panels(&mut self, depth: &Range<usize>) {
        let (block, panels) = (self.block, &self.panels);
        let (next, start) = if depth.end < block.depth.end {
            (panels.clone(), depth.end)
        } else {
            (panels.end..(panels.end + panels.len()).min(block.panels.end), block.depth.start)
        };
        self.for_packing.clear();
        if next.is_empty() {
            return;
        }
        let (batch, first, count) = block.columns_of(next);
        let depth = start..(start + block.blocking.step).min(block.depth.end);
        self.for_packing.extend(block.operands.b.area(&Lines { batch, first, count, depth }));
    }

    /// Asks for what is added to some panels of the result, if not the same row to all: where that is all that is done there
    /// is no epilogue.
    fn added_to(&mut self, rows: &Range<usize>, panels: Range<usize>) {
        let Operands { added, epilogue, .. } = self.block.operands;
        if epilogue.is_some() {
            return;
        }
        let ((_, column, cols), size) = (self.block.columns_of(panels), size_of::<T>());
        let added = added.iter().filter(|added| !added.from.is_null() && added.row_stride != 0);
        self.for_result.clear();
        self.for_result.extend(added.map(|added| {
            let (from, stride) = (added.at(rows.start, column).from.cast(), added.row_stride * size as isize);
            Area { from, rows: rows.len(), stride, bytes: cols * size }
        }));
    }

    /// Asks for what the epilogue reads for a part of the result.
    fn read_by_epilogue(&mut self, part: &Part<T>) {
        let Operands { epilogue, target, first, .. } = self.block.operands;
        let Sizes { m, n, .. } = self.block.blocking.sizes;
        let (batch, column, cols) = self.block.columns_of(part.panels.clone());
        let start = first + (batch * m + part.rows.start) * n + column;
        self.for_result.clear();
        let Some(epilogue) = epilogue else { return };
        let arrays = (0..).map_while(|index| epilogue.array(index));
        self.for_result.extend(arrays.filter(|&(array, _)| array != target.c.cast_const()).map(|(array, size)| {
            let (from, stride) = (array.wrapping_add(start * size), (n * size) as isize);
            Area { from, rows: part.rows.len(), stride, bytes: cols * size }
        }));
    }

    /// Writes what was computed apart, and calls the epilogue.
    unsafe fn finish(&self, part: &Part<T>) {
        let (block, Part { rows, panels, .. }) = (self.block, part);
        let Operands { epilogue, target, .. } = block.operands;
        let Sizes { m, n, is_direct, .. } = block.blocking.sizes;
        let mut panel = panels.start;
        while panel < panels.end {
            // The panels of one product.
            let (batch, column, _) = block.columns(panel);
            let first = panel;
            let mut end = column;
            while panel < panels.end && block.columns(panel).0 == batch {
                let (_, column, cols) = block.columns(panel);
                end = column + cols;
                panel += 1;
            }
            let len = end - column;
            if !is_direct {
                let from = part.apart.wrapping_add((first - panels.start) * block.blocking.kernel.width);
                for row in rows.clone() {
                    let from = from.wrapping_add((row - rows.start) * self.apart_stride);
                    // SAFETY: as the caller vouches.
                    unsafe { target.write_row(from, len, batch, row, column) }
                }
            }
            if let Some(epilogue) = epilogue {
                let start = block.operands.first + (batch * m + rows.start) * n + column;
                epilogue.region(start, rows.len(), n, len, self.worker);
            }
        }
    }
}
