//! LeNet-5 learns the same on an accelerator: XLA's CPU where it is installed, or that of `GYRUS_PJRT_PLUGIN`.

#[path = "../../pjrt/tests/plugin/mod.rs"]
mod plugin;

use gyrus_models::LeNet5;
use gyrus_nn::losses::cross_entropy;
use gyrus_nn::{Context, Layer};
use gyrus_optim::{Adam, AdamConfig, Optimizer};
use gyrus_tensor::{DType, Device, Module, Rng, Tensor, compile};

const NUM_STEPS: usize = 50;

/// The losses of so many steps on batches that are made up, and the parameters after them.
fn train(device: Device) -> (Vec<f64>, Vec<Tensor>) {
    let mut rng = Rng::new(5);
    let model = LeNet5::new(10, 1, &mut rng);
    let optimizer = Adam::new(&model, AdamConfig::new(1e-3));
    let mut state = (model, optimizer);
    state.move_to(device);
    let mut step = compile(|(model, optimizer): &mut (LeNet5, Adam), (x, labels): (Tensor, Tensor)| {
        let loss = cross_entropy(&model.forward(&x, &mut Context::evaluate()), &labels).all_reduce_mean();
        let gradients = loss.grad(model).all_reduce_mean();
        optimizer.step(model, &gradients);
        loss
    });
    let losses = (0..NUM_STEPS).map(|_| {
        let labels: Vec<i64> = (0..16).map(|index| index * 7 % 10).collect();
        let labels = Tensor::from_slice([16], &labels);
        // An image of a class is a stripe in noise.
        let stripes = Tensor::arange(32, DType::I64).unsqueeze(0).eq((&labels * 3).unsqueeze(1)).to_dtype(DType::F32);
        let noise = rng.normal([16, 1, 32, 32], DType::F32, 0.0, 0.5);
        let x = (noise + stripes.reshape([16, 1, 1, 32]) * 2.0).detach();
        step.call(&mut state, (x, labels)).item()
    });
    (losses.collect(), state.0.parameters())
}

#[test]
fn fifty_steps_are_the_same_on_both_devices() {
    if plugin::plugin().is_none() {
        return;
    }
    let (expected, _) = train(Device::Cpu);
    assert!(expected[NUM_STEPS - 1] < 0.3 * expected[0], "{expected:?}");
    // Four devices share each batch.
    for count in [1, 4] {
        let Some(device) = plugin::devices(count) else { continue };
        let (losses, parameters) = train(device);
        for (step, (loss, expected)) in losses.iter().zip(&expected).enumerate() {
            // Differences in the last bits grow from step to step.
            let tolerance = 2e-5 * 1.1f64.powi(step as i32);
            assert!((loss - expected).abs() <= tolerance, "{count} devices, step {step}: {loss}, not {expected}");
        }
        assert!(parameters.iter().all(|parameter| matches!(parameter.device(), Device::Accelerator(_))));
    }
}
