//! Reversal of axes.

use super::{Operation, Vjp};
use crate::conformance::{Case, Sample};
use crate::{Spec, Value};

/// `y[..., i, ...] = x[..., size - 1 - i, ...]` along each of `axes`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Reverse {
    /// The axes whose order turns round, increasing.
    pub axes: Vec<usize>,
}

impl Operation for Reverse {
    fn name(&self) -> &'static str {
        "reverse"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Vec<Spec>, String> {
        let rank = inputs[0].shape.rank();
        if !self.axes.is_sorted_by(|a, b| a < b) || self.axes.last().is_some_and(|&axis| axis >= rank) {
            return Err(format!("axes {:?} must be distinct, increasing and less than {rank}", self.axes));
        }
        Ok(vec![inputs[0].clone()])
    }

    fn vjp(&self, context: &Vjp) -> Vec<Option<Value>> {
        vec![Some(context.cotangent().reverse(&self.axes))]
    }
}

impl Value {
    /// The elements in reverse order along each of `axes`; no axes is no operation.
    ///
    /// # Panics
    /// If `axes` are not distinct, increasing axes.
    #[track_caller]
    pub fn reverse(&self, axes: &[usize]) -> Value {
        if axes.is_empty() { self.clone() } else { Value::record_one(Reverse { axes: axes.to_vec() }, &[self]) }
    }
}

pub(crate) fn cases() -> Vec<Case> {
    let reals = || [Sample::uniform([2, 3, 4], -1.0, 1.0)];
    vec![
        Case::new("reverse one axis", reals(), |x| vec![x[0].reverse(&[1])]),
        Case::new("reverse two axes", reals(), |x| vec![x[0].reverse(&[0, 2])]),
    ]
}
