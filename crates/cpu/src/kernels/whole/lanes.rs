//! Rows of numbers, computed on as vectors of a fixed number of lanes.

use std::ops::{Add, AddAssign, Div, Mul, Neg, Sub};

use gyrus_graph::Element;

use crate::isa::Isa;
use crate::kernels::gemm::product::Product;
use crate::math::{MulAdd, Real, Reals};

/// A type of real numbers that whole kernels compute with.
pub(super) trait Float:
    Real
    + Element
    + Add<Output = Self>
    + AddAssign
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
{
    /// Zero.
    const ZERO: Self;
    /// One.
    const ONE: Self;
    /// Minus infinity.
    const LOWEST: Self;
    /// Not a number.
    const NAN: Self;
    /// `self * b + c`.
    fn mul_add<M: MulAdd>(self, b: Self, c: Self) -> Self;
    /// The hyperbolic tangent of each lane.
    fn tanh_of<M: MulAdd>(lanes: Lanes<Self>) -> Lanes<Self>;
    /// `1 / (1 + e^-x)` of each lane.
    fn logistic_of<M: MulAdd>(lanes: Lanes<Self>) -> Lanes<Self>;
    /// The sum of the lanes: of both halves first, then of the halves of that.
    fn total_of<M: MulAdd>(lanes: Lanes<Self>) -> Self;
}

macro_rules! float {
    ($type:ty, $mul_add:ident, { $($functions:item)* }) => {
        impl Float for $type {
            const ZERO: Self = 0.0;
            const ONE: Self = 1.0;
            const LOWEST: Self = Self::NEG_INFINITY;
            const NAN: Self = Self::NAN;
            #[inline(always)]
            fn mul_add<M: MulAdd>(self, b: Self, c: Self) -> Self {
                M::$mul_add(self, b, c)
            }
            $($functions)*
        }
    };
}

/// A type of which kernels multiply small matrices.
pub(super) trait Tiled: Float {
    /// The product for an instruction set.
    fn product(isa: Isa) -> Product<Self>;
}

macro_rules! tiled {
    ($type:ty) => {
        impl Tiled for $type {
            fn product(isa: Isa) -> Product<$type> {
                Product::new(isa)
            }
        }
    };
}

tiled!(f32);
tiled!(f64);

/// A function that vectors have by themselves, of each lane. It is no closure because one that is called in a loop may not be
/// inlined, and then is not compiled for the instruction set.
macro_rules! of_vectors {
    ($name:ident: $function:ident) => {
        #[inline(always)]
        fn $name<M: MulAdd>(mut lanes: Lanes<f32>) -> Lanes<f32> {
            for vector in lanes.chunks_exact_mut(M::Reals::COUNT) {
                // SAFETY: loops are compiled with `M` for processors that have its vectors; there are as many lanes.
                unsafe { M::Reals::load(vector.as_ptr()).$function().store(vector.as_mut_ptr()) }
            }
            lanes
        }
    };
}

float!(f32, mul_add, {
    of_vectors!(tanh_of: tanh);
    of_vectors!(logistic_of: logistic);
    // The compiler alone makes no vectors of the last halves.
    #[inline(always)]
    fn total_of<M: MulAdd>(mut lanes: Lanes<f32>) -> f32 {
        let (first, mut width) = (lanes.as_mut_ptr(), LANES / 2);
        // SAFETY: as above; both halves are within the lanes.
        unsafe {
            while width >= M::Reals::COUNT {
                for at in (0..width).step_by(M::Reals::COUNT) {
                    let (low, high) = (first.add(at), first.add(at + width));
                    (M::Reals::load(low) + M::Reals::load(high)).store(low);
                }
                width /= 2;
            }
            M::Reals::load(first).total()
        }
    }
});
float!(f64, mul_add_f64, {
    #[inline(always)]
    fn tanh_of<M: MulAdd>(lanes: Lanes<f64>) -> Lanes<f64> {
        map(lanes, |x| Real::tanh::<M>(x))
    }
    #[inline(always)]
    fn logistic_of<M: MulAdd>(lanes: Lanes<f64>) -> Lanes<f64> {
        map(lanes, |x| Real::logistic::<M>(x))
    }
    #[inline(always)]
    fn total_of<M: MulAdd>(lanes: Lanes<f64>) -> f64 {
        fold(lanes, |a, b| a + b)
    }
});

/// `Some` of an expression with `$T` standing for the type of numbers of `$dtype`; `None` for types that
/// are not computed with as they are.
macro_rules! with_float {
    ($dtype:expr, $T:ident => $body:expr) => {
        match $dtype {
            gyrus_graph::DType::F32 => {
                type $T = f32;
                Some($body)
            }
            gyrus_graph::DType::F64 => {
                type $T = f64;
                Some($body)
            }
            _ => None,
        }
    };
}

pub(crate) use with_float;

