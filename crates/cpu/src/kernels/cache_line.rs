//! Lines of the cache, how to ask for them, for how many there is room, and when to write around them.

use std::sync::OnceLock;

/// Bytes of a line.
pub(crate) const LINE: usize = 64;

/// Results of at least so many bytes are written around the cache.
pub(crate) const MIN_STREAM: usize = 32 << 20;

/// Lets other threads see what was written around the cache.
pub(crate) fn fence() {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: all processors of the architecture have it.
    unsafe {
        std::arch::x86_64::_mm_sfence();
    }
}

/// Asks for a line that will be read soon; any address will do.
#[inline(always)]
pub(crate) fn prefetch<T>(_address: *const T) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: it reads nothing.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T0>(_address.cast());
    }
}

/// Asks for a line that will be read later, into the second-level cache; any address will do.
#[inline(always)]
pub(crate) fn prefetch_far<T>(_address: *const T) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: it reads nothing.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T1, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T1>(_address.cast());
    }
}

/// Bytes of a core's second-level cache: 0 if they are not known.
pub(crate) fn second_level_bytes() -> usize {
    // Where machines are virtual the question takes microseconds.
    static BYTES: OnceLock<usize> = OnceLock::new();
    *BYTES.get_or_init(|| {
        #[cfg(target_arch = "x86_64")]
        return (std::arch::x86_64::__cpuid(0x8000_0006).ecx as usize >> 16) << 10;
        #[cfg(not(target_arch = "x86_64"))]
        0
    })
}
