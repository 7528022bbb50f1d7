//! Where the windows of gather and scatter begin, and how they lie in memory.

use gyrus_graph::ops::indexing::Addressing;
use gyrus_graph::{DType, Spec};

use super::super::elements::read_index;

/// The most axes that remain when neighbours that lie evenly are merged.
const MAX_AXES: usize = 16;

/// An axis, and the distances between its neighbours in the arrays that share it.
#[derive(Clone, Copy, Debug)]
struct Axis<const N: usize> {
    size: usize,
    strides: [usize; N],
}

/// Joins neighbouring axes that lie evenly in every array; axes of size 1 go.
fn merged<const N: usize>(axes: impl Iterator<Item = Axis<N>>) -> Vec<Axis<N>> {
    let mut merged: Vec<Axis<N>> = vec![];
    for axis in axes.filter(|axis| axis.size != 1) {
        match merged.last_mut() {
            Some(outer) if outer.strides == axis.strides.map(|stride| stride * axis.size) => {
                *outer = Axis { size: outer.size * axis.size, strides: axis.strides };
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

/// The windows that indices address, in elements of the three arrays.
pub(super) struct Windows {
    /// One for each window; strides in the windows, the operand and the indices.
    batch: Vec<Axis<3>>,
    num_windows: usize,
    components: Vec<Component>,
    index_type: DType,
    /// Within a window but for its runs; strides in the windows and the operand.
    within: Vec<Axis<2>>,
    /// The length of the contiguous runs of which a window is made.
    run: usize,
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
        let from = (0..indices_rank).filter(|&axis| axis != addressing.index_vector_axis);
        let batch = addressing.batch_axes(indices_rank).into_iter().zip(from).map(|(axis, from)| {
            let place = addressing.indices_batch_axes.iter().position(|&batch| batch == from);
            let in_operand = place.map_or(0, |place| of_operand[addressing.operand_batch_axes[place]]);
            Axis { size: windows.shape[axis], strides: [of_windows[axis], in_operand, of_indices[from]] }
        });
        let batch: Vec<Axis<3>> = merged(batch);
        assert!(batch.len() <= MAX_AXES, "gather and scatter: more than {MAX_AXES} axes");
        let vector_stride = of_indices.get(addressing.index_vector_axis).copied().unwrap_or(0);
        let component = |(component, &axis): (usize, &usize)| Component {
            place: component * vector_stride,
            stride: of_operand[axis],
            last: (operand.shape[axis] - sizes[axis]) as i64,
            size: sizes[axis],
        };
        let offsets = addressing.offset_axes(rank).into_iter().zip(&addressing.window_axes);
        let mut within =
            merged(offsets.map(|(axis, &to)| Axis { size: sizes[axis], strides: [of_windows[to], of_operand[axis]] }));
        let is_run = |axis: &mut Axis<2>| axis.strides == [1, 1];
        let run = within.pop_if(is_run).map_or(1, |axis| axis.size);
        Windows {
            num_windows: batch.iter().map(|axis| axis.size).product(),
            batch,
            components: addressing.index_map.iter().enumerate().map(component).collect(),
            index_type: indices.dtype,
            within,
            run,
        }
    }

    pub(super) fn num_windows(&self) -> usize {
        self.num_windows
    }

    /// The number of elements of a window.
    pub(super) fn window_len(&self) -> usize {
        self.run * self.within.iter().map(|axis| axis.size).product::<usize>()
    }

    /// Whether windows that begin at different places have no element in common.
    pub(super) fn are_disjoint(&self) -> bool {
        self.components.iter().all(|component| component.size == 1)
    }

    /// Calls `window` with the places where each of the windows `range` begins: in the windows, and in the
    /// operand, moved within it if `clamp`; else those that do not lie within are left out.
    ///
    /// # Safety
    /// `indices` are those that the windows were made for.
    #[inline(always)]
    pub(super) unsafe fn for_each(
        &self,
        indices: *const u8,
        range: std::ops::Range<usize>,
        clamp: bool,
        mut window: impl FnMut(usize, usize),
    ) {
        if range.is_empty() {
            return;
        }
        let mut counter = [0; MAX_AXES];
        let mut places = [0; 3];
        let mut rest = range.start;
        for (count, axis) in counter.iter_mut().zip(&self.batch).rev() {
            (*count, rest) = (rest % axis.size, rest / axis.size);
            places.iter_mut().zip(axis.strides).for_each(|(place, stride)| *place += *count * stride);
        }
        for _ in range {
            let [in_windows, mut in_operand, in_indices] = places;
            let mut inside = true;
            for component in &self.components {
                // SAFETY: the vector's elements lie in the indices.
                let start = unsafe { read_index(indices, self.index_type, in_indices + component.place) };
                inside &= (0..=component.last).contains(&start);
                in_operand += start.clamp(0, component.last) as usize * component.stride;
            }
            if clamp || inside {
                window(in_windows, in_operand);
            }
            for (count, axis) in counter.iter_mut().zip(&self.batch).rev() {
                *count += 1;
                places.iter_mut().zip(axis.strides).for_each(|(place, stride)| *place += stride);
                if *count < axis.size {
                    break;
                }
                *count = 0;
                places.iter_mut().zip(axis.strides).for_each(|(place, stride)| *place -= stride * axis.size);
            }
        }
    }

    /// Calls `run` with the place in the windows and in the operand, and the length, of each contiguous
    /// run of the window that begins at these places.
    #[inline(always)]
    pub(super) fn for_each_run(&self, in_windows: usize, in_operand: usize, mut run: impl FnMut(usize, usize, usize)) {
        match self.within[..] {
            [] => run(in_windows, in_operand, self.run),
            _ => walk(&self.within, in_windows, in_operand, &mut |a, b| run(a, b, self.run)),
        }
    }
}

fn walk(axes: &[Axis<2>], in_windows: usize, in_operand: usize, run: &mut impl FnMut(usize, usize)) {
    let Some((axis, inner)) = axes.split_first() else { return run(in_windows, in_operand) };
    for index in 0..axis.size {
        walk(inner, in_windows + index * axis.strides[0], in_operand + index * axis.strides[1], run);
    }
}
