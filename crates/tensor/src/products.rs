//! Sums of products: matrices, convolutions; and pooling, which moves as convolutions do.

use gyrus_graph::ops::contraction::{ConvolutionWindow, DotGeneral};
use gyrus_graph::ops::reduction::Reduction;
use gyrus_graph::ops::window::Window;
use gyrus_graph::{DType, Shape, Value};

use crate::Tensor;
use crate::operand::broadcast;

impl Tensor {
    /// The matrix product, `y[b.., i, j] = sum over k of x[b.., i, k] * rhs[b.., k, j]`. Batch axes `b`
    /// broadcast; a vector on the left is a row, one on the right a column, whose axis disappears again.
    ///
    /// # Shapes
    /// `[.., M, K]` and `[.., K, N]` to `[.., M, N]`.
    ///
    /// # Panics
    /// If an operand is a scalar, the contracted sizes differ, or the batch axes do not broadcast.
    ///
    /// ```
    /// use gyrus_tensor::Tensor;
    ///
    /// let a = Tensor::from([[1.0, 2.0], [3.0, 4.0]]);
    /// assert_eq!(a.matmul(&a).to_vec::<f64>(), [7.0, 10.0, 15.0, 22.0]);
    /// assert_eq!(a.matmul(&Tensor::from([1.0, 1.0])).to_vec::<f64>(), [3.0, 7.0]);
    /// ```
    #[track_caller]
    pub fn matmul(&self, rhs: &Tensor) -> Tensor {
        let (a, b) = (self.shape(), rhs.shape());
        assert!(a.rank() > 0 && b.rank() > 0, "matmul: lhs {a} and rhs {b}: must not be scalars; multiply with *");
        let (k, second) = (a[a.rank() - 1], if b.rank() == 1 { b[0] } else { b[b.rank() - 2] });
        let place = if b.rank() == 1 { "the only" } else { "the second-last" };
        assert!(
            k == second,
            "matmul: lhs {a} and rhs {b}: last axis of lhs ({k}) must equal {place} of rhs ({second})"
        );
        let (lhs, rhs) = promote("matmul", self, rhs);
        if b.rank() <= 2 {
            return contract(&lhs, &rhs, 0, a.rank() - 1, 0).into();
        }
        // A vector becomes a matrix of one row, and the row disappears again.
        let matrix = if a.rank() == 1 { lhs.reshape([1, k]) } else { lhs };
        let (lhs_batch, rhs_batch) = (&matrix.shape()[..matrix.rank() - 2], &b[..b.rank() - 2]);
        let batch = Shape::from(lhs_batch).broadcast(&rhs_batch.into());
        let Some(batch) = batch else { misfit(a, b) };
        let rows = [&batch, &matrix.shape()[matrix.rank() - 2..]].concat();
        let columns = [&batch, &b[b.rank() - 2..]].concat();
        let num_batch = batch.rank();
        let (lhs, rhs) = (broadcast(&matrix, &rows.into()), broadcast(&rhs, &columns.into()));
        let product = contract(&lhs, &rhs, num_batch, num_batch + 1, num_batch);
        if a.rank() > 1 {
            return product.into();
        }
        product.reshape(product.shape().without(&[num_batch])).into()
    }

    /// The scalar product of two vectors, `sum of x[i] * rhs[i]`.
    ///
    /// # Panics
    /// If they are not vectors of one size.
    #[track_caller]
    pub fn dot(&self, rhs: &Tensor) -> Tensor {
        let (a, b) = (self.shape(), rhs.shape());
        assert!(a.rank() == 1 && a == b, "dot: lhs {a} and rhs {b}: must be vectors of one size; see matmul");
        let (lhs, rhs) = promote("dot", self, rhs);
        contract(&lhs, &rhs, 0, 0, 0).into()
    }

    /// All products of the elements of two vectors, `y[i, j] = x[i] * rhs[j]`.
    ///
    /// # Panics
    /// If they are not vectors.
    #[track_caller]
    pub fn outer(&self, rhs: &Tensor) -> Tensor {
        let (a, b) = (self.shape(), rhs.shape());
        assert!(a.rank() == 1 && b.rank() == 1, "outer: lhs {a} and rhs {b}: must be vectors");
        self.unsqueeze(-1) * rhs
    }

    /// The convolution (cross-correlation) with `weight` over 1 to 3 spatial axes,
    /// `y[n, o, p..] = sum over c, k.. of x[n, c, p * stride + k * dilation - padding..] * weight[o, c, k..]`,
    /// `c` running over the channels of `o`'s group.
    ///
    /// # Shapes
    /// `[N, C, spatial..]` and weight `[O, C / groups, kernel..]` to `[N, O, out..]`, where
    /// `out = (spatial + padding - dilation * (kernel - 1) - 1) / stride + 1`.
    ///
    /// # Panics
    /// If the shapes do not fit each other and the window.
    #[track_caller]
    pub fn conv(&self, weight: &Tensor, window: ConvolutionWindow) -> Tensor {
        let (x, weight) = promote("conv", &self.to_real(), weight);
        x.conv(&weight, window).into()
    }

