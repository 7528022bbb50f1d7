//! Activation functions.

use gyrus_graph::Value;
use gyrus_tensor::Tensor;

use crate::{Context, Layer, Module};

/// A function of each element.
#[derive(Clone, Copy, Debug, PartialEq, Module)]
pub enum Activation {
    /// `x`.
    Identity,
    /// `max(x, 0)`; its derivative at 0 is 0.
    Relu,
    /// `x` where it is positive, else `negative_slope * x`.
    LeakyRelu {
        /// The slope below 0, 0.01 in most uses.
        negative_slope: f64,
    },
    /// `x` where it is positive, else `alpha * (exp(x) - 1)`. Clevert et al. (2015).
    Elu {
        /// Minus the limit at minus infinity.
        alpha: f64,
    },
    /// `x Φ(x) = x (1 + erf(x / sqrt(2))) / 2`. Hendrycks, Gimpel (2016).
    Gelu,
    /// `x (1 + tanh(sqrt(2 / π) (x + 0.044715 x³))) / 2`, the approximation in the paper of `Gelu`.
    GeluTanh,
    /// `x sigmoid(x)`, also called swish. Elfwing et al. (2017).
    Silu,
    /// `1 / (1 + exp(-x))`.
    Sigmoid,
    /// The hyperbolic tangent.
    Tanh,
    /// `1.7159 tanh(2 x / 3)`, which maps ±1 to ±1. LeCun et al., Gradient-Based Learning Applied to Document
    /// Recognition (1998), appendix A.
    ScaledTanh,
    /// `log(1 + exp(x))`.
    Softplus,
}

impl Activation {
    /// Applies the function.
    pub fn apply(self, input: &Tensor) -> Tensor {
        let x = input.value();
        let scaled = |x: &Value, factor: f64| x.mul(&x.full_like(factor));
        let where_positive = |negative: Value| x.gt(&x.full_like(0.0)).select(x, &negative);
        let halved = |gate: Value| scaled(x, 0.5).mul(&gate.add(&gate.full_like(1.0)));
        match self {
            Activation::Identity => x.clone(),
            Activation::Relu => where_positive(x.full_like(0.0)),
            Activation::LeakyRelu { negative_slope } => where_positive(scaled(x, negative_slope)),
            // The exponential of what is not selected must stay finite, or its gradient would be 0 times infinity.
            Activation::Elu { alpha } => where_positive(scaled(&x.min(&x.full_like(0.0)).expm1(), alpha)),
            Activation::Gelu => halved(scaled(x, std::f64::consts::FRAC_1_SQRT_2).erf()),
            Activation::GeluTanh => {
                let factor = (2.0 / std::f64::consts::PI).sqrt();
                let inner = x.add(&scaled(&x.mul(x).mul(x), 0.044715));
                halved(scaled(&inner, factor).tanh())
            }
            Activation::Silu => x.mul(&x.logistic()),
            Activation::Sigmoid => x.logistic(),
            Activation::Tanh => x.tanh(),
            Activation::ScaledTanh => scaled(&scaled(x, 2.0 / 3.0).tanh(), 1.7159),
            // max(x, 0) + log(1 + exp(-|x|)) does not overflow.
            Activation::Softplus => x.max(&x.full_like(0.0)).add(&x.abs().neg().exp().log1p()),
        }
        .into()
    }
}

impl Layer for Activation {
    fn forward(&self, input: &Tensor, _: &mut Context) -> Tensor {
        self.apply(input)
    }
}
