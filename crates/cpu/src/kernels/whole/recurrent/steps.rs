//! What the scans share: the order of steps, the division of a step, and the packed weights.
//!
//! A step is divided into groups of rows of the batch and blocks of hidden units, each with all its gates. The
//! weights are packed once, block by block. Where there are groups for all threads, each thread does all steps of
//! its own; otherwise the threads meet after each step, and those of a block's weights stay in a thread's cache.
//!
//! Where sequences differ in length the rows are taken in an [`Order`], in which a step has only the first ones. What
//! they are multiplied by is then gathered from them.

use std::ops::Range;

use super::order::Order;
use crate::isa::Isa;
use crate::kernels::gemm::microkernel::Packing;
use crate::kernels::gemm::number::Number;
use crate::kernels::gemm::pack::PackArguments;
use crate::kernels::gemm::product::{Operands, Product};
use crate::kernels::split::{split_along, split_numbered};
use crate::kernels::whole::groups::Shared;
use crate::kernels::whole::lanes::Tiled;
use crate::kernels::whole::lanes::{LANES, load, store, zip};
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
    packing: Packing<T>,
}

/// A part of a step: some units of some rows of the batch.
pub(super) struct Part<'a, T> {
    /// The first unit.
    pub(super) unit: usize,
    /// How many units, at most [`LANES`].
    pub(super) units: usize,
    /// The rows of the batch, or the places of them where there is an order.
    pub(super) places: Range<usize>,
    order: Option<Order<'a>>,
    /// The block's packed weights.
    weights: *const T,
    /// Memory for the products of these rows: for each gate `[ROWS, LANES]`.
    tiles: *mut T,
    /// Where there is an order, memory for what is gathered of the rows.
    gathered: *mut T,
}

impl<T> Part<'_, T> {
    /// How many elements the products of one gate take.
    pub(super) const TILE: usize = ROWS * LANES;

    /// The row of the batch at a place.
    #[inline(always)]
    pub(super) fn row(&self, place: usize) -> usize {
        self.order.map_or(place, |order| order.row(place))
    }

    /// Whether the row at a place has a step at this time.
    #[inline(always)]
    pub(super) fn has_step(&self, place: usize, time: usize) -> bool {
        self.order.is_none_or(|order| time < order.length(place))
    }
}

impl<T: Tiled> Steps<T> {
    /// From the shape of the states, `[T, B, H]`.
    pub(super) fn new(states: &[usize], gates: usize, reverse: bool, isa: Isa) -> Self
    where
        T: Number,
    {
        let [length, batch, size] = *states else { unreachable!("rank 3") };
        Steps { length, batch, size, gates, reverse, product: T::product(isa), packing: T::packing(isa) }
    }

    fn num_blocks(&self) -> usize {
        self.size.div_ceil(LANES)
    }

    /// How many groups of rows there are.
    pub(super) fn num_groups(&self) -> usize {
        self.batch.div_ceil(ROWS)
    }

    pub(super) fn num_weights(&self) -> usize {
        self.num_blocks() * self.weights_per_block()
    }

    fn weights_per_block(&self) -> usize {
        self.gates * self.size * LANES
    }

    fn num_tiles(&self) -> usize {
        self.gates * Part::<T>::TILE
    }

    /// How many elements a worker needs.
    fn per_worker(&self, has_order: bool) -> usize {
        self.num_tiles() + if has_order { ROWS * self.gates * self.size } else { 0 }
    }

    pub(super) fn scratch(&self, has_order: bool) -> ScratchSize {
        let bytes = |count: usize| count * size_of::<T>();
        ScratchSize { shared: bytes(self.num_weights()), per_worker: bytes(self.per_worker(has_order)) }
    }

    /// The place in time of a step.
    pub(super) fn time(&self, step: usize) -> usize {
        if self.reverse { self.length - 1 - step } else { step }
    }

