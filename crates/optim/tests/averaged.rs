//! The average beside a model, and its way into the model and out again.

use gyrus_optim::{Averaged, Optimizer, Sgd, SgdConfig};
use gyrus_tensor::{Buffer, Gradients, Kind, Module, Path, Tensor, Visit, VisitMut};

/// A parameter, a running statistic and a count.
struct Model(Tensor, Buffer, Buffer);

impl Module for Model {
    fn walk(&self, path: &mut Path, visit: Visit) {
        path.within("weight", |path| visit(path, Kind::Parameter, &self.0));
        path.within("mean", |path| self.1.walk(path, visit));
        path.within("count", |path| self.2.walk(path, visit));
    }

    fn walk_mut(&mut self, path: &mut Path, visit: VisitMut) {
        path.within("weight", |path| visit(path, Kind::Parameter, &mut self.0));
        path.within("mean", |path| self.1.walk_mut(path, visit));
        path.within("count", |path| self.2.walk_mut(path, visit));
    }
}

fn numbers(model: &Model) -> [f64; 3] {
    [model.0.item(), model.1.get().item(), model.2.get().item()]
}

#[test]
fn the_average_is_that_of_the_definition() {
    let count = Buffer::new(Tensor::scalar(0i64));
    let mut model = Model(Tensor::scalar(1.0f64), Buffer::new(Tensor::scalar(5.0f64)), count);
    let decay = 0.2;
    let mut optimizer = Averaged::new(Box::new(Sgd::new(&model, SgdConfig::new(0.5))), &model, decay);
    let (mut weight, mut average) = ([1.0, 5.0], [1.0, 5.0]);
    for step in 1..=6 {
        model.1.set(Tensor::scalar(f64::from(step)));
        model.2.set(Tensor::scalar(i64::from(step)));
        let gradients = Gradients::new(vec![&model.0 * &model.0]);
        optimizer.step(&mut model, &gradients);
        weight = [weight[0] - 0.5 * weight[0] * weight[0], f64::from(step)];
        let share = decay.min(f64::from(step) / f64::from(step + 9));
        average = [0, 1].map(|index| share * average[index] + (1.0 - share) * weight[index]);
    }
    assert!(numbers(&model)[..2].iter().zip(&weight).all(|(a, b)| (a - b).abs() < 1e-12));
    let before = numbers(&model);
    optimizer.exchange(&mut model);
    let found = numbers(&model);
    // The share is computed in single precision.
    assert!(found[..2].iter().zip(&average).all(|(a, b)| (a - b).abs() < 1e-6), "{found:?}, not {average:?}");
    assert!(found[0] != before[0] && found[2] == 6.0, "a count is no average");
    optimizer.exchange(&mut model);
    assert_eq!(numbers(&model), before);
}
