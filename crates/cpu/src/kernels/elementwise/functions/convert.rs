//! Change of element type, and rounding to the types that are computed in `f32`.

use std::marker::PhantomData;

use gyrus_graph::{DType, bf16, f16};

use super::{Apply, Block, BlockFunction, Lane, Map};
use crate::isa::Isa;
use crate::math::{MulAdd, Multiversion, version, version_up_to_avx2};

/// Conversion between lanes as Rust's `as` does it: floats to integers drop the fraction and saturate,
/// integers wrap.
trait Cast<To>: Copy + Default + PartialEq + 'static {
    fn cast(self) -> To;
}

macro_rules! casts {
    ($from:ident to $($to:ident)*) => {$(
        impl Cast<$to> for $from {
            #[inline(always)]
            fn cast(self) -> $to { self as $to }
        }
    )*};
}

casts! { u8 to u8 i32 i64 f32 f64 }
casts! { i32 to u8 i32 i64 f32 f64 }
casts! { i64 to u8 i32 i64 f32 f64 }
casts! { f32 to u8 i32 i64 f32 f64 }
casts! { f64 to u8 i32 i64 f32 f64 }

struct As<From, To>(PhantomData<(From, To)>);

impl<From: Cast<To>, To: Copy + Default + 'static> Map for As<From, To> {
    type A = From;
    type B = ();
    type C = ();
    type Output = To;
    #[inline(always)]
    fn map<M: MulAdd>(x: From, _: (), _: ()) -> To {
        x.cast()
    }
}

struct IsNotZero<From>(PhantomData<From>);

impl<From: Copy + Default + PartialEq + 'static> Map for IsNotZero<From> {
    type A = From;
    type B = ();
    type C = ();
    type Output = u8;
    #[inline(always)]
    fn map<M: MulAdd>(x: From, _: (), _: ()) -> u8 {
        (x != From::default()) as u8
    }
}

/// To a type narrower than `f32`, in one rounding, kept as `f32`.
struct Narrow<From, To>(PhantomData<(From, To)>);

macro_rules! narrow {
    ($($to:ident)*) => {$(
        impl<From: Cast<f64>> Map for Narrow<From, $to> {
            type A = From;
            type B = ();
            type C = ();
            type Output = f32;
            #[inline(always)]
            fn map<M: MulAdd>(x: From, _: (), _: ()) -> f32 {
                $to::from_f64(x.cast()).to_f32()
            }
        }
    )*};
}

narrow! { f16 bf16 }

/// The loop that converts registers from one type to another.
pub(in super::super) fn convert(from: DType, to: DType, isa: Isa) -> BlockFunction {
    match Lane::of(from) {
        Lane::U8 => convert_from::<u8>(to, isa),
        Lane::I32 => convert_from::<i32>(to, isa),
        Lane::I64 => convert_from::<i64>(to, isa),
        Lane::F32 => match to {
            DType::BF16 => version::<Apply<RoundedBf16>>(isa),
            DType::F16 => round_f16_apart,
            _ => convert_from::<f32>(to, isa),
        },
        Lane::F64 => convert_from::<f64>(to, isa),
    }
}

fn convert_from<T>(to: DType, isa: Isa) -> BlockFunction
where
    T: Cast<u8> + Cast<i32> + Cast<i64> + Cast<f32> + Cast<f64>,
{
    match to {
        DType::Bool => version_up_to_avx2::<Apply<IsNotZero<T>>>(isa),
        DType::U8 => version_up_to_avx2::<Apply<As<T, u8>>>(isa),
        DType::I32 => version_up_to_avx2::<Apply<As<T, i32>>>(isa),
        DType::I64 => version_up_to_avx2::<Apply<As<T, i64>>>(isa),
        DType::F16 => version_up_to_avx2::<Apply<Narrow<T, f16>>>(isa),
        DType::BF16 => version_up_to_avx2::<Apply<Narrow<T, bf16>>>(isa),
        DType::F32 => version_up_to_avx2::<Apply<As<T, f32>>>(isa),
        _ => version_up_to_avx2::<Apply<As<T, f64>>>(isa),
    }
}

