//! Products cut into blocks that fit the caches.
//!
//! One operand is packed once for all threads, the other one by the tasks, a few panels at a time. Where there are
//! many rows the right operand is shared, and tasks are whole rows of the result. Otherwise it is the left one, and
//! tasks are columns. Each element is summed in the order of depth, [`Blocking::step`] depths at a time: the bits
//! depend on no division into blocks or tasks. Only where a result has too few elements to keep threads busy is the
//! depth cut into parts, by its size alone, whose sums are then added in their order.

use std::ops::Range;

use super::Epilogue;
use super::block::{Block, Memory};
use super::microkernel::{Addend, MicroKernel};
use super::number::Number;
use super::pack::{Lines, PANEL_PADDING, Packed, Panels};
use super::partial_sums::PartialSums;
use super::target::Target;
use crate::isa::Isa;
use crate::kernels::cache_line::second_level_bytes;
use crate::kernels::split::Shared;
use crate::pool::{Pool, Scratch, ScratchSize};

/// The most elements of the shared operand that are packed at a time.
const SHARED_ELEMENTS: usize = 2 << 20;
/// How many elements of a task's operand are packed at a time: they stay in the second-level cache. As many of the left one are
/// multiplied with a panel before the next one, so that what threads share is read once for them all: more of them where that
/// cache is large, and what lies behind it far away, and twice as many if rows are neighbours in memory, which are read faster in
/// long pieces. But if half of that cache holds the right operand itself, a single tile is multiplied with all of it: packing
/// then writes to the first-level cache.
const LEFT_ELEMENTS: usize = 32 << 10;
const LEFT_ELEMENTS_OF_LARGE_CACHE: usize = 128 << 10;
const LARGE_CACHE: usize = 2 << 20;
const RIGHT_ELEMENTS: usize = 64 << 10;
/// How many tiles of rows make it worth while to share the right operand, if it takes no more than half of what is packed at a
/// time, if it does but is transposed, too, and if it takes more. What a task has transposed for itself stays in its thread's
/// cache.
const FEW_TILES: usize = 8;
const TRANSPOSED_TILES: usize = 16;
const MANY_TILES: usize = 64;
/// How large a packed panel of the right operand is at most: it stays in the second-level cache.
const PANEL_BYTES: usize = 64 << 10;
/// From so many rows and columns on panels are twice as deep: the result is read and written half as often, 3 % of the time of
/// squares. Products with fewer pay more for packing so deep than they gain.
const LARGE: usize = 1024;
/// The most rows of a task that keeps its result apart.
pub(super) const MAX_ROWS_APART: usize = 256;
/// How many elements of a line a divided depth has at least, how many its parts have, and how many parts there are
/// at most.
const DIVIDED_DEPTH: usize = 2048;
const PART_DEPTH: usize = 256;
const MAX_PARTS: usize = 16;

/// What a product is made of.
#[derive(Clone, Copy)]
pub(crate) struct Operands<'a, T> {
    /// The left operand.
    pub(crate) a: &'a dyn Panels<T>,
    /// The right operand.
    pub(crate) b: &'a dyn Panels<T>,
    /// What [`Blocking::pack_right`] has made of it, or null.
    pub(crate) packed: *const T,
    /// The result.
    pub(crate) target: Target<T>,
    /// What is added to it; only where it is one matrix, and [`Blocking::adds`].
    pub(crate) added: [Addend<T>; 2],
    /// Where the sums of the left operand's rows go, or null; only where [`Blocking::adds`].
    pub(crate) row_sums: *mut T,
    /// What is done to it; only where it is contiguous.
    pub(crate) epilogue: Option<&'a dyn Epilogue>,
    /// Which element of what the epilogue works on is the target's first.
    pub(crate) first: usize,
}

impl<'a, T: Copy> Operands<'a, T> {
    /// Of which nothing is packed yet, and to which nothing is added.
    pub(crate) fn new(
        a: &'a dyn Panels<T>,
        b: &'a dyn Panels<T>,
        target: Target<T>,
        epilogue: Option<&'a dyn Epilogue>,
        first: usize,
    ) -> Self {
        let (packed, row_sums) = (std::ptr::null(), std::ptr::null_mut());
        Operands { a, b, packed, target, added: [Addend::NOTHING; 2], row_sums, epilogue, first }
    }
}

// SAFETY: operands are only read, and tasks write to disjoint elements of the target and of the sums.
unsafe impl<T> Sync for Operands<'_, T> {}

/// The sizes of a product.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sizes {
    pub(crate) batch: usize,
    pub(crate) m: usize,
    pub(crate) n: usize,
    pub(crate) k: usize,
    /// Whether all of the batch have the same left operand.
    pub(crate) is_left_shared: bool,
    /// Whether the left operand's columns are not neighbours in memory, but its rows.
    pub(crate) is_left_transposed: bool,
    /// Whether the right operand's rows are not neighbours in memory, but its columns.
    pub(crate) is_right_transposed: bool,
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
    pub(super) sizes: Sizes,
    pub(super) kernel: MicroKernel<T>,
    parallel: Parallel,
    /// Whether the right operand is shared, rather than the left one.
    pub(super) is_right_shared: bool,
    /// Rows, columns and depths that are packed at a time.
    row_block: usize,
    column_block: usize,
    depth_block: usize,
    /// Depths that are summed before the next tile.
    pub(super) step: usize,
    /// How many tiles or panels a task packs at a time.
    pub(super) max_tiles: usize,
    pub(super) max_panels: usize,
}

