//! A box of elements.

use super::{Operation, Vjp};
use crate::conformance::{Case, Sample};
use crate::{Spec, Value};

/// Along each axis the elements `start, start + step, …` below `limit`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Slice {
    /// The first index along each axis.
    pub start: Vec<usize>,
    /// One past the last index that may be taken.
    pub limit: Vec<usize>,
    /// The distance between indices, at least 1.
    pub step: Vec<usize>,
}

impl Operation for Slice {
    fn name(&self) -> &'static str {
        "slice"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Vec<Spec>, String> {
        let from = &inputs[0].shape;
        if [&self.start, &self.limit, &self.step].iter().any(|list| list.len() != from.rank()) {
            return Err(format!("start, limit and step must each have {} numbers", from.rank()));
        }
        let mut shape = vec![];
        for (axis, &size) in from.iter().enumerate() {
            let (start, limit, step) = (self.start[axis], self.limit[axis], self.step[axis]);
            if start > limit || limit > size || step == 0 {
                return Err(format!("axis {axis}: {start}..{limit} by {step} must lie within 0..{size}, by 1 or more"));
            }
            shape.push((limit - start).div_ceil(step));
        }
        Ok(vec![Spec::new(shape, inputs[0].dtype)])
    }

    fn vjp(&self, context: &Vjp) -> Vec<Option<Value>> {
        let (from, dy) = (context.inputs[0].shape(), context.cotangent());
        let (mut low, mut high, mut interior) = (vec![], vec![], vec![]);
        for (axis, &size) in from.iter().enumerate() {
            let count = dy.shape()[axis];
            let covered = if count == 0 { 0 } else { (count - 1) * self.step[axis] + 1 };
            low.push(self.start[axis] as i64);
            high.push((size - self.start[axis] - covered) as i64);
            interior.push(self.step[axis] - 1);
        }
        vec![Some(dy.pad(&dy.zero(), &low, &high, &interior))]
    }
}

impl Value {
    /// Along each axis the elements `start, start + step, …` below `limit`.
    ///
    /// # Panics
    /// If a range leaves its axis, or a step is 0.
    #[track_caller]
    pub fn slice(&self, start: &[usize], limit: &[usize], step: &[usize]) -> Value {
        let op = Slice { start: start.to_vec(), limit: limit.to_vec(), step: step.to_vec() };
        Value::record_one(op, &[self])
    }
}

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::new("slice", [Sample::uniform([4, 5], -1.0, 1.0)], |x| vec![x[0].slice(&[1, 0], &[3, 5], &[1, 2])]),
        Case::new("empty slice", [Sample::uniform([4], -1.0, 1.0)], |x| vec![x[0].slice(&[2], &[2], &[1])]),
    ]
}
