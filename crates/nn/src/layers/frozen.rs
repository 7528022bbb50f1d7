//! Modules of which a part is not trained.

use std::ops::Deref;

use gyrus_tensor::{Kind, Path, Tensor, Visit, VisitMut};

use crate::{Context, Layer, Module};

/// The module inside, of which the named parts are not trained: what is a parameter there is a buffer here, so that it
/// has no gradient and no place in an optimizer, and the same name in a checkpoint. In training, batch normalisations
/// whose weight is frozen use their running statistics, which stay as they are (as Keras does, and as torchvision's
/// `FrozenBatchNorm2d`), in what runs within [`Frozen::hold`].
///
/// # Shapes
/// As of the layer inside.
pub struct Frozen<M> {
    inner: M,
    parts: Vec<String>,
}

impl<M: Module> Frozen<M> {
    /// The parts are paths from the module inside, `layer1` or `layer1.0.conv1`; each stands for all that is in it.
    pub fn new(inner: M, parts: Vec<String>) -> Self {
        Frozen { inner, parts }
    }

    /// Runs a function with a context that knows what is frozen.
    pub fn hold<R>(&self, context: &mut Context, run: impl FnOnce(&M, &mut Context) -> R) -> R {
        let mut held = vec![];
        self.inner.walk(&mut Path::default(), &mut |path, _, tensor| {
            if is_part(path.as_str(), &self.parts) {
                held.push(tensor.clone());
            }
        });
        context.holding(held, |context| run(&self.inner, context))
    }
}

impl<M> Deref for Frozen<M> {
    type Target = M;

    fn deref(&self) -> &M {
        &self.inner
    }
}

impl<M: Module> Module for Frozen<M> {
    fn walk(&self, path: &mut Path, visit: Visit) {
        let (start, parts) = (path.as_str().len(), &self.parts);
        self.inner.walk(path, &mut |path, kind, tensor| visit(path, kind_here(path, start, parts, kind), tensor));
    }

    fn walk_mut(&mut self, path: &mut Path, visit: VisitMut) {
        let (start, parts) = (path.as_str().len(), &self.parts);
        self.inner.walk_mut(path, &mut |path, kind, tensor| visit(path, kind_here(path, start, parts, kind), tensor));
    }
}

/// What a tensor of the module inside, whose path begins at `start`, is outside.
fn kind_here(path: &Path, start: usize, parts: &[String], kind: Kind) -> Kind {
    if is_part(path.as_str()[start..].trim_start_matches('.'), parts) { Kind::Buffer } else { kind }
}

fn is_part(path: &str, parts: &[String]) -> bool {
    let is_in = |part: &String| path.strip_prefix(&**part).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
    parts.iter().any(is_in)
}

impl<L: Layer> Layer for Frozen<L> {
    fn forward(&self, input: &Tensor, context: &mut Context) -> Tensor {
        self.hold(context, |inner, context| inner.forward(input, context))
    }
}