    /// Packs `W [gates H, H]`, for products with `W`, or of each gate on its own with `W^T` if `transposed`: for
    /// each block, and of it for as many units as a product computes at once, `[gates, H, width]`.
    ///
    /// # Safety
    /// `w` points to the weights, and the scratch memory is of the size of [`Steps::scratch`].
    pub(super) unsafe fn pack(&self, pool: &Pool, scratch: &Scratch, w: *const T, transposed: bool) {
        let Steps { size, gates, product, .. } = *self;
        let (w, packed) = (Shared(w.cast_mut()), Shared(scratch.shared::<T>(self.num_weights())));
        let width = product.tile_width;
        split_numbered(pool, size.div_ceil(width), 1, |_, panels| {
            for unit in panels.map(|panel| panel * width) {
                let (count, to) = (width.min(size - unit), packed.get().wrapping_add(unit * gates * size));
                // SAFETY: the units lie within the weights, and what is packed of them within the memory for it:
                // the panel's width is a multiple of a vector's and divides a block's.
                let pack = |from: usize, across: usize, along: usize, depth: usize, to: *mut T| unsafe {
                    let (across, along) = (across as isize, along as isize);
                    let from = w.get().cast_const().add(from);
                    (self.packing)(PackArguments { from, across, along, count, width, depth, to, stride: 0 });
                };
                if transposed {
                    for gate in 0..gates {
                        let to = to.wrapping_add(gate * size * width);
                        pack((gate * size + unit) * size, size, 1, size, to);
                    }
                } else {
                    pack(unit, 1, size, gates * size, to);
                }
            }
        });
    }

    /// Does all parts of all steps, those of a step when all of the same rows in the step before are done.
    pub(super) fn run<'a>(
        &self,
        pool: &Pool,
        scratch: &Scratch,
        order: Option<Order<'a>>,
        num_steps: usize,
        work: impl Fn(Part<'a, T>, usize) + Sync,
    ) {
        let packed = Shared(scratch.shared::<T>(self.num_weights()));
        let part = |worker: usize, block: usize, group: usize, num_rows: usize| {
            let (unit, first) = (block * LANES, group * ROWS);
            let tiles = scratch.worker::<T>(worker, self.per_worker(order.is_some()));
            Part {
                unit,
                units: LANES.min(self.size - unit),
                places: first..num_rows.min(first + ROWS),
                order,
                weights: packed.get().wrapping_add(block * self.weights_per_block()),
                tiles,
                gathered: tiles.wrapping_add(self.num_tiles()),
            }
        };
        let (num_groups, num_blocks) = (self.num_groups(), self.num_blocks());
        // Whether the thread with the most rows has hardly more than its share.
        let per_thread = num_groups.div_ceil(pool.num_threads()) * ROWS;
        if order.is_none() && per_thread * pool.num_threads() * 8 <= self.batch * 9 {
            split_along(pool, (self.length, self.reverse), num_groups, |worker, groups, passed| {
                for step in 0..num_steps {
                    for block in 0..num_blocks {
                        groups.clone().for_each(|group| work(part(worker, block, group, self.batch), step));
                    }
                    passed(self.length.min(step + 1));
                }
            });
        } else {
            for step in 0..num_steps {
                // After the last step there is something to do for all rows that had one.
                let time = if step < self.length { self.time(step) } else { 0 };
                let num_rows = order.map_or(self.batch, |order| order.num_rows(time));
                let num_groups = num_rows.div_ceil(ROWS);
                split_numbered(pool, num_blocks * num_groups, 1, |worker, items| {
                    items.for_each(|item| work(part(worker, item / num_groups, item % num_groups, num_rows), step));
                });
            }
        }
    }

    /// When the row at a place had its last step before `step`, if it had one.
    pub(super) fn last(&self, part: &Part<T>, place: usize, step: usize) -> Option<usize> {
        let time = self.time(step.checked_sub(1)?);
        let Some(order) = part.order else { return Some(time) };
        let length = order.length(place);
        if self.reverse { (time < length).then_some(time) } else { length.checked_sub(1).map(|end| end.min(time)) }
    }

