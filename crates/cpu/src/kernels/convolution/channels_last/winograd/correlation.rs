//! The convolution, and its gradient for the input.

use std::ops::Range;

use super::matrices::{Layout, Product};
use super::minimal::{Input, OUTPUTS, Output, POINTS};
use super::tiles::Tiles;
use super::transform::{Ahead, PLACES, Square, Squares};
use super::weights::{Packing, Weights};
use crate::isa::Isa;
use crate::kernel::{Kernel, Run};
use crate::kernels::convolution::few_channels::Pointers;
use crate::kernels::convolution::geometry::Geometry;
use crate::kernels::gemm::Epilogue;
use crate::kernels::gemm::microkernel::BatchReduceKernel;
use crate::kernels::gemm::number::Number;
use crate::pool::{Pool, Scratch, ScratchSize};

/// The most tiles whose transforms stay in a core's cache beside some weights.
const BLOCK: usize = 24;
/// The most tiles for which weights are transformed anew.
const CHUNK: usize = 128;
/// So many transformed weights are kept in the caches that the cores share.
const MAX_KEPT_WEIGHTS: usize = 256 * 256;
/// How many panels of columns are tasks enough.
const ENOUGH_PANELS: usize = 4;
/// Over how many channels is summed while their transformed weights stay in a core's cache.
const DEPTH: usize = 64;
/// How many transforms of a vector are worth a task.
const TASK_VECTORS: usize = 64;

/// Sums over channels of what kernels meet: transformed tiles times transformed weights.
pub(super) struct Correlation {
    tiles: Tiles,
    weights: Weights,
    packing: Packing,
    input: unsafe fn(*const Square),
    output: unsafe fn(*const Square),
    kernel: BatchReduceKernel<f32>,
    order: Order,
    /// Of the transformed weights of a panel, `[depth, width]`.
    u: Layout,
    /// Of the transformed inputs, `[tiles, depth]`.
    v: Layout,
    /// Of their products with a panel, `[tiles, width]`.
    m: Layout,
}

/// What stays in a core's cache, and what the cores share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    /// A task is a block of tiles. The weights are transformed before.
    Tiles,
    /// A task is a panel of columns, whose weights it transforms. The inputs of a chunk of tiles are transformed before.
    Weights,
}

impl Correlation {
    pub(super) fn new(isa: Isa, geometry: &Geometry, weights: Weights) -> Self {
        let kernel = f32::batch_reduce(isa);
        let tiles = Tiles::new(geometry);
        let panels = weights.columns.div_ceil(kernel.width);
        let are_few = tiles.len() <= CHUNK && panels >= ENOUGH_PANELS;
        let order =
            if are_few || weights.columns * weights.depth > MAX_KEPT_WEIGHTS { Order::Weights } else { Order::Tiles };
        let (most, depth) = match order {
            Order::Tiles => (BLOCK, weights.depth),
            Order::Weights => (CHUNK, DEPTH.min(weights.depth)),
        };
        let count = tiles.len().div_ceil(tiles.len().div_ceil(most));
        Correlation {
            tiles,
            weights,
            packing: Packing::new(isa, weights, kernel.width),
            input: f32::vectorised::<Squares<Input, POINTS, POINTS>>(isa),
            output: f32::vectorised::<Squares<Output, POINTS, OUTPUTS>>(isa),
            kernel,
            order,
            u: Layout::of_rows(depth, kernel.width),
            v: Layout::new(count, weights.depth),
            m: Layout::of_rows(count, kernel.width),
        }
    }

    fn panels(&self) -> usize {
        self.weights.columns.div_ceil(self.kernel.width)
    }

    /// Tiles that are computed together.
    fn parts(&self) -> usize {
        self.tiles.len().div_ceil(if self.order == Order::Tiles { BLOCK } else { CHUNK })
    }

