//! Windows of an operand at places given as data.

use super::{Addressing, Combine, Operation, Vjp};
use crate::conformance::{Case, Sample};
use crate::{DType, Spec, Value};

/// The windows of size `window_sizes` of an operand that vectors of indices address. A window that
/// would leave the operand is moved to the nearest place within it.
///
/// Operands: the operand, the indices (`i32` or `i64`). The indices have no gradient.
///
/// # Source
/// StableHLO's `gather`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Gather {
    /// Which element of which index goes where.
    pub addressing: Addressing,
    /// The size of a window along each axis of the operand: `slice_sizes`.
    pub window_sizes: Vec<usize>,
}

impl Operation for Gather {
    fn name(&self) -> &'static str {
        "gather"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Vec<Spec>, String> {
        let [operand, indices] = inputs else { unreachable!("two operands") };
        let shape = self.addressing.windows_shape(&operand.shape, indices, &self.window_sizes)?;
        Ok(vec![Spec::new(shape, operand.dtype)])
    }

    fn vjp(&self, context: &Vjp) -> Vec<Option<Value>> {
        let [operand, indices] = context.inputs else { unreachable!("two operands") };
        // Scatter drops what it would have to move: move it beforehand.
        let last = self.addressing.last_starts(operand.shape(), indices, &self.window_sizes);
        let starts = indices.max(&indices.full_like(0.0)).min(&last);
        let zeros = operand.full_like(0.0);
        vec![Some(zeros.scatter(&starts, &context.cotangent(), Combine::Add, self.addressing.clone())), None]
    }
}

impl Value {
    /// The windows of size `window_sizes` that `indices` address; see [`Gather`] and [`Addressing`].
    ///
    /// # Panics
    /// If `addressing` does not fit the shapes, or the indices are not `i32` or `i64`.
    #[track_caller]
    pub fn gather(&self, indices: &Value, addressing: Addressing, window_sizes: &[usize]) -> Value {
        Value::record_one(Gather { addressing, window_sizes: window_sizes.to_vec() }, &[self, indices])
    }

    /// The slices at `indices` along `axis`: `y[a.., i.., b..] = x[a.., indices[i..], b..]`, the look-up
    /// in a table of embeddings where `axis` is 0. Indices below the first or beyond the last mean the
    /// first or the last.
    ///
    /// # Panics
    /// If there is no such axis, or it has no elements, or the indices are not `i32` or `i64`.
    #[track_caller]
    pub fn take(&self, axis: usize, indices: &Value) -> Value {
        assert!(axis < self.rank(), "take: axis {axis} must be less than the rank of {}", self.spec());
        let mut sizes = self.shape().to_vec();
        sizes[axis] = 1;
        self.gather(indices, Addressing::slices(axis, self.rank(), indices.rank()), &sizes)
    }

    /// The elements at `indices` along `axis`: `y[a.., i, b..] = x[a.., indices[a.., i, b..], b..]`.
    /// Indices below the first or beyond the last mean the first or the last.
    ///
    /// # Panics
    /// If the shapes differ in another axis than `axis`, or the indices are not `i32` or `i64`.
    #[track_caller]
    pub fn take_along_axis(&self, axis: usize, indices: &Value) -> Value {
        assert!(axis < self.rank(), "take_along_axis: axis {axis} must be less than the rank of {}", self.spec());
        self.gather(indices, Addressing::elements(axis, self.rank()), &vec![1; self.rank()])
    }
}

pub(crate) fn cases() -> Vec<Case> {
    let reals = |shape: &[usize]| Sample::uniform(shape, -1.0, 1.0);
    let indices = |shape: &[usize], high| Sample::integers(shape, high, DType::I64);
    let take = |name: &str, axis: usize, operand: &[usize], at: &[usize]| {
        let inputs = [reals(operand), indices(at, operand[axis] as i64)];
        Case::new(format!("take {name}"), inputs, move |x| vec![x[0].take(axis, &x[1])])
    };
    let along = |name: &str, axis: usize, operand: &[usize], at: &[usize]| {
        let inputs = [reals(operand), indices(at, operand[axis] as i64)];
        Case::new(format!("take_along_axis {name}"), inputs, move |x| vec![x[0].take_along_axis(axis, &x[1])])
    };
    let windows = Addressing {
        window_axes: vec![0, 2],
        collapsed_axes: vec![1],
        index_map: vec![2, 0],
        index_vector_axis: 1,
        ..Addressing::default()
    };
    let batched = Addressing {
        window_axes: vec![2],
        collapsed_axes: vec![1],
        operand_batch_axes: vec![0],
        indices_batch_axes: vec![1],
        index_map: vec![1],
        index_vector_axis: 2,
    };
    vec![
        take("rows", 0, &[5, 3], &[4]),
        take("rows at a matrix of indices", 0, &[5, 3], &[2, 3]),
        take("columns", 1, &[2, 4, 3], &[5]),
        take("elements", 0, &[6], &[2, 2]),
        take("at a scalar", 1, &[3, 4], &[]),
        take("nothing", 0, &[3, 4], &[0]),
        along("last", 1, &[3, 4], &[3, 2]),
        along("middle", 1, &[2, 5, 3], &[2, 4, 3]),
        // Starts up to 5 leave the operand: windows are moved.
        Case::new("gather windows that are moved", [reals(&[4, 3, 5]), indices(&[6, 2], 6)], move |x| {
            vec![x[0].gather(&x[1].sub(&x[1].full_like(1.0)), windows.clone(), &[2, 1, 3])]
        }),
        Case::new("gather batched", [reals(&[3, 4, 2]), indices(&[2, 3], 4)], move |x| {
            vec![x[0].gather(&x[1].convert(DType::I32), batched.clone(), &[1, 1, 2])]
        }),
    ]
}
