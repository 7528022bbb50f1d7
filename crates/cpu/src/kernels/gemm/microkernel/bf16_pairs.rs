//! Pairs of `bf16`, of which AVX512-BF16 multiplies two and adds both products to an `f32` at once.
//!
//! The instruction takes numbers below the smallest normal one as zeros, and gives no others.

use std::arch::x86_64::*;

use gyrus_graph::bf16;

use super::super::target::{Row, write_row};
use super::avx512::F32x16;
use super::{Gather, PackArguments, Vector};
use crate::kernels::cache_line::{LINE, prefetch};
use crate::kernels::gemm::pack::DEPTHS_AHEAD;
use crate::math::{MulAdd, Multiversion, version_with_bf16};

/// Sixteen `f32`: sums, or factors of which each is two `bf16`.
#[derive(Clone, Copy)]
pub(crate) struct PairsX16(F32x16);

#[inline(always)]
fn as_pairs(vector: F32x16) -> __m512bh {
    // SAFETY: both are 512 bits of any kind.
    unsafe { std::mem::transmute::<F32x16, __m512bh>(vector) }
}

// SAFETY of all blocks: the trait's functions are called on processors with the instruction set only, and
// with pointers to as many elements as lanes are read or written.
impl Vector for PairsX16 {
    type Element = f32;
    const LANES: usize = 16;

    #[inline(always)]
    unsafe fn splat(value: f32) -> Self {
        // SAFETY: as above.
        PairsX16(unsafe { F32x16::splat(value) })
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: as above.
        PairsX16(unsafe { F32x16::load(from) })
    }
    #[inline(always)]
    unsafe fn load_first(from: *const f32, count: usize) -> Self {
        // SAFETY: as above.
        PairsX16(unsafe { F32x16::load_first(from, count) })
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: as above.
        unsafe { self.0.store(to) }
    }
    #[inline(always)]
    unsafe fn store_first(self, to: *mut f32, count: usize) {
        // SAFETY: as above.
        unsafe { self.0.store_first(to, count) }
    }
    #[inline(always)]
    unsafe fn mul_add<M: MulAdd>(self, b: Self, c: Self) -> Self {
        // SAFETY: as above.
        PairsX16(unsafe { F32x16::from(_mm512_dpbf16_ps(c.0.into(), as_pairs(self.0), as_pairs(b.0))) })
    }
    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        // SAFETY: as above.
        PairsX16(unsafe { self.0.add(other.0) })
    }
    fn version<K: Multiversion>() -> unsafe fn(K::Arguments) {
        version_with_bf16::<K>()
    }
}

/// Packs neighbouring lines of `bf16` in pairs of depths; the last depth's partner is 0 where their number is odd.
pub(super) struct Interleave;

impl Multiversion for Interleave {
    type Arguments = PackArguments<bf16>;

    #[inline(always)]
    unsafe fn run<M: MulAdd>(arguments: PackArguments<bf16>) {
        // SAFETY: as the caller vouches; the lanes are within the lines.
        unsafe { interleave(arguments, |from, lanes| _mm256_maskz_loadu_epi16(lanes, from.cast())) }
    }
}

/// The same of `f32`, which are rounded.
pub(super) struct RoundAndInterleave;

impl Multiversion for RoundAndInterleave {
    type Arguments = PackArguments<f32>;

    #[inline(always)]
    unsafe fn run<M: MulAdd>(arguments: PackArguments<f32>) {
        // SAFETY: as the caller vouches; the lanes are within the lines.
        unsafe { interleave(arguments, |from, lanes| round(_mm512_maskz_loadu_ps(lanes, from))) }
    }
}

/// Sixteen numbers as `bf16`, the nearest, ties to even.
#[inline(always)]
unsafe fn round(numbers: __m512) -> __m256i {
    // SAFETY: as the caller vouches, the processor has the instruction; both types are 256 bits of any kind.
    unsafe { std::mem::transmute::<__m256bh, __m256i>(_mm512_cvtneps_pbh(numbers)) }
}

