//! The gradient of the sum under a moving window.

use gyrus_graph::ops::window::ReduceWindowSumGrad;

use super::super::elements::{Arithmetic, with_element};
use super::element::Pooled;
use super::places::Places;
use super::tiles::{Planes, SumGrad, TilesFunction};
use crate::isa::Isa;
use crate::kernel::{Kernel, Run, Signature};
use crate::kernels::split::Pointers;
use crate::math::version;
use crate::pool::ScratchSize;

struct SumGradKernel<T> {
    places: Places,
    /// For windows of two by two.
    tiles: Option<TilesFunction<T>>,
}

/// The kernel of the gradient.
pub fn kernel(op: &ReduceWindowSumGrad, signature: &Signature) -> Box<dyn Kernel> {
    let (dy, dx) = (&signature.inputs[0], &signature.outputs[0].shape);
    let places = Places::new(&op.window, dx, &dy.shape);
    with_element!(dy.dtype, T => Box::new(SumGradKernel::<T>::new(places)))
}

impl<T: Pooled> SumGradKernel<T> {
    fn new(places: Places) -> Self {
        let tiles = places.is_two_by_two().then(|| version::<SumGrad<T>>(Isa::get()));
        SumGradKernel { places, tiles }
    }
}

impl<T: Pooled> Kernel for SumGradKernel<T> {
    fn scratch(&self) -> ScratchSize {
        if self.tiles.is_some() {
            return ScratchSize::default();
        }
        ScratchSize { shared: 0, per_worker: self.places.input_len() * size_of::<T::Wide>() }
    }

    unsafe fn run(&self, run: &Run) {
        let (pointers, scratch) = (Pointers::of(run), run.scratch);
        let (places, [_, _, width]) = (&self.places, self.places.axes);
        let (input_len, output_len) = (places.input_len(), places.output_len());
        let work = places.planes * (input_len + output_len * places.taps());
        let tasks = work.div_ceil(16 << 10).min(places.planes);
        run.pool.run(tasks, &|task, worker| {
            let planes = places.planes * task / tasks..places.planes * (task + 1) / tasks;
            if let Some(tiles) = self.tiles {
                let [_, height, width] = places.axes.map(|axis| axis.input);
                let y = pointers.input::<T>(0).wrapping_add(planes.start * output_len).cast_mut();
                let dx = pointers.output::<T>(0).wrapping_add(planes.start * input_len);
                // SAFETY: by this function's own contract; the loop is compiled for this processor.
                return unsafe { tiles(Planes { count: planes.len(), height, width, x: dx, y, dx }) };
            }
            for plane in planes {
                // SAFETY: by this function's own contract; each plane is one task's.
                let (dy, dx, sums) = unsafe {
                    (
                        std::slice::from_raw_parts(pointers.input::<T>(0).add(plane * output_len), output_len),
                        std::slice::from_raw_parts_mut(pointers.output::<T>(0).add(plane * input_len), input_len),
                        std::slice::from_raw_parts_mut(scratch.worker::<T::Wide>(worker, input_len), input_len),
                    )
                };
                sums.fill(T::Wide::default());
                for (row, dy) in dy.chunks_exact(width.output).enumerate() {
                    places.row(row, |met| {
                        let dy = &dy[met.first..met.end];
                        let sums = &mut sums[met.element..];
                        if width.stride == 1 {
                            for (sum, dy) in sums.iter_mut().zip(dy) {
                                *sum = sum.add(dy.widen());
                            }
                        } else {
                            for (sum, dy) in sums.iter_mut().step_by(width.stride).zip(dy) {
                                *sum = sum.add(dy.widen());
                            }
                        }
                    });
                }
                for (dx, &sum) in dx.iter_mut().zip(sums.iter()) {
                    *dx = T::narrow(sum);
                }
            }
        });
    }
}
