//! Workloads for accelerators: `scripts/bench/{torch,jax}_accelerator.py` have the same ones.

use gyrus::prelude::*;

use super::workload::{Workload, function, labels, normal, sgd, training};
use super::{Entry, lenet, lstm, resnet, transformer};

/// What is timed, as in the table of the peers' workloads.
pub const WORKLOADS: &[Entry] = &[
    ("A0-mm8192", square),
    ("A1-lenet-train-b64", lenet::train),
    ("A2-resnet18-cifar-train-b256", resnet18),
    ("A3-lstm-train-b32", lstm::train),
    ("A4-transformer-train-b16", transformer::train),
];

/// A square product, for the peak of the device; `bf16` if products are.
fn square() -> Box<dyn Workload> {
    function([normal([8192, 8192]), normal([8192, 8192])], |x, precision| {
        let dtype = if precision == Precision::Bf16 { DType::BF16 } else { DType::F32 };
        let product = x[0].to_dtype(dtype).matmul(&x[1].to_dtype(dtype));
        // One element is read; that the others are computed is seen to by returning them.
        vec![product.index_axis(0, 0).index_axis(0, 0).to_dtype(DType::F32), product]
    })
}

fn resnet18() -> Box<dyn Workload> {
    let model = resnet::resnet18(10, false);
    let optimizer = sgd(&model);
    training(model, optimizer, normal([256, 3, 32, 32]), labels(256, 10))
}
