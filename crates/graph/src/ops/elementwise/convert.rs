//! Change of element type.

use super::super::{Operation, Vjp};
use crate::conformance::{Case, Sample};
use crate::{DType, Spec, Value};

/// `y = x` as another type: floats round to nearest, ties to even; floats become integers by dropping
/// the fraction, saturating, NaN as 0; integers wrap; to `bool` is whether `x` is not 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Convert {
    /// The type to convert to.
    pub dtype: DType,
}

impl Operation for Convert {
    fn name(&self) -> &'static str {
        "convert"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Vec<Spec>, String> {
        Ok(vec![Spec::new(&inputs[0].shape, self.dtype)])
    }

    fn vjp(&self, context: &Vjp) -> Vec<Option<Value>> {
        vec![Some(context.cotangent().convert(context.inputs[0].dtype()))]
    }
}

impl Value {
    /// The elements as another type. See [`Convert`] for the rounding; the same type is no operation.
    #[track_caller]
    pub fn convert(&self, dtype: DType) -> Value {
        if dtype == self.dtype() { self.clone() } else { Value::record_one(Convert { dtype }, &[self]) }
    }
}

pub(crate) fn cases() -> Vec<Case> {
    let mut all = vec![Case::new("convert there and back", [Sample::uniform([9], -2.0, 2.0)], |x| {
        vec![x[0].convert(DType::F64).convert(x[0].dtype())]
    })];
    for from in [DType::Bool, DType::U8, DType::I32, DType::I64] {
        let high = if from == DType::Bool { 2 } else { 100 };
        let build = |x: &[Value]| DType::ALL.map(|to| x[0].convert(to)).to_vec();
        all.push(
            Case::new(format!("convert from {from}"), [Sample::integers([9], high, from)], build).not_differentiable(),
        );
    }
    all
}
