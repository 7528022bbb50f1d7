//! Functions of functions that come in many programs, as one loop: without the ways to and from the cache between them.
//!
//! A chain is written as a type, of which both the pattern that is looked for and the loop are made.

use std::array::from_fn;
use std::marker::PhantomData;

use gyrus_graph::ops::elementwise::{Binary, Direction, Unary};

use super::stream::streams;
use super::{Block, BlockFunction, MAX_OPERANDS, WIDTH};
use crate::isa::Isa;
use crate::kernels::cache_line::LINE;
use crate::math::{MulAdd, Multiversion, Reals, version};

/// What a chain looks like.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in super::super) enum Pattern {
    /// An operand with an element for each place. Where its number comes again, it is the same operand.
    Block(usize),
    /// An operand of one element.
    Scalar(usize),
    Unary(Unary, &'static Pattern),
    Binary(Binary, &'static Pattern, &'static Pattern),
    Compare(Direction, &'static Pattern, &'static Pattern),
    /// The choice by the first, a comparison.
    Select(&'static Pattern, &'static Pattern, &'static Pattern),
}

/// The loop over an expression by itself.
pub(super) fn single<E: Expression>(isa: Isa) -> BlockFunction {
    version::<Apply<E, false>>(isa)
}

/// A chain with its loop.
#[derive(Clone, Copy)]
pub(in super::super) struct Chain {
    pub(in super::super) pattern: Pattern,
    pub(in super::super) num_operands: usize,
    pub(in super::super) function: fn(Isa) -> BlockFunction,
    /// The same loop writing around the cache, where vectors can.
    pub(in super::super) streaming: fn(Isa) -> Option<BlockFunction>,
}

impl Chain {
    const fn new<E: Expression>() -> Chain {
        let num_operands = (u8::BITS - (E::BLOCKS | E::SCALARS).leading_zeros()) as usize;
        let streaming = |isa| streams(isa).then(|| version::<Apply<E, true>>(isa));
        Chain { pattern: E::PATTERN, num_operands, function: single::<E>, streaming }
    }
}

/// Whether a chain may write over an operand. All could, but loops of which the compiler makes the vectors would go element by
/// element.
pub(in super::super) fn chains_overwrite(isa: Isa) -> bool {
    streams(isa)
}

/// All chains, the longer ones before those that they contain.
pub(in super::super) const CHAINS: [Chain; 33] = [
    // Gaussian error linear units, also of what is scaled and shifted, and shifted themselves.
    Chain::new::<Add<Gelu<Add<Mul<X<0>, S<1>>, S<2>>>, S<3>>>(),
    Chain::new::<Gelu<Add<Mul<X<0>, S<1>>, S<2>>>>(),
    // Their gradient, also of what a bias is added to.
    Chain::new::<Mul<X<0>, GeluSlope<Add<X<1>, X<2>>>>>(),
    Chain::new::<Mul<X<0>, GeluSlope<X<1>>>>(),
    Chain::new::<Gelu<X<0>>>(),
    // Adam's mean square, its mean, and its step by the root of the one in the direction of the other, also from decayed
    // weights.
    Chain::new::<Add<Mul<X<0>, S<1>>, Mul<Mul<X<2>, X<2>>, S<3>>>>(),
    Chain::new::<Add<X<0>, Mul<Sub<X<1>, X<0>>, S<2>>>>(),
    Chain::new::<Sub<Mul<X<0>, S<1>>, Div<Mul<X<2>, S<3>>, Add<Mul<Sqrt<X<4>>, S<5>>, S<6>>>>>(),
    Chain::new::<Sub<X<0>, Div<Mul<X<1>, S<2>>, Add<Mul<Sqrt<X<3>>, S<4>>, S<5>>>>>(),
    // What follows a convolution: normalisation by known statistics, a bias or another branch, and then rectified or sigmoid
    // linear units.
    Chain::new::<Cut<Add<Shifted, X<3>>, 4, 5>>(),
    Chain::new::<Cut<Shifted, 3, 4>>(),
    Chain::new::<Cut<Add<X<0>, X<1>>, 2, 3>>(),
    Chain::new::<Mul<Shifted, Logistic<Shifted>>>(),
    Chain::new::<Add<Erf<Mul<X<0>, S<1>>>, S<2>>>(),
    Chain::new::<Add<Tanh<Mul<X<0>, S<1>>>, S<2>>>(),
    Chain::new::<Add<Mul<X<0>, S<1>>, S<2>>>(),
    Chain::new::<Add<Mul<X<0>, S<1>>, X<2>>>(),
    Chain::new::<Add<Mul<X<0>, X<1>>, S<2>>>(),
    Chain::new::<Shifted>(),
    Chain::new::<Sub<X<0>, Mul<X<1>, S<2>>>>(),
    Chain::new::<Sub<X<0>, Mul<X<1>, X<2>>>>(),
    // What is cut at both sides, leaky and other rectified linear units, and the gradient of these.
    Chain::new::<Select<Ge<Raised, S<2>>, S<2>, Raised>>(),
    Chain::new::<Select<Gt<X<0>, S<1>>, X<0>, Mul<X<0>, S<2>>>>(),
    Chain::new::<Cut<X<0>, 1, 2>>(),
    Chain::new::<Select<Le<X<0>, S<1>>, S<2>, X<3>>>(),
    // Sigmoid linear units.
    Chain::new::<Mul<X<0>, Logistic<X<0>>>>(),
    // What large results end with.
    Chain::new::<Exp<X<0>>>(),
    Chain::new::<Logistic<X<0>>>(),
    Chain::new::<Tanh<X<0>>>(),
    Chain::new::<Add<X<0>, S<1>>>(),
    Chain::new::<Mul<X<0>, S<1>>>(),
    Chain::new::<Add<X<0>, X<1>>>(),
    Chain::new::<Mul<X<0>, X<1>>>(),
];

/// What is cut below: where it is no more than an operand it is another one.
type Cut<E, const LEAST: usize, const INSTEAD: usize> = Select<Le<E, S<LEAST>>, S<INSTEAD>, E>;
/// What is cut below by an operand.
type Raised = Cut<X<0>, 1, 1>;
/// What is scaled and shifted.
type Shifted = Add<Mul<X<0>, X<1>>, X<2>>;

/// A function of `f32`, each step of which rounds, as if it was on its own.
pub(super) trait Expression: 'static {
    const PATTERN: Pattern;
    /// Which operands are blocks, and which are scalars, as bits.
    const BLOCKS: u8;
    const SCALARS: u8;

    fn of<V: Reals>(operands: [V; MAX_OPERANDS]) -> V;
}

