//! From run-time element types to Rust types.

use gyrus_graph::{DType, bf16, f16};

/// Evaluates an expression with `$T` standing for the Rust type of the elements of `$dtype`.
macro_rules! with_element {
    ($dtype:expr, $T:ident => $body:expr) => {{
        use gyrus_graph::DType;
        match $dtype {
            DType::Bool | DType::U8 => {
                type $T = u8;
                $body
            }
            DType::I32 => {
                type $T = i32;
                $body
            }
            DType::I64 => {
                type $T = i64;
                $body
            }
            DType::F16 => {
                type $T = gyrus_graph::f16;
                $body
            }
            DType::BF16 => {
                type $T = gyrus_graph::bf16;
                $body
            }
            DType::F32 => {
                type $T = f32;
                $body
            }
            DType::F64 => {
                type $T = f64;
                $body
            }
            other => unreachable!("{other}: not an element type of the CPU"),
        }
    }};
}

/// Evaluates an expression with `$T` standing for an unsigned integer as large as the elements of
/// `$dtype`, for kernels that only move them.
macro_rules! with_word {
    ($dtype:expr, $T:ident => $body:expr) => {
        match $dtype.size() {
            1 => {
                type $T = u8;
                $body
            }
            2 => {
                type $T = u16;
                $body
            }
            4 => {
                type $T = u32;
                $body
            }
            8 => {
                type $T = u64;
                $body
            }
            other => unreachable!("no element has {other} bytes"),
        }
    };
}

pub(crate) use {with_element, with_word};

/// The arithmetic of elements: `f16` and `bf16` by way of `f32`, integers wrap.
pub(crate) trait Arithmetic: Copy + PartialOrd + Send + Sync {
    fn is_nan(self) -> bool;
    fn add(self, other: Self) -> Self;
    fn mul(self, other: Self) -> Self;

    /// The lesser, NaN if one is.
    #[inline(always)]
    fn min(self, other: Self) -> Self {
        if self < other || self.is_nan() { self } else { other }
    }

    /// The greater, NaN if one is.
    #[inline(always)]
    fn max(self, other: Self) -> Self {
        if self > other || self.is_nan() { self } else { other }
    }
}

macro_rules! arithmetic {
    ($($type:ty: |$x:ident| $nan:expr, |$a:ident, $b:ident| $add:expr, $mul:expr;)*) => {$(
        impl Arithmetic for $type {
            #[inline(always)]
            fn is_nan(self) -> bool { let $x = self; $nan }
            #[inline(always)]
            fn add(self, other: Self) -> Self { let ($a, $b) = (self, other); $add }
            #[inline(always)]
            fn mul(self, other: Self) -> Self { let ($a, $b) = (self, other); $mul }
        }
    )*};
}

arithmetic! {
    u8: |_x| false, |a, b| a.wrapping_add(b), a.wrapping_mul(b);
    i32: |_x| false, |a, b| a.wrapping_add(b), a.wrapping_mul(b);
    i64: |_x| false, |a, b| a.wrapping_add(b), a.wrapping_mul(b);
    f16: |x| x.is_nan(), |a, b| f16::from_f32(a.to_f32() + b.to_f32()), f16::from_f32(a.to_f32() * b.to_f32());
    bf16: |x| x.is_nan(), |a, b| bf16::from_f32(a.to_f32() + b.to_f32()), bf16::from_f32(a.to_f32() * b.to_f32());
    f32: |x| x.is_nan(), |a, b| a + b, a * b;
    f64: |x| x.is_nan(), |a, b| a + b, a * b;
}

/// Reads an index of type `i32` or `i64`.
///
/// # Safety
/// `indices` points to more than `place` elements of `dtype`.
#[inline(always)]
pub(crate) unsafe fn read_index(indices: *const u8, dtype: DType, place: usize) -> i64 {
    // SAFETY: as the caller vouches.
    unsafe {
        match dtype {
            DType::I32 => *indices.cast::<i32>().add(place) as i64,
            _ => *indices.cast::<i64>().add(place),
        }
    }
}
