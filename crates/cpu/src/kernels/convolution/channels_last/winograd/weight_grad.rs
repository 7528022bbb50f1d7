//! The gradient of a convolution with respect to its weights.
//!
//! With the transposed transforms it is a sum over tiles: for each point, transformed inputs times transformed
//! cotangents. The tiles are taken in chunks, one after the other; within one, tasks are tiles while they are
//! transformed, then points of the result. So each element is summed in one order.

use std::ops::Range;

use super::matrices::{Layout, Product};
use super::minimal::{Input, OUTPUTS, OutputGrad, POINTS};
use super::tiles::Tiles;
use super::transform::{Ahead, PLACES, Square, Squares};
use super::weights::{Unpacking, Weights};
use crate::isa::Isa;
use crate::kernel::{Kernel, Run};
use crate::kernels::convolution::few_channels::Pointers;
use crate::kernels::convolution::geometry::Geometry;
use crate::kernels::gemm::microkernel::BatchReduceKernel;
use crate::kernels::gemm::number::Number;
use crate::pool::ScratchSize;

/// How many elements of transformed inputs and cotangents stay in the caches that the cores share.
const CHUNK_LEN: usize = 2 << 20;
/// The most tiles that are summed over at a time, so that a panel of them stays in the first-level cache.
const DEPTH: usize = 96;
/// How many transforms of a vector of this many lanes are worth a task.
const TASK_VECTORS: usize = 64;
const LANES: usize = 16;

/// Sums over tiles.
pub(super) struct WeightGrad {
    tiles: Tiles,
    in_channels: usize,
    out_channels: usize,
    /// The most tiles of a chunk.
    chunk: usize,
    input: unsafe fn(*const Square),
    cotangent: unsafe fn(*const Square),
    unpacking: Unpacking,
    kernel: BatchReduceKernel<f32>,
    /// Of the transformed inputs, `[tiles, in_channels]`.
    v: Layout,
    /// Of the transformed cotangents, `[tiles, out_channels]`.
    m: Layout,
    /// Of their products, `[in_channels, out_channels]`.
    u: Layout,
}

impl WeightGrad {
    pub(super) fn new(isa: Isa, geometry: &Geometry, weights: Weights) -> Self {
        let Geometry { in_channels, out_channels, .. } = *geometry;
        let kernel = f32::batch_reduce(isa);
        let tiles = Tiles::new(geometry);
        let most = (CHUNK_LEN / (PLACES * (in_channels + out_channels))).max(DEPTH);
        let chunk = tiles.len().div_ceil(tiles.len().div_ceil(most));
        WeightGrad {
            tiles,
            in_channels,
            out_channels,
            chunk,
            input: f32::vectorised::<Squares<Input, POINTS, POINTS>>(isa),
            cotangent: f32::vectorised::<Squares<OutputGrad, OUTPUTS, POINTS>>(isa),
            unpacking: Unpacking::new(isa, weights),
            kernel,
            v: Layout::new(chunk, in_channels),
            m: Layout::new(chunk, out_channels),
            u: Layout::new(in_channels, out_channels),
        }
    }

    /// Elements of zeros, as many as there are channels.
    fn zeros(&self) -> usize {
        self.v.row.max(self.m.row)
    }

    fn shared(&self) -> usize {
        self.zeros() + self.v.len() + self.m.len() + self.u.len()
    }

    /// Transforms the inputs and cotangents of tile `tile` to row `row`.
    ///
    /// # Safety
    /// The memory has the layouts [`WeightGrad::v`] and [`WeightGrad::m`], before it zeros.
    unsafe fn transform(&self, tile: usize, row: usize, operands: &Pointers<f32>, zeros: *mut f32) {
        let (in_channels, out_channels) = (self.in_channels, self.out_channels);
        let v = zeros.wrapping_add(self.zeros());
        let m = v.wrapping_add(self.v.len());
        let input = Square {
            from: self.tiles.inputs(tile, operands.x, in_channels, zeros),
            to: self.v.places(v, row),
            channels: in_channels,
            ahead: Ahead { from: OUTPUTS * in_channels, to: 0 },
        };
        let from = self.tiles.outputs(tile, operands.w.cast_mut(), out_channels, zeros);
        let cotangent = Square {
            from: from.map(<*mut f32>::cast_const),
            to: self.m.places(m, row),
            channels: out_channels,
            ahead: Ahead { from: OUTPUTS * out_channels, to: 0 },
        };
        // SAFETY: as the caller vouches; the loops are compiled for this processor.
        unsafe {
            (self.input)(&raw const input);
            (self.cotangent)(&raw const cotangent);
        }
    }

