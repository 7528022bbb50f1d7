//! What goes wrong says what is wrong.

use gyrus_optim::{Adam, AdamConfig, Optimizer, Schedule, Sgd, SgdConfig};
use gyrus_tensor::{DType, Gradients, Tensor};

fn zeros(shape: [usize; 2]) -> Tensor {
    Tensor::zeros(shape, DType::F32)
}

#[test]
#[should_panic(expected = "sgd: 1: has no gradient")]
fn too_few_gradients() {
    let mut model = vec![zeros([2, 3]), zeros([1, 2])];
    let mut optimizer = Sgd::new(&model, SgdConfig::new(0.1));
    optimizer.step(&mut model, &Gradients::new(vec![zeros([2, 3])]));
}

#[test]
#[should_panic(expected = "sgd: there are more gradients than the 1 parameters")]
fn too_many_gradients() {
    let mut model = vec![zeros([2, 3])];
    let mut optimizer = Sgd::new(&model, SgdConfig::new(0.1));
    optimizer.step(&mut model, &Gradients::new(vec![zeros([2, 3]), zeros([2, 3])]));
}

#[test]
#[should_panic(expected = "sgd: 0: parameter f32[2, 3] and gradient f32[3, 2] must be alike")]
fn a_gradient_of_another_shape() {
    let mut model = vec![zeros([2, 3])];
    let mut optimizer = Sgd::new(&model, SgdConfig::new(0.1));
    optimizer.step(&mut model, &Gradients::new(vec![zeros([3, 2])]));
}

#[test]
#[should_panic(expected = "adam: 1: parameter f32[1, 1] has no state: the optimizer was made for another model")]
fn another_model() {
    let mut optimizer = Adam::new(&vec![zeros([2, 3])], AdamConfig::new(0.1));
    let mut model = vec![zeros([2, 3]), zeros([1, 1])];
    optimizer.step(&mut model, &Gradients::new(vec![zeros([2, 3]), zeros([1, 1])]));
}

#[test]
#[should_panic(expected = "nesterov needs momentum and no dampening")]
fn nesterov_without_momentum() {
    Sgd::new(&zeros([1, 1]), SgdConfig { nesterov: true, ..SgdConfig::new(0.1) });
}

#[test]
#[should_panic(expected = "adam: betas (0.9, 1)")]
fn a_beta_of_one() {
    Adam::new(&zeros([1, 1]), AdamConfig { betas: (0.9, 1.0), ..AdamConfig::new(0.1) });
}

#[test]
fn schedules_stay_at_their_last_rate() {
    let at = |schedule: &Schedule, step: i64| schedule.at(&Tensor::scalar(step), DType::F64).item();
    let cosine = Schedule::Cosine { initial: 0.2, minimum: 0.01, num_steps: 20 };
    assert!((at(&cosine, 1000) - 0.01).abs() < 1e-12);
    let cycle = Schedule::one_cycle(0.4, 25);
    assert_eq!(at(&cycle, 24), at(&cycle, 1000));
}
