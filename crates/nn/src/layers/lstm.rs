//! Long short-term memory.

use gyrus_tensor::{Rng, Tensor};

use super::recurrent::{Recurrent, Scan, Sizes, recurrent_layer};
use crate::{Context, Layer, Module};

/// Long short-term memory from a zero state: for each step
/// `i, f, g, o = logistic, logistic, tanh, logistic of x W_ihᵀ + b_ih + h W_hhᵀ + b_hh`,
/// `c = f c + i g`, `h = o tanh(c)`, and `h` is the output.
///
/// # Shapes
/// `[B, T, input_size]` to `[B, T, directions hidden_size]`; the weights have PyTorch's names, shapes and order of
/// gates.
///
/// # Source
/// Hochreiter, Schmidhuber, Long Short-Term Memory (1997); the forget gate of Gers et al. (2000).
#[derive(Clone, Debug, Module)]
pub struct Lstm(Recurrent);

recurrent_layer!(Lstm, LstmBuilder, 4);

impl Layer for Lstm {
    fn forward(&self, input: &Tensor, context: &mut Context) -> Tensor {
        self.0.forward(
            "lstm",
            input,
            context.precision(),
            |Scan { gates, weight_hh, bias_ih, bias_hh, initial, reverse }| {
                let (initial, bias) = (initial.value(), bias_ih + bias_hh);
                gates.value().lstm_scan(initial, initial, weight_hh.value(), bias.value(), reverse).0.into()
            },
        )
    }
}
