//! A value that simplification does not look through.

use super::{Operation, Vjp};
use crate::conformance::{Case, Sample};
use crate::{Spec, Value};

/// `y = x`, but what is computed from `y` is not merged with what is computed from `x`.
///
/// # Source
/// StableHLO's `optimization_barrier`, of one operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OptimizationBarrier;

impl Operation for OptimizationBarrier {
    fn name(&self) -> &'static str {
        "optimization_barrier"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Vec<Spec>, String> {
        Ok(vec![inputs[0].clone()])
    }

    fn vjp(&self, context: &Vjp) -> Vec<Option<Value>> {
        vec![Some(context.cotangent())]
    }
}

impl Value {
    /// The same value, apart from others that are computed alike; see [`OptimizationBarrier`].
    pub fn optimization_barrier(&self) -> Value {
        Value::record_one(OptimizationBarrier, &[self])
    }
}

pub(crate) fn cases() -> Vec<Case> {
    let inputs = [Sample::uniform([2, 3], -1.0, 1.0)];
    let build = |x: &[Value]| vec![x[0].tanh().mul(&x[0].optimization_barrier().tanh())];
    vec![Case::new("optimization_barrier", inputs, build)]
}
