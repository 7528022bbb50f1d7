//! Stores past the cache.
//!
//! An ordinary store first brings the line that it writes to into the cache. A result that is larger than the
//! cache will not be found there by who reads it: written around the cache, it costs one transfer, not two.

use super::{Block, BlockFunction, Lane};

/// Bytes of a line of the cache.
pub(in super::super) const LINE: usize = 64;

/// The loop that writes a block of registers around the cache; [`fence`] ends it.
pub(in super::super) fn stream(lane: Lane) -> BlockFunction {
    match lane.size() {
        1 => copy::<1>,
        4 => copy::<4>,
        _ => copy::<8>,
    }
}

/// # Safety
/// As [`BlockFunction`], for elements of `SIZE` bytes.
#[cfg(target_arch = "x86_64")]
unsafe fn copy<const SIZE: usize>(block: Block) {
    use std::arch::x86_64::{_mm_loadu_ps, _mm_stream_ps};
    let Block { n, dst, operands: [src, ..] } = block;
    let bytes = n * SIZE;
    let head = dst.align_offset(LINE).min(bytes);
    let body = (bytes - head) / LINE * LINE;
    // SAFETY: as the caller vouches; the stores are aligned.
    unsafe {
        dst.copy_from_nonoverlapping(src, head);
        for place in (head..head + body).step_by(LINE) {
            for place in (place..place + LINE).step_by(16) {
                _mm_stream_ps(dst.add(place).cast(), _mm_loadu_ps(src.add(place).cast()));
            }
        }
        dst.add(head + body).copy_from_nonoverlapping(src.add(head + body), bytes - head - body);
    }
}

/// # Safety
/// As [`BlockFunction`], for elements of `SIZE` bytes.
#[cfg(not(target_arch = "x86_64"))]
unsafe fn copy<const SIZE: usize>(block: Block) {
    let Block { n, dst, operands: [src, ..] } = block;
    // SAFETY: as the caller vouches.
    unsafe { dst.copy_from_nonoverlapping(src, n * SIZE) }
}

/// Asks for a line that will be read soon; any address will do.
#[inline(always)]
pub(in super::super) fn prefetch(_address: *const u8) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: it reads nothing.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T0>(_address.cast());
    }
}

/// Lets other threads see what was written.
pub(in super::super) fn fence() {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: all processors of the architecture have it.
    unsafe {
        std::arch::x86_64::_mm_sfence();
    }
}
