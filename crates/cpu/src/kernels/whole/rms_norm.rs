//! Root-mean-square normalisation.

use gyrus_graph::ops::whole::RmsNorm;

use super::lanes::with_float;
use super::row_norm::RowNorm;
use crate::kernel::{Kernel, Signature};

pub(crate) fn kernel(op: &RmsNorm, signature: &Signature) -> Option<Box<dyn Kernel>> {
    let x = &signature.inputs[0];
    with_float!(x.dtype, T => Box::new(RowNorm::<T, false>::new(&x.shape, op.eps.0)))
}
