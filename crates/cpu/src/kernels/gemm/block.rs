//! Blocks of a product, and the tasks that they are divided into.

use std::ops::Range;

use super::ahead::{Ahead, Area};
use super::blocking::{Blocking, MAX_ROWS_APART, Operands, Sizes};
use super::microkernel::{Addend, Panel, RowSums};
use super::number::Number;
use super::pack::{Lines, Packed};
use crate::pool::{Pool, Scratch};

/// How many elements of the result are finished at a time, where something is done to them: they, and what is read for
/// that, stay in the second-level cache.
const FINISHED_ELEMENTS: usize = 16 << 10;
/// How many elements of the right operand they are multiplied with, at most: these stay in that cache while the tiles of a
/// group are. Longer rows are better for what is done to them.
const PANEL_ELEMENTS: usize = 128 << 10;
/// How many lines are asked for while one panel is computed, at most.
const LINES_AHEAD: usize = 512;
/// How many multiplications are worth a task.
const TASK_WORK: usize = 128 << 10;
/// How many elements are worth a task that packs them.
const PACKING_WORK: usize = 8 << 10;
/// How many neighbouring panels or tiles a task packs, if there are as many for each thread: rows of memory are read in long
/// pieces.
const LINES_TOGETHER: usize = 16;
/// How many panels a task has at least where rows are too few for all threads.
const MIN_PANELS: usize = 4;

/// Memory of one product.
#[derive(Clone, Copy)]
pub(super) struct Memory<'a, T> {
    /// Of the packed shared operand.
    pub(super) shared: *mut T,
    pub(super) scratch: &'a Scratch,
    /// Elements of a worker's memory before what a product has of it, and all of them.
    pub(super) offset: usize,
    pub(super) per_worker: usize,
}

// SAFETY: it is only an address; tasks keep to their own parts.
unsafe impl<T> Sync for Memory<'_, T> {}

impl<T> Memory<'_, T> {
    fn worker(&self, worker: usize) -> *mut T {
        self.scratch.worker::<T>(worker, self.per_worker).wrapping_add(self.offset)
    }
}

/// The part of a product for which the shared operand is packed at a time.
pub(super) struct Block<'a, T> {
    pub(super) blocking: &'a Blocking<T>,
    pub(super) operands: &'a Operands<'a, T>,
    pub(super) batch: Range<usize>,
    pub(super) rows: Range<usize>,
    /// Of the right operands of the batch, one after another.
    pub(super) panels: Range<usize>,
    pub(super) depth: Range<usize>,
    /// Whether nothing has been summed before, and whether nothing will be later.
    pub(super) is_first: bool,
    pub(super) is_last: bool,
    pub(super) memory: Memory<'a, T>,
}

