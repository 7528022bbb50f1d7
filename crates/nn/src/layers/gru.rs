//! Gated recurrent units.

use gyrus_tensor::{Rng, Tensor};

use super::recurrent::{Recurrent, Scan, Sizes, recurrent_layer};
use crate::{Context, Layer, Module};

/// Gated recurrent units from a zero state: for each step
/// `r, z = logistic of x W_ihᵀ + b_ih + h W_hhᵀ + b_hh`, `n = tanh(x W_inᵀ + b_in + r (h W_hnᵀ + b_hn))`,
/// `h = (1 - z) n + z h`, and `h` is the output.
///
/// # Shapes
/// `[B, T, input_size]` to `[B, T, directions hidden_size]`; the weights have PyTorch's names, shapes and order of
/// gates.
///
/// # Source
/// Cho et al., Learning Phrase Representations using RNN Encoder-Decoder (2014); as PyTorch and cuDNN, the reset gate
/// acts after the product.
#[derive(Clone, Debug, Module)]
pub struct Gru(Recurrent);

recurrent_layer!(Gru, GruBuilder, 3);

impl Layer for Gru {
    fn forward(&self, input: &Tensor, context: &mut Context) -> Tensor {
        self.0.forward(
            "gru",
            input,
            context.precision(),
            |Scan { gates, weight_hh, bias_ih, bias_hh, initial, reverse }| {
                let size = initial.shape()[1];
                let bias = Tensor::cat(&[(bias_ih + bias_hh).narrow(0, ..2 * size), bias_ih.narrow(0, 2 * size..)], 0);
                let bias = Tensor::cat(&[bias, bias_hh.narrow(0, 2 * size..)], 0);
                gates.value().gru_scan(initial.value(), weight_hh.value(), bias.value(), reverse).into()
            },
        )
    }
}