/// An operand that is a block.
pub(super) struct X<const OPERAND: usize>;
/// An operand that is a scalar.
struct S<const OPERAND: usize>;

impl<const OPERAND: usize> Expression for X<OPERAND> {
    const PATTERN: Pattern = Pattern::Block(OPERAND);
    const BLOCKS: u8 = 1 << OPERAND;
    const SCALARS: u8 = 0;

    #[inline(always)]
    fn of<V: Reals>(operands: [V; MAX_OPERANDS]) -> V {
        operands[OPERAND]
    }
}

impl<const OPERAND: usize> Expression for S<OPERAND> {
    const PATTERN: Pattern = Pattern::Scalar(OPERAND);
    const BLOCKS: u8 = 0;
    const SCALARS: u8 = 1 << OPERAND;

    #[inline(always)]
    fn of<V: Reals>(operands: [V; MAX_OPERANDS]) -> V {
        operands[OPERAND]
    }
}

macro_rules! unary {
    ($($name:ident: $function:ident;)*) => {$(
        pub(super) struct $name<A>(PhantomData<A>);

        impl<A: Expression> Expression for $name<A> {
            const PATTERN: Pattern = Pattern::Unary(Unary::$name, &A::PATTERN);
            const BLOCKS: u8 = A::BLOCKS;
            const SCALARS: u8 = A::SCALARS;

            #[inline(always)]
            fn of<V: Reals>(operands: [V; MAX_OPERANDS]) -> V {
                A::of(operands).$function()
            }
        }
    )*};
}

