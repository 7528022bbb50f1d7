//! The convolution, and its gradient for the input.

use super::minimal::{Input, OUTPUTS, Output, POINTS};
use super::tiles::Tiles;
use super::transform::{PLACES, Square, Squares};
use super::weights::{Packing, Weights};
use crate::isa::Isa;
use crate::kernel::{Kernel, Run};
use crate::kernels::convolution::geometry::Geometry;
use crate::kernels::gemm::microkernel::{BatchReduce, BatchReduceKernel, Piece};
use crate::kernels::gemm::number::Number;
use crate::pool::ScratchSize;

/// Sums over the channels of what kernels meet.
pub(super) struct Correlation {
    tiles: Tiles,
    weights: Weights,
    packing: Packing,
    input: unsafe fn(*const Square),
    output: unsafe fn(*const Square),
    kernel: BatchReduceKernel<f32>,
    /// How many tiles are computed together.
    block: usize,
}

/// The length of `rows` rows, such that places of neighbouring matrices lie in different sets of a cache.
pub(super) fn matrix_len(rows: usize, row: usize) -> usize {
    (rows * row).next_multiple_of(32) + 16
}

impl Correlation {
    pub(super) fn new(isa: Isa, geometry: &Geometry, weights: Weights) -> Self {
        let kernel = f32::batch_reduce(isa);
        let tiles = Tiles::new(geometry);
        let block: usize = std::env::var("BLOCK").ok().and_then(|b| b.parse().ok()).unwrap_or(24);
        Correlation {
            tiles,
            weights,
            packing: Packing::new(isa, weights, kernel.width),
            input: f32::vectorised::<Squares<Input, POINTS, POINTS>>(isa),
            output: f32::vectorised::<Squares<Output, POINTS, OUTPUTS>>(isa),
            kernel,
            block: block.min(tiles.len()),
        }
    }

    fn panels(&self) -> usize {
        self.weights.columns.div_ceil(self.kernel.width)
    }
    /// Elements of a row of transformed inputs.
    fn row(&self) -> usize {
        matrix_len(1, self.weights.depth)
    }
    fn u_matrix(&self) -> usize {
        matrix_len(self.weights.depth, self.kernel.width)
    }
    fn v_matrix(&self) -> usize {
        matrix_len(self.block, self.row())
    }
    fn m_matrix(&self) -> usize {
        matrix_len(self.block, self.kernel.width)
    }
    fn shared(&self) -> usize {
        self.panels() * PLACES * self.u_matrix() + self.row()
    }
    fn per_worker(&self) -> usize {
        PLACES * (self.v_matrix() + self.m_matrix()) + self.kernel.width
    }
}

struct Shared(*mut f32, *const f32, *const f32, *mut f32);
unsafe impl Sync for Shared {}
impl Shared {
    fn get(&self) -> (*mut f32, *const f32, *const f32, *mut f32) {
        (self.0, self.1, self.2, self.3)
    }
}

impl Kernel for Correlation {
    fn scratch(&self) -> ScratchSize {
        ScratchSize { shared: self.shared() * size_of::<f32>(), per_worker: self.per_worker() * size_of::<f32>() }
    }

    fn takes_epilogue(&self) -> bool {
        true
    }

    unsafe fn run(&self, run: &Run) {
        let u: *mut f32 = run.scratch.shared(self.shared());
        let shared = Shared(u, run.inputs[0].cast::<f32>(), run.inputs[1].cast::<f32>(), run.outputs[0].cast::<f32>());
        let (panels, depth, width, columns) = (self.panels(), self.weights.depth, self.kernel.width, self.weights.columns);
        let zeros_at = panels * PLACES * self.u_matrix();
        unsafe { u.add(zeros_at).write_bytes(0, self.row()) };
        const PART: usize = 64;
        let parts = depth.div_ceil(PART);
        run.pool.run(panels * parts, &|task, _| {
            let (u, _, w, _) = shared.get();
            let (panel, part) = (task / parts, task % parts);
            let depths = part * PART..depth.min((part + 1) * PART);
            let to = u.wrapping_add(panel * PLACES * self.u_matrix() + depths.start * width);
            unsafe { self.packing.pack(w, panel, depths, to, self.u_matrix()) }
        });
        let blocks = self.tiles.len().div_ceil(self.block);
        let (scratch, epilogue) = (run.scratch, run.epilogue);
        run.pool.run(blocks, &|task, worker| {
            let (u, x, _, y) = shared.get();
            let zeros = u.wrapping_add(zeros_at);
            let range = self.tiles.len() * task / blocks..self.tiles.len() * (task + 1) / blocks;
            let v: *mut f32 = scratch.worker(worker, self.per_worker());
            let m = v.wrapping_add(PLACES * self.v_matrix());
            let outside = m.wrapping_add(PLACES * self.m_matrix());
            let mut square = Square { from: [u; PLACES], to: [v; PLACES], channels: depth };
            for (index, tile) in range.clone().enumerate() {
                square.from = self.tiles.inputs(tile, x, depth, zeros);
                for (place, to) in square.to.iter_mut().enumerate() {
                    *to = v.wrapping_add(place * self.v_matrix() + index * self.row());
                }
                unsafe { (self.input)(&square) }
            }
            let height = self.kernel.height(range.len());
            let piece = Piece { a: 0, b: 0 };
            for panel in 0..panels {
                for place in 0..PLACES {
                    for row in (0..range.len()).step_by(height) {
                        let tile = BatchReduce {
                            pieces: &piece,
                            num_pieces: 1,
                            depth,
                            a: v.wrapping_add(place * self.v_matrix() + row * self.row()),
                            a_row: self.row(),
                            a_depth: 1,
                            b: u.wrapping_add((panel * PLACES + place) * self.u_matrix()),
                            b_depth: width,
                            c: m.wrapping_add(place * self.m_matrix() + row * width),
                            c_row: width,
                            cols: width,
                            add: false,
                        };
                        unsafe { self.kernel.run(height.min(range.len() - row), tile) }
                    }
                }
                let first = panel * width;
                square.channels = width.min(columns - first);
                for (index, tile) in range.clone().enumerate() {
                    for (place, from) in square.from.iter_mut().enumerate() {
                        *from = m.wrapping_add(place * self.m_matrix() + index * width);
                    }
                    square.to = self.tiles.outputs(tile, y.wrapping_add(first), columns, outside);
                    unsafe { (self.output)(&square) }
                }
            }
            if let Some(epilogue) = epilogue {
                for lines in self.tiles.lines(range.start, range.len()) {
                    let (start, row_stride) = (lines.start * columns, self.tiles.width() * columns);
                    epilogue.region(start, lines.rows, row_stride, lines.columns * columns, worker);
                }
            }
        });
    }
}
