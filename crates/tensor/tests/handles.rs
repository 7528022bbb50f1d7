//! What a tensor says of itself, evaluation, and compiled functions beside the results of their operations.

use std::panic::{AssertUnwindSafe, catch_unwind};

use gyrus_tensor::{
    Buffer, DType, Device, Kind, Module, Path, Tensor, compile, evaluate, grad, num_threads, set_num_threads,
};

#[test]
fn a_tensor_knows_its_kind_before_it_is_computed() {
    let x = Tensor::from([[1.0f32, 2.0], [3.0, 4.0]]);
    let y = x.exp();
    assert_eq!((y.spec().to_string(), y.device(), y.num_elements()), ("f32[2, 2]".to_owned(), Device::Cpu, 4));
    assert!(!y.value().is_computed());
    evaluate([&y]);
    assert!(y.value().is_computed());
    assert_eq!(x.ones_like().read(|ones: &[f32]| ones.to_vec()), [1.0; 4]);
}

#[test]
fn what_is_detached_has_no_gradient() {
    let x = Tensor::from(3.0f64);
    let product = &x * x.detach();
    assert_eq!(grad(&product, &[&x])[0].item(), 3.0);
}

#[test]
fn threads_do_not_change_bits() {
    let x = Tensor::arange(300_000, DType::F32).reshape([600, 500]) * 1e-5;
    let compute = |threads: usize| {
        set_num_threads(threads);
        assert_eq!(num_threads(), threads);
        let y = x.matmul(&x.t()).tanh().sum(0) + x.sum(-1);
        y.read_bytes(<[u8]>::to_vec)
    };
    assert_eq!(compute(1), compute(2));
}

#[test]
fn second_derivatives_come_from_the_first() {
    let x = Tensor::from([0.3f64, -1.2]);
    let first = &grad(&x.sin().sum(..), &[&x])[0];
    let second = &grad(&first.sum(..), &[&x])[0];
    let expected = [-(0.3f64.sin()), 1.2f64.sin()];
    assert!(second.to_vec::<f64>().iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-15));
}

#[test]
fn a_walk_names_what_it_meets() {
    let module = (vec![Tensor::from(1.0f32)], Buffer::new(Tensor::from(2.0f32)));
    let named: Vec<(String, Kind)> = module.named_tensors().into_iter().map(|(name, kind, _)| (name, kind)).collect();
    assert_eq!(named, [("0.0".to_owned(), Kind::Parameter), ("1".to_owned(), Kind::Buffer)]);
    assert_eq!((module.parameters().len(), module.num_parameters()), (1, 1));
    let mut path = Path::default();
    assert_eq!(path.within("a", |path| path.within(3, |path| path.to_string())), "a.3");
}

#[test]
fn a_plan_is_kept_for_each_signature_and_can_be_looked_at() {
    let mut double = compile(|(): &mut (), x: Tensor| &x + &x);
    assert!(double.last_plan().is_none());
    for size in [2, 3, 2] {
        let found = double.call(&mut (), Tensor::ones([size], DType::F32));
        assert_eq!(found.to_vec::<f32>(), vec![2.0; size]);
    }
    assert_eq!(double.num_plans(), 2);
    assert_eq!(double.last_plan().map(|plan| plan.num_steps()), Some(1));
}

#[test]
fn results_that_are_kept_are_not_overwritten() {
    let mut next = compile(|count: &mut Tensor, (): ()| {
        *count = &*count + 1.0;
        count.clone()
    });
    let mut count = Tensor::from(0.0f32);
    let held = count.clone();
    let results: Vec<Tensor> = (0..3).map(|_| next.call(&mut count, ())).collect();
    assert_eq!(results.iter().map(Tensor::item).collect::<Vec<_>>(), [1.0, 2.0, 3.0]);
    assert_eq!((held.item(), count.item()), (0.0, 3.0));
}

#[test]
fn a_state_survives_a_function_that_panics_while_it_is_captured() {
    let mut broken = compile(|state: &mut Tensor, x: Tensor| {
        *state = &*state * 2.0;
        state.matmul(&x)
    });
    let mut state = Tensor::ones([2, 3], DType::F32);
    let result = catch_unwind(AssertUnwindSafe(|| broken.call(&mut state, Tensor::ones([4, 5], DType::F32))));
    assert!(result.is_err());
    assert_eq!(state.to_vec::<f32>(), [1.0; 6]);
    assert_eq!(state.value_mut().shape()[..], [2, 3]);
}

#[test]
#[should_panic(expected = "it must keep shape and type")]
fn a_state_keeps_its_shape() {
    let mut grow = compile(|state: &mut Tensor, (): ()| *state = Tensor::cat(&[&*state, &*state], 0));
    grow.call(&mut Tensor::ones([2], DType::F32), ());
}
