//! Logarithm of the sum of exponentials.

use std::marker::PhantomData;

use gyrus_graph::ops::whole::LogSumExp;

use super::axis::{Axis, AxisArguments, AxisKernel, with_group};
use super::lanes::{Float, LANES, Lanes, for_blocks, load, map, store, with_float, zip};
use super::softmax::{column_maxima, maximum};
use crate::isa::Isa;
use crate::kernel::{Kernel, Signature};
use crate::math::{MulAdd, Multiversion, version};

pub(crate) fn kernel(op: &LogSumExp, signature: &Signature) -> Option<Box<dyn Kernel>> {
    let spec = &signature.inputs[0];
    let axis = Axis::new(&spec.shape, op.axis);
    with_float!(spec.dtype, T => {
        Box::new(AxisKernel { axis, function: version::<LogSumExpLoop<T>>(Isa::get()), in_place: false })
    })
}

struct LogSumExpLoop<T>(PhantomData<T>);

/// What is subtracted before the exponential: the maximum, unless that would make infinity of infinity.
#[inline(always)]
fn shift_of<T: Float>(maximum: T) -> T {
    if maximum.is_finite() { maximum } else { T::ZERO }
}

impl<T: Float> Multiversion for LogSumExpLoop<T> {
    type Arguments = AxisArguments<T>;

    #[inline(always)]
    unsafe fn run<M: MulAdd>(arguments: AxisArguments<T>) {
        let AxisArguments { axis, range, inputs: [x, _], output: y } = arguments;
        for index in range {
            // SAFETY: row or group `index` lies in the operand, and its results in the result.
            unsafe {
                if axis.inner == 1 {
                    *y.add(index) = row::<T, M>(x.add(index * axis.size), axis.size);
                } else {
                    with_group!(axis, index, (start, result, width) => {
                        store(y.add(result), 0, width, columns::<T, M>(x.add(start), axis, width));
                    });
                }
            }
        }
    }
}

/// # Safety
/// `x` points to `size` elements.
#[inline(always)]
unsafe fn row<T: Float, M: MulAdd>(x: *const T, size: usize) -> T {
    // SAFETY: as the caller vouches.
    unsafe {
        let shift = shift_of(maximum(x, size));
        let mut sum = [T::ZERO; LANES];
        for_blocks!(at in 0, size => {
            sum = zip(sum, load(x, at, size, T::LOWEST), |sum, x| sum + (x - shift).exp::<M>());
        });
        shift + T::total_of::<M>(sum).log::<M>()
    }
}

/// # Safety
/// `x` points to the first of `width` columns.
#[inline(always)]
unsafe fn columns<T: Float, M: MulAdd>(x: *const T, axis: Axis, width: usize) -> Lanes<T> {
    // SAFETY: as the caller vouches.
    let shift = map(unsafe { column_maxima(x, axis, width) }, shift_of);
    let mut sum = [T::ZERO; LANES];
    for row in 0..axis.size {
        // SAFETY: as above.
        let x = unsafe { load(x.add(row * axis.inner), 0, width, T::LOWEST) };
        sum = zip(sum, zip(x, shift, |x, shift| x - shift), |sum, x| sum + x.exp::<M>());
    }
    zip(shift, sum, |shift, sum| shift + sum.log::<M>())
}
