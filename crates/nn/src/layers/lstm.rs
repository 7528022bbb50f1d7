//! Long short-term memory.

use gyrus_graph::ops::whole::recurrent::RnnActivation;
use gyrus_tensor::{Rng, Tensor};

use super::recurrent::{Architecture, Recurrent, Scan, Sequences, recurrent_layer};
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

/// The two states of an [`Lstm`] at one step, each `[num_layers directions, B, hidden_size]`: layer by layer, and for
/// each the forward direction first, as PyTorch's `(h_n, c_n)`.
#[derive(Clone, Debug, Module)]
pub struct LstmState {
    /// What a step gives out.
    pub h: Tensor,
    /// What it keeps.
    pub c: Tensor,
}

recurrent_layer!(Lstm, LstmBuilder, 4);

impl Lstm {
    /// As [`Layer::forward`] on sequences of these `lengths`, or of all `T` steps, from the state `initial`, or zeros.
    /// Returns the output, and the states after each sequence's last step in the order of its direction.
    ///
    /// What is beyond a sequence's end is not computed: the output there is 0, the backward direction begins at the end,
    /// and no gradient flows from there. The input must be finite there all the same. Equal to what PyTorch computes from
    /// `pack_padded_sequence(.., enforce_sorted=False)`, where lengths of 0 are not allowed; here such a sequence keeps its
    /// initial state. Lengths below 0 and beyond `T` mean 0 and `T`.
    ///
    /// # Shapes
    /// `[B, T, input_size]` and `i64[B]` to `[B, T, directions hidden_size]`.
    ///
    /// # Panics
    /// If the shapes or element types do not fit.
    #[track_caller]
    pub fn forward_sequences(
        &self,
        input: &Tensor,
        lengths: Option<&Tensor>,
        initial: Option<&LstmState>,
        context: &Context,
    ) -> (Tensor, LstmState) {
        let initial = initial.map(|LstmState { h, c }| [h, c]);
        let (output, [h, c]) = self.run(input, Sequences { lengths, initial }, context);
        (output, LstmState { h, c })
    }

    #[track_caller]
    fn run(&self, input: &Tensor, sequences: Sequences<2>, context: &Context) -> (Tensor, [Tensor; 2]) {
        self.0.forward("lstm", input, sequences, context.precision(), |scan| {
            let Scan { gates, weight_hh, bias_ih, bias_hh, initial: [h, c], lengths, reverse, .. } = scan;
            let (bias, weight_hh) = (bias_ih + bias_hh, weight_hh.value());
            let (hs, cs) = gates.value().lstm_scan(h.value(), c.value(), weight_hh, bias.value(), lengths, reverse);
            [hs.into(), cs.into()]
        })
    }
}
