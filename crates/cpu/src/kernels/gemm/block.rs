//! Blocks of a product, and the tasks that they are divided into.

use std::ops::Range;

use super::blocking::{Blocking, MAX_ROWS_APART, Operands, Sizes};
use super::microkernel::Panel;
use super::number::Number;
use crate::kernels::split::split;
use crate::pool::{Pool, Scratch};

/// How many elements of the left operand stay in the second-level cache.
const LEFT_CACHED_ELEMENTS: usize = 40 << 10;
/// How many multiplications are worth a task.
const TASK_WORK: usize = 128 << 10;

/// Memory of one product.
#[derive(Clone, Copy)]
pub(super) struct Memory<'a, T> {
    /// Of the packed left operand.
    pub(super) left: *mut T,
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

/// The part of a product for which the left operand is packed at a time.
pub(super) struct Block<'a, T> {
    pub(super) blocking: &'a Blocking<T>,
    pub(super) operands: &'a Operands<'a, T>,
    pub(super) batch: Range<usize>,
    pub(super) rows: Range<usize>,
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

    /// Where a packed tile of the left operand is.
    fn left(&self, step: usize, tile: usize) -> *mut T {
        let len = self.blocking.tile_len(self.blocking.step);
        self.memory.left.wrapping_add((step * self.num_tiles() + tile) * len)
    }

    /// Packs the left operand.
    ///
    /// # Safety
    /// As [`Blocking::run`].
    pub(super) unsafe fn pack_left(&self, pool: &Pool) {
        let height = self.blocking.kernel.height;
        let grain = (16 << 10) / (height * self.depth.len()).max(1);
        split(pool, self.num_tiles(), grain.max(1), |tiles| {
            for tile in tiles {
                let row = self.rows.start + tile * height;
                let count = height.min(self.rows.end - row);
                for (step, depth) in self.steps() {
                    // SAFETY: the rows lie within the operand, the tile within the memory for it.
                    unsafe { self.operands.a.pack(self.batch.start, row, count, height, depth, self.left(step, tile)) }
                }
            }
        });
    }

    /// Computes the products, once the left operand is packed.
    ///
    /// # Safety
    /// As [`Blocking::run`].
    pub(super) unsafe fn run(&self, pool: &Pool) {
        let Blocking { kernel, sizes, .. } = self.blocking;
        let (tiles, panels) = (self.num_tiles(), self.batch.len() * sizes.n.div_ceil(kernel.width));
        let mut tall = if sizes.is_direct { tiles } else { tiles.min((MAX_ROWS_APART / kernel.height).max(1)) };
        let mut wide = panels.min(self.blocking.max_panels);
        let wanted = if self.blocking.is_serial() || pool.num_threads() == 1 { 1 } else { 4 * pool.num_threads() };
        let tile_work = kernel.height * kernel.width * self.depth.len().max(1);
        while tiles.div_ceil(tall) * panels.div_ceil(wide) < wanted && tall * wide * tile_work > TASK_WORK {
            if wide > 1 {
                wide = wide.div_ceil(2);
            } else if tall > 1 {
                tall = tall.div_ceil(2);
            } else {
                break;
            }
        }
        let columns = panels.div_ceil(wide);
        pool.run(tiles.div_ceil(tall) * columns, &|task, worker| {
            let (row, column) = (task / columns * tall, task % columns * wide);
            let tiles = row..(row + tall).min(tiles);
            let panels = column..(column + wide).min(panels);
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
        let Blocking { kernel, sizes, .. } = self.blocking;
        let (target, b) = (&self.operands.target, self.operands.b);
        let rows = self.rows.start + tiles.start * kernel.height
            ..(self.rows.start + tiles.end * kernel.height).min(self.rows.end);
        let packed = self.memory.worker(worker);
        let panel_len = self.blocking.panel_len();
        let apart = packed.wrapping_add(panels.len() * panel_len);
        let apart_stride = panels.len() * kernel.width;
        for (step, depth) in self.steps() {
            let is_first = self.is_first && step == 0;
            let add = !is_first || (sizes.is_direct && target.accumulate);
            let packed = |panel: usize| packed.wrapping_add((panel - panels.start) * panel_len);
            let in_place = |panel: usize| {
                let (batch, column, cols) = self.columns(panel);
                if cols == kernel.width { b.in_place(batch, column, depth.start) } else { None }
            };
            for panel in panels.clone() {
                let (batch, column, cols) = self.columns(panel);
                if in_place(panel).is_none() {
                    // SAFETY: the columns lie within the operand, the panel within the worker's memory.
                    unsafe { b.pack(batch, column, cols, kernel.width, depth.clone(), packed(panel)) }
                }
            }
            let cached = (LEFT_CACHED_ELEMENTS / (kernel.height * depth.len().max(1))).max(1);
            for first in tiles.clone().step_by(cached) {
                let row = self.rows.start + first * kernel.height;
                let end = (row + cached * kernel.height).min(rows.end);
                for panel in panels.clone() {
                    let (batch, column, cols) = self.columns(panel);
                    let (b, b_stride) = in_place(panel).unwrap_or((packed(panel), kernel.width));
                    let (c, c_stride) = if sizes.is_direct {
                        let place = batch as isize * target.batch_stride + row as isize * target.row_stride;
                        (target.c.cast::<T>().wrapping_offset(place + column as isize), target.row_stride)
                    } else {
                        let place = (row - rows.start) * apart_stride + (panel - panels.start) * kernel.width;
                        (apart.wrapping_add(place), apart_stride as isize)
                    };
                    let (a, a_stride) = (self.left(step, first), self.blocking.tile_len(self.blocking.step));
                    let (rows, depth) = (end - row, depth.len());
                    // SAFETY: the tiles and the panel are packed; the result's part is this task's.
                    unsafe { kernel.run(Panel { depth, a, a_stride, b, b_stride, c, c_stride, rows, cols, add }) }
                }
            }
        }
        if self.is_last {
            // SAFETY: the task's part of the result is computed.
            unsafe { self.finish(rows, panels, apart, worker) }
        }
    }

    /// Writes what was computed apart, and calls the epilogue.
    unsafe fn finish(&self, rows: Range<usize>, panels: Range<usize>, apart: *const T, worker: usize) {
        let Sizes { m, n, is_direct, .. } = self.blocking.sizes;
        let apart_stride = panels.len() * self.blocking.kernel.width;
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
