//! Arithmetic, comparisons, logic and choice, with NumPy's broadcasting and promotion of types.

use std::ops;

use gyrus_graph::DType;

use crate::Tensor;
use crate::operand::{Operand, unite, unite_choice};

/// `&a + &b`, `&a + 1.0`, `1.0 - a`, `a += &b`.
macro_rules! operators {
    ($($trait:ident $method:ident $assign:ident $assign_method:ident $name:ident,)*) => {$(
        impl<R: Into<Operand>> ops::$trait<R> for &Tensor {
            type Output = Tensor;
            #[track_caller]
            fn $method(self, rhs: R) -> Tensor {
                let (lhs, rhs) = unite(stringify!($name), self.into(), rhs.into());
                lhs.$name(&rhs).into()
            }
        }

        impl<R: Into<Operand>> ops::$trait<R> for Tensor {
            type Output = Tensor;
            #[track_caller]
            fn $method(self, rhs: R) -> Tensor {
                ops::$trait::$method(&self, rhs)
            }
        }

        impl<R: Into<Operand>> ops::$assign<R> for Tensor {
            #[track_caller]
            fn $assign_method(&mut self, rhs: R) {
                *self = ops::$trait::$method(&*self, rhs);
            }
        }

        number_first! { $trait $method $name f64, Tensor; f64, &Tensor; i64, Tensor; i64, &Tensor; }
    )*};
}

macro_rules! number_first {
    ($trait:ident $method:ident $name:ident $($number:ty, $tensor:ty;)*) => {$(
        impl ops::$trait<$tensor> for $number {
            type Output = Tensor;
            #[track_caller]
            fn $method(self, rhs: $tensor) -> Tensor {
                let (lhs, rhs) = unite(stringify!($name), self.into(), rhs.into());
                lhs.$name(&rhs).into()
            }
        }
    )*};
}

operators! {
    Add add AddAssign add_assign add,
    Sub sub SubAssign sub_assign sub,
    Mul mul MulAssign mul_assign mul,
    Div div DivAssign div_assign div,
    Rem rem RemAssign rem_assign rem,
}

/// Operators on truth values and the bits of integers.
macro_rules! bit_operators {
    ($($trait:ident $method:ident $name:ident,)*) => {$(
        impl<R: Into<Operand>> ops::$trait<R> for &Tensor {
            type Output = Tensor;
            #[track_caller]
            fn $method(self, rhs: R) -> Tensor {
                let (lhs, rhs) = unite(stringify!($name), self.into(), rhs.into());
                lhs.$name(&rhs).into()
            }
        }

        impl<R: Into<Operand>> ops::$trait<R> for Tensor {
            type Output = Tensor;
            #[track_caller]
            fn $method(self, rhs: R) -> Tensor {
                ops::$trait::$method(&self, rhs)
            }
        }
    )*};
}

bit_operators! { BitAnd bitand and, BitOr bitor or, BitXor bitxor xor, }

macro_rules! prefix_operators {
    ($($trait:ident $method:ident,)*) => {$(
        impl ops::$trait for &Tensor {
            type Output = Tensor;
            #[track_caller]
            fn $method(self) -> Tensor {
                self.value().$method().into()
            }
        }

        impl ops::$trait for Tensor {
            type Output = Tensor;
            #[track_caller]
            fn $method(self) -> Tensor {
                self.value().$method().into()
            }
        }
    )*};
}

prefix_operators! { Neg neg, Not not, }

