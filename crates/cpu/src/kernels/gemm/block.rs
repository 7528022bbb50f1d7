//! Blocks of a product, and the tasks that they are divided into.

use std::ops::Range;

use super::blocking::{Blocking, MAX_ROWS_APART, Operands};
use super::microkernel::{RowSums, Successors};
use super::number::Number;
use super::pack::{Lines, Packed};
use super::task::Task;
use crate::pool::{Pool, Rows, Scratch, part_of};

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
    pub(super) fn worker(&self, worker: usize) -> *mut T {
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
    pub(super) fn num_tiles(&self) -> usize {
        self.rows.len().div_ceil(self.blocking.kernel.height)
    }

    /// The depths that are summed before the next tile, with their number.
    pub(super) fn steps(&self) -> impl Iterator<Item = (usize, Range<usize>)> {
        let (depth, step) = (self.depth.clone(), self.blocking.step);
        let count = depth.len().div_ceil(step).max(1);
        (0..count).map(move |index| {
            let start = depth.start + index * step;
            (index, start..(start + step).min(depth.end))
        })
    }

    /// Where a packed tile of the left operand is that tasks share.
    pub(super) fn left(&self, step: usize, tile: usize) -> *mut T {
        let place = step * self.num_tiles() + tile;
        self.memory.shared.wrapping_add(place * self.blocking.tile_len())
    }

    /// Where a panel of the right operand is if it was packed before.
    pub(super) fn packed(&self, depth: usize, panel: usize) -> Option<*const T> {
        let packed = self.operands.packed;
        (!packed.is_null()).then(|| packed.wrapping_add(self.blocking.packed_panel(depth, panel)))
    }

    /// Where a packed panel of the right operand is that tasks share.
    pub(super) fn right(&self, step: usize, panel: usize) -> *mut T {
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
                        let to = self.left(step, first);
                        self.pack_tiles(part.clone(), &depth, to);
                        self.sum_tiles(part.clone(), self.panels.start, &depth, to);
                    }
                }
            }
        });
    }

    /// Packs tiles of the left operand, one after another.
    pub(super) unsafe fn pack_tiles(&self, tiles: Range<usize>, depth: &Range<usize>, to: *mut T) {
        let (width, stride) = (self.blocking.kernel.height, self.blocking.tile_len());
        // SAFETY: the rows lie within the operand, the tiles within the memory for them.
        unsafe { self.operands.a.pack(&self.lines_of(tiles, depth.clone()), Packed { width, to, stride }) }
    }

    /// Which of the lines of the next tiles can be packed in the place of others, of as many depths.
    pub(super) fn successors(&self, tiles: Range<usize>, next: &Lines) -> Successors<T> {
        let height = self.blocking.kernel.height;
        let Some((from, stride)) = self.operands.a.in_place(next.batch, next.first, next.depth.start) else {
            return Successors::NONE;
        };
        let readable =
            (self.rows.end - next.first + height).saturating_sub(self.blocking.kernel.rows_loaded()) / height;
        let tiles = readable.min(next.count.div_ceil(height)).min(self.rows_of(tiles).len() / height);
        Successors { from, stride, rows: tiles * height }
    }

    /// Sums the rows of packed tiles, if someone wants the sums, and they are to be multiplied with panels from the very
    /// first one on.
    pub(super) unsafe fn sum_tiles(
        &self,
        tiles: Range<usize>,
        first_panel: usize,
        depth: &Range<usize>,
        packed: *const T,
    ) {
        let (kernel, stride) = (self.blocking.kernel, self.blocking.tile_len());
        if self.operands.row_sums.is_null() || first_panel > 0 {
            return;
        }
        let add = !self.is_first || depth.start > self.depth.start;
        for (index, tile) in tiles.enumerate() {
            let rows = self.rows_of(tile..tile + 1);
            let tile = packed.wrapping_add(index * stride);
            let to = self.operands.row_sums.wrapping_add(rows.start);
            let (depth, height, rows) = (depth.len(), kernel.height, rows.len());
            // SAFETY: the tile is packed, and has padding; the sums of its rows are this task's.
            unsafe { kernel.sum_rows(RowSums { tile, depth, height, rows, to, add }) }
        }
    }

    /// Where a panel of the right operand is, and the distance of its rows, if it need not be packed.
    pub(super) fn in_place(&self, panel: usize, depth: usize) -> Option<(*const T, usize)> {
        let (batch, column, cols) = self.columns(panel);
        if cols == self.blocking.kernel.width { self.operands.b.in_place(batch, column, depth) } else { None }
    }

    /// Packs panels of the right operand, one after another, but those that can be read in place.
    pub(super) unsafe fn pack_panels(&self, panels: Range<usize>, depth: &Range<usize>, to: *mut T) {
        let (width, stride) = (self.blocking.kernel.width, self.blocking.panel_len());
        let mut panel = panels.start;
        while panel < panels.end {
            let (batch, column, count) = self.columns_of(panel..panels.end);
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
        let Blocking { kernel, sizes, is_right_shared, max_tiles, max_panels, .. } = *self.blocking;
        let (tiles, panels) = (self.num_tiles(), self.panels.len());
        let wanted = if self.blocking.is_serial() || pool.num_threads() == 1 { 1 } else { 4 * pool.num_threads() };
        let work = tiles * panels * kernel.height * kernel.width * self.depth.len().max(1);
        let wanted = wanted.min(work.div_ceil(TASK_WORK));
        if is_right_shared {
            // Larger tasks than the groups that they are cut into would only let threads wait longer for one that is disturbed.
            let groups = if wanted > 1 && max_tiles > 1 { tiles / max_tiles } else { 1 };
            let rows = wanted.max(groups).min(tiles);
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
        let (count, unit, all) = (self.rows.len(), self.blocking.kernel.height, self.panels.len());
        let division = Rows { count, unit, parts: rows, tasks_per_part: columns };
        let work = |task: usize, worker: usize| {
            let (tiles, column) = (division.units_of(task / columns), task % columns);
            let Range { start, end } = part_of(all, column, columns);
            let panels = self.panels.start + start..self.panels.start + end;
            // SAFETY: the tasks write to disjoint parts of the result, and to their workers' memory.
            unsafe { Task::new(self, tiles, panels, worker).run() }
        };
        if self.blocking.is_by_rows() {
            pool.run_by_rows(division, &work);
        } else {
            pool.run(division.num_tasks(), &work);
        }
    }

    /// Which product a panel belongs to, its first column, and how many it has.
    pub(super) fn columns(&self, panel: usize) -> (usize, usize, usize) {
        self.columns_of(panel..panel + 1)
    }

    /// Which product the first of some panels belongs to, its first column, and how many of that product they have.
    pub(super) fn columns_of(&self, panels: Range<usize>) -> (usize, usize, usize) {
        let (n, width) = (self.blocking.sizes.n, self.blocking.kernel.width);
        let (panel, count) = (panels.start, panels.len());
        // Most have one product alone, and a division takes its time.
        let (product, panel) = if panel * width < n {
            (0, panel)
        } else {
            let per_product = n.div_ceil(width);
            (panel / per_product, panel % per_product)
        };
        let column = panel * width;
        (self.batch.start + product, column, (n - column).min(count * width))
    }

    /// The rows of some tiles.
    pub(super) fn rows_of(&self, tiles: Range<usize>) -> Range<usize> {
        let height = self.blocking.kernel.height;
        self.rows.start + tiles.start * height..(self.rows.start + tiles.end * height).min(self.rows.end)
    }

    pub(super) fn lines_of(&self, tiles: Range<usize>, depth: Range<usize>) -> Lines {
        let rows = self.rows_of(tiles);
        Lines { batch: self.batch.start, first: rows.start, count: rows.len(), depth }
    }
}
