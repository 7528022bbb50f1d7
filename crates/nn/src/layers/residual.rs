//! Connections past layers.

use gyrus_tensor::Tensor;

use crate::{Context, Layer, Module};

/// `y = body(x) + shortcut(x)`, where the shortcut is the identity if there is none.
///
/// # Shapes
/// Both must give the same.
///
/// # Source
/// He et al., Deep Residual Learning for Image Recognition (2015), equations 1 and 2.
#[derive(Module)]
pub struct Residual {
    body: Box<dyn Layer>,
    shortcut: Option<Box<dyn Layer>>,
}

impl Residual {
    /// Past these layers.
    pub fn new(body: impl Layer + 'static) -> Self {
        Residual { body: Box::new(body), shortcut: None }
    }

    /// Through a layer that changes the shape, such as a convolution of kernel size 1.
    #[must_use]
    pub fn shortcut(self, shortcut: impl Layer + 'static) -> Self {
        Residual { shortcut: Some(Box::new(shortcut)), ..self }
    }
}

impl Layer for Residual {
    fn forward(&self, input: &Tensor, context: &mut Context) -> Tensor {
        let body = self.body.forward(input, context);
        let shortcut = self.shortcut.forward(input, context);
        assert!(
            body.spec() == shortcut.spec(),
            "residual: input {}: body {} and shortcut {} must be alike",
            input.spec(),
            body.spec(),
            shortcut.spec()
        );
        body + shortcut
    }
}
