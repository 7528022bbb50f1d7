//! Combines the elements under a moving window.

use std::marker::PhantomData;

use gyrus_graph::ops::reduction::{Extremum, Reduction};
use gyrus_graph::ops::window::ReduceWindow;

use super::super::elements::with_element;
use super::element::{Falling, Pooled, Rising};
use super::phases::{LANES, Phases, block};
use super::places::Places;
use super::tiles::{self, Combine, First, Planes, Sum, TilesFunction};
use crate::isa::Isa;
use crate::kernel::{Kernel, Run, Signature};
use crate::kernels::split::Pointers;
use crate::math::{MulAdd, Multiversion};
use crate::pool::ScratchSize;

struct ReduceKernel<T: Pooled> {
    places: Places,
    phases: Phases,
    function: unsafe fn(Rows<T>),
    /// For windows of two by two.
    tiles: Option<TilesFunction<T>>,
}

/// Some rows of the result.
struct Rows<T: Pooled> {
    places: *const Places,
    phases: *const Phases,
    first: usize,
    end: usize,
    x: *const T,
    y: *mut T,
    memory: *mut T::Wide,
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
        let (function, tiles): (_, TilesFunction<T>) = match reduction {
            Reduction::Max => (
                T::version::<Reduce<T, First<Falling>>>(isa),
                special(Extremum::Max).unwrap_or_else(|| T::version::<tiles::Reduce<T, First<Falling>>>(isa)),
            ),
            Reduction::Min => (
                T::version::<Reduce<T, First<Rising>>>(isa),
                special(Extremum::Min).unwrap_or_else(|| T::version::<tiles::Reduce<T, First<Rising>>>(isa)),
            ),
            _ => (T::version::<Reduce<T, Sum>>(isa), T::version::<tiles::Reduce<T, Sum>>(isa)),
        };
        let phases = Phases::new(&places.axes[2]);
        ReduceKernel { places, phases, function, tiles: places.is_two_by_two().then_some(tiles) }
    }
}

impl<T: Pooled> Kernel for ReduceKernel<T> {
    fn scratch(&self) -> ScratchSize {
        ScratchSize { shared: 0, per_worker: 2 * self.phases.row_len() * size_of::<T::Wide>() }
    }

    unsafe fn run(&self, run: &Run) {
        let (pointers, scratch) = (Pointers::of(run), run.scratch);
        let (places, phases, width) = (&self.places, &self.phases, self.places.axes[2].output);
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
            let rows = Rows {
                places,
                phases,
                first: rows * task / tasks,
                end: rows * (task + 1) / tasks,
                x: pointers.input::<T>(0),
                y: pointers.output::<T>(0),
                memory: scratch.worker(worker, 2 * phases.row_len()),
            };
            // SAFETY: by this function's own contract; each row is one task's.
            unsafe { (self.function)(rows) }
        });
    }
}

/// Combines for each row of the result the rows of the operand that the window meets, then the columns of that.
struct Reduce<T, C>(PhantomData<(T, C)>);

impl<T: Pooled, C: Combine> Multiversion for Reduce<T, C> {
    type Arguments = Rows<T>;

    #[inline(always)]
    unsafe fn run<M: MulAdd>(rows: Rows<T>) {
        // SAFETY: as the caller vouches: the places outlive the call, and the memory has room for two rows.
        let (places, phases, padded, apart) = unsafe {
            let phases = &*rows.phases;
            let row = |index: usize| {
                std::slice::from_raw_parts_mut(rows.memory.add(index * phases.row_len()), phases.row_len())
            };
            (&*rows.places, phases, row(0), row(1))
        };
        let (input_len, width) = (places.input_len(), places.axes[2].output);
        padded.fill(C::identity::<T>());
        for row in rows.first..rows.end {
            let (plane, row_of_plane) = (row / places.output_rows(), row % places.output_rows());
            // SAFETY: as the caller vouches.
            let (x, y) = unsafe {
                (
                    std::slice::from_raw_parts(rows.x.add(plane * input_len), input_len),
                    std::slice::from_raw_parts_mut(rows.y.add(row * width), width),
                )
            };
            let combined = phases.within(padded);
            let mut is_first = true;
            places.lines(row_of_plane, |_, line| {
                let x = phases.met(x, line);
                if is_first {
                    combined.iter_mut().zip(x).for_each(|(to, x)| *to = x.widen());
                } else {
                    combined.iter_mut().zip(x).for_each(|(to, x)| *to = C::combine::<T>(*to, x.widen()));
                }
                is_first = false;
            });
            if is_first {
                combined.fill(C::identity::<T>());
            }
            let apart = phases.take_apart(padded, apart);
            for (index, y) in y.chunks_mut(LANES).enumerate() {
                let mut lanes = [C::identity::<T>(); LANES];
                for tap in &phases.taps {
                    let x = block(apart, tap.phase * phases.len + tap.shift + index * LANES);
                    for lane in 0..LANES {
                        lanes[lane] = C::combine::<T>(lanes[lane], x[lane]);
                    }
                }
                y.iter_mut().zip(lanes).for_each(|(y, lane)| *y = T::narrow(lane));
            }
        }
    }
}
