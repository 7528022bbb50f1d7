//! A layer that is computed again for its gradient.

use gyrus_tensor::{Tensor, remat};

use crate::{Context, Layer, Module};

/// The layer inside, with less memory in training: what it computes is not kept for the gradient but computed again
/// from the input; see [`remat`].
///
/// # Shapes
/// As of the layer inside, which must not replace tensors: batch normalisation does in training.
#[derive(Clone, Debug, Module)]
pub struct Remat<L>(pub L);

impl<L: Layer> Layer for Remat<L> {
    fn forward(&self, input: &Tensor, context: &mut Context) -> Tensor {
        let mut outputs = remat(|inputs| vec![self.0.forward(&inputs[0], context)], &[input]);
        outputs.pop().expect("one result")
    }
}
