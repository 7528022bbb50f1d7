//! Updates of an operand at places given as data.

use super::{Addressing, Operation, Vjp};
use crate::conformance::{Case, Sample};
use crate::{DType, Spec, Value};

/// How an update combines with the element that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Combine {
    /// It replaces the element.
    Replace,
    /// Their sum.
    Add,
    /// Their product.
    Mul,
    /// The lesser, NaN if one is.
    Min,
    /// The greater, NaN if one is.
    Max,
}

/// The operand with windows of updates combined into the places that vectors of indices address, one
/// after the other in row-major order of the updates, so that sums have the same bits always and the
/// last of several replacements stands; on GPUs neither is so. A window that does not lie wholly within the operand is
/// dropped.
///
/// Operands: the operand, the indices (`i32` or `i64`), the updates. The indices have no gradient.
/// [`Combine::Add`] and [`Combine::Replace`] have a gradient, `Replace` an exact one where no place is
/// addressed twice: the gradient of an update that was overwritten by a later one is not 0, as it should
/// be, but that of the later one.
///
/// # Source
/// StableHLO's `scatter`, which drops single elements where a window lies partly within; XLA drops
/// the window on every device, and so does this.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Scatter {
    /// How updates combine with what is there.
    pub combine: Combine,
    /// Which element of which index goes where.
    pub addressing: Addressing,
}

impl Operation for Scatter {
    fn name(&self) -> &'static str {
        "scatter"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Vec<Spec>, String> {
        let [operand, indices, updates] = inputs else { unreachable!("three operands") };
        if operand.dtype != updates.dtype {
            return Err("operand and updates must be of one element type; convert first".into());
        }
        if operand.dtype == DType::Bool && self.combine != Combine::Replace {
            return Err(format!("{:?} is not defined for bool", self.combine));
        }
        let sizes = self.addressing.window_sizes(operand.shape.rank(), &updates.shape);
        let expected = self.addressing.windows_shape(&operand.shape, indices, &sizes)?;
        if updates.shape != expected {
            return Err(format!("updates must have shape {expected}"));
        }
        Ok(vec![operand.clone()])
    }

    fn vjp(&self, context: &Vjp) -> Vec<Option<Value>> {
        let [operand, indices, updates] = context.inputs else { unreachable!("three operands") };
        let dy = context.cotangent();
        let doperand = match self.combine {
            Combine::Add => dy.clone(),
            Combine::Replace => dy.scatter(indices, &updates.full_like(0.0), Combine::Replace, self.addressing.clone()),
            combine => panic!("scatter: {combine:?} has no gradient; Add and Replace have one"),
        };
        let dupdates = context.needs[2].then(|| {
            let sizes = self.addressing.window_sizes(operand.rank(), updates.shape());
            let windows = dy.gather(indices, self.addressing.clone(), &sizes);
            // Gather moves what scatter dropped.
            let inside = self.addressing.is_inside(operand.shape(), indices, updates.shape());
            inside.select(&windows, &windows.full_like(0.0))
        });
        vec![Some(doperand), None, dupdates]
    }
}

impl Value {
    /// Combines `updates` into the places that `indices` address; see [`Scatter`] and [`Addressing`].
    ///
    /// # Panics
    /// If `addressing` does not fit the shapes, the element types of operand and updates differ, or the
    /// indices are not `i32` or `i64`.
    #[track_caller]
    pub fn scatter(&self, indices: &Value, updates: &Value, combine: Combine, addressing: Addressing) -> Value {
        Value::record_one(Scatter { combine, addressing }, &[self, indices, updates])
    }
}

pub(crate) fn cases() -> Vec<Case> {
    let reals = |shape: &[usize]| Sample::uniform(shape, 0.5, 1.5);
    let indices = |shape: &[usize], high| Sample::integers(shape, high, DType::I64);
    let rows = |name: &str, combine: Combine| {
        // Index 5 is beyond the operand: dropped.
        let inputs = [reals(&[5, 3]), indices(&[2, 4], 6), reals(&[2, 4, 3])];
        let addressing = Addressing::slices(0, 2, 2);
        Case::new(format!("scatter {name} rows"), inputs, move |x| {
            vec![x[0].scatter(&x[1], &x[2], combine, addressing.clone())]
        })
    };
    let windows = Addressing {
        window_axes: vec![0, 2],
        collapsed_axes: vec![1],
        index_map: vec![2, 0],
        index_vector_axis: 1,
        ..Addressing::default()
    };
    let elements = |x: &[Value]| vec![x[0].scatter(&x[1], &x[2], Combine::Add, Addressing::elements(1, 3))];
    // A permutation of rows addresses no place twice.
    let permutation = |x: &[Value]| {
        let order = x[1].sort(0, false).1;
        vec![x[0].scatter(&order, &x[2], Combine::Replace, Addressing::slices(0, 2, 1))]
    };
    vec![
        rows("add", Combine::Add),
        rows("replace, some twice,", Combine::Replace).not_differentiable(),
        rows("mul", Combine::Mul).not_differentiable(),
        rows("min", Combine::Min).not_differentiable(),
        rows("max", Combine::Max).not_differentiable(),
        Case::new("scatter replace", [reals(&[5, 3]), indices(&[4], 100), reals(&[4, 3])], permutation),
        Case::new("scatter elements", [reals(&[2, 3, 2]), indices(&[2, 5, 2], 3), reals(&[2, 5, 2])], elements),
        Case::new("scatter windows", [reals(&[4, 3, 5]), indices(&[6, 2], 5), reals(&[2, 6, 3])], move |x| {
            vec![x[0].scatter(&x[1].sub(&x[1].full_like(1.0)), &x[2], Combine::Add, windows.clone())]
        }),
    ]
}