macro_rules! binary {
    ($($name:ident: $operator:tt;)*) => {$(
        struct $name<A, B>(PhantomData<(A, B)>);

        impl<A: Expression, B: Expression> Expression for $name<A, B> {
            const PATTERN: Pattern = Pattern::Binary(Binary::$name, &A::PATTERN, &B::PATTERN);
            const BLOCKS: u8 = A::BLOCKS | B::BLOCKS;
            const SCALARS: u8 = A::SCALARS | B::SCALARS;

            #[inline(always)]
            fn of<V: Reals>(operands: [V; MAX_OPERANDS]) -> V {
                A::of(operands) $operator B::of(operands)
            }
        }
    )*};
}

/// A comparison of two expressions.
trait Condition: 'static {
    const PATTERN: Pattern;
    const BLOCKS: u8;
    const SCALARS: u8;

    fn of<V: Reals>(operands: [V; MAX_OPERANDS]) -> V::Truth;
}

macro_rules! condition {
    ($($name:ident: $function:ident;)*) => {$(
        struct $name<A, B>(PhantomData<(A, B)>);

        impl<A: Expression, B: Expression> Condition for $name<A, B> {
            const PATTERN: Pattern = Pattern::Compare(Direction::$name, &A::PATTERN, &B::PATTERN);
            const BLOCKS: u8 = A::BLOCKS | B::BLOCKS;
            const SCALARS: u8 = A::SCALARS | B::SCALARS;

            #[inline(always)]
            fn of<V: Reals>(operands: [V; MAX_OPERANDS]) -> V::Truth {
                A::of(operands).$function(B::of(operands))
            }
        }
    )*};
}

struct Select<C, A, B>(PhantomData<(C, A, B)>);

impl<C: Condition, A: Expression, B: Expression> Expression for Select<C, A, B> {
    const PATTERN: Pattern = Pattern::Select(&C::PATTERN, &A::PATTERN, &B::PATTERN);
    const BLOCKS: u8 = C::BLOCKS | A::BLOCKS | B::BLOCKS;
    const SCALARS: u8 = C::SCALARS | A::SCALARS | B::SCALARS;

    #[inline(always)]
    fn of<V: Reals>(operands: [V; MAX_OPERANDS]) -> V {
        V::select(C::of(operands), A::of(operands), B::of(operands))
    }
}

unary! {
    Sqrt: sqrt;
    Erf: erf;
    Exp: exp;
    Logistic: logistic;
    Tanh: tanh;
    Gelu: gelu;
    GeluSlope: gelu_slope;
}

binary! {
    Add: +;
    Sub: -;
    Mul: *;
    Div: /;
}

condition! {
    Le: le;
    Gt: gt;
    Ge: ge;
}

/// The loop over an expression, which may write around the cache.
struct Apply<E, const STREAMS: bool>(PhantomData<E>);

impl<E: Expression, const STREAMS: bool> Multiversion for Apply<E, STREAMS> {
    type Arguments = Block;

    #[inline(always)]
    unsafe fn run<M: MulAdd>(block: Block) {
        // Known while this is compiled: where there are no vectors nothing is left of the loop.
        assert!(!STREAMS || M::Reals::COUNT > 1, "only vectors are written around the cache");
        let Block { n, dst, operands } = block;
        let (operands, dst) = (operands.map(|operand| operand.cast::<f32>()), dst.cast::<f32>());
        let head = if STREAMS { dst.align_offset(LINE).min(n) } else { 0 };
        let main = (n - head) & !(WIDTH - 1);
        // SAFETY: reads and writes stay within the `n` elements that the caller vouches for.
        unsafe {
            apply_buffered::<M::Reals, E>(head, dst, operands);
            apply::<M::Reals, E, STREAMS>(main, dst.add(head), moved::<E>(operands, head));
            apply_buffered::<M::Reals, E>(n - head - main, dst.add(head + main), moved::<E>(operands, head + main));
        }
    }
}

