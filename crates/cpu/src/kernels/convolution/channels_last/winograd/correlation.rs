//! The convolution, and its gradient for the input.

use std::ops::Range;

use super::matrices::{Layout, Product};
use super::minimal::{Input, OUTPUTS, Output, POINTS};
use super::order::{CHUNK, Order, part, transform_tasks};
use super::tiles::Tiles;
use super::transform::{Ahead, Factors, Neighbours, Numbers, PLACES, Square, Squares};
use super::weights::{Packing, Weights};
use crate::kernel::{Kernel, Prepared, Run};
use crate::kernels::convolution::geometry::{Axis, Geometry};
use crate::kernels::gemm::Epilogue;
use crate::kernels::gemm::microkernel::BatchReduceKernel;
use crate::kernels::gemm::number::Number;
use crate::kernels::split::Shared;
use crate::pool::{Pool, Scratch, ScratchSize};

/// The most tiles whose transforms stay in a core's cache beside some weights.
const BLOCK: usize = 24;
/// Fewer blocks than these are halved, so that cores end at about the same time.
const FEW_BLOCKS: usize = 16;
/// So many transformed weights are kept in the caches that the cores share.
const MAX_KEPT_WEIGHTS: usize = 256 * 256;
/// Over how many channels is summed while their transformed weights stay in a core's cache.
const DEPTH: usize = 64;

/// Sums over channels of what kernels meet: transformed tiles times transformed weights.
pub(super) struct Correlation {
    tiles: Tiles,
    weights: Weights,
    /// Over how many channels, or pairs of them, is summed.
    depth: usize,
    packing: Packing,
    input: unsafe fn(*const Square),
    output: unsafe fn(*const Square),
    kernel: BatchReduceKernel<f32>,
    order: Order,
    /// In how many blocks or chunks the tiles are.
    parts: usize,
    /// Of the transformed weights of a panel, `[depth, width]`.
    u: Layout,
    /// Of the transformed inputs, `[tiles, depth]`.
    v: Layout,
    /// Of their products with a panel, `[tiles, width]`.
    m: Layout,
}

/// Operands, result, and the parts of the shared memory.
#[derive(Clone, Copy)]
struct Memory {
    x: *const f32,
    w: *const f32,
    y: *mut f32,
    /// What lies outside of the images.
    zeros: *mut f32,
    /// What is transformed before the tasks: the weights or the inputs of a chunk.
    before: *mut f32,
}

// SAFETY: tasks write to disjoint parts.
unsafe impl Sync for Memory {}

impl Memory {
    fn get(&self) -> Self {
        *self
    }
}

impl Correlation {
    pub(super) fn new(factors: Factors, geometry: &Geometry, weights: Weights) -> Self {
        let (kernel, depth) = (factors.kernel(), weights.depth.div_ceil(factors.together()));
        let tiles = Tiles::new(geometry);
        let are_kept = weights.columns * depth <= MAX_KEPT_WEIGHTS;
        let order = match Order::new(tiles.len(), weights.columns.div_ceil(kernel.width)) {
            Order::Tiles if are_kept => Order::Tiles,
            _ => Order::Weights,
        };
        let (most, kept) = match order {
            Order::Tiles if tiles.len() < FEW_BLOCKS * BLOCK => (BLOCK / 2, depth),
            Order::Tiles => (BLOCK, depth),
            Order::Weights => (CHUNK, DEPTH.min(depth)),
        };
        let parts = tiles.len().div_ceil(most);
        let rows = tiles.len().div_ceil(parts);
        Correlation {
            tiles,
            weights,
            depth,
            packing: Packing::new(factors, weights, kernel.width),
            input: factors
                .vectorised::<Squares<Numbers, Input, POINTS, POINTS>, Squares<Neighbours, Input, POINTS, POINTS>>(),
            output: f32::vectorised::<Squares<Numbers, Output, POINTS, OUTPUTS>>(factors.isa),
            kernel,
            order,
            parts,
            u: Layout::of_rows(kept, kernel.width),
            v: Layout::new(rows, depth),
            m: Layout::of_rows(rows, kernel.width),
        }
    }

    /// The kernel of the convolution.
    pub(super) fn forward(factors: Factors, geometry: &Geometry) -> Self {
        Correlation::new(factors, geometry, Weights::of_convolution(geometry))
    }

    /// The kernel of its gradient for the input: a convolution of the cotangent by the reversed kernels.
    pub(super) fn input_grad(factors: Factors, geometry: &Geometry) -> Self {
        let reversed = |axis: Axis| Axis {
            input: axis.output,
            output: axis.input,
            low: axis.kernel as i64 - 1 - axis.low,
            ..axis
        };
        let exchanged = Geometry { axes: geometry.axes.map(reversed), ..*geometry };
        Correlation::new(factors, &exchanged, Weights::of_input_grad(geometry))
    }