impl<T: Number> Block<'_, T> {
    fn num_tiles(&self) -> usize {
        self.rows.len().div_ceil(self.blocking.kernel.height)
    }

    /// The depths that are summed before the next tile, with their number.
    fn steps(&self) -> impl Iterator<Item = (usize, Range<usize>)> {
        let (depth, step) = (self.depth.clone(), self.blocking.step);
        let count = depth.len().div_ceil(step).max(1);
        (0..count).map(move |index| {
            let start = depth.start + index * step;
            (index, start..(start + step).min(depth.end))
        })
    }

    /// Where a packed tile of the left operand is that tasks share.
    fn left(&self, step: usize, tile: usize) -> *mut T {
        let place = step * self.num_tiles() + tile;
        self.memory.shared.wrapping_add(place * self.blocking.tile_len(self.blocking.step))
    }

    /// Where a panel of the right operand is if it was packed before.
    fn packed(&self, depth: usize, panel: usize) -> Option<*const T> {
        let packed = self.operands.packed;
        (!packed.is_null()).then(|| packed.wrapping_add(self.blocking.packed_panel(depth, panel)))
    }

    /// Where a packed panel of the right operand is that tasks share.
    fn right(&self, step: usize, panel: usize) -> *mut T {
        let place = step * self.panels.len() + panel - self.panels.start;
        self.memory.shared.wrapping_add(place * self.blocking.panel_len())
    }

    /// Packs the operand that tasks share.
    ///
    /// # Safety
    /// As [`Blocking::run`].
    pub(super) unsafe fn pack(&self, pool: &Pool) {
        let Blocking { kernel, is_right_shared, .. } = *self.blocking;
        if is_right_shared && !self.operands.packed.is_null() {
            return;
        }
        let (lines, size) =
            if is_right_shared { (self.panels.clone(), kernel.width) } else { (0..self.num_tiles(), kernel.height) };
        let together = lines.len().div_ceil(pool.num_threads()).clamp(1, LINES_TOGETHER);
        let grain = (PACKING_WORK / (size * self.depth.len()).max(1)).max(together);
        pool.run(lines.len().div_ceil(grain), &|task, _| {
            let first = lines.start + task * grain;
            let part = first..(first + grain).min(lines.end);
            for (step, depth) in self.steps() {
                // SAFETY: the lines lie within the operand, what is packed within the memory for it.
                unsafe {
                    if is_right_shared {
                        self.pack_panels(part.clone(), &depth, self.right(step, first));
                    } else {
                        self.pack_tiles(part.clone(), self.panels.start, &depth, self.left(step, first));
                    }
                }
            }
        });
    }

    /// Packs tiles of the left operand, one after another, to be multiplied with panels from `first_panel` on; who packs
    /// them for the very first one sums their rows, if someone wants the sums.
    unsafe fn pack_tiles(&self, tiles: Range<usize>, first_panel: usize, depth: &Range<usize>, to: *mut T) {
        let Blocking { kernel, step, .. } = *self.blocking;
        let (width, stride) = (kernel.height, self.blocking.tile_len(step));
        // SAFETY: the rows lie within the operand, the tiles within the memory for them.
        unsafe { self.operands.a.pack(&self.lines_of(tiles.clone(), depth.clone()), Packed { width, to, stride }) }
        if self.operands.row_sums.is_null() || first_panel > 0 {
            return;
        }
        let add = !self.is_first || depth.start > self.depth.start;
        for (index, tile) in tiles.enumerate() {
            let rows = self.rows_of(tile..tile + 1);
            let tile = to.wrapping_add(index * stride).cast_const();
            let to = self.operands.row_sums.wrapping_add(rows.start);
            let (depth, height, rows) = (depth.len(), kernel.height, rows.len());
            // SAFETY: the tile is packed, and has padding; the sums of its rows are this task's.
            unsafe { kernel.sum_rows(RowSums { tile, depth, height, rows, to, add }) }
        }
    }

    /// Where a panel of the right operand is, and the distance of its rows, if it need not be packed.
    fn in_place(&self, panel: usize, depth: usize) -> Option<(*const T, usize)> {
        let (batch, column, cols) = self.columns(panel);
        if cols == self.blocking.kernel.width { self.operands.b.in_place(batch, column, depth) } else { None }
    }

    /// Packs panels of the right operand, one after another, but those that can be read in place.
    unsafe fn pack_panels(&self, panels: Range<usize>, depth: &Range<usize>, to: *mut T) {
        let (width, stride) = (self.blocking.kernel.width, self.blocking.panel_len());
        let mut panel = panels.start;
        while panel < panels.end {
            let (batch, column, _) = self.columns(panel);
            let count = (self.blocking.sizes.n - column).min((panels.end - panel) * width);
            // Of those that are read in place the last one may have too few columns for that.
            let skipped = if self.in_place(panel, depth.start).is_some() { count / width } else { 0 };
            let skipped_columns = skipped * width;
            let (first, count_left) = (column + skipped_columns, count - skipped_columns);
            let lines = Lines { batch, first, count: count_left, depth: depth.clone() };
            let to = to.wrapping_add((panel - panels.start + skipped) * stride);
            // SAFETY: as for tiles.
            unsafe { self.operands.b.pack(&lines, Packed { width, to, stride }) }
            panel += count.div_ceil(width);
        }
    }

    /// How many parts rows and columns are cut into: as many tasks as keep the threads busy.
    fn grid(&self, pool: &Pool) -> (usize, usize) {
        let Blocking { kernel, sizes, is_right_shared, max_panels, .. } = *self.blocking;
        let (tiles, panels) = (self.num_tiles(), self.panels.len());
        let wanted = if self.blocking.is_serial() || pool.num_threads() == 1 { 1 } else { 4 * pool.num_threads() };
        let work = tiles * panels * kernel.height * kernel.width * self.depth.len().max(1);
        let wanted = wanted.min(work.div_ceil(TASK_WORK));
        if is_right_shared {
            let rows = wanted.min(tiles);
            return (rows, wanted.div_ceil(rows).clamp(1, panels.div_ceil(MIN_PANELS)));
        }
        let columns = panels.min(wanted).max(panels.div_ceil(max_panels));
        let most_tiles = if sizes.is_direct { tiles } else { (MAX_ROWS_APART / kernel.height).max(1) };
        (tiles.min(wanted.div_ceil(columns)).max(tiles.div_ceil(most_tiles)), columns)
    }

    /// Computes the products, once the operands are packed.
    ///
    /// # Safety
    /// As [`Blocking::run`].
    pub(super) unsafe fn run(&self, pool: &Pool) {
        let (rows, columns) = self.grid(pool);
        let part = |of: Range<usize>, index: usize, count: usize| {
            of.start + of.len() * index / count..of.start + of.len() * (index + 1) / count
        };
        pool.run(rows * columns, &|task, worker| {
            let tiles = part(0..self.num_tiles(), task / columns, rows);
            let panels = part(self.panels.clone(), task % columns, columns);
            // SAFETY: the tasks write to disjoint parts of the result, and to their workers' memory.
            unsafe { self.task(tiles, panels, worker) }
        });
    }

    /// Which product a panel belongs to, its first column, and how many it has.
    fn columns(&self, panel: usize) -> (usize, usize, usize) {
        let (n, width) = (self.blocking.sizes.n, self.blocking.kernel.width);
        let per_product = n.div_ceil(width);
        let column = panel % per_product * width;
        (self.batch.start + panel / per_product, column, width.min(n - column))
    }

    unsafe fn task(&self, tiles: Range<usize>, panels: Range<usize>, worker: usize) {
        let Blocking { kernel, sizes, is_right_shared, .. } = *self.blocking;
        let max_tiles = self.blocking.tiles_together(tiles.len());
        let target = &self.operands.target;
        let rows = self.rows_of(tiles.clone());
        let own = self.memory.worker(worker);
        let (tile_len, panel_len) = (self.blocking.tile_len(self.blocking.step), self.blocking.panel_len());
        let (apart, apart_stride) = (own.wrapping_add(panels.len() * panel_len), panels.len() * kernel.width);
        let (mut for_result, mut for_packing) = (Ahead::new(), Ahead::new());
        let mut lines = [std::ptr::null(); LINES_AHEAD];
        for (step, depth) in self.steps() {
            let is_first = self.is_first && step == 0;
            let is_last = self.is_last && depth.end == self.depth.end;
            let adds_own = !is_first || (sizes.is_direct && target.accumulate);
            let right = if let Some(packed) = self.packed(depth.start, panels.start) {
                packed
            } else if is_right_shared {
                self.right(step, panels.start).cast_const()
            } else {
                // SAFETY: the worker's memory has room for the panels.
                unsafe { self.pack_panels(panels.clone(), &depth, own) }
                self.next_panels(&panels, &depth, &mut for_packing);
                own.cast_const()
            };
            let (mut cached, mut abreast) = (max_tiles, panels.len());
            if is_last && self.operands.epilogue.is_some() {
                let parts = (panels.len() * kernel.width * depth.len()).div_ceil(PANEL_ELEMENTS);
                abreast = panels.len().div_ceil(parts.max(1));
                cached = (FINISHED_ELEMENTS / (kernel.height * abreast * kernel.width)).clamp(1, max_tiles);
            }
            for group in tiles.clone().step_by(max_tiles) {
                let group = group..(group + max_tiles).min(tiles.end);
                if is_right_shared {
                    // SAFETY: the worker's memory has room for the tiles.
                    unsafe { self.pack_tiles(group.clone(), panels.start, &depth, own) }
                    self.next_tiles(&group, &tiles, &depth, &mut for_packing);
                }
                let left = if is_right_shared { own } else { self.left(step, group.start) };
                let runs = panels
                    .clone()
                    .step_by(abreast)
                    .flat_map(|panel| group.clone().step_by(cached).map(move |tile| (tile, panel)));
                for (first, first_panel) in runs {
                    let some = self.rows_of(first..(first + cached).min(group.end));
                    let some_panels = first_panel..(first_panel + abreast).min(panels.end);
                    let place_apart =
                        (some.start - rows.start) * apart_stride + (first_panel - panels.start) * kernel.width;
                    let apart = apart.wrapping_add(place_apart);
                    if is_last {
                        self.read_by_epilogue(&some, &some_panels, &mut for_result);
                    }
                    let a = left.wrapping_add((first - group.start) * tile_len);
                    for panel in some_panels.clone() {
                        let (batch, column, cols) = self.columns(panel);
                        let packed = right.wrapping_add((panel - panels.start) * panel_len);
                        let (b, b_stride) = self.in_place(panel, depth.start).unwrap_or((packed, kernel.width));
                        let (c, c_stride) = if sizes.is_direct {
                            let place = batch as isize * target.batch_stride + some.start as isize * target.row_stride;
                            (target.c.cast::<T>().wrapping_offset(place + column as isize), target.row_stride)
                        } else {
                            (apart.wrapping_add((panel - first_panel) * kernel.width), apart_stride as isize)
                        };
                        let most = LINES_AHEAD.min(kernel.most_ahead(depth.len()));
                        if !adds_own && panel + 1 < some_panels.end {
                            self.added_to(&some, panel + 1, &mut for_result);
                        }
                        let mut num_ahead = for_result.take(&mut lines[..most]);
                        // Not so early that what comes between would take their place.
                        let packed_after = if is_right_shared { group.end } else { tiles.end };
                        let parts_left = (packed_after - first).div_ceil(cached);
                        let runs_left = (parts_left - 1) * abreast + some_panels.end - panel;
                        if some_panels.end == panels.end && runs_left <= for_packing.num_lines().div_ceil(most.max(1)) {
                            num_ahead += for_packing.take(&mut lines[num_ahead..most]);
                        }
                        let added = if adds_own {
                            [Addend { from: c.cast_const(), row_stride: c_stride }, Addend::NOTHING]
                        } else {
                            self.operands.added.map(|added| added.at(some.start, column))
                        };
                        let (a_depth, a_stride, ahead) = (kernel.height, tile_len, lines.as_ptr());
                        let (rows, depth) = (some.len(), depth.len());
                        // SAFETY: the tiles and the panel are packed; the result's part is this task's.
                        unsafe {
                            kernel.run(Panel {
                                depth,
                                a,
                                a_depth,
                                a_stride,
                                b,
                                b_stride,
                                c,
                                c_stride,
                                rows,
                                cols,
                                added,
                                ahead,
                                num_ahead,
                            })
                        }
                    }
                    if is_last {
                        // SAFETY: this part of the result is computed.
                        unsafe { self.finish(some, some_panels, apart, apart_stride, worker) }
                    }
                }
            }
        }
    }

    /// The rows of some tiles.
    fn rows_of(&self, tiles: Range<usize>) -> Range<usize> {
        let height = self.blocking.kernel.height;
        self.rows.start + tiles.start * height..(self.rows.start + tiles.end * height).min(self.rows.end)
    }

    fn lines_of(&self, tiles: Range<usize>, depth: Range<usize>) -> Lines {
        let rows = self.rows_of(tiles);
        Lines { batch: self.batch.start, first: rows.start, count: rows.len(), depth }
    }

    /// What is packed after a group of a task's tiles: its next group, the first one of the next depths, or that of the next
    /// task.
    fn next_tiles(&self, group: &Range<usize>, tiles: &Range<usize>, depth: &Range<usize>, ahead: &mut Ahead) {
        let (max_tiles, step) = (self.blocking.tiles_together(tiles.len()), self.blocking.step);
        let (first, end, start) = if group.end < tiles.end {
            (group.end, tiles.end, depth.start)
        } else if depth.end < self.depth.end {
            (tiles.start, tiles.end, depth.end)
        } else {
            (tiles.end, self.num_tiles(), self.depth.start)
        };
        ahead.clear();
        let depth = start..(start + step).min(self.depth.end);
        if let Some(area) = self.operands.a.area(&self.lines_of(first..(first + max_tiles).min(end), depth)) {
            ahead.push(area);
        }
    }

    /// What a task packs, or reads in place, after its panels: those of the next depths, or the next task's first ones.
    fn next_panels(&self, panels: &Range<usize>, depth: &Range<usize>, ahead: &mut Ahead) {
        let (panels, start) = if depth.end < self.depth.end {
            (panels.clone(), depth.end)
        } else {
            (panels.end..(panels.end + panels.len()).min(self.panels.end), self.depth.start)
        };
        ahead.clear();
        if panels.is_empty() {
            return;
        }
        let (batch, first, _) = self.columns(panels.start);
        let count = (self.blocking.sizes.n - first).min(panels.len() * self.blocking.kernel.width);
        let depth = start..(start + self.blocking.step).min(self.depth.end);
        if let Some(area) = self.operands.b.area(&Lines { batch, first, count, depth }) {
            ahead.push(area);
        }
    }

    /// What is added to a panel of the result, if not the same row to all: where that is all that is done there is no
    /// epilogue.
    fn added_to(&self, rows: &Range<usize>, panel: usize, ahead: &mut Ahead) {
        if self.operands.epilogue.is_some() {
            return;
        }
        ahead.clear();
        let ((_, column, cols), size) = (self.columns(panel), size_of::<T>());
        for added in self.operands.added.iter().filter(|added| !added.from.is_null() && added.row_stride != 0) {
            let from = added.at(rows.start, column).from.cast();
            ahead.push(Area { from, rows: rows.len(), stride: added.row_stride * size as isize, bytes: cols * size });
        }
    }

    /// What the epilogue reads for a part of the result.
    fn read_by_epilogue(&self, rows: &Range<usize>, panels: &Range<usize>, ahead: &mut Ahead) {
        ahead.clear();
        let Some(epilogue) = self.operands.epilogue else { return };
        let Sizes { m, n, .. } = self.blocking.sizes;
        let (batch, column, _) = self.columns(panels.start);
        let start = self.operands.first + (batch * m + rows.start) * n + column;
        let cols = (n - column).min(panels.len() * self.blocking.kernel.width);
        for (array, size) in (0..).map_while(|index| epilogue.array(index)) {
            if array != self.operands.target.c.cast_const() {
                let (from, stride) = (array.wrapping_add(start * size), (n * size) as isize);
                ahead.push(Area { from, rows: rows.len(), stride, bytes: cols * size });
            }
        }
    }

    /// Writes what was computed apart, and calls the epilogue.
    unsafe fn finish(
        &self,
        rows: Range<usize>,
        panels: Range<usize>,
        apart: *const T,
        apart_stride: usize,
        worker: usize,
    ) {
        let Sizes { m, n, is_direct, .. } = self.blocking.sizes;
        let mut panel = panels.start;
        while panel < panels.end {
            // The panels of one product.
            let (batch, column, _) = self.columns(panel);
            let first = panel;
            let mut end = column;
            while panel < panels.end && self.columns(panel).0 == batch {
                let (_, column, cols) = self.columns(panel);
                end = column + cols;
                panel += 1;
            }
            let (target, len) = (&self.operands.target, end - column);
            if !is_direct {
                let from = apart.wrapping_add((first - panels.start) * self.blocking.kernel.width);
                for row in rows.clone() {
                    let from = from.wrapping_add((row - rows.start) * apart_stride);
                    // SAFETY: as the caller vouches.
                    unsafe { target.write_row(from, len, batch, row, column) }
                }
            }
            if let Some(epilogue) = self.operands.epilogue {
                let start = self.operands.first + (batch * m + rows.start) * n + column;
                epilogue.region(start, rows.len(), n, len, worker);
            }
        }
    }
}
