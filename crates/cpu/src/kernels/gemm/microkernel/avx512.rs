//! Vectors of 512 bits.

use std::arch::x86_64::*;

use super::Vector;
use super::round_pairs::{pairs_abreast, pairs_of_neighbours};
use crate::math::{MulAdd, Multiversion, version_with_avx512};

/// Sixteen `f32`.
#[derive(Clone, Copy)]
pub(crate) struct F32x16(__m512);

impl From<__m512> for F32x16 {
    #[inline(always)]
    fn from(vector: __m512) -> Self {
        F32x16(vector)
    }
}

impl From<F32x16> for __m512 {
    #[inline(always)]
    fn from(vector: F32x16) -> Self {
        vector.0
    }
}

/// Eight `f64`.
#[derive(Clone, Copy)]
pub(crate) struct F64x8(__m512d);

#[inline(always)]
fn first(count: usize) -> u32 {
    (1u32 << count.min(31)).wrapping_sub(1)
}

// SAFETY of all blocks: the trait's functions are called on processors with the instruction set only, and
// with pointers to as many elements as lanes are read or written.
impl Vector for F32x16 {
    type Element = f32;
    const LANES: usize = 16;
    const MULTIPLIES_BY_MEMORY: bool = true;

    fn version<K: Multiversion>() -> unsafe fn(K::Arguments) {
        version_with_avx512::<K>()
    }

    #[inline(always)]
    unsafe fn splat(value: f32) -> Self {
        // SAFETY: as above.
        F32x16(unsafe { _mm512_set1_ps(value) })
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: as above.
        F32x16(unsafe { _mm512_loadu_ps(from) })
    }
    #[inline(always)]
    unsafe fn load_first(from: *const f32, count: usize) -> Self {
        // SAFETY: as above.
        F32x16(unsafe { _mm512_maskz_loadu_ps(first(count) as u16, from) })
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: as above.
        unsafe { _mm512_storeu_ps(to, self.0) }
    }
    #[inline(always)]
    unsafe fn store_around(self, to: *mut f32) {
        // SAFETY: as above.
        unsafe { _mm512_stream_ps(to, self.0) }
    }
    #[inline(always)]
    unsafe fn store_first(self, to: *mut f32, count: usize) {
        // SAFETY: as above.
        unsafe { _mm512_mask_storeu_ps(to, first(count) as u16, self.0) }
    }
    #[inline(always)]
    unsafe fn mul_add<M: MulAdd>(self, b: Self, c: Self) -> Self {
        // SAFETY: as above.
        F32x16(unsafe { _mm512_fmadd_ps(self.0, b.0, c.0) })
    }
    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        // SAFETY: as above.
        F32x16(unsafe { _mm512_add_ps(self.0, other.0) })
    }
    #[inline(always)]
    unsafe fn neighbours(self, next: Self) -> Self {
        // SAFETY: as above.
        F32x16(unsafe { _mm512_castsi512_ps(pairs_of_neighbours(self.0, next.0)) })
    }
    #[inline(always)]
    unsafe fn abreast(self, other: Self) -> Self {
        // SAFETY: as above.
        F32x16(unsafe { _mm512_castsi512_ps(pairs_abreast(self.0, other.0)) })
    }
    #[inline(always)]
    unsafe fn permute(self, lanes: *const u32) -> Self {
        // SAFETY: as above.
        F32x16(unsafe { _mm512_permutexvar_ps(_mm512_loadu_epi32(lanes.cast()), self.0) })
    }
    #[inline(always)]
    unsafe fn transpose(from: impl Fn(usize) -> *const f32, rows: usize, cols: usize, to: *mut f32, to_stride: usize) {
        // SAFETY: as above; rows beyond `rows` are not read, those of the result beyond `cols` not written.
        unsafe {
            let mut r = [_mm512_setzero_ps(); 16];
            let mask = first(cols) as u16;
            for (row, vector) in r.iter_mut().enumerate() {
                if row < rows {
                    *vector = _mm512_maskz_loadu_ps(mask, from(row));
                }
            }
            let mut t = r;
            for i in 0..8 {
                t[2 * i] = _mm512_unpacklo_ps(r[2 * i], r[2 * i + 1]);
                t[2 * i + 1] = _mm512_unpackhi_ps(r[2 * i], r[2 * i + 1]);
            }
            for i in 0..4 {
                for j in 0..2 {
                    let (a, b) = (_mm512_castps_pd(t[4 * i + j]), _mm512_castps_pd(t[4 * i + j + 2]));
                    r[4 * i + 2 * j] = _mm512_castpd_ps(_mm512_unpacklo_pd(a, b));
                    r[4 * i + 2 * j + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(a, b));
                }
            }
            // Each vector now holds, in its quarters, columns `j`, `4 + j`, `8 + j`, `12 + j` of four rows.
            for j in 0..4 {
                t[j] = _mm512_shuffle_f32x4::<0x88>(r[j], r[4 + j]);
                t[4 + j] = _mm512_shuffle_f32x4::<0xdd>(r[j], r[4 + j]);
                t[8 + j] = _mm512_shuffle_f32x4::<0x88>(r[8 + j], r[12 + j]);
                t[12 + j] = _mm512_shuffle_f32x4::<0xdd>(r[8 + j], r[12 + j]);
            }
            for j in 0..4 {
                r[j] = _mm512_shuffle_f32x4::<0x88>(t[j], t[8 + j]);
                r[8 + j] = _mm512_shuffle_f32x4::<0xdd>(t[j], t[8 + j]);
                r[4 + j] = _mm512_shuffle_f32x4::<0x88>(t[4 + j], t[12 + j]);
                r[12 + j] = _mm512_shuffle_f32x4::<0xdd>(t[4 + j], t[12 + j]);
            }
            let mask = first(rows) as u16;
            for (col, vector) in r.iter().enumerate() {
                if col < cols {
                    _mm512_mask_storeu_ps(to.add(col * to_stride), mask, *vector);
                }
            }
        }
    }
}

