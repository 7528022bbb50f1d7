//! Vectors of 128 bits.

use std::arch::aarch64::*;

use super::Vector;
use crate::math::{MulAdd, Multiversion, version_of_baseline};

/// Four `f32`.
#[derive(Clone, Copy)]
pub(crate) struct F32x4(float32x4_t);

/// Two `f64`.
#[derive(Clone, Copy)]
pub(crate) struct F64x2(float64x2_t);

macro_rules! vector {
    ($vector:ident, $type:ty, $lanes:expr, $splat:ident, $load:ident, $store:ident, $mul_add:ident, $add:ident) => {
        // SAFETY of all blocks: every processor of the architecture has the instructions, and pointers are to
        // as many elements as lanes are read or written.
        impl Vector for $vector {
            type Element = $type;
            const LANES: usize = $lanes;

            fn version<K: Multiversion>() -> unsafe fn(K::Arguments) {
                version_of_baseline::<K>()
            }

            #[inline(always)]
            unsafe fn splat(value: $type) -> Self {
                // SAFETY: as above.
                $vector(unsafe { $splat(value) })
            }
            #[inline(always)]
            unsafe fn load(from: *const $type) -> Self {
                // SAFETY: as above.
                $vector(unsafe { $load(from) })
            }
            #[inline(always)]
            unsafe fn load_first(from: *const $type, count: usize) -> Self {
                let mut lanes: [$type; $lanes] = [0.0; $lanes];
                for (lane, value) in lanes.iter_mut().enumerate().take(count) {
                    // SAFETY: as above.
                    *value = unsafe { *from.add(lane) };
                }
                // SAFETY: as above.
                $vector(unsafe { $load(lanes.as_ptr()) })
            }
            #[inline(always)]
            unsafe fn store(self, to: *mut $type) {
                // SAFETY: as above.
                unsafe { $store(to, self.0) }
            }
            #[inline(always)]
            unsafe fn store_first(self, to: *mut $type, count: usize) {
                let mut lanes: [$type; $lanes] = [0.0; $lanes];
                // SAFETY: as above.
                unsafe { $store(lanes.as_mut_ptr(), self.0) };
                for (lane, value) in lanes.into_iter().enumerate().take(count) {
                    // SAFETY: as above.
                    unsafe { *to.add(lane) = value };
                }
            }
            #[inline(always)]
            unsafe fn mul_add<M: MulAdd>(self, b: Self, c: Self) -> Self {
                // SAFETY: as above.
                $vector(unsafe { $mul_add(c.0, self.0, b.0) })
            }
            #[inline(always)]
            unsafe fn add(self, other: Self) -> Self {
                // SAFETY: as above.
                $vector(unsafe { $add(self.0, other.0) })
            }
        }
    };
}

vector!(F32x4, f32, 4, vdupq_n_f32, vld1q_f32, vst1q_f32, vfmaq_f32, vaddq_f32);
vector!(F64x2, f64, 2, vdupq_n_f64, vld1q_f64, vst1q_f64, vfmaq_f64, vaddq_f64);
