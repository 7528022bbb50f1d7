//! Random bits.

use gyrus_graph::ops::random::RandomBits;
use gyrus_graph::{DType, Op, Scalar};

use super::writer::{Tensor, Writer};
use super::{LoweringError, whole};

/// The decomposition, whose arithmetic of whole numbers is exact everywhere. Of several replicas each draws the words
/// that follow those of the one before.
pub(super) fn random_bits(
    w: &mut Writer,
    op: &Op,
    bits: &RandomBits,
    x: &[Tensor],
) -> Result<Vec<Tensor>, LoweringError> {
    if w.num_replicas == 1 {
        return whole::lower(w, op, x);
    }
    let replica = w.replica();
    let count = w.constant(Scalar::from_i64(DType::I64, bits.shape.num_elements() as i64), []);
    let first = w.map("multiply", &[&replica, &count]);
    w.call(op, &[x[0].clone(), first], |x| Some(vec![bits.words_from(&x[0], &x[1])]))
}
