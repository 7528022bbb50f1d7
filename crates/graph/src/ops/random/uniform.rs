//! Even distribution between 0 and 1.

use crate::{DType, Scalar, Value};

impl Value {
    /// From random bits (`i32`) reals distributed evenly over the multiples of `2^-n` in `[0, 1)`, where
    /// `n` is 8 for `bf16`, 11 for `f16`, 24 for `f32` and 32 for `f64`: all are exact, 1 is never met.
    ///
    /// # Panics
    /// If the bits are not `i32`, or `dtype` is not a floating-point type.
    #[track_caller]
    pub fn uniform_from_bits(&self, dtype: DType) -> Value {
        assert!(self.dtype() == DType::I32, "uniform_from_bits: the bits must be i32, not {}", self.dtype());
        let kept = match dtype {
            DType::BF16 => 8,
            DType::F16 => 11,
            DType::F32 => 24,
            DType::F64 => 32,
            other => panic!("uniform_from_bits: {other} is not a floating-point type"),
        };
        let numerator = match 32 - kept {
            // As i32 the greatest would be negative.
            0 => {
                let wide = self.convert(DType::I64);
                wide.and(&Value::constant(Scalar::from_i64(DType::I64, u32::MAX as i64), self.shape()))
            }
            dropped => self.shift_right_logical(&self.full_like(dropped as f64)),
        };
        let real = numerator.convert(dtype);
        real.mul(&real.full_like((-kept as f64).exp2()))
    }
}
