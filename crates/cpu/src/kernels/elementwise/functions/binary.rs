//! Functions of two operands.

use std::marker::PhantomData;

use gyrus_graph::DType;
use gyrus_graph::ops::elementwise::Binary;

use super::float::{max, min, rem};
use super::integer::Integer;
use super::{Apply, BlockFunction, Lane, Map};
use crate::isa::Isa;
use crate::math::{MulAdd, Real, version, version_up_to_avx2};

/// The loop over a function of real numbers, where at most one operand is a scalar.
macro_rules! of_reals {
    ($lane:expr, $isa:expr, $scalar:expr, |$a:ident, $b:ident| $body:expr) => {{
        struct Function<T, const A: bool, const B: bool>(PhantomData<T>);
        impl<T: Real + super::float::Arithmetic, const A: bool, const B: bool> Map for Function<T, A, B> {
            type A = T;
            type B = T;
            type C = ();
            type Output = T;
            const SCALAR: [bool; 3] = [A, B, false];
            #[inline(always)]
            fn map<M: MulAdd>($a: T, $b: T, _: ()) -> T {
                $body
            }
        }
        match ($lane, $scalar) {
            (Lane::F64, [false, false]) => version_up_to_avx2::<Apply<Function<f64, false, false>>>($isa),
            (Lane::F64, [true, _]) => version_up_to_avx2::<Apply<Function<f64, true, false>>>($isa),
            (Lane::F64, [_, true]) => version_up_to_avx2::<Apply<Function<f64, false, true>>>($isa),
            (_, [false, false]) => version::<Apply<Function<f32, false, false>>>($isa),
            (_, [true, _]) => version::<Apply<Function<f32, true, false>>>($isa),
            (_, [_, true]) => version::<Apply<Function<f32, false, true>>>($isa),
        }
    }};
}

/// The loop over a function of real numbers that takes no scalars.
macro_rules! of_real_blocks {
    ($lane:expr, $isa:expr, |$a:ident, $b:ident| $body:expr) => {{
        struct Function<T>(PhantomData<T>);
        impl<T: Real + super::float::Arithmetic> Map for Function<T> {
            type A = T;
            type B = T;
            type C = ();
            type Output = T;
            const IS_LONG: bool = true;
            #[inline(always)]
            fn map<M: MulAdd>($a: T, $b: T, _: ()) -> T {
                $body
            }
        }
        match $lane {
            Lane::F64 => version_up_to_avx2::<Apply<Function<f64>>>($isa),
            _ => version::<Apply<Function<f32>>>($isa),
        }
    }};
}

/// The loop over a function of integers.
macro_rules! of_integers {
    ($lane:expr, $isa:expr, |$a:ident, $b:ident| $body:expr) => {{
        struct Function<T>(PhantomData<T>);
        impl<T: Integer> Map for Function<T> {
            type A = T;
            type B = T;
            type C = ();
            type Output = T;
            #[inline(always)]
            fn map<M: MulAdd>($a: T, $b: T, _: ()) -> T {
                $body
            }
        }
        match $lane {
            Lane::U8 => version_up_to_avx2::<Apply<Function<u8>>>($isa),
            Lane::I32 => version_up_to_avx2::<Apply<Function<i32>>>($isa),
            _ => version_up_to_avx2::<Apply<Function<i64>>>($isa),
        }
    }};
}

/// The loop over a function of elements of `dtype`, of which those that `scalar` says are one element;
/// `None` if there is none for such scalars. `f16` and `bf16` are `f32`, not yet rounded.
pub(in super::super) fn binary(function: Binary, dtype: DType, scalar: [bool; 2], isa: Isa) -> Option<BlockFunction> {
    let lane = Lane::of(dtype);
    if scalar == [true, true] || (scalar != [false, false] && !takes_scalar(function, dtype)) {
        return None;
    }
    Some(if dtype.is_float() { of_reals(function, lane, scalar, isa) } else { of_integers(function, lane, isa) })
}

fn takes_scalar(function: Binary, dtype: DType) -> bool {
    use Binary::{Add, Div, Max, Min, Mul, Sub};
    dtype.is_float() && matches!(function, Add | Sub | Mul | Div | Max | Min)
}

fn of_reals(function: Binary, lane: Lane, scalar: [bool; 2], isa: Isa) -> BlockFunction {
    match function {
        Binary::Add => of_reals!(lane, isa, scalar, |a, b| a + b),
        Binary::Sub => of_reals!(lane, isa, scalar, |a, b| a - b),
        Binary::Mul => of_reals!(lane, isa, scalar, |a, b| a * b),
        Binary::Div => of_reals!(lane, isa, scalar, |a, b| a / b),
        Binary::Max => of_reals!(lane, isa, scalar, |a, b| max(a, b)),
        Binary::Min => of_reals!(lane, isa, scalar, |a, b| min(a, b)),
        Binary::Rem => of_real_blocks!(lane, isa, |a, b| rem(a, b)),
        Binary::Pow => of_real_blocks!(lane, isa, |a, b| a.pow::<M>(b)),
        Binary::Atan2 => of_real_blocks!(lane, isa, |a, b| a.atan2::<M>(b)),
        other => unreachable!("{other:?} of real numbers"),
    }
}

fn of_integers(function: Binary, lane: Lane, isa: Isa) -> BlockFunction {
    match function {
        Binary::Add => of_integers!(lane, isa, |a, b| a.wrapping_add(b)),
        Binary::Sub => of_integers!(lane, isa, |a, b| a.wrapping_sub(b)),
        Binary::Mul => of_integers!(lane, isa, |a, b| a.wrapping_mul(b)),
        Binary::Div => of_integers!(lane, isa, |a, b| a.div(b)),
        Binary::Rem => of_integers!(lane, isa, |a, b| a.rem(b)),
        Binary::Pow => of_integers!(lane, isa, |a, b| Integer::pow(a, b)),
        Binary::Max => of_integers!(lane, isa, |a, b| a.max(b)),
        Binary::Min => of_integers!(lane, isa, |a, b| a.min(b)),
        Binary::And => of_integers!(lane, isa, |a, b| a.and(b)),
        Binary::Or => of_integers!(lane, isa, |a, b| a.or(b)),
        Binary::Xor => of_integers!(lane, isa, |a, b| a.xor(b)),
        Binary::ShiftLeft => of_integers!(lane, isa, |a, b| a.shift_left(b)),
        Binary::ShiftRightLogical => of_integers!(lane, isa, |a, b| a.shift_right_logical(b)),
        Binary::ShiftRightArithmetic => of_integers!(lane, isa, |a, b| a.shift_right_arithmetic(b)),
        Binary::Atan2 => unreachable!("atan2 of integers"),
    }
}
