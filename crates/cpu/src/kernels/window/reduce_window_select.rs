//! Picks elements where another array has its extremum under a moving window.

use std::marker::PhantomData;

use gyrus_graph::ops::reduction::Extremum;
use gyrus_graph::ops::window::ReduceWindowSelect;

use super::super::elements::with_element;
use super::element::Pooled;
use super::places::Places;
use super::selection::{NONE, select};
use crate::kernel::{Kernel, Run, Signature};
use crate::kernels::split::Pointers;
use crate::pool::ScratchSize;

struct SelectKernel<T> {
    extremum: Extremum,
    places: Places,
    element: PhantomData<T>,
}

/// The kernel of the operation.
pub fn kernel(op: &ReduceWindowSelect, signature: &Signature) -> Box<dyn Kernel> {
    let (x, y) = (&signature.inputs[0], &signature.outputs[0].shape);
    let (extremum, places) = (op.extremum, Places::new(&op.window, &x.shape, y));
    with_element!(x.dtype, T => Box::new(SelectKernel::<T> { extremum, places, element: PhantomData }))
}

impl<T: Pooled> Kernel for SelectKernel<T> {
    fn scratch(&self) -> ScratchSize {
        let element = size_of::<T::Wide>() + size_of::<u32>();
        ScratchSize { shared: 0, per_worker: self.places.axes[2].output * element }
    }

    unsafe fn run(&self, run: &Run) {
        let (pointers, scratch) = (Pointers::of(run), run.scratch);
        let (places, width) = (&self.places, self.places.axes[2].output);
        let input_len = places.input_len();
        let rows = places.planes * places.output_rows();
        let tasks = (rows * width * places.taps()).div_ceil(8 << 10).min(rows);
        run.pool.run(tasks, &|task, worker| {
            for row in rows * task / tasks..rows * (task + 1) / tasks {
                let (plane, row_of_plane) = (row / places.output_rows(), row % places.output_rows());
                // SAFETY: by this function's own contract; each row is one task's.
                let (x, source, y, best, taps) = unsafe {
                    let best = scratch.worker::<T::Wide>(worker, width);
                    let taps = best.add(width).cast::<u32>();
                    let plane = plane * input_len;
                    (
                        std::slice::from_raw_parts(pointers.input::<T>(0).add(plane), input_len),
                        std::slice::from_raw_parts(pointers.input::<T>(1).add(plane), input_len),
                        std::slice::from_raw_parts_mut(pointers.output::<T>(0).add(row * width), width),
                        std::slice::from_raw_parts_mut(best, width),
                        std::slice::from_raw_parts_mut(taps, width),
                    )
                };
                select(self.extremum, places, x, row_of_plane, best, taps);
                for (column, (y, &tap)) in y.iter_mut().zip(taps.iter()).enumerate() {
                    *y = match tap {
                        NONE => T::narrow(T::Wide::default()),
                        tap => source[places.element(row_of_plane, column, tap as usize)],
                    };
                }
            }
        });
    }
}
