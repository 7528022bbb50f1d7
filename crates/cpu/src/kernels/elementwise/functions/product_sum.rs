//! Functions of a product, to which a term is added: neighbours in many programs, done without the ways to and
//! from the cache between them.

use std::marker::PhantomData;

use gyrus_graph::ops::elementwise::Unary;

use super::{Apply, BlockFunction, Map};
use crate::isa::Isa;
use crate::math::{MulAdd, Real, version};

/// A function of `f32`.
trait Inner: 'static {
    fn of<M: MulAdd>(x: f32) -> f32;
}

/// The product itself.
struct Identity;
struct Erf;
struct Tanh;

impl Inner for Identity {
    #[inline(always)]
    fn of<M: MulAdd>(x: f32) -> f32 {
        x
    }
}

impl Inner for Erf {
    #[inline(always)]
    fn of<M: MulAdd>(x: f32) -> f32 {
        Real::erf::<M>(x)
    }
}

impl Inner for Tanh {
    #[inline(always)]
    fn of<M: MulAdd>(x: f32) -> f32 {
        Real::tanh::<M>(x)
    }
}

struct ProductSum<F, const B: bool, const C: bool>(PhantomData<F>);

impl<F: Inner, const B: bool, const C: bool> Map for ProductSum<F, B, C> {
    type A = f32;
    type B = f32;
    type C = f32;
    type Output = f32;
    const SCALAR: [bool; 3] = [false, B, C];
    #[inline(always)]
    fn map<M: MulAdd>(a: f32, b: f32, c: f32) -> f32 {
        // Each rounds, as in steps of their own.
        F::of::<M>(a * b) + c
    }
}

/// Whether there is a loop for a function of a product of a block and a scalar, and a scalar to add.
pub(in super::super) fn has_product_sum(function: Unary) -> bool {
    matches!(function, Unary::Erf | Unary::Tanh)
}

/// The loop over `function(a * b) + c` of `f32`, or `a * b + c`; `scalar` says whether `b` and `c` are one
/// element, as with a function both are.
pub(in super::super) fn product_sum(function: Option<Unary>, scalar: [bool; 2], isa: Isa) -> BlockFunction {
    match (function, scalar) {
        (Some(Unary::Erf), _) => version::<Apply<ProductSum<Erf, true, true>>>(isa),
        (Some(Unary::Tanh), _) => version::<Apply<ProductSum<Tanh, true, true>>>(isa),
        (Some(other), _) => unreachable!("{other:?} has no such loop"),
        (None, [false, false]) => version::<Apply<ProductSum<Identity, false, false>>>(isa),
        (None, [false, true]) => version::<Apply<ProductSum<Identity, false, true>>>(isa),
        (None, [true, false]) => version::<Apply<ProductSum<Identity, true, false>>>(isa),
        (None, [true, true]) => version::<Apply<ProductSum<Identity, true, true>>>(isa),
    }
}
