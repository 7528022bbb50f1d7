//! Operands one after another along an axis.

use super::{Operation, Vjp};
use crate::conformance::{Case, Sample};
use crate::{DType, Shape, Spec, Value};

/// The operands, one after another along `axis`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Concatenate {
    /// The axis along which they follow each other.
    pub axis: usize,
}

impl Operation for Concatenate {
    fn name(&self) -> &'static str {
        "concatenate"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Vec<Spec>, String> {
        let Some(first) = inputs.first() else { return Err("there must be at least one operand".into()) };
        if self.axis >= first.shape.rank() {
            return Err(format!("axis {} must be less than the rank {}", self.axis, first.shape.rank()));
        }
        for operand in inputs {
            if operand.dtype != first.dtype {
                return Err("element types must be equal; convert first".into());
            }
            if operand.shape.rank() != first.shape.rank()
                || operand.shape.without(&[self.axis]) != first.shape.without(&[self.axis])
            {
                return Err(format!("shapes must be equal but for axis {}", self.axis));
            }
        }
        let mut shape = first.shape.to_vec();
        shape[self.axis] = inputs.iter().map(|operand| operand.shape[self.axis]).sum();
        Ok(vec![Spec::new(shape, first.dtype)])
    }

    fn vjp(&self, context: &Vjp) -> Vec<Option<Value>> {
        let dy = context.cotangent();
        let mut end = 0;
        let part = |(operand, &needed): (&Value, &bool)| {
            let start = end;
            end += operand.shape()[self.axis];
            needed.then(|| dy.slice_axis(self.axis, start, end))
        };
        context.inputs.iter().zip(context.needs).map(part).collect()
    }
}

impl Value {
    /// The operands one after another along `axis`; of one operand no operation.
    ///
    /// # Panics
    /// If there are no operands, or they differ in element type or in another axis' size.
    #[track_caller]
    pub fn concatenate(operands: &[&Value], axis: usize) -> Value {
        match operands {
            [only] if axis < only.rank() => (*only).clone(),
            _ => Value::record_one(Concatenate { axis }, operands),
        }
    }

    /// The operands, all of one shape, along a new axis of which each is one index.
    ///
    /// # Panics
    /// If there are no operands, or they differ in shape or element type.
    #[track_caller]
    pub fn stack(operands: &[&Value], axis: usize) -> Value {
        let lifted = |operand: &&Value| {
            assert!(axis <= operand.rank(), "stack: axis {axis} must be at most the rank {}", operand.rank());
            let mut shape = operand.shape().to_vec();
            shape.insert(axis, 1);
            operand.reshape(shape)
        };
        let lifted: Vec<Value> = operands.iter().map(lifted).collect();
        Value::concatenate(&lifted.iter().collect::<Vec<_>>(), axis)
    }

    /// The elements `start..limit` along one axis, all along the others; everything is no operation.
    ///
    /// # Panics
    /// If there is no such axis, or the range leaves it.
    #[track_caller]
    pub fn slice_axis(&self, axis: usize, start: usize, limit: usize) -> Value {
        assert!(axis < self.rank(), "slice: axis {axis} must be less than the rank {}", self.rank());
        if (start, limit) == (0, self.shape()[axis]) {
            return self.clone();
        }
        let (mut first, mut last) = (vec![0; self.rank()], self.shape().to_vec());
        (first[axis], last[axis]) = (start, limit);
        self.slice(&first, &last, &vec![1; self.rank()])
    }

    /// The slice at `index` along `axis`, which disappears.
    ///
    /// # Panics
    /// If there is no such axis or index.
    #[track_caller]
    pub fn index_axis(&self, axis: usize, index: usize) -> Value {
        let slice = self.slice_axis(axis, index, index + 1);
        let shape: Shape = slice.shape().without(&[axis]);
        slice.reshape(shape)
    }
}

pub(crate) fn cases() -> Vec<Case> {
    let reals = |shape: [usize; 3]| Sample::uniform(shape, -1.0, 1.0);
    let case = |name: &str, axis: usize, shapes: [[usize; 3]; 3]| {
        Case::new(format!("concatenate {name}"), shapes.map(reals), move |x| {
            vec![Value::concatenate(&[&x[0], &x[1], &x[2]], axis)]
        })
    };
    let integers = |high| Sample::integers([2, 3], high, DType::I32);
    vec![
        case("first axis", 0, [[1, 3, 2], [4, 3, 2], [2, 3, 2]]),
        case("middle axis", 1, [[2, 1, 3], [2, 2, 3], [2, 4, 3]]),
        case("last axis", 2, [[2, 3, 1], [2, 3, 5], [2, 3, 2]]),
        case("with an empty operand", 1, [[2, 1, 3], [2, 0, 3], [2, 4, 3]]),
        Case::new("concatenate the same twice", [reals([2, 1, 2])], |x| vec![Value::concatenate(&[&x[0], &x[0]], 1)]),
        Case::new("concatenate integers", [integers(5), integers(7)], |x| vec![Value::concatenate(&[&x[0], &x[1]], 1)])
            .not_differentiable(),
        Case::new("stack", [reals([2, 1, 2]), reals([2, 1, 2])], |x| vec![Value::stack(&[&x[0], &x[1]], 1)]),
    ]
}
