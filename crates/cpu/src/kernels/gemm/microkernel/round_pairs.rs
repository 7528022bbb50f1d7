//! Numbers rounded to `bf16`, in pairs of neighbours along an axis.

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::*;

#[cfg(target_arch = "x86_64")]
use crate::math::{MulAdd, Multiversion};

/// Some neighbouring elements of what is made of an array `[outer, depth, inner]`.
#[derive(Clone, Copy)]
#[cfg_attr(not(target_arch = "x86_64"), allow(dead_code, reason = "only instructions on pairs need them"))]
pub(crate) struct RoundArguments {
    /// The whole array.
    pub(crate) from: *const f32,
    pub(crate) depth: usize,
    pub(crate) inner: usize,
    /// The first element of the result that is written, and how many are.
    pub(crate) first: usize,
    pub(crate) count: usize,
    /// The whole result.
    pub(crate) to: *mut f32,
}

/// Makes `[outer, ceil(depth / 2), inner]` pairs, each of two neighbouring depths; the last depth's partner is 0 where
/// their number is odd.
#[cfg(target_arch = "x86_64")]
pub(super) struct RoundPairs;

#[cfg(target_arch = "x86_64")]
impl Multiversion for RoundPairs {
    type Arguments = RoundArguments;

    #[inline(always)]
    unsafe fn run<M: MulAdd>(arguments: RoundArguments) {
        let RoundArguments { from, depth, inner, first, count, to } = arguments;
        let (pairs, end) = (depth.div_ceil(2), first + count);
        let mut at = first;
        // SAFETY: as the caller vouches, the elements lie within both arrays: no others are read or written.
        unsafe {
            if inner == 1 {
                let (mut outer, mut pair) = (first / pairs, first % pairs);
                while at < end {
                    let len = (pairs - pair).min(end - at);
                    neighbours(from.add(outer * depth + 2 * pair), (2 * len).min(depth - 2 * pair), to.add(at));
                    (outer, pair, at) = (outer + 1, 0, at + len);
                }
                return;
            }
            let (row, mut column) = (first / inner, first % inner);
            let (mut outer, mut pair) = (row / pairs, row % pairs);
            while at < end {
                let len = (inner - column).min(end - at);
                let from = from.add((outer * depth + 2 * pair) * inner + column);
                let partner = if 2 * pair + 1 < depth { from.wrapping_add(inner) } else { std::ptr::null() };
                lines(from, partner, len, to.add(at));
                (pair, column, at) = (pair + 1, 0, at + len);
                if pair == pairs {
                    (outer, pair) = (outer + 1, 0);
                }
            }
        }
    }
}

/// A mask of the first lanes, of which there are at most 16.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn lanes(count: usize) -> u16 {
    ((1u32 << count.min(16)) - 1) as u16
}

/// Thirty-two numbers as pairs of neighbours, the nearest `bf16`, ties to even.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
pub(super) unsafe fn pairs_of_neighbours(low: __m512, high: __m512) -> __m512i {
    // SAFETY: as the caller vouches, the processor has the instruction; both types are 512 bits of any kind.
    unsafe { std::mem::transmute::<__m512bh, __m512i>(_mm512_cvtne2ps_pbh(high, low)) }
}

/// The same, as pairs of one number of each.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
pub(super) unsafe fn pairs_abreast(low: __m512, high: __m512) -> __m512i {
    // SAFETY: as the caller vouches.
    unsafe {
        // Of each lane's two numbers, the first is of the lower half and the second of the upper one.
        let lane = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
        let upper = _mm512_slli_epi32::<16>(_mm512_add_epi32(lane, _mm512_set1_epi32(16)));
        _mm512_permutexvar_epi16(_mm512_or_si512(lane, upper), pairs_of_neighbours(low, high))
    }
}

/// Pairs of neighbours of a line of `len` elements.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
unsafe fn neighbours(from: *const f32, len: usize, to: *mut f32) {
    for at in (0..len).step_by(32) {
        let left = len - at;
        // SAFETY: as the caller vouches.
        unsafe {
            let low = _mm512_maskz_loadu_ps(lanes(left), from.wrapping_add(at));
            let high = _mm512_maskz_loadu_ps(lanes(left.saturating_sub(16)), from.wrapping_add(at + 16));
            let pairs = pairs_of_neighbours(low, high);
            _mm512_mask_storeu_epi32(to.wrapping_add(at / 2).cast(), lanes(left.div_ceil(2)), pairs);
        }
    }
}

/// Pairs of two lines of `len` elements, or of one and zeros.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
unsafe fn lines(from: *const f32, partner: *const f32, len: usize, to: *mut f32) {
    // SAFETY: as the caller vouches.
    unsafe {
        for at in (0..len).step_by(16) {
            let mask = lanes(len - at);
            let low = _mm512_maskz_loadu_ps(mask, from.wrapping_add(at));
            let high = _mm512_maskz_loadu_ps(if partner.is_null() { 0 } else { mask }, partner.wrapping_add(at));
            _mm512_mask_storeu_epi32(to.wrapping_add(at).cast(), mask, pairs_abreast(low, high));
        }
    }
}
