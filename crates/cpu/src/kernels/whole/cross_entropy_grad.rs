//! The gradient of the cross-entropy with class labels.

use std::marker::PhantomData;
use std::ops::Range;

use gyrus_graph::ops::whole::CrossEntropyGrad;

use super::cross_entropy::{Target, smoothed};
use super::few_classes;
use super::lanes::{Float, LANES, for_blocks, load, map, store, with_float};
use super::softmax::exponentials;
use crate::isa::Isa;
use crate::kernel::{Kernel, RowsOf, Run, Signature};
use crate::kernels::split::{Pointers, split_rows};
use crate::math::{MulAdd, Multiversion, version};

struct CrossEntropyGradKernel<T> {
    op: CrossEntropyGrad,
    num_rows: usize,
    num_classes: usize,
    function: unsafe fn(Arguments<T>),
}

struct Arguments<T> {
    op: CrossEntropyGrad,
    rows: Range<usize>,
    num_classes: usize,
    logits: *const T,
    targets: *const i64,
    dlosses: *const T,
    dlogits: *mut T,
}

pub(crate) fn kernel(op: &CrossEntropyGrad, signature: &Signature) -> Option<Box<dyn Kernel>> {
    let logits = &signature.inputs[0];
    let (num_rows, num_classes) = (logits.shape[0], logits.shape[1]);
    with_float!(logits.dtype, T => {
        let function = match few_classes::are_worth_while(num_rows, num_classes) {
            true => version::<FewClasses<T>>(Isa::get()),
            false => version::<Loop<T>>(Isa::get()),
        };
        Box::new(CrossEntropyGradKernel::<T> { op: *op, num_rows, num_classes, function })
    })
}

impl<T: Float> Kernel for CrossEntropyGradKernel<T> {
    fn in_place(&self, input: usize, _output: usize) -> bool {
        input == 0
    }

    fn rows_read(&self, input: usize) -> Option<RowsOf> {
        let len = [self.num_classes * size_of::<T>(), size_of::<i64>(), size_of::<T>()];
        Some(RowsOf::contiguous(self.num_rows, *len.get(input)?))
    }

    fn rows_written(&self, _output: usize) -> Option<RowsOf> {
        Some(RowsOf::contiguous(self.num_rows, self.num_classes * size_of::<T>()))
    }

    unsafe fn run(&self, run: &Run) {
        let pointers = Pointers::of(run);
        let (op, num_classes) = (self.op, self.num_classes);
        split_rows(run.pool, self.num_rows, (1 << 13) / num_classes.max(1), |rows| {
            let (logits, targets, dlosses) = (pointers.input(0), pointers.input(1), pointers.input(2));
            let dlogits = pointers.output(0);
            // SAFETY: the pointers are as `Run` states; each row is written by one thread.
            unsafe { (self.function)(Arguments { op, rows, num_classes, logits, targets, dlosses, dlogits }) }
        });
    }
}

struct Loop<T>(PhantomData<T>);

impl<T: Float> Multiversion for Loop<T> {
    type Arguments = Arguments<T>;

    #[inline(always)]
    unsafe fn run<M: MulAdd>(arguments: Arguments<T>) {
        let Arguments { op, rows, num_classes, logits, targets, dlosses, dlogits } = arguments;
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
struct FewClasses<T>(PhantomData<T>);

impl<T: Float> Multiversion for FewClasses<T> {
    type Arguments = Arguments<T>;

    #[inline(always)]
    unsafe fn run<M: MulAdd>(arguments: Arguments<T>) {
        let Arguments { op, rows, num_classes, logits, targets, dlosses, dlogits } = arguments;
        let (kept, shared) = smoothed::<T>(op.label_smoothing.0, num_classes);
        for first in rows.clone().step_by(LANES) {
            let count = LANES.min(rows.end - first);
            // SAFETY: the `count` rows from `first` on lie in the operands and the result, which may be the logits:
            // those of the rows are read before.
            unsafe {
                let mut block = few_classes::Rows::load(logits.add(first * num_classes), count, num_classes);
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
