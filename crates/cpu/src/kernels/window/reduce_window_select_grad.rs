//! The gradient of the extremum under a moving window.

use std::marker::PhantomData;

use gyrus_graph::ops::reduction::Extremum;
use gyrus_graph::ops::window::ReduceWindowSelectGrad;

use super::super::elements::{Arithmetic, with_element};
use super::element::{Falling, Order, Pooled, Rising};
use super::phases::{LANES, block, block_mut};
use super::places::Places;
use super::selection::{In, NONE, Selection};
use super::tiles::{self, Planes, TilesFunction};
use crate::isa::Isa;
use crate::kernel::{Kernel, Run, Signature};
use crate::kernels::split::Pointers;
use crate::math::{MulAdd, Multiversion};
use crate::pool::ScratchSize;

struct SelectGradKernel<T> {
    selection: Selection,
    function: unsafe fn(Plane<T>),
    /// For windows of two by two.
    tiles: Option<TilesFunction<T>>,
}

/// One plane.
struct Plane<T> {
    selection: *const Selection,
    x: *const T,
    dy: *const T,
    dx: *mut T,
    memory: *mut u8,
}

/// The kernel of the gradient.
pub fn kernel(op: &ReduceWindowSelectGrad, signature: &Signature) -> Box<dyn Kernel> {
    let (x, y) = (&signature.inputs[0], &signature.inputs[1].shape);
    let places = Places::new(&op.window, &x.shape, y);
    with_element!(x.dtype, T => match op.extremum {
        Extremum::Max => Box::new(SelectGradKernel::<T>::new::<Falling>(op.extremum, places)),
        Extremum::Min => Box::new(SelectGradKernel::<T>::new::<Rising>(op.extremum, places)),
    })
}

impl<T: Pooled> SelectGradKernel<T> {
    fn new<O: Order>(extremum: Extremum, places: Places) -> Self {
        let isa = Isa::get();
        let special = T::extrema_of_tiles(isa, extremum).map(|[_, grad]| grad);
        let tiles = || special.unwrap_or_else(|| T::version::<tiles::SelectGrad<T, O>>(isa));
        let tiles = places.is_two_by_two().then(tiles);
        SelectGradKernel { selection: Selection::new(places), function: T::version::<SelectGrad<T, O>>(isa), tiles }
    }
}

impl<T: Pooled> Kernel for SelectGradKernel<T> {
    fn scratch(&self) -> ScratchSize {
        if self.tiles.is_some() {
            return ScratchSize::default();
        }
        ScratchSize { shared: 0, per_worker: self.selection.bytes::<T::Wide>() }
    }

    unsafe fn run(&self, run: &Run) {
        let (pointers, scratch) = (Pointers::of(run), run.scratch);
        let (places, selection) = (&self.selection.places, &self.selection);
        let (input_len, output_len) = (places.input_len(), places.output_len());
        let tasks = (places.planes * input_len).div_ceil(8 << 10).min(places.planes);
        run.pool.run(tasks, &|task, worker| {
            let planes = places.planes * task / tasks..places.planes * (task + 1) / tasks;
            let x = pointers.input::<T>(0).wrapping_add(planes.start * input_len);
            let dy = pointers.input::<T>(1).wrapping_add(planes.start * output_len);
            let dx = pointers.output::<T>(0).wrapping_add(planes.start * input_len);
            if let Some(tiles) = self.tiles {
                let [_, height, width] = places.axes.map(|axis| axis.input);
                // SAFETY: by this function's own contract; the loop is compiled for this processor.
                return unsafe { tiles(Planes { count: planes.len(), height, width, x, y: dy.cast_mut(), dx }) };
            }
            for plane in 0..planes.len() {
                let plane = Plane {
                    selection,
                    x: x.wrapping_add(plane * input_len),
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

/// Brings each cotangent to the row of the operand where its window has its first element, and from there to the column.
struct SelectGrad<T, O>(PhantomData<(T, O)>);

impl<T: Pooled, O: Order> Multiversion for SelectGrad<T, O> {
    type Arguments = Plane<T>;

    #[inline(always)]
    unsafe fn run<M: MulAdd>(plane: Plane<T>) {
        // SAFETY: as the caller vouches: the selection outlives the call, the arrays have the sizes of its planes.
        let (selection, x, dy, dx, mut found) = unsafe {
            let selection = &*plane.selection;
            let (input_len, output_len) = (selection.places.input_len(), selection.places.output_len());
            (
                selection,
                std::slice::from_raw_parts(plane.x, input_len),
                std::slice::from_raw_parts(plane.dy, output_len),
                std::slice::from_raw_parts_mut(plane.dx, input_len),
                selection.found::<T::Wide>(plane.memory),
            )
        };
        let (places, phases, zero) = (&selection.places, &selection.phases, T::Wide::default());
        let (width, row_len) = (places.axes[2].output, phases.shifted_len());
        found.columns.fill(NONE);
        found.sums.fill(zero);
        In::<T, O>::columns(selection, x, &mut found);
        for row in 0..places.output_rows() {
            for at in (0..width).step_by(LANES) {
                let rows = In::<T, O>::rows(selection, &found, row, at);
                let mut given = [zero; LANES];
                let dy = &dy[row * width + at..][..LANES.min(width - at)];
                given.iter_mut().zip(dy).for_each(|(given, dy)| *given = dy.widen());
                places.lines(row, |number, line| {
                    let sums = block_mut(found.sums, line * row_len + phases.max_shift + at);
                    for lane in 0..LANES {
                        let sum = sums[lane].add(given[lane]);
                        sums[lane] = if rows[lane] == number as u32 { sum } else { sums[lane] };
                    }
                });
            }
        }
        for line in 0..places.input_rows() {
            let sums = &found.sums[line * row_len..][..row_len];
            let columns = &found.columns[line * row_len..][..row_len];
            found.apart.fill(zero);
            for (number, tap) in phases.taps.iter().enumerate() {
                let apart = &mut found.apart[tap.phase * phases.len..][..phases.len];
                for at in (0..phases.len).step_by(LANES) {
                    let from = at + phases.max_shift - tap.shift;
                    let (given, columns, sums) = (block(sums, from), block(columns, from), block_mut(apart, at));
                    for lane in 0..LANES {
                        let sum = sums[lane].add(given[lane]);
                        sums[lane] = if columns[lane] == number as u32 { sum } else { sums[lane] };
                    }
                }
            }
            phases.write(found.apart, found.padded, dx, line);
        }
    }
}
