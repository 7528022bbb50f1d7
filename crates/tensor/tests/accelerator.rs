//! Tensors on an accelerator: XLA's CPU where it is installed, or that of `GYRUS_PJRT_PLUGIN`.

#[path = "../../pjrt/tests/plugin/mod.rs"]
mod plugin;

use gyrus_tensor::{DType, Device, Module, Rng, Tensor, compile, num_shares, open, prefetch};
use plugin::devices;

#[test]
fn operations_run_where_their_operands_are() {
    let Some(device) = devices(1) else { return };
    let x = Tensor::from_slice([2, 2], &[1.0f32, 2.0, 3.0, 4.0]);
    let there = x.to(device);
    assert_eq!((x.device(), there.device()), (Device::Cpu, device));
    let y = &there.matmul(&there) + &x;
    assert_eq!(y.device(), device);
    assert!(y.to_string().contains("[18.0, 26.0]"), "{y}");
    assert_eq!(y.to_vec::<f32>(), [8.0, 12.0, 18.0, 26.0]);
    let back = y.to(Device::Cpu);
    assert_eq!((back.device(), (&back * 2.0).to_vec::<f32>()), (Device::Cpu, vec![16.0, 24.0, 36.0, 52.0]));
}

#[test]
fn the_state_of_a_compiled_function_stays() {
    let Some(device) = devices(1) else { return };
    let mut step = compile(|(sum, count): &mut (Tensor, Tensor), x: Tensor| {
        *sum = &*sum + &x;
        *count = &*count + 1;
        sum.mean(..)
    });
    let start = Tensor::zeros([3], DType::F32);
    let mut state = (start.clone(), Tensor::from_slice([], &[0i64]));
    state.move_to(device);
    let (kept, mut means) = (state.0.clone(), vec![]);
    let mut x = Tensor::from_slice([3], &[1.0f32, 2.0, 3.0]);
    for round in 0..3 {
        x.assign(&[1.0f32, 2.0, (3 + 3 * round) as f32]);
        prefetch(&x, device);
        means.push(step.call(&mut state, x.clone()).item());
    }
    assert_eq!(means, [2.0, 5.0, 9.0]);
    assert_eq!((state.0.device(), step.num_plans()), (device, 1));
    assert_eq!((state.0.to_vec::<f32>(), state.1.item()), (vec![3.0, 6.0, 18.0], 3.0));
    // What someone else held on to was not overwritten.
    assert_eq!((kept.to_vec::<f32>(), start.to_vec::<f32>()), (vec![0.0; 3], vec![0.0; 3]));
    // The same function runs here as well.
    state.move_to(Device::Cpu);
    assert_eq!(step.call(&mut state, x).item(), 13.0);
    assert_eq!(step.num_plans(), 2);
}

#[test]
fn random_numbers_are_the_same_everywhere() {
    let Some(device) = devices(1) else { return };
    let draw = |device: Device| {
        let mut rng = Rng::new(3);
        rng.move_to(device);
        rng.uniform([1000], DType::F32, 0.0, 1.0).to_vec::<f32>()
    };
    assert_eq!(draw(device), draw(Device::Cpu));
}

#[test]
fn devices_share_a_batch() {
    let (Some(device), Some(single)) = (devices(4), devices(1)) else { return };
    let mut step = compile(|weight: &mut Tensor, x: Tensor| {
        let y = &x * &*weight;
        let loss = y.square().mean(..);
        *weight = &*weight - loss.grad(weight).all_reduce_mean().iter().next().unwrap() * 0.1;
        (loss.all_reduce_mean(), x.sum(..).all_reduce_sum(), y, Tensor::full([], num_shares() as f64, DType::F32))
    });
    let run = |step: &mut gyrus_tensor::Compiled<_, _, _, _>, device, rows: usize| {
        let mut weight = Tensor::from_slice([2], &[1.0f32, -2.0]).to(device);
        let x = Tensor::arange(rows * 2, DType::F32).reshape([rows, 2]);
        let (loss, sum, y, shares): (Tensor, Tensor, Tensor, Tensor) = step.call(&mut weight, x);
        (loss.item(), sum.item(), y.to_vec::<f32>(), shares.item(), weight.to_vec::<f32>())
    };
    for rows in [8, 7] {
        let (alone, together) = (run(&mut step, single, rows), run(&mut step, device, rows));
        // Seven rows cannot be divided: each device computes them all.
        assert_eq!((alone.3, together.3), (1.0, if rows == 8 { 4.0 } else { 1.0 }));
        assert_eq!((alone.0, alone.1, &alone.2, &alone.4), (together.0, together.1, &together.2, &together.4));
    }
}

#[test]
#[should_panic(expected = "all_reduce_mean")]
fn a_state_that_would_differ_from_device_to_device_is_refused() {
    let Some(device) = devices(2) else { panic!("skipped: all_reduce_mean") };
    let mut step = compile(|sum: &mut Tensor, x: Tensor| *sum = &*sum + x.sum(..));
    let mut sum = Tensor::zeros([], DType::F32).to(device);
    step.call(&mut sum, Tensor::ones([4], DType::F32));
}

#[test]
fn devices_that_are_not_there_are_errors() {
    let message = |name: &str, count| open(name, count).unwrap_err().to_string();
    assert!(message("abacus", 1).contains("abacus"));
    assert!(message("cpu", 2).contains("num_devices"));
    assert!(message("pjrt:/nowhere/plugin.so", 1).contains("/nowhere/plugin.so"));
    assert_eq!(open("cpu", 1).unwrap(), Device::Cpu);
    let Some(plugin) = plugin::plugin() else { return };
    assert!(message(&format!("pjrt:{}", plugin.path().display()), 1000).contains("there are"));
}
