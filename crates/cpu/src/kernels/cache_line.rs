//! Lines of the cache, and how to ask for them.

/// Bytes of a line.
pub(crate) const LINE: usize = 64;

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
