//! Cross-entropy with class labels.

use std::marker::PhantomData;
use std::ops::Range;

use gyrus_graph::ops::whole::CrossEntropy;

use super::axis::{Axis, with_group};
use super::few_classes;
use super::lanes::{Float, LANES, for_blocks, load, map, with_float, zip};
use super::softmax::{column_maxima, maximum};
use crate::isa::Isa;
use crate::kernel::{Kernel, RowsOf, Run, Signature};
use crate::kernels::split::{Pointers, split_rows};
use crate::math::{MulAdd, Multiversion, version};

struct CrossEntropyKernel<T> {
    op: CrossEntropy,
    axis: Axis,
    function: unsafe fn(Arguments<T>),
}

struct Arguments<T> {
    op: CrossEntropy,
    axis: Axis,
    /// Rows, or groups of columns.
    range: Range<usize>,
    logits: *const T,
    targets: *const i64,
    losses: *mut T,
}

pub(crate) fn kernel(op: &CrossEntropy, signature: &Signature) -> Option<Box<dyn Kernel>> {
    of_axis(op, signature, Axis::new(&signature.inputs[0].shape, 1))
}

/// For logits whose classes are neighbours.
pub(crate) fn channels_last(op: &CrossEntropy, signature: &Signature) -> Option<Box<dyn Kernel>> {
    of_axis(op, signature, Axis::of_channels_last(&signature.inputs[0].shape))
}

fn of_axis(op: &CrossEntropy, signature: &Signature, axis: Axis) -> Option<Box<dyn Kernel>> {
    with_float!(signature.inputs[0].dtype, T => {
        let function = few_classes::version_for!(
            axis, FewClasses<T, { few_classes::FEW }>, FewClasses<T, { few_classes::MOST }>, Loop<T>, Columns<T>
        );
        Box::new(CrossEntropyKernel::<T> { op: *op, axis, function })
    })
}

impl<T: Float> Kernel for CrossEntropyKernel<T> {
    fn rows_read(&self, input: usize) -> Option<RowsOf> {
        let len = [self.axis.size * size_of::<T>(), size_of::<i64>()];
        self.axis.rows(*len.get(input)?)
    }

    fn rows_written(&self, _output: usize) -> Option<RowsOf> {
        self.axis.rows(size_of::<T>())
    }

    unsafe fn run(&self, run: &Run) {
        let (pointers, op, axis) = (Pointers::of(run), self.op, self.axis);
        split_rows(run.pool, axis.num_groups(), axis.grain(), |range| {
            let (logits, targets, losses) = (pointers.input(0), pointers.input(1), pointers.output(0));
            // SAFETY: the pointers are as `Run` states; each row, or group of columns, is written by one thread.
            unsafe { (self.function)(Arguments { op, axis, range, logits, targets, losses }) }
        });
    }
}

/// What a label asks for.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Target {
    Class(usize),
    Ignored,
    Invalid,
}

impl Target {
    #[inline(always)]
    pub(super) fn of(label: i64, ignore_index: Option<i64>, num_classes: usize) -> Target {
        match usize::try_from(label) {
            _ if ignore_index == Some(label) => Target::Ignored,
            Ok(class) if class < num_classes => Target::Class(class),
            _ => Target::Invalid,
        }
    }
}

/// How much of a target its class keeps, and how much of the rest each class gets.
#[inline(always)]
pub(super) fn smoothed<T: Float>(smoothing: f64, num_classes: usize) -> (T, T) {
    (T::from_f64(1.0 - smoothing), T::from_f64(smoothing / num_classes as f64))
}

struct Loop<T>(PhantomData<T>);

impl<T: Float> Multiversion for Loop<T> {
    type Arguments = Arguments<T>;

