//! Products cut into blocks that fit the caches.
//!
//! The left operand is packed once for all threads. A task is some rows times some columns of the result; it
//! packs its columns of the right operand, [`Blocking::step`] depths at a time, and computes its tiles, each
//! element summed in the order of depth: the bits depend on no division into blocks or tasks. Only where a
//! result has too few elements to keep threads busy is the depth cut into parts, by its size alone, whose
//! sums are then added in their order.

use std::ops::Range;

use super::Epilogue;
use super::microkernel::{MicroKernel, Panel};
use super::number::{Number, Stored};
use super::pack::{PANEL_PADDING, Panels};
use crate::isa::Isa;
use crate::kernels::split::split;
use crate::pool::{Pool, Scratch, ScratchSize};

/// The most elements of the left operand that are packed at a time.
const LEFT_ELEMENTS: usize = 2 << 20;
/// How many elements of the right operand stay in the second-level cache, and how many of the left one.
const RIGHT_ELEMENTS: usize = 64 << 10;
const LEFT_CACHED_ELEMENTS: usize = 40 << 10;
/// The most rows of a task that keeps its result apart.
const MAX_ROWS_APART: usize = 256;
/// How many multiplications are worth a task.
const TASK_WORK: usize = 128 << 10;
/// How many elements of a line the parts of a divided depth have at least, and how many parts there are at most.
const PART_DEPTH: usize = 1024;
const MAX_PARTS: usize = 16;

/// Where the result goes.
#[derive(Clone, Copy)]
pub(crate) struct Target<T> {
    /// The first element.
    pub(crate) c: *mut u8,
    /// Distances in elements.
    pub(crate) batch_stride: isize,
    pub(crate) row_stride: isize,
    pub(crate) col_stride: isize,
    /// Whether to add to what is there.
    pub(crate) accumulate: bool,
    /// Writes a row that was computed apart.
    pub(crate) write: unsafe fn(Row<T>),
    /// Bytes of an element of the result.
    pub(crate) element_size: usize,
}

// SAFETY: tasks write to disjoint elements.
unsafe impl<T> Sync for Target<T> {}

/// Some neighbouring elements of a row of the result.
#[derive(Clone, Copy)]
pub(crate) struct Row<T> {
    from: *const T,
    len: usize,
    c: *mut u8,
    stride: isize,
    accumulate: bool,
}

/// Writes a row of elements of type `S`.
pub(crate) unsafe fn write_row<S: Stored<T>, T: Number>(row: Row<T>) {
    let c = row.c.cast::<S>();
    // SAFETY: as the caller vouches, `len` elements lie at both places.
    unsafe {
        if row.stride == 1 && !row.accumulate {
            let from = std::slice::from_raw_parts(row.from, row.len);
            return S::write_all(from, std::slice::from_raw_parts_mut(c, row.len));
        }
        for index in 0..row.len {
            let c = c.offset(index as isize * row.stride);
            let sum = *row.from.add(index);
            *c = S::write(if row.accumulate { (*c).read().add(sum) } else { sum });
        }
    }
}

/// What a product is made of.
#[derive(Clone, Copy)]
pub(crate) struct Operands<'a, T> {
    /// The left operand.
    pub(crate) a: &'a dyn Panels<T>,
    /// The right operand.
    pub(crate) b: &'a dyn Panels<T>,
    /// The result.
    pub(crate) target: Target<T>,
    /// What is done to it; only where it is contiguous.
    pub(crate) epilogue: Option<&'a dyn Epilogue>,
    /// Which element of what the epilogue works on is the target's first.
    pub(crate) first: usize,
}

/// The sizes of a product.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sizes {
    pub(crate) batch: usize,
    pub(crate) m: usize,
    pub(crate) n: usize,
    pub(crate) k: usize,
    /// Whether all of the batch have the same left operand.
    pub(crate) is_left_shared: bool,
    /// Whether the result is computed in its own memory: its elements are of the type that is computed in,
    /// and neighbours along rows.
    pub(crate) is_direct: bool,
}

/// What runs in parallel.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Parallel {
    /// The blocks of one product, or of a batch with one left operand.
    Blocks,
    /// The products of a batch.
    Batch,
    /// Parts of the depth of one product, each of so many elements.
    Depth(usize),
}

/// A product, ready to run.
#[derive(Clone, Copy)]
pub(crate) struct Blocking<T> {
    sizes: Sizes,
    kernel: MicroKernel<T>,
    parallel: Parallel,
    /// Rows and depths that are packed at a time.
    row_block: usize,
    depth_block: usize,
    /// Depths that are summed before the next tile.
    step: usize,
    /// The most panels of a task.
    max_panels: usize,
}

/// Memory of one product.
#[derive(Clone, Copy)]
struct Memory<'a, T> {
    left: *mut T,
    scratch: &'a Scratch,
    /// Elements before what is a worker's own.
    offset: usize,
    per_worker: usize,
}

// SAFETY: it is only an address; tasks keep to their own parts.
unsafe impl<T> Sync for Memory<'_, T> {}