    fn panels(&self) -> usize {
        self.weights.columns.div_ceil(self.kernel.width)
    }

    /// As many zeros as there are channels.
    fn zeros(&self) -> usize {
        Layout::new(1, self.weights.depth).row
    }

    /// Elements of the memory that the workers share: zeros, and what is transformed before.
    fn shared(&self) -> usize {
        let before = if self.order == Order::Tiles { self.panels() * self.u.len() } else { self.v.len() };
        self.zeros() + before
    }

    /// Elements of a worker's own memory: products, a place for what lies outside, and what a task transforms.
    fn per_worker(&self) -> usize {
        let own = if self.order == Order::Tiles { self.v.len() } else { self.u.len() };
        self.m.len() + self.kernel.width + own
    }

    /// A worker's memory: for products, and for what a task transforms.
    fn own(&self, scratch: &Scratch, worker: usize) -> (*mut f32, *mut f32) {
        let m: *mut f32 = scratch.worker(worker, self.per_worker());
        (m, m.wrapping_add(self.m.len() + self.kernel.width))
    }

    /// Transforms the inputs of some tiles to rows of `v` from `row` on.
    ///
    /// # Safety
    /// `v` has its layout, the memory is as [`Correlation::shared`] says.
    unsafe fn transform_inputs(&self, tiles: Range<usize>, row: usize, v: *mut f32, memory: &Memory) {
        let channels = self.weights.depth;
        let ahead = Ahead { from: OUTPUTS * channels, to: 0 };
        for (index, tile) in tiles.enumerate() {
            let from = self.tiles.inputs(tile, memory.x, channels, memory.zeros);
            let beside = std::ptr::null();
            let square = Square { from, beside, to: self.v.places(v, row + index), channels, ahead };
            // SAFETY: as the caller vouches; the loop is compiled for this processor.
            unsafe { (self.input)(&raw const square) }
        }
    }

    /// Multiplies the first `rows` tiles by a panel's weights for some channels.
    ///
    /// # Safety
    /// The operands have their layouts.
    unsafe fn multiply(&self, rows: usize, depths: Range<usize>, v: *const f32, u: *const f32, m: *mut f32) {
        for place in 0..PLACES {
            let product = Product {
                rows,
                depth: depths.len(),
                a: v.wrapping_add(place * self.v.matrix + depths.start),
                a_row: self.v.row,
                a_depth: 1,
                b: u.wrapping_add(place * self.u.matrix),
                b_depth: self.u.row,
                c: m.wrapping_add(place * self.m.matrix),
                c_row: self.m.row,
                add: depths.start > 0,
            };
            // SAFETY: as the caller vouches.
            unsafe { product.run(&self.kernel) }
        }
    }

    /// Transforms the products of some tiles with a panel to results.
    ///
    /// # Safety
    /// `m` has its layout, and after it a panel's width more.
    unsafe fn transform_outputs(&self, tiles: Range<usize>, panel: usize, m: *mut f32, y: *mut f32) {
        let (columns, width) = (self.weights.columns, self.kernel.width);
        let first = panel * width;
        let outside = m.wrapping_add(self.m.len());
        for (row, tile) in tiles.enumerate() {
            let square = Square {
                from: self.m.places(m, row).map(<*mut f32>::cast_const),
                beside: std::ptr::null(),
                to: self.tiles.outputs(tile, y.wrapping_add(first), columns, outside),
                channels: width.min(columns - first),
                ahead: Ahead { from: 0, to: OUTPUTS * columns },
            };
            // SAFETY: as the caller vouches; the loop is compiled for this processor.
            unsafe { (self.output)(&raw const square) }
        }
    }

    /// Transforms all weights.
    ///
    /// # Safety
    /// `w` points to them, `to` to as many elements as panels have.
    unsafe fn transform_weights(&self, w: *const f32, to: *mut f32, pool: &Pool) {
        let (panels, depth, w, to) = (self.panels(), self.depth, Shared(w.cast_mut()), Shared(to));
        let pieces = depth.div_ceil(DEPTH);
        pool.run(panels * pieces, &|task, _| {
            let (panel, first) = (task / pieces, task % pieces * DEPTH);
            let depths = first..depth.min(first + DEPTH);
            let u = to.get().wrapping_add(panel * self.u.len() + first * self.u.row);
            // SAFETY: as the caller vouches; each task has its own rows.
            unsafe { self.packing.pack(w.get(), panel, depths, u, self.u) }
        });
    }

