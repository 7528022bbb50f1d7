//! What the scans share: the order of steps, the division of a step, and the packed weights.
//!
//! A step is divided into blocks of hidden units, each with all its gates, and rows of the batch; the weights
//! are packed once, block by block, so that a thread keeps those of its blocks in its cache over all steps.

use std::ops::Range;

use crate::isa::Isa;
use crate::kernels::split::split_numbered;
use crate::kernels::whole::groups::Shared;
use crate::kernels::whole::lanes::{LANES, load, store, transpose, zip};
use crate::kernels::whole::product::{Operands, Product, Tiled};
use crate::pool::{Pool, Scratch, ScratchSize};

/// How many rows of the batch are computed at once.
const ROWS: usize = 16;

/// The sizes of a scan, and the product that it is made of.
#[derive(Clone, Copy)]
pub(super) struct Steps<T> {
    pub(super) length: usize,
    pub(super) batch: usize,
    pub(super) size: usize,
    /// How many matrices `[size, size]` the weights are made of.
    gates: usize,
    reverse: bool,
    product: Product<T>,
}

/// A part of a step: some units of some rows of the batch.
pub(super) struct Part<T> {
    /// The first unit.
    pub(super) unit: usize,
    /// How many units, at most [`LANES`].
    pub(super) units: usize,
    pub(super) rows: Range<usize>,
    /// The block's packed weights.
    weights: *const T,
    /// Memory for the products of these rows: for each gate `[ROWS, LANES]`.
    pub(super) tiles: *mut T,
}

impl<T: Tiled> Steps<T> {
    /// From the shape of the states, `[T, B, H]`.
    pub(super) fn new(states: &[usize], gates: usize, reverse: bool, isa: Isa) -> Self {
        let [length, batch, size] = *states else { unreachable!("rank 3") };
        Steps { length, batch, size, gates, reverse, product: T::product(isa) }
    }

    fn num_blocks(&self) -> usize {
        self.size.div_ceil(LANES)
    }

    fn num_weights(&self) -> usize {
        self.num_blocks() * self.weights_per_block()
    }

    fn weights_per_block(&self) -> usize {
        self.gates * self.size * LANES
    }

    fn num_tiles(&self) -> usize {
        self.gates * ROWS * LANES
    }

    pub(super) fn scratch(&self) -> ScratchSize {
        ScratchSize { shared: self.num_weights() * size_of::<T>(), per_worker: self.num_tiles() * size_of::<T>() }
    }

    /// The places in time in the scan's order.
    pub(super) fn forward(&self) -> impl Iterator<Item = usize> {
        let Steps { length, reverse, .. } = *self;
        (0..length).map(move |step| if reverse { length - 1 - step } else { step })
    }

    /// The places in time against the scan's order.
    pub(super) fn backward(&self) -> impl Iterator<Item = usize> {
        let Steps { length, reverse, .. } = *self;
        (0..length).map(move |step| if reverse { step } else { length - 1 - step })
    }

    /// The state before a step: that of the step before, or the initial one.
    pub(super) fn before(&self, states: *const T, initial: *const T, time: usize) -> *const T {
        let previous = if self.reverse { time + 1 } else { time.wrapping_sub(1) };
        if previous >= self.length { initial } else { states.wrapping_add(previous * self.batch * self.size) }
    }

    /// Packs `W [gates H, H]` for products with `W^T`, each gate on its own.
    ///
    /// # Safety
    /// `w` points to the weights, and the scratch memory is of the size of [`Steps::scratch`].
    pub(super) unsafe fn pack_transposed(&self, pool: &Pool, scratch: &Scratch, w: *const T) {
        let size = self.size;
        self.pack(pool, scratch, w, |w, unit, units, packed| {
            for gate in 0..self.gates {
                // SAFETY: the units of the gate lie within the weights, and the gate within the packed block.
                unsafe {
                    let rows = w.add((gate * size + unit) * size);
                    transpose(rows, units, size, T::ONE, packed.add(gate * size * LANES));
                }
            }
        });
    }

    /// Packs `W [gates H, H]` for products with `W`.
    ///
    /// # Safety
    /// As [`Steps::pack_transposed`].
    pub(super) unsafe fn pack_plain(&self, pool: &Pool, scratch: &Scratch, w: *const T) {
        let size = self.size;
        self.pack(pool, scratch, w, |w, unit, units, packed| {
            for row in 0..self.gates * size {
                let mut lanes = [T::ZERO; LANES];
                // SAFETY: the units of the row lie within the weights, and the row within the packed block.
                unsafe {
                    std::ptr::copy_nonoverlapping(w.add(row * size + unit), lanes.as_mut_ptr(), units);
                    store(packed.add(row * LANES), 0, LANES, lanes);
                }
            }
        });
    }

