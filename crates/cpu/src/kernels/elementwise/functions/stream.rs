//! Stores past the cache.
//!
//! An ordinary store first brings the line that it writes to into the cache. A result that is larger than the
//! cache will not be found there by who reads it: written around the cache, it costs one transfer, not two.

use super::{Block, BlockFunction, Lane};
use crate::isa::Isa;
#[cfg(target_arch = "x86_64")]
use crate::kernels::cache_line::LINE;

/// The loop that writes a block of registers around the cache; [`fence`](crate::kernels::cache_line::fence) ends it.
pub(in super::super) fn stream(lane: Lane, isa: Isa) -> BlockFunction {
    match lane.size() {
        1 => copy::<1>(isa),
        4 => copy::<4>(isa),
        _ => copy::<8>(isa),
    }
}

/// The loop for elements of `SIZE` bytes.
fn copy<const SIZE: usize>(isa: Isa) -> BlockFunction {
    match isa {
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512 => copy_vectors_of_512_bits::<SIZE>,
        #[cfg(target_arch = "x86_64")]
        _ => copy_vectors_of_128_bits::<SIZE>,
        #[cfg(not(target_arch = "x86_64"))]
        _ => copy_as_usual::<SIZE>,
    }
}

/// # Safety
/// As [`BlockFunction`], for elements of `SIZE` bytes; the processor has the instructions.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
unsafe fn copy_vectors_of_512_bits<const SIZE: usize>(block: Block) {
    use std::arch::x86_64::{_mm512_loadu_ps, _mm512_stream_ps};
    // SAFETY: as the caller vouches; lines are aligned.
    unsafe { copy_lines::<SIZE>(block, |dst, src| _mm512_stream_ps(dst.cast(), _mm512_loadu_ps(src.cast()))) }
}

/// # Safety
/// As [`BlockFunction`], for elements of `SIZE` bytes.
#[cfg(target_arch = "x86_64")]
unsafe fn copy_vectors_of_128_bits<const SIZE: usize>(block: Block) {
    use std::arch::x86_64::{_mm_loadu_ps, _mm_stream_ps};
    let copy_line = |dst: *mut u8, src: *const u8| {
        for place in (0..LINE).step_by(16) {
            // SAFETY: as the caller vouches; lines are aligned.
            unsafe { _mm_stream_ps(dst.add(place).cast(), _mm_loadu_ps(src.add(place).cast())) }
        }
    };
    // SAFETY: as the caller vouches.
    unsafe { copy_lines::<SIZE>(block, copy_line) }
}

/// Copies a block, whole lines of its target with `copy_line(to, from)`.
///
/// # Safety
/// As [`BlockFunction`], for elements of `SIZE` bytes.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
unsafe fn copy_lines<const SIZE: usize>(block: Block, copy_line: impl Fn(*mut u8, *const u8)) {
    let Block { n, dst, operands: [src, ..] } = block;
    let bytes = n * SIZE;
    let head = dst.align_offset(LINE).min(bytes);
    let body = (bytes - head) / LINE * LINE;
    // SAFETY: as the caller vouches.
    unsafe {
        dst.copy_from_nonoverlapping(src, head);
        for place in (head..head + body).step_by(LINE) {
            copy_line(dst.add(place), src.add(place));
        }
        dst.add(head + body).copy_from_nonoverlapping(src.add(head + body), bytes - head - body);
    }
}

/// # Safety
/// As [`BlockFunction`], for elements of `SIZE` bytes.
#[cfg(not(target_arch = "x86_64"))]
unsafe fn copy_as_usual<const SIZE: usize>(block: Block) {
    let Block { n, dst, operands: [src, ..] } = block;
    // SAFETY: as the caller vouches.
    unsafe { dst.copy_from_nonoverlapping(src, n * SIZE) }
}

/// Whether vectors of the instruction set can be written around the cache from registers, a line at a time.
#[cfg(target_arch = "x86_64")]
pub(super) fn streams(isa: Isa) -> bool {
    isa == Isa::Avx512
}

/// As on x86-64: no vectors can.
#[cfg(not(target_arch = "x86_64"))]
pub(super) fn streams(_isa: Isa) -> bool {
    false
}
