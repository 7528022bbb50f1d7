//! One or several neighbouring `f32` that a function is applied to at once.

use std::marker::PhantomData;
use std::ops::{Add, Div, Mul, Sub};

use super::{MulAdd, Real};

/// Some neighbouring numbers.
pub(crate) trait Reals:
    Copy + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> + Div<Output = Self>
{
    /// How many.
    const COUNT: usize;
    /// For each of them whether something is true.
    type Truth: Copy;

    /// # Safety
    /// The processor has the vectors.
    unsafe fn splat(x: f32) -> Self;
    /// # Safety
    /// The processor has the vectors; as many elements can be read.
    unsafe fn load(from: *const f32) -> Self;
    /// # Safety
    /// As many elements can be written.
    unsafe fn store(self, to: *mut f32);
    /// As `store`, and around the cache where there is an instruction for that. Others see it after a fence.
    ///
    /// # Safety
    /// As many elements can be written, and begin a line of the cache.
    #[inline(always)]
    unsafe fn stream(self, to: *mut f32) {
        // SAFETY: as the caller vouches.
        unsafe { self.store(to) }
    }

    fn le(self, other: Self) -> Self::Truth;
    fn gt(self, other: Self) -> Self::Truth;
    fn ge(self, other: Self) -> Self::Truth;
    /// Of each pair the first where `truth` is true.
    fn select(truth: Self::Truth, a: Self, b: Self) -> Self;
    /// Their sum: of both halves first, then of the halves of that.
    fn total(self) -> f32;
    fn sqrt(self) -> Self;
    fn exp(self) -> Self;
    fn logistic(self) -> Self;
    fn tanh(self) -> Self;
    fn erf(self) -> Self;
    fn gelu(self) -> Self;
    fn gelu_slope(self) -> Self;
}

/// A single one: the compiler makes vectors of loops over them.
pub(crate) struct One<M>(f32, PhantomData<M>);

impl<M> Clone for One<M> {
    #[inline(always)]
    fn clone(&self) -> Self {
        *self
    }
}

impl<M> Copy for One<M> {}

impl<M: MulAdd> Reals for One<M> {
    const COUNT: usize = 1;
    type Truth = bool;

    #[inline(always)]
    unsafe fn splat(x: f32) -> Self {
        One(x, PhantomData)
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: as the caller vouches.
        One(unsafe { *from }, PhantomData)
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: as the caller vouches.
        unsafe { *to = self.0 }
    }
    #[inline(always)]
    fn le(self, other: Self) -> bool {
        self.0 <= other.0
    }
    #[inline(always)]
    fn gt(self, other: Self) -> bool {
        self.0 > other.0
    }
    #[inline(always)]
    fn ge(self, other: Self) -> bool {
        self.0 >= other.0
    }
    #[inline(always)]
    fn select(truth: bool, a: Self, b: Self) -> Self {
        if truth { a } else { b }
    }
    #[inline(always)]
    fn total(self) -> f32 {
        self.0
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        One(self.0.sqrt(), PhantomData)
    }
    #[inline(always)]
    fn exp(self) -> Self {
        One(Real::exp::<M>(self.0), PhantomData)
    }
    #[inline(always)]
    fn logistic(self) -> Self {
        One(Real::logistic::<M>(self.0), PhantomData)
    }
    #[inline(always)]
    fn tanh(self) -> Self {
        One(Real::tanh::<M>(self.0), PhantomData)
    }
    #[inline(always)]
    fn erf(self) -> Self {
        One(Real::erf::<M>(self.0), PhantomData)
    }
    #[inline(always)]
    fn gelu(self) -> Self {
        One(Real::gelu::<M>(self.0), PhantomData)
    }
    #[inline(always)]
    fn gelu_slope(self) -> Self {
        One(Real::gelu_slope::<M>(self.0), PhantomData)
    }
}

macro_rules! operators {
    ($($trait:ident $function:ident $operator:tt;)*) => {$(
        impl<M> $trait for One<M> {
            type Output = Self;

            #[inline(always)]
            fn $function(self, other: Self) -> Self {
                One(self.0 $operator other.0, PhantomData)
            }
        }
    )*};
}

operators! {
    Add add +;
    Sub sub -;
    Mul mul *;
    Div div /;
}
