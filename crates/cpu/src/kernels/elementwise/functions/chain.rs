//! Functions of functions that come in many programs, as one loop: without the ways to and from the cache between them.
//!
//! A chain is written as a type, of which both the pattern that is looked for and the loop are made.

use std::array::from_fn;
use std::marker::PhantomData;

use gyrus_graph::ops::elementwise::{Binary, Unary};

use super::{Block, BlockFunction, MAX_OPERANDS, WIDTH};
use crate::isa::Isa;
use crate::math::{MulAdd, Multiversion, Reals, version};

/// What a chain looks like.
#[derive(Clone, Copy, Debug)]
pub(in super::super) enum Pattern {
    /// An operand with an element for each place. Where its number comes again, it is the same operand.
    Block(usize),
    /// An operand of one element.
    Scalar(usize),
    Unary(Unary, &'static Pattern),
    Binary(Binary, &'static Pattern, &'static Pattern),
}

/// The loop over a function that vectors have by themselves.
pub(super) fn single(function: Unary, isa: Isa) -> Option<BlockFunction> {
    match function {
        Unary::Erf => Some(version::<Apply<Erf<X<0>>>>(isa)),
        Unary::Tanh => Some(version::<Apply<Tanh<X<0>>>>(isa)),
        _ => None,
    }
}

/// A chain with its loop.
#[derive(Clone, Copy)]
pub(in super::super) struct Chain {
    pub(in super::super) pattern: Pattern,
    pub(in super::super) num_operands: usize,
    pub(in super::super) function: fn(Isa) -> BlockFunction,
}

impl Chain {
    const fn new<E: Expression>() -> Chain {
        let num_operands = (u8::BITS - (E::BLOCKS | E::SCALARS).leading_zeros()) as usize;
        Chain { pattern: E::PATTERN, num_operands, function: version::<Apply<E>> }
    }
}

/// All chains, the longer ones before those that they contain.
pub(in super::super) const CHAINS: [Chain; 13] = [
    // Gaussian error linear units.
    Chain::new::<Mul<Mul<X<0>, S<1>>, Add<Erf<Mul<X<0>, S<2>>>, S<3>>>>(),
    // Adam's mean square, the root of it, the mean of which it is the scale, and the step.
    Chain::new::<Add<Mul<X<0>, S<1>>, Mul<Mul<X<2>, X<2>>, S<3>>>>(),
    Chain::new::<Add<Mul<Sqrt<X<0>>, S<1>>, S<2>>>(),
    Chain::new::<Add<X<0>, Mul<Sub<X<1>, X<0>>, S<2>>>>(),
    Chain::new::<Sub<X<0>, Div<Mul<X<1>, S<2>>, X<3>>>>(),
    Chain::new::<Add<Erf<Mul<X<0>, S<1>>>, S<2>>>(),
    Chain::new::<Add<Tanh<Mul<X<0>, S<1>>>, S<2>>>(),
    Chain::new::<Add<Mul<X<0>, S<1>>, S<2>>>(),
    Chain::new::<Add<Mul<X<0>, S<1>>, X<2>>>(),
    Chain::new::<Add<Mul<X<0>, X<1>>, S<2>>>(),
    Chain::new::<Add<Mul<X<0>, X<1>>, X<2>>>(),
    Chain::new::<Sub<X<0>, Mul<X<1>, S<2>>>>(),
    Chain::new::<Sub<X<0>, Mul<X<1>, X<2>>>>(),
];

/// A function of `f32`, each step of which rounds, as if it was on its own.
trait Expression: 'static {
    const PATTERN: Pattern;
    /// Which operands are blocks, and which are scalars, as bits.
    const BLOCKS: u8;
    const SCALARS: u8;

    fn of<V: Reals>(operands: [V; MAX_OPERANDS]) -> V;
}

/// An operand that is a block.
struct X<const OPERAND: usize>;
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
        struct $name<A>(PhantomData<A>);

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

unary! {
    Sqrt: sqrt;
    Erf: erf;
    Tanh: tanh;
}

binary! {
    Add: +;
    Sub: -;
    Mul: *;
    Div: /;
}

/// The loop over an expression.
struct Apply<E>(PhantomData<E>);

impl<E: Expression> Multiversion for Apply<E> {
    type Arguments = Block;

    #[inline(always)]
    unsafe fn run<M: MulAdd>(block: Block) {
        let Block { n, dst, operands } = block;
        let (operands, dst) = (operands.map(|operand| operand.cast::<f32>()), dst.cast::<f32>());
        let (main, rest) = (n & !(WIDTH - 1), n % WIDTH);
        // SAFETY: reads and writes stay within the `n` elements that the caller vouches for, or within the buffers.
        unsafe {
            apply::<M::Reals, E>(main, dst, operands);
            if rest == 0 {
                return;
            }
            // As for other loops, no element is ever computed by another kind of code.
            let (mut buffers, mut results) = ([[0f32; WIDTH]; MAX_OPERANDS], [0f32; WIDTH]);
            let operands = from_fn(|operand| {
                if E::BLOCKS >> operand & 1 == 0 {
                    return operands[operand];
                }
                buffers[operand].as_mut_ptr().copy_from_nonoverlapping(operands[operand].add(main), rest);
                buffers[operand].as_ptr()
            });
            apply::<M::Reals, E>(WIDTH, results.as_mut_ptr(), operands);
            dst.add(main).copy_from_nonoverlapping(results.as_ptr(), rest);
        }
    }
}

/// Applies an expression to `n` elements, a multiple of [`WIDTH`]. As in [`super::write_all`], two far places are computed
/// at a time.
///
/// # Safety
/// The pointers are valid for as many elements, those of scalars for one.
#[inline(always)]
unsafe fn apply<V: Reals, E: Expression>(n: usize, dst: *mut f32, operands: [*const f32; MAX_OPERANDS]) {
    // SAFETY: as the caller vouches.
    unsafe {
        let mut scalars = [V::splat(0.0); MAX_OPERANDS];
        for (operand, scalar) in scalars.iter_mut().enumerate() {
            if E::SCALARS >> operand & 1 == 1 {
                *scalar = V::splat(*operands[operand]);
            }
        }
        let (n, half) = (n & !(WIDTH - 1), (n / 2) & !(WIDTH - 1));
        for i in (0..half / V::COUNT).map(|count| count * V::COUNT) {
            let (first, second) = (at::<V, E>(operands, scalars, i), at::<V, E>(operands, scalars, half + i));
            first.store(dst.add(i));
            second.store(dst.add(half + i));
        }
        for i in (2 * half / V::COUNT..n / V::COUNT).map(|count| count * V::COUNT) {
            at::<V, E>(operands, scalars, i).store(dst.add(i));
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
