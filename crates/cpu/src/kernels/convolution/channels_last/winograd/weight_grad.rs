//! The gradient of a convolution with respect to its weights.
//!
//! With the transposed transforms it is a sum over tiles: for each point, transformed inputs times transformed
//! cotangents. Tiles are transformed and summed over in chunks, one after the other, so that each element is summed
//! in one order.

use std::ops::Range;

use super::matrices::{Layout, Product};
use super::minimal::{Input, OUTPUTS, OutputGrad, POINTS};
use super::order::{CHUNK, Order, part, transform_tasks};
use super::tiles::Tiles;
use super::transform::{Abreast, Ahead, Factors, Numbers, PLACES, Square, Squares};
use super::weights::{KERNEL_TAPS, Unpacking, Weights};
use crate::kernel::{Kernel, Run};
use crate::kernels::convolution::geometry::Geometry;
use crate::kernels::gemm::microkernel::BatchReduceKernel;
use crate::pool::ScratchSize;

/// How many elements of transformed inputs and cotangents stay in the caches that the cores share.
const MAX_TRANSFORMED: usize = 2 << 20;
/// The most tiles that are summed over at a time, so that a panel of them stays in the first-level cache.
const DEPTH: usize = 96;
/// For how many input channels a core keeps the gradients for a panel's transformed weights.
const BLOCK: usize = 64;

/// Sums over tiles of transformed inputs times transformed cotangents.
pub(super) struct WeightGrad {
    tiles: Tiles,
    /// How many tiles make a row of a matrix.
    together: usize,
    /// Rows of all tiles.
    rows: usize,
    in_channels: usize,
    out_channels: usize,
    order: Order,
    /// In how many chunks the rows are.
    chunks: usize,
    input: unsafe fn(*const Square),
    cotangent: unsafe fn(*const Square),
    unpacking: Unpacking,
    kernel: BatchReduceKernel<f32>,
    /// Of the transformed inputs, `[rows, in_channels]`.
    v: Layout,
    /// Of the transformed cotangents, `[rows, out_channels]`.
    m: Layout,
    /// Of their products, `[in_channels, out_channels]`; of a block of channels and a panel in [`Order::Weights`].
    u: Layout,
}

/// Operands, result, and the parts of the shared memory.
#[derive(Clone, Copy)]
struct Memory {
    x: *const f32,
    dy: *const f32,
    dw: *mut f32,
    /// What lies outside of the images.
    zeros: *mut f32,
    v: *mut f32,
    m: *mut f32,
    u: *mut f32,
}

// SAFETY: tasks write to disjoint parts.
unsafe impl Sync for Memory {}

impl Memory {
    fn get(&self) -> Self {
        *self
    }
}

impl WeightGrad {
    pub(super) fn new(factors: Factors, geometry: &Geometry) -> Self {
        let Geometry { in_channels, out_channels, .. } = *geometry;
        let (kernel, together) = (factors.kernel(), factors.together());
        let tiles = Tiles::new(geometry);
        let rows = tiles.len().div_ceil(together);
        let order = Order::new(tiles.len(), out_channels.div_ceil(kernel.width));
        let most = match order {
            Order::Tiles => (MAX_TRANSFORMED / (PLACES * (in_channels + out_channels))).max(DEPTH),
            Order::Weights => CHUNK,
        };
        let chunks = rows.div_ceil(most);
        let most = rows.div_ceil(chunks);
        WeightGrad {
            tiles,
            together,
            rows,
            in_channels,
            out_channels,
            order,
            chunks,
            input: factors.vectorised::<Squares<Numbers, Input, POINTS, POINTS>, Squares<Abreast, Input, POINTS, POINTS>>(),
            cotangent: factors
                .vectorised::<Squares<Numbers, OutputGrad, OUTPUTS, POINTS>, Squares<Abreast, OutputGrad, OUTPUTS, POINTS>>(),
            unpacking: Unpacking::new(factors.isa, Weights::of_convolution(geometry)),
            kernel,
            v: Layout::new(most, in_channels),
            m: Layout::new(most, out_channels),
            u: match order {
                Order::Tiles => Layout::new(in_channels, out_channels),
                Order::Weights => Layout::of_rows(BLOCK, kernel.width),
            },
        }
    }

    /// As many zeros as there are channels.
    fn zeros(&self) -> usize {
        self.v.row.max(self.m.row)
    }

    fn shared(&self) -> usize {
        let products = if self.order == Order::Tiles { self.u.len() } else { 0 };
        self.zeros() + self.v.len() + self.m.len() + products
    }

    fn per_worker(&self) -> usize {
        if self.order == Order::Weights { self.u.len() } else { 0 }
    }

