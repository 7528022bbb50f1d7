//! Transforms of squares along both axes, for many channels.

use std::marker::PhantomData;

use super::minimal::{POINTS, Transform};
use crate::kernels::gemm::microkernel::Vector;
use crate::kernels::gemm::number::VectorLoop;
use crate::math::{MulAdd, Multiversion};

/// The most places of a square.
pub(super) const PLACES: usize = POINTS * POINTS;

/// A square whose places each have neighbouring channels.
#[derive(Clone, Copy)]
pub(super) struct Square {
    /// The places of the square that is read, row by row.
    pub(super) from: [*const f32; PLACES],
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

impl Square {
    /// Transforms `FROM` times `FROM` places to `TO` times `TO`.
    ///
    /// # Safety
    /// All those places have that many channels, and the processor has the instructions.
    #[inline(always)]
    pub(super) unsafe fn transform<V, F, M, const FROM: usize, const TO: usize>(&self)
    where
        V: Vector<Element = f32>,
        F: Transform<FROM, TO>,
        M: MulAdd,
    {
        // SAFETY: as the caller vouches.
        unsafe {
            for first in (0..self.channels).step_by(V::LANES) {
                let count = V::LANES.min(self.channels - first);
                if self.ahead.from > 0 {
                    for from in &self.from[..FROM * FROM] {
                        V::prefetch(from.wrapping_add(first + self.ahead.from));
                    }
                }
                if self.ahead.to > 0 {
                    for to in &self.to[..TO * TO] {
                        V::prefetch(to.wrapping_add(first + self.ahead.to));
                    }
                }
                let mut rows = [[V::splat(0.0); FROM]; TO];
                for column in 0..FROM {
                    let mut places = [V::splat(0.0); FROM];
                    for (row, place) in places.iter_mut().enumerate() {
                        let from = self.from[row * FROM + column].add(first);
                        *place = if count == V::LANES { V::load(from) } else { V::load_first(from, count) };
                    }
                    for (row, place) in rows.iter_mut().zip(F::apply::<V, M>(places)) {
                        row[column] = place;
                    }
                }
                for (row, places) in rows.into_iter().enumerate() {
                    for (column, place) in F::apply::<V, M>(places).into_iter().enumerate() {
                        let to = self.to[row * TO + column].add(first);
                        if count == V::LANES { place.store(to) } else { place.store_first(to, count) }
                    }
                }
            }
        }
    }
}

/// [`Square::transform`], to be compiled for each instruction set.
pub(super) struct Squares<F, const FROM: usize, const TO: usize>(PhantomData<F>);

/// The same, for vectors of a type.
pub(super) struct Loop<V, F, const FROM: usize, const TO: usize>(PhantomData<(V, F)>);

impl<F: Transform<FROM, TO>, const FROM: usize, const TO: usize> VectorLoop<f32> for Squares<F, FROM, TO> {
    type Arguments = *const Square;
    type Of<V: Vector<Element = f32>> = Loop<V, F, FROM, TO>;
}

impl<V, F, const FROM: usize, const TO: usize> Multiversion for Loop<V, F, FROM, TO>
where
    V: Vector<Element = f32>,
    F: Transform<FROM, TO>,
{
    type Arguments = *const Square;

    #[inline(always)]
    unsafe fn run<M: MulAdd>(square: *const Square) {
        // SAFETY: as the caller vouches.
        unsafe { (*square).transform::<V, F, M, FROM, TO>() }
    }
}
