//! What is timed: training steps and inferences of models through the public API.

use gyrus::prelude::*;
use gyrus::{Compiled, Element, Kind, Path, StepTime, bf16};
use gyrus_cpu::plan::Plan;

/// A compiled function with its arguments, called again and again.
pub trait Workload {
    /// Runs it once and reads a result.
    fn call(&mut self);

    /// As [`Workload::call`]; how long each step of its plan took.
    fn profile(&mut self) -> Vec<StepTime>;

    /// What is run; known after the first call.
    fn plan(&self) -> &Plan;

    /// Converts the numbers of `f32` among its arguments, before the first call.
    fn convert(&mut self, dtype: DType);
}

struct Prepared<F, S, I, O> {
    function: Compiled<F, S, I, O>,
    state: S,
    inputs: I,
}

impl<F, S, I, O> Workload for Prepared<F, S, I, O>
where
    F: FnMut(&mut S, I) -> O,
    S: Module,
    I: Module + Clone,
    O: Module + Clone,
{
    fn call(&mut self) {
        check(&self.function.call(&mut self.state, self.inputs.clone()));
    }

    fn profile(&mut self) -> Vec<StepTime> {
        let (outputs, times) = self.function.profile(&mut self.state, self.inputs.clone());
        check(&outputs);
        times
    }

    fn plan(&self) -> &Plan {
        self.function.last_plan().expect("was called")
    }

    fn convert(&mut self, dtype: DType) {
        let mut to_dtype = |_: &Path, _, tensor: &mut Tensor| {
            if tensor.dtype() == DType::F32 {
                *tensor = tensor.to_dtype(dtype).detach();
            }
        };
        self.state.walk_mut(&mut Path::default(), &mut to_dtype);
        self.inputs.walk_mut(&mut Path::default(), &mut to_dtype);
    }
}

/// Reads the first result.
fn check(outputs: &impl Module) {
    fn is_finite<T: Element>(tensor: &Tensor, to_f32: fn(T) -> f32) -> bool {
        tensor.read(|elements: &[T]| to_f32(elements[0]).is_finite())
    }
    let mut is_first = true;
    outputs.walk(&mut Path::default(), &mut |_, _: Kind, tensor| {
        if std::mem::take(&mut is_first) {
            assert!(match tensor.dtype() {
                DType::BF16 => is_finite(tensor, bf16::to_f32),
                _ => is_finite(tensor, |element: f32| element),
            });
        }
    });
}

fn prepared<S, I, O>(state: S, inputs: I, function: impl FnMut(&mut S, I) -> O + 'static) -> Box<dyn Workload>
where
    S: Module + 'static,
    I: Module + Clone + 'static,
    O: Module + Clone + 'static,
{
    Box::new(Prepared { function: compile(function), state, inputs })
}

/// Forward, backward and update on one batch; reads the loss.
pub fn training<M, O>(model: M, optimizer: O, x: Tensor, labels: Tensor) -> Box<dyn Workload>
where
    M: Layer + 'static,
    O: Optimizer + Module + 'static,
{
    prepared((model, optimizer, Rng::new(1)), (x, labels), |(model, optimizer, rng), (x, labels)| {
        let loss = cross_entropy(&model.forward(&x, &mut Context::train(rng)), &labels);
        let gradients = loss.grad(model);
        optimizer.step(model, &gradients);
        loss
    })
}

/// The forward pass alone.
pub fn inference<M: Layer + 'static>(model: M, x: Tensor) -> Box<dyn Workload> {
    prepared(model, x, |model, x| model.forward(&x, &mut Context::evaluate()))
}

/// A function of tensors.
pub fn function<const N: usize>(
    inputs: [Tensor; N],
    f: impl Fn(&[Tensor]) -> Vec<Tensor> + 'static,
) -> Box<dyn Workload> {
    prepared((), inputs.to_vec(), move |(), inputs| f(&inputs))
}

/// Standard normal numbers.
pub fn normal<const N: usize>(shape: [usize; N]) -> Tensor {
    Rng::new(0).normal(shape, DType::F32, 0.0, 1.0).detach()
}

/// Class numbers.
pub fn labels(num: usize, num_classes: usize) -> Tensor {
    Tensor::from_slice([num], &(0..num).map(|index| (index * 7 % num_classes) as i64).collect::<Vec<_>>())
}

/// Stochastic gradient descent with momentum.
pub fn sgd(model: &impl Module) -> Sgd {
    Sgd::new(model, SgdConfig { momentum: 0.9, ..SgdConfig::new(0.01) })
}
