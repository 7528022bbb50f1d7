//! What is timed: training steps and inferences of models through the public API.

use gyrus::prelude::*;

/// What is called again and again.
pub type Call = Box<dyn FnMut()>;

/// Forward, backward and update on one batch; reads the loss.
pub fn training<M, O>(model: M, optimizer: O, x: Tensor, labels: Tensor) -> Call
where
    M: Layer + 'static,
    O: Optimizer + Module + 'static,
{
    let mut state = (model, optimizer, Rng::new(1));
    let mut step = compile(|(model, optimizer, rng): &mut (M, O, Rng), (x, labels): (Tensor, Tensor)| {
        let loss = cross_entropy(&model.forward(&x, &mut Context::train(rng)), &labels);
        let gradients = loss.grad(model);
        optimizer.step(model, &gradients);
        loss
    });
    Box::new(move || {
        let loss = step.call(&mut state, (x.clone(), labels.clone()));
        assert!(loss.item().is_finite());
    })
}

/// The forward pass alone.
pub fn inference<M: Layer + 'static>(mut model: M, x: Tensor) -> Call {
    let mut forward = compile(|model: &mut M, x: Tensor| model.forward(&x, &mut Context::evaluate()));
    Box::new(move || {
        let y = forward.call(&mut model, x.clone());
        y.read(|y: &[f32]| assert!(y[0].is_finite()));
    })
}

/// A function of tensors.
pub fn function<const N: usize>(inputs: [Tensor; N], f: impl Fn(&[Tensor]) -> Vec<Tensor> + 'static) -> Call {
    let inputs = inputs.to_vec();
    let mut compiled = compile(move |(): &mut (), inputs: Vec<Tensor>| f(&inputs));
    Box::new(move || {
        let outputs = compiled.call(&mut (), inputs.clone());
        outputs[0].read(|y: &[f32]| assert!(y[0].is_finite()));
    })
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
