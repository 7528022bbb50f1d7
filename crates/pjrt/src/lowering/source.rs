//! Operations without operands.

use gyrus_graph::ops::elementwise::Direction;
use gyrus_graph::ops::source::{Constant, Iota};
use gyrus_graph::{DType, Spec};

use super::writer::{Tensor, Writer};

pub(super) fn constant(w: &mut Writer, op: &Constant) -> Tensor {
    w.constant(op.scalar, &op.shape)
}

pub(super) fn iota(w: &mut Writer, op: &Iota) -> Tensor {
    let dtype = if op.spec.dtype == DType::Bool { DType::I32 } else { op.spec.dtype };
    let attributes = format!("iota_dimension = {} : i64", op.axis);
    let counts = w.op("iota", &[], &attributes, &Spec::new(&op.spec.shape, dtype));
    if op.spec.dtype != DType::Bool {
        return counts;
    }
    let zero = w.full_like(&counts, 0.0);
    w.compare(Direction::Ne, &counts, &zero)
}
