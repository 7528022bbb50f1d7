//! Replacement of a box of elements at a place given as data.

use super::dynamic_slice::check_starts;
use super::{Operation, Vjp};
use crate::conformance::{Case, Sample};
use crate::{DType, Spec, Value};

/// An operand with a box replaced by an update, which begins at given indices, moved to the nearest
/// place within the operand where it would leave it.
///
/// Operands: the operand, the update, then for each axis a scalar index, all `i32` or all `i64`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DynamicUpdateSlice;

impl Operation for DynamicUpdateSlice {
    fn name(&self) -> &'static str {
        "dynamic_update_slice"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Vec<Spec>, String> {
        let [operand, update, starts @ ..] = inputs else { unreachable!("two operands and the starts") };
        if operand.dtype != update.dtype {
            return Err("operand and update must be of one element type; convert first".into());
        }
        check_starts(operand, &update.shape, starts)?;
        Ok(vec![operand.clone()])
    }

    fn vjp(&self, context: &Vjp) -> Vec<Option<Value>> {
        let [_, update, starts @ ..] = context.inputs else { unreachable!("two operands and the starts") };
        let dy = context.cotangent();
        let doperand = context.needs[0].then(|| dy.dynamic_update_slice(&update.full_like(0.0), starts));
        let dupdate = context.needs[1].then(|| dy.dynamic_slice(starts, update.shape()));
        [doperand, dupdate].into_iter().chain(starts.iter().map(|_| None)).collect()
    }
}

impl Value {
    /// The elements with the box that begins at the scalars `starts` replaced by `update`, moved to the
    /// nearest place within where it would leave.
    ///
    /// # Panics
    /// If the element types differ, the update does not fit into the operand, or the starts are not one
    /// scalar for each axis, all `i32` or all `i64`.
    #[track_caller]
    pub fn dynamic_update_slice(&self, update: &Value, starts: &[Value]) -> Value {
        let inputs: Vec<&Value> = [self, update].into_iter().chain(starts).collect();
        Value::record_one(DynamicUpdateSlice, &inputs)
    }
}

pub(crate) fn cases() -> Vec<Case> {
    let reals = |shape| Sample::uniform(shape, -1.0, 1.0);
    let start = |high| Sample::integers([], high, DType::I32);
    let build = |x: &[Value]| vec![x[0].dynamic_update_slice(&x[1], &x[2..])];
    let inputs = |high| [reals([5, 4]), reals([2, 3]), start(high), start(high)];
    vec![
        Case::new("dynamic_update_slice", inputs(2), build),
        Case::new("dynamic_update_slice that is moved", inputs(50), build),
    ]
}
