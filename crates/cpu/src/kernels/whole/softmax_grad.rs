//! The gradient of softmax.

use std::marker::PhantomData;

use gyrus_graph::ops::whole::SoftmaxGrad;

use super::axis::{Axis, AxisArguments, AxisKernel, with_group};
use super::lanes::{Float, LANES, add_product, for_blocks, load, store, with_float, zip};
use crate::isa::Isa;
use crate::kernel::{Kernel, Signature};
use crate::math::{MulAdd, Multiversion, version};

pub(crate) fn kernel(op: &SoftmaxGrad, signature: &Signature) -> Option<Box<dyn Kernel>> {
    let spec = &signature.inputs[0];
    let axis = Axis::new(&spec.shape, op.axis);
    with_float!(spec.dtype, T => {
        Box::new(AxisKernel { axis, function: version::<SoftmaxGradLoop<T>>(Isa::get()), in_place: true })
    })
}

struct SoftmaxGradLoop<T>(PhantomData<T>);

impl<T: Float> Multiversion for SoftmaxGradLoop<T> {
    type Arguments = AxisArguments<T>;

    #[inline(always)]
    unsafe fn run<M: MulAdd>(arguments: AxisArguments<T>) {
        let AxisArguments { axis, range, inputs: [y, dy], output: dx } = arguments;
        for index in range {
            // SAFETY: row or group `index` lies in the operands, and so in the result.
            unsafe {
                if axis.inner == 1 {
                    let start = index * axis.size;
                    row::<T, M>(y.add(start), dy.add(start), dx.add(start), axis.size);
                } else {
                    with_group!(axis, index, (start, _, width) => {
                        columns::<T, M>(y.add(start), dy.add(start), dx.add(start), axis, width);
                    });
                }
            }
        }
    }
}

/// # Safety
/// All point to `size` elements.
#[inline(always)]
unsafe fn row<T: Float, M: MulAdd>(y: *const T, dy: *const T, dx: *mut T, size: usize) {
    // SAFETY: as the caller vouches.
    unsafe {
        let mut sum = [T::ZERO; LANES];
        for_blocks!(at in 0, size => {
            sum = add_product::<T, M>(sum, load(y, at, size, T::ZERO), load(dy, at, size, T::ZERO));
        });
        let sum = T::total_of::<M>(sum);
        for_blocks!(at in 0, size => {
            let (y, dy) = (load(y, at, size, T::ZERO), load(dy, at, size, T::ZERO));
            store(dx, at, size, zip(y, dy, |y, dy| y * (dy - sum)));
        });
    }
}

/// # Safety
/// All point to the first of `width` columns.
#[inline(always)]
unsafe fn columns<T: Float, M: MulAdd>(y: *const T, dy: *const T, dx: *mut T, axis: Axis, width: usize) {
    // SAFETY: as the caller vouches.
    unsafe {
        let mut sum = [T::ZERO; LANES];
        for row in (0..axis.size).map(|row| row * axis.inner) {
            let (y, dy) = (load(y.add(row), 0, width, T::ZERO), load(dy.add(row), 0, width, T::ZERO));
            sum = add_product::<T, M>(sum, y, dy);
        }
        for row in (0..axis.size).map(|row| row * axis.inner) {
            let (y, dy) = (load(y.add(row), 0, width, T::ZERO), load(dy.add(row), 0, width, T::ZERO));
            let centered = zip(dy, sum, |dy, sum| dy - sum);
            store(dx.add(row), 0, width, zip(y, centered, |a, b| a * b));
        }
    }
}
