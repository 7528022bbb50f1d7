//! Operations whose places are data: gathering, scattering, sorting.

pub mod dynamic_slice;
pub mod dynamic_update_slice;
pub mod gather;
pub mod scatter;
pub mod sort;
pub mod top_k;

pub use dynamic_slice::DynamicSlice;
pub use dynamic_update_slice::DynamicUpdateSlice;
pub use gather::Gather;
pub use scatter::{Combine, Scatter};
pub use sort::Sort;
pub use top_k::TopK;

use super::reduction::Reduction;
use super::{Operation, Vjp};
use crate::{DType, Scalar, Shape, Spec, Value};

/// How vectors of indices address windows of an operand: StableHLO's dimension numbers of gather and,
/// in brackets, of scatter. "Windows" stands for gather's result and for scatter's updates.
///
/// The axes of the windows that are not `window_axes` are the batch axes: in order, the axes of the
/// indices but `index_vector_axis`. Each combination of batch indices has one index vector, and one
/// window, which begins in the operand at `index_vector[i]` along axis `index_map[i]`, at the batch
/// index along each of `operand_batch_axes`, and at 0 along the others.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct Addressing {
    /// Axes of the windows that run within one window, increasing: `offset_dims` (`update_window_dims`).
    pub window_axes: Vec<usize>,
    /// Axes of the operand along which windows have size 1, and no axis, increasing:
    /// `collapsed_slice_dims` (`inserted_window_dims`).
    pub collapsed_axes: Vec<usize>,
    /// Axes of the operand that go along with batch axes, increasing: `operand_batching_dims`
    /// (`input_batching_dims`).
    pub operand_batch_axes: Vec<usize>,
    /// The axes of the indices with which they go: `start_indices_batching_dims`
    /// (`scatter_indices_batching_dims`).
    pub indices_batch_axes: Vec<usize>,
    /// Which axis of the operand each element of an index vector is for: `start_index_map`
    /// (`scatter_dims_to_operand_dims`).
    pub index_map: Vec<usize>,
    /// The axis of the indices that runs within an index vector; their rank where index vectors are
    /// single indices and have no axis: `index_vector_dim`.
    pub index_vector_axis: usize,
}

impl Addressing {
    /// Single indices along `axis`, each of a whole slice of the operand; the windows' axes are the
    /// operand's with those of the indices in the place of `axis`.
    pub fn slices(axis: usize, operand_rank: usize, indices_rank: usize) -> Addressing {
        let after = axis + indices_rank..operand_rank + indices_rank - 1;
        Addressing {
            window_axes: (0..axis).chain(after).collect(),
            collapsed_axes: vec![axis],
            index_map: vec![axis],
            index_vector_axis: indices_rank,
            ..Addressing::default()
        }
    }

    /// Single indices along `axis`, each of one element of the operand, whose other indices are those
    /// of the index itself.
    pub fn elements(axis: usize, rank: usize) -> Addressing {
        let others: Vec<usize> = (0..rank).filter(|&other| other != axis).collect();
        Addressing {
            collapsed_axes: vec![axis],
            operand_batch_axes: others.clone(),
            indices_batch_axes: others,
            index_map: vec![axis],
            index_vector_axis: rank,
            ..Addressing::default()
        }
    }

    /// The number of axes of the windows.
    pub fn windows_rank(&self, indices_rank: usize) -> usize {
        self.window_axes.len() + indices_rank - usize::from(self.index_vector_axis < indices_rank)
    }

    /// The axes of the windows that are batch axes.
    pub fn batch_axes(&self, indices_rank: usize) -> Vec<usize> {
        (0..self.windows_rank(indices_rank)).filter(|axis| !self.window_axes.contains(axis)).collect()
    }

    /// The axes of the operand that have an axis among `window_axes`, in their order.
    pub fn offset_axes(&self, operand_rank: usize) -> Vec<usize> {
        let is_gone = |axis: &usize| self.collapsed_axes.contains(axis) || self.operand_batch_axes.contains(axis);
        (0..operand_rank).filter(|axis| !is_gone(axis)).collect()
    }

    /// The sizes along the operand's axes of windows that together have shape `windows`.
    pub fn window_sizes(&self, operand_rank: usize, windows: &[usize]) -> Vec<usize> {
        let mut sizes = vec![1; operand_rank];
        for (axis, from) in self.offset_axes(operand_rank).into_iter().zip(&self.window_axes) {
            sizes[axis] = windows.get(*from).copied().unwrap_or(1);
        }
        sizes
    }