/// The operands from a place on.
#[inline(always)]
fn moved<E: Expression>(operands: [*const f32; MAX_OPERANDS], place: usize) -> [*const f32; MAX_OPERANDS] {
    from_fn(|operand| operands[operand].wrapping_add(if E::BLOCKS >> operand & 1 == 1 { place } else { 0 }))
}

/// Applies an expression to fewer than [`WIDTH`] elements: as for other loops, no element is ever computed by another kind of
/// code.
///
/// # Safety
/// As [`apply`].
#[inline(always)]
unsafe fn apply_buffered<V: Reals, E: Expression>(n: usize, dst: *mut f32, operands: [*const f32; MAX_OPERANDS]) {
    if n == 0 {
        return;
    }
    let (mut buffers, mut results) = ([[0f32; WIDTH]; MAX_OPERANDS], [0f32; WIDTH]);
    // SAFETY: as the caller vouches; the buffers hold as many.
    unsafe {
        let operands = from_fn(|operand| {
            if E::BLOCKS >> operand & 1 == 0 {
                return operands[operand];
            }
            buffers[operand].as_mut_ptr().copy_from_nonoverlapping(operands[operand], n);
            buffers[operand].as_ptr()
        });
        apply::<V, E, false>(WIDTH, results.as_mut_ptr(), operands);
        dst.copy_from_nonoverlapping(results.as_ptr(), n);
    }
}

/// Applies an expression to `n` elements, a multiple of [`WIDTH`]: in order, or, where the compiler makes the vectors, at two
/// far places at a time as in [`super::write_all`].
///
/// # Safety
/// The pointers are valid for as many elements, those of scalars for one.
#[inline(always)]
unsafe fn apply<V: Reals, E: Expression, const STREAMS: bool>(
    n: usize,
    dst: *mut f32,
    operands: [*const f32; MAX_OPERANDS],
) {
    // SAFETY: as the caller vouches.
    unsafe {
        let mut scalars = [V::splat(0.0); MAX_OPERANDS];
        for (operand, scalar) in scalars.iter_mut().enumerate() {
            if E::SCALARS >> operand & 1 == 1 {
                *scalar = V::splat(*operands[operand]);
            }
        }
        let n = n & !(WIDTH - 1);
        let half = if V::COUNT == 1 { (n / 2) & !(WIDTH - 1) } else { 0 };
        for i in 0..half {
            let (first, second) = (at::<V, E>(operands, scalars, i), at::<V, E>(operands, scalars, half + i));
            first.store(dst.add(i));
            second.store(dst.add(half + i));
        }
        for i in (2 * half..n).step_by(V::COUNT) {
            let y = at::<V, E>(operands, scalars, i);
            if STREAMS { y.stream(dst.add(i)) } else { y.store(dst.add(i)) }
        }
    }
}

/// An expression at a place: a closure, which need not be inlined, would not have the vectors' instructions.
///
/// # Safety
/// As [`apply`].
#[inline(always)]
unsafe fn at<V: Reals, E: Expression>(operands: [*const f32; MAX_OPERANDS], scalars: [V; MAX_OPERANDS], i: usize) -> V {
    let mut values = scalars;
    for (operand, value) in values.iter_mut().enumerate() {
        if E::BLOCKS >> operand & 1 == 1 {
            // SAFETY: as the caller vouches.
            *value = unsafe { V::load(operands[operand].add(i)) };
        }
    }
    E::of(values)
}