/// The bits of `x` rounded to `bf16`, halves to even, in the upper half.
#[inline(always)]
fn bf16_bits(x: f32) -> u32 {
    let bits = x.to_bits();
    let rounded = bits.wrapping_add(0x7fff + ((bits >> 16) & 1));
    // A NaN stays one: its quiet bit is set.
    if bits & 0x7fff_ffff > 0x7f80_0000 { bits | 0x0040_0000 } else { rounded }
}

struct RoundedBf16;

impl Map for RoundedBf16 {
    type A = f32;
    type B = ();
    type C = ();
    type Output = f32;
    #[inline(always)]
    fn map<M: MulAdd>(x: f32, _: (), _: ()) -> f32 {
        f32::from_bits(bf16_bits(x) & 0xffff_0000)
    }
}

struct StoredBf16;

impl Map for StoredBf16 {
    type A = f32;
    type B = ();
    type C = ();
    type Output = u16;
    #[inline(always)]
    fn map<M: MulAdd>(x: f32, _: (), _: ()) -> u16 {
        (bf16_bits(x) >> 16) as u16
    }
}

/// Rounds `dst` to `bf16` in place.
struct RoundBf16;

impl Multiversion for RoundBf16 {
    type Arguments = Block;
    #[inline(always)]
    unsafe fn run<M: MulAdd>(block: Block) {
        // SAFETY: the caller vouches for `n` elements at `dst`.
        let elements = unsafe { std::slice::from_raw_parts_mut(block.dst.cast::<f32>(), block.n) };
        for x in elements {
            *x = f32::from_bits(bf16_bits(*x) & 0xffff_0000);
        }
    }
}

/// The loop that rounds registers of `dtype` in place; `None` where they hold what memory does.
pub(in super::super) fn round(dtype: DType, isa: Isa) -> Option<BlockFunction> {
    match dtype {
        DType::F16 => Some(round_f16),
        DType::BF16 => Some(version::<RoundBf16>(isa)),
        _ => None,
    }
}

/// The loop that writes registers of `dtype` to memory.
pub(in super::super) fn store(dtype: DType, isa: Isa) -> BlockFunction {
    match dtype {
        DType::F16 => store_f16,
        DType::BF16 => version::<Apply<StoredBf16>>(isa),
        _ => match dtype.size() {
            1 => copy::<u8>,
            4 => copy::<u32>,
            _ => copy::<u64>,
        },
    }
}

unsafe fn copy<T>(block: Block) {
    // SAFETY: both are valid for `n` elements; they may be the same place.
    unsafe { std::ptr::copy(block.operands[0].cast::<T>(), block.dst.cast::<T>(), block.n) }
}

unsafe fn store_f16(block: Block) {
    use half::slice::HalfFloatSliceExt;
    // SAFETY: the caller vouches for `n` elements at both places, which do not overlap.
    unsafe {
        let from = std::slice::from_raw_parts(block.operands[0].cast::<f32>(), block.n);
        std::slice::from_raw_parts_mut(block.dst.cast::<f16>(), block.n).convert_from_f32_slice(from);
    }
}

unsafe fn round_f16(block: Block) {
    use half::slice::HalfFloatSliceExt;
    // SAFETY: the caller vouches for `n` elements at `dst`.
    let elements = unsafe { std::slice::from_raw_parts_mut(block.dst.cast::<f32>(), block.n) };
    let mut rounded = [f16::ZERO; 256];
    for chunk in elements.chunks_mut(256) {
        let rounded = &mut rounded[..chunk.len()];
        rounded.convert_from_f32_slice(chunk);
        rounded.convert_to_f32_slice(chunk);
    }
}

unsafe fn round_f16_apart(block: Block) {
    // SAFETY: the caller vouches for `n` elements at both places.
    unsafe {
        copy::<f32>(block);
        round_f16(block);
    }
}
