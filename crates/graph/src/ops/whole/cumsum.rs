//! Sums of all elements up to each.

use super::{Operation, Vjp};
use crate::conformance::{Case, Sample};
use crate::{DType, Spec, Value};

/// `y[i] = x[0] + … + x[i]` along an axis; from the last element backwards, `y[i] = x[i] + … + x[n - 1]`, if
/// `reverse`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Cumsum {
    /// The axis to sum along.
    pub axis: usize,
    /// Whether sums begin with the last element.
    pub reverse: bool,
}

impl Operation for Cumsum {
    fn name(&self) -> &'static str {
        "cumsum"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Vec<Spec>, String> {
        let x = &inputs[0];
        if x.dtype == DType::Bool {
            return Err("sums are not defined for bool; convert first".into());
        }
        if self.axis >= x.shape.rank() {
            return Err(format!("axis {} must be less than the rank, {}", self.axis, x.shape.rank()));
        }
        Ok(vec![x.clone()])
    }

    fn vjp(&self, context: &Vjp) -> Vec<Option<Value>> {
        vec![Some(context.cotangent().cumsum(self.axis, !self.reverse))]
    }

    /// Each round adds the sum of as many elements again: log2 of the size rounds.
    fn decompose(&self, inputs: &[Value]) -> Option<Vec<Value>> {
        let mut sums = inputs[0].clone();
        let interior = vec![0; sums.rank()];
        let mut distance = 1i64;
        while distance < sums.shape()[self.axis] as i64 {
            let (mut low, mut high) = (vec![0; sums.rank()], vec![0; sums.rank()]);
            let shift = if self.reverse { -distance } else { distance };
            (low[self.axis], high[self.axis]) = (shift, -shift);
            sums = sums.add(&sums.pad(&sums.zero(), &low, &high, &interior));
            distance *= 2;
        }
        Some(vec![sums])
    }
}

impl Value {
    /// The sums of all elements up to each along `axis`, or from each to the last if `reverse`; see [`Cumsum`].
    ///
    /// # Panics
    /// If there is no such axis, or the elements are `bool`.
    #[track_caller]
    pub fn cumsum(&self, axis: usize, reverse: bool) -> Value {
        Value::record_one(Cumsum { axis, reverse }, &[self])
    }
}

pub(crate) fn cases() -> Vec<Case> {
    let case = |shape: &[usize], axis: usize, reverse: bool| {
        let inputs = [Sample::uniform(shape, -1.0, 1.0)];
        let name = format!("cumsum {shape:?} along {axis}, reverse {reverse}");
        Case::new(name, inputs, move |x| vec![x[0].cumsum(axis, reverse)])
    };
    vec![
        case(&[3, 7], 1, false),
        case(&[3, 7], 1, true),
        case(&[5, 3], 0, false),
        case(&[2, 4, 3], 1, true),
        case(&[2, 1], 1, false),
        case(&[3, 0], 1, false),
        case(&[0, 3], 1, true),
        case(&[37], 0, false),
    ]
}
