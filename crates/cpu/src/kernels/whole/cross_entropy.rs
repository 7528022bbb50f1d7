//! Cross-entropy with class labels.

use std::marker::PhantomData;
use std::ops::Range;

use gyrus_graph::ops::whole::CrossEntropy;

use super::few_classes;
use super::lanes::{Float, LANES, for_blocks, load, map, with_float, zip};
use super::softmax::maximum;
use crate::isa::Isa;
use crate::kernel::{Kernel, RowsOf, Run, Signature};
use crate::kernels::split::{Pointers, split_rows};
use crate::math::{MulAdd, Multiversion, version};

struct CrossEntropyKernel<T> {
    op: CrossEntropy,
    num_rows: usize,
    num_classes: usize,
    function: unsafe fn(Arguments<T>),
}

struct Arguments<T> {
    op: CrossEntropy,
    rows: Range<usize>,
    num_classes: usize,
    logits: *const T,
    targets: *const i64,
    losses: *mut T,
}

pub(crate) fn kernel(op: &CrossEntropy, signature: &Signature) -> Option<Box<dyn Kernel>> {
    let logits = &signature.inputs[0];
    let (num_rows, num_classes) = (logits.shape[0], logits.shape[1]);
    with_float!(logits.dtype, T => {
        let function = match few_classes::are_worth_while(num_rows, num_classes) {
            true => version::<FewClasses<T>>(Isa::get()),
            false => version::<Loop<T>>(Isa::get()),
        };
        Box::new(CrossEntropyKernel::<T> { op: *op, num_rows, num_classes, function })
    })
}

impl<T: Float> Kernel for CrossEntropyKernel<T> {
    fn rows_read(&self, input: usize) -> Option<RowsOf> {
        let len = [self.num_classes * size_of::<T>(), size_of::<i64>()];
        Some(RowsOf::contiguous(self.num_rows, *len.get(input)?))
    }

    fn rows_written(&self, _output: usize) -> Option<RowsOf> {
        Some(RowsOf::contiguous(self.num_rows, size_of::<T>()))
    }

    unsafe fn run(&self, run: &Run) {
        let pointers = Pointers::of(run);
        let num_classes = self.num_classes;
        split_rows(run.pool, self.num_rows, (1 << 13) / num_classes.max(1), |rows| {
            let (logits, targets, losses) = (pointers.input(0), pointers.input(1), pointers.output(0));
            let arguments = Arguments { op: self.op, rows, num_classes, logits, targets, losses };
            // SAFETY: the pointers are as `Run` states; each row is written by one thread.
            unsafe { (self.function)(arguments) }
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
        let Arguments { op, rows, num_classes, logits, targets, losses } = arguments;
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
struct FewClasses<T>(PhantomData<T>);

impl<T: Float> Multiversion for FewClasses<T> {
    type Arguments = Arguments<T>;

    #[inline(always)]
    unsafe fn run<M: MulAdd>(arguments: Arguments<T>) {
        let Arguments { op, rows, num_classes, logits, targets, losses } = arguments;
        let smoothing = op.label_smoothing.0;
        let (kept, shared) = smoothed::<T>(smoothing, num_classes);
        for first in rows.clone().step_by(LANES) {
            let count = LANES.min(rows.end - first);
            // SAFETY: the `count` rows from `first` on lie in the operands and the result.
            unsafe {
                let mut block = few_classes::Rows::load(logits.add(first * num_classes), count, num_classes);
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
