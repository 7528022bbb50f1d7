//! Operations that combine the elements along axes.

use gyrus_graph::ops::reduction::Reduction;
use gyrus_graph::{DType, Value};

use crate::Tensor;
use crate::axes::{ReductionAxes, resolve_axes, resolve_axis};

/// Combines `value` along axes.
#[track_caller]
fn reduce(operation: &str, value: &Value, reduction: Reduction, axes: &impl ReductionAxes) -> Tensor {
    let places = resolve_axes(operation, axes.reduced(), value.shape());
    let reduced = value.reduce(reduction, &places);
    Tensor::from(if axes.stay() { reduced.reshape(kept(value, &places)) } else { reduced })
}

/// A value's shape with `axes` of size 1.
fn kept(value: &Value, axes: &[usize]) -> Vec<usize> {
    value.shape().iter().enumerate().map(|(axis, &size)| if axes.contains(&axis) { 1 } else { size }).collect()
}

impl Tensor {
    /// The sum along `axes`; 0 of none. Integers and truth values are summed as `i64`.
    ///
    /// # Panics
    /// If there is no such axis, or one is named twice.
    ///
    /// ```
    /// use gyrus_tensor::{Keepdim, Tensor};
    ///
    /// let x = Tensor::from([[1.0, 2.0], [3.0, 4.0]]);
    /// assert_eq!(x.sum(..).item(), 10.0);
    /// assert_eq!(x.sum(-1).to_vec::<f64>(), [3.0, 7.0]);
    /// assert_eq!(x.sum([0, 1]).shape()[..], []);
    /// assert_eq!(x.sum(Keepdim(0)).shape()[..], [1, 2]);
    /// ```
    #[track_caller]
    pub fn sum(&self, axes: impl ReductionAxes) -> Tensor {
        reduce("sum", &self.countable(), Reduction::Sum, &axes)
    }

    /// The product along `axes`; 1 of none. Integers and truth values are multiplied as `i64`.
    ///
    /// # Panics
    /// If there is no such axis, or one is named twice.
    #[track_caller]
    pub fn product(&self, axes: impl ReductionAxes) -> Tensor {
        reduce("product", &self.countable(), Reduction::Product, &axes)
    }

    /// The arithmetic mean along `axes`, `sum of x / N`; NaN of none. Integers become `f32`; the mean of
    /// `f16` and `bf16` is computed in `f32`.
    ///
    /// # Panics
    /// If there is no such axis, or one is named twice.
    #[track_caller]
    pub fn mean(&self, axes: impl ReductionAxes) -> Tensor {
        let num = self.num_along("mean", &axes);
        let sum = reduce("mean", &self.wide(), Reduction::Sum, &axes);
        (sum / num as f64).to_dtype(self.to_real().dtype())
    }

    /// The variance along `axes`, `sum of (x - mean x)^2 / (N - correction)`: `correction` is 0 for the
    /// variance of these numbers, as in NumPy, 1 for the unbiased estimate of that from which they are
    /// drawn, as in PyTorch. Integers become `f32`; the variance of `f16` and `bf16` is computed in `f32`.
    ///
    /// # Panics
    /// If there is no such axis, or one is named twice.
    ///
    /// ```
    /// use gyrus_tensor::Tensor;
    ///
    /// let x = Tensor::from([1.0, 2.0, 3.0, 4.0]);
    /// assert_eq!(x.variance(.., 0).item(), 1.25);
    /// assert_eq!(x.variance(.., 1).item(), 5.0 / 3.0);
    /// ```
    #[track_caller]
    pub fn variance(&self, axes: impl ReductionAxes, correction: usize) -> Tensor {
        let places = resolve_axes("variance", axes.reduced(), self.shape());
        let num = self.num_along("variance", &axes);
        let x = self.wide();
        let mean = x.reduce(Reduction::Sum, &places);
        let mean = mean.div(&mean.full_like(num as f64)).broadcast_from_reduced(x.shape(), &places);
        let deviation = x.sub(&mean);
        let sum = reduce("variance", &deviation.mul(&deviation), Reduction::Sum, &axes);
        (sum / num.saturating_sub(correction) as f64).to_dtype(self.to_real().dtype())
    }

    /// The square root of [`Tensor::variance`].
    ///
    /// # Panics
    /// As [`Tensor::variance`].
    #[track_caller]
    pub fn standard_deviation(&self, axes: impl ReductionAxes, correction: usize) -> Tensor {
        self.variance(axes, correction).sqrt()
    }

    /// The greatest element along `axes`; NaN if one is. Elements that attain it share the gradient evenly.
    ///
    /// # Panics
    /// If there is no such axis, one is named twice, or there are no elements to choose from.
    #[track_caller]
    pub fn max(&self, axes: impl ReductionAxes) -> Tensor {
        self.assert_elements("max", &axes);
        let reduction = if self.dtype() == DType::Bool { Reduction::Or } else { Reduction::Max };
        reduce("max", self.value(), reduction, &axes)
    }

