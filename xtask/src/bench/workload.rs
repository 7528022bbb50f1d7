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

    /// What is run; known after the first call, of the processor, where all calls run the same.
    fn plan(&self) -> Option<&Plan>;

    /// Where it is computed, from before the first call on.
    fn set_device(&mut self, device: Device);

    /// How exactly the products of layers are computed, from before the first call on.
    fn set_precision(&mut self, precision: Precision);

    /// How many multiplications and additions the products of a call have; known after the first, where all calls run the same.
    fn num_flops(&self) -> Option<u64>;

    /// The first number of the last call's results.
    fn result(&self) -> f32;

    /// What is worth saying of the results.
    fn note(&self) -> String;
}

struct Prepared<F, S, I, O> {
    function: Compiled<F, S, I, O>,
    state: S,
    /// Those of one call after another, over and over.
    inputs: Vec<I>,
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

    fn next(&self) -> &I {
        &self.inputs[self.results.map_or(0, |(.., count)| count) % self.inputs.len()]
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
        let inputs = self.next().clone();
        let outputs = self.function.call(&mut self.state, inputs);
        self.keep(&outputs);
    }

    fn profile(&mut self) -> Vec<StepTime> {
        let inputs = self.next().clone();
        let (outputs, times) = self.function.profile(&mut self.state, inputs);
        self.keep(&outputs);
        times
    }

    fn plan(&self) -> Option<&Plan> {
        self.function.last_plan().filter(|_| self.inputs.len() == 1)
    }

    fn set_device(&mut self, device: Device) {
        self.state.move_to(device);
        self.inputs.move_to(device);
    }

    fn set_precision(&mut self, precision: Precision) {
        self.precision.set(precision);
    }

    fn num_flops(&self) -> Option<u64> {
        self.function.num_flops().filter(|_| self.inputs.len() == 1)
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
    inputs: Vec<I>,
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

/// Forward, backward and update on one batch, by the optimizer that is made for the model; reads the loss.
pub fn training<M, O>(model: M, optimizer: impl FnOnce(&M) -> O, x: Tensor, labels: Tensor) -> Box<dyn Workload>
where
    M: Layer + 'static,
    O: Optimizer + Module + 'static,
{
    training_on(model, optimizer, vec![(x, labels)])
}

/// The same on one batch after another.
pub fn training_on<M, O>(model: M, optimizer: impl FnOnce(&M) -> O, batches: Vec<(Tensor, Tensor)>) -> Box<dyn Workload>
where
    M: Layer + 'static,
    O: Optimizer + Module + 'static,
{
    let optimizer = optimizer(&model);
    let state = (model, optimizer, Rng::new(1));
    prepared(state, batches, true, |state, batch, precision| train(state, &batch, precision))
}

/// As [`training`], but not compiled.
pub fn recorded_training<M, O>(
    model: M,
    optimizer: impl FnOnce(&M) -> O,
    x: Tensor,
    labels: Tensor,
) -> Box<dyn Workload>
where
    M: Layer + 'static,
    O: Optimizer + Module + 'static,
{
    let optimizer = optimizer(&model);
    let state = (model, optimizer, Rng::new(1));
    Box::new(Recorded { state, inputs: (x, labels), function: train, precision: Precision::Full, result: None })
}

fn train<M: Layer, O: Optimizer>(
    (model, optimizer, rng): &mut (M, O, Rng),
    (x, labels): &(Tensor, Tensor),
    precision: Precision,
) -> Tensor {
    let mut context = Context::train(rng).with_precision(precision);
    let loss = cross_entropy(&model.forward(x, &mut context), labels);
    let gradients = loss.grad(model);
    optimizer.step(model, &gradients);
    loss
}

/// The forward pass alone.
pub fn inference<M: Layer + 'static>(model: M, x: Tensor) -> Box<dyn Workload> {
    inference_on(model, vec![x])
}

/// The same on one input after another.
pub fn inference_on<M: Layer + 'static>(model: M, inputs: Vec<Tensor>) -> Box<dyn Workload> {
    prepared(model, inputs, false, |model, x, precision| infer(model, &x, precision))
}

/// As [`inference`], but not compiled.
pub fn recorded_inference<M: Layer + 'static>(model: M, x: Tensor) -> Box<dyn Workload> {
    Box::new(Recorded { state: model, inputs: x, function: infer, precision: Precision::Full, result: None })
}

fn infer<M: Layer>(model: &mut M, x: &Tensor, precision: Precision) -> Tensor {
    model.forward(x, &mut Context::evaluate().with_precision(precision))
}

/// What is done without being compiled.
struct Recorded<S, I> {
    state: S,
    inputs: I,
    function: fn(&mut S, &I, Precision) -> Tensor,
    precision: Precision,
    result: Option<f32>,
}

impl<S: Module, I: Module> Workload for Recorded<S, I> {
    fn call(&mut self) {
        let output = (self.function)(&mut self.state, &self.inputs, self.precision);
        self.result = Some(output.read(|elements: &[f32]| elements[0])).filter(|result| result.is_finite());
        assert!(self.result.is_some());
    }

    /// There is no plan whose steps could be told apart.
    fn profile(&mut self) -> Vec<StepTime> {
        self.call();
        vec![]
    }

    fn plan(&self) -> Option<&Plan> {
        None
    }

    fn set_device(&mut self, device: Device) {
        self.state.move_to(device);
        self.inputs.move_to(device);
    }

    fn set_precision(&mut self, precision: Precision) {
        self.precision = precision;
    }

    fn num_flops(&self) -> Option<u64> {
        None
    }

    fn result(&self) -> f32 {
        self.result.expect("was called")
    }

    fn note(&self) -> String {
        String::new()
    }
}

/// A function of tensors.
pub fn function(
    inputs: impl Into<Vec<Tensor>>,
    f: impl Fn(&[Tensor], Precision) -> Vec<Tensor> + 'static,
) -> Box<dyn Workload> {
    prepared((), vec![inputs.into()], false, move |(), inputs, precision| f(&inputs, precision))
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

/// Adam.
pub fn adam(model: &impl Module) -> Adam {
    Adam::new(model, AdamConfig::new(1e-3))
}

/// Adam with decoupled weight decay.
pub fn adam_w(model: &impl Module) -> AdamW {
    AdamW::new(model, AdamWConfig::new(1e-3))
}
