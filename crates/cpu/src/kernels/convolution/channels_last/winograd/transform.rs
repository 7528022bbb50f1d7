//! Transforms of squares along both axes, for many channels.

use std::marker::PhantomData;

use super::minimal::{POINTS, Transform};
use crate::isa::Isa;
use crate::kernels::cache_line::prefetch;
use crate::kernels::gemm::microkernel::{BatchReduceKernel, PairReduceLoops, Vector};
use crate::kernels::gemm::number::{Number, VectorLoop};
use crate::math::{MulAdd, Multiversion};

/// The most places of a square.
pub(super) const PLACES: usize = POINTS * POINTS;

/// A square whose places each have neighbouring channels.
#[derive(Clone, Copy)]
pub(super) struct Square {
    /// The places of the square that is read, row by row.
    pub(super) from: [*const f32; PLACES],
    /// Those of the one that is read beside it, where pairs are [`Abreast`].
    pub(super) beside: *const [*const f32; PLACES],
    /// Those of the square that is written.
    pub(super) to: [*mut f32; PLACES],
    pub(super) channels: usize,
    /// How far ahead the memory is that is soon read and written; at that distance it is asked for.
    pub(super) ahead: Ahead,
}

/// Distances in elements; what is 0 is not asked for.
#[derive(Clone, Copy, Default)]
pub(super) struct Ahead {
    pub(super) from: usize,
    pub(super) to: usize,
}

/// What is written of transformed squares.
pub(super) trait Form: 'static {
    /// What is read for each vector that is written.
    const READ: Read;
    /// What is written.
    unsafe fn join<V: Vector<Element = f32>>(first: V, second: V) -> V;
}

/// One vector, or two.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Read {
    One,
    /// A vector and the next of the same square.
    Next,
    /// A vector of each of two squares.
    Beside,
}

/// The numbers themselves.
pub(super) struct Numbers;

/// Pairs of neighbouring channels. Whole vectors are written.
pub(super) struct Neighbours;

/// Pairs of the same channel of two squares. Whole vectors are written.
pub(super) struct Abreast;

impl Form for Numbers {
    const READ: Read = Read::One;
    #[inline(always)]
    unsafe fn join<V: Vector<Element = f32>>(first: V, _second: V) -> V {
        first
    }
}

impl Form for Neighbours {
    const READ: Read = Read::Next;
    #[inline(always)]
    unsafe fn join<V: Vector<Element = f32>>(first: V, second: V) -> V {
        // SAFETY: as the caller vouches.
        unsafe { first.neighbours(second) }
    }
}

impl Form for Abreast {
    const READ: Read = Read::Beside;
    #[inline(always)]
    unsafe fn join<V: Vector<Element = f32>>(first: V, second: V) -> V {
        // SAFETY: as the caller vouches.
        unsafe { first.abreast(second) }
    }
}

/// The columns of a square, transformed, of a vector of channels from `first` on; those beyond `channels` are 0.
#[inline(always)]
unsafe fn columns<V, F, M, const FROM: usize, const TO: usize>(
    from: &[*const f32; PLACES],
    first: usize,
    channels: usize,
) -> [[V; FROM]; TO]
where
    V: Vector<Element = f32>,
    F: Transform<FROM, TO>,
    M: MulAdd,
{
    let count = channels.saturating_sub(first);
    // SAFETY: as the caller vouches.
    unsafe {
        let mut rows = [[V::splat(0.0); FROM]; TO];
        for column in 0..FROM {
            let mut places = [V::splat(0.0); FROM];
            for (row, place) in places.iter_mut().enumerate() {
                let from = from[row * FROM + column].wrapping_add(first);
                *place = if count >= V::LANES { V::load(from) } else { V::load_first(from, count) };
            }
            for (row, place) in rows.iter_mut().zip(F::apply::<V, M>(places)) {
                row[column] = place;
            }
        }
        rows
    }
}

