//! Order along an axis.

use super::{Addressing, Combine, Operation, Vjp};
use crate::conformance::{Case, Sample};
use crate::{DType, Spec, Value};

/// The elements in order along `axis`, and the positions, of type `i64`, from which they came. NaN comes
/// last in either direction; 0 and -0 are equal, as are all NaN. Equal elements keep their order where
/// `stable` (on a CPU always).
///
/// Outputs: the sorted elements, the positions. Where elements are equal, the gradient is that of the
/// order that was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Sort {
    /// Along which axis.
    pub axis: usize,
    /// Whether the greatest comes first.
    pub descending: bool,
    /// Whether equal elements must keep their order.
    pub stable: bool,
}

impl Operation for Sort {
    fn name(&self) -> &'static str {
        "sort"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Vec<Spec>, String> {
        let shape = &inputs[0].shape;
        if self.axis >= shape.rank() {
            return Err(format!("axis {} must be less than the rank {}", self.axis, shape.rank()));
        }
        Ok(vec![inputs[0].clone(), Spec::new(shape, DType::I64)])
    }

    fn vjp(&self, context: &Vjp) -> Vec<Option<Value>> {
        let (positions, dy) = (&context.outputs[1], context.cotangent());
        let zeros = dy.full_like(0.0);
        let addressing = Addressing::elements(self.axis, dy.rank());
        vec![Some(zeros.scatter(positions, &dy, Combine::Add, addressing))]
    }
}

impl Value {
    /// The elements in order along `axis`, the least first unless `descending`, NaN last, equal ones in
    /// the order in which they stood; and the positions, of type `i64`, from which they came.
    ///
    /// # Panics
    /// If there is no such axis.
    #[track_caller]
    pub fn sort(&self, axis: usize, descending: bool) -> (Value, Value) {
        let mut outputs = Value::record(Sort { axis, descending, stable: true }, &[self]);
        let positions = outputs.pop().expect("two outputs");
        (outputs.pop().expect("two outputs"), positions)
    }
}

pub(crate) fn cases() -> Vec<Case> {
    let sorted = |axis, descending| {
        move |x: &[Value]| {
            let (values, positions) = x[0].sort(axis, descending);
            vec![values, positions]
        }
    };
    let reals = |shape: [usize; 3]| [Sample::uniform(shape, -1.0, 1.0)];
    let ties = [Sample::integers([4, 9], 3, DType::I32)];
    vec![
        Case::new("sort last axis", reals([2, 3, 5]), sorted(2, false)),
        Case::new("sort middle axis, descending", reals([2, 5, 3]), sorted(1, true)),
        Case::new("sort integers with ties", ties.clone(), sorted(1, false)).not_differentiable(),
        Case::new("sort integers with ties, descending", ties, sorted(1, true)).not_differentiable(),
    ]
}
