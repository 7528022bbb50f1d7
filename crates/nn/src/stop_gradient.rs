//! Numbers that are taken as given.

use gyrus_tensor::{DType, Tensor};

/// How many parts a unit has: a power of two, so that scaling is exact.
const PARTS: f64 = (1u64 << 48) as f64;

/// The same numbers, through which no gradient flows: as whole numbers of parts of 2^-48, for integers have no gradient.
/// Numbers beyond ±32767 become that, NaN becomes 0. Within a compiled function this takes the place of
/// [`Tensor::detach`], which computes at once.
///
/// ```
/// use gyrus_nn::stop_gradient;
/// use gyrus_tensor::{Tensor, grad};
///
/// let x = Tensor::scalar(3.0f64);
/// assert_eq!(grad(&(&x * stop_gradient(&x)), &[&x])[0].item(), 3.0);
/// ```
pub fn stop_gradient(x: &Tensor) -> Tensor {
    let parts = (x.to_dtype(DType::F64).clamp(-32767.0, 32767.0) * PARTS).to_dtype(DType::I64);
    (parts.to_dtype(DType::F64) / PARTS).to_dtype(x.dtype())
}
