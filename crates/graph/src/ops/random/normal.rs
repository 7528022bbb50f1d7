//! The normal distribution.

use crate::{DType, Value};

impl Value {
    /// From random bits (`i32`) of shape `[2, ...]` as many independent reals of mean 0 and standard
    /// deviation 1: `sqrt(-2 ln(1 - u)) * [cos(2 pi v), sin(2 pi v)]` for pairs `u, v` distributed evenly
    /// over `[0, 1)`. `f16` and `bf16` are rounded from `f32`. In `f32` none exceeds 5.8, in `f64` 6.7.
    ///
    /// # Source
    /// Box and Muller, A Note on the Generation of Random Normal Deviates (1958).
    ///
    /// # Panics
    /// If the bits are not `i32`, the first axis is not of size 2, or `dtype` is not a floating-point type.
    #[track_caller]
    pub fn normal_from_bits(&self, dtype: DType) -> Value {
        assert!(
            self.shape().first() == Some(&2),
            "normal_from_bits: {}: the first axis must have size 2; draw bits in pairs",
            self.spec()
        );
        let wide = if dtype == DType::F64 { DType::F64 } else { DType::F32 };
        let uniform = self.uniform_from_bits(wide);
        let [u, v] = [0, 1].map(|index| uniform.index_axis(0, index));
        // 1 - u is in (0, 1], where the logarithm is finite.
        let log = u.full_like(1.0).sub(&u).log();
        let radius = log.mul(&log.full_like(-2.0)).sqrt();
        let angle = v.mul(&v.full_like(std::f64::consts::TAU));
        let normal = Value::stack(&[&radius.mul(&angle.cos()), &radius.mul(&angle.sin())], 0);
        assert!(dtype.is_float(), "normal_from_bits: {dtype} is not a floating-point type");
        normal.convert(dtype)
    }
}
