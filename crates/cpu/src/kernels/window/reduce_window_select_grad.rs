//! The gradient of the extremum under a moving window.

use gyrus_graph::ops::reduction::Extremum;
use gyrus_graph::ops::window::ReduceWindowSelectGrad;

use super::super::elements::{Arithmetic, with_element};
use super::element::{Falling, Pooled, Rising};
use super::places::Places;
use super::selection::{NONE, select};
use super::tiles::{Planes, SelectGrad, TilesFunction};
use crate::isa::Isa;
use crate::kernel::{Kernel, Run, Signature};
use crate::kernels::split::Pointers;
use crate::math::version;
use crate::pool::ScratchSize;

struct SelectGradKernel<T> {
    extremum: Extremum,
    places: Places,
    /// For windows of two by two.
    tiles: Option<TilesFunction<T>>,
}

/// The kernel of the gradient.
pub fn kernel(op: &ReduceWindowSelectGrad, signature: &Signature) -> Box<dyn Kernel> {
    let (x, y) = (&signature.inputs[0], &signature.inputs[1].shape);
    let places = Places::new(&op.window, &x.shape, y);
    with_element!(x.dtype, T => Box::new(SelectGradKernel::<T>::new(op.extremum, places)))
}

impl<T: Pooled> SelectGradKernel<T> {
    fn new(extremum: Extremum, places: Places) -> Self {
        let isa = Isa::get();
        let general = || match extremum {
            Extremum::Max => version::<SelectGrad<T, Falling>>(isa),
            Extremum::Min => version::<SelectGrad<T, Rising>>(isa),
        };
        let special = T::extrema_of_tiles(isa, extremum).map(|[_, grad]| grad);
        let tiles = places.is_two_by_two().then(|| special.unwrap_or_else(general));
        SelectGradKernel { extremum, places, tiles }
    }
}

impl<T: Pooled> Kernel for SelectGradKernel<T> {
    fn scratch(&self) -> ScratchSize {
        if self.tiles.is_some() {
            return ScratchSize::default();
        }
        let row = self.places.axes[2].output * (size_of::<T::Wide>() + size_of::<u32>());
        ScratchSize { shared: 0, per_worker: self.places.input_len() * size_of::<T::Wide>() + row }
    }

    unsafe fn run(&self, run: &Run) {
        let (pointers, scratch) = (Pointers::of(run), run.scratch);
        let (places, width) = (&self.places, self.places.axes[2].output);
        let (input_len, output_len) = (places.input_len(), places.output_len());
        let tasks = (places.planes * input_len).div_ceil(8 << 10).min(places.planes);
        run.pool.run(tasks, &|task, worker| {
            let planes = places.planes * task / tasks..places.planes * (task + 1) / tasks;
            let x = pointers.input::<T>(0).wrapping_add(planes.start * input_len);
            let y = pointers.input::<T>(1).wrapping_add(planes.start * output_len);
            let dx = pointers.output::<T>(0).wrapping_add(planes.start * input_len);
            if let Some(tiles) = self.tiles {
                let [_, height, width] = places.axes.map(|axis| axis.input);
                // SAFETY: by this function's own contract; the loop is compiled for this processor.
                return unsafe { tiles(Planes { count: planes.len(), height, width, x, y: y.cast_mut(), dx }) };
            }
            for plane in 0..planes.len() {
                // SAFETY: by this function's own contract; each plane is one task's.
                let (x, dy, dx, sums, best, taps) = unsafe {
                    let sums = scratch.worker::<T::Wide>(worker, input_len + width);
                    let best = sums.add(input_len);
                    (
                        std::slice::from_raw_parts(x.add(plane * input_len), input_len),
                        std::slice::from_raw_parts(y.add(plane * output_len), output_len),
                        std::slice::from_raw_parts_mut(dx.add(plane * input_len), input_len),
                        std::slice::from_raw_parts_mut(sums, input_len),
                        std::slice::from_raw_parts_mut(best, width),
                        std::slice::from_raw_parts_mut(best.add(width).cast::<u32>(), width),
                    )
                };
                sums.fill(T::Wide::default());
                for (row, dy) in dy.chunks_exact(width).enumerate() {
                    select(self.extremum, places, x, row, best, taps);
                    for (column, (dy, &tap)) in dy.iter().zip(taps.iter()).enumerate() {
                        if tap != NONE {
                            let sum = &mut sums[places.element(row, column, tap as usize)];
                            *sum = sum.add(dy.widen());
                        }
                    }
                }
                for (dx, &sum) in dx.iter_mut().zip(sums.iter()) {
                    *dx = T::narrow(sum);
                }
            }
        });
    }
}