    fn part(&self, index: usize) -> Range<usize> {
        let (len, parts) = (self.tiles.len(), self.parts());
        len * index / parts..len * (index + 1) / parts
    }

    /// Elements of the memory that the workers share: zeros, and what is transformed before.
    fn shared(&self) -> usize {
        let before = if self.order == Order::Tiles { self.panels() * self.u.len() } else { self.v.len() };
        self.v.row + before
    }

    /// Elements of a worker's own memory: products, a place for what lies outside, and what a task transforms.
    fn per_worker(&self) -> usize {
        let own = if self.order == Order::Tiles { self.v.len() } else { self.u.len() };
        self.m.len() + self.kernel.width + own
    }

    /// Transforms the inputs of some of the tiles of a part.
    ///
    /// # Safety
    /// `v` has the layout [`Correlation::v`], `zeros` as many zeros as there are channels.
    unsafe fn transform_inputs(
        &self,
        part: &Range<usize>,
        some: Range<usize>,
        x: *const f32,
        v: *mut f32,
        zeros: *const f32,
    ) {
        let channels = self.weights.depth;
        let ahead = Ahead { from: OUTPUTS * channels, to: 0 };
        for tile in some {
            let from = self.tiles.inputs(tile, x, channels, zeros);
            let square = Square { from, to: self.v.places(v, tile - part.start), channels, ahead };
            // SAFETY: as the caller vouches; the loop is compiled for this processor.
            unsafe { (self.input)(&raw const square) }
        }
    }

    /// Multiplies a part's tiles by the weights of some channels of a panel.
    ///
    /// # Safety
    /// The operands have the layouts [`Correlation::u`], [`Correlation::v`] and [`Correlation::m`].
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

    /// Transforms a panel's products to results.
    ///
    /// # Safety
    /// `m` has the layout [`Correlation::m`], and after it a panel's width more.
    unsafe fn transform_outputs(&self, part: &Range<usize>, panel: usize, m: *mut f32, y: *mut f32) {
        let (columns, width) = (self.weights.columns, self.kernel.width);
        let first = panel * width;
        let outside = m.wrapping_add(self.m.len());
        for tile in part.clone() {
            let square = Square {
                from: self.m.places(m, tile - part.start).map(<*mut f32>::cast_const),
                to: self.tiles.outputs(tile, y.wrapping_add(first), columns, outside),
                channels: width.min(columns - first),
                ahead: Ahead { from: 0, to: OUTPUTS * columns },
            };
            // SAFETY: as the caller vouches; the loop is compiled for this processor.
            unsafe { (self.output)(&raw const square) }
        }
    }

    /// # Safety
    /// The pointers are to the operands, the memory as [`Correlation::scratch`] says, and the order [`Order::Tiles`].
    unsafe fn run_by_tiles(
        &self,
        pointers: &Pointers<f32>,
        scratch: &Scratch,
        pool: &Pool,
        epilogue: Option<&dyn Epilogue>,
    ) {
        let (panels, Weights { depth, columns, .. }) = (self.panels(), self.weights);
        let zeros: *mut f32 = scratch.shared(self.shared());
        let memory = Pointers { x: zeros, w: zeros, y: zeros.wrapping_add(self.v.row) };
        let parts = depth.div_ceil(DEPTH);
        pool.run(panels * parts, &|task, _| {
            let (panel, first) = (task / parts, task % parts * DEPTH);
            let depths = first..depth.min(first + DEPTH);
            let to = memory.get().y.wrapping_add(panel * self.u.len() + first * self.u.row);
            // SAFETY: as the caller vouches; each task has its own rows.
            unsafe { self.packing.pack(pointers.get().w, panel, depths, to, self.u) }
        });
        pool.run(self.parts(), &|task, worker| {
            let (Pointers { x, y, .. }, Pointers { x: zeros, y: u, .. }) = (pointers.get(), memory.get());
            let part = self.part(task);
            let m: *mut f32 = scratch.worker(worker, self.per_worker());
            let v = m.wrapping_add(self.m.len() + self.kernel.width);
            // SAFETY: as the caller vouches; each task has its own tiles, each worker its own memory.
            unsafe {
                self.transform_inputs(&part, part.clone(), x, v, zeros);
                for panel in 0..panels {
                    self.multiply(part.len(), 0..depth, v, u.wrapping_add(panel * self.u.len()), m);
                    self.transform_outputs(&part, panel, m, y);
                }
            }
            if let Some(epilogue) = epilogue {
                for lines in self.tiles.lines(part) {
                    let row_stride = self.tiles.width() * columns;
                    epilogue.region(lines.start * columns, lines.rows, row_stride, lines.columns * columns, worker);
                }
            }
        });
    }

