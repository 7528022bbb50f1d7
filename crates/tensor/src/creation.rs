//! Tensors made from numbers and rules.

use gyrus_graph::{DType, Element, Scalar, Shape, Value, bf16, f16};

use crate::Tensor;
use crate::axes::resolve_axis;

impl Tensor {
    /// A tensor of zeros (`false` for `bool`).
    #[track_caller]
    pub fn zeros(shape: impl Into<Shape>, dtype: DType) -> Tensor {
        Tensor::full(shape, 0.0, dtype)
    }

    /// A tensor of ones (`true` for `bool`).
    #[track_caller]
    pub fn ones(shape: impl Into<Shape>, dtype: DType) -> Tensor {
        Tensor::full(shape, 1.0, dtype)
    }

    /// A tensor of one number, rounded to `dtype`.
    #[track_caller]
    pub fn full(shape: impl Into<Shape>, value: f64, dtype: DType) -> Tensor {
        Value::constant(Scalar::from_f64(dtype, value), shape).into()
    }

    /// Zeros of this tensor's shape and type.
    #[track_caller]
    pub fn zeros_like(&self) -> Tensor {
        self.full_like(0.0)
    }

    /// Ones of this tensor's shape and type.
    #[track_caller]
    pub fn ones_like(&self) -> Tensor {
        self.full_like(1.0)
    }

    /// One number over this tensor's shape, rounded to its type.
    #[track_caller]
    pub fn full_like(&self, value: f64) -> Tensor {
        self.value().full_like(value).into()
    }

    /// A tensor of no axes. It is data: a compiled function that makes one with another number each time
    /// is not compiled again, unlike with [`Tensor::full`].
    #[track_caller]
    pub fn scalar<T: Element>(element: T) -> Tensor {
        Value::from_elements([], &[element]).into()
    }

    /// A tensor of given elements, row-major.
    ///
    /// # Panics
    /// If there are not as many elements as the shape has.
    #[track_caller]
    pub fn from_vec<T: Element>(shape: impl Into<Shape>, elements: Vec<T>) -> Tensor {
        let (shape, num) = (shape.into(), elements.len());
        assert!(
            num == shape.num_elements(),
            "from_vec: {num} elements for shape {shape}: must be {} elements",
            shape.num_elements()
        );
        Tensor::from_slice(shape, &elements)
    }

    /// `0, 1, …, num - 1`.
    #[track_caller]
    pub fn arange(num: usize, dtype: DType) -> Tensor {
        Value::iota([num], counting_type(dtype), 0).convert(dtype).into()
    }

    /// `start, start + step, …` up to but not including `end`: `ceil((end - start) / step)` elements, each
    /// computed in `f64` and rounded to `dtype`.
    ///
    /// # Panics
    /// If `step` is 0, or a number is not finite.
    ///
    /// ```
    /// use gyrus_tensor::{DType, Tensor};
    ///
    /// let x = Tensor::range(1.0, 2.0, 0.25, DType::F32);
    /// assert_eq!(x.to_vec::<f32>(), [1.0, 1.25, 1.5, 1.75]);
    /// ```
    #[track_caller]
    pub fn range(start: f64, end: f64, step: f64, dtype: DType) -> Tensor {
        let num = (end - start) / step;
        assert!(num.is_finite(), "range: {start} to {end} by {step}: must be finite, the step not 0");
        let count = Tensor::arange(num.ceil().max(0.0) as usize, DType::F64);
        (count * step + start).to_dtype(dtype)
    }

    /// `num` numbers at equal distances from `start` to `end`, both included exactly.
    ///
    /// ```
    /// use gyrus_tensor::{DType, Tensor};
    ///
    /// assert_eq!(Tensor::linspace(0.0, 1.0, 3, DType::F32).to_vec::<f32>(), [0.0, 0.5, 1.0]);
    /// ```
    #[track_caller]
    pub fn linspace(start: f64, end: f64, num: usize, dtype: DType) -> Tensor {
        let part = Tensor::arange(num, DType::F64) / num.saturating_sub(1).max(1);
        (start * (1.0 - &part) + end * part).to_dtype(dtype)
    }

    /// The identity matrix of `num` rows.
    #[track_caller]
    pub fn eye(num: usize, dtype: DType) -> Tensor {
        let [rows, columns] = places(&Shape::from([num, num]));
        Tensor::from(rows.eq(&columns)).to_dtype(dtype)
    }

