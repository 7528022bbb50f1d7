use super::*;

/// Mean, standard deviation and greatest absolute value.
fn statistics(x: &Tensor) -> (f64, f64, f64) {
    let x = x.to_dtype(DType::F64);
    (x.mean(..).item(), x.standard_deviation(.., 0).item(), x.abs().max(..).item())
}

#[test]
fn distributions_have_their_moments() {
    // fan_in 50 * 9, fan_out 40 * 9.
    let shape = [40, 50, 3, 3];
    let (fan_in, fan_out) = (450.0f64, 360.0);
    let cases = [
        (Init::DEFAULT, (1.0 / fan_in / 3.0).sqrt(), Some(1.0 / fan_in.sqrt())),
        (Init::KaimingUniform { a: 0.0 }, (2.0 / fan_in).sqrt(), Some((6.0 / fan_in).sqrt())),
        (Init::KaimingNormal { a: 0.5 }, (2.0 / 1.25 / fan_in).sqrt(), None),
        (Init::XavierUniform { gain: 1.0 }, (2.0 / (fan_in + fan_out)).sqrt(), Some((6.0 / (fan_in + fan_out)).sqrt())),
        (Init::XavierNormal { gain: 5.0 / 3.0 }, 5.0 / 3.0 * (2.0 / (fan_in + fan_out)).sqrt(), None),
        (Init::Uniform { low: -2.0, high: 2.0 }, 2.0 / 3.0f64.sqrt(), Some(2.0)),
        (Init::Normal { mean: 0.0, standard_deviation: 3.0 }, 3.0, None),
        (Init::bias(&shape), (1.0 / fan_in / 3.0).sqrt(), Some(1.0 / fan_in.sqrt())),
    ];
    for (init, expected, bound) in cases {
        let (mean, deviation, greatest) = statistics(&init.draw(shape, &mut Rng::new(7)));
        // 18000 values: a standard error of the mean is 0.75 % of the deviation, that of the deviation less.
        assert!(mean.abs() < 0.03 * expected, "{init:?}: mean {mean}");
        assert!((deviation / expected - 1.0).abs() < 0.025, "{init:?}: deviation {deviation}, not {expected}");
        match bound {
            Some(bound) => assert!((0.999 * bound..=bound * (1.0 + 1e-6)).contains(&greatest), "{init:?}: {greatest}"),
            None => assert!(greatest > 3.5 * expected, "{init:?}: a normal distribution has tails: {greatest}"),
        }
    }
}

#[test]
fn constants() {
    for (init, value) in [(Init::Zeros, 0.0), (Init::Ones, 1.0), (Init::Constant(2.5), 2.5)] {
        assert_eq!(init.draw([3], &mut Rng::new(0)).to_vec::<f32>(), [value; 3]);
    }
}

#[test]
fn draws_follow_the_seed() {
    let draw = |seed| Init::DEFAULT.draw([4, 5], &mut Rng::new(seed)).to_vec::<f32>();
    assert_eq!(draw(1), draw(1));
    assert_ne!(draw(1), draw(2));
    let mut rng = Rng::new(1);
    let [first, second] = [(); 2].map(|()| Init::DEFAULT.draw([4, 5], &mut rng).to_vec::<f32>());
    assert_ne!(first, second, "each draw is another one");
}

#[test]
#[should_panic(expected = "init: a weight [3]: the numbers of connections need two axes")]
fn a_vector_has_no_fan_in() {
    Init::DEFAULT.draw([3], &mut Rng::new(0));
}