    /// The shape of the windows, or the rule that is broken.
    fn windows_shape(&self, operand: &Shape, indices: &Spec, sizes: &[usize]) -> Result<Shape, String> {
        let is_axes = |axes: &[usize], rank: usize| {
            axes.is_sorted_by(|a, b| a < b) && axes.last().is_none_or(|&axis| axis < rank)
        };
        let is_distinct = |axes: &[usize], rank: usize| {
            let mut sorted = axes.to_vec();
            sorted.sort_unstable();
            is_axes(&sorted, rank)
        };
        let (rank, indices_rank) = (operand.rank(), indices.shape.rank());
        if !matches!(indices.dtype, DType::I32 | DType::I64) {
            return Err("indices must be i32 or i64".into());
        }
        if self.index_vector_axis > indices_rank {
            return Err(format!("index_vector_axis {} must be at most {indices_rank}", self.index_vector_axis));
        }
        let length = indices.shape.get(self.index_vector_axis).copied().unwrap_or(1);
        if self.index_map.len() != length || !is_distinct(&self.index_map, rank) {
            return Err(format!("index_map {:?} must name {length} distinct axes of the operand", self.index_map));
        }
        let gone = [&self.collapsed_axes[..], &self.operand_batch_axes].concat();
        if !is_axes(&self.collapsed_axes, rank) || !is_axes(&self.operand_batch_axes, rank) || !is_distinct(&gone, rank)
        {
            return Err("collapsed_axes and operand_batch_axes must be increasing, distinct axes of the operand".into());
        }
        if self.operand_batch_axes.iter().any(|axis| self.index_map.contains(axis)) {
            return Err("operand_batch_axes must not be in index_map".into());
        }
        let batches = self.operand_batch_axes.iter().map(|&axis| Some(&operand[axis]));
        let is_vector = self.indices_batch_axes.contains(&self.index_vector_axis);
        if is_vector
            || !is_distinct(&self.indices_batch_axes, indices_rank)
            || !self.indices_batch_axes.iter().map(|&axis| indices.shape.get(axis)).eq(batches)
        {
            return Err("indices_batch_axes must be distinct, of the sizes of operand_batch_axes".into());
        }
        if sizes.len() != rank || sizes.iter().zip(operand.iter()).any(|(size, of)| size > of) {
            return Err(format!("window sizes {sizes:?} must be at most the operand's {operand}"));
        }
        if gone.iter().any(|&axis| sizes[axis] != 1) {
            return Err(format!("windows {sizes:?} must have size 1 along collapsed and batch axes {gone:?}"));
        }
        let offset_axes = self.offset_axes(rank);
        let windows_rank = self.windows_rank(indices_rank);
        if self.window_axes.len() != offset_axes.len() || !is_axes(&self.window_axes, windows_rank) {
            let count = offset_axes.len();
            return Err(format!("window_axes must be {count} increasing axes less than {windows_rank}"));
        }
        let mut batch = (0..indices_rank).filter(|&axis| axis != self.index_vector_axis);
        let mut offsets = offset_axes.into_iter();
        let size = |axis: usize| match self.window_axes.contains(&axis) {
            true => sizes[offsets.next().expect("as many as window_axes")],
            false => indices.shape[batch.next().expect("the other axes")],
        };
        Ok((0..windows_rank).map(size).collect())
    }

    /// The greatest start along each axis of an index vector, over the shape of the indices.
    fn last_starts(&self, operand: &[usize], indices: &Value, sizes: &[usize]) -> Value {
        let last = self.index_map.iter().map(|&axis| (operand[axis] - sizes[axis]) as i64);
        let scalar = |last| Scalar::from_i64(indices.dtype(), last);
        let starts: Vec<Value> = last.map(|last| Value::constant(scalar(last), [1])).collect();
        if starts.is_empty() {
            return indices.clone();
        }
        let starts = Value::concatenate(&starts.iter().collect::<Vec<_>>(), 0);
        if self.index_vector_axis == indices.rank() {
            return starts.reshape([]).broadcast(indices.shape(), &[]);
        }
        starts.broadcast(indices.shape(), &[self.index_vector_axis])
    }

    /// Whether each window lies within the operand, over the shape of the windows.
    fn is_inside(&self, operand: &[usize], indices: &Value, windows: &[usize]) -> Value {
        let sizes = self.window_sizes(operand.len(), windows);
        let last = self.last_starts(operand, indices, &sizes);
        let mut inside = indices.ge(&indices.full_like(0.0)).and(&indices.le(&last));
        if self.index_vector_axis < indices.rank() {
            inside = inside.reduce(Reduction::And, &[self.index_vector_axis]);
        }
        inside.broadcast(windows, &self.batch_axes(indices.rank()))
    }
}