    /// For each element, a class, a new last axis with 1 at that class and 0 elsewhere; all 0 for what is
    /// no class. `y[a.., c] = 1 if x[a..] = c else 0`.
    ///
    /// # Panics
    /// If the classes are not integers.
    ///
    /// ```
    /// use gyrus_tensor::{DType, Tensor};
    ///
    /// let y = Tensor::from([2, 0]).one_hot(3, DType::F32);
    /// assert_eq!(y.to_vec::<f32>(), [0.0, 0.0, 1.0, 1.0, 0.0, 0.0]);
    /// ```
    #[track_caller]
    pub fn one_hot(&self, num_classes: usize, dtype: DType) -> Tensor {
        assert!(self.dtype().is_integer(), "one_hot: {}: classes must be integers", self.spec());
        let classes = Tensor::arange(num_classes, DType::I64);
        self.unsqueeze(-1).eq(classes).to_dtype(dtype)
    }

    /// Matrices, in the last two axes, with 0 above the diagonal: `y[i, j] = x[i, j] if j <= i + diagonal
    /// else 0`.
    ///
    /// # Panics
    /// If there are fewer than two axes.
    #[track_caller]
    pub fn tril(&self, diagonal: i64) -> Tensor {
        let [rows, columns] = self.matrix_places("tril");
        columns.le(rows + diagonal).select(self, self.zeros_like())
    }

    /// Matrices, in the last two axes, with 0 below the diagonal: `y[i, j] = x[i, j] if j >= i + diagonal
    /// else 0`.
    ///
    /// # Panics
    /// If there are fewer than two axes.
    #[track_caller]
    pub fn triu(&self, diagonal: i64) -> Tensor {
        let [rows, columns] = self.matrix_places("triu");
        columns.ge(rows + diagonal).select(self, self.zeros_like())
    }

    /// Row and column of each element of a matrix in the last two axes.
    #[track_caller]
    fn matrix_places(&self, operation: &str) -> [Tensor; 2] {
        let row = resolve_axis(operation, -2, self.shape());
        let [rows, columns] = places(&Shape::from(&self.shape()[row..]));
        [rows.into(), columns.into()]
    }
}

/// The indices, of type `i64`, of each element of a matrix.
#[track_caller]
fn places(shape: &Shape) -> [Value; 2] {
    [Value::iota(shape, DType::I64, 0), Value::iota(shape, DType::I64, 1)]
}

/// A type in which counting is exact, from which to convert.
fn counting_type(dtype: DType) -> DType {
    if matches!(dtype, DType::F64 | DType::I32) { dtype } else { DType::I64 }
}

/// An `f32[0]`: what stands where a tensor comes later.
impl Default for Tensor {
    fn default() -> Self {
        Tensor::from_slice([0], &[0.0f32; 0])
    }
}

macro_rules! from_elements {
    ($($type:ty)*) => {$(
        impl From<$type> for Tensor {
            #[track_caller]
            fn from(element: $type) -> Tensor {
                Tensor::scalar(element)
            }
        }

        impl From<&[$type]> for Tensor {
            #[track_caller]
            fn from(elements: &[$type]) -> Tensor {
                Tensor::from_slice([elements.len()], elements)
            }
        }

        impl From<Vec<$type>> for Tensor {
            #[track_caller]
            fn from(elements: Vec<$type>) -> Tensor {
                Tensor::from_slice([elements.len()], &elements)
            }
        }

        impl<const N: usize> From<[$type; N]> for Tensor {
            #[track_caller]
            fn from(elements: [$type; N]) -> Tensor {
                Tensor::from_slice([N], &elements)
            }
        }

        impl<const N: usize, const M: usize> From<[[$type; M]; N]> for Tensor {
            #[track_caller]
            fn from(rows: [[$type; M]; N]) -> Tensor {
                Tensor::from_slice([N, M], rows.as_flattened())
            }
        }

        impl<const N: usize, const M: usize, const L: usize> From<[[[$type; L]; M]; N]> for Tensor {
            #[track_caller]
            fn from(matrices: [[[$type; L]; M]; N]) -> Tensor {
                Tensor::from_slice([N, M, L], matrices.as_flattened().as_flattened())
            }
        }
    )*};
}

from_elements! { bool u8 i32 i64 f16 bf16 f32 f64 }