/// How many elements are computed on together: four vectors of AVX-512 in `f32`, so that sums do not wait
/// for one another.
pub(crate) const LANES: usize = 64;

/// Some neighbouring elements.
pub(super) type Lanes<T> = [T; LANES];

/// Runs a block of code for each `$at` from `$start` to `$end` in steps of [`LANES`]: one copy of the code for
/// those after which `LANES` elements follow, which the compiler then knows, and one for the rest.
macro_rules! for_blocks {
    ($at:ident in $start:expr, $end:expr => $body:block) => {
        let (mut $at, end) = ($start, $end);
        while $at + $crate::kernels::whole::lanes::LANES <= end {
            $body
            $at += $crate::kernels::whole::lanes::LANES;
        }
        if $at < end {
            $body
        }
    };
}

pub(super) use for_blocks;

/// Reads the elements of a row of `len` from `at` on; beyond the row's end stands `fill`.
///
/// # Safety
/// `row` points to `len` elements, and `at < len`.
#[inline(always)]
pub(super) unsafe fn load<T: Copy>(row: *const T, at: usize, len: usize, fill: T) -> Lanes<T> {
    // SAFETY: as the caller vouches; all lanes lie within the row in the first case, `len - at`, fewer than
    // `LANES`, in the second.
    unsafe {
        if at + LANES <= len {
            return row.add(at).cast::<Lanes<T>>().read_unaligned();
        }
        let mut lanes = [fill; LANES];
        std::ptr::copy_nonoverlapping(row.add(at), lanes.as_mut_ptr(), len - at);
        lanes
    }
}

/// Writes the lanes to a row of `len` from `at` on, those that lie within it.
///
/// # Safety
/// `row` points to `len` elements, and `at < len`.
#[inline(always)]
pub(super) unsafe fn store<T: Copy>(row: *mut T, at: usize, len: usize, lanes: Lanes<T>) {
    // SAFETY: as in `load`.
    unsafe {
        if at + LANES <= len {
            return row.add(at).cast::<Lanes<T>>().write_unaligned(lanes);
        }
        std::ptr::copy_nonoverlapping(lanes.as_ptr(), row.add(at), len - at);
    }
}

/// A function of each lane.
#[inline(always)]
pub(super) fn map<T: Float>(mut a: Lanes<T>, function: impl Fn(T) -> T) -> Lanes<T> {
    for lane in &mut a {
        *lane = function(*lane);
    }
    a
}

/// A function of each two lanes.
#[inline(always)]
pub(super) fn zip<T: Float>(mut a: Lanes<T>, b: Lanes<T>, function: impl Fn(T, T) -> T) -> Lanes<T> {
    for lane in 0..LANES {
        a[lane] = function(a[lane], b[lane]);
    }
    a
}

/// `sum + a b` in each lane.
#[inline(always)]
pub(super) fn add_product<T: Float, M: MulAdd>(mut sum: Lanes<T>, a: Lanes<T>, b: Lanes<T>) -> Lanes<T> {
    for lane in 0..LANES {
        sum[lane] = a[lane].mul_add::<M>(b[lane], sum[lane]);
    }
    sum
}

/// The greatest lane; NaN may be overlooked.
#[inline(always)]
pub(super) fn greatest<T: Float>(lanes: Lanes<T>) -> T {
    fold(lanes, larger)
}

/// The larger; the second if one is NaN.
#[inline(always)]
pub(super) fn larger<T: Float>(a: T, b: T) -> T {
    if a > b { a } else { b }
}

#[inline(always)]
fn fold<T: Float>(mut lanes: Lanes<T>, combine: impl Fn(T, T) -> T) -> T {
    let mut width = LANES / 2;
    while width > 0 {
        for lane in 0..width {
            lanes[lane] = combine(lanes[lane], lanes[lane + width]);
        }
        width /= 2;
    }
    lanes[0]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::version::Separate;

    #[test]
    fn rows_are_read_and_written_within_their_ends() {
        let row: Vec<f32> = (0..70).map(|index| index as f32).collect();
        // SAFETY: 64 lies in a row of 70, and so does 0.
        let (first, rest) = unsafe { (load(row.as_ptr(), 0, 70, -1.0), load(row.as_ptr(), 64, 70, -1.0)) };
        assert_eq!((first[0], first[63], rest[0], rest[5], rest[6]), (0.0, 63.0, 64.0, 69.0, -1.0));
        assert_eq!((f32::total_of::<Separate>(first), greatest(rest)), (2016.0, 69.0));
        let mut copy = [0.0f32; 71];
        // SAFETY: as above; the copy has one element more.
        unsafe {
            store(copy.as_mut_ptr(), 0, 70, first);
            store(copy.as_mut_ptr(), 64, 70, rest);
        }
        assert_eq!(&copy[..70], &row[..]);
        assert_eq!(copy[70], 0.0);
    }
}
