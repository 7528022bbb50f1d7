//! What is timed: training steps and inferences of models through the public API.

use std::cell::Cell;
use std::rc::Rc;

use gyrus::prelude::*;
use gyrus::{Compiled, Kind, Path, StepTime};
use gyrus_cpu::plan::Plan;

/// A compiled function with its arguments, called again and again.
pub trait Workload {
    /// Runs it once and reads a result.
    fn call(&mut self);

    /// As [`Workload::call`]; how long each step of its plan took.
    fn profile(&mut self) -> Vec<StepTime>;

    /// What is run; known after the first call, of the processor.
    fn plan(&self) -> &Plan;

    /// Where it is computed, from before the first call on.
    fn set_device(&mut self, device: Device);

    /// How exactly the products of layers are computed, from before the first call on.
    fn set_precision(&mut self, precision: Precision);

    /// How many multiplications and additions the products of a call have; known after the first.
    fn num_flops(&self) -> u64;

    /// The first number of the last call's results.
    fn result(&self) -> f32;

    /// What is worth saying of the results.
    fn note(&self) -> String;
}

struct Prepared<F, S, I, O> {
    function: Compiled<F, S, I, O>,
    state: S,
    inputs: I,
    precision: Rc<Cell<Precision>>,
    /// The first results of the first and the last call, and how many calls there were.
    results: Option<(f32, f32, usize)>,
    is_training: bool,
}

impl<F, S, I, O> Prepared<F, S, I, O> {
    /// Keeps the first result.
    fn keep(&mut self, outputs: &impl Module) {
        let mut result = None;
        outputs.walk(&mut Path::default(), &mut |_, _: Kind, tensor| {
            result = result.or_else(|| Some(tensor.read(|elements: &[f32]| elements[0])));
        });
        let result = result.expect("a workload has a result");
        assert!(result.is_finite());
        let (first, _, count) = self.results.unwrap_or((result, result, 0));
        self.results = Some((first, result, count + 1));
    }
}

impl<F, S, I, O> Workload for Prepared<F, S, I, O>
where
    F: FnMut(&mut S, I) -> O,
    S: Module,
    I: Module + Clone,
    O: Module + Clone,
{
    fn call(&mut self) {
        let outputs = self.function.call(&mut self.state, self.inputs.clone());
        self.keep(&outputs);
    }

    fn profile(&mut self) -> Vec<StepTime> {
        let (outputs, times) = self.function.profile(&mut self.state, self.inputs.clone());
        self.keep(&outputs);
        times
    }

    fn plan(&self) -> &Plan {
        self.function.last_plan().expect("was called")
    }

    fn set_device(&mut self, device: Device) {
        self.state.move_to(device);
        self.inputs.move_to(device);
    }

    fn set_precision(&mut self, precision: Precision) {
        self.precision.set(precision);
    }

    fn num_flops(&self) -> u64 {
        self.function.num_flops().expect("was called")
    }

    fn result(&self) -> f32 {
        self.results.expect("was called").1
    }

    fn note(&self) -> String {
        match self.results.filter(|_| self.is_training) {
            Some((first, last, count)) => format!(", loss {first:.4} -> {last:.4} over {count} steps"),
            None => String::new(),
        }
    }
}

fn prepared<S, I, O>(
    state: S,
    inputs: I,
    is_training: bool,
    function: impl FnMut(&mut S, I, Precision) -> O + 'static,
) -> Box<dyn Workload>
where
    S: Module + 'static,
    I: Module + Clone + 'static,
    O: Module + Clone + 'static,
{
    let (precision, mut function) = (Rc::new(Cell::new(Precision::Full)), function);
    let chosen = precision.clone();
    let function = compile(move |state: &mut S, inputs: I| function(state, inputs, chosen.get()));
    Box::new(Prepared { function, state, inputs, precision, results: None, is_training })
}

/// Forward, backward and update on one batch; reads the loss.
pub fn training<M, O>(model: M, optimizer: O, x: Tensor, labels: Tensor) -> Box<dyn Workload>
where
    M: Layer + 'static,
    O: Optimizer + Module + 'static,
{
    prepared((model, optimizer, Rng::new(1)), (x, labels), true, |(model, optimizer, rng), (x, labels), precision| {
        let mut context = Context::train(rng).with_precision(precision);
        let loss = cross_entropy(&model.forward(&x, &mut context), &labels);
        let gradients = loss.grad(model);
        optimizer.step(model, &gradients);
        loss
    })
}

/// The forward pass alone.
pub fn inference<M: Layer + 'static>(model: M, x: Tensor) -> Box<dyn Workload> {
    prepared(model, x, false, |model, x, precision| {
        model.forward(&x, &mut Context::evaluate().with_precision(precision))
    })
}

/// A function of tensors.
pub fn function(
    inputs: impl Into<Vec<Tensor>>,
    f: impl Fn(&[Tensor], Precision) -> Vec<Tensor> + 'static,
) -> Box<dyn Workload> {
    prepared((), inputs.into(), false, move |(), inputs, precision| f(&inputs, precision))
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
