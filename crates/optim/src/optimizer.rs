//! What optimizers have in common.

use gyrus_tensor::{Buffer, DType, Gradients, Kind, Module, Path, Tensor, try_evaluate};

/// Changes the parameters of a model so that its loss becomes less.
///
/// It is a module, whose tensors are its state, named by the parameters they belong to:
/// `exp_avg.conv1.weight`. The state is complete from the start, so that a compiled function can hold it.
pub trait Optimizer: Module + Send + Sync {
    /// Records one step, with one gradient for each parameter of the model. Buffers stay as they are. The new parameters
    /// have a history: gradients flow through them to the old ones and to the gradients.
    ///
    /// # Panics
    /// If the model or the gradients are not those of the model for which the optimizer was made.
    fn update(&mut self, model: &mut dyn Module, gradients: &Gradients);

    /// Makes one step. In a function that is compiled it is recorded, as [`Optimizer::update`] does. Elsewhere it is computed,
    /// together with the loss, and model and optimizer forget their history, or a loop would keep all of its steps.
    ///
    /// # Panics
    /// As [`Optimizer::update`].
    fn step(&mut self, model: &mut dyn Module, gradients: &Gradients) {
        self.update(model, gradients);
        let mut changed: Vec<Tensor> = gradients.output().into_iter().cloned().collect();
        let path = &mut Path::default();
        let mut add = |_: &Path, _, tensor: &Tensor| changed.push(tensor.clone());
        model.walk(path, &mut add);
        self.walk(path, &mut add);
        if try_evaluate(&changed, gradients.iter()) {
            let mut forget = |_: &Path, _, tensor: &mut Tensor| *tensor = tensor.detach();
            model.walk_mut(path, &mut forget);
            self.walk_mut(path, &mut forget);
        }
    }

    /// The learning rate of the next step, an `f32` scalar.
    fn learning_rate(&self) -> Tensor;

    /// Exchanges the model with what is to be measured and kept in its place, where the optimizer has such: a second time
    /// brings it back.
    fn exchange(&mut self, _model: &mut dyn Module) {}
}

impl<O: Optimizer + ?Sized> Optimizer for Box<O> {
    fn update(&mut self, model: &mut dyn Module, gradients: &Gradients) {
        (**self).update(model, gradients);
    }

    fn learning_rate(&self) -> Tensor {
        (**self).learning_rate()
    }

    fn exchange(&mut self, model: &mut dyn Module) {
        (**self).exchange(model);
    }
}

/// One tensor of the state for each parameter, or for each tensor, of its shape and type.
#[derive(Clone)]
pub(crate) struct Slots(Vec<(String, Tensor)>);

impl Slots {
    /// All zeros.
    pub fn zeros(model: &(impl Module + ?Sized)) -> Slots {
        let zeros = |(path, parameter): (String, Tensor)| (path, parameter.zeros_like());
        Slots(model.named_parameters().into_iter().map(zeros).collect())
    }

    /// What the floating-point tensors of a model are, buffers included.
    pub fn copies(model: &(impl Module + ?Sized)) -> Slots {
        let is_float = |(_, _, tensor): &(String, Kind, Tensor)| tensor.dtype().is_float();
        let tensors = model.named_tensors().into_iter().filter(is_float);
        Slots(tensors.map(|(path, _, tensor)| (path, tensor)).collect())
    }

    /// Replaces the tensor of a parameter by what `update` makes of it, which is also returned.
    pub fn update(&mut self, index: usize, update: impl FnOnce(&Tensor) -> Tensor) -> Tensor {
        let slot = &mut self.0[index].1;
        *slot = update(slot);
        slot.clone()
    }

    /// Whether the tensor of this number belongs to that parameter.
    fn fits(&self, index: usize, path: &Path, parameter: &Tensor) -> bool {
        self.0.get(index).is_some_and(|(name, slot)| name == path.as_str() && slot.spec() == parameter.spec())
    }
}

impl Module for Slots {
    fn walk(&self, path: &mut Path, visit: &mut dyn FnMut(&Path, Kind, &Tensor)) {
        for (parameter, slot) in &self.0 {
            path.within(parameter, |path| visit(path, Kind::Buffer, slot));
        }
    }

    fn walk_mut(&mut self, path: &mut Path, visit: &mut dyn FnMut(&Path, Kind, &mut Tensor)) {
        for (parameter, slot) in &mut self.0 {
            path.within(parameter, |path| visit(path, Kind::Buffer, slot));
        }
    }
}

/// A count of steps, starting at 0.
pub(crate) fn no_steps() -> Buffer {
    Buffer::new(Tensor::scalar(0i64))
}

/// The type in which the scalars of a step are computed: `f64` if a parameter is, else `f32`.
pub(crate) fn scalar_type(model: &(impl Module + ?Sized)) -> DType {
    let is_double = |parameter: &Tensor| parameter.dtype() == DType::F64;
    if model.parameters().iter().any(is_double) { DType::F64 } else { DType::F32 }
}

/// Replaces each parameter by what `update` makes of `slots`, the optimizer's state, the parameter's number,
/// itself and its gradient.
pub(crate) fn update_parameters(
    optimizer: &str,
    model: &mut dyn Module,
    gradients: &Gradients,
    slots: &mut [&mut Slots],
    update: impl Fn(&mut [&mut Slots], usize, &Tensor, &Tensor) -> Tensor,
) {
    let mut gradients = gradients.iter();
    let mut index = 0;
    model.walk_mut(&mut Path::default(), &mut |path, kind, parameter| {
        if kind != Kind::Parameter {
            return;
        }
        let gradient = gradients.next().unwrap_or_else(|| panic!("{optimizer}: {path}: has no gradient"));
        assert!(
            gradient.spec() == parameter.spec(),
            "{optimizer}: {path}: parameter {} and gradient {} must be alike",
            parameter.spec(),
            gradient.spec()
        );
        assert!(
            slots.iter().all(|slots| slots.fits(index, path, parameter)),
            "{optimizer}: {path}: parameter {} has no state: the optimizer was made for another model",
            parameter.spec()
        );
        let updated = update(slots, index, parameter, gradient);
        *parameter = updated.to_dtype(parameter.dtype());
        index += 1;
    });
    assert!(gradients.next().is_none(), "{optimizer}: there are more gradients than the {index} parameters");
}
