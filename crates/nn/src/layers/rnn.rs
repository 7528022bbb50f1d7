//! Plain recurrent networks.

use gyrus_graph::ops::whole::recurrent::RnnActivation;
use gyrus_tensor::{Rng, Tensor};

use super::recurrent::{Architecture, Recurrent, Scan, Sequences, of_one_state, recurrent_layer};
use crate::{Context, Layer, Module};

/// A plain recurrent network from a zero state: for each step `h = f(x W_ihᵀ + b_ih + h W_hhᵀ + b_hh)`, and `h` is the
/// output; `f` is the hyperbolic tangent, or another [`RnnActivation`].
///
/// # Shapes
/// `[B, T, input_size]` to `[B, T, directions hidden_size]`; the weights have PyTorch's names and shapes.
///
/// # Source
/// Elman, Finding Structure in Time (1990).
#[derive(Clone, Debug, Module)]
pub struct Rnn(Recurrent);

recurrent_layer!(Rnn, RnnBuilder, 1);
of_one_state!(Rnn);

impl RnnBuilder {
    /// The function of each step; PyTorch's `nonlinearity`.
    pub fn activation(self, activation: RnnActivation) -> Self {
        RnnBuilder(Architecture { activation, ..self.0 })
    }
}

impl Rnn {
    #[track_caller]
    fn run(&self, input: &Tensor, sequences: Sequences<1>, context: &Context) -> (Tensor, [Tensor; 1]) {
        self.0.forward("rnn", input, sequences, context.precision(), |scan| {
            let Scan { gates, weight_hh, bias_ih, bias_hh, initial: [h], lengths, activation, reverse } = scan;
            let (bias, weight_hh) = (bias_ih + bias_hh, weight_hh.value());
            [gates.value().rnn_scan(h.value(), weight_hh, bias.value(), lengths, activation, reverse).into()]
        })
    }
}
