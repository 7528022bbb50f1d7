//! Batch normalisation by the statistics of the batch.

use super::{BatchNormGrad, Operation, Vjp, has_shape, mean, plus, same_float, scaled};
use crate::conformance::{Case, Sample};
use crate::{Real, Scalar, Shape, Spec, Value};

/// Over all axes of `x [N, C, spatial..]` but the second: `y = (x - mean) / sqrt(variance + eps) gamma + beta`
/// with the biased variance. `gamma` and `beta` are `[C]`; the outputs are `y`, of `x`'s shape, `mean [C]`
/// and `variance [C]`.
///
/// # Source
/// Ioffe, Szegedy, Batch Normalization (2015), algorithm 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BatchNormTraining {
    /// Added to the variance.
    pub eps: Real,
    /// Whether, where devices share a batch, the statistics are those of all shares.
    pub is_of_all_shares: bool,
}

/// The axis of the channels.
const CHANNEL: usize = 1;

/// The shape `[C]`.
pub(super) fn channels(x: &Spec) -> Result<Shape, String> {
    let size = x.shape.get(CHANNEL).ok_or("the operand must have shape [N, C, spatial..]")?;
    Ok([*size].into())
}

/// The axes that are averaged over.
pub(super) fn averaged(x: &Value) -> Vec<usize> {
    (0..x.rank()).filter(|&axis| axis != CHANNEL).collect()
}

/// Repeats a value `[C]` over the shape of `x`.
pub(super) fn along_channels(value: &Value, x: &Value) -> Value {
    value.broadcast(x.shape(), &[CHANNEL])
}

impl Operation for BatchNormTraining {
    fn name(&self) -> &'static str {
        "batch_norm_training"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Vec<Spec>, String> {
        let [x, gamma, beta] = inputs else { unreachable!("three operands") };
        let dtype = same_float(inputs)?;
        let channels = channels(x)?;
        has_shape("gamma", gamma, &channels)?;
        has_shape("beta", beta, &channels)?;
        Ok(vec![x.clone(), Spec::new(&channels, dtype), Spec::new(&channels, dtype)])
    }

    fn vjp(&self, context: &Vjp) -> Vec<Option<Value>> {
        let ([x, gamma, _], [_, mean, variance]) = (context.inputs, context.outputs) else {
            unreachable!("three each")
        };
        let (mut dx, mut dgamma, mut dbeta) = (None, None, None);
        if let Some(dy) = &context.cotangents[0] {
            let grads = Value::record(BatchNormGrad { of: *self }, &[x, gamma, mean, variance, dy]);
            [dx, dgamma, dbeta] = <[Value; 3]>::try_from(grads).expect("three outputs").map(Some);
        }
        let count = averaged(x).iter().map(|&axis| x.shape()[axis]).product::<usize>() as f64;
        if let Some(dmean) = &context.cotangents[1] {
            dx = plus(dx, along_channels(&scaled(dmean, 1.0 / count), x));
        }
        if let Some(dvariance) = &context.cotangents[2] {
            let factor = along_channels(&scaled(dvariance, 2.0 / count), x);
            dx = plus(dx, x.sub(&along_channels(mean, x)).mul(&factor));
        }
        vec![dx, dgamma, dbeta]
    }

    fn decompose(&self, inputs: &[Value]) -> Option<Vec<Value>> {
        let [x, gamma, beta] = inputs else { unreachable!("three operands") };
        let axes = averaged(x);
        let center = mean(x, &axes);
        let centered = x.sub(&along_channels(&center, x));
        let variance = mean(&centered.mul(&centered), &axes);
        let factor = variance.add(&variance.full_like(self.eps.0)).rsqrt().mul(gamma);
        let y = centered.mul(&along_channels(&factor, x)).add(&along_channels(beta, x));
        Some(vec![y, center, variance])
    }
}

impl Value {
    /// Batch normalisation by the statistics of the batch, which are returned with the result: `y`, `mean`
    /// and the biased `variance`; see [`BatchNormTraining`].
    ///
    /// # Panics
    /// If `self` does not have shape `[N, C, spatial..]`, `gamma` and `beta` `[C]`, or element types differ.
    #[track_caller]
    pub fn batch_norm_training(&self, gamma: &Value, beta: &Value, eps: f64) -> [Value; 3] {
        let op = BatchNormTraining { eps: Real(eps), is_of_all_shares: true };
        Value::record(op, &[self, gamma, beta]).try_into().expect("three outputs")
    }

