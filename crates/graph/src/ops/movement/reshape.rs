//! The same elements in another shape.

use super::{Operation, Vjp};
use crate::conformance::{Case, Sample};
use crate::{Shape, Spec, Value};

/// The same elements in the same (row-major) order in another shape of as many elements.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Reshape {
    /// The new shape.
    pub shape: Shape,
}

impl Operation for Reshape {
    fn name(&self) -> &'static str {
        "reshape"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Vec<Spec>, String> {
        let (from, to) = (inputs[0].shape.num_elements(), self.shape.num_elements());
        if from != to {
            return Err(format!("{from} elements do not fill shape {}, which has {to}", self.shape));
        }
        Ok(vec![Spec::new(&self.shape, inputs[0].dtype)])
    }

    fn vjp(&self, context: &Vjp) -> Vec<Option<Value>> {
        vec![Some(context.cotangent().reshape(context.inputs[0].shape()))]
    }
}

impl Value {
    /// The same elements in another shape; the same shape is no operation.
    ///
    /// # Panics
    /// If the number of elements differs.
    #[track_caller]
    pub fn reshape(&self, shape: impl Into<Shape>) -> Value {
        let shape = shape.into();
        if shape == *self.shape() { self.clone() } else { Value::record_one(Reshape { shape }, &[self]) }
    }
}

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::new("reshape", [Sample::uniform([2, 6], -1.0, 1.0)], |x| vec![x[0].reshape([3, 4])]),
        Case::new("reshape of a transpose", [Sample::uniform([2, 6], -1.0, 1.0)], |x| {
            vec![x[0].transpose(&[1, 0]).reshape([4, 3])]
        }),
    ]
}
