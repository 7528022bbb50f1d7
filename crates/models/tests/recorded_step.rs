//! Training without `compile`, as a loop of PyTorch's would: it computes the same, nothing twice, and keeps no past.

use gyrus_models::LeNet5;
use gyrus_nn::losses::cross_entropy;
use gyrus_nn::{Context, Layer, Module};
use gyrus_optim::{Adam, AdamConfig, Optimizer};
use gyrus_tensor::{DType, Rng, Tensor, compile};

fn state() -> (LeNet5, Adam, Rng) {
    let model = LeNet5::new(10, 1, &mut Rng::new(1));
    let optimizer = Adam::new(&model, AdamConfig::new(1e-3));
    (model, optimizer, Rng::new(3))
}

fn batch(step: u64) -> (Tensor, Tensor) {
    let images = Rng::new(step).normal([16, 1, 32, 32], DType::F32, 0.0, 1.0).detach();
    let labels: Vec<i64> = (0..16).map(|image| (image + step as i64) % 10).collect();
    (images, Tensor::from_slice([16], &labels))
}

#[test]
fn a_loop_of_recorded_steps_keeps_no_past() {
    let mut replayed = state();
    let mut step = compile(|(model, optimizer, rng): &mut (LeNet5, Adam, Rng), (images, labels): (Tensor, Tensor)| {
        let loss = cross_entropy(&model.forward(&images, &mut Context::train(rng)), &labels);
        let gradients = loss.grad(model);
        optimizer.step(model, &gradients);
        loss
    });
    let (mut model, mut optimizer, mut rng) = state();
    for number in 0..4 {
        let (images, labels) = batch(number);
        let logits = model.forward(&images, &mut Context::train(&mut rng));
        let loss = cross_entropy(&logits, &labels);
        let gradients = loss.grad(&model);
        optimizer.step(&mut model, &gradients);

        let is_computed = |tensor: &Tensor| tensor.value().is_computed();
        assert!(is_computed(&loss) && is_computed(&logits), "what the loop holds is computed with the step");
        assert!(!gradients.iter().any(is_computed), "but for gradients, which nobody reads");
        for (name, _, tensor) in [model.named_tensors(), optimizer.named_tensors(), rng.named_tensors()].concat() {
            assert!(is_computed(&tensor) && tensor.value().inputs().is_empty(), "{name} has a history");
        }
        let expected = step.call(&mut replayed, (images, labels)).item();
        assert!((loss.item() - expected).abs() < 1e-5, "loss {}, not {expected}", loss.item());
    }
}

#[test]
fn new_parameters_are_drawn_once() {
    let (model, ..) = state();
    let (images, _) = batch(0);
    let first = model.forward(&images, &mut Context::evaluate()).to_vec::<f32>();
    assert!(model.parameters().iter().all(|parameter| parameter.value().is_computed()));
    assert_eq!(model.forward(&images, &mut Context::evaluate()).to_vec::<f32>(), first);
}

/// Steps can be differentiated, as meta-learning does (Finn et al., Model-Agnostic Meta-Learning for Fast Adaptation of Deep
/// Networks, 2017).
#[test]
fn gradients_flow_through_an_update() {
    let mut weight = Tensor::scalar(2.0f64);
    let before = weight.clone();
    let mut optimizer = gyrus_optim::Sgd::new(&weight, gyrus_optim::SgdConfig::new(0.1));
    let gradients = weight.square().grad(&weight);
    optimizer.update(&mut weight, &gradients);
    // w' = w - 0.1 * 2 w = 0.8 w, and the derivative of its square is 2 * 0.8^2 w.
    let [found] = &gyrus_tensor::grad(&weight.square(), &[&before])[..] else { unreachable!() };
    assert!((found.item() - 2.0 * 0.64 * 2.0).abs() < 1e-6, "{}", found.item());
}
