//! Images `[N, C, spatial..]` that lie in memory as `[N, spatial.., C]`: what moves row-major elements moves theirs,
//! told of the axes in the order of memory.

use gyrus_graph::Spec;
use gyrus_graph::ops::movement::{Concatenate, Pad};

use super::{concatenate, pad};
use crate::kernel::{Kernel, Signature};

/// Images one after another.
pub(crate) fn concatenation(op: &Concatenate, signature: &Signature) -> Option<Box<dyn Kernel>> {
    let axes = axes(signature.outputs[0].shape.rank())?;
    let axis = axes.iter().position(|&axis| axis == op.axis).expect("an axis of the images");
    let inputs: Vec<Spec> = signature.inputs.iter().map(|input| in_memory(input, &axes)).collect();
    let outputs = [in_memory(&signature.outputs[0], &axes)];
    Some(concatenate::kernel(&Concatenate { axis }, &Signature { inputs: &inputs, outputs: &outputs }))
}

/// Padding of images.
pub(crate) fn padding(op: &Pad, signature: &Signature) -> Option<Box<dyn Kernel>> {
    let axes = axes(signature.outputs[0].shape.rank())?;
    let op = Pad { low: sorted(&op.low, &axes), high: sorted(&op.high, &axes), interior: sorted(&op.interior, &axes) };
    let inputs = [in_memory(&signature.inputs[0], &axes), signature.inputs[1].clone()];
    let outputs = [in_memory(&signature.outputs[0], &axes)];
    Some(pad::kernel(&op, &Signature { inputs: &inputs, outputs: &outputs }))
}

/// The axes of images from the outermost in memory to the innermost.
fn axes(rank: usize) -> Option<Vec<usize>> {
    (rank > 2).then(|| [0].into_iter().chain(2..rank).chain([1]).collect())
}

fn sorted<T: Copy>(of_axes: &[T], axes: &[usize]) -> Vec<T> {
    axes.iter().map(|&axis| of_axes[axis]).collect()
}

fn in_memory(images: &Spec, axes: &[usize]) -> Spec {
    Spec::new(sorted(&images.shape, axes), images.dtype)
}
