//! Repetition along axes.

use super::{Operation, Vjp};
use crate::conformance::{Case, Sample};
use crate::ops::reduction::Reduction;
use crate::{Shape, Spec, Value};

/// Axis `i` of the operand becomes axis `axes[i]` of the result, repeated where its size is 1; the
/// other axes of the result are new, and repeat everything.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Broadcast {
    /// The result's shape.
    pub shape: Shape,
    /// Where the operand's axes go, in increasing order.
    pub axes: Vec<usize>,
}

impl Operation for Broadcast {
    fn name(&self) -> &'static str {
        "broadcast_in_dim"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Vec<Spec>, String> {
        let from = &inputs[0].shape;
        if self.axes.len() != from.rank() || !self.axes.is_sorted_by(|a, b| a < b) {
            return Err(format!("axes {:?} must name, in increasing order, one axis for each of {from}", self.axes));
        }
        for (&axis, &size) in self.axes.iter().zip(from.iter()) {
            if self.shape.get(axis).is_none_or(|&to| size != to && size != 1) {
                return Err(format!("{from} at axes {:?} of {}: sizes must be equal or 1", self.axes, self.shape));
            }
        }
        Ok(vec![Spec::new(&self.shape, inputs[0].dtype)])
    }

    fn vjp(&self, context: &Vjp) -> Vec<Option<Value>> {
        let from = context.inputs[0].shape();
        let is_kept = |axis: &usize| {
            let source = self.axes.iter().position(|a| a == axis);
            source.is_some_and(|source| from[source] == self.shape[*axis])
        };
        let repeated: Vec<usize> = (0..self.shape.rank()).filter(|axis| !is_kept(axis)).collect();
        vec![Some(context.cotangent().reduce(Reduction::Sum, &repeated).reshape(from))]
    }
}

impl Value {
    /// Repeats the elements to fill `shape`: axis `i` becomes axis `axes[i]`.
    ///
    /// # Panics
    /// If `axes` does not name an axis of `shape` for each axis, of the same size unless it is 1.
    #[track_caller]
    pub fn broadcast(&self, shape: impl Into<Shape>, axes: &[usize]) -> Value {
        let shape = shape.into();
        if shape == *self.shape() && axes.iter().copied().eq(0..self.rank()) {
            return self.clone();
        }
        Value::record_one(Broadcast { shape, axes: axes.to_vec() }, &[self])
    }
}

pub(crate) fn cases() -> Vec<Case> {
    let reals = |shape: &[usize]| [Sample::uniform(shape, -1.0, 1.0)];
    vec![
        Case::new("broadcast new axes", reals(&[3]), |x| vec![x[0].broadcast([2, 3, 4], &[1])]),
        Case::new("broadcast size one", reals(&[3, 1]), |x| vec![x[0].broadcast([3, 5], &[0, 1])]),
        Case::new("broadcast a scalar", reals(&[]), |x| vec![x[0].broadcast([4, 2], &[])]),
    ]
}
