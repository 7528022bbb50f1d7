//! A factor for each parameter is a learning rate for each parameter.

use gyrus_optim::{Adam, AdamConfig, AdamW, AdamWConfig, Optimizer, Rate, Scaled, Sgd, SgdConfig};
use gyrus_tensor::{Gradients, Tensor};

type Build = fn(&Vec<Tensor>, f64) -> Box<dyn Optimizer>;

fn model() -> Vec<Tensor> {
    vec![Tensor::from_slice([2], &[0.5f64, -2.0]), Tensor::from_slice([1], &[3.0f64])]
}

/// The model after some steps, the gradient of each parameter being its cube.
fn trained(mut optimizer: Box<dyn Optimizer>) -> Vec<Vec<f64>> {
    let mut model = model();
    for _ in 0..5 {
        let gradients = Gradients::new(model.iter().map(|x| x * x * x).collect());
        optimizer.step(&mut model, &gradients);
    }
    model.iter().map(Tensor::to_vec).collect()
}

#[test]
fn a_factor_is_another_learning_rate() {
    let builds: [Build; 3] = [
        |model, rate| Box::new(Sgd::new(model, SgdConfig { momentum: 0.9, weight_decay: 0.1, ..SgdConfig::new(rate) })),
        |model, rate| Box::new(Adam::new(model, AdamConfig::new(rate))),
        |model, rate| Box::new(AdamW::new(model, AdamWConfig { weight_decay: 0.2, ..AdamWConfig::new(rate) })),
    ];
    for build in builds {
        let rate = |path: &str| Rate { factor: if path == "0" { 0.25 } else { 1.0 }, begins: 0 };
        let scaled = Scaled::new(build(&model(), 0.04), &model(), rate);
        let (scaled, slow, fast) =
            (trained(Box::new(scaled)), trained(build(&model(), 0.01)), trained(build(&model(), 0.04)));
        for (a, b) in scaled[0].iter().zip(&slow[0]) {
            assert!((a - b).abs() < 1e-8, "{a} and {b}");
        }
        assert_eq!(scaled[1], fast[1]);
        assert_ne!(slow[0], fast[0]);
    }
}

#[test]
fn what_begins_later_stays_until_then() {
    let after = |begins: u64| {
        let rate = |path: &str| Rate { factor: 1.0, begins: if path == "0" { begins } else { 0 } };
        trained(Box::new(Scaled::new(Box::new(Sgd::new(&model(), SgdConfig::new(0.04))), &model(), rate)))
    };
    // Five steps are made.
    let (always, last, never) = (after(0), after(4), after(5));
    assert_eq!(never[0], model()[0].to_vec::<f64>());
    assert!(last[0] != never[0] && last[0] != always[0]);
    assert!(always[1] == last[1] && last[1] == never[1]);
}
