//! Picks elements where another array has its extremum under a moving window.

use std::marker::PhantomData;

use gyrus_graph::ops::reduction::Extremum;
use gyrus_graph::ops::window::ReduceWindowSelect;

use super::super::elements::with_element;
use super::element::{Falling, Order, Pooled, Rising};
use super::phases::LANES;
use super::places::Places;
use super::selection::{In, Selection};
use crate::isa::Isa;
use crate::kernel::{Kernel, Run, Signature};
use crate::kernels::split::Pointers;
use crate::math::{MulAdd, Multiversion};
use crate::pool::ScratchSize;

struct SelectKernel<T> {
    selection: Selection,
    function: unsafe fn(Plane<T>),
}

/// One plane.
struct Plane<T> {
    selection: *const Selection,
    x: *const T,
    source: *const T,
    y: *mut T,
    memory: *mut u8,
}

/// The kernel of the operation.
pub fn kernel(op: &ReduceWindowSelect, signature: &Signature) -> Box<dyn Kernel> {
    let (x, y) = (&signature.inputs[0], &signature.outputs[0].shape);
    let (selection, isa) = (Selection::new(Places::new(&op.window, &x.shape, y)), Isa::get());
    with_element!(x.dtype, T => {
        let function = match op.extremum {
            Extremum::Max => T::version::<Select<T, Falling>>(isa),
            Extremum::Min => T::version::<Select<T, Rising>>(isa),
        };
        Box::new(SelectKernel { selection, function })
    })
}

impl<T: Pooled> Kernel for SelectKernel<T> {
    fn scratch(&self) -> ScratchSize {
        ScratchSize { shared: 0, per_worker: self.selection.bytes::<T::Wide>() }
    }

    unsafe fn run(&self, run: &Run) {
        let (pointers, scratch) = (Pointers::of(run), run.scratch);
        let (places, selection) = (&self.selection.places, &self.selection);
        let (input_len, output_len) = (places.input_len(), places.output_len());
        let tasks = (places.planes * input_len).div_ceil(8 << 10).min(places.planes);
        run.pool.run(tasks, &|task, worker| {
            for plane in places.planes * task / tasks..places.planes * (task + 1) / tasks {
                let plane = Plane {
                    selection,
                    x: pointers.input::<T>(0).wrapping_add(plane * input_len),
                    source: pointers.input::<T>(1).wrapping_add(plane * input_len),
                    y: pointers.output::<T>(0).wrapping_add(plane * output_len),
                    memory: scratch.worker(worker, self.scratch().per_worker),
                };
                // SAFETY: by this function's own contract; each plane is one task's.
                unsafe { (self.function)(plane) }
            }
        });
    }
}

struct Select<T, O>(PhantomData<(T, O)>);

impl<T: Pooled, O: Order> Multiversion for Select<T, O> {
    type Arguments = Plane<T>;

    #[inline(always)]
    unsafe fn run<M: MulAdd>(plane: Plane<T>) {
        // SAFETY: as the caller vouches: the selection outlives the call, the arrays have the sizes of its planes.
        let (selection, x, source, y, mut found) = unsafe {
            let selection = &*plane.selection;
            let (input_len, output_len) = (selection.places.input_len(), selection.places.output_len());
            (
                selection,
                std::slice::from_raw_parts(plane.x, input_len),
                std::slice::from_raw_parts(plane.source, input_len),
                std::slice::from_raw_parts_mut(plane.y, output_len),
                selection.found::<T::Wide>(plane.memory),
            )
        };
        let (places, phases) = (&selection.places, &selection.phases);
        let axis = places.axes[2];
        In::<T, O>::columns(selection, x, &mut found);
        for row in 0..places.output_rows() {
            for at in (0..axis.output).step_by(LANES) {
                let rows = In::<T, O>::rows(selection, &found, row, at);
                let y = &mut y[row * axis.output..][at..axis.output.min(at + LANES)];
                y.fill(T::narrow(T::Wide::default()));
                places.lines(row, |number, line| {
                    let columns = &found.columns[line * phases.shifted_len() + phases.max_shift + at..];
                    for (lane, y) in y.iter_mut().enumerate().filter(|&(lane, _)| rows[lane] == number as u32) {
                        // Where no column meets an element, there is none.
                        let column = (columns[lane] as usize) < axis.size;
                        let column = column.then(|| axis.element(at + lane, columns[lane] as usize)).flatten();
                        *y = column.map_or(*y, |column| source[line * axis.input + column]);
                    }
                });
            }
        }
    }
}