    fn pack(&self, pool: &Pool, scratch: &Scratch, w: *const T, block: impl Fn(*const T, usize, usize, *mut T) + Sync) {
        let (w, packed) = (Shared(w.cast_mut()), Shared(scratch.shared::<T>(self.num_weights())));
        split_numbered(pool, self.num_blocks(), 1, |_, blocks| {
            for index in blocks {
                let unit = index * LANES;
                let units = LANES.min(self.size - unit);
                block(w.get(), unit, units, packed.get().wrapping_add(index * self.weights_per_block()));
            }
        });
    }

    /// Does all parts of a step in parallel.
    pub(super) fn step(&self, pool: &Pool, scratch: &Scratch, work: impl Fn(Part<T>) + Sync) {
        let packed = Shared(scratch.shared::<T>(self.num_weights()));
        let per_block = self.batch.div_ceil(ROWS);
        split_numbered(pool, self.num_blocks() * per_block, 1, |worker, items| {
            let tiles = scratch.worker::<T>(worker, self.num_tiles());
            for item in items {
                let (block, row) = (item / per_block, item % per_block * ROWS);
                let unit = block * LANES;
                let weights = packed.get().wrapping_add(block * self.weights_per_block());
                let (units, rows) = (LANES.min(self.size - unit), row..self.batch.min(row + ROWS));
                work(Part { unit, units, rows, weights, tiles });
            }
        });
    }

    /// For each gate the product of `h [B, H]` with the part's weights, packed transposed.
    ///
    /// # Safety
    /// `h` points to the state.
    pub(super) unsafe fn gate_products(&self, part: &Part<T>, h: *const T) {
        for gate in 0..self.gates {
            // SAFETY: the gate's weights and tile lie within the part's.
            unsafe {
                let weights = part.weights.add(gate * self.size * LANES);
                self.product(part, h, self.size, self.size, weights, part.tiles.add(gate * ROWS * LANES), false);
            }
        }
    }

    /// The product of the first `gates` of `d [B, stride]` with the part's weights from gate `first` on, packed
    /// plain, in the first tile; added to it if `add`.
    ///
    /// # Safety
    /// `d` points to `B` rows `stride` apart of `gates H` elements each.
    pub(super) unsafe fn state_product(
        &self,
        part: &Part<T>,
        (d, stride): (*const T, usize),
        gates: Range<usize>,
        add: bool,
    ) {
        // SAFETY: the gates' weights lie within the part's.
        unsafe {
            let weights = part.weights.add(gates.start * self.size * LANES);
            self.product(part, d, stride, gates.len() * self.size, weights, part.tiles, add);
        }
    }

    /// # Safety
    /// The pointers are to `B` rows `stride` apart, `depth` rows of packed weights, and a tile.
    #[expect(clippy::too_many_arguments, reason = "the operands of a product")]
    unsafe fn product(
        &self,
        part: &Part<T>,
        a: *const T,
        stride: usize,
        depth: usize,
        weights: *const T,
        tile: *mut T,
        add: bool,
    ) {
        // SAFETY: as the caller vouches.
        unsafe {
            self.product.run(Operands {
                rows: part.rows.len(),
                columns: part.units.next_multiple_of(self.product.width),
                depth,
                a: a.add(part.rows.start * stride),
                a_row_stride: stride,
                a_column_stride: 1,
                b: weights,
                b_row_stride: LANES,
                c: tile,
                c_row_stride: LANES,
                add,
            });
        }
    }

    /// Makes the first tile of a part zero.
    ///
    /// # Safety
    /// The part is of this scan.
    pub(super) unsafe fn clear(&self, part: &Part<T>) {
        // SAFETY: the first tile of the part's.
        unsafe { std::slice::from_raw_parts_mut(part.tiles, ROWS * LANES).fill(T::ZERO) }
    }

    /// Writes the first tile of a part to `[B, H]`; what is there is added if `add`.
    ///
    /// # Safety
    /// `to` points to as many elements; the part's are written by one thread.
    pub(super) unsafe fn write_tile(&self, part: &Part<T>, to: *mut T, add: bool) {
        for (row, product) in Self::rows(part) {
            // SAFETY: as the caller vouches.
            unsafe {
                let to = to.add(row * self.size + part.unit);
                let mut value = load(product, 0, LANES, T::ZERO);
                if add {
                    value = zip(value, load(to, 0, part.units, T::ZERO), |a, b| a + b);
                }
                store(to, 0, part.units, value);
            }
        }
    }

    /// For each row of a part its index in the batch and the place of its products in the first tile; those of
    /// the next gate are [`GATE`] elements on.
    #[inline(always)]
    pub(super) fn rows(part: &Part<T>) -> impl Iterator<Item = (usize, *mut T)> + use<T> {
        let tiles = part.tiles;
        part.rows.clone().enumerate().map(move |(index, row)| (row, tiles.wrapping_add(index * LANES)))
    }
}

/// How many elements the products of one gate take.
pub(super) const GATE: usize = ROWS * LANES;