/// # Safety
/// As `Panels::pack`; `load` reads the lanes that it is given.
#[inline(always)]
unsafe fn interleave<S>(arguments: PackArguments<S>, load: impl Fn(*const S, u16) -> __m256i) {
    let PackArguments { from, along, count, width, depth, to, stride, .. } = arguments;
    for pair in 0..depth.div_ceil(2) {
        let first = from.wrapping_offset(2 * pair as isize * along);
        let second = first.wrapping_offset(along);
        let to = to.cast::<f32>().wrapping_add(pair * width);
        for at in (0..count).step_by(LINE / size_of::<S>()) {
            for row in [first, second] {
                let coming = row.wrapping_offset(DEPTHS_AHEAD * along).wrapping_add(at);
                prefetch(coming);
            }
        }
        for (panel, line) in (0..count).step_by(width).enumerate() {
            let to = to.wrapping_add(panel * stride);
            for at in (0..width).step_by(16) {
                let lanes = ((1u32 << (count - line).min(width).saturating_sub(at).min(16)) - 1) as u16;
                let second_lanes = if 2 * pair + 1 < depth { lanes } else { 0 };
                // SAFETY: as `Panels::pack` was promised: only the lines' own elements are read; what is written beyond
                // a row of the panel is written again with the next row, or is padding.
                unsafe {
                    let first = load(first.wrapping_add(line + at), lanes);
                    let second = load(second.wrapping_add(line + at), second_lanes);
                    let second = _mm512_slli_epi32::<16>(_mm512_cvtepu16_epi32(second));
                    let pairs = _mm512_or_si512(_mm512_cvtepu16_epi32(first), second);
                    _mm512_storeu_si512(to.wrapping_add(at).cast(), pairs);
                }
            }
        }
    }
}

/// Brings elements together.
pub(super) struct GatherElements;

impl Multiversion for GatherElements {
    type Arguments = Gather<bf16>;

    #[inline(always)]
    unsafe fn run<M: MulAdd>(gather: Gather<bf16>) {
        for index in 0..gather.count {
            // SAFETY: as the caller vouches, the elements lie at both places.
            unsafe { *gather.to.add(index) = *gather.from.offset(index as isize * gather.along) }
        }
    }
}

/// Brings elements together, rounded.
pub(super) struct RoundElements;

impl Multiversion for RoundElements {
    type Arguments = Gather<f32>;

    #[inline(always)]
    unsafe fn run<M: MulAdd>(gather: Gather<f32>) {
        let Gather { from, along, count, to } = gather;
        for at in (0..count).step_by(16) {
            let some = (count - at).min(16);
            let lanes = ((1u32 << some) - 1) as u16;
            // SAFETY: as the caller vouches, `count` elements lie at both places.
            unsafe {
                let numbers = if along == 1 {
                    _mm512_maskz_loadu_ps(lanes, from.add(at))
                } else {
                    let mut together = [0.0f32; 16];
                    for (index, number) in together.iter_mut().enumerate().take(some) {
                        *number = *from.offset((at + index) as isize * along);
                    }
                    _mm512_loadu_ps(together.as_ptr())
                };
                _mm256_mask_storeu_epi16(to.add(at).cast(), lanes, round(numbers));
            }
        }
    }
}

/// Writes a row of sums as `bf16`.
pub(super) struct Round;

impl Multiversion for Round {
    type Arguments = Row<f32>;

    #[inline(always)]
    unsafe fn run<M: MulAdd>(row: Row<f32>) {
        if row.stride != 1 || row.accumulate {
            // SAFETY: as the caller vouches.
            return unsafe { write_row::<bf16, f32>(row) };
        }
        for at in (0..row.len).step_by(16) {
            let lanes = ((1u32 << (row.len - at).min(16)) - 1) as u16;
            // SAFETY: as the caller vouches, `len` elements lie at both places: no others are read or written.
            unsafe {
                let sums = _mm512_maskz_loadu_ps(lanes, row.from.wrapping_add(at));
                let rounded = std::mem::transmute::<__m256bh, __m256i>(_mm512_cvtneps_pbh(sums));
                _mm256_mask_storeu_epi16(row.c.cast::<i16>().wrapping_add(at), lanes, rounded);
            }
        }
    }
}
