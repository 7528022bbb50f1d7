//! Random tensors, and tensors that are written in place.

use gyrus_tensor::{DType, Rng, Tensor, compile};

#[test]
fn draws_depend_on_seed_step_and_order_alone() {
    let draw = |seed: u64, steps: usize, before: usize| {
        let mut rng = Rng::new(seed);
        (0..steps).for_each(|_| rng.advance());
        (0..before).for_each(|_| drop(rng.uniform([3], DType::F32, 0.0, 1.0)));
        rng.uniform([5], DType::F32, -1.0, 1.0).to_vec::<f32>()
    };
    assert_eq!(draw(1, 2, 1), draw(1, 2, 1));
    for other in [draw(2, 2, 1), draw(1, 3, 1), draw(1, 2, 0)] {
        assert_ne!(draw(1, 2, 1), other);
    }
}

#[test]
fn bernoulli_is_true_as_often_as_asked() {
    let hits = |p: f64| Rng::new(3).bernoulli([20_000], p).to_dtype(DType::F64).mean(..).item();
    for p in [0.0, 0.1, 0.5, 1.0] {
        // Four standard deviations.
        assert!((hits(p) - p).abs() <= 4.0 * (p * (1.0 - p) / 20_000.0).sqrt(), "{p}: {}", hits(p));
    }
}

#[test]
fn normal_draws_have_the_moments_asked_for() {
    let draws = Rng::new(4).normal([40_001], DType::F64, 2.0, 3.0);
    assert!((draws.mean(..).item() - 2.0).abs() < 0.06);
    assert!((draws.standard_deviation(.., 1).item() - 3.0).abs() < 0.05);
}

#[test]
fn a_compiled_function_draws_anew_in_each_call() {
    let mut draw = compile(|rng: &mut Rng, (): ()| {
        rng.advance();
        rng.uniform([4], DType::F32, 0.0, 1.0)
    });
    let (mut rng, mut same) = (Rng::new(7), Rng::new(7));
    let first = draw.call(&mut rng, ()).to_vec::<f32>();
    let second = draw.call(&mut rng, ()).to_vec::<f32>();
    assert_ne!(first, second);
    assert_eq!(draw.call(&mut same, ()).to_vec::<f32>(), first);
    assert_eq!(draw.call(&mut same, ()).to_vec::<f32>(), second);
}

#[test]
fn assigning_writes_in_place_where_nothing_else_holds_the_elements() {
    let mut x = Tensor::from_slice([2], &[1.0f32, 2.0]);
    let address = |x: &Tensor| x.read_bytes(|bytes| bytes.as_ptr() as usize);
    let before = address(&x);
    x.assign(&[3.0f32, 4.0]);
    assert_eq!((x.to_vec::<f32>(), address(&x)), (vec![3.0, 4.0], before));
    let held = x.clone();
    x.assign(&[5.0f32, 6.0]);
    assert_eq!((held.to_vec::<f32>(), x.to_vec::<f32>()), (vec![3.0, 4.0], vec![5.0, 6.0]));
}
