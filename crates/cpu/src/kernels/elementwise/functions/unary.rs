//! Functions of one operand.

use std::marker::PhantomData;

use gyrus_graph::DType;
use gyrus_graph::ops::elementwise::Unary;

use super::chain::{self, X, single};
use super::integer::Integer;
use super::{Apply, BlockFunction, Lane, Map};
use crate::isa::Isa;
use crate::math::{MulAdd, Real, version, version_up_to_avx2};

/// The loop over a function of real numbers, of the same type or to `bool`; perhaps one that vectors of `f32` have by
/// themselves.
macro_rules! of_reals {
    ($lane:expr, $isa:expr, $output:ident, |$x:ident| $body:expr $(, rare $rare:expr)? $(, vectors $name:ident)?) => {{
        struct Function<T>(PhantomData<T>);
        impl<T: Real> Map for Function<T> {
            type A = T;
            type B = ();
            type C = ();
            type Output = $output!(T);
            const IS_LONG: bool = true;
            #[inline(always)]
            fn map<M: MulAdd>($x: T, _: (), _: ()) -> Self::Output { $body }
            $(
                const HAS_RARE: bool = true;
                #[inline(always)]
                fn is_rare($x: T) -> bool { !$x.in_trigonometric_range() }
                #[inline(always)]
                fn map_rare($x: T) -> T { $rare }
            )?
        }
        match $lane {
            Lane::F64 => version_up_to_avx2::<Apply<Function<f64>>>($isa),
            _ => of_f32!($isa, Function $(, $name)?),
        }
    }};
}

/// The loop over `f32`: that of a function that vectors have by themselves, if it is named.
macro_rules! of_f32 {
    ($isa:expr, $function:ident) => {
        version::<Apply<$function<f32>>>($isa)
    };
    ($isa:expr, $function:ident, $name:ident) => {
        single::<chain::$name<X<0>>>($isa)
    };
}

macro_rules! same {
    ($t:ident) => {
        $t
    };
}

macro_rules! truth {
    ($t:ident) => {
        u8
    };
}

/// The loop over a function of integers.
macro_rules! of_integers {
    ($lane:expr, $isa:expr, |$x:ident| $body:expr) => {{
        struct Function<T>(PhantomData<T>);
        impl<T: Integer> Map for Function<T> {
            type A = T;
            type B = ();
            type C = ();
            type Output = T;
            #[inline(always)]
            fn map<M: MulAdd>($x: T, _: (), _: ()) -> T {
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

struct NotTruth;

impl Map for NotTruth {
    type A = u8;
    type B = ();
    type C = ();
    type Output = u8;
    #[inline(always)]
    fn map<M: MulAdd>(x: u8, _: (), _: ()) -> u8 {
        x ^ 1
    }
}

/// The loop over a function of elements of `dtype`; `f16` and `bf16` are `f32`, not yet rounded.
pub(in super::super) fn unary(function: Unary, dtype: DType, isa: Isa) -> BlockFunction {
    let lane = Lane::of(dtype);
    if dtype == DType::Bool {
        return version_up_to_avx2::<Apply<NotTruth>>(isa);
    }
    if !dtype.is_float() {
        return match function {
            Unary::Abs => of_integers!(lane, isa, |x| x.wrapping_abs()),
            Unary::Neg => of_integers!(lane, isa, |x| T::default().wrapping_sub(x)),
            Unary::Sign => of_integers!(lane, isa, |x| x.signum()),
            Unary::Not => of_integers!(lane, isa, |x| x.not()),
            other => unreachable!("{other:?} of {dtype}"),
        };
    }
    match function {
        Unary::Abs => of_reals!(lane, isa, same, |x| x.abs()),
        Unary::Neg => of_reals!(lane, isa, same, |x| x.neg()),
        Unary::Sign => of_reals!(lane, isa, same, |x| x.sign()),
        Unary::Exp => of_reals!(lane, isa, same, |x| x.exp::<M>(), vectors Exp),
        Unary::Expm1 => of_reals!(lane, isa, same, |x| x.expm1::<M>()),
        Unary::Log => of_reals!(lane, isa, same, |x| x.log::<M>()),
        Unary::Log1p => of_reals!(lane, isa, same, |x| x.log1p::<M>()),
        Unary::Sqrt => of_reals!(lane, isa, same, |x| x.sqrt()),
        Unary::Rsqrt => of_reals!(lane, isa, same, |x| x.rsqrt()),
        Unary::Cbrt => of_reals!(lane, isa, same, |x| x.cbrt::<M>()),
        Unary::Sin => of_reals!(lane, isa, same, |x| x.sin::<M>(), rare x.slow_sin()),
        Unary::Cos => of_reals!(lane, isa, same, |x| x.cos::<M>(), rare x.slow_cos()),
        Unary::Tan => of_reals!(lane, isa, same, |x| x.tan::<M>(), rare x.slow_tan()),
        Unary::Tanh => of_reals!(lane, isa, same, |x| x.tanh::<M>(), vectors Tanh),
        Unary::Logistic => of_reals!(lane, isa, same, |x| x.logistic::<M>(), vectors Logistic),
        Unary::Erf => of_reals!(lane, isa, same, |x| x.erf::<M>(), vectors Erf),
        Unary::Gelu => of_reals!(lane, isa, same, |x| x.gelu::<M>(), vectors Gelu),
        Unary::GeluSlope => of_reals!(lane, isa, same, |x| x.gelu_slope::<M>(), vectors GeluSlope),
        Unary::Floor => of_reals!(lane, isa, same, |x| x.floor()),
        Unary::Ceil => of_reals!(lane, isa, same, |x| x.ceil()),
        Unary::Round => of_reals!(lane, isa, same, |x| x.round()),
        Unary::IsFinite => of_reals!(lane, isa, truth, |x| x.is_finite() as u8),
        Unary::Not => unreachable!("not of {dtype}"),
    }
}
