//! Sums of the lanes of vectors, many at a time.

use std::marker::PhantomData;

use crate::kernels::gemm::microkernel::{MAX_LANES, Vector};
use crate::kernels::gemm::number::{Number, VectorLoop};
use crate::math::{MulAdd, Multiversion};

/// Vectors, of each of which the lanes are summed.
#[derive(Clone, Copy)]
pub(super) struct Vectors<T> {
    pub(super) from: *const T,
    pub(super) count: usize,
    /// May overlap `from`, if both begin at the same place.
    pub(super) to: *mut T,
}

/// Sums the lanes of each vector.
pub(super) struct SumLanes<V>(PhantomData<V>);

impl<T: Number> VectorLoop<T> for SumLanes<T> {
    type Arguments = Vectors<T>;
    type Of<V: Vector<Element = T>> = SumLanes<V>;
}

impl<V: Vector> Multiversion for SumLanes<V> {
    type Arguments = Vectors<V::Element>;

    #[inline(always)]
    unsafe fn run<M: MulAdd>(Vectors { from, count, to }: Vectors<V::Element>) {
        for first in (0..count).step_by(V::LANES) {
            let rows = V::LANES.min(count - first);
            let mut lanes = [[V::Element::default(); MAX_LANES]; MAX_LANES];
            // SAFETY: as the caller vouches; what is written has been read before.
            unsafe {
                let from = from.add(first * V::LANES);
                V::transpose(|row| from.add(row * V::LANES), rows, V::LANES, lanes[0].as_mut_ptr(), MAX_LANES);
                let mut sum = V::load(lanes[0].as_ptr());
                for lane in &lanes[1..V::LANES] {
                    sum = sum.add(V::load(lane.as_ptr()));
                }
                sum.store_first(to.add(first), rows);
            }
        }
    }
}
