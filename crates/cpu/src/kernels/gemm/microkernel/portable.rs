//! Vectors of any processor: arrays that the compiler keeps in registers.

use super::{Number, Vector};
use crate::math::{MulAdd, Multiversion, version_of_baseline};

/// An array as a vector.
#[derive(Clone, Copy)]
pub(crate) struct Lanes<T, const N: usize>([T; N]);

impl<T: Number, const N: usize> Vector for Lanes<T, N> {
    type Element = T;
    const LANES: usize = N;

    fn version<K: Multiversion>() -> unsafe fn(K::Arguments) {
        version_of_baseline::<K>()
    }

    #[inline(always)]
    unsafe fn splat(value: T) -> Self {
        Lanes([value; N])
    }

    #[inline(always)]
    unsafe fn load(from: *const T) -> Self {
        // SAFETY: as the caller vouches.
        Lanes(unsafe { from.cast::<[T; N]>().read_unaligned() })
    }

    #[inline(always)]
    unsafe fn load_first(from: *const T, count: usize) -> Self {
        let mut lanes = [T::default(); N];
        for (lane, value) in lanes.iter_mut().enumerate().take(count) {
            // SAFETY: as the caller vouches.
            *value = unsafe { *from.add(lane) };
        }
        Lanes(lanes)
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut T) {
        // SAFETY: as the caller vouches.
        unsafe { to.cast::<[T; N]>().write_unaligned(self.0) }
    }

    #[inline(always)]
    unsafe fn store_first(self, to: *mut T, count: usize) {
        for (lane, value) in self.0.into_iter().enumerate().take(count) {
            // SAFETY: as the caller vouches.
            unsafe { *to.add(lane) = value }
        }
    }

    #[inline(always)]
    unsafe fn mul_add<M: MulAdd>(self, b: Self, c: Self) -> Self {
        let mut result = c.0;
        for (lane, value) in result.iter_mut().enumerate() {
            *value = self.0[lane].mul_add::<M>(b.0[lane], *value);
        }
        Lanes(result)
    }

    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        let mut result = self.0;
        for (lane, value) in result.iter_mut().enumerate() {
            *value = value.add(other.0[lane]);
        }
        Lanes(result)
    }
}
