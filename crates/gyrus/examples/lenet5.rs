//! LeNet-5 learns to read handwritten digits.

use gyrus::prelude::*;

fn main() -> Result<(), DataError> {
    let digits = shipped::digits()?.batches(Split::Train, 64, [32, 32])?;
    let model = LeNet5::new(10, 1, &mut Rng::new(1));
    let mut state = (Adam::new(&model, AdamConfig::new(1e-3)), model, Rng::new(2));
    let mut step = compile(|(adam, model, rng): &mut (Adam, LeNet5, Rng), (images, labels): (Tensor, Tensor)| {
        let loss = cross_entropy(&model.forward(&images, &mut Context::train(rng)), &labels);
        let gradients = loss.grad(model);
        adam.step(model, &gradients);
        loss
    });
    for batch in digits.epoch(0, 0) {
        println!("loss {:.4}", step.call(&mut state, batch?.tensors()).item());
    }
    Ok(())
}
