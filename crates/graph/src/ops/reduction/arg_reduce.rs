//! Where along an axis the extremum is.

use super::{Operation, Reduction, Vjp};
use crate::conformance::{Case, Sample};
use crate::{DType, Spec, Value};

/// Which end of the order is sought.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Extremum {
    /// The greatest element.
    Max,
    /// The least element.
    Min,
}

/// The index, of type `i64`, of the greatest or least element along `axis`, which disappears. Of equal
/// elements the first is meant; a NaN counts as more extreme than any number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ArgReduce {
    /// Which element is sought.
    pub extremum: Extremum,
    /// Along which axis.
    pub axis: usize,
}

impl Operation for ArgReduce {
    fn name(&self) -> &'static str {
        match self.extremum {
            Extremum::Max => "arg_max",
            Extremum::Min => "arg_min",
        }
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Vec<Spec>, String> {
        let shape = &inputs[0].shape;
        match shape.get(self.axis) {
            None => Err(format!("axis {} must be less than the rank {}", self.axis, shape.rank())),
            Some(0) => Err(format!("axis {} has no elements, hence no extremum", self.axis)),
            Some(_) => Ok(vec![Spec::new(shape.without(&[self.axis]), DType::I64)]),
        }
    }

    fn vjp(&self, _: &Vjp) -> Vec<Option<Value>> {
        vec![None]
    }

    fn decompose(&self, inputs: &[Value]) -> Option<Vec<Value>> {
        let x = if inputs[0].dtype() == DType::Bool { inputs[0].convert(DType::U8) } else { inputs[0].clone() };
        let reduction = match self.extremum {
            Extremum::Max => Reduction::Max,
            Extremum::Min => Reduction::Min,
        };
        let extreme = x.reduce(reduction, &[self.axis]).broadcast_from_reduced(x.shape(), &[self.axis]);
        // A NaN differs from itself, and makes `extreme` NaN, which equals nothing.
        let attained = x.eq(&extreme).or(&x.ne(&x));
        let positions = Value::iota(x.shape(), DType::I64, self.axis);
        let beyond = positions.full_like(x.shape()[self.axis] as f64);
        Some(vec![attained.select(&positions, &beyond).reduce(Reduction::Min, &[self.axis])])
    }
}

impl Value {
    /// The index of the greatest element along `axis`, which disappears: the first of equals, NaN
    /// greatest.
    ///
    /// # Panics
    /// If there is no such axis, or it has no elements.
    #[track_caller]
    pub fn arg_max(&self, axis: usize) -> Value {
        Value::record_one(ArgReduce { extremum: Extremum::Max, axis }, &[self])
    }

    /// The index of the least element along `axis`, which disappears: the first of equals, NaN least.
    ///
    /// # Panics
    /// If there is no such axis, or it has no elements.
    #[track_caller]
    pub fn arg_min(&self, axis: usize) -> Value {
        Value::record_one(ArgReduce { extremum: Extremum::Min, axis }, &[self])
    }
}

pub(crate) fn cases() -> Vec<Case> {
    let mut all = vec![];
    for axis in 0..3 {
        let build = move |x: &[Value]| vec![x[0].arg_max(axis), x[0].arg_min(axis)];
        let inputs = [Sample::uniform([3, 4, 5], -1.0, 1.0), Sample::integers([3, 4, 5], 3, DType::I32)];
        let [reals, ties] = inputs;
        all.push(Case::new(format!("arg_reduce {axis}"), [reals], build).not_differentiable());
        all.push(Case::new(format!("arg_reduce with ties {axis}"), [ties], build).not_differentiable());
    }
    all
}
