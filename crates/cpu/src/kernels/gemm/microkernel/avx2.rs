//! Vectors of 256 bits.

use std::arch::x86_64::*;

use super::Vector;
use crate::math::{MulAdd, Multiversion, version_with_avx2};

/// Eight `f32`.
#[derive(Clone, Copy)]
pub(crate) struct F32x8(__m256);

/// Four `f64`.
#[derive(Clone, Copy)]
pub(crate) struct F64x4(__m256d);

/// Ones in the first of the lanes when read from `8 - count` on.
static FIRST: [i32; 16] = [-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0];
static FIRST_OF_4: [i64; 8] = [-1, -1, -1, -1, 0, 0, 0, 0];

// SAFETY of all blocks: the trait's functions are called on processors with the instruction set only, and
// with pointers to as many elements as lanes are read or written.
impl Vector for F32x8 {
    type Element = f32;
    const LANES: usize = 8;

    fn version<K: Multiversion>() -> unsafe fn(K::Arguments) {
        version_with_avx2::<K>()
    }

    #[inline(always)]
    unsafe fn splat(value: f32) -> Self {
        // SAFETY: as above.
        F32x8(unsafe { _mm256_set1_ps(value) })
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: as above.
        F32x8(unsafe { _mm256_loadu_ps(from) })
    }
    #[inline(always)]
    unsafe fn load_first(from: *const f32, count: usize) -> Self {
        // SAFETY: as above; the mask lies within its array.
        unsafe {
            let mask = _mm256_loadu_si256(FIRST.as_ptr().add(8 - count.min(8)).cast());
            F32x8(_mm256_maskload_ps(from, mask))
        }
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: as above.
        unsafe { _mm256_storeu_ps(to, self.0) }
    }
    #[inline(always)]
    unsafe fn store_first(self, to: *mut f32, count: usize) {
        // SAFETY: as above; the mask lies within its array.
        unsafe {
            let mask = _mm256_loadu_si256(FIRST.as_ptr().add(8 - count.min(8)).cast());
            _mm256_maskstore_ps(to, mask, self.0)
        }
    }
    #[inline(always)]
    unsafe fn mul_add<M: MulAdd>(self, b: Self, c: Self) -> Self {
        // SAFETY: as above.
        F32x8(unsafe { _mm256_fmadd_ps(self.0, b.0, c.0) })
    }
    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        // SAFETY: as above.
        F32x8(unsafe { _mm256_add_ps(self.0, other.0) })
    }
    #[inline(always)]
    unsafe fn permute(self, lanes: *const u32) -> Self {
        // SAFETY: as above.
        F32x8(unsafe { _mm256_permutevar8x32_ps(self.0, _mm256_loadu_si256(lanes.cast())) })
    }
    #[inline(always)]
    unsafe fn transpose(from: impl Fn(usize) -> *const f32, rows: usize, cols: usize, to: *mut f32, to_stride: usize) {
        // SAFETY: as above; rows beyond `rows` are not read, those of the result beyond `cols` not written.
        unsafe {
            let mut r = [_mm256_setzero_ps(); 8];
            for (row, vector) in r.iter_mut().enumerate() {
                if row < rows {
                    let from = from(row);
                    *vector = if cols == 8 { F32x8::load(from) } else { F32x8::load_first(from, cols) }.0;
                }
            }
            let mut t = r;
            for i in 0..4 {
                t[2 * i] = _mm256_unpacklo_ps(r[2 * i], r[2 * i + 1]);
                t[2 * i + 1] = _mm256_unpackhi_ps(r[2 * i], r[2 * i + 1]);
            }
            for i in 0..2 {
                for j in 0..2 {
                    let (a, b) = (t[4 * i + j], t[4 * i + j + 2]);
                    r[4 * i + 2 * j] = _mm256_shuffle_ps::<0x44>(a, b);
                    r[4 * i + 2 * j + 1] = _mm256_shuffle_ps::<0xee>(a, b);
                }
            }
            // Each vector now holds, in its halves, columns `j` and `4 + j` of four rows.
            for j in 0..4 {
                t[j] = _mm256_permute2f128_ps::<0x20>(r[j], r[4 + j]);
                t[4 + j] = _mm256_permute2f128_ps::<0x31>(r[j], r[4 + j]);
            }
            for (col, vector) in t.into_iter().enumerate() {
                let to = to.wrapping_add(col * to_stride);
                if col < cols {
                    // A masked store may take ten times as long.
                    if rows == 8 { F32x8(vector).store(to) } else { F32x8(vector).store_first(to, rows) }
                }
            }
        }
    }
}

// SAFETY of all blocks: as above.
impl Vector for F64x4 {
    type Element = f64;
    const LANES: usize = 4;

    fn version<K: Multiversion>() -> unsafe fn(K::Arguments) {
        version_with_avx2::<K>()
    }

    #[inline(always)]
    unsafe fn splat(value: f64) -> Self {
        // SAFETY: as above.
        F64x4(unsafe { _mm256_set1_pd(value) })
    }
    #[inline(always)]
    unsafe fn load(from: *const f64) -> Self {
        // SAFETY: as above.
        F64x4(unsafe { _mm256_loadu_pd(from) })
    }
    #[inline(always)]
    unsafe fn load_first(from: *const f64, count: usize) -> Self {
        // SAFETY: as above; the mask lies within its array.
        unsafe {
            let mask = _mm256_loadu_si256(FIRST_OF_4.as_ptr().add(4 - count.min(4)).cast());
            F64x4(_mm256_maskload_pd(from, mask))
        }
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f64) {
        // SAFETY: as above.
        unsafe { _mm256_storeu_pd(to, self.0) }
    }
    #[inline(always)]
    unsafe fn store_first(self, to: *mut f64, count: usize) {
        // SAFETY: as above; the mask lies within its array.
        unsafe {
            let mask = _mm256_loadu_si256(FIRST_OF_4.as_ptr().add(4 - count.min(4)).cast());
            _mm256_maskstore_pd(to, mask, self.0)
        }
    }
    #[inline(always)]
    unsafe fn mul_add<M: MulAdd>(self, b: Self, c: Self) -> Self {
        // SAFETY: as above.
        F64x4(unsafe { _mm256_fmadd_pd(self.0, b.0, c.0) })
    }
    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        // SAFETY: as above.
        F64x4(unsafe { _mm256_add_pd(self.0, other.0) })
    }
}
