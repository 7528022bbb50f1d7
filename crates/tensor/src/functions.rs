//! Element-wise functions and activations.

use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI};

use crate::Tensor;

macro_rules! functions {
    ($kind:ident: $($(#[doc = $doc:literal])* $name:ident $method:ident,)*) => {
        impl Tensor {$(
            $(#[doc = $doc])*
            #[track_caller]
            pub fn $name(&self) -> Tensor {
                self.$kind().value().$method().into()
            }
        )*}
    };
}

functions! { to_real:
    /// `e^x`. Integers become `f32`, as for all functions of reals.
    exp exp,
    /// `e^x - 1`, accurate near 0.
    expm1 expm1,
    /// The natural logarithm, `ln x`; NaN for `x < 0`.
    log log,
    /// `ln(1 + x)`, accurate near 0.
    log1p log1p,
    /// The square root; NaN for `x < 0`.
    sqrt sqrt,
    /// `1 / sqrt(x)`.
    rsqrt rsqrt,
    /// The cube root, real for `x < 0` too.
    cbrt cbrt,
    /// The sine of an angle in radians.
    sin sin,
    /// The cosine of an angle in radians.
    cos cos,
    /// The tangent of an angle in radians.
    tan tan,
    /// The hyperbolic tangent, `(e^x - e^-x) / (e^x + e^-x)`.
    tanh tanh,
    /// The error function, `2 / sqrt(π) * integral from 0 to x of e^(-t^2) dt`.
    erf erf,
    /// The logistic sigmoid, `1 / (1 + e^-x)`.
    sigmoid logistic,
    /// Whether an element is neither infinite nor NaN, of type `bool`.
    is_finite is_finite,
}

functions! { clone:
    /// The absolute value, `|x|`. Its gradient at 0 is 0.
    abs abs,
    /// `-x`.
    neg neg,
    /// -1, 0 or 1 as `x` is negative, 0 or positive; NaN stays NaN. Its gradient is 0.
    sign sign,
}

macro_rules! roundings {
    ($($(#[doc = $doc:literal])* $name:ident,)*) => {
        impl Tensor {$(
            $(#[doc = $doc])*
            /// Integers stay as they are. The gradient is 0.
            #[track_caller]
            pub fn $name(&self) -> Tensor {
                if self.dtype().is_float() { self.value().$name().into() } else { self.clone() }
            }
        )*}
    };
}

roundings! {
    /// The greatest whole number that is at most `x`.
    floor,
    /// The least whole number that is at least `x`.
    ceil,
    /// The nearest whole number, halves to the even one.
    round,
}

impl Tensor {
    /// `x * x`.
    #[track_caller]
    pub fn square(&self) -> Tensor {
        self * self
    }

    /// `1 / x`.
    #[track_caller]
    pub fn reciprocal(&self) -> Tensor {
        1.0 / self.to_real()
    }

    /// Whether an element is not a number, of type `bool`.
    #[track_caller]
    pub fn is_nan(&self) -> Tensor {
        self.ne(self)
    }

    /// `max(x, 0)`, the rectified linear unit; its gradient at 0 is 0.
    ///
    /// # Source
    /// Nair and Hinton, Rectified Linear Units Improve Restricted Boltzmann Machines (2010).
    #[track_caller]
    pub fn relu(&self) -> Tensor {
        self.le(0).select(0, self)
    }

    /// `x` where `x > 0`, else `negative_slope * x`.
    ///
    /// # Source
    /// Maas, Hannun and Ng, Rectifier Nonlinearities Improve Neural Network Acoustic Models (2013).
    #[track_caller]
    pub fn leaky_relu(&self, negative_slope: f64) -> Tensor {
        self.gt(0).select(self, self * negative_slope)
    }

    /// `x` where `x > 0`, else `alpha * (e^x - 1)`.
    ///
    /// # Source
    /// Clevert, Unterthiner and Hochreiter, Fast and Accurate Deep Network Learning by Exponential Linear
    /// Units (2016), equation 15.
    #[track_caller]
    pub fn elu(&self, alpha: f64) -> Tensor {
        // The exponential only sees what is not positive: elsewhere it, and its gradient, may be infinite.
        let is_positive = self.gt(0);
        let below = is_positive.select(0, self).expm1() * alpha;
        is_positive.select(self, below)
    }

    /// `x * sigmoid(x)`, also called swish.
    ///
    /// # Source
    /// Elfwing, Uchibe and Doya, Sigmoid-Weighted Linear Units (2018), equation 6.
    #[track_caller]
    pub fn silu(&self) -> Tensor {
        let x = self.to_real();
        &x * x.sigmoid()
    }

    /// `x * Φ(x) = x / 2 * (1 + erf(x / sqrt(2)))`, the Gaussian error linear unit.
    ///
    /// # Source
    /// Hendrycks and Gimpel, Gaussian Error Linear Units (2016), section 2.
    #[track_caller]
    pub fn gelu(&self) -> Tensor {
        Tensor::from(self.to_real().value().gelu())
    }

    /// [`Tensor::gelu`] approximated by `x / 2 * (1 + tanh(sqrt(2 / π) * (x + 0.044715 * x^3)))`.
    ///
    /// # Source
    /// Hendrycks and Gimpel, Gaussian Error Linear Units (2016), section 2.
    #[track_caller]
    pub fn gelu_tanh(&self) -> Tensor {
        let x = self.to_real();
        let inner = (&x + 0.044715 * x.square() * &x) * (FRAC_2_SQRT_PI * FRAC_1_SQRT_2);
        0.5 * &x * (1.0 + inner.tanh())
    }

    /// `ln(1 + e^x)`, a smooth [`Tensor::relu`], computed as `max(x, 0) + ln(1 + e^-|x|)` so that it does
    /// not overflow.
    #[track_caller]
    pub fn softplus(&self) -> Tensor {
        let x = self.to_real();
        x.maximum(0.0) + (-x.abs()).exp().log1p()
    }

    /// `ln(sigmoid(x)) = -softplus(-x)`.
    #[track_caller]
    pub fn log_sigmoid(&self) -> Tensor {
        -(-self.to_real()).softplus()
    }

    /// `min(max(x / 6 + 1 / 2, 0), 1)`, a piecewise linear sigmoid.
    ///
    /// # Source
    /// Howard et al., Searching for MobileNetV3 (2019), section 5.2.
    #[track_caller]
    pub fn hard_sigmoid(&self) -> Tensor {
        (self.to_real() * (1.0 / 6.0) + 0.5).clamp(0.0, 1.0)
    }
}