    /// A part's rows of `states [T, B, width]`, or the first `count` elements of each, as their last step before `step`
    /// left them; of those that had none the rows of `initial [B, width]`, or zeros if it is null. With their stride.
    ///
    /// # Safety
    /// The pointers are to so many elements; without an order there is such a step, or `initial`.
    pub(super) unsafe fn rows_before(
        &self,
        part: &Part<T>,
        step: usize,
        (states, width): (*const T, usize),
        count: usize,
        initial: *const T,
    ) -> (*const T, usize) {
        let from = |place: usize| {
            let row = part.row(place);
            match self.last(part, place, step) {
                Some(time) => states.wrapping_add((time * self.batch + row) * width),
                None if initial.is_null() => initial,
                None => initial.wrapping_add(row * width),
            }
        };
        if part.order.is_none() {
            return (from(part.places.start), width);
        }
        for (index, place) in part.places.clone().enumerate() {
            let from = from(place);
            // SAFETY: as the caller vouches; there is memory for as many elements of each row.
            unsafe {
                let to = part.gathered.add(index * count);
                match from.is_null() {
                    true => std::slice::from_raw_parts_mut(to, count).fill(T::ZERO),
                    false => std::ptr::copy_nonoverlapping(from, to, count),
                }
            }
        }
        (part.gathered, count)
    }

    /// For each gate the product of the part's rows of `h`, which are `stride` apart, with its weights, packed
    /// transposed.
    ///
    /// # Safety
    /// `h` points to the rows.
    pub(super) unsafe fn gate_products(&self, part: &Part<T>, h: (*const T, usize)) {
        for gate in 0..self.gates {
            // SAFETY: each gate has a tile.
            unsafe { self.product(part, h, gate..gate + 1, part.tiles.add(gate * Part::<T>::TILE), false) }
        }
    }

    /// The product of the part's rows of `a`, which are `stride` apart, with its weights of some gates, packed plain,
    /// in the first tile; added to it if `add`.
    ///
    /// # Safety
    /// `a` points to the rows, of `gates H` elements each.
    pub(super) unsafe fn state_product(&self, part: &Part<T>, a: (*const T, usize), gates: Range<usize>, add: bool) {
        // SAFETY: as the caller vouches.
        unsafe { self.product(part, a, gates, part.tiles, add) }
    }

    /// # Safety
    /// The pointers are to the part's rows, `stride` apart, of `gates H` elements each, and a tile.
    unsafe fn product(
        &self,
        part: &Part<T>,
        (a, stride): (*const T, usize),
        gates: Range<usize>,
        tile: *mut T,
        add: bool,
    ) {
        let width = self.product.tile_width;
        for unit in (0..part.units).step_by(width) {
            // Of the last panel as many vectors as have units.
            let columns = width.min((part.units - unit).next_multiple_of(self.product.width));
            // SAFETY: as the caller vouches; the packed weights lie within the block's.
            unsafe {
                self.product.run(Operands {
                    rows: part.places.len(),
                    columns,
                    depth: gates.len() * self.size,
                    a,
                    a_row_stride: stride,
                    a_column_stride: 1,
                    b: part.weights.add((unit * self.gates + gates.start * width) * self.size),
                    b_row_stride: width,
                    c: tile.add(unit),
                    c_row_stride: LANES,
                    add,
                });
            }
        }
    }

    /// Makes the first tile of a part zero.
    ///
    /// # Safety
    /// The part is of this scan.
    pub(super) unsafe fn clear(&self, part: &Part<T>) {
        // SAFETY: the first tile of the part's.
        unsafe { std::slice::from_raw_parts_mut(part.tiles, Part::<T>::TILE).fill(T::ZERO) }
    }

    /// Adds the first tile of a part to `[B, H]`.
    ///
    /// # Safety
    /// `to` points to as many elements; the part's are written by one thread.
    pub(super) unsafe fn add_tile(&self, part: &Part<T>, to: *mut T) {
        for (place, product) in Self::places(part) {
            // SAFETY: as the caller vouches.
            unsafe {
                let (to, product) = (to.add(part.row(place) * self.size + part.unit), load(product, 0, LANES, T::ZERO));
                store(to, 0, part.units, zip(product, load(to, 0, part.units, T::ZERO), |a, b| a + b));
            }
        }
    }

    /// For each row of a part its place and that of its products in the first tile; those of the next gate are
    /// [`Part::TILE`] elements on.
    #[inline(always)]
    pub(super) fn places(part: &Part<T>) -> impl Iterator<Item = (usize, *mut T)> + use<T> {
        let tiles = part.tiles;
        part.places.clone().enumerate().map(move |(index, place)| (place, tiles.wrapping_add(index * LANES)))
    }
}
