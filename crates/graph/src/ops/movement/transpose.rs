//! Permutation of axes.

use super::{Operation, Vjp};
use crate::conformance::{Case, Sample};
use crate::{Spec, Value};

/// Axis `i` of the result is axis `permutation[i]` of the operand.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Transpose {
    /// Which of the operand's axes stands where.
    pub permutation: Vec<usize>,
}

impl Operation for Transpose {
    fn name(&self) -> &'static str {
        "transpose"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Vec<Spec>, String> {
        let mut sorted = self.permutation.clone();
        sorted.sort_unstable();
        if !sorted.iter().copied().eq(0..inputs[0].shape.rank()) {
            return Err(format!("{:?} must name each axis once", self.permutation));
        }
        let shape: Vec<usize> = self.permutation.iter().map(|&axis| inputs[0].shape[axis]).collect();
        Ok(vec![Spec::new(shape, inputs[0].dtype)])
    }

    fn vjp(&self, context: &Vjp) -> Vec<Option<Value>> {
        let mut inverse = vec![0; self.permutation.len()];
        for (to, &from) in self.permutation.iter().enumerate() {
            inverse[from] = to;
        }
        vec![Some(context.cotangent().transpose(&inverse))]
    }
}

impl Value {
    /// Axes in another order: axis `i` of the result is axis `permutation[i]`. The same order is no
    /// operation.
    ///
    /// # Panics
    /// If `permutation` does not name each axis once.
    #[track_caller]
    pub fn transpose(&self, permutation: &[usize]) -> Value {
        if permutation.iter().copied().eq(0..self.rank()) {
            return self.clone();
        }
        Value::record_one(Transpose { permutation: permutation.to_vec() }, &[self])
    }
}

pub(crate) fn cases() -> Vec<Case> {
    vec![Case::new("transpose", [Sample::uniform([2, 3, 4], -1.0, 1.0)], |x| vec![x[0].transpose(&[2, 0, 1])])]
}