    /// # Safety
    /// The pointers are to the operands, the memory as [`Correlation::scratch`] says, and the order [`Order::Weights`].
    unsafe fn run_by_weights(
        &self,
        pointers: &Pointers<f32>,
        scratch: &Scratch,
        pool: &Pool,
        epilogue: Option<&dyn Epilogue>,
    ) {
        let Weights { depth, columns, .. } = self.weights;
        let zeros: *mut f32 = scratch.shared(self.shared());
        let memory = Pointers { x: zeros, w: zeros, y: zeros.wrapping_add(self.v.row) };
        for part in (0..self.parts()).map(|index| self.part(index)) {
            let tasks = (part.len() * depth.div_ceil(LANES)).div_ceil(TASK_VECTORS).min(part.len());
            pool.run(tasks, &|task, _| {
                let (first, len) = (part.start, part.len());
                let some = first + len * task / tasks..first + len * (task + 1) / tasks;
                // SAFETY: as the caller vouches; each task has its own tiles.
                unsafe { self.transform_inputs(&part, some, pointers.get().x, memory.get().y, memory.get().x) }
            });
            pool.run(self.panels(), &|panel, worker| {
                let (Pointers { w, y, .. }, Pointers { y: v, .. }) = (pointers.get(), memory.get());
                let m: *mut f32 = scratch.worker(worker, self.per_worker());
                let u = m.wrapping_add(self.m.len() + self.kernel.width);
                // SAFETY: as the caller vouches; each task has its own columns, each worker its own memory.
                unsafe {
                    for first in (0..depth).step_by(DEPTH) {
                        let depths = first..depth.min(first + DEPTH);
                        self.packing.pack(w, panel, depths.clone(), u, self.u);
                        self.multiply(part.len(), depths, v, u, m);
                    }
                    self.transform_outputs(&part, panel, m, y);
                }
                if let Some(epilogue) = epilogue {
                    let first = panel * self.kernel.width;
                    let count = self.kernel.width.min(columns - first);
                    for lines in self.tiles.lines(part.clone()) {
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

/// About the number of lanes of a vector; what a task is depends on sizes alone.
const LANES: usize = 16;

impl Kernel for Correlation {
    fn scratch(&self) -> ScratchSize {
        ScratchSize { shared: self.shared() * size_of::<f32>(), per_worker: self.per_worker() * size_of::<f32>() }
    }

    fn takes_epilogue(&self) -> bool {
        true
    }

    unsafe fn run(&self, run: &Run) {
        let (x, w, y) = (run.inputs[0].cast::<f32>(), run.inputs[1].cast::<f32>(), run.outputs[0].cast::<f32>());
        let pointers = Pointers { x, w, y };
        let zeros: *mut f32 = run.scratch.shared(self.shared());
        // SAFETY: by this function's own contract.
        unsafe {
            zeros.write_bytes(0, self.v.row);
            match self.order {
                Order::Tiles => self.run_by_tiles(&pointers, &run.scratch, run.pool, run.epilogue),
                Order::Weights => self.run_by_weights(&pointers, &run.scratch, run.pool, run.epilogue),
            }
        }
    }
}
