//! The functions, for both types of real numbers that are computed with.

use super::{MulAdd, erf, exponential, gelu, logarithm, power, trigonometric};

/// A type of real numbers to compute with.
pub(crate) trait Real: Copy + Default + PartialOrd + 'static {
    fn abs(self) -> Self;
    fn neg(self) -> Self;
    /// -1, 0 or 1, with zero's sign; NaN stays NaN.
    fn sign(self) -> Self;
    fn exp<M: MulAdd>(self) -> Self;
    /// `exp` of what is not above 0; a result below the smallest normal number is 0.
    fn exp_of_nonpositive<M: MulAdd>(self) -> Self;
    fn expm1<M: MulAdd>(self) -> Self;
    fn log<M: MulAdd>(self) -> Self;
    fn log1p<M: MulAdd>(self) -> Self;
    fn sqrt(self) -> Self;
    /// `1 / sqrt(x)`.
    fn rsqrt(self) -> Self;
    fn cbrt<M: MulAdd>(self) -> Self;
    /// Right where [`Real::in_trigonometric_range`].
    fn sin<M: MulAdd>(self) -> Self;
    /// Right where [`Real::in_trigonometric_range`].
    fn cos<M: MulAdd>(self) -> Self;
    /// Right where [`Real::in_trigonometric_range`].
    fn tan<M: MulAdd>(self) -> Self;
    fn tanh<M: MulAdd>(self) -> Self;
    fn logistic<M: MulAdd>(self) -> Self;
    fn erf<M: MulAdd>(self) -> Self;
    /// `x Φ(x)`, with the cumulative distribution function of the normal distribution.
    fn gelu<M: MulAdd>(self) -> Self;
    /// The derivative of `gelu`, 0 or 1 at the infinities.
    fn gelu_slope<M: MulAdd>(self) -> Self;
    fn floor(self) -> Self;
    fn ceil(self) -> Self;
    /// Halves to the even neighbour.
    fn round(self) -> Self;
    fn pow<M: MulAdd>(self, exponent: Self) -> Self;
    /// The angle of the point `(x, self)`.
    fn atan2<M: MulAdd>(self, x: Self) -> Self;
    fn is_finite(self) -> bool;
    /// Whether the fast `sin`, `cos` and `tan` are right; NaN and infinity are not in the range.
    fn in_trigonometric_range(self) -> bool;
    /// By the standard library, for any operand.
    fn slow_sin(self) -> Self;
    /// By the standard library, for any operand.
    fn slow_cos(self) -> Self;
    /// By the standard library, for any operand.
    fn slow_tan(self) -> Self;
}

