//! A box of elements at a place given as data.

use super::{Operation, Vjp};
use crate::conformance::{Case, Sample};
use crate::{DType, Spec, Value};

/// The box of size `sizes` of an operand that begins at given indices, moved to the nearest place
/// within the operand where it would leave it.
///
/// Operands: the operand, then for each of its axes a scalar index, all `i32` or all `i64`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DynamicSlice {
    /// The size of the box along each axis.
    pub sizes: Vec<usize>,
}

/// The rule of the starts of both dynamic slices.
pub(super) fn check_starts(operand: &Spec, sizes: &[usize], starts: &[Spec]) -> Result<(), String> {
    let rank = operand.shape.rank();
    if sizes.len() != rank || sizes.iter().zip(operand.shape.iter()).any(|(size, of)| size > of) {
        return Err(format!("a box of sizes {sizes:?} must fit into the operand's {}", operand.shape));
    }
    let is_index = |start: &Spec| start.shape.rank() == 0 && matches!(start.dtype, DType::I32 | DType::I64);
    if starts.len() != rank || !starts.iter().all(is_index) || starts.iter().any(|s| s.dtype != starts[0].dtype) {
        return Err(format!("there must be {rank} scalar starts, all i32 or all i64"));
    }
    Ok(())
}

impl Operation for DynamicSlice {
    fn name(&self) -> &'static str {
        "dynamic_slice"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Vec<Spec>, String> {
        check_starts(&inputs[0], &self.sizes, &inputs[1..])?;
        Ok(vec![Spec::new(&self.sizes[..], inputs[0].dtype)])
    }

    fn vjp(&self, context: &Vjp) -> Vec<Option<Value>> {
        let (operand, starts) = (&context.inputs[0], &context.inputs[1..]);
        let product = operand.full_like(0.0).dynamic_update_slice(&context.cotangent(), starts);
        [Some(product)].into_iter().chain(starts.iter().map(|_| None)).collect()
    }
}

impl Value {
    /// The box of size `sizes` that begins at the scalars `starts`, moved to the nearest place within
    /// where it would leave the operand.
    ///
    /// # Panics
    /// If there is not one size and one start for each axis, a size exceeds the axis, or the starts are
    /// not scalars, all `i32` or all `i64`.
    #[track_caller]
    pub fn dynamic_slice(&self, starts: &[Value], sizes: &[usize]) -> Value {
        let inputs: Vec<&Value> = [self].into_iter().chain(starts).collect();
        Value::record_one(DynamicSlice { sizes: sizes.to_vec() }, &inputs)
    }
}

pub(crate) fn cases() -> Vec<Case> {
    let start = |high| Sample::integers([], high, DType::I64);
    let build = |x: &[Value]| vec![x[0].dynamic_slice(&x[1..], &[2, 3])];
    let inputs = [Sample::uniform([5, 4], -1.0, 1.0), start(4), start(2)];
    let beyond = [Sample::uniform([5, 4], -1.0, 1.0), start(50), start(50)];
    vec![Case::new("dynamic_slice", inputs, build), Case::new("dynamic_slice that is moved", beyond, build)]
}