macro_rules! functions_of_two {
    ($($(#[doc = $doc:literal])* $name:ident $method:ident,)*) => {
        impl Tensor {$(
            $(#[doc = $doc])*
            ///
            /// # Panics
            /// If the shapes do not broadcast.
            #[track_caller]
            pub fn $name(&self, other: impl Into<Operand>) -> Tensor {
                let (lhs, rhs) = unite(stringify!($name), self.into(), other.into());
                lhs.$method(&rhs).into()
            }
        )*}
    };
}

functions_of_two! {
    /// The power, `a^b`; see [`Tensor::powf`] for an exponent that is a number.
    pow pow,
    /// The greater of both, `max(a, b)`; NaN if either is. At a tie each receives half the gradient.
    maximum max,
    /// The lesser of both, `min(a, b)`; NaN if either is. At a tie each receives half the gradient.
    minimum min,
    /// Whether `a = b`, of type `bool`.
    eq eq,
    /// Whether `a` and `b` differ, of type `bool`.
    ne ne,
    /// Whether `a < b`, of type `bool`.
    lt lt,
    /// Whether `a <= b`, of type `bool`.
    le le,
    /// Whether `a > b`, of type `bool`.
    gt gt,
    /// Whether `a >= b`, of type `bool`.
    ge ge,
}

macro_rules! logic {
    ($($(#[doc = $doc:literal])* $name:ident $method:ident,)*) => {
        impl Tensor {$(
            $(#[doc = $doc])*
            ///
            /// # Panics
            /// If the shapes do not broadcast.
            #[track_caller]
            pub fn $name(&self, other: impl Into<Operand>) -> Tensor {
                let (lhs, rhs) = unite(stringify!($name), self.into(), other.into());
                lhs.convert(DType::Bool).$method(&rhs.convert(DType::Bool)).into()
            }
        )*}
    };
}

logic! {
    /// Whether both are true; a number is true where it is not 0.
    logical_and and,
    /// Whether either is true; a number is true where it is not 0.
    logical_or or,
    /// Whether exactly one is true; a number is true where it is not 0.
    logical_xor xor,
}

impl Tensor {
    /// Whether an element is false; a number is false where it is 0.
    #[track_caller]
    pub fn logical_not(&self) -> Tensor {
        self.value().convert(DType::Bool).not().into()
    }

    /// The power `x^exponent`; small powers, square roots and reciprocals are computed as such.
    #[track_caller]
    pub fn powf(&self, exponent: f64) -> Tensor {
        match exponent {
            1.0 => self.to_real(),
            2.0 => self.to_real().square(),
            3.0 => self.to_real().square() * self.to_real(),
            4.0 => self.to_real().square().square(),
            0.5 => self.sqrt(),
            -0.5 => self.rsqrt(),
            -1.0 => self.reciprocal(),
            -2.0 => self.to_real().square().reciprocal(),
            _ => self.to_real().pow(exponent),
        }
    }

    /// The angle of the point with ordinate `self` and abscissa `x`, in radians, in `[-π, π]`.
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn atan2(&self, x: impl Into<Operand>) -> Tensor {
        let (y, x) = unite("atan2", self.to_real().into(), x.into());
        y.atan2(&x).into()
    }

    /// The elements, but `min` where they are less and `max` where they are greater. The gradient for them is 1
    /// between `min` and `max`, at them 0, as in PyTorch.
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    ///
    /// ```
    /// use gyrus_tensor::Tensor;
    ///
    /// let x = Tensor::from([-3.0, 0.5, 7.0]);
    /// assert_eq!(x.clamp(0.0, 1.0).to_vec::<f64>(), [0.0, 0.5, 1.0]);
    /// ```
    #[track_caller]
    pub fn clamp(&self, min: impl Into<Operand>, max: impl Into<Operand>) -> Tensor {
        let (x, min) = unite("clamp", self.into(), min.into());
        let raised = Tensor::from(x.le(&min).select(&min, &x));
        let (x, max) = unite("clamp", raised.into(), max.into());
        x.ge(&max).select(&max, &x).into()
    }

    /// Where this condition is true the element of `a`, elsewhere that of `b`: NumPy's and PyTorch's
    /// `where`. A number counts as true where it is not 0.
    ///
    /// # Panics
    /// If the three shapes do not broadcast.
    ///
    /// ```
    /// use gyrus_tensor::Tensor;
    ///
    /// let x = Tensor::from([-1.0f32, 4.0]);
    /// assert_eq!(x.gt(0.0).select(x.sqrt(), 0.0).to_vec::<f32>(), [0.0, 2.0]);
    /// ```
    #[track_caller]
    pub fn select(&self, a: impl Into<Operand>, b: impl Into<Operand>) -> Tensor {
        let (condition, a, b) = unite_choice(&self.value().convert(DType::Bool), a.into(), b.into());
        condition.select(&a, &b).into()
    }

    /// The elements as another type: reals become integers by dropping the fraction, and `bool` is
    /// whether a number is not 0.
    #[track_caller]
    pub fn to_dtype(&self, dtype: DType) -> Tensor {
        self.value().convert(dtype).into()
    }

    /// The elements as reals: integers and truth values become `f32`.
    #[track_caller]
    pub(crate) fn to_real(&self) -> Tensor {
        if self.dtype().is_float() { self.clone() } else { self.to_dtype(DType::F32) }
    }
}
