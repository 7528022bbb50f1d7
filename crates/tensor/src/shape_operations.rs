//! Operations that arrange the same elements in another shape.

use std::borrow::Borrow;

use gyrus_graph::{DType, Scalar, Shape, Value};

use crate::Tensor;
use crate::axes::{Axes, resolve_axes, resolve_axis, resolve_in_order};
use crate::operand::broadcast;
use crate::sizes::Sizes;

impl Tensor {
    /// The same elements in the same (row-major) order in another shape; one size may be -1 and is what
    /// remains.
    ///
    /// # Panics
    /// If the number of elements differs.
    ///
    /// ```
    /// use gyrus_tensor::{DType, Tensor};
    ///
    /// let x = Tensor::arange(6, DType::F32).reshape([2, -1]);
    /// assert_eq!(x.shape()[..], [2, 3]);
    /// ```
    #[track_caller]
    pub fn reshape(&self, sizes: impl Sizes) -> Tensor {
        let (from, sizes) = (self.shape(), sizes.sizes());
        let known: usize = sizes.iter().filter(|&&size| size >= 0).map(|&size| size as usize).product();
        let num_open = sizes.iter().filter(|&&size| size < 0).count();
        assert!(
            num_open <= 1 && sizes.iter().all(|&size| size >= -1),
            "reshape: {from} to {sizes:?}: at most one size may be -1, and none less"
        );
        let num = from.num_elements();
        let open = if known > 0 && num % known == 0 { num / known } else { 0 };
        assert!(
            known * if num_open == 1 { open } else { 1 } == num && (num_open == 0 || known > 0),
            "reshape: {from} to {sizes:?}: {num} elements must fill the new shape exactly"
        );
        let shape: Shape = sizes.iter().map(|&size| if size < 0 { open } else { size as usize }).collect();
        self.value().reshape(shape).into()
    }

    /// The axes from `start_axis` to `end_axis`, inclusive, as one. A scalar becomes an axis of size 1.
    ///
    /// # Panics
    /// If there are no such axes, or they are the wrong way round.
    ///
    /// ```
    /// use gyrus_tensor::{DType, Tensor};
    ///
    /// let images = Tensor::zeros([8, 3, 4, 4], DType::F32);
    /// assert_eq!(images.flatten(1, -1).shape()[..], [8, 48]);
    /// ```
    #[track_caller]
    pub fn flatten(&self, start_axis: isize, end_axis: isize) -> Tensor {
        let shape = self.shape();
        if shape.rank() == 0 {
            return self.value().reshape([1]).into();
        }
        let start = resolve_axis("flatten", start_axis, shape);
        let end = resolve_axis("flatten", end_axis, shape);
        assert!(
            start <= end,
            "flatten: axes {start_axis} to {end_axis} of shape {shape}: the first must not come last"
        );
        let middle = shape[start..=end].iter().product();
        self.value().reshape([&shape[..start], &[middle], &shape[end + 1..]].concat()).into()
    }

    /// Exchanges two axes.
    ///
    /// # Panics
    /// If there are no such axes.
    #[track_caller]
    pub fn transpose(&self, a: isize, b: isize) -> Tensor {
        let (a, b) = (resolve_axis("transpose", a, self.shape()), resolve_axis("transpose", b, self.shape()));
        let mut order: Vec<usize> = (0..self.rank()).collect();
        order.swap(a, b);
        self.value().transpose(&order).into()
    }

    /// Exchanges the last two axes: the transpose of a matrix, or of each of a batch.
    ///
    /// # Panics
    /// If there are fewer than two axes.
    #[track_caller]
    pub fn t(&self) -> Tensor {
        assert!(self.rank() >= 2, "t: shape {}: must have at least two axes", self.shape());
        self.transpose(-2, -1)
    }

    /// The axes in another order: axis `i` of the result is axis `order[i]`.
    ///
    /// # Panics
    /// If `order` does not name each axis once.
    ///
    /// ```
    /// use gyrus_tensor::{DType, Tensor};
    ///
    /// let channels_last = Tensor::zeros([1, 8, 9, 3], DType::F32);
    /// assert_eq!(channels_last.permute([0, 3, 1, 2]).shape()[..], [1, 3, 8, 9]);
    /// ```
    #[track_caller]
    pub fn permute(&self, order: impl Axes) -> Tensor {
        let places = resolve_in_order("permute", order.named(), self.shape());
        assert!(
            places.len() == self.rank(),
            "permute: shape {} in the order {places:?}: must name each of the {} axes",
            self.shape(),
            self.rank()
        );
        self.value().transpose(&places).into()
    }

