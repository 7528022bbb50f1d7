//! Numbers that are attributes of operations: compared and hashed by their bits.

use std::fmt;
use std::hash::{Hash, Hasher};

use crate::{DType, Element, bf16, f16};

/// A real attribute of an operation, such as an epsilon, equal to another when its bits are.
#[derive(Clone, Copy, PartialOrd)]
pub struct Real(pub f64);

impl PartialEq for Real {
    fn eq(&self, other: &Self) -> bool {
        self.0.to_bits() == other.0.to_bits()
    }
}

impl Eq for Real {}

impl Hash for Real {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.to_bits().hash(state);
    }
}

impl fmt::Debug for Real {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// One element of some type, known when the graph is built.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Scalar {
    dtype: DType,
    bits: u64,
}

impl Scalar {
    /// `value` rounded to `dtype`: integers saturate, `bool` is whether it is not zero.
    pub fn from_f64(dtype: DType, value: f64) -> Self {
        let bits = match dtype {
            DType::Bool => (value != 0.0) as u64,
            DType::U8 => value as u8 as u64,
            DType::I32 => value as i32 as u32 as u64,
            DType::I64 => value as i64 as u64,
            DType::F16 => f16::from_f64(value).to_bits() as u64,
            DType::BF16 => bf16::from_f64(value).to_bits() as u64,
            DType::F32 => (value as f32).to_bits() as u64,
            DType::F64 => value.to_bits(),
        };
        Scalar { dtype, bits }
    }

    /// `value` as `dtype`, wrapping in narrower integers, rounded in floats.
    pub fn from_i64(dtype: DType, value: i64) -> Self {
        match dtype {
            DType::U8 => Scalar { dtype, bits: value as u8 as u64 },
            DType::I32 => Scalar { dtype, bits: value as i32 as u32 as u64 },
            DType::I64 => Scalar { dtype, bits: value as u64 },
            _ => Scalar::from_f64(dtype, value as f64),
        }
    }

    /// The smallest value of `dtype`: minus infinity, the least integer or `false`.
    pub fn lowest(dtype: DType) -> Self {
        match dtype {
            DType::I64 => Scalar::from_i64(dtype, i64::MIN),
            _ => Scalar::from_f64(dtype, f64::NEG_INFINITY),
        }
    }

    /// The largest value of `dtype`: infinity, the greatest integer or `true`.
    pub fn highest(dtype: DType) -> Self {
        match dtype {
            DType::I64 => Scalar::from_i64(dtype, i64::MAX),
            _ => Scalar::from_f64(dtype, f64::INFINITY),
        }
    }

    /// The element type.
    pub fn dtype(self) -> DType {
        self.dtype
    }

    /// The value as the nearest `f64`.
    pub fn to_f64(self) -> f64 {
        match self.dtype {
            DType::Bool | DType::U8 => self.bits as f64,
            DType::I32 => self.bits as u32 as i32 as f64,
            DType::I64 => self.bits as i64 as f64,
            DType::F16 => f16::from_bits(self.bits as u16).to_f64(),
            DType::BF16 => bf16::from_bits(self.bits as u16).to_f64(),
            DType::F32 => f32::from_bits(self.bits as u32) as f64,
            DType::F64 => f64::from_bits(self.bits),
        }
    }

    /// The element's bytes, little end first, in the low bytes of a word.
    pub fn bits(self) -> u64 {
        self.bits
    }

    /// The value as an element of type `T`.
    ///
    /// # Panics
    /// If `T` is not this scalar's type.
    pub fn get<T: Element>(self) -> T {
        assert_eq!(T::DTYPE, self.dtype, "scalar: read as another element type");
        T::from_le_bits(self.bits)
    }
}

impl fmt::Debug for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.to_f64(), self.dtype)
    }
}