impl<T> Memory<'_, T> {
    fn worker(&self, worker: usize) -> *mut T {
        self.scratch.worker::<T>(worker, self.per_worker).wrapping_add(self.offset)
    }
}

impl<T: Number> Blocking<T> {
    pub(crate) fn new(isa: Isa, sizes: Sizes) -> Self {
        let Sizes { batch, m, n, k, .. } = sizes;
        let kernel = T::microkernel(isa, m);
        let tiles = m.div_ceil(kernel.height) * n.div_ceil(kernel.width);
        let parallel = if batch > 1 && !sizes.is_left_shared {
            if m * k + n * k <= LEFT_ELEMENTS / 8 { Parallel::Batch } else { Parallel::Blocks }
        } else if batch == 1 && tiles <= 16 && k >= 2 * PART_DEPTH {
            Parallel::Depth(k.div_ceil(MAX_PARTS).max(PART_DEPTH).next_multiple_of(64))
        } else {
            Parallel::Blocks
        };
        let (is_divided, part) = match parallel {
            Parallel::Depth(part) => (true, part),
            _ => (false, k),
        };
        // Sums of parts are of the type that is computed in.
        let sizes = Sizes { is_direct: sizes.is_direct || is_divided, ..sizes };
        let step = (64 << 10) / (kernel.width * size_of::<T>()) / 2;
        let step = part.div_ceil(part.div_ceil(step).max(1)).max(1);
        let depth_block = if sizes.is_direct && part > 4096 { (4096 / step).max(1) * step } else { part };
        let tile_rows = LEFT_ELEMENTS / depth_block.max(1) / kernel.height;
        let row_block = (tile_rows.max(1) * kernel.height).min(m.next_multiple_of(kernel.height));
        let max_panels = (RIGHT_ELEMENTS / (step * kernel.width)).max(1);
        Blocking { sizes, kernel, parallel, row_block, depth_block, step, max_panels }
    }

    /// Elements of a packed tile of so many depths.
    fn tile_len(&self, depth: usize) -> usize {
        self.kernel.height * depth + PANEL_PADDING
    }

    fn left_len(&self) -> usize {
        self.row_block.div_ceil(self.kernel.height) * self.depth_block.div_ceil(self.step) * self.tile_len(self.step)
    }

    fn panel_len(&self) -> usize {
        self.kernel.width * self.step + PANEL_PADDING
    }

    fn max_panels(&self) -> usize {
        self.max_panels.min(self.num_panels())
    }

    /// Panels of the whole batch.
    fn num_panels(&self) -> usize {
        let batch = if self.sizes.is_left_shared { self.sizes.batch } else { 1 };
        batch * self.sizes.n.div_ceil(self.kernel.width)
    }

    /// Elements of a worker's memory for a product.
    fn own_len(&self) -> usize {
        let apart = if self.sizes.is_direct { 0 } else { MAX_ROWS_APART.next_multiple_of(self.kernel.height) };
        self.max_panels() * (self.panel_len() + apart * self.kernel.width)
    }

    fn num_parts(&self) -> usize {
        match self.parallel {
            Parallel::Depth(part) => self.sizes.k.div_ceil(part),
            _ => 1,
        }
    }

    /// The memory that [`Blocking::run`] works in.
    pub(crate) fn scratch(&self) -> ScratchSize {
        let (left, own) = (self.left_len(), self.own_len());
        let (shared, per_worker) = match self.parallel {
            Parallel::Blocks => (left, own),
            Parallel::Batch => (0, left + own),
            Parallel::Depth(_) => (self.num_parts() * self.sizes.m * self.sizes.n, left + own),
        };
        ScratchSize { shared: shared * size_of::<T>(), per_worker: per_worker * size_of::<T>() }
    }

    /// The same for a smaller batch.
    pub(crate) fn of_batch(&self, batch: usize) -> Self {
        Blocking { sizes: Sizes { batch, ..self.sizes }, ..*self }
    }

    /// Computes the product.
    ///
    /// # Safety
    /// The operands are as large as the sizes say, the result overlaps neither, and `shared` and the workers'
    /// scratch memory are as large as [`Blocking::scratch`] says.
    pub(crate) unsafe fn run(&self, operands: &Operands<T>, shared: *mut T, scratch: &Scratch, pool: &Pool) {
        let Sizes { batch, m, n, k, .. } = self.sizes;
        if batch * m * n == 0 {
            return;
        }
        let per_worker = self.scratch().per_worker / size_of::<T>();
        let serial = |worker: usize| Memory {
            left: scratch.worker::<T>(worker, per_worker),
            scratch,
            offset: self.left_len(),
            per_worker,
        };
        // SAFETY: as the caller vouches; each worker has its own memory.
        unsafe {
            match self.parallel {
                Parallel::Blocks => {
                    let memory = Memory { left: shared, scratch, offset: 0, per_worker };
                    if self.sizes.is_left_shared {
                        return self.product(operands, 0..batch, 0..k, memory, pool);
                    }
                    for index in 0..batch {
                        self.product(operands, index..index + 1, 0..k, memory, pool);
                    }
                }
                Parallel::Batch => pool.run(batch, &|index, worker| {
                    self.product(operands, index..index + 1, 0..k, serial(worker), pool);
                }),
                Parallel::Depth(part) => {
                    let parts = PartialSums { sums: shared, count: self.num_parts(), m, n };
                    pool.run(parts.count, &|index, worker| {
                        let depth = index * part..((index + 1) * part).min(k);
                        let operands = Operands { target: parts.target(index), epilogue: None, ..*operands };
                        self.product(&operands, 0..1, depth, serial(worker), pool);
                    });
                    parts.combine(operands, pool);
                }
            }
        }
    }

