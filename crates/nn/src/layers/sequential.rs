//! Layers one after another.

use gyrus_tensor::Tensor;

use crate::{Context, Layer, Module};

/// Layers one after another, named `0`, `1`, …
#[derive(Default, Module)]
pub struct Sequential(Vec<Box<dyn Layer>>);

impl Sequential {
    /// No layers: the identity.
    pub fn new() -> Self {
        Sequential::default()
    }

    /// Adds a layer at the end.
    #[must_use]
    pub fn push(mut self, layer: impl Layer + 'static) -> Self {
        self.0.push(Box::new(layer));
        self
    }

    /// The number of layers.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no layers.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Layer for Sequential {
    fn forward(&self, input: &Tensor, context: &mut Context) -> Tensor {
        self.0.iter().fold(input.clone(), |x, layer| layer.forward(&x, context))
    }
}
