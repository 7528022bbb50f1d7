//! The gradient of the sum under a moving window.

use std::marker::PhantomData;

use gyrus_graph::ops::window::ReduceWindowSumGrad;

use super::super::elements::{Arithmetic, with_element};
use super::element::Pooled;
use super::phases::{LANES, Phases, block, block_mut};
use super::places::Places;
use super::tiles::{self, Planes, TilesFunction};
use crate::isa::Isa;
use crate::kernel::{Kernel, Run, Signature};
use crate::kernels::split::Pointers;
use crate::math::{MulAdd, Multiversion};
use crate::pool::ScratchSize;

struct SumGradKernel<T> {
    places: Places,
    phases: Phases,
    function: unsafe fn(Plane<T>),
    /// For windows of two by two.
    tiles: Option<TilesFunction<T>>,
}

/// One plane.
struct Plane<T> {
    places: *const Places,
    phases: *const Phases,
    dy: *const T,
    dx: *mut T,
    memory: *mut u8,
}

/// The kernel of the gradient.
pub fn kernel(op: &ReduceWindowSumGrad, signature: &Signature) -> Box<dyn Kernel> {
    let (dy, dx) = (&signature.inputs[0], &signature.outputs[0].shape);
    let places = Places::new(&op.window, dx, &dy.shape);
    with_element!(dy.dtype, T => Box::new(SumGradKernel::<T>::new(places)))
}

impl<T: Pooled> SumGradKernel<T> {
    fn new(places: Places) -> Self {
        let (isa, phases) = (Isa::get(), Phases::new(&places.axes[2]));
        let tiles = places.is_two_by_two().then(|| T::version::<tiles::SumGrad<T>>(isa));
        SumGradKernel { places, phases, function: T::version::<SumGrad<T>>(isa), tiles }
    }
}

/// Elements that the loop needs: sums for each row of the operand, the phases of a row, a padded row.
fn memory_len(places: &Places, phases: &Phases) -> usize {
    places.input_rows() * phases.shifted_len() + 2 * phases.row_len()
}

impl<T: Pooled> Kernel for SumGradKernel<T> {
    fn scratch(&self) -> ScratchSize {
        if self.tiles.is_some() {
            return ScratchSize::default();
        }
        let per_worker = memory_len(&self.places, &self.phases) * size_of::<T::Wide>();
        ScratchSize { shared: 0, per_worker }
    }

    unsafe fn run(&self, run: &Run) {
        let (pointers, scratch) = (Pointers::of(run), run.scratch);
        let (places, phases) = (&self.places, &self.phases);
        let (input_len, output_len) = (places.input_len(), places.output_len());
        let work = places.planes * (input_len + output_len * places.taps());
        let tasks = work.div_ceil(16 << 10).min(places.planes);
        run.pool.run(tasks, &|task, worker| {
            let planes = places.planes * task / tasks..places.planes * (task + 1) / tasks;
            let dy = pointers.input::<T>(0).wrapping_add(planes.start * output_len);
            let dx = pointers.output::<T>(0).wrapping_add(planes.start * input_len);
            if let Some(tiles) = self.tiles {
                let [_, height, width] = places.axes.map(|axis| axis.input);
                // SAFETY: by this function's own contract; the loop is compiled for this processor.
                return unsafe { tiles(Planes { count: planes.len(), height, width, x: dx, y: dy.cast_mut(), dx }) };
            }
            for plane in 0..planes.len() {
                let plane = Plane {
                    places,
                    phases,
                    dy: dy.wrapping_add(plane * output_len),
                    dx: dx.wrapping_add(plane * input_len),
                    memory: scratch.worker(worker, self.scratch().per_worker),
                };
                // SAFETY: by this function's own contract; each plane is one task's.
                unsafe { (self.function)(plane) }
            }
        });
    }
}

/// Sums for each row of the operand over the window's rows, then over its columns.
struct SumGrad<T>(PhantomData<T>);

impl<T: Pooled> Multiversion for SumGrad<T> {
    type Arguments = Plane<T>;

    #[inline(always)]
    unsafe fn run<M: MulAdd>(plane: Plane<T>) {
        // SAFETY: as the caller vouches: the places outlive the call, the arrays have the sizes of their planes.
        let (places, phases, dy, dx, memory) = unsafe {
            let (places, phases) = (&*plane.places, &*plane.phases);
            (
                places,
                phases,
                std::slice::from_raw_parts(plane.dy, places.output_len()),
                std::slice::from_raw_parts_mut(plane.dx, places.input_len()),
                std::slice::from_raw_parts_mut(plane.memory.cast::<T::Wide>(), memory_len(places, phases)),
            )
        };
        let (width, row_len, zero) = (places.axes[2].output, phases.shifted_len(), T::Wide::default());
        let (all, memory) = memory.split_at_mut(places.input_rows() * row_len);
        let (apart, padded) = memory.split_at_mut(phases.row_len());
        all.fill(zero);
        for row in 0..places.output_rows() {
            let dy = &dy[row * width..][..width];
            places.lines(row, |_, line| {
                for (sum, dy) in all[line * row_len + phases.max_shift..].iter_mut().zip(dy) {
                    *sum = sum.add(dy.widen());
                }
            });
        }
        for line in 0..places.input_rows() {
            let given = &all[line * row_len..][..row_len];
            apart.fill(zero);
            for tap in &phases.taps {
                let apart = &mut apart[tap.phase * phases.len..][..phases.len];
                for at in (0..phases.len).step_by(LANES) {
                    let (given, sums) = (block(given, at + phases.max_shift - tap.shift), block_mut(apart, at));
                    for lane in 0..LANES {
                        sums[lane] = sums[lane].add(given[lane]);
                    }
                }
            }
            phases.write(apart, padded, dx, line);
        }
    }
}
