//! Kernels along one axis: rows of neighbours, or columns side by side.

use std::ops::Range;

use super::lanes::{Float, LANES};
use crate::kernel::{Kernel, RowsOf, Run};
use crate::kernels::split::{Pointers, split};

/// An operand as `[outer, size, inner]`, with the axis in the middle.
#[derive(Clone, Copy)]
pub(super) struct Axis {
    pub(super) outer: usize,
    pub(super) size: usize,
    pub(super) inner: usize,
}

impl Axis {
    pub(super) fn new(shape: &[usize], axis: usize) -> Self {
        Axis { outer: shape[..axis].iter().product(), size: shape[axis], inner: shape[axis + 1..].iter().product() }
    }

    /// Of images `[N, C, spatial..]` that lie as `[N, spatial.., C]`, and the axis of channels.
    pub(super) fn of_channels_last(shape: &[usize]) -> Self {
        Axis { outer: shape[0] * shape[2..].iter().product::<usize>(), size: shape[1], inner: 1 }
    }

    /// How many rows there are, or groups of up to [`LANES`] neighbouring columns.
    pub(super) fn num_groups(&self) -> usize {
        self.outer * if self.inner == 1 { 1 } else { self.inner.div_ceil(LANES) }
    }

    /// The rows of an array that has `len` bytes for each, if there are rows.
    pub(super) fn rows(&self, len: usize) -> Option<RowsOf> {
        (self.inner == 1).then(|| RowsOf::contiguous(self.outer, len))
    }

    /// How many of them are worth a task.
    pub(super) fn grain(&self) -> usize {
        (1 << 13) / (self.size * self.inner.clamp(1, LANES)).max(1)
    }

    /// Where the `index`-th group of columns begins in the operand and among the columns of all, and how many
    /// columns it has.
    #[inline(always)]
    pub(super) fn group(&self, index: usize) -> (usize, usize, usize) {
        let groups = self.inner.div_ceil(LANES);
        let (outer, column) = (index / groups, index % groups * LANES);
        (outer * self.size * self.inner + column, outer * self.inner + column, LANES.min(self.inner - column))
    }
}

/// Evaluates an expression for a group of columns: where it begins in the operand and among the columns of all, and how many
/// columns it has. There is one copy of the code for whole groups, whose width the compiler then knows, and one for others.
macro_rules! with_group {
    ($axis:expr, $index:expr, ($start:pat, $first:pat, $width:ident) => $body:expr) => {{
        let ($start, $first, width) = $axis.group($index);
        if width == $crate::kernels::whole::LANES {
            let $width = $crate::kernels::whole::LANES;
            $body
        } else {
            let $width = width;
            $body
        }
    }};
}

pub(super) use with_group;

/// What is done to some rows or, where the axis has inner ones, groups of columns.
pub(super) struct AxisArguments<T> {
    pub(super) axis: Axis,
    /// Rows, or groups of columns.
    pub(super) range: Range<usize>,
    pub(super) inputs: [*const T; 2],
    pub(super) output: *mut T,
}

/// A kernel of one output and up to two operands that treats every row along an axis alike.
pub(super) struct AxisKernel<T> {
    pub(super) axis: Axis,
    pub(super) function: unsafe fn(AxisArguments<T>),
    /// Whether the output has the shape of the operands; each element is written after it was last read.
    pub(super) in_place: bool,
}

impl<T: Float> Kernel for AxisKernel<T> {
    fn in_place(&self, _input: usize, _output: usize) -> bool {
        self.in_place
    }

    unsafe fn run(&self, run: &Run) {
        let axis = self.axis;
        let pointers = Pointers::of(run);
        let last = run.inputs.len() - 1;
        split(run.pool, axis.num_groups(), axis.grain(), |range| {
            let inputs = [pointers.input(0), pointers.input(last)];
            let arguments = AxisArguments { axis, range, inputs, output: pointers.output(0) };
            // SAFETY: the pointers are as `Run` states; each row is written by one thread.
            unsafe { (self.function)(arguments) }
        });
    }
}
