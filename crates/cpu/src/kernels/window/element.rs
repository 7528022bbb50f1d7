//! The elements that windows combine.

use gyrus_graph::ops::reduction::Extremum;
use gyrus_graph::{bf16, f16};

use super::super::elements::Arithmetic;
use super::tiles::TilesFunction;
#[cfg(target_arch = "x86_64")]
use super::tiles_avx512;
use crate::isa::Isa;
use crate::math::{Multiversion, version, version_of_baseline, version_up_to_avx2};

/// An element, and the type that it is combined in.
pub(super) trait Pooled: Copy + Send + Sync + 'static {
    /// `f32` for the narrower floating-point types.
    type Wide: Arithmetic + Default + 'static;
    /// Below which no number is.
    const LOWEST: Self::Wide;
    /// Above which no number is.
    const HIGHEST: Self::Wide;
    fn widen(self) -> Self::Wide;
    fn narrow(wide: Self::Wide) -> Self;

    /// A loop for an instruction set; of types that are seldom pooled there are fewer versions.
    fn version<K: Multiversion>(isa: Isa) -> unsafe fn(K::Arguments);

    /// The loops over tiles of two by two that find the extremum and give its gradient, if there are special ones.
    fn extrema_of_tiles(_isa: Isa, _extremum: Extremum) -> Option<[TilesFunction<Self>; 2]> {
        None
    }
}

/// The one version of a loop that is compiled for every processor.
fn only_version<K: Multiversion>(_isa: Isa) -> unsafe fn(K::Arguments) {
    version_of_baseline::<K>()
}

macro_rules! pooled {
    ($($type:ty: $wide:ty, $lowest:expr, $highest:expr, $version:ident, |$x:ident| $widen:expr, $narrow:expr $(, $special:item)?;)*) => {$(
        impl Pooled for $type {
            type Wide = $wide;
            const LOWEST: $wide = $lowest;
            const HIGHEST: $wide = $highest;
            #[inline(always)]
            fn widen(self) -> $wide { let $x = self; $widen }
            #[inline(always)]
            fn narrow($x: $wide) -> $type { $narrow }
            fn version<K: Multiversion>(isa: Isa) -> unsafe fn(K::Arguments) { $version::<K>(isa) }
            $($special)?
        }
    )*};
}

pooled! {
    u8: u8, u8::MIN, u8::MAX, only_version, |x| x, x;
    i32: i32, i32::MIN, i32::MAX, only_version, |x| x, x;
    i64: i64, i64::MIN, i64::MAX, only_version, |x| x, x;
    f16: f32, f32::NEG_INFINITY, f32::INFINITY, version_up_to_avx2, |x| x.to_f32(), f16::from_f32(x);
    bf16: f32, f32::NEG_INFINITY, f32::INFINITY, version_up_to_avx2, |x| x.to_f32(), bf16::from_f32(x);
    f32: f32, f32::NEG_INFINITY, f32::INFINITY, version, |x| x, x, fn extrema_of_tiles(isa: Isa, extremum: Extremum) -> Option<[TilesFunction<Self>; 2]> {
        match (isa, extremum) {
            #[cfg(target_arch = "x86_64")]
            (Isa::Avx512, Extremum::Max) => Some([tiles_avx512::extrema::<true>, tiles_avx512::extrema_grad::<true>]),
            #[cfg(target_arch = "x86_64")]
            (Isa::Avx512, Extremum::Min) => Some([tiles_avx512::extrema::<false>, tiles_avx512::extrema_grad::<false>]),
            _ => None,
        }
    };
    f64: f64, f64::NEG_INFINITY, f64::INFINITY, version_up_to_avx2, |x| x, x;
}

/// An order of which windows seek the first.
pub(super) trait Order: 'static {
    /// Whether `a` is before `b`; false if one is NaN.
    fn is_before<T: Arithmetic>(a: T, b: T) -> bool;
    /// What is before no number.
    fn last<T: Pooled>() -> T::Wide;

    /// Whether `a` is chosen, which is seen after `b`: a NaN before all numbers.
    #[inline(always)]
    fn precedes<T: Arithmetic>(a: T, b: T) -> bool {
        Self::is_before(a, b) | (a.is_nan() & !b.is_nan())
    }

    /// The one that is before the other, NaN if one is.
    #[inline(always)]
    fn first<T: Arithmetic>(a: T, b: T) -> T {
        if Self::is_before(a, b) || a.is_nan() { a } else { b }
    }
}

/// From the greatest to the least.
pub(super) struct Falling;

/// From the least to the greatest.
pub(super) struct Rising;

impl Order for Falling {
    #[inline(always)]
    fn is_before<T: Arithmetic>(a: T, b: T) -> bool {
        a > b
    }
    fn last<T: Pooled>() -> T::Wide {
        T::LOWEST
    }
}

impl Order for Rising {
    #[inline(always)]
    fn is_before<T: Arithmetic>(a: T, b: T) -> bool {
        a < b
    }
    fn last<T: Pooled>() -> T::Wide {
        T::HIGHEST
    }
}