    /// The transposed convolution, the gradient of [`Tensor::conv`] with respect to its operand.
    /// `output_padding` makes the result larger at the end of each spatial axis, to choose among the sizes
    /// that a convolution of stride above 1 maps to one.
    ///
    /// # Shapes
    /// `[N, O, spatial..]` and weight `[O, C / groups, kernel..]` to `[N, C, out..]`, where
    /// `out = (spatial - 1) * stride - padding + dilation * (kernel - 1) + 1 + output_padding`.
    ///
    /// # Panics
    /// If the shapes do not fit each other and the window.
    #[track_caller]
    pub fn conv_transpose(&self, weight: &Tensor, window: ConvolutionWindow, output_padding: &[usize]) -> Tensor {
        let (x, w) = (self.shape(), weight.shape());
        let num_axes = x.rank().saturating_sub(2);
        assert!(
            w.rank() == x.rank() && window.stride.len() == num_axes && output_padding.len() == num_axes,
            "conv_transpose: x {x} and weight {w}: both must have as many spatial axes as the window and output_padding"
        );
        let mut sizes = vec![];
        for axis in 0..num_axes {
            let ((low, high), kernel) = (window.padding[axis], w[axis + 2].max(1));
            let extent = (x[axis + 2].max(1) - 1) * window.stride[axis] + window.dilation[axis] * (kernel - 1) + 1;
            let size = (extent + output_padding[axis]) as i64 - low - high;
            assert!(size > 0, "conv_transpose: x {x} and weight {w}: spatial axis {axis} would have size {size}");
            sizes.push(size as usize);
        }
        let (x, weight) = promote("conv_transpose", &self.to_real(), weight);
        x.conv_input_grad(&weight, window, &sizes).into()
    }

    /// The greatest element under a window that moves over 1 to 3 spatial axes; padding takes no part.
    ///
    /// # Shapes
    /// `[N, C, spatial..]` to `[N, C, out..]`, where `out = (spatial + 2 * padding - kernel_size) / stride + 1`.
    ///
    /// # Panics
    /// If there is not one number for each spatial axis, the window does not fit, or `padding` is more than
    /// half the window.
    #[track_caller]
    pub fn max_pool(&self, kernel_size: &[usize], stride: &[usize], padding: &[usize]) -> Tensor {
        let window = pooling_window("max_pool", self.shape(), kernel_size, stride, padding);
        self.value().reduce_window(Reduction::Max, window).into()
    }

    /// The mean of the elements under a window that moves over 1 to 3 spatial axes, of `kernel_size`
    /// elements always where `count_include_pad`, padding counting as zeros; else of those that are there.
    ///
    /// # Shapes
    /// As [`Tensor::max_pool`].
    ///
    /// # Panics
    /// As [`Tensor::max_pool`].
    #[track_caller]
    pub fn avg_pool(
        &self,
        kernel_size: &[usize],
        stride: &[usize],
        padding: &[usize],
        count_include_pad: bool,
    ) -> Tensor {
        let window = pooling_window("avg_pool", self.shape(), kernel_size, stride, padding);
        let x = self.to_real();
        let sum = Tensor::from(x.value().reduce_window(Reduction::Sum, window.clone()));
        if count_include_pad || padding.iter().all(|&size| size == 0) {
            return sum / kernel_size.iter().product::<usize>();
        }
        let one = [&[1, 1], &self.shape()[2..]].concat();
        let there = Tensor::ones(one, x.dtype());
        sum / Tensor::from(there.value().reduce_window(Reduction::Sum, window))
    }
}

/// Both, of their common type.
#[track_caller]
fn promote(operation: &str, lhs: &Tensor, rhs: &Tensor) -> (Value, Value) {
    let dtype = lhs.dtype().promote(rhs.dtype());
    assert!(
        dtype != DType::Bool,
        "{operation}: lhs {} and rhs {}: must be numbers; convert with to_dtype",
        lhs.spec(),
        rhs.spec()
    );
    (lhs.value().convert(dtype), rhs.value().convert(dtype))
}

/// The sums over one axis of each, of products at equal indices of the first `num_batch` axes.
#[track_caller]
fn contract(lhs: &Value, rhs: &Value, num_batch: usize, lhs_axis: usize, rhs_axis: usize) -> Value {
    let batch: Vec<usize> = (0..num_batch).collect();
    let op = DotGeneral {
        lhs_batch: batch.clone(),
        rhs_batch: batch,
        lhs_contract: vec![lhs_axis],
        rhs_contract: vec![rhs_axis],
        ..DotGeneral::default()
    };
    lhs.dot_general(rhs, op)
}

#[track_caller]
fn misfit(lhs: &Shape, rhs: &Shape) -> ! {
    panic!("matmul: lhs {lhs} and rhs {rhs}: the axes before the last two must be equal or 1, aligned at the last")
}

#[track_caller]
fn pooling_window(
    operation: &str,
    shape: &Shape,
    kernel_size: &[usize],
    stride: &[usize],
    padding: &[usize],
) -> Window {
    let num_axes = shape.rank().saturating_sub(2);
    assert!(
        [kernel_size, stride, padding].iter().all(|numbers| numbers.len() == num_axes),
        "{operation}: shape {shape}, kernel_size {kernel_size:?}, stride {stride:?}, padding {padding:?}: must have \
         one number for each axis after the first two"
    );
    assert!(
        padding.iter().zip(kernel_size).all(|(padding, size)| 2 * padding <= *size),
        "{operation}: kernel_size {kernel_size:?} and padding {padding:?}: padding must be at most half the window"
    );
    Window {
        stride: stride.to_vec(),
        padding: padding.iter().map(|&size| (size as i64, size as i64)).collect(),
        ..Window::tiles(kernel_size)
    }
}
