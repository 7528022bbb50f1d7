//! Combines the elements under a moving window.

use std::marker::PhantomData;

use gyrus_graph::ops::reduction::{Extremum, Reduction};
use gyrus_graph::ops::window::ReduceWindow;

use super::super::elements::{Arithmetic, with_element};
use super::element::{Falling, Order, Pooled, Rising};
use super::places::Places;
use super::tiles::{First, Planes, Reduce, Sum, TilesFunction};
use crate::isa::Isa;
use crate::kernel::{Kernel, Run, Signature};
use crate::kernels::split::Pointers;
use crate::math::version;
use crate::pool::ScratchSize;

struct ReduceKernel<T> {
    reduction: Reduction,
    places: Places,
    /// For windows of two by two.
    tiles: Option<TilesFunction<T>>,
    element: PhantomData<T>,
}

/// The kernel of a reduction under a window.
pub fn kernel(op: &ReduceWindow, signature: &Signature) -> Box<dyn Kernel> {
    let (x, y) = (&signature.inputs[0], &signature.outputs[0].shape);
    let places = Places::new(&op.window, &x.shape, y);
    with_element!(x.dtype, T => Box::new(ReduceKernel::<T>::new(op.reduction, places)))
}

impl<T: Pooled> ReduceKernel<T> {
    fn new(reduction: Reduction, places: Places) -> Self {
        let isa = Isa::get();
        let special = |extremum| T::extrema_of_tiles(isa, extremum).map(|[extrema, _]| extrema);
        let special = match reduction {
            Reduction::Max => special(Extremum::Max),
            Reduction::Min => special(Extremum::Min),
            _ => None,
        };
        let general = || match reduction {
            Reduction::Max => version::<Reduce<T, First<Falling>>>(isa),
            Reduction::Min => version::<Reduce<T, First<Rising>>>(isa),
            _ => version::<Reduce<T, Sum>>(isa),
        };
        let tiles = places.is_two_by_two().then(|| special.unwrap_or_else(general));
        ReduceKernel { reduction, places, tiles, element: PhantomData }
    }

    /// One row of the result, combined in `wide`.
    #[inline(always)]
    fn row(&self, x: &[T], row: usize, wide: &mut [T::Wide], combine: impl Fn(T::Wide, T::Wide) -> T::Wide) {
        let stride = self.places.axes[2].stride;
        self.places.row(row, |met| {
            let wide = &mut wide[met.first..met.end];
            if stride == 1 {
                for (wide, x) in wide.iter_mut().zip(&x[met.element..]) {
                    *wide = combine(*wide, x.widen());
                }
            } else {
                for (wide, x) in wide.iter_mut().zip(x[met.element..].iter().step_by(stride)) {
                    *wide = combine(*wide, x.widen());
                }
            }
        });
    }
}

impl<T: Pooled> Kernel for ReduceKernel<T> {
    fn scratch(&self) -> ScratchSize {
        ScratchSize { shared: 0, per_worker: self.places.axes[2].output * size_of::<T::Wide>() }
    }

    unsafe fn run(&self, run: &Run) {
        let (pointers, scratch) = (Pointers::of(run), run.scratch);
        let (places, width) = (&self.places, self.places.axes[2].output);
        let (input_len, output_len) = (places.input_len(), places.output_len());
        if let Some(tiles) = self.tiles {
            let [_, height, width] = places.axes.map(|axis| axis.input);
            let tasks = (places.planes * input_len).div_ceil(16 << 10).min(places.planes);
            run.pool.run(tasks, &|task, _| {
                let planes = places.planes * task / tasks..places.planes * (task + 1) / tasks;
                let x = pointers.input::<T>(0).wrapping_add(planes.start * input_len);
                let y = pointers.output::<T>(0).wrapping_add(planes.start * output_len);
                // SAFETY: by this function's own contract; the loop is compiled for this processor.
                unsafe { tiles(Planes { count: planes.len(), height, width, x, y, dx: y }) }
            });
            return;
        }
        let rows = places.planes * places.output_rows();
        let tasks = (rows * width * places.taps()).div_ceil(16 << 10).min(rows);
        run.pool.run(tasks, &|task, worker| {
            for row in rows * task / tasks..rows * (task + 1) / tasks {
                let (plane, row_of_plane) = (row / places.output_rows(), row % places.output_rows());
                // SAFETY: by this function's own contract; each row is one task's.
                let (x, y, wide) = unsafe {
                    (
                        std::slice::from_raw_parts(pointers.input::<T>(0).add(plane * input_len), input_len),
                        std::slice::from_raw_parts_mut(pointers.output::<T>(0).add(row * width), width),
                        std::slice::from_raw_parts_mut(scratch.worker::<T::Wide>(worker, width), width),
                    )
                };
                match self.reduction {
                    Reduction::Max => {
                        wide.fill(Falling::last::<T>());
                        self.row(x, row_of_plane, wide, Falling::first);
                    }
                    Reduction::Min => {
                        wide.fill(Rising::last::<T>());
                        self.row(x, row_of_plane, wide, Rising::first);
                    }
                    _ => {
                        wide.fill(T::Wide::default());
                        self.row(x, row_of_plane, wide, T::Wide::add);
                    }
                }
                for (y, &wide) in y.iter_mut().zip(wide.iter()) {
                    *y = T::narrow(wide);
                }
            }
        });
    }
}