    /// The products of part of the batch, which have one left operand, over part of the depth.
    unsafe fn product(
        &self,
        operands: &Operands<T>,
        batch: Range<usize>,
        depth: Range<usize>,
        memory: Memory<T>,
        pool: &Pool,
    ) {
        let mut start = depth.start;
        loop {
            let block = start..(start + self.depth_block).min(depth.end);
            let (is_first, is_last) = (start == depth.start, block.end == depth.end);
            for row in (0..self.sizes.m).step_by(self.row_block) {
                let rows = row..(row + self.row_block).min(self.sizes.m);
                let block = Block {
                    blocking: self,
                    operands,
                    batch: batch.clone(),
                    rows,
                    depth: block.clone(),
                    is_first,
                    is_last,
                    memory,
                };
                // SAFETY: as the caller vouches.
                unsafe {
                    block.pack_left(pool);
                    block.run(pool);
                }
            }
            start = block.end;
            if is_last {
                return;
            }
        }
    }
}

/// The part of a product for which the left operand is packed at a time.
struct Block<'a, T> {
    blocking: &'a Blocking<T>,
    operands: &'a Operands<'a, T>,
    batch: Range<usize>,
    rows: Range<usize>,
    depth: Range<usize>,
    /// Whether nothing has been summed before, and whether nothing will be later.
    is_first: bool,
    is_last: bool,
    memory: Memory<'a, T>,
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

    unsafe fn pack_left(&self, pool: &Pool) {
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

    unsafe fn run(&self, pool: &Pool) {
        let Blocking { kernel, sizes, .. } = self.blocking;
        let (tiles, panels) = (self.num_tiles(), self.batch.len() * sizes.n.div_ceil(kernel.width));
        let mut tall = if sizes.is_direct { tiles } else { tiles.min((MAX_ROWS_APART / kernel.height).max(1)) };
        let mut wide = panels.min(self.blocking.max_panels);
        let wanted = if pool.num_threads() == 1 { 1 } else { 4 * pool.num_threads() };
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

impl<T: Number> Target<T> {
    /// # Safety
    /// `len` elements from `column` on lie within the result.
    unsafe fn write_row(&self, from: *const T, len: usize, batch: usize, row: usize, column: usize) {
        let [batch, row, column] = [batch, row, column].map(|index| index as isize);
        let place = batch * self.batch_stride + row * self.row_stride + column * self.col_stride;
        let c = self.c.wrapping_offset(place * self.element_size as isize);
        let stride = self.col_stride;
        // SAFETY: as the caller vouches.
        unsafe { (self.write)(Row { from, len, c, stride, accumulate: self.accumulate }) }
    }
}

/// The sums over parts of the depth, each `[m, n]`.
struct PartialSums<T> {
    sums: *mut T,
    count: usize,
    m: usize,
    n: usize,
}

// SAFETY: tasks keep to their own parts.
unsafe impl<T> Sync for PartialSums<T> {}

impl<T: Number> PartialSums<T> {
    fn target(&self, part: usize) -> Target<T> {
        Target {
            c: self.sums.wrapping_add(part * self.m * self.n).cast(),
            batch_stride: 0,
            row_stride: self.n as isize,
            col_stride: 1,
            accumulate: false,
            write: write_row::<T, T>,
            element_size: size_of::<T>(),
        }
    }

    /// Adds the parts in their order, and writes the result.
    unsafe fn combine(&self, operands: &Operands<T>, pool: &Pool) {
        let (m, n) = (self.m, self.n);
        let tasks = m.min((m * n * self.count).div_ceil(16 << 10));
        pool.run(tasks, &|task, worker| {
            let rows = m * task / tasks..m * (task + 1) / tasks;
            // SAFETY: as the caller vouches; each row is one task's.
            unsafe {
                let sums = std::slice::from_raw_parts_mut(self.sums.add(rows.start * n), rows.len() * n);
                for part in 1..self.count {
                    let place = (part * m + rows.start) * n;
                    let other = std::slice::from_raw_parts(self.sums.add(place), rows.len() * n);
                    for (sum, other) in sums.iter_mut().zip(other) {
                        *sum = sum.add(*other);
                    }
                }
                for row in rows.clone() {
                    operands.target.write_row(self.sums.add(row * n), n, 0, row, 0);
                }
            }
            if let Some(epilogue) = operands.epilogue {
                epilogue.region(operands.first + rows.start * n, rows.len(), n, n, worker);
            }
        });
    }
}