    /// Removes axes of size 1; `..` means all that are.
    ///
    /// # Panics
    /// If an axis that is named does not exist or is of another size.
    #[track_caller]
    pub fn squeeze(&self, axes: impl Axes) -> Tensor {
        let shape = self.shape();
        let mut places = resolve_axes("squeeze", axes.named(), shape);
        if axes.named().is_none() {
            places.retain(|&axis| shape[axis] == 1);
        }
        for &axis in &places {
            assert!(shape[axis] == 1, "squeeze: axis {axis} of shape {shape}: must be of size 1, not {}", shape[axis]);
        }
        self.value().reshape(shape.without(&places)).into()
    }

    /// Inserts an axis of size 1, which is then `axis`; -1 puts it last.
    ///
    /// # Panics
    /// If `axis` does not lie in `-(rank + 1)..=rank`.
    #[track_caller]
    pub fn unsqueeze(&self, axis: isize) -> Tensor {
        let mut sizes = self.shape().to_vec();
        let place = insertion("unsqueeze", axis, self.shape());
        sizes.insert(place, 1);
        self.value().reshape(sizes).into()
    }

    /// Repeats axes of size 1, and new ones before the first, to fill `shape`.
    ///
    /// # Panics
    /// If an axis is neither of size 1 nor of the size asked for.
    #[track_caller]
    pub fn broadcast_to(&self, shape: impl Into<Shape>) -> Tensor {
        let (from, to) = (self.shape(), shape.into());
        assert!(
            from.broadcast(&to).as_ref() == Some(&to),
            "broadcast_to: {from} to {to}: sizes must be equal or 1, aligned at the last axis"
        );
        broadcast(self.value(), &to).into()
    }

    /// Tensors one after another along `axis`, promoted to one type.
    ///
    /// # Panics
    /// If there are none, or they differ in another axis.
    ///
    /// ```
    /// use gyrus_tensor::Tensor;
    ///
    /// let (a, b) = (Tensor::from([1, 2]), Tensor::from([3]));
    /// assert_eq!(Tensor::cat(&[&a, &b], 0).to_vec::<i32>(), [1, 2, 3]);
    /// ```
    #[track_caller]
    pub fn cat(tensors: &[impl Borrow<Tensor>], axis: isize) -> Tensor {
        let values = same_type("cat", tensors);
        let first = values[0].shape();
        let axis = resolve_axis("cat", axis, first);
        for (index, value) in values.iter().enumerate() {
            let shape = value.shape();
            assert!(
                shape.rank() == first.rank() && shape.without(&[axis]) == first.without(&[axis]),
                "cat: the first {first} and number {index} {shape}: must be equal but for axis {axis}"
            );
        }
        Value::concatenate(&values.iter().collect::<Vec<_>>(), axis).into()
    }

    /// Tensors of one shape along a new axis, which is then `axis`; -1 puts it last.
    ///
    /// # Panics
    /// If there are none, or they differ in shape.
    #[track_caller]
    pub fn stack(tensors: &[impl Borrow<Tensor>], axis: isize) -> Tensor {
        let values = same_type("stack", tensors);
        let first = values[0].shape();
        let axis = insertion("stack", axis, first);
        for (index, value) in values.iter().enumerate() {
            assert!(
                value.shape() == first,
                "stack: the first {first} and number {index} {}: must be equal",
                value.shape()
            );
        }
        Value::stack(&values.iter().collect::<Vec<_>>(), axis).into()
    }

    /// Pieces of given sizes along `axis`.
    ///
    /// # Panics
    /// If the sizes do not add up to that of the axis.
    #[track_caller]
    pub fn split(&self, sizes: &[usize], axis: isize) -> Vec<Tensor> {
        let (shape, axis) = (self.shape(), resolve_axis("split", axis, self.shape()));
        assert!(
            sizes.iter().sum::<usize>() == shape[axis],
            "split: axis {axis} of shape {shape} into {sizes:?}: sizes must add up to {}",
            shape[axis]
        );
        let mut pieces = Vec::with_capacity(sizes.len());
        let mut start = 0;
        for size in sizes {
            pieces.push(self.value().slice_axis(axis, start, start + size).into());
            start += size;
        }
        pieces
    }

    /// At most `num_chunks` pieces along `axis`, of equal sizes but for the last, which may be smaller.
    ///
    /// # Panics
    /// If there is no such axis, or `num_chunks` is 0.
    #[track_caller]
    pub fn chunk(&self, num_chunks: usize, axis: isize) -> Vec<Tensor> {
        assert!(num_chunks > 0, "chunk: shape {} into 0 pieces: must be at least 1", self.shape());
        let total = self.shape()[resolve_axis("chunk", axis, self.shape())];
        let size = total.div_ceil(num_chunks).max(1);
        let sizes: Vec<usize> = (0..total.max(1)).step_by(size).map(|start| size.min(total - start)).collect();
        self.split(&sizes, axis)
    }

