//! The greatest elements along an axis.

use super::{Addressing, Combine, Operation, Vjp};
use crate::conformance::{Case, Sample};
use crate::{DType, Spec, Value};

/// The `k` greatest elements along `axis`, the greatest first, and the positions, of type `i64`, at which they stood: the
/// first `k` of a descending [`Sort`](super::Sort). NaN comes last, equal elements keep their order.
///
/// Outputs: the elements, the positions. Where elements are equal, the gradient is that of those that were chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TopK {
    /// How many elements.
    pub k: usize,
    /// Along which axis.
    pub axis: usize,
}

impl Operation for TopK {
    fn name(&self) -> &'static str {
        "top_k"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Vec<Spec>, String> {
        let mut shape = inputs[0].shape.to_vec();
        if self.axis >= shape.len() {
            return Err(format!("axis {} must be less than the rank {}", self.axis, shape.len()));
        }
        if self.k > shape[self.axis] {
            return Err(format!("{} must be at most {}, the size of axis {}", self.k, shape[self.axis], self.axis));
        }
        shape[self.axis] = self.k;
        Ok(vec![Spec::new(&shape[..], inputs[0].dtype), Spec::new(&shape[..], DType::I64)])
    }

    fn vjp(&self, context: &Vjp) -> Vec<Option<Value>> {
        let zeros = context.inputs[0].full_like(0.0);
        if self.k == 0 {
            return vec![Some(zeros)];
        }
        let addressing = Addressing::elements(self.axis, zeros.rank());
        vec![Some(zeros.scatter(&context.outputs[1], &context.cotangent(), Combine::Add, addressing))]
    }

    fn decompose(&self, inputs: &[Value]) -> Option<Vec<Value>> {
        let (values, positions) = inputs[0].sort(self.axis, true);
        Some([values, positions].map(|sorted| sorted.slice_axis(self.axis, 0, self.k)).into())
    }
}

impl Value {
    /// The `k` greatest elements along `axis`, the greatest first, NaN last, equal ones in the order in which they stood;
    /// and the positions, of type `i64`, at which they stood.
    ///
    /// # Panics
    /// If there is no such axis, or it has fewer elements.
    #[track_caller]
    pub fn top_k(&self, k: usize, axis: usize) -> (Value, Value) {
        let mut outputs = Value::record(TopK { k, axis }, &[self]);
        let positions = outputs.pop().expect("two outputs");
        (outputs.pop().expect("two outputs"), positions)
    }
}

pub(crate) fn cases() -> Vec<Case> {
    let top = |k: usize, axis: usize| {
        move |x: &[Value]| {
            let (values, positions) = x[0].top_k(k, axis);
            vec![values, positions]
        }
    };
    let reals = |shape: [usize; 3]| [Sample::uniform(shape, -1.0, 1.0)];
    vec![
        Case::new("top_k last axis", reals([2, 3, 5]), top(2, 2)),
        Case::new("top_k middle axis", reals([2, 5, 3]), top(3, 1)),
        Case::new("top_k of all", reals([2, 1, 4]), top(4, 2)),
        Case::new("top_k of none", reals([2, 0, 4]), top(0, 1)),
        Case::new("top_k integers with ties", [Sample::integers([4, 9], 3, DType::I32)], top(4, 1))
            .not_differentiable(),
    ]
}
