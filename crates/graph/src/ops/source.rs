//! Operations without operands: leaves, constants and counts.

use super::{Operation, Vjp};
use crate::conformance::Case;
use crate::{DType, Scalar, Shape, Spec, Value};

/// A value given from outside: data, a parameter, or a placeholder while a function is captured.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Leaf {
    /// What is given.
    pub spec: Spec,
}

/// One element repeated over a shape.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Constant {
    /// The element.
    pub scalar: Scalar,
    /// The shape to fill.
    pub shape: Shape,
}

/// `y[..., i, ...] = i` along one axis.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Iota {
    /// Shape and element type.
    pub spec: Spec,
    /// The axis along which it counts.
    pub axis: usize,
}

impl Operation for Leaf {
    fn name(&self) -> &'static str {
        "leaf"
    }
    fn infer(&self, _: &[Spec]) -> Result<Vec<Spec>, String> {
        Ok(vec![self.spec.clone()])
    }
    fn vjp(&self, _: &Vjp) -> Vec<Option<Value>> {
        vec![]
    }
}

impl Operation for Constant {
    fn name(&self) -> &'static str {
        "constant"
    }
    fn infer(&self, _: &[Spec]) -> Result<Vec<Spec>, String> {
        Ok(vec![Spec::new(self.shape.clone(), self.scalar.dtype())])
    }
    fn vjp(&self, _: &Vjp) -> Vec<Option<Value>> {
        vec![]
    }
}

impl Operation for Iota {
    fn name(&self) -> &'static str {
        "iota"
    }
    fn infer(&self, _: &[Spec]) -> Result<Vec<Spec>, String> {
        if self.axis >= self.spec.shape.rank() {
            return Err(format!("axis {} must be less than the rank of {}", self.axis, self.spec.shape));
        }
        Ok(vec![self.spec.clone()])
    }
    fn vjp(&self, _: &Vjp) -> Vec<Option<Value>> {
        vec![]
    }
}

impl Value {
    /// A placeholder: an input to be given when the captured graph runs.
    #[track_caller]
    pub fn placeholder(spec: Spec) -> Value {
        Value::record_one(Leaf { spec }, &[])
    }

    /// `scalar` repeated over `shape`.
    #[track_caller]
    pub fn constant(scalar: Scalar, shape: impl Into<Shape>) -> Value {
        Value::record_one(Constant { scalar, shape: shape.into() }, &[])
    }

    /// Counts 0, 1, 2, … along `axis`.
    ///
    /// # Panics
    /// If `shape` has no such axis.
    #[track_caller]
    pub fn iota(shape: impl Into<Shape>, dtype: DType, axis: usize) -> Value {
        Value::record_one(Iota { spec: Spec::new(shape, dtype), axis }, &[])
    }
}

pub(super) fn cases() -> Vec<Case> {
    let iota = |_: &[Value]| vec![Value::iota([3, 4], DType::I64, 0), Value::iota([3, 4], DType::F32, 1)];
    let constant = |_: &[Value]| vec![Value::constant(Scalar::from_f64(DType::F32, 2.5), [2, 3])];
    vec![Case::new("iota", [], iota).not_differentiable(), Case::new("constant", [], constant).not_differentiable()]
}
