//! Where the windows of gather and scatter begin, and how they lie in memory.

use std::ops::Range;

use gyrus_graph::ops::indexing::Addressing;
use gyrus_graph::{DType, Spec};

/// The most axes that remain when neighbours that lie evenly are merged.
const MAX_AXES: usize = 16;

/// An axis of the windows, and the distances between its neighbours in the windows, the operand and the indices.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Axis {
    size: usize,
    strides: [usize; 3],
    /// Whether no index moves a window along the operand's axis that goes along with it: elements at different places
    /// of it are different elements of the operand.
    apart: bool,
}

/// Joins neighbouring axes that lie evenly in every array; axes of size 1 go.
fn merged(axes: impl Iterator<Item = Axis>) -> Vec<Axis> {
    let mut merged: Vec<Axis> = vec![];
    for axis in axes.filter(|axis| axis.size != 1) {
        let whole = axis.strides.map(|stride| stride * axis.size);
        match merged.last_mut() {
            Some(outer) if outer.strides == whole && outer.apart == axis.apart => {
                *outer = Axis { size: outer.size * axis.size, ..axis };
            }
            _ => merged.push(axis),
        }
    }
    merged
}

/// How one element of an index vector moves a window.
#[derive(Clone, Copy, Debug)]
struct Component {
    /// Its place after the vector's beginning, in the indices.
    place: usize,
    /// The operand's stride.
    stride: usize,
    /// The last start at which the window lies within the operand.
    last: i64,
    /// The window's size.
    size: usize,
}

/// The windows that indices address, in elements of the three arrays: an array of contiguous runs.
pub(super) struct Windows {
    /// The axes of the windows but for the one within runs; at least one.
    axes: Vec<Axis>,
    components: Vec<Component>,
    index_type: DType,
    /// The length of a run.
    pub(super) run: usize,
}

/// Some of the runs of all windows.
pub(super) enum Part {
    /// In their order.
    Runs(Range<usize>),
    /// Those at some places along one of the axes.
    Along(usize, Range<usize>),
}

fn strides(shape: &[usize]) -> Vec<usize> {
    let mut strides = vec![1; shape.len()];
    for axis in (1..shape.len()).rev() {
        strides[axis - 1] = strides[axis] * shape[axis].max(1);
    }
    strides
}

impl Windows {
    pub(super) fn new(
        addressing: &Addressing,
        operand: &Spec,
        indices: &Spec,
        windows: &Spec,
        sizes: &[usize],
    ) -> Windows {
        let [of_operand, of_indices, of_windows] = [operand, indices, windows].map(|spec| strides(&spec.shape));
        let (rank, indices_rank) = (operand.shape.rank(), indices.shape.rank());
        let mut batch = (0..indices_rank).filter(|&axis| axis != addressing.index_vector_axis);
        let mut offsets = addressing.offset_axes(rank).into_iter();
        let axis = |axis: usize| {
            // The axes of the operand and of the indices that go along with it.
            let (in_operand, in_indices) = if addressing.window_axes.contains(&axis) {
                (offsets.next(), None)
            } else {
                let from = batch.next().expect("the other axes are those of the indices");
                let place = addressing.indices_batch_axes.iter().position(|&batch| batch == from);
                (place.map(|place| addressing.operand_batch_axes[place]), Some(from))
            };
            let stride = |strides: &[usize], axis: Option<usize>| axis.map_or(0, |axis| strides[axis]);
            Axis {
                size: windows.shape[axis],
                strides: [of_windows[axis], stride(&of_operand, in_operand), stride(&of_indices, in_indices)],
                apart: in_operand.is_some_and(|axis| !addressing.index_map.contains(&axis)),
            }
        };
        let mut axes = merged((0..windows.shape.rank()).map(axis));
        let run = axes.pop_if(|axis| axis.strides == [1, 1, 0]).map_or(1, |axis| axis.size);
        if axes.is_empty() {
            axes.push(Axis { size: 1, strides: [0; 3], apart: false });
        }
        assert!(axes.len() <= MAX_AXES, "gather and scatter: more than {MAX_AXES} axes");
        let vector_stride = of_indices.get(addressing.index_vector_axis).copied().unwrap_or(0);
        let component = |(component, &axis): (usize, &usize)| Component {
            place: component * vector_stride,
            stride: of_operand[axis],
            last: (operand.shape[axis] - sizes[axis]) as i64,
            size: sizes[axis],
        };
        let components = addressing.index_map.iter().enumerate().map(component).collect();
        Windows { axes, components, index_type: indices.dtype, run }
    }

    pub(super) fn num_runs(&self) -> usize {
        self.axes.iter().map(|axis| axis.size).product()
    }

    /// Whether windows that begin at different places have no element in common.
    pub(super) fn are_disjoint(&self) -> bool {
        self.components.iter().all(|component| component.size == 1)
    }

