//! The gradient of the cross-entropy with class labels.

use std::marker::PhantomData;
use std::ops::Range;

use gyrus_graph::ops::whole::CrossEntropyGrad;

use super::axis::{Axis, with_group};
use super::cross_entropy::{Target, smoothed};
use super::few_classes;
use super::lanes::{Float, LANES, for_blocks, load, map, store, with_float, zip};
use super::softmax::{column_exponentials, exponentials};
use crate::isa::Isa;
use crate::kernel::{Kernel, RowsOf, Run, Signature};
use crate::kernels::split::{Pointers, split_rows};
use crate::math::{MulAdd, Multiversion, version};

struct CrossEntropyGradKernel<T> {
    op: CrossEntropyGrad,
    axis: Axis,
    function: unsafe fn(Arguments<T>),
}

struct Arguments<T> {
    op: CrossEntropyGrad,
    axis: Axis,
    /// Rows, or groups of columns.
    range: Range<usize>,
    logits: *const T,
    targets: *const i64,
    dlosses: *const T,
    dlogits: *mut T,
}

pub(crate) fn kernel(op: &CrossEntropyGrad, signature: &Signature) -> Option<Box<dyn Kernel>> {
    of_axis(op, signature, Axis::new(&signature.inputs[0].shape, 1))
}

/// For logits whose classes are neighbours.
pub(crate) fn channels_last(op: &CrossEntropyGrad, signature: &Signature) -> Option<Box<dyn Kernel>> {
    of_axis(op, signature, Axis::of_channels_last(&signature.inputs[0].shape))
}

fn of_axis(op: &CrossEntropyGrad, signature: &Signature, axis: Axis) -> Option<Box<dyn Kernel>> {
    with_float!(signature.inputs[0].dtype, T => {
        let function = few_classes::version_for!(
            axis, FewClasses<T, { few_classes::FEW }>, FewClasses<T, { few_classes::MOST }>, Loop<T>, Columns<T>
        );
        Box::new(CrossEntropyGradKernel::<T> { op: *op, axis, function })
    })
}

impl<T: Float> Kernel for CrossEntropyGradKernel<T> {
    fn in_place(&self, input: usize, _output: usize) -> bool {
        input == 0
    }

    fn rows_read(&self, input: usize) -> Option<RowsOf> {
        let len = [self.axis.size * size_of::<T>(), size_of::<i64>(), size_of::<T>()];
        self.axis.rows(*len.get(input)?)
    }

    fn rows_written(&self, _output: usize) -> Option<RowsOf> {
        self.axis.rows(self.axis.size * size_of::<T>())
    }

    unsafe fn run(&self, run: &Run) {
        let (pointers, op, axis) = (Pointers::of(run), self.op, self.axis);
        split_rows(run.pool, axis.num_groups(), axis.grain(), |range| {
            let (logits, targets, dlosses) = (pointers.input(0), pointers.input(1), pointers.input(2));
            let dlogits = pointers.output(0);
            // SAFETY: the pointers are as `Run` states; each row, or group of columns, is written by one thread.
            unsafe { (self.function)(Arguments { op, axis, range, logits, targets, dlosses, dlogits }) }
        });
    }
}

struct Loop<T>(PhantomData<T>);

impl<T: Float> Multiversion for Loop<T> {
    type Arguments = Arguments<T>;

    #[inline(always)]
    unsafe fn run<M: MulAdd>(arguments: Arguments<T>) {
        let Arguments { op, axis: Axis { size: num_classes, .. }, range: rows, logits, targets, dlosses, dlogits } =
            arguments;
        let (kept, shared) = smoothed::<T>(op.label_smoothing.0, num_classes);
        for row in rows {
            // SAFETY: row `row` lies in the operands and the result, and a class in the row.
            unsafe {
                let (x, dx) = (logits.add(row * num_classes), dlogits.add(row * num_classes));
                let fill = |value: T| std::slice::from_raw_parts_mut(dx, num_classes).fill(value);
                match Target::of(*targets.add(row), op.ignore_index, num_classes) {
                    Target::Ignored => fill(T::ZERO),
                    Target::Invalid => fill(T::NAN),
                    Target::Class(class) => {
                        let weight = *dlosses.add(row);
                        let (_, sum) = exponentials::<T, M>(x, dx, num_classes);
                        let factor = T::ONE / sum;
                        for_blocks!(at in 0, num_classes => {
                            let e = load(dx, at, num_classes, T::ZERO);
                            store(dx, at, num_classes, map(e, |e| weight * e.mul_add::<M>(factor, -shared)));
                        });
                        *dx.add(class) = *dx.add(class) - weight * kept;
                    }
                }
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
        let Arguments { op, axis: Axis { size: num_classes, .. }, range: rows, logits, targets, dlosses, dlogits } =
            arguments;
        let (kept, shared) = smoothed::<T>(op.label_smoothing.0, num_classes);
        for first in rows.clone().step_by(LANES) {
            let count = LANES.min(rows.end - first);
            // SAFETY: the `count` rows from `first` on lie in the operands and the result, which may be the logits:
            // those of the rows are read before.
            unsafe {
                let mut block = few_classes::Rows::<T, MOST>::load(logits.add(first * num_classes), count, num_classes);
                let factors = map(block.shift::<M>(), |sum| T::ONE / sum);
                let weights = load(dlosses.add(first), 0, count, T::ZERO);
                block.zip(factors, |x, factor| x.exp::<M>().mul_add::<M>(factor, -shared));
                block.zip(weights, |share, weight| weight * share);
                for (row, &weight) in weights.iter().enumerate().take(count) {
                    let dx = std::slice::from_raw_parts_mut(dlogits.add((first + row) * num_classes), num_classes);
                    match Target::of(*targets.add(first + row), op.ignore_index, num_classes) {
                        Target::Ignored => dx.fill(T::ZERO),
                        Target::Invalid => dx.fill(T::NAN),
                        Target::Class(class) => {
                            block.store(row, dx);
                            dx[class] = dx[class] - weight * kept;
                        }
                    }
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
/// A group of `width` columns begins at `start` in the logits and the result, and its labels at `first`.
#[inline(always)]
unsafe fn columns<T: Float, M: MulAdd>(arguments: &Arguments<T>, start: usize, first: usize, width: usize) {
    let Arguments { op, axis: Axis { size, inner, .. }, logits, targets, dlosses, dlogits, .. } = *arguments;
    let (kept, shared) = smoothed::<T>(op.label_smoothing.0, size);
    // SAFETY: as the caller vouches.
    unsafe {
        let dx = dlogits.add(start);
        let sum = column_exponentials::<T, M>(logits.add(start), dx, arguments.axis, width);
        let (factors, weights) = (map(sum, |sum| T::ONE / sum), load(dlosses.add(first), 0, width, T::ZERO));
        for class in 0..size {
            let e = load(dx.add(class * inner), 0, width, T::ZERO);
            let shares = zip(e, factors, |e, factor| e.mul_add::<M>(factor, -shared));
            store(dx.add(class * inner), 0, width, zip(shares, weights, |share, weight| weight * share));
        }
        for (lane, &weight) in weights.iter().enumerate().take(width) {
            let column = dx.add(lane);
            let fill = |value: T| (0..size).for_each(|class| *column.add(class * inner) = value);
            match Target::of(*targets.add(first + lane), op.ignore_index, size) {
                Target::Ignored => fill(T::ZERO),
                Target::Invalid => fill(T::NAN),
                Target::Class(class) => {
                    let at = column.add(class * inner);
                    *at = *at - weight * kept;
                }
            }
        }
    }
}
