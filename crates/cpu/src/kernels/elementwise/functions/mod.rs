//! Loops over one block: what a step of a compiled program calls.

mod binary;
mod chain;
mod convert;
mod float;
mod integer;
mod load;
mod select;
mod stream;
mod unary;

pub(super) use binary::binary;
#[cfg(test)]
pub(super) use chain::Chain;
pub(super) use chain::{CHAINS, Pattern, chains_overwrite};
pub(super) use convert::{convert, round, store};
pub(super) use load::{Strided, load};
pub(super) use select::{compare, fill, select};
pub(super) use stream::stream;
pub(super) use unary::unary;

use gyrus_graph::DType;

use crate::math::{MulAdd, Multiversion};

/// What a loop works on: `n` elements from `dst`, made from as many from each operand, or from the one
/// element of an operand that the loop takes as a scalar. `dst` overlaps no operand, or is one where the loop
/// says that it works in place, or is a chain and [`chains_overwrite`].
#[derive(Clone, Copy)]
pub(super) struct Block {
    pub(super) n: usize,
    pub(super) dst: *mut u8,
    pub(super) operands: [*const u8; MAX_OPERANDS],
}

/// How many operands a loop has at most.
pub(super) const MAX_OPERANDS: usize = 7;

/// A loop over a block.
///
/// # Safety
/// The pointers are valid for the elements that [`Block`] states, of the types that the loop was
/// chosen for.
pub(super) type BlockFunction = unsafe fn(Block);

/// The type that registers of an element type are computed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lane {
    U8,
    I32,
    I64,
    F32,
    F64,
}

impl Lane {
    pub(super) fn of(dtype: DType) -> Lane {
        match dtype {
            DType::Bool | DType::U8 => Lane::U8,
            DType::I32 => Lane::I32,
            DType::I64 => Lane::I64,
            DType::F16 | DType::BF16 | DType::F32 => Lane::F32,
            DType::F64 => Lane::F64,
            other => unreachable!("{other}: not an element type of the CPU"),
        }
    }

    pub(super) fn size(self) -> usize {
        match self {
            Lane::U8 => 1,
            Lane::I32 | Lane::F32 => 4,
            Lane::I64 | Lane::F64 => 8,
        }
    }
}

/// Whether elements in memory are what registers hold.
pub(super) fn is_direct(dtype: DType) -> bool {
    !matches!(dtype, DType::F16 | DType::BF16)
}

/// Elements are computed in multiples of this; the rest of a block goes through buffers of this size,
/// so that no element is ever computed by another kind of code.
const WIDTH: usize = 16;

/// A function of up to three operands, applied to each place.
pub(super) trait Map: 'static {
    /// The operands' types; `()` for those that are not there.
    type A: Copy + Default;
    type B: Copy + Default;
    type C: Copy + Default;
    type Output: Copy + Default;
    /// Whether it takes long: two places are then computed at a time.
    const IS_LONG: bool = false;
    /// Which operands are scalars.
    const SCALAR: [bool; 3] = [false; 3];
    /// Whether there are operands for which [`Map::map`] is not right.
    const HAS_RARE: bool = false;

    fn map<M: MulAdd>(a: Self::A, b: Self::B, c: Self::C) -> Self::Output;

    #[inline(always)]
    fn is_rare(_: Self::A) -> bool {
        false
    }

    /// What to do instead.
    #[inline(always)]
    fn map_rare(_: Self::A) -> Self::Output {
        Self::Output::default()
    }
}

/// The loop that applies a [`Map`].
pub(super) struct Apply<F>(std::marker::PhantomData<F>);

impl<F: Map> Multiversion for Apply<F> {
    type Arguments = Block;

    #[inline(always)]
    unsafe fn run<M: MulAdd>(block: Block) {
        let Block { n, dst, operands: [a, b, c, ..] } = block;
        let (a, b, c, dst) = (a.cast::<F::A>(), b.cast::<F::B>(), c.cast::<F::C>(), dst.cast::<F::Output>());
        let mut buffers = ([F::A::default(); WIDTH], [F::B::default(); WIDTH], [F::C::default(); WIDTH]);
        let mut results = [F::Output::default(); WIDTH];
        let (main, rest) = (n & !(WIDTH - 1), n % WIDTH);
        let take = |operand: usize| if F::SCALAR[operand] { (0, 1) } else { (main, rest) };
        // SAFETY: reads and writes stay within the `n` elements that the caller vouches for, or within
        // the buffers.
        unsafe {
            for part in 0..2 {
                if part == 0 {
                    apply::<M, F>(main, dst, a, b, c);
                } else {
                    let (start, count) = take(0);
                    buffers.0.as_mut_ptr().copy_from_nonoverlapping(a.add(start), count);
                    let (start, count) = take(1);
                    buffers.1.as_mut_ptr().copy_from_nonoverlapping(b.add(start), count);
                    let (start, count) = take(2);
                    buffers.2.as_mut_ptr().copy_from_nonoverlapping(c.add(start), count);
                    let (a, b, c) = (buffers.0.as_ptr(), buffers.1.as_ptr(), buffers.2.as_ptr());
                    apply::<M, F>(WIDTH, results.as_mut_ptr(), a, b, c);
                }
                if rest == 0 {
                    return;
                }
            }
            dst.add(main).copy_from_nonoverlapping(results.as_ptr(), rest);
        }
    }
}

/// Applies a map to `n` elements, a multiple of [`WIDTH`].
///
/// # Safety
/// The pointers are valid for as many elements.
#[inline(always)]
unsafe fn apply<M: MulAdd, F: Map>(n: usize, dst: *mut F::Output, a: *const F::A, b: *const F::B, c: *const F::C) {
    let n = n & !(WIDTH - 1);
    if n == 0 {
        return;
    }
    // SAFETY: as the caller vouches; a scalar is one element.
    unsafe {
        let (first_a, first_b, first_c) = (*a, *b, *c);
        let at = |i: usize| {
            let a = if F::SCALAR[0] { first_a } else { *a.add(i) };
            let b = if F::SCALAR[1] { first_b } else { *b.add(i) };
            (a, b, if F::SCALAR[2] { first_c } else { *c.add(i) })
        };
        if F::HAS_RARE && (0..n).fold(false, |any, i| any | F::is_rare(*a.add(i))) {
            for i in 0..n {
                let (a, b, c) = at(i);
                *dst.add(i) = if F::is_rare(a) { F::map_rare(a) } else { F::map::<M>(a, b, c) };
            }
            return;
        }
        let map = |i: usize| {
            let (a, b, c) = at(i);
            F::map::<M>(a, b, c)
        };
        if F::IS_LONG {
            return write_all(n, dst, map);
        }
        for i in 0..n {
            *dst.add(i) = map(i);
        }
    }
}

/// Writes what is computed for each of `n` places, a multiple of [`WIDTH`]. Two are computed at a time, far apart: long
/// functions would else spend most of the time waiting for one step to follow another.
///
/// # Safety
/// `dst` is valid for `n` elements.
#[inline(always)]
unsafe fn write_all<T>(n: usize, dst: *mut T, at: impl Fn(usize) -> T) {
    let half = (n / 2) & !(WIDTH - 1);
    // SAFETY: as the caller vouches.
    unsafe {
        for i in 0..half {
            let (first, second) = (at(i), at(half + i));
            dst.add(i).write(first);
            dst.add(half + i).write(second);
        }
        for i in 2 * half..n {
            dst.add(i).write(at(i));
        }
    }
}
