//! Gated recurrent units.

use gyrus_graph::ops::whole::recurrent::RnnActivation;
use gyrus_tensor::{Rng, Tensor};

use super::recurrent::{Architecture, Recurrent, Scan, Sequences, of_one_state, recurrent_layer};
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
of_one_state!(Gru);

impl Gru {
    #[track_caller]
    fn run(&self, input: &Tensor, sequences: Sequences<1>, context: &Context) -> (Tensor, [Tensor; 1]) {
        self.0.forward("gru", input, sequences, context.precision(), |scan| {
            let Scan { gates, weight_hh, bias_ih, bias_hh, initial: [h], lengths, reverse, .. } = scan;
            let size = h.shape()[1];
            let bias = Tensor::cat(&[(bias_ih + bias_hh).narrow(0, ..2 * size), bias_ih.narrow(0, 2 * size..)], 0);
            let bias = Tensor::cat(&[bias, bias_hh.narrow(0, 2 * size..)], 0);
            [gates.value().gru_scan(h.value(), weight_hh.value(), bias.value(), lengths, reverse).into()]
        })
    }
}
