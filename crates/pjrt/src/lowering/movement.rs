//! Operations that move elements.

use gyrus_graph::Spec;
use gyrus_graph::ops::movement::{Broadcast, Concatenate, Slice};

use super::attributes::array;
use super::writer::{Tensor, Writer};

pub(super) fn transpose(w: &mut Writer, x: &Tensor, permutation: &[usize]) -> Tensor {
    let shape: Vec<usize> = permutation.iter().map(|&axis| x.shape()[axis]).collect();
    let attributes = format!("permutation = {}", array(permutation));
    w.op("transpose", &[x], &attributes, &Spec::new(shape, x.dtype()))
}

pub(super) fn broadcast(w: &mut Writer, op: &Broadcast, x: &Tensor, result: &Spec) -> Tensor {
    w.op("broadcast_in_dim", &[x], &format!("broadcast_dimensions = {}", array(&op.axes)), result)
}

pub(super) fn slice(w: &mut Writer, op: &Slice, x: &Tensor, result: &Spec) -> Tensor {
    let (start, limit, step) = (array(&op.start), array(&op.limit), array(&op.step));
    w.op("slice", &[x], &format!("start_indices = {start}, limit_indices = {limit}, strides = {step}"), result)
}

pub(super) fn pad(
    w: &mut Writer,
    x: &Tensor,
    padding: &Tensor,
    low: &[i64],
    high: &[i64],
    interior: &[usize],
) -> Tensor {
    let size = |axis: usize| {
        let size = x.shape()[axis];
        let spread = size + size.saturating_sub(1) * interior[axis];
        (spread as i64 + low[axis] + high[axis]) as usize
    };
    let shape: Vec<usize> = (0..x.rank()).map(size).collect();
    let attributes = format!(
        "edge_padding_low = {}, edge_padding_high = {}, interior_padding = {}",
        array(low),
        array(high),
        array(interior)
    );
    w.op("pad", &[x, padding], &attributes, &Spec::new(shape, x.dtype()))
}

pub(super) fn concatenate(w: &mut Writer, op: &Concatenate, x: &[Tensor], result: &Spec) -> Tensor {
    let operands: Vec<&Tensor> = x.iter().collect();
    w.op("concatenate", &operands, &format!("dimension = {} : i64", op.axis), result)
}

pub(super) fn reverse(w: &mut Writer, x: &Tensor, axes: &[usize]) -> Tensor {
    w.op("reverse", &[x], &format!("dimensions = {}", array(axes)), &x.spec)
}