    #[inline(always)]
    unsafe fn run<M: MulAdd>(arguments: Arguments<T>) {
        let Arguments { op, axis: Axis { size: num_classes, .. }, range: rows, logits, targets, losses } = arguments;
        let smoothing = op.label_smoothing.0;
        let (kept, shared) = smoothed::<T>(smoothing, num_classes);
        for row in rows {
            // SAFETY: row `row` lies in the operands and the result, and a class in the row.
            unsafe {
                let x = logits.add(row * num_classes);
                *losses.add(row) = match Target::of(*targets.add(row), op.ignore_index, num_classes) {
                    Target::Ignored => T::ZERO,
                    Target::Invalid => T::NAN,
                    Target::Class(class) => {
                        let shift = maximum(x, num_classes);
                        let (mut sum, mut shifts) = ([T::ZERO; LANES], [T::ZERO; LANES]);
                        for_blocks!(at in 0, num_classes => {
                            let lanes = load(x, at, num_classes, T::LOWEST);
                            sum = zip(sum, lanes, |sum, x| sum + (x - shift).exp::<M>());
                            if smoothing != 0.0 {
                                let lanes = load(x, at, num_classes, shift);
                                shifts = zip(shifts, lanes, |sum, x| sum + (x - shift));
                            }
                        });
                        let loss = T::total_of::<M>(sum).log::<M>() - kept * (*x.add(class) - shift);
                        if smoothing != 0.0 { loss - shared * T::total_of::<M>(shifts) } else { loss }
                    }
                };
            }
        }
    }
}

/// The same of many rows of few classes.
struct FewClasses<T, const MOST: usize>(PhantomData<T>);

impl<T: Float, const MOST: usize> Multiversion for FewClasses<T, MOST> {
    type Arguments = Arguments<T>;

    #[inline(always)]
    unsafe fn run<M: MulAdd>(arguments: Arguments<T>) {
        let Arguments { op, axis: Axis { size: num_classes, .. }, range: rows, logits, targets, losses } = arguments;
        let smoothing = op.label_smoothing.0;
        let (kept, shared) = smoothed::<T>(smoothing, num_classes);
        for first in rows.clone().step_by(LANES) {
            let count = LANES.min(rows.end - first);
            // SAFETY: the `count` rows from `first` on lie in the operands and the result.
            unsafe {
                let mut block = few_classes::Rows::<T, MOST>::load(logits.add(first * num_classes), count, num_classes);
                let logarithms = map(block.shift::<M>(), |sum| sum.log::<M>());
                let shifts = block.total();
                for row in 0..count {
                    *losses.add(first + row) = match Target::of(*targets.add(first + row), op.ignore_index, num_classes)
                    {
                        Target::Ignored => T::ZERO,
                        Target::Invalid => T::NAN,
                        Target::Class(class) => {
                            let loss = logarithms[row] - kept * block.get(row, class);
                            if smoothing != 0.0 { loss - shared * shifts[row] } else { loss }
                        }
                    };
                }
            }
        }
    }
}

/// The same where logits of one class are neighbours, as those of an image's pixels.
struct Columns<T>(PhantomData<T>);

impl<T: Float> Multiversion for Columns<T> {
    type Arguments = Arguments<T>;

    #[inline(always)]
    unsafe fn run<M: MulAdd>(arguments: Arguments<T>) {
        for group in arguments.range.clone() {
            // SAFETY: the group lies in the operands and the result.
            unsafe {
                with_group!(arguments.axis, group, (start, first, width) => {
                    columns::<T, M>(&arguments, start, first, width);
                });
            }
        }
    }
}

/// # Safety
/// A group of `width` columns begins at `start` in the logits, and its labels at `first`.
#[inline(always)]
unsafe fn columns<T: Float, M: MulAdd>(arguments: &Arguments<T>, start: usize, first: usize, width: usize) {
    let Arguments { op, axis: Axis { size, inner, .. }, logits, targets, losses, .. } = *arguments;
    let smoothing = op.label_smoothing.0;
    let (kept, shared) = smoothed::<T>(smoothing, size);
    // SAFETY: as the caller vouches.
    unsafe {
        let x = logits.add(start);
        let shift = column_maxima(x, arguments.axis, width);
        let (mut sum, mut shifts) = ([T::ZERO; LANES], [T::ZERO; LANES]);
        for class in 0..size {
            let shifted = zip(load(x.add(class * inner), 0, width, T::LOWEST), shift, |x, shift| x - shift);
            sum = zip(sum, shifted, |sum, x| sum + x.exp::<M>());
            if smoothing != 0.0 {
                shifts = zip(shifts, shifted, |sum, x| sum + x);
            }
        }
        let logarithms = map(sum, |sum| sum.log::<M>());
        for lane in 0..width {
            *losses.add(first + lane) = match Target::of(*targets.add(first + lane), op.ignore_index, size) {
                Target::Ignored => T::ZERO,
                Target::Invalid => T::NAN,
                Target::Class(class) => {
                    let loss = logarithms[lane] - kept * (*x.add(class * inner + lane) - shift[lane]);
                    if smoothing != 0.0 { loss - shared * shifts[lane] } else { loss }
                }
            };
        }
    }
}
