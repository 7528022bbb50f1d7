//! Comparison and choice.

use std::marker::PhantomData;

use gyrus_graph::ops::elementwise::Direction;

use super::{Apply, BlockFunction, Lane, Map};
use crate::isa::Isa;
use crate::math::{MulAdd, version, version_up_to_avx2};

macro_rules! relation {
    ($lane:expr, $isa:expr, $scalar:expr, |$a:ident, $b:ident| $body:expr) => {{
        struct Function<T, const B: bool>(PhantomData<T>);
        impl<T: Copy + Default + PartialOrd + 'static, const B: bool> Map for Function<T, B> {
            type A = T;
            type B = T;
            type C = ();
            type Output = u8;
            const SCALAR: [bool; 3] = [false, B, false];
            #[inline(always)]
            fn map<M: MulAdd>($a: T, $b: T, _: ()) -> u8 {
                ($body) as u8
            }
        }
        match ($lane, $scalar) {
            (Lane::U8, false) => version_up_to_avx2::<Apply<Function<u8, false>>>($isa),
            (Lane::U8, true) => version_up_to_avx2::<Apply<Function<u8, true>>>($isa),
            (Lane::I32, false) => version_up_to_avx2::<Apply<Function<i32, false>>>($isa),
            (Lane::I32, true) => version_up_to_avx2::<Apply<Function<i32, true>>>($isa),
            (Lane::I64, false) => version_up_to_avx2::<Apply<Function<i64, false>>>($isa),
            (Lane::I64, true) => version_up_to_avx2::<Apply<Function<i64, true>>>($isa),
            (Lane::F64, false) => version_up_to_avx2::<Apply<Function<f64, false>>>($isa),
            (Lane::F64, true) => version_up_to_avx2::<Apply<Function<f64, true>>>($isa),
            (Lane::F32, false) => version::<Apply<Function<f32, false>>>($isa),
            (Lane::F32, true) => version::<Apply<Function<f32, true>>>($isa),
        }
    }};
}

/// The loop over a relation; `scalar` says whether the second operand is one element.
pub(in super::super) fn compare(direction: Direction, lane: Lane, scalar: bool, isa: Isa) -> BlockFunction {
    match direction {
        Direction::Eq => relation!(lane, isa, scalar, |a, b| a == b),
        Direction::Ne => relation!(lane, isa, scalar, |a, b| a != b),
        Direction::Lt => relation!(lane, isa, scalar, |a, b| a < b),
        Direction::Le => relation!(lane, isa, scalar, |a, b| a <= b),
        Direction::Gt => relation!(lane, isa, scalar, |a, b| a > b),
        Direction::Ge => relation!(lane, isa, scalar, |a, b| a >= b),
    }
}

struct Choice<T, const A: bool, const B: bool>(PhantomData<T>);

impl<T: Copy + Default + 'static, const A: bool, const B: bool> Map for Choice<T, A, B> {
    type A = u8;
    type B = T;
    type C = T;
    type Output = T;
    const SCALAR: [bool; 3] = [false, A, B];
    #[inline(always)]
    fn map<M: MulAdd>(condition: u8, a: T, b: T) -> T {
        if condition != 0 { a } else { b }
    }
}

/// The loop over the choice between elements of a lane; `scalar` says which of the two are one element.
pub(in super::super) fn select(lane: Lane, scalar: [bool; 2], isa: Isa) -> BlockFunction {
    fn of<T: Copy + Default + 'static>(scalar: [bool; 2], isa: Isa) -> BlockFunction {
        match scalar {
            [false, false] => version::<Apply<Choice<T, false, false>>>(isa),
            [false, true] => version::<Apply<Choice<T, false, true>>>(isa),
            [true, false] => version::<Apply<Choice<T, true, false>>>(isa),
            [true, true] => version::<Apply<Choice<T, true, true>>>(isa),
        }
    }
    match lane.size() {
        1 => of::<u8>(scalar, isa),
        4 => of::<u32>(scalar, isa),
        _ => of::<u64>(scalar, isa),
    }
}

struct Same<T>(PhantomData<T>);

impl<T: Copy + Default + 'static> Map for Same<T> {
    type A = T;
    type B = ();
    type C = ();
    type Output = T;
    const SCALAR: [bool; 3] = [true, false, false];
    #[inline(always)]
    fn map<M: MulAdd>(a: T, _: (), _: ()) -> T {
        a
    }
}

/// The loop that repeats one element.
pub(in super::super) fn fill(lane: Lane, isa: Isa) -> BlockFunction {
    match lane.size() {
        1 => version_up_to_avx2::<Apply<Same<u8>>>(isa),
        4 => version_up_to_avx2::<Apply<Same<u32>>>(isa),
        _ => version_up_to_avx2::<Apply<Same<u64>>>(isa),
    }
}
