//! Choice between two operands, element by element.

use super::super::{Operation, Vjp};
use super::same_spec;
use crate::conformance::{Case, Sample};
use crate::{DType, Spec, Value};

/// `y = if condition { a } else { b }`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Select;

impl Operation for Select {
    fn name(&self) -> &'static str {
        "select"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Vec<Spec>, String> {
        let [condition, a, b] = inputs else { unreachable!("three operands") };
        same_spec(a, b)?;
        if condition.dtype != DType::Bool || condition.shape != a.shape {
            return Err(format!("the condition must be bool{}", a.shape));
        }
        Ok(vec![a.clone()])
    }

    fn vjp(&self, context: &Vjp) -> Vec<Option<Value>> {
        let (condition, dy) = (&context.inputs[0], context.cotangent());
        let zero = dy.full_like(0.0);
        vec![None, Some(condition.select(&dy, &zero)), Some(condition.select(&zero, &dy))]
    }
}

impl Value {
    /// Where `self`, of type `bool`, is true the element of `a`, elsewhere that of `b`.
    ///
    /// # Panics
    /// If `self` is not `bool`, or the three differ in shape, or `a` and `b` in element type.
    #[track_caller]
    pub fn select(&self, a: &Value, b: &Value) -> Value {
        Value::record_one(Select, &[self, a, b])
    }
}

pub(crate) fn cases() -> Vec<Case> {
    let reals = Sample::uniform([4, 3], -1.0, 1.0);
    let condition = Sample::integers([4, 3], 2, DType::Bool);
    vec![Case::new("select", [condition, reals.clone(), reals], |x| vec![x[0].select(&x[1], &x[2])])]
}
