//! Softmax.

use std::marker::PhantomData;

use gyrus_graph::ops::whole::Softmax;

use super::axis::{Axis, AxisArguments, AxisKernel, with_group};
use super::lanes::{Float, LANES, Lanes, for_blocks, greatest, larger, load, map, store, with_float, zip};
use crate::isa::Isa;
use crate::kernel::{Kernel, Signature};
use crate::math::{MulAdd, Multiversion, version};

pub(crate) fn kernel(op: &Softmax, signature: &Signature) -> Option<Box<dyn Kernel>> {
    let spec = &signature.inputs[0];
    let axis = Axis::new(&spec.shape, op.axis);
    with_float!(spec.dtype, T => {
        Box::new(AxisKernel { axis, function: version::<SoftmaxLoop<T>>(Isa::get()), in_place: true })
    })
}

struct SoftmaxLoop<T>(PhantomData<T>);

impl<T: Float> Multiversion for SoftmaxLoop<T> {
    type Arguments = AxisArguments<T>;

    #[inline(always)]
    unsafe fn run<M: MulAdd>(arguments: AxisArguments<T>) {
        let AxisArguments { axis, range, inputs: [x, _], output: y } = arguments;
        for index in range {
            // SAFETY: row or group `index` lies in the operand, and so in the result.
            unsafe {
                if axis.inner == 1 {
                    let start = index * axis.size;
                    row::<T, M>(x.add(start), y.add(start), axis.size);
                } else {
                    with_group!(axis, index, (start, _, width) => columns::<T, M>(x.add(start), y.add(start), axis, width));
                }
            }
        }
    }
}

/// # Safety
/// Both point to `size` elements.
#[inline(always)]
unsafe fn row<T: Float, M: MulAdd>(x: *const T, y: *mut T, size: usize) {
    // SAFETY: as the caller vouches.
    unsafe {
        let (_, sum) = exponentials::<T, M>(x, y, size);
        let factor = T::ONE / sum;
        for_blocks!(at in 0, size => {
            store(y, at, size, map(load(y, at, size, T::ZERO), |e| e * factor));
        });
    }
}

/// The greatest element of a row, -infinity of none; NaN may be overlooked.
///
/// # Safety
/// `x` points to `size` elements.
#[inline(always)]
pub(super) unsafe fn maximum<T: Float>(x: *const T, size: usize) -> T {
    let mut most = [T::LOWEST; LANES];
    for_blocks!(at in 0, size => {
        // SAFETY: as the caller vouches.
        most = zip(unsafe { load(x, at, size, T::LOWEST) }, most, larger);
    });
    greatest(most)
}

/// Writes `exp(x - max x)` of a row, and returns the maximum and their sum.
///
/// # Safety
/// Both point to `size` elements.
#[inline(always)]
pub(super) unsafe fn exponentials<T: Float, M: MulAdd>(x: *const T, y: *mut T, size: usize) -> (T, T) {
    // SAFETY: as the caller vouches.
    unsafe {
        let shift = maximum(x, size);
        let mut sum = [T::ZERO; LANES];
        for_blocks!(at in 0, size => {
            let e = map(load(x, at, size, T::LOWEST), |x| (x - shift).exp::<M>());
            sum = zip(sum, e, |a, b| a + b);
            store(y, at, size, e);
        });
        (shift, T::total_of::<M>(sum))
    }
}

/// # Safety
/// Both point to the first of `width` columns.
#[inline(always)]
unsafe fn columns<T: Float, M: MulAdd>(x: *const T, y: *mut T, axis: Axis, width: usize) {
    let Axis { size, inner, .. } = axis;
    // SAFETY: as the caller vouches.
    unsafe {
        let factor = map(column_exponentials::<T, M>(x, y, axis, width), |sum| T::ONE / sum);
        for row in 0..size {
            let e = load(y.add(row * inner), 0, width, T::ZERO);
            store(y.add(row * inner), 0, width, zip(e, factor, |e, factor| e * factor));
        }
    }
}

/// As [`exponentials`], of neighbouring columns.
///
/// # Safety
/// Both point to the first of `width` columns.
#[inline(always)]
pub(super) unsafe fn column_exponentials<T: Float, M: MulAdd>(
    x: *const T,
    y: *mut T,
    axis: Axis,
    width: usize,
) -> Lanes<T> {
    let Axis { size, inner, .. } = axis;
    // SAFETY: as the caller vouches.
    unsafe {
        let shift = column_maxima(x, axis, width);
        let mut sum: Lanes<T> = [T::ZERO; LANES];
        for row in 0..size {
            let shifted = zip(load(x.add(row * inner), 0, width, T::LOWEST), shift, |x, shift| x - shift);
            let e = map(shifted, |x| x.exp::<M>());
            sum = zip(sum, e, |a, b| a + b);
            store(y.add(row * inner), 0, width, e);
        }
        sum
    }
}

/// The greatest elements of neighbouring columns.
///
/// # Safety
/// `x` points to the first of `width` columns.
#[inline(always)]
pub(super) unsafe fn column_maxima<T: Float>(x: *const T, axis: Axis, width: usize) -> Lanes<T> {
    let mut most = [T::LOWEST; LANES];
    for row in 0..axis.size {
        // SAFETY: as the caller vouches.
        most = zip(unsafe { load(x.add(row * axis.inner), 0, width, T::LOWEST) }, most, larger);
    }
    most
}