    /// Transforms the inputs and cotangents of a row's tiles to row `row` of the chunk.
    ///
    /// # Safety
    /// The memory is as [`WeightGrad::shared`] says.
    unsafe fn transform(&self, tile: usize, row: usize, memory: &Memory) {
        let (in_channels, out_channels) = (self.in_channels, self.out_channels);
        let inputs = |tile: usize| self.tiles.inputs(tile, memory.x, in_channels, memory.zeros);
        let cotangents = |tile: usize| {
            let places = self.tiles.outputs(tile, memory.dy.cast_mut(), out_channels, memory.zeros);
            places.map(<*mut f32>::cast_const)
        };
        // The partner of a last tile without one is zeros.
        let beside = (self.together == 2).then(|| match tile + 1 < self.tiles.len() {
            true => [inputs(tile + 1), cotangents(tile + 1)],
            false => [[memory.zeros.cast_const(); PLACES]; 2],
        });
        let beside = |operand: usize| beside.as_ref().map_or(std::ptr::null(), |both| &raw const both[operand]);
        let input = Square {
            from: inputs(tile),
            beside: beside(0),
            to: self.v.places(memory.v, row),
            channels: in_channels,
            ahead: Ahead { from: OUTPUTS * in_channels, to: 0 },
        };
        let cotangent = Square {
            from: cotangents(tile),
            beside: beside(1),
            to: self.m.places(memory.m, row),
            channels: out_channels,
            ahead: Ahead { from: OUTPUTS * out_channels, to: 0 },
        };
        // SAFETY: as the caller vouches; the loops are compiled for this processor.
        unsafe {
            (self.input)(&raw const input);
            (self.cotangent)(&raw const cotangent);
        }
    }

    /// Writes to `u` the products of the first `rows` rows for a point, some channels and the panel from `column` on,
    /// or adds them to what it holds.
    ///
    /// # Safety
    /// The memory is as [`WeightGrad::shared`] says, and `u` has the layout.
    #[allow(clippy::too_many_arguments, reason = "a part of a product along three axes")]
    unsafe fn multiply(
        &self,
        place: usize,
        rows: usize,
        channels: Range<usize>,
        column: usize,
        memory: &Memory,
        u: *mut f32,
        add: bool,
    ) {
        for first in (0..rows).step_by(DEPTH) {
            let product = Product {
                rows: channels.len(),
                depth: DEPTH.min(rows - first),
                a: memory.v.wrapping_add(place * self.v.matrix + first * self.v.row + channels.start),
                a_row: 1,
                a_depth: self.v.row,
                b: memory.m.wrapping_add(place * self.m.matrix + first * self.m.row + column),
                b_depth: self.m.row,
                c: u.wrapping_add(place * self.u.matrix),
                c_row: self.u.row,
                add: add || first > 0,
            };
            // SAFETY: as the caller vouches.
            unsafe { product.run(&self.kernel) }
        }
    }
}

impl Kernel for WeightGrad {
    fn scratch(&self) -> ScratchSize {
        ScratchSize { shared: self.shared() * size_of::<f32>(), per_worker: self.per_worker() * size_of::<f32>() }
    }

    fn takes_epilogue(&self) -> bool {
        true
    }

    unsafe fn run(&self, run: &Run) {
        let (scratch, epilogue) = (run.scratch, run.epilogue);
        let zeros: *mut f32 = scratch.shared(self.shared());
        let v = zeros.wrapping_add(self.zeros());
        let m = v.wrapping_add(self.v.len());
        let u = m.wrapping_add(self.m.len());
        let (x, dy, dw) = (run.inputs[0].cast(), run.inputs[1].cast(), run.outputs[0].cast());
        let memory = Memory { x, dy, dw, zeros, v, m, u };
        // SAFETY: the memory has at least as many elements.
        run.pool.run(1, &|_, _| unsafe { memory.get().zeros.write_bytes(0, self.zeros()) });
        let (in_channels, out_channels, width) = (self.in_channels, self.out_channels, self.kernel.width);
        let panels = out_channels.div_ceil(width);
        let columns = |panel: usize| panel * width..out_channels.min((panel + 1) * width);
        for chunk in 0..self.chunks {
            let rows = part(self.rows, chunk, self.chunks);
            let tasks = transform_tasks(rows.len(), self.together * (in_channels + out_channels));
            run.pool.run(tasks, &|task, _| {
                for row in part(rows.len(), task, tasks) {
                    // SAFETY: by this function's own contract; each task has its own rows.
                    unsafe { self.transform(self.together * (rows.start + row), row, &memory.get()) }
                }
            });
            if self.order == Order::Weights {
                continue;
            }
            run.pool.run(PLACES, &|place, _| {
                let memory = memory.get();
                for panel in 0..panels {
                    let column = panel * width;
                    let u = memory.u.wrapping_add(column);
                    // SAFETY: as above; each task has its own matrix.
                    unsafe { self.multiply(place, rows.len(), 0..in_channels, column, &memory, u, chunk > 0) }
                }
            });
        }
        let blocks = in_channels.div_ceil(BLOCK);
        run.pool.run(panels * blocks, &|task, worker| {
            let (memory, columns) = (memory.get(), columns(task / blocks));
            let first = task % blocks * BLOCK;
            let channels = first..in_channels.min(first + BLOCK);
            // SAFETY: as above; each task has its own part of the result, each worker its own memory.
            unsafe {
                let u = match self.order {
                    Order::Tiles => memory.u.wrapping_add(first * self.u.row + columns.start),
                    Order::Weights => {
                        let u: *mut f32 = scratch.worker(worker, self.per_worker());
                        for place in 0..PLACES {
                            self.multiply(place, self.rows, channels.clone(), columns.start, &memory, u, false);
                        }
                        u
                    }
                };
                self.unpacking.unpack(u, self.u, columns.clone(), channels.clone(), memory.dw);
            }
            if let Some(epilogue) = epilogue {
                let row_stride = in_channels * KERNEL_TAPS;
                let start = columns.start * row_stride + channels.start * KERNEL_TAPS;
                epilogue.region(start, columns.len(), row_stride, channels.len() * KERNEL_TAPS, worker);
            }
        });
    }
}
