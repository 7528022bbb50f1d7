//! The gradient of root-mean-square normalisation.

use gyrus_graph::ops::whole::RmsNormGrad;

use super::lanes::with_float;
use super::row_norm::RowNormGrad;
use crate::kernel::{Kernel, Signature};

pub(crate) fn kernel(_op: &RmsNormGrad, signature: &Signature) -> Option<Box<dyn Kernel>> {
    let x = &signature.inputs[0];
    with_float!(x.dtype, T => Box::new(RowNormGrad::<T, false>::new(&x.shape)))
}