impl<T: Number> Blocking<T> {
    pub(crate) fn new(isa: Isa, sizes: Sizes) -> Self {
        Blocking::of_kernel(T::microkernel(isa, sizes.m), sizes)
    }

    /// With the loops that suit so many rows.
    pub(super) fn of_kernel(kernel: MicroKernel<T>, sizes: Sizes) -> Self {
        let Sizes { batch, m, n, k, .. } = sizes;
        let tiles = m.div_ceil(kernel.height) * n.div_ceil(kernel.width);
        let parallel = if batch > 1 && !sizes.is_left_shared {
            if m * k + n * k <= SHARED_ELEMENTS / 8 { Parallel::Batch } else { Parallel::Blocks }
        } else if batch == 1 && tiles <= 16 && k >= DIVIDED_DEPTH {
            Parallel::Depth(k.div_ceil(MAX_PARTS).max(PART_DEPTH))
        } else {
            Parallel::Blocks
        };
        let (is_divided, part) = match parallel {
            Parallel::Depth(part) => (true, part),
            _ => (false, k),
        };
        // Sums of parts are of the type that is computed in.
        let sizes = Sizes { is_direct: sizes.is_direct || is_divided, ..sizes };
        let num_columns = if sizes.is_left_shared { batch } else { 1 } * n.next_multiple_of(kernel.width);
        let times_deeper = if m.min(num_columns) >= LARGE { 2 } else { 1 };
        let step = times_deeper * PANEL_BYTES / (kernel.width * size_of::<T>());
        // Depths that are little more are not divided.
        let step = if part <= step + step / 4 { part.max(1) } else { part.div_ceil(part.div_ceil(step)) };
        let num_tiles = m.div_ceil(kernel.height);
        let few_tiles = if sizes.is_right_transposed { TRANSPOSED_TILES } else { FEW_TILES };
        let is_right_shared = sizes.is_direct
            && (num_tiles >= few_tiles && num_columns * part <= SHARED_ELEMENTS / 2 || num_tiles >= MANY_TILES);
        let lines = if is_right_shared { num_columns } else { m };
        let depth_block = if sizes.is_direct && lines * part > SHARED_ELEMENTS {
            (SHARED_ELEMENTS / lines / step).max(1) * step
        } else {
            part
        };
        let max_lines = SHARED_ELEMENTS / depth_block.max(1);
        let block = |lines: usize, size: usize| {
            (max_lines / size).max(1).saturating_mul(size).min(lines.next_multiple_of(size))
        };
        let (row_block, column_block) = if is_right_shared {
            (m.max(1), block(num_columns, kernel.width))
        } else {
            (block(m, kernel.height), num_columns)
        };
        let cache = second_level_bytes();
        let left_elements = if cache < LARGE_CACHE { LEFT_ELEMENTS } else { LEFT_ELEMENTS_OF_LARGE_CACHE };
        let left_elements = if sizes.is_left_transposed { 2 * left_elements } else { left_elements };
        let is_right_near = is_right_shared && column_block * step * size_of::<T>() <= cache / 2;
        let is_single = is_right_near && !sizes.is_left_transposed;
        let max_tiles = if is_single { 1 } else { (left_elements / (step * kernel.height)).max(1) };
        let max_panels = (times_deeper * RIGHT_ELEMENTS / (step * kernel.width)).max(1);
        Blocking {
            sizes,
            kernel,
            parallel,
            is_right_shared,
            row_block,
            column_block,
            depth_block,
            step,
            max_tiles,
            max_panels,
        }
    }

    /// Elements of a packed tile.
    pub(super) fn tile_len(&self) -> usize {
        self.kernel.height * self.step + PANEL_PADDING
    }

    /// Elements of a packed panel.
    pub(super) fn panel_len(&self) -> usize {
        self.kernel.width * self.step + PANEL_PADDING
    }

    /// Panels of the right operands of a number of products that have one left operand.
    fn num_panels(&self, batch: usize) -> usize {
        batch * self.sizes.n.div_ceil(self.kernel.width)
    }

    /// Elements of the shared operand that are packed at a time.
    fn shared_len(&self) -> usize {
        let line_len = if self.is_right_shared {
            self.column_block / self.kernel.width * self.panel_len()
        } else {
            self.row_block.div_ceil(self.kernel.height) * self.tile_len()
        };
        self.depth_block.div_ceil(self.step) * line_len
    }

    /// Elements of a worker's memory for a product.
    fn own_len(&self) -> usize {
        if self.is_right_shared {
            return (self.max_tiles + self.max_tiles / 4) * self.tile_len();
        }
        let apart = if self.sizes.is_direct { 0 } else { MAX_ROWS_APART.next_multiple_of(self.kernel.height) };
        let panels = self.max_panels.min(self.column_block / self.kernel.width);
        panels * (self.panel_len() + apart * self.kernel.width)
    }

