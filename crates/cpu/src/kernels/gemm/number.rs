//! The types that products are computed in, and those that are converted to them.

use gyrus_graph::{bf16, f16};
use half::slice::HalfFloatSliceExt;

use super::microkernel::{BatchReduceKernel, DotTiles, MicroKernel, Packing, Strip, Vector};
use crate::isa::Isa;
use crate::math::{MulAdd, Multiversion};

/// A type that products are computed in.
pub(crate) trait Number: Stored<Self> + Default + PartialEq {
    /// `self * b + c`.
    fn mul_add<M: MulAdd>(self, b: Self, c: Self) -> Self;
    /// `self + other`.
    fn add(self, other: Self) -> Self;
    /// The tile that suits a result of `rows` rows.
    fn microkernel(isa: Isa, rows: usize) -> MicroKernel<Self>;
    /// The tiles of products summed over pieces.
    fn batch_reduce(isa: Isa) -> BatchReduceKernel<Self>;
    /// The same of groups that share vectors.
    fn group_reduce(isa: Isa) -> BatchReduceKernel<Self>;
    /// The loops that pack operands.
    fn packing(isa: Isa) -> Packing<Self>;
    /// The loops of products with vectors.
    fn strips(isa: Isa) -> [unsafe fn(Strip<Self>); 2];
    /// The loops of products with few rows.
    fn dot_tiles(isa: Isa) -> unsafe fn(DotTiles<Self>);
    /// How many of them are in a vector.
    fn lanes(isa: Isa) -> usize;
    /// A loop over vectors of these numbers.
    fn vectorised<L: VectorLoop<Self>>(isa: Isa) -> unsafe fn(L::Arguments);
}

/// A loop that is generic over the vectors of an instruction set.
pub(crate) trait VectorLoop<T> {
    /// What it works on.
    type Arguments;
    /// The loop for vectors of a type.
    type Of<V: Vector<Element = T>>: Multiversion<Arguments = Self::Arguments>;
}

/// A type that is converted to `T` when it is read, and rounded when it is written.
pub(crate) trait Stored<T>: Copy + Send + Sync + 'static {
    /// Whether it is `T`.
    const IS_SAME: bool;
    /// The value.
    fn read(self) -> T;
    /// The nearest value.
    fn write(value: T) -> Self;

    /// Reads neighbouring elements.
    #[inline(always)]
    fn read_all(from: &[Self], to: &mut [T]) {
        for (to, from) in to.iter_mut().zip(from) {
            *to = from.read();
        }
    }

    /// Writes neighbouring elements.
    #[inline(always)]
    fn write_all(from: &[T], to: &mut [Self])
    where
        T: Copy,
    {
        for (to, from) in to.iter_mut().zip(from) {
            *to = Self::write(*from);
        }
    }
}

macro_rules! same {
    ($type:ty) => {
        impl Stored<$type> for $type {
            const IS_SAME: bool = true;
            #[inline(always)]
            fn read(self) -> $type {
                self
            }
            #[inline(always)]
            fn write(value: $type) -> $type {
                value
            }
        }
    };
}

same!(f32);
same!(f64);

macro_rules! half {
    ($type:ty) => {
        impl Stored<f32> for $type {
            const IS_SAME: bool = false;
            #[inline(always)]
            fn read(self) -> f32 {
                self.to_f32()
            }
            #[inline(always)]
            fn write(value: f32) -> $type {
                <$type>::from_f32(value)
            }
            #[inline(always)]
            fn read_all(from: &[$type], to: &mut [f32]) {
                from.convert_to_f32_slice(to);
            }
            #[inline(always)]
            fn write_all(from: &[f32], to: &mut [$type]) {
                to.convert_from_f32_slice(from);
            }
        }
    };
}

half!(f16);
half!(bf16);
