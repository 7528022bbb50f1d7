//! Padding at the edges and between elements.

use super::{Operation, Vjp};
use crate::conformance::{Case, Sample};
use crate::ops::reduction::Reduction;
use crate::{Op, Scalar, Shape, Spec, Value};

/// Along each axis `low` padding elements, the operand's with `interior` padding elements between
/// neighbours, then `high`; negative `low` and `high` remove elements.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Pad {
    /// Before the first element.
    pub low: Vec<i64>,
    /// After the last element.
    pub high: Vec<i64>,
    /// Between neighbours.
    pub interior: Vec<usize>,
}

impl Operation for Pad {
    fn name(&self) -> &'static str {
        "pad"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Vec<Spec>, String> {
        let [operand, padding] = inputs else { unreachable!("two operands") };
        let rank = operand.shape.rank();
        if self.low.len() != rank || self.high.len() != rank || self.interior.len() != rank {
            return Err(format!("low, high and interior must each have {rank} numbers"));
        }
        if padding.shape.rank() != 0 || padding.dtype != operand.dtype {
            return Err(format!("the padding element must be a scalar of type {}", operand.dtype));
        }
        let mut shape = vec![];
        for (axis, &size) in operand.shape.iter().enumerate() {
            let spread = size as i64 + size.saturating_sub(1) as i64 * self.interior[axis] as i64;
            let padded = spread + self.low[axis] + self.high[axis];
            shape.push(usize::try_from(padded).map_err(|_| format!("axis {axis}: more is removed than there is"))?);
        }
        Ok(vec![Spec::new(shape, operand.dtype)])
    }

    fn vjp(&self, context: &Vjp) -> Vec<Option<Value>> {
        let (from, dy) = (context.inputs[0].shape(), context.cotangent());
        // Undo the edges, then pick the elements between which padding was put.
        let none = vec![0; from.rank()];
        let opposite = |list: &[i64]| list.iter().map(|n| -n).collect::<Vec<_>>();
        let inner = dy.pad(&dy.zero(), &opposite(&self.low), &opposite(&self.high), &none);
        let step: Vec<usize> = self.interior.iter().map(|n| n + 1).collect();
        let operand = inner.slice(&none, inner.shape(), &step);
        let all: Vec<usize> = (0..from.rank()).collect();
        let padding = context.needs[1].then(|| {
            let total = dy.reduce(Reduction::Sum, &all);
            total.sub(&operand.reduce(Reduction::Sum, &all))
        });
        vec![Some(operand), padding]
    }
}

impl Value {
    /// Pads with the scalar `padding`: `low` elements before, `interior` between neighbours, `high`
    /// after, along each axis; negative `low` and `high` remove elements.
    ///
    /// # Panics
    /// If the lists do not have a number for each axis, or more is removed than there is.
    #[track_caller]
    pub fn pad(&self, padding: &Value, low: &[i64], high: &[i64], interior: &[usize]) -> Value {
        if low.iter().chain(high).all(|&n| n == 0) && interior.iter().all(|&n| n == 0) {
            return self.clone();
        }
        let op = Pad { low: low.to_vec(), high: high.to_vec(), interior: interior.to_vec() };
        Value::record_one(op, &[self, padding])
    }

    /// A scalar zero of the same element type.
    pub fn zero(&self) -> Value {
        Value::constant(Scalar::from_f64(self.dtype(), 0.0), Shape::scalar())
    }
}

/// The sum of a value and another where that moves elements only: both are parts of an axis, padded with zeros,
/// that follow one another, as the gradients of neighbouring slices are.
pub(crate) fn join(left: &Value, right: &Value) -> Option<Value> {
    let (Op::Pad(first), Op::Pad(second)) = (left.op(), right.op()) else { return None };
    let rank = left.rank();
    let plain = |pad: &Pad| pad.interior.iter().all(|&n| n == 0) && pad.low.iter().chain(&pad.high).all(|&n| n >= 0);
    let is_zero = |value: &Value| matches!(value.inputs()[1].op(), Op::Constant(it) if it.scalar.to_f64() == 0.0);
    let mut padded = (0..rank).filter(|&axis| [first, second].iter().any(|pad| pad.low[axis] + pad.high[axis] != 0));
    let axis = padded.next().filter(|_| padded.next().is_none())?;
    if ![first, second].into_iter().all(plain) || ![left, right].into_iter().all(is_zero) {
        return None;
    }
    let end = |pad: &Pad, value: &Value| pad.low[axis] + value.inputs()[0].shape()[axis] as i64;
    if second.low[axis] < first.low[axis] {
        return join(right, left);
    }
    (end(first, left) == second.low[axis]).then(|| {
        let parts = [left, right].map(|value| match value.inputs()[0].op() {
            Op::Concatenate(op) if op.axis == axis => value.inputs()[0].inputs(),
            _ => &value.inputs()[..1],
        });
        let joined = Value::concatenate(&parts.concat().iter().collect::<Vec<_>>(), axis);
        joined.pad(&joined.zero(), &first.low, &second.high, &first.interior)
    })
}

pub(crate) fn cases() -> Vec<Case> {
    let inputs = [Sample::uniform([3, 4], -1.0, 1.0), Sample::uniform([], 2.0, 3.0)];
    vec![
        Case::new("pad", inputs.clone(), |x| vec![x[0].pad(&x[1], &[1, 0], &[0, 2], &[0, 1])]),
        Case::new("pad by less than nothing", inputs, |x| vec![x[0].pad(&x[1], &[-1, 1], &[0, -2], &[1, 0])]),
    ]
}
