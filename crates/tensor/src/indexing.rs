//! Operations whose places are data: taking, scattering, sorting.

use gyrus_graph::ops::indexing::{Addressing, Combine};
use gyrus_graph::{DType, Value};

use crate::Tensor;
use crate::axes::resolve_axis;

impl Tensor {
    /// The slices at `indices` along `axis`, `y[a.., i.., b..] = x[a.., indices[i..], b..]`: NumPy's `take`,
    /// PyTorch's `index_select`, and the look-up in a table of embeddings where `axis` is 0. Indices below
    /// the first or beyond the last mean the first or the last.
    ///
    /// # Panics
    /// If there is no such axis, it has no elements to take, or the indices are not integers.
    ///
    /// ```
    /// use gyrus_tensor::Tensor;
    ///
    /// let table = Tensor::from([[1.0, 2.0], [3.0, 4.0]]);
    /// let rows = table.take(0, &Tensor::from([1, 0, 1]));
    /// assert_eq!(rows.to_vec::<f64>(), [3.0, 4.0, 1.0, 2.0, 3.0, 4.0]);
    /// ```
    #[track_caller]
    pub fn take(&self, axis: isize, indices: &Tensor) -> Tensor {
        let axis = resolve_axis("take", axis, self.shape());
        let indices = indices.to_indices("take");
        let taken = [&self.shape()[..axis], indices.shape(), &self.shape()[axis + 1..]].concat();
        if taken.contains(&0) {
            return Tensor::zeros(taken, self.dtype());
        }
        assert!(self.shape()[axis] > 0, "take: axis {axis} of shape {}: must have elements", self.shape());
        self.value().take(axis, &indices).into()
    }

    /// The elements at `indices` along `axis`, `y[a.., i, b..] = x[a.., indices[a.., i, b..], b..]`: PyTorch's
    /// `gather`. Indices below the first or beyond the last mean the first or the last.
    ///
    /// # Panics
    /// If the shapes differ in another axis than `axis`, it has no elements to take, or the indices are not
    /// integers.
    #[track_caller]
    pub fn take_along_axis(&self, axis: isize, indices: &Tensor) -> Tensor {
        let axis = resolve_axis("take_along_axis", axis, self.shape());
        self.assert_equal_but("take_along_axis", axis, indices);
        let indices = indices.to_indices("take_along_axis");
        if indices.shape().contains(&0) {
            return Tensor::zeros(indices.shape(), self.dtype());
        }
        assert!(self.shape()[axis] > 0, "take_along_axis: axis {axis} of shape {}: must have elements", self.shape());
        self.value().take_along_axis(axis, &indices).into()
    }

    /// Adds each element of `updates` to the one at its index along `axis`,
    /// `y[a.., indices[a.., i, b..], b..] += updates[a.., i, b..]`, one after the other. Updates whose index
    /// is none of the axis are dropped.
    ///
    /// # Panics
    /// If indices and updates differ in shape, they and this tensor differ in another axis than `axis`, or
    /// the indices are not integers.
    ///
    /// ```
    /// use gyrus_tensor::Tensor;
    ///
    /// let counts = Tensor::from([0, 0, 0]).scatter_add(0, &Tensor::from([2, 0, 2]), &Tensor::from([1, 1, 1]));
    /// assert_eq!(counts.to_vec::<i32>(), [1, 0, 2]);
    /// ```
    #[track_caller]
    pub fn scatter_add(&self, axis: isize, indices: &Tensor, updates: &Tensor) -> Tensor {
        let axis = resolve_axis("scatter_add", axis, self.shape());
        self.assert_equal_but("scatter_add", axis, indices);
        assert!(
            indices.shape() == updates.shape(),
            "scatter_add: indices {} and updates {}: must have one index for each update",
            indices.shape(),
            updates.shape()
        );
        self.add_at("scatter_add", indices, updates, Addressing::elements(axis, self.rank()))
    }

    /// Adds slices of `updates` to those at `indices` along `axis`, the reverse of [`Tensor::take`]:
    /// `y[a.., indices[i..], b..] += updates[a.., i.., b..]`, one after the other. Updates whose index is
    /// none of the axis are dropped.
    ///
    /// # Panics
    /// If the updates do not have the shape that taking at these indices has, or the indices are not
    /// integers.
    #[track_caller]
    pub fn index_add(&self, axis: isize, indices: &Tensor, updates: &Tensor) -> Tensor {
        let axis = resolve_axis("index_add", axis, self.shape());
        let shape = [&self.shape()[..axis], indices.shape(), &self.shape()[axis + 1..]].concat();
        assert!(
            updates.shape()[..] == shape[..],
            "index_add: {} along axis {axis} at indices {} by updates {}: updates must have shape {shape:?}",
            self.shape(),
            indices.shape(),
            updates.shape()
        );
        self.add_at("index_add", indices, updates, Addressing::slices(axis, self.rank(), indices.rank()))
    }

    #[track_caller]
    fn add_at(&self, operation: &str, indices: &Tensor, updates: &Tensor, addressing: Addressing) -> Tensor {
        let dtype = self.dtype().promote(updates.dtype());
        let (operand, updates) = (self.value().convert(dtype), updates.value().convert(dtype));
        let indices = indices.to_indices(operation);
        if updates.shape().contains(&0) || operand.shape().contains(&0) {
            return operand.into();
        }
        operand.scatter(&indices, &updates, Combine::Add, addressing).into()
    }

    /// The elements in order along `axis`, the least first unless `descending`, NaN last, equal ones in the
    /// order in which they stood; and the positions, of type `i64`, from which they came.
    ///
    /// # Panics
    /// If there is no such axis.
    #[track_caller]
    pub fn sort(&self, axis: isize, descending: bool) -> (Tensor, Tensor) {
        let (sorted, positions) = self.value().sort(resolve_axis("sort", axis, self.shape()), descending);
        (sorted.into(), positions.into())
    }

    /// The `k` greatest elements along `axis`, the greatest first, NaN last; and the positions, of type
    /// `i64`, at which they stood.
    ///
    /// # Panics
    /// If there is no such axis, or it has fewer than `k` elements.
    #[track_caller]
    pub fn top_k(&self, k: usize, axis: isize) -> (Tensor, Tensor) {
        let axis = resolve_axis("top_k", axis, self.shape());
        let size = self.shape()[axis];
        assert!(k <= size, "top_k: {k} along axis {axis} of shape {}: must be at most {size}", self.shape());
        let (greatest, positions) = self.value().top_k(k, axis);
        (greatest.into(), positions.into())
    }

    /// Integers in a type in which indices are.
    #[track_caller]
    fn to_indices(&self, operation: &str) -> Value {
        assert!(self.dtype().is_integer(), "{operation}: indices {}: must be integers", self.spec());
        self.value().convert(if self.dtype() == DType::I32 { DType::I32 } else { DType::I64 })
    }

    #[track_caller]
    fn assert_equal_but(&self, operation: &str, axis: usize, indices: &Tensor) {
        let (own, theirs) = (self.shape(), indices.shape());
        assert!(
            own.rank() == theirs.rank() && own.without(&[axis]) == theirs.without(&[axis]),
            "{operation}: {own} at indices {theirs}: must be equal but for axis {axis}"
        );
    }
}
