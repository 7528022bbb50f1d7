//! One step of training as one compiled function.

use gyrus_nn::Context;
use gyrus_optim::clip_by_global_norm;
use gyrus_tensor::{Compiled, DType, Kind, Module, Path, Precision, Tensor, compile};

use super::learner::ObjectiveFn;
use super::{Objective, State};

/// Forward, backward and update; returns `f32[2 + number of metrics]`: the loss, the learning rate, the sums
/// of the metrics. On several devices each sees its share of the batch, and all apply the same update: that of the mean
/// of their gradients.
pub fn compile_step<M: Module, T: Module + Clone>(
    objective: ObjectiveFn<M, T>,
    clip_norm: Option<f64>,
    precision: Precision,
) -> Compiled<impl FnMut(&mut State<M>, T) -> Tensor, State<M>, T, Tensor> {
    compile(move |state: &mut State<M>, batch: T| {
        let before = tensors(state);
        let mut context = Context::train(&mut state.rng).with_precision(precision);
        let Objective { loss, metrics } = objective(&state.model, &batch, &mut context);
        let learning_rate = state.optimizer.learning_rate();
        let mut gradients = loss.grad(&state.model).all_reduce_mean();
        let loss = loss.all_reduce_mean();
        let metrics = metrics.iter().map(|sum| sum.to_dtype(DType::F32).all_reduce_sum());
        if let Some(max_norm) = clip_norm {
            gradients = clip_by_global_norm(&gradients, max_norm).0;
        }
        state.optimizer.step(&mut state.model, &gradients);
        keep_unless_finite(state, &before, &loss);
        let report: Vec<Tensor> =
            [&loss, &learning_rate].map(|number| number.to_dtype(DType::F32)).into_iter().chain(metrics).collect();
        Tensor::stack(&report.iter().collect::<Vec<_>>(), 0)
    })
}

fn tensors(module: &impl Module) -> Vec<Tensor> {
    module.named_tensors().into_iter().map(|(_, _, tensor)| tensor).collect()
}

/// A step whose loss is no number changes nothing, so that its cause can be found.
fn keep_unless_finite(state: &mut impl Module, before: &[Tensor], loss: &Tensor) {
    let is_finite = loss.is_finite();
    let mut before = before.iter();
    state.walk_mut(&mut Path::default(), &mut |_: &Path, _: Kind, tensor: &mut Tensor| {
        let old = before.next().expect("a walk is always the same");
        if !tensor.value().is_same(old.value()) {
            *tensor = is_finite.select(&*tensor, old);
        }
    });
}