    /// An axis of at least `count` places whose elements are apart in the operand, the further the better, and how many it
    /// has.
    pub(super) fn axis_apart(&self, count: usize) -> Option<(usize, usize)> {
        let apart = self.axes.iter().enumerate().filter(|(_, axis)| axis.apart && axis.size >= count);
        apart.max_by_key(|(_, axis)| axis.strides[1]).map(|(index, axis)| (index, axis.size))
    }

    /// How far on in the operand the next line is, where lines of single elements have the same indices: what is met there can
    /// be asked for.
    pub(super) fn next_line(&self) -> Option<usize> {
        match self.axes[..] {
            [.., Axis { strides: [_, next, 0], .. }, _] if self.run == 1 => Some(next),
            _ => None,
        }
    }

    /// Calls `run` with the places in the windows and in the operand where each run begins, in the order of the windows.
    /// Windows are moved within the operand if `clamp`; else those that do not lie within are left out.
    ///
    /// # Safety
    /// `indices` are those that the windows were made for.
    #[inline(always)]
    pub(super) unsafe fn for_each(&self, indices: *const u8, part: Part, clamp: bool, run: impl FnMut(usize, usize)) {
        // SAFETY: as the caller vouches.
        unsafe {
            match self.index_type {
                DType::I32 => self.for_each_of(indices.cast::<i32>(), part, clamp, run),
                _ => self.for_each_of(indices.cast::<i64>(), part, clamp, run),
            }
        }
    }

    /// As [`Windows::for_each`], where the walk is little beside what is done: less code to compile.
    ///
    /// # Safety
    /// As there.
    #[inline(never)]
    pub(super) unsafe fn for_each_run(
        &self,
        indices: *const u8,
        part: Part,
        clamp: bool,
        run: &mut dyn FnMut(usize, usize),
    ) {
        // SAFETY: as the caller vouches.
        unsafe { self.for_each(indices, part, clamp, run) }
    }

    /// As [`Windows::for_each`].
    #[inline(always)]
    unsafe fn for_each_of<I: Copy + Into<i64>>(
        &self,
        indices: *const I,
        part: Part,
        clamp: bool,
        mut run: impl FnMut(usize, usize),
    ) {
        let (mut sizes, mut counter, mut places) = ([1; MAX_AXES], [0; MAX_AXES], [0; 3]);
        sizes.iter_mut().zip(&self.axes).for_each(|(size, axis)| *size = axis.size);
        let runs = match part {
            Part::Runs(runs) => runs,
            Part::Along(axis, range) => {
                sizes[axis] = range.len();
                places = self.axes[axis].strides.map(|stride| stride * range.start);
                0..sizes.iter().product()
            }
        };
        if runs.is_empty() {
            return;
        }
        let mut rest = runs.start;
        for ((count, size), axis) in counter.iter_mut().zip(sizes).zip(&self.axes).rev() {
            (*count, rest) = (rest % size, rest / size);
            places.iter_mut().zip(axis.strides).for_each(|(place, stride)| *place += *count * stride);
        }
        let (first, others) = self.components.split_at(self.components.len().min(1));
        let first = first.first().copied();
        let last = self.axes.len() - 1;
        let steps = self.axes[last].strides;
        let mut left = runs.len();
        loop {
            let line = left.min(sizes[last] - counter[last]);
            let [mut in_windows, mut in_operand, mut in_indices] = places;
            for _ in 0..line {
                let (mut to, mut inside) = (in_operand, true);
                // Apart, because a loop over components, of which there is mostly one, costs as much as all else.
                if let Some(component) = first {
                    // SAFETY: the vector's elements lie in the indices.
                    let start = unsafe { *indices.add(in_indices + component.place) }.into();
                    let moved = start.clamp(0, component.last);
                    (to, inside) = (to + moved as usize * component.stride, moved == start);
                }
                for component in others {
                    // SAFETY: as above.
                    let start = unsafe { *indices.add(in_indices + component.place) }.into();
                    let moved = start.clamp(0, component.last);
                    (to, inside) = (to + moved as usize * component.stride, inside & (moved == start));
                }
                if clamp || inside {
                    run(in_windows, to);
                }
                in_windows += steps[0];
                in_operand += steps[1];
                in_indices += steps[2];
            }
            left -= line;
            if left == 0 {
                return;
            }
            places.iter_mut().zip(steps).for_each(|(place, step)| *place -= step * counter[last]);
            counter[last] = 0;
            for ((count, size), axis) in counter.iter_mut().zip(sizes).zip(&self.axes).take(last).rev() {
                *count += 1;
                places.iter_mut().zip(axis.strides).for_each(|(place, stride)| *place += stride);
                if *count < size {
                    break;
                }
                *count = 0;
                places.iter_mut().zip(axis.strides).for_each(|(place, stride)| *place -= stride * size);
            }
        }
    }
}