macro_rules! real {
    ($type:ty, { $($fast:item)* }) => {
        impl Real for $type {
            #[inline(always)]
            fn abs(self) -> Self { self.abs() }
            #[inline(always)]
            fn neg(self) -> Self { -self }
            #[inline(always)]
            fn sign(self) -> Self {
                let one = (1.0 as Self).copysign(self);
                if self == 0.0 || self.is_nan() { self } else { one }
            }
            #[inline(always)]
            fn sqrt(self) -> Self { self.sqrt() }
            #[inline(always)]
            fn rsqrt(self) -> Self { 1.0 / self.sqrt() }
            #[inline(always)]
            fn floor(self) -> Self { self.floor() }
            #[inline(always)]
            fn ceil(self) -> Self { self.ceil() }
            #[inline(always)]
            fn round(self) -> Self { self.round_ties_even() }
            #[inline(always)]
            fn is_finite(self) -> bool { self.abs() < Self::INFINITY }
            $(#[inline(always)] $fast)*
        }
    };
}

real!(f32, {
    fn exp<M: MulAdd>(self) -> Self {
        exponential::exp::<M>(self)
    }
    fn exp_of_nonpositive<M: MulAdd>(self) -> Self {
        exponential::exp_of_nonpositive::<M>(self)
    }
    fn expm1<M: MulAdd>(self) -> Self {
        exponential::expm1::<M>(self)
    }
    fn log<M: MulAdd>(self) -> Self {
        logarithm::log::<M>(self)
    }
    fn log1p<M: MulAdd>(self) -> Self {
        logarithm::log1p::<M>(self)
    }
    fn cbrt<M: MulAdd>(self) -> Self {
        power::cbrt::<M>(self)
    }
    fn sin<M: MulAdd>(self) -> Self {
        trigonometric::sin::<M>(self)
    }
    fn cos<M: MulAdd>(self) -> Self {
        trigonometric::cos::<M>(self)
    }
    fn tan<M: MulAdd>(self) -> Self {
        trigonometric::tan::<M>(self)
    }
    fn tanh<M: MulAdd>(self) -> Self {
        exponential::tanh::<M>(self)
    }
    fn logistic<M: MulAdd>(self) -> Self {
        exponential::logistic::<M>(self)
    }
    fn erf<M: MulAdd>(self) -> Self {
        erf::erf::<M>(self)
    }
    fn gelu<M: MulAdd>(self) -> Self {
        gelu::gelu::<M>(self)
    }
    fn gelu_slope<M: MulAdd>(self) -> Self {
        gelu::gelu_slope::<M>(self)
    }
    fn pow<M: MulAdd>(self, exponent: Self) -> Self {
        power::pow::<M>(self, exponent)
    }
    fn atan2<M: MulAdd>(self, x: Self) -> Self {
        trigonometric::atan2::<M>(self, x)
    }
    fn in_trigonometric_range(self) -> bool {
        self.abs() <= trigonometric::TRIGONOMETRIC_LIMIT
    }
    fn slow_sin(self) -> Self {
        (self as f64).sin() as f32
    }
    fn slow_cos(self) -> Self {
        (self as f64).cos() as f32
    }
    fn slow_tan(self) -> Self {
        (self as f64).tan() as f32
    }
});

real!(f64, {
    fn exp<M: MulAdd>(self) -> Self {
        self.exp()
    }
    fn exp_of_nonpositive<M: MulAdd>(self) -> Self {
        self.exp()
    }
    fn expm1<M: MulAdd>(self) -> Self {
        self.exp_m1()
    }
    fn log<M: MulAdd>(self) -> Self {
        self.ln()
    }
    fn log1p<M: MulAdd>(self) -> Self {
        self.ln_1p()
    }
    fn cbrt<M: MulAdd>(self) -> Self {
        self.cbrt()
    }
    fn sin<M: MulAdd>(self) -> Self {
        self.sin()
    }
    fn cos<M: MulAdd>(self) -> Self {
        self.cos()
    }
    fn tan<M: MulAdd>(self) -> Self {
        self.tan()
    }
    fn tanh<M: MulAdd>(self) -> Self {
        self.tanh()
    }
    fn logistic<M: MulAdd>(self) -> Self {
        let e = (-self.abs()).exp();
        if self < 0.0 { e / (1.0 + e) } else { 1.0 / (1.0 + e) }
    }
    fn erf<M: MulAdd>(self) -> Self {
        erf::erf_f64(self)
    }
    fn gelu<M: MulAdd>(self) -> Self {
        gelu::gelu_f64(self)
    }
    fn gelu_slope<M: MulAdd>(self) -> Self {
        gelu::gelu_slope_f64(self)
    }
    fn pow<M: MulAdd>(self, exponent: Self) -> Self {
        self.powf(exponent)
    }
    fn atan2<M: MulAdd>(self, x: Self) -> Self {
        self.atan2(x)
    }
    fn in_trigonometric_range(self) -> bool {
        true
    }
    fn slow_sin(self) -> Self {
        self.sin()
    }
    fn slow_cos(self) -> Self {
        self.cos()
    }
    fn slow_tan(self) -> Self {
        self.tan()
    }
});
