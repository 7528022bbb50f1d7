//! Layer normalisation.

use gyrus_graph::ops::whole::LayerNorm;

use super::lanes::with_float;
use super::row_norm::RowNorm;
use crate::kernel::{Kernel, Signature};

pub(crate) fn kernel(op: &LayerNorm, signature: &Signature) -> Option<Box<dyn Kernel>> {
    let x = &signature.inputs[0];
    with_float!(x.dtype, T => Box::new(RowNorm::<T, true>::new(&x.shape, op.eps.0)))
}
