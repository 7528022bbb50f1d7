//! Cross-entropy of logits with class labels.

use super::{CrossEntropyGrad, Operation, Vjp, has_shape, mean, same_float, scaled, sum};
use crate::conformance::{Case, Sample};
use crate::ops::reduction::Reduction;
use crate::{DType, Real, Spec, Value};

/// For the logits `x` of each sample or pixel, along axis 1 of `[N, C, spatial..]`, and its label `t` of `i64[N, spatial..]`,
/// with smoothing `s`, `loss = log(sum of exp(x)) - (1 - s) x[t] - s mean(x)`: the cross-entropy of `softmax(x)` with the
/// distribution that gives `1 - s` to `t` and shares `s` among all classes. Losses have the shape of the labels,
/// as those of `torch.nn.functional.cross_entropy` with `reduction="none"`.
///
/// The loss of an ignored label is 0; that of a label outside `0..C` is NaN, for want of a better
/// answer: labels should be checked where data are read.
///
/// # Source
/// Szegedy et al., Rethinking the Inception Architecture (2016), section 7, for the smoothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CrossEntropy {
    /// The share `s` of the target that goes to all classes evenly, from 0 to 1.
    pub label_smoothing: Real,
    /// The label of what does not count, which need not be a class.
    pub ignore_index: Option<i64>,
}

impl CrossEntropy {
    /// The rule of the first two operands.
    pub(super) fn check(inputs: &[Spec]) -> Result<(), String> {
        let [logits, targets] = inputs else { unreachable!("two operands") };
        same_float(&inputs[..1])?;
        if logits.shape.rank() < 2 || targets.dtype != DType::I64 {
            return Err("logits must have shape [N, C, spatial..], and targets must be i64[N, spatial..]".into());
        }
        has_shape("targets", targets, &logits.shape.without(&[1]))
    }

    /// Whether an element of the logits is the target.
    pub(super) fn is_target(logits: &Value, targets: &Value) -> Value {
        Value::iota(logits.shape(), DType::I64, 1).eq(&targets.broadcast_from_reduced(logits.shape(), &[1]))
    }

    /// Values, one a label, with `ignored` for ignored labels and NaN for those of no class.
    pub(super) fn checked(&self, values: &Value, targets: &Value, num_classes: usize, ignored: f64) -> Value {
        let label = |label: i64| Value::constant(crate::Scalar::from_i64(DType::I64, label), targets.shape());
        let is_class = targets.ge(&label(0)).and(&targets.lt(&label(num_classes as i64)));
        let values = is_class.select(values, &values.full_like(f64::NAN));
        match self.ignore_index {
            Some(index) => targets.eq(&label(index)).select(&values.full_like(ignored), &values),
            None => values,
        }
    }
}

impl Operation for CrossEntropy {
    fn name(&self) -> &'static str {
        "cross_entropy"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Vec<Spec>, String> {
        CrossEntropy::check(inputs)?;
        Ok(vec![Spec::new(&inputs[1].shape, inputs[0].dtype)])
    }

    fn vjp(&self, context: &Vjp) -> Vec<Option<Value>> {
        let [logits, targets] = context.inputs else { unreachable!("two operands") };
        let op = CrossEntropyGrad { label_smoothing: self.label_smoothing, ignore_index: self.ignore_index };
        vec![Some(Value::record_one(op, &[logits, targets, &context.cotangent()])), None]
    }

    fn decompose(&self, inputs: &[Value]) -> Option<Vec<Value>> {
        let [logits, targets] = inputs else { unreachable!("two operands") };
        let greatest = logits.reduce(Reduction::Max, &[1]);
        let x = logits.sub(&greatest.broadcast_from_reduced(logits.shape(), &[1]));
        let at_target = CrossEntropy::is_target(logits, targets).select(&x, &x.full_like(0.0));
        let smoothing = self.label_smoothing.0;
        let mut loss = sum(&x.exp(), &[1]).log().sub(&scaled(&sum(&at_target, &[1]), 1.0 - smoothing));
        if smoothing != 0.0 {
            loss = loss.sub(&scaled(&mean(&x, &[1]), smoothing));
        }
        Some(vec![self.checked(&loss, targets, logits.shape()[1], 0.0)])
    }
}

impl Value {
    /// The cross-entropy of these logits `[N, C, spatial..]` with the labels `targets`, `i64[N, spatial..]`; see
    /// [`CrossEntropy`].
    ///
    /// # Panics
    /// If the shapes or element types are others.
    #[track_caller]
    pub fn cross_entropy(&self, targets: &Value, label_smoothing: f64, ignore_index: Option<i64>) -> Value {
        let op = CrossEntropy { label_smoothing: Real(label_smoothing), ignore_index };
        Value::record_one(op, &[self, targets])
    }
}

pub(crate) fn cases() -> Vec<Case> {
    let case = |shape: &[usize], smoothing: f64, ignore: Option<i64>| {
        let targets = Sample::integers([&shape[..1], &shape[2..]].concat(), shape[1] as i64, DType::I64);
        let name = format!("cross_entropy {shape:?}, smoothing {smoothing}, ignore {ignore:?}");
        Case::new(name, [Sample::uniform(shape, -2.0, 2.0), targets], move |x| {
            vec![x[0].cross_entropy(&x[1], smoothing, ignore)]
        })
    };
    vec![
        case(&[5, 7], 0.0, None),
        case(&[9, 3], 0.0, Some(1)),
        case(&[5, 4], 0.3, None),
        case(&[9, 3], 0.1, Some(2)),
        case(&[3, 1], 0.0, None),
        case(&[2, 37], 0.1, None),
        case(&[2, 3, 4, 5], 0.1, Some(2)),
        case(&[2, 5, 67], 0.0, Some(0)),
    ]
}
