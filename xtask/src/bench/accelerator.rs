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

/// A square product of `f32` that is computed at the precision.
fn square() -> Box<dyn Workload> {
    function([normal([8192, 8192]), normal([8192, 8192])], |x, precision| {
        let layer = Linear { weight: x[1].clone(), bias: None };
        let product = layer.forward(&x[0], &mut Context::evaluate().with_precision(precision));
        // One element is read; that the others are computed is seen to by returning them.
        vec![product.index_axis(0, 0).index_axis(0, 0), product]
    })
}

fn resnet18() -> Box<dyn Workload> {
    training(resnet::resnet18(10, false), sgd, normal([256, 3, 32, 32]), labels(256, 10))
}
