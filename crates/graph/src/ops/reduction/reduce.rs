//! Reduction along axes.

use super::{Operation, Vjp};
use crate::conformance::{Case, Sample};
use crate::{DType, Scalar, Spec, Value};

/// How elements combine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reduction {
    /// Their sum; 0 of none.
    Sum,
    /// Their product; 1 of none.
    Product,
    /// The greatest; minus infinity (the least integer) of none. NaN if one is.
    Max,
    /// The least; infinity (the greatest integer) of none. NaN if one is.
    Min,
    /// Whether all are true; true of none.
    And,
    /// Whether any is true; false of none.
    Or,
}

impl Reduction {
    /// The result of combining no elements.
    pub fn identity(self, dtype: DType) -> Scalar {
        match self {
            Reduction::Sum | Reduction::Or => Scalar::from_f64(dtype, 0.0),
            Reduction::Product | Reduction::And => Scalar::from_f64(dtype, 1.0),
            Reduction::Max => Scalar::lowest(dtype),
            Reduction::Min => Scalar::highest(dtype),
        }
    }
}

/// Combines the elements along `axes`, which disappear from the shape. `f16` and `bf16` are summed
/// in `f32`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Reduce {
    /// How elements combine.
    pub reduction: Reduction,
    /// Along which axes, in increasing order.
    pub axes: Vec<usize>,
}

impl Operation for Reduce {
    fn name(&self) -> &'static str {
        "reduce"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Vec<Spec>, String> {
        let Spec { shape, dtype } = &inputs[0];
        if !self.axes.is_sorted_by(|a, b| a < b) || self.axes.last().is_some_and(|&axis| axis >= shape.rank()) {
            return Err(format!("axes {:?} must be distinct, increasing and less than {}", self.axes, shape.rank()));
        }
        let logical = matches!(self.reduction, Reduction::And | Reduction::Or);
        if logical != (*dtype == DType::Bool) {
            return Err(format!("{:?} is not defined for {dtype}", self.reduction));
        }
        Ok(vec![Spec::new(shape.without(&self.axes), *dtype)])
    }

    fn vjp(&self, context: &Vjp) -> Vec<Option<Value>> {
        let (x, y, dy) = (&context.inputs[0], &context.outputs[0], context.cotangent());
        let spread = |value: &Value| value.broadcast_from_reduced(x.shape(), &self.axes);
        let zero = x.full_like(0.0);
        vec![Some(match self.reduction {
            Reduction::Sum => spread(&dy),
            // Shared evenly among the elements that attain the extremum.
            Reduction::Max | Reduction::Min => {
                let attained = x.eq(&spread(y)).convert(x.dtype());
                let count = attained.reduce(Reduction::Sum, &self.axes);
                attained.mul(&spread(&dy.div(&count)))
            }
            // The product of the others: without zeros y / x; with one zero only its own is not 0.
            Reduction::Product => {
                let is_zero = x.eq(&zero);
                let others = is_zero.select(&x.full_like(1.0), x);
                let zeros = is_zero.convert(x.dtype()).reduce(Reduction::Sum, &self.axes);
                let product = spread(&others.reduce(Reduction::Product, &self.axes).mul(&dy)).div(&others);
                let zeros_elsewhere = spread(&zeros).sub(&is_zero.convert(x.dtype()));
                zeros_elsewhere.eq(&zero).select(&product, &zero)
            }
            Reduction::And | Reduction::Or => return vec![None],
        })]
    }
}

impl Value {
    /// Combines the elements along `axes`, which disappear; no axes is no operation.
    ///
    /// # Panics
    /// If `axes` are not distinct, increasing axes, or the reduction is not defined for the type.
    #[track_caller]
    pub fn reduce(&self, reduction: Reduction, axes: &[usize]) -> Value {
        if axes.is_empty() {
            return self.clone();
        }
        Value::record_one(Reduce { reduction, axes: axes.to_vec() }, &[self])
    }

    /// Repeats a value from which `axes` were reduced over `shape` again.
    #[track_caller]
    pub fn broadcast_from_reduced(&self, shape: &[usize], axes: &[usize]) -> Value {
        let kept: Vec<usize> = (0..shape.len()).filter(|axis| !axes.contains(axis)).collect();
        self.broadcast(shape, &kept)
    }
}

pub(crate) fn cases() -> Vec<Case> {
    let mut all = vec![];
    for reduction in [Reduction::Sum, Reduction::Product, Reduction::Max, Reduction::Min] {
        for axes in [vec![0], vec![1], vec![2], vec![0, 2], vec![1, 2], vec![0, 1, 2]] {
            let name = format!("reduce {reduction:?} {axes:?}");
            let build = move |x: &[Value]| vec![x[0].reduce(reduction, &axes)];
            all.push(Case::new(name, [Sample::uniform([3, 4, 5], 0.5, 1.5)], build));
        }
    }
    for reduction in [Reduction::And, Reduction::Or] {
        let build = move |x: &[Value]| vec![x[0].reduce(reduction, &[1])];
        let flags = Sample::integers([6, 3], 2, DType::Bool);
        all.push(Case::new(format!("reduce {reduction:?}"), [flags], build).not_differentiable());
    }
    all
}
