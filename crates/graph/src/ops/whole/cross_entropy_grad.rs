//! The gradient of the cross-entropy with class labels.

use super::{CrossEntropy, Operation, Softmax, has_shape, same_float};
use crate::conformance::{Case, Sample};
use crate::{DType, Real, Spec, Value};

/// From the logits `[N, C, spatial..]`, the labels `i64[N, spatial..]` and the losses' gradient, of the labels' shape,
/// `dx = dloss (softmax(x) - (1 - s) [c = t] - s / C)`: 0 where the label is ignored, NaN where it is no class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CrossEntropyGrad {
    /// As of [`CrossEntropy`].
    pub label_smoothing: Real,
    /// As of [`CrossEntropy`].
    pub ignore_index: Option<i64>,
}

impl Operation for CrossEntropyGrad {
    fn name(&self) -> &'static str {
        "cross_entropy_grad"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Vec<Spec>, String> {
        let [logits, targets, dlosses] = inputs else { unreachable!("three operands") };
        CrossEntropy::check(&inputs[..2])?;
        same_float(&[logits.clone(), dlosses.clone()])?;
        has_shape("dlosses", dlosses, &targets.shape)?;
        Ok(vec![logits.clone()])
    }

    fn decompose(&self, inputs: &[Value]) -> Option<Vec<Value>> {
        let [logits, targets, dlosses] = inputs else { unreachable!("three operands") };
        let probabilities = Softmax { axis: 1 }.decompose(&inputs[..1])?.remove(0);
        let (smoothing, num_classes) = (self.label_smoothing.0, logits.shape()[1]);
        let shared = smoothing / num_classes as f64;
        let target = CrossEntropy::is_target(logits, targets)
            .select(&logits.full_like(1.0 - smoothing + shared), &logits.full_like(shared));
        let op = CrossEntropy { label_smoothing: self.label_smoothing, ignore_index: self.ignore_index };
        let weights = op.checked(dlosses, targets, num_classes, 0.0);
        let weights = weights.broadcast_from_reduced(logits.shape(), &[1]);
        Some(vec![weights.mul(&probabilities.sub(&target))])
    }
}

pub(crate) fn cases() -> Vec<Case> {
    let case = |shape: &[usize], smoothing: f64, ignore: Option<i64>| {
        let labels = [&shape[..1], &shape[2..]].concat();
        let targets = Sample::integers(&labels[..], shape[1] as i64, DType::I64);
        let inputs = [Sample::uniform(shape, -2.0, 2.0), targets, Sample::uniform(&labels[..], 0.5, 1.5)];
        let op = CrossEntropyGrad { label_smoothing: Real(smoothing), ignore_index: ignore };
        let build = move |x: &[Value]| vec![Value::record_one(op, &[&x[0], &x[1], &x[2]])];
        Case::new(format!("cross_entropy_grad {shape:?}, smoothing {smoothing}, ignore {ignore:?}"), inputs, build)
    };
    vec![
        case(&[5, 7], 0.0, None),
        case(&[9, 3], 0.2, Some(1)),
        case(&[2, 37], 0.1, None),
        case(&[2, 3, 4, 5], 0.1, Some(2)),
        case(&[2, 5, 67], 0.0, Some(0)),
    ]
}
