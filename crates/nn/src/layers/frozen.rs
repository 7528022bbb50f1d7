//! Layers of which a part is not trained.

use gyrus_tensor::{Kind, Path, Tensor, Visit, VisitMut};

use crate::{Context, Layer, Module};

/// The layer inside, of which the named parts are not trained: what is a parameter there is a buffer here, so that it
/// has no gradient and no place in an optimizer, and the same name in a checkpoint. Running statistics of frozen batch
/// normalisations still move in training, as in PyTorch.
///
/// # Shapes
/// As of the layer inside.
pub struct Frozen<L> {
    inner: L,
    parts: Vec<String>,
}

impl<L: Layer> Frozen<L> {
    /// The parts are paths from the layer inside, `layer1` or `layer1.0.conv1`; each stands for all that is in it.
    pub fn new(inner: L, parts: Vec<String>) -> Self {
        Frozen { inner, parts }
    }

    /// The layer inside.
    pub fn inner(&self) -> &L {
        &self.inner
    }
}

impl<L: Layer> Module for Frozen<L> {
    fn walk(&self, path: &mut Path, visit: Visit) {
        let (start, parts) = (path.as_str().len(), &self.parts);
        self.inner.walk(path, &mut |path, kind, tensor| visit(path, kind_here(path, start, parts, kind), tensor));
    }

    fn walk_mut(&mut self, path: &mut Path, visit: VisitMut) {
        let (start, parts) = (path.as_str().len(), &self.parts);
        self.inner.walk_mut(path, &mut |path, kind, tensor| visit(path, kind_here(path, start, parts, kind), tensor));
    }
}

/// What a tensor of the layer inside, whose path begins at `start`, is outside.
fn kind_here(path: &Path, start: usize, parts: &[String], kind: Kind) -> Kind {
    let path = path.as_str()[start..].trim_start_matches('.');
    let is_in = |part: &String| path.strip_prefix(&**part).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
    if parts.iter().any(is_in) { Kind::Buffer } else { kind }
}

impl<L: Layer> Layer for Frozen<L> {
    fn forward(&self, input: &Tensor, context: &mut Context) -> Tensor {
        self.inner.forward(input, context)
    }
}