    /// How many of its tiles a task packs at a time: a few more than usual if no others are left, or else about as many each
    /// time.
    pub(super) fn tiles_together(&self, tiles: usize) -> usize {
        let most = if tiles <= self.max_tiles + self.max_tiles / 4 { tiles } else { self.max_tiles };
        tiles.div_ceil(tiles.div_ceil(most.max(1)).max(1)).max(1)
    }

    /// Whether each product is one thread's.
    pub(super) fn is_serial(&self) -> bool {
        self.parallel != Parallel::Blocks
    }

    /// Whether there is one product, which is one block that is divided into rows.
    pub(super) fn is_by_rows(&self) -> bool {
        let Sizes { batch, m, n, k, .. } = self.sizes;
        let is_one_block = self.row_block >= m && self.column_block >= n && self.depth_block >= k;
        batch == 1 && self.parallel == Parallel::Blocks && self.is_right_shared && is_one_block
    }

    /// Whether it adds to its result, and sums the left operand's rows.
    pub(super) fn adds(&self) -> bool {
        self.sizes.batch == 1 && self.sizes.is_direct && self.parallel == Parallel::Blocks
    }

    /// How many bytes the packed right operand takes, if it is packed for all rows: not where each product of a batch has
    /// its own.
    pub(super) fn packed_bytes(&self) -> Option<usize> {
        let is_one = self.sizes.batch == 1 && self.parallel == Parallel::Blocks;
        let panels = self.num_panels(1) * self.sizes.k.div_ceil(self.step);
        is_one.then_some(panels * self.panel_len() * size_of::<T>())
    }

    /// How these numbers of a right operand are packed.
    pub(super) fn packed_form(&self, numbers: &str) -> String {
        format!("{numbers} in panels of {} by {}", self.step, self.kernel.width)
    }

    /// Where of a packed right operand the panel is that begins at a depth.
    pub(super) fn packed_panel(&self, depth: usize, panel: usize) -> usize {
        (depth / self.step * self.num_panels(1) + panel) * self.panel_len()
    }

    /// Packs the right operand for many products.
    ///
    /// # Safety
    /// The operand is as large as the sizes say, and there is room for [`Blocking::packed_bytes`].
    pub(super) unsafe fn pack_right(&self, b: &impl Panels<T>, to: *mut T, pool: &Pool) {
        let (to, Sizes { n, k, .. }) = (Shared(to), self.sizes);
        let width = self.kernel.width;
        pool.run(self.num_panels(1), &|panel, _| {
            let (first, stride) = (panel * width, self.panel_len());
            for depth in (0..k).step_by(self.step) {
                let lines =
                    Lines { batch: 0, first, count: width.min(n - first), depth: depth..k.min(depth + self.step) };
                let to = to.get().wrapping_add(self.packed_panel(depth, panel));
                // SAFETY: as the caller vouches; each panel is one task's.
                unsafe { b.pack(&lines, Packed { width, to, stride }) }
            }
        });
    }

    fn num_parts(&self) -> usize {
        match self.parallel {
            Parallel::Depth(part) => self.sizes.k.div_ceil(part),
            _ => 1,
        }
    }

    /// The memory that [`Blocking::run`] works in.
    pub(crate) fn scratch(&self) -> ScratchSize {
        let (all, own) = (self.shared_len(), self.own_len());
        let (shared, per_worker) = match self.parallel {
            Parallel::Blocks => (all, own),
            Parallel::Batch => (0, all + own),
            Parallel::Depth(_) => (self.num_parts() * self.sizes.m * self.sizes.n, all + own),
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
        let memory = |shared: *mut T, offset: usize| Memory { shared, scratch, offset, per_worker };
        let serial = |worker: usize| memory(scratch.worker::<T>(worker, per_worker), self.shared_len());
        // SAFETY: as the caller vouches; each worker has its own memory.
        unsafe {
            match self.parallel {
                Parallel::Blocks => {
                    let memory = memory(shared, 0);
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
        let panels = self.num_panels(batch.len());
        let mut start = depth.start;
        loop {
            let depths = start..(start + self.depth_block).min(depth.end);
            let (is_first, is_last) = (start == depth.start, depths.end == depth.end);
            for panel in (0..panels).step_by((self.column_block / self.kernel.width).max(1)) {
                for row in (0..self.sizes.m).step_by(self.row_block) {
                    let block = Block {
                        blocking: self,
                        operands,
                        batch: batch.clone(),
                        rows: row..(row + self.row_block).min(self.sizes.m),
                        panels: panel..(panel + self.column_block / self.kernel.width).min(panels),
                        depth: depths.clone(),
                        is_first,
                        is_last,
                        memory,
                    };
                    // SAFETY: as the caller vouches.
                    unsafe {
                        block.pack(pool);
                        block.run(pool);
                    }
                }
            }
            start = depths.end;
            if is_last {
                return;
            }
        }
    }
}
