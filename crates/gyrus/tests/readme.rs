//! The example that the README and the documentation of the crate begin with; the latter runs it as a test.

use std::sync::Arc;

use gyrus::prelude::*;

#[test]
fn the_readme_shows_the_example() {
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../README.md")).unwrap();
    let (_, example) = include_str!("../examples/lenet5.rs").split_once("\n\n").unwrap();
    assert!(readme.contains(example), "README.md does not show examples/lenet5.rs as it is");
}

/// The same steps, on a few batches, and what they are good for.
#[test]
fn the_example_learns() -> Result<(), DataError> {
    let digits = Arc::new(shipped::digits()?);
    let model = LeNet5::new(10, 1, &mut Rng::new(1));
    let mut state = (Adam::new(&model, AdamConfig::new(1e-3)), model, Rng::new(2));
    let mut step = compile(|(adam, model, rng): &mut (Adam, LeNet5, Rng), (images, labels): (Tensor, Tensor)| {
        let loss = cross_entropy(&model.forward(&images, &mut Context::train(rng)), &labels);
        let gradients = loss.grad(model);
        adam.step(model, &gradients);
        loss
    });
    for batch in digits.clone().batches(Split::Train, 64, [32, 32])?.epoch(0, 0).take(200) {
        step.call(&mut state, batch?.tensors());
    }
    assert_eq!(step.num_plans(), 1);

    let mut classify =
        compile(|model: &mut LeNet5, images: Tensor| model.forward(&images, &mut Context::evaluate()).argmax(-1));
    let (mut num_right, mut num_samples) = (0.0, 0.0);
    for batch in digits.batches(Split::Test, 100, [32, 32])?.epoch(0, 0).take(20) {
        let (images, labels) = batch?.tensors();
        num_right += classify.call(&mut state.1, images).eq(&labels).sum(..).item();
        num_samples += labels.num_elements() as f64;
    }
    assert!(num_right / num_samples > 0.85, "{num_right} of {num_samples}");
    Ok(())
}