    /// Adds the products of `depth` tiles for a point, or begins with them.
    ///
    /// # Safety
    /// As for [`WeightGrad::transform`]; after the cotangents lies memory of the layout [`WeightGrad::u`].
    unsafe fn multiply(&self, place: usize, depth: usize, is_first: bool, zeros: *mut f32) {
        let v = zeros.wrapping_add(self.zeros());
        let m = v.wrapping_add(self.v.len());
        let u = m.wrapping_add(self.m.len());
        for first in (0..depth).step_by(DEPTH) {
            for column in (0..self.out_channels).step_by(self.kernel.width) {
                let product = Product {
                    rows: self.in_channels,
                    depth: DEPTH.min(depth - first),
                    a: v.wrapping_add(place * self.v.matrix + first * self.v.row),
                    a_row: 1,
                    a_depth: self.v.row,
                    b: m.wrapping_add(place * self.m.matrix + first * self.m.row + column),
                    b_depth: self.m.row,
                    c: u.wrapping_add(place * self.u.matrix + column),
                    c_row: self.u.row,
                    add: !is_first || first > 0,
                };
                // SAFETY: as the caller vouches.
                unsafe { product.run(&self.kernel) }
            }
        }
    }

    fn chunk(&self, index: usize, chunks: usize) -> Range<usize> {
        self.tiles.len() * index / chunks..self.tiles.len() * (index + 1) / chunks
    }
}

impl Kernel for WeightGrad {
    fn scratch(&self) -> ScratchSize {
        ScratchSize { shared: self.shared() * size_of::<f32>(), per_worker: 0 }
    }

    fn takes_epilogue(&self) -> bool {
        true
    }

    unsafe fn run(&self, run: &Run) {
        let (x, dy, dw) = (run.inputs[0].cast::<f32>(), run.inputs[1].cast::<f32>(), run.outputs[0].cast::<f32>());
        let operands = Pointers { x, w: dy, y: dw };
        let zeros: *mut f32 = run.scratch.shared(self.shared());
        let memory = Pointers { x: zeros, w: zeros, y: zeros };
        // SAFETY: the memory has at least as many elements.
        unsafe { zeros.write_bytes(0, self.zeros()) }
        let chunks = self.tiles.len().div_ceil(self.chunk);
        let vectors = self.in_channels.div_ceil(LANES) + self.out_channels.div_ceil(LANES);
        for chunk in (0..chunks).map(|index| self.chunk(index, chunks)) {
            let (first, len) = (chunk.start, chunk.len());
            let tasks = (len * vectors).div_ceil(TASK_VECTORS).min(len);
            run.pool.run(tasks, &|task, _| {
                for row in len * task / tasks..len * (task + 1) / tasks {
                    // SAFETY: by this function's own contract; each task has its own rows.
                    unsafe { self.transform(first + row, row, &operands.get(), memory.get().y) }
                }
            });
            run.pool.run(PLACES, &|place, _| {
                // SAFETY: as above; each task has its own matrices.
                unsafe { self.multiply(place, len, first == 0, memory.get().y) }
            });
        }
        let (lanes, len) = (self.unpacking.lanes, self.in_channels * 9);
        let epilogue = run.epilogue;
        run.pool.run(self.out_channels.div_ceil(lanes), &|task, worker| {
            let column = task * lanes;
            let count = lanes.min(self.out_channels - column);
            let u = memory.get().y.wrapping_add(self.shared() - self.u.len());
            // SAFETY: as above; each task has its own rows of the result.
            unsafe { self.unpacking.unpack(u, self.u, column, count, operands.get().y) }
            if let Some(epilogue) = epilogue {
                epilogue.region(column * len, 1, count * len, count * len, worker);
            }
        });
    }
}
