//! The fully connected layer.

use gyrus_graph::ops::contraction::DotGeneral;
use gyrus_tensor::{Rng, Tensor};

use crate::init::Init;
use crate::{Context, Layer, Module};

/// Fully connected: `y = x weightᵀ + bias`.
///
/// # Shapes
/// `[.., in_features]` to `[.., out_features]`; `weight` `[out_features, in_features]`, `bias` `[out_features]`.
#[derive(Clone, Debug, Module)]
pub struct Linear {
    /// `[out_features, in_features]`.
    pub weight: Tensor,
    /// `[out_features]`.
    pub bias: Option<Tensor>,
}

impl Linear {
    /// With a bias, and initial values evenly over `±1 / sqrt(in_features)`.
    pub fn new(in_features: usize, out_features: usize, rng: &mut Rng) -> Linear {
        Linear::builder(in_features, out_features).build(rng)
    }

    /// To choose the options.
    pub fn builder(in_features: usize, out_features: usize) -> LinearBuilder {
        LinearBuilder { in_features, out_features, bias: true, init: Init::DEFAULT, bias_init: None }
    }

    /// The size of the last axis of inputs.
    pub fn in_features(&self) -> usize {
        self.weight.shape()[1]
    }

    /// The size of the last axis of outputs.
    pub fn out_features(&self) -> usize {
        self.weight.shape()[0]
    }
}

/// Options of a [`Linear`] layer.
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct LinearBuilder {
    in_features: usize,
    out_features: usize,
    bias: bool,
    init: Init,
    bias_init: Option<Init>,
}

impl LinearBuilder {
    /// Whether a bias is added.
    pub fn bias(self, bias: bool) -> Self {
        LinearBuilder { bias, ..self }
    }

    /// The initial weight.
    pub fn init(self, init: Init) -> Self {
        LinearBuilder { init, ..self }
    }

    /// The initial bias.
    pub fn bias_init(self, init: Init) -> Self {
        LinearBuilder { bias_init: Some(init), ..self }
    }

    /// Draws the initial values.
    pub fn build(self, rng: &mut Rng) -> Linear {
        let shape = [self.out_features, self.in_features];
        let weight = self.init.draw(shape, rng);
        let bias_init = self.bias_init.unwrap_or_else(|| Init::bias(&shape));
        let bias = self.bias.then(|| bias_init.draw([self.out_features], rng));
        Linear { weight, bias }
    }
}

impl Layer for Linear {
    fn forward(&self, input: &Tensor, context: &mut Context) -> Tensor {
        let (x, in_features) = (input.value(), self.in_features());
        assert!(
            x.shape().last() == Some(&in_features),
            "linear: input {}: the last axis must have in_features ({in_features}) elements",
            x.spec()
        );
        let (lhs_contract, precision) = (vec![x.rank() - 1], context.precision());
        let contraction = DotGeneral { lhs_contract, rhs_contract: vec![1], precision, ..DotGeneral::default() };
        let product = Tensor::from(x.dot_general(self.weight.value(), contraction));
        match &self.bias {
            Some(bias) => product + bias,
            None => product,
        }
    }
}
