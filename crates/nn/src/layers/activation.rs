//! Activation functions.

use gyrus_tensor::Tensor;

use crate::{Context, Layer, Module};

/// A function of each element.
#[derive(Clone, Copy, Debug, PartialEq, Module)]
pub enum Activation {
    /// `x`.
    Identity,
    /// `max(x, 0)`; its derivative at 0 is 0.
    Relu,
    /// `min(max(x, 0), 6)`; its derivative at 0 is 0. Howard et al., MobileNets (2017).
    Relu6,
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
        match self {
            Activation::Identity => input.clone(),
            Activation::Relu => input.relu(),
            Activation::Relu6 => input.relu().minimum(6.0),
            Activation::LeakyRelu { negative_slope } => input.leaky_relu(negative_slope),
            Activation::Elu { alpha } => input.elu(alpha),
            Activation::Gelu => input.gelu(),
            Activation::GeluTanh => input.gelu_tanh(),
            Activation::Silu => input.silu(),
            Activation::Sigmoid => input.sigmoid(),
            Activation::Tanh => input.tanh(),
            Activation::ScaledTanh => (input * (2.0 / 3.0)).tanh() * 1.7159,
            Activation::Softplus => input.softplus(),
        }
    }
}

impl Layer for Activation {
    fn forward(&self, input: &Tensor, _: &mut Context) -> Tensor {
        self.apply(input)
    }
}