    /// Normalises groups of neighbouring channels of each sample by their own mean and biased variance, then scales and shifts
    /// channels: `y = (x - mean) / sqrt(variance + eps) gamma + beta`. To normalisation by batches the groups of all samples
    /// are the channels of a single one.
    ///
    /// # Panics
    /// If `self` does not have shape `[N, C, spatial..]`, `gamma` and `beta` `[C]`, `num_groups` does not divide `C`, or element
    /// types differ.
    ///
    /// # Source
    /// Wu, He, Group Normalization (2018), equation 7.
    #[track_caller]
    pub fn group_norm(&self, num_groups: usize, gamma: &Value, beta: &Value, eps: f64) -> Value {
        let normalized = self.normalized_groups(num_groups, eps);
        normalized.mul(&along_channels(gamma, self)).add(&along_channels(beta, self))
    }

    /// [`Value::group_norm`] without scale and shift.
    ///
    /// # Panics
    /// As that.
    #[track_caller]
    pub fn normalized_groups(&self, num_groups: usize, eps: f64) -> Value {
        let [samples, channels, ..] = self.shape()[..] else {
            panic!("group_norm: {}: must be [N, C, ..]", self.spec())
        };
        let divides = num_groups > 0 && channels % num_groups == 0;
        assert!(divides, "group_norm: {}: num_groups ({num_groups}) must divide the number of channels", self.spec());
        let rows = samples * num_groups;
        let groups = self.reshape([1, rows, self.shape().num_elements() / rows.max(1)]);
        let op = BatchNormTraining { eps: Real(eps), is_of_all_shares: false };
        let of_groups = |value: f64| Value::constant(Scalar::from_f64(self.dtype(), value), [rows]);
        Value::record(op, &[&groups, &of_groups(1.0), &of_groups(0.0)]).swap_remove(0).reshape(self.shape())
    }

    /// Batch normalisation by given statistics: `y = (x - mean) / sqrt(variance + eps) gamma + beta`, computed as
    /// `x factor + (beta - mean factor)`: a product and a sum for each element.
    ///
    /// # Panics
    /// If `self` does not have shape `[N, C, spatial..]`, the others `[C]`, or element types differ.
    #[track_caller]
    pub fn batch_norm_inference(&self, gamma: &Value, beta: &Value, mean: &Value, variance: &Value, eps: f64) -> Value {
        let factor = variance.add(&variance.full_like(eps)).rsqrt().mul(gamma);
        let shift = beta.sub(&mean.mul(&factor));
        self.mul(&along_channels(&factor, self)).add(&along_channels(&shift, self))
    }
}

pub(crate) fn cases() -> Vec<Case> {
    let parameter = |shape: &[usize], low, high| Sample::uniform(&shape[1..2], low, high);
    let case = |shape: &[usize], eps: f64| {
        let inputs = [Sample::uniform(shape, -1.0, 2.0), parameter(shape, 0.5, 1.5), parameter(shape, -1.0, 1.0)];
        let build = move |x: &[Value]| x[0].batch_norm_training(&x[1], &x[2], eps).to_vec();
        Case::new(format!("batch_norm_training {shape:?}"), inputs, build)
    };
    let inference = [
        Sample::uniform([2, 3, 2, 2], -1.0, 2.0),
        Sample::uniform([3], 0.5, 1.5),
        Sample::uniform([3], -1.0, 1.0),
        Sample::uniform([3], -1.0, 1.0),
        Sample::uniform([3], 0.5, 1.5),
    ];
    let groups =
        [Sample::uniform([2, 6, 2, 3], -1.0, 2.0), Sample::uniform([6], 0.5, 1.5), Sample::uniform([6], -1.0, 1.0)];
    vec![
        Case::new("group_norm", groups, |x| vec![x[0].group_norm(2, &x[1], &x[2], 0.1)]),
        case(&[4, 3], 1e-5),
        case(&[2, 3, 5], 0.1),
        case(&[3, 2, 3, 5], 1e-5),
        case(&[5, 1, 1, 7], 1e-5),
        case(&[1, 2, 1], 0.5),
        Case::new("batch_norm_inference", inference, |x| {
            vec![x[0].batch_norm_inference(&x[1], &x[2], &x[3], &x[4], 0.1)]
        }),
    ]
}