    /// The least element along `axes`; NaN if one is. Elements that attain it share the gradient evenly.
    ///
    /// # Panics
    /// If there is no such axis, one is named twice, or there are no elements to choose from.
    #[track_caller]
    pub fn min(&self, axes: impl ReductionAxes) -> Tensor {
        self.assert_elements("min", &axes);
        let reduction = if self.dtype() == DType::Bool { Reduction::And } else { Reduction::Min };
        reduce("min", self.value(), reduction, &axes)
    }

    /// Whether all along `axes` are true, of type `bool`; a number is true where it is not 0. True of none.
    ///
    /// # Panics
    /// If there is no such axis, or one is named twice.
    #[track_caller]
    pub fn all(&self, axes: impl ReductionAxes) -> Tensor {
        reduce("all", &self.value().convert(DType::Bool), Reduction::And, &axes)
    }

    /// Whether any along `axes` is true, of type `bool`; a number is true where it is not 0. False of none.
    ///
    /// # Panics
    /// If there is no such axis, or one is named twice.
    #[track_caller]
    pub fn any(&self, axes: impl ReductionAxes) -> Tensor {
        reduce("any", &self.value().convert(DType::Bool), Reduction::Or, &axes)
    }

    /// The Euclidean norm along `axes`, `sqrt(sum of x^2)`. Its gradient where it is 0 is 0.
    ///
    /// # Panics
    /// If there is no such axis, or one is named twice.
    #[track_caller]
    pub fn norm(&self, axes: impl ReductionAxes) -> Tensor {
        let x = self.to_real().square();
        let sum = reduce("norm", x.value(), Reduction::Sum, &axes);
        // The root is only taken away from 0, where its slope is infinite.
        let is_positive = sum.ne(0.0);
        let root = is_positive.select(&sum, 1.0).sqrt();
        is_positive.select(root, 0.0)
    }

    /// Where along `axis` the greatest element is, of type `i64`: the first of equals, NaN greatest.
    ///
    /// # Panics
    /// If there is no such axis, or it has no elements.
    #[track_caller]
    pub fn argmax(&self, axis: isize) -> Tensor {
        self.value().arg_max(resolve_axis("argmax", axis, self.shape())).into()
    }

    /// Where along `axis` the least element is, of type `i64`: the first of equals, NaN least.
    ///
    /// # Panics
    /// If there is no such axis, or it has no elements.
    #[track_caller]
    pub fn argmin(&self, axis: isize) -> Tensor {
        self.value().arg_min(resolve_axis("argmin", axis, self.shape())).into()
    }

    /// `e^x / sum of e^x` along `axis`, computed so that it does not overflow.
    ///
    /// # Panics
    /// If there is no such axis.
    #[track_caller]
    pub fn softmax(&self, axis: isize) -> Tensor {
        self.to_real().value().softmax(resolve_axis("softmax", axis, self.shape())).into()
    }

    /// The logarithm of [`Tensor::softmax`], `x - ln(sum of e^x)` along `axis`.
    ///
    /// # Panics
    /// If there is no such axis.
    #[track_caller]
    pub fn log_softmax(&self, axis: isize) -> Tensor {
        self.to_real().value().log_softmax(resolve_axis("log_softmax", axis, self.shape())).into()
    }

    /// `ln(sum of e^x)` along `axis`, which disappears, computed so that it does not overflow.
    ///
    /// # Panics
    /// If there is no such axis.
    #[track_caller]
    pub fn log_sum_exp(&self, axis: isize) -> Tensor {
        self.to_real().value().log_sum_exp(resolve_axis("log_sum_exp", axis, self.shape())).into()
    }

    /// The sums of all elements up to each along `axis`, `y[i] = x[0] + … + x[i]`. Integers and truth
    /// values are summed as `i64`.
    ///
    /// # Panics
    /// If there is no such axis.
    #[track_caller]
    pub fn cumsum(&self, axis: isize) -> Tensor {
        self.countable().cumsum(resolve_axis("cumsum", axis, self.shape()), false).into()
    }

    /// The elements in a type in which sums and products of them fit.
    #[track_caller]
    fn countable(&self) -> Value {
        if self.dtype().is_float() { self.value().clone() } else { self.value().convert(DType::I64) }
    }

    /// The elements as reals of at least single precision.
    #[track_caller]
    fn wide(&self) -> Value {
        if self.dtype() == DType::F64 { self.value().clone() } else { self.value().convert(DType::F32) }
    }

    /// How many elements are combined along `axes`.
    #[track_caller]
    fn num_along(&self, operation: &str, axes: &impl ReductionAxes) -> usize {
        let places = resolve_axes(operation, axes.reduced(), self.shape());
        places.iter().map(|&axis| self.shape()[axis]).product()
    }

    #[track_caller]
    fn assert_elements(&self, operation: &str, axes: &impl ReductionAxes) {
        for axis in resolve_axes(operation, axes.reduced(), self.shape()) {
            assert!(self.shape()[axis] > 0, "{operation}: axis {axis} of shape {}: must have elements", self.shape());
        }
    }
}
