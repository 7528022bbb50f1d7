//! The gradient of layer normalisation.

use gyrus_graph::ops::whole::LayerNormGrad;

use super::lanes::with_float;
use super::row_norm::RowNormGrad;
use crate::kernel::{Kernel, Signature};

pub(crate) fn kernel(_op: &LayerNormGrad, signature: &Signature) -> Option<Box<dyn Kernel>> {
    let x = &signature.inputs[0];
    with_float!(x.dtype, T => Box::new(RowNormGrad::<T, true>::new(&x.shape)))
}
