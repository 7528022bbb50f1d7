//! The mean over replicas.

use super::{Operation, Vjp};
use crate::conformance::{Case, Sample};
use crate::{Spec, Value};

/// The mean over all replicas of a program, element by element, which each of them receives. A program that runs on
/// one device is its only replica: there it is the operand itself.
///
/// Where the loss is the mean of the replicas' losses, and each replica differentiates its own loss, a cotangent is the
/// number of replicas times the gradient of the loss. What replica `q` reads, all replicas receive `1 / R` of: its
/// cotangent is `R * sum over r of (dy[r] / R) / R`, the mean of the cotangents, which is this operation again.
///
/// # Source
/// StableHLO's `all_reduce`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AllReduce;

impl Operation for AllReduce {
    fn name(&self) -> &'static str {
        "all_reduce"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Vec<Spec>, String> {
        if !inputs[0].dtype.is_float() {
            return Err(format!("the mean is not defined for {}; convert the operand first", inputs[0].dtype));
        }
        Ok(vec![inputs[0].clone()])
    }

    fn vjp(&self, context: &Vjp) -> Vec<Option<Value>> {
        vec![Some(context.cotangent().all_reduce_mean())]
    }

    /// Of one replica.
    fn decompose(&self, inputs: &[Value]) -> Option<Vec<Value>> {
        Some(inputs.to_vec())
    }
}

impl Value {
    /// The mean over all replicas of a program; see [`AllReduce`].
    ///
    /// # Panics
    /// If the elements are not floating-point.
    #[track_caller]
    pub fn all_reduce_mean(&self) -> Value {
        Value::record_one(AllReduce, &[self])
    }
}

pub(crate) fn cases() -> Vec<Case> {
    let inputs = || [Sample::uniform([3, 4], -1.0, 1.0)];
    vec![
        Case::new("all_reduce", inputs(), |x| vec![x[0].all_reduce_mean()]),
        Case::new("all_reduce within", inputs(), |x| vec![x[0].mul(&x[0]).all_reduce_mean().mul(&x[0])]),
    ]
}
