//! What layers and models have in common.

use gyrus_tensor::{Module, Tensor};

use crate::Context;

/// A function of a tensor with parameters: a layer, or a whole model.
pub trait Layer: Module + Send + Sync {
    /// Applies the layer.
    ///
    /// # Panics
    /// If the input's shape does not fit: the message names the layer and what it expects.
    fn forward(&self, input: &Tensor, context: &mut Context) -> Tensor;
}

impl<L: Layer + ?Sized> Layer for Box<L> {
    fn forward(&self, input: &Tensor, context: &mut Context) -> Tensor {
        (**self).forward(input, context)
    }
}

/// No layer is the identity.
impl<L: Layer> Layer for Option<L> {
    fn forward(&self, input: &Tensor, context: &mut Context) -> Tensor {
        self.as_ref().map_or_else(|| input.clone(), |layer| layer.forward(input, context))
    }
}

macro_rules! chains {
    ($(($($name:ident $index:tt),*))*) => {$(
        /// One layer after another.
        impl<$($name: Layer),*> Layer for ($($name,)*) {
            fn forward(&self, input: &Tensor, context: &mut Context) -> Tensor {
                let output = input.clone();
                $(let output = self.$index.forward(&output, context);)*
                output
            }
        }
    )*};
}

chains! { (A 0) (A 0, B 1) (A 0, B 1, C 2) (A 0, B 1, C 2, D 3) (A 0, B 1, C 2, D 3, E 4) (A 0, B 1, C 2, D 3, E 4, F 5) }