    /// The elements in reverse order along each of `axes`.
    ///
    /// # Panics
    /// If there is no such axis, or one is named twice.
    #[track_caller]
    pub fn flip(&self, axes: impl Axes) -> Tensor {
        self.value().reverse(&resolve_axes("flip", axes.named(), self.shape())).into()
    }

    /// Puts `value` before and after the elements along the last axes, as many times as each pair of
    /// `padding` says, the last pair for the last axis; negative numbers remove elements.
    ///
    /// # Panics
    /// If there are more pairs than axes, or more is removed than there is.
    ///
    /// ```
    /// use gyrus_tensor::Tensor;
    ///
    /// let x = Tensor::from([[1, 2], [3, 4]]).pad(&[(1, 0)], 9.0);
    /// assert_eq!(x.to_vec::<i32>(), [9, 1, 2, 9, 3, 4]);
    /// ```
    #[track_caller]
    pub fn pad(&self, padding: &[(i64, i64)], value: f64) -> Tensor {
        let (shape, rank) = (self.shape(), self.rank());
        assert!(padding.len() <= rank, "pad: shape {shape} by {padding:?}: at most one pair for each axis");
        let (mut low, mut high) = (vec![0; rank], vec![0; rank]);
        for (axis, &(before, after)) in (rank - padding.len()..).zip(padding) {
            let size = shape[axis] as i64;
            assert!(
                before >= -size && after >= -size && size + before + after >= 0,
                "pad: shape {shape} by {padding:?}: axis {axis} has only {size} elements to remove"
            );
            (low[axis], high[axis]) = (before, after);
        }
        let element = Value::constant(Scalar::from_f64(self.dtype(), value), []);
        self.value().pad(&element, &low, &high, &vec![0; rank]).into()
    }

    /// The whole tensor repeated along each axis, one number for each axis: NumPy's `tile`, PyTorch's
    /// `repeat`. Where there are more numbers than axes, new axes come first.
    ///
    /// # Panics
    /// If there are fewer numbers than axes.
    ///
    /// ```
    /// use gyrus_tensor::Tensor;
    ///
    /// assert_eq!(Tensor::from([1, 2]).tile(&[2, 2]).to_vec::<i32>(), [1, 2, 1, 2, 1, 2, 1, 2]);
    /// ```
    #[track_caller]
    pub fn tile(&self, repeats: &[usize]) -> Tensor {
        let shape = self.shape();
        assert!(repeats.len() >= shape.rank(), "tile: shape {shape} by {repeats:?}: one number for each axis");
        let num_new = repeats.len() - shape.rank();
        let size = |axis: usize| axis.checked_sub(num_new).map_or(1, |axis| shape[axis]);
        let (mut apart, mut repeated, mut merged) = (vec![], vec![], vec![]);
        for (axis, &num) in repeats.iter().enumerate() {
            apart.extend([1, size(axis)]);
            repeated.extend([num, size(axis)]);
            merged.push(num * size(axis));
        }
        broadcast(&self.value().reshape(apart), &repeated.into()).reshape(merged).into()
    }

    /// Each element repeated `num` times along `axis`: NumPy's `repeat`.
    ///
    /// # Panics
    /// If there is no such axis.
    ///
    /// ```
    /// use gyrus_tensor::Tensor;
    ///
    /// assert_eq!(Tensor::from([1, 2]).repeat_interleave(2, 0).to_vec::<i32>(), [1, 1, 2, 2]);
    /// ```
    #[track_caller]
    pub fn repeat_interleave(&self, num: usize, axis: isize) -> Tensor {
        let axis = resolve_axis("repeat_interleave", axis, self.shape());
        let (before, after) = (&self.shape()[..=axis], &self.shape()[axis + 1..]);
        let apart = self.value().reshape([before, &[1], after].concat());
        let mut merged = self.shape().to_vec();
        merged[axis] *= num;
        broadcast(&apart, &[before, &[num], after].concat().into()).reshape(merged).into()
    }
}

/// Where an axis is inserted.
#[track_caller]
fn insertion(operation: &str, axis: isize, shape: &Shape) -> usize {
    let rank = shape.rank() as isize;
    assert!(
        (-rank - 1..=rank).contains(&axis),
        "{operation}: a new axis {axis} of shape {shape}: must lie in {}..={rank}",
        -rank - 1
    );
    axis.rem_euclid(rank + 1) as usize
}

/// The tensors, promoted to one type.
#[track_caller]
pub(crate) fn same_type(operation: &str, tensors: &[impl Borrow<Tensor>]) -> Vec<Value> {
    assert!(!tensors.is_empty(), "{operation}: of no tensors: there must be at least one");
    let dtype = tensors.iter().map(|tensor| tensor.borrow().dtype()).reduce(DType::promote).expect("not empty");
    let mut values = Vec::with_capacity(tensors.len());
    for tensor in tensors {
        values.push(tensor.borrow().value().convert(dtype));
    }
    values
}