impl Square {
    /// Transforms `FROM` times `FROM` places to `TO` times `TO`.
    ///
    /// # Safety
    /// All those places have that many channels, and the processor has the instructions.
    #[inline(always)]
    pub(super) unsafe fn transform<V, S, F, M, const FROM: usize, const TO: usize>(&self)
    where
        V: Vector<Element = f32>,
        S: Form,
        F: Transform<FROM, TO>,
        M: MulAdd,
    {
        let step = if S::READ == Read::Next { 2 * V::LANES } else { V::LANES };
        // SAFETY: as the caller vouches.
        unsafe {
            for first in (0..self.channels).step_by(step) {
                if self.ahead.from > 0 {
                    for from in &self.from[..FROM * FROM] {
                        for vector in (0..step).step_by(V::LANES) {
                            prefetch(from.wrapping_add(first + vector + self.ahead.from));
                        }
                    }
                }
                if self.ahead.to > 0 {
                    for to in &self.to[..TO * TO] {
                        prefetch(to.wrapping_add(first + self.ahead.to));
                    }
                }
                let rows = columns::<V, F, M, FROM, TO>(&self.from, first, self.channels);
                let others = match S::READ {
                    Read::One => rows,
                    Read::Next => columns::<V, F, M, FROM, TO>(&self.from, first + V::LANES, self.channels),
                    Read::Beside => columns::<V, F, M, FROM, TO>(&*self.beside, first, self.channels),
                };
                let start = first / (step / V::LANES);
                let is_whole = S::READ != Read::One || first + V::LANES <= self.channels;
                for (row, (places, others)) in rows.into_iter().zip(others).enumerate() {
                    let (places, others) = (F::apply::<V, M>(places), F::apply::<V, M>(others));
                    for (column, (place, other)) in places.into_iter().zip(others).enumerate() {
                        let (joined, to) = (S::join(place, other), self.to[row * TO + column].add(start));
                        if is_whole { joined.store(to) } else { joined.store_first(to, self.channels - first) }
                    }
                }
            }
        }
    }
}

/// [`Square::transform`], to be compiled for each instruction set.
pub(super) struct Squares<S, F, const FROM: usize, const TO: usize>(PhantomData<(S, F)>);

/// The same, for vectors of a type.
pub(super) struct Loop<V, S, F, const FROM: usize, const TO: usize>(PhantomData<(V, S, F)>);

impl<S: Form, F: Transform<FROM, TO>, const FROM: usize, const TO: usize> VectorLoop<f32> for Squares<S, F, FROM, TO> {
    type Arguments = *const Square;
    type Of<V: Vector<Element = f32>> = Loop<V, S, F, FROM, TO>;
}

impl<V, S, F, const FROM: usize, const TO: usize> Multiversion for Loop<V, S, F, FROM, TO>
where
    V: Vector<Element = f32>,
    S: Form,
    F: Transform<FROM, TO>,
{
    type Arguments = *const Square;

    #[inline(always)]
    unsafe fn run<M: MulAdd>(square: *const Square) {
        // SAFETY: as the caller vouches.
        unsafe { (*square).transform::<V, S, F, M, FROM, TO>() }
    }
}

/// What transformed squares are multiplied as: numbers, or pairs of `bf16`, each in the place of one number.
#[derive(Clone, Copy)]
pub(super) struct Factors {
    pub(super) isa: Isa,
    pub(super) pairs: Option<PairReduceLoops>,
}

impl Factors {
    /// How many terms of a sum stand in the place of a number.
    pub(super) fn together(&self) -> usize {
        if self.pairs.is_some() { 2 } else { 1 }
    }

    /// The tiles of products.
    pub(super) fn kernel(&self) -> BatchReduceKernel<f32> {
        self.pairs.map_or_else(|| f32::batch_reduce(self.isa), |loops| loops.kernel)
    }

    /// The loop for these factors: `N`, or `P` for pairs.
    pub(super) fn vectorised<N, P>(&self) -> unsafe fn(N::Arguments)
    where
        N: VectorLoop<f32>,
        P: VectorLoop<f32, Arguments = N::Arguments>,
    {
        self.pairs.map_or_else(|| f32::vectorised::<N>(self.isa), PairReduceLoops::vectorised::<P>)
    }
}