    /// Blocks of tiles are tasks. The weights are transformed.
    ///
    /// # Safety
    /// The memory is as [`Correlation::scratch`] says, and the order [`Order::Tiles`].
    unsafe fn run_by_tiles(&self, memory: Memory, scratch: Scratch, pool: &Pool, epilogue: Option<&dyn Epilogue>) {
        let (panels, depth, columns) = (self.panels(), self.depth, self.weights.columns);
        pool.run(self.parts, &|task, worker| {
            let memory = memory.get();
            let tiles = part(self.tiles.len(), task, self.parts);
            let (m, v) = self.own(&scratch, worker);
            // SAFETY: as the caller vouches; each task has its own tiles, each worker its own memory.
            unsafe {
                self.transform_inputs(tiles.clone(), 0, v, &memory);
                for panel in 0..panels {
                    let u = memory.before.wrapping_add(panel * self.u.len());
                    self.multiply(tiles.len(), 0..depth, v, u, m);
                    self.transform_outputs(tiles.clone(), panel, m, memory.y);
                }
            }
            if let Some(epilogue) = epilogue {
                for lines in self.tiles.lines(tiles) {
                    let row_stride = self.tiles.width() * columns;
                    epilogue.region(lines.start * columns, lines.rows, row_stride, lines.columns * columns, worker);
                }
            }
        });
    }

    /// Panels of columns are tasks, for one chunk of tiles after the other.
    ///
    /// # Safety
    /// The memory is as [`Correlation::scratch`] says, and the order [`Order::Weights`].
    unsafe fn run_by_weights(&self, memory: Memory, scratch: Scratch, pool: &Pool, epilogue: Option<&dyn Epilogue>) {
        let (depth, columns) = (self.depth, self.weights.columns);
        for chunk in 0..self.parts {
            let tiles = part(self.tiles.len(), chunk, self.parts);
            let tasks = transform_tasks(tiles.len(), self.weights.depth);
            pool.run(tasks, &|task, _| {
                let memory = memory.get();
                let rows = part(tiles.len(), task, tasks);
                let some = tiles.start + rows.start..tiles.start + rows.end;
                // SAFETY: as the caller vouches; each task has its own rows.
                unsafe { self.transform_inputs(some, rows.start, memory.before, &memory) }
            });
            pool.run(self.panels(), &|panel, worker| {
                let memory = memory.get();
                let (m, u) = self.own(&scratch, worker);
                // SAFETY: as the caller vouches; each task has its own columns, each worker its own memory.
                unsafe {
                    for first in (0..depth).step_by(DEPTH) {
                        let depths = first..depth.min(first + DEPTH);
                        self.packing.pack(memory.w, panel, depths.clone(), u, self.u);
                        self.multiply(tiles.len(), depths, memory.before, u, m);
                    }
                    self.transform_outputs(tiles.clone(), panel, m, memory.y);
                }
                if let Some(epilogue) = epilogue {
                    let first = panel * self.kernel.width;
                    let count = self.kernel.width.min(columns - first);
                    for lines in self.tiles.lines(tiles.clone()) {
                        for row in 0..lines.rows {
                            let start = (lines.start + row * self.tiles.width()) * columns + first;
                            epilogue.region(start, lines.columns, columns, count, worker);
                        }
                    }
                }
            });
        }
    }
}

impl Kernel for Correlation {
    fn scratch(&self) -> ScratchSize {
        ScratchSize { shared: self.shared() * size_of::<f32>(), per_worker: self.per_worker() * size_of::<f32>() }
    }

    fn takes_epilogue(&self) -> bool {
        true
    }

    /// Weights that tasks transform for themselves cost little beside what they do with them.
    fn prepared(&self) -> Option<Prepared> {
        let bytes = self.panels() * self.u.len() * size_of::<f32>();
        let form = || format!("transformed {:?} as {}", self.u, self.packing.form());
        (self.order == Order::Tiles).then(|| Prepared { operand: 1, bytes, form: form() })
    }

    unsafe fn prepare(&self, operand: *const u8, to: *mut u8, pool: &Pool) {
        // SAFETY: by this function's own contract.
        unsafe { self.transform_weights(operand.cast(), to.cast(), pool) }
    }

    unsafe fn run(&self, run: &Run) {
        let zeros: *mut f32 = run.scratch.shared(self.shared());
        let (x, w, y) = (run.inputs[0].cast(), run.inputs[1].cast(), run.outputs[0].cast());
        let prepared = run.inputs.get(2).map(|prepared| prepared.cast::<f32>().cast_mut());
        let before = prepared.unwrap_or(zeros.wrapping_add(self.zeros()));
        let memory = Memory { x, w, y, zeros, before };
        // SAFETY: by this function's own contract.
        unsafe {
            run.pool.run(1, &|_, _| memory.get().zeros.write_bytes(0, self.zeros()));
            match self.order {
                Order::Tiles => {
                    if prepared.is_none() {
                        self.transform_weights(w, before, run.pool);
                    }
                    self.run_by_tiles(memory, run.scratch, run.pool, run.epilogue);
                }
                Order::Weights => self.run_by_weights(memory, run.scratch, run.pool, run.epilogue),
            }
        }
    }
}
