//! The gradient of root-mean-square normalisation.

use super::layer_norm::rows_and_row;
use super::{Operation, has_shape, mean, same_float, sum};
use crate::conformance::{Case, Sample};
use crate::ops::elementwise::same_spec;
use crate::{Spec, Value};

/// From `x [R.., C]`, `gamma [C]`, `rstd [R..]` and `dy [R.., C]`, with `z = x rstd` and means over the
/// last axis: `dx = rstd (dy gamma - z mean(dy gamma z))`, and `dgamma = sum of dy z` over the rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RmsNormGrad;

impl Operation for RmsNormGrad {
    fn name(&self) -> &'static str {
        "rms_norm_grad"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Vec<Spec>, String> {
        let [x, gamma, rstd, dy] = inputs else { unreachable!("four operands") };
        same_float(inputs)?;
        let (rows, row) = rows_and_row(x)?;
        has_shape("gamma", gamma, &row)?;
        has_shape("rstd", rstd, &rows)?;
        same_spec(x, dy)?;
        Ok(vec![x.clone(), gamma.clone()])
    }

    fn decompose(&self, inputs: &[Value]) -> Option<Vec<Value>> {
        let [x, gamma, rstd, dy] = inputs else { unreachable!("four operands") };
        let last = x.rank() - 1;
        let rows: Vec<usize> = (0..last).collect();
        let spread = |value: &Value| value.broadcast_from_reduced(x.shape(), &[last]);
        let z = x.mul(&spread(rstd));
        let dz = dy.mul(&gamma.broadcast(x.shape(), &[last]));
        let dx = dz.sub(&spread(&mean(&dz.mul(&z), &[last])).mul(&z)).mul(&spread(rstd));
        Some(vec![dx, sum(&dy.mul(&z), &rows)])
    }
}

pub(crate) fn cases() -> Vec<Case> {
    let case = |shape: &[usize]| {
        let (rows, row) = shape.split_at(shape.len() - 1);
        let inputs = [
            Sample::uniform(shape, -1.0, 2.0),
            Sample::uniform(row, 0.5, 1.5),
            Sample::uniform(rows, 0.5, 1.5),
            Sample::uniform(shape, -1.0, 1.0),
        ];
        let build = |x: &[Value]| Value::record(RmsNormGrad, &[&x[0], &x[1], &x[2], &x[3]]);
        Case::new(format!("rms_norm_grad {shape:?}"), inputs, build)
    };
    vec![case(&[3, 7]), case(&[2, 3, 5]), case(&[6]), case(&[3, 1]), case(&[5, 37])]
}