// SAFETY of all blocks: as above.
impl Vector for F64x8 {
    type Element = f64;
    const LANES: usize = 8;
    const MULTIPLIES_BY_MEMORY: bool = true;

    fn version<K: Multiversion>() -> unsafe fn(K::Arguments) {
        version_with_avx512::<K>()
    }

    #[inline(always)]
    unsafe fn splat(value: f64) -> Self {
        // SAFETY: as above.
        F64x8(unsafe { _mm512_set1_pd(value) })
    }
    #[inline(always)]
    unsafe fn load(from: *const f64) -> Self {
        // SAFETY: as above.
        F64x8(unsafe { _mm512_loadu_pd(from) })
    }
    #[inline(always)]
    unsafe fn load_first(from: *const f64, count: usize) -> Self {
        // SAFETY: as above.
        F64x8(unsafe { _mm512_maskz_loadu_pd(first(count) as u8, from) })
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f64) {
        // SAFETY: as above.
        unsafe { _mm512_storeu_pd(to, self.0) }
    }
    #[inline(always)]
    unsafe fn store_around(self, to: *mut f64) {
        // SAFETY: as above.
        unsafe { _mm512_stream_pd(to, self.0) }
    }
    #[inline(always)]
    unsafe fn store_first(self, to: *mut f64, count: usize) {
        // SAFETY: as above.
        unsafe { _mm512_mask_storeu_pd(to, first(count) as u8, self.0) }
    }
    #[inline(always)]
    unsafe fn mul_add<M: MulAdd>(self, b: Self, c: Self) -> Self {
        // SAFETY: as above.
        F64x8(unsafe { _mm512_fmadd_pd(self.0, b.0, c.0) })
    }
    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        // SAFETY: as above.
        F64x8(unsafe { _mm512_add_pd(self.0, other.0) })
    }
}
