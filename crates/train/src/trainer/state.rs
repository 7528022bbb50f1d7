//! All that a step changes.

use gyrus_nn_derive::Module;
use gyrus_optim::Optimizer;
use gyrus_tensor::{Module, Rng};
use serde::{Deserialize, Serialize};

/// What a step of training reads and writes. Compiled steps update it in place.
#[derive(Module)]
pub struct State<M: Module> {
    /// The model.
    pub model: M,
    /// The optimizer, with its moments and step count.
    pub optimizer: Box<dyn Optimizer>,
    /// The source of random numbers within the model.
    pub rng: Rng,
}

/// How far a run has come: everything that the trainer knows beside tensors.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Progression {
    /// Whole epochs done.
    pub epoch: u64,
    /// Batches done in the epoch that has begun.
    pub batch: u64,
    /// Steps done in all.
    pub step: u64,
    /// Samples seen in the epoch that has begun.
    pub samples: u64,
    /// Sums over these samples: the loss, then the task's metrics.
    pub sums: Vec<f64>,
    /// The best value of the monitored metric so far, and its epoch, from 1.
    pub best: Option<(f64, u64)>,
    /// Whether early stopping has ended the run.
    pub is_stopped: bool,
}
