//! Deep learning in one binary, and in one library.
//!
//! This trains LeNet-5 on the 60,000 handwritten digits that come with gyrus:
//!
//! ```
#![doc = include_str!("../examples/lenet5.rs")]
//! ```
//!
//! The closure is one whole step of training: forward, backward and update. [`compile`] runs it once to see what
//! it does, plans that as a whole, and then replays the plan.
//!
//! The same lines do without [`compile`], in a loop: a tensor is computed when it is read, an optimizer's step at once, with
//! its loss. That is the way to try something out; compiled steps take half to nine tenths of the time, and less memory.
//!
//! # Where things are
//! * [`Tensor`], [`grad`] and [`compile`]: the engine.
//! * [`nn`]: layers, initial weights and losses; [`optim`]: optimizers and schedules; [`models`]: architectures.
//! * [`open`] and [`accelerators`]: GPUs, TPUs and others, by their vendors' PJRT plug-ins.
//! * [`data`]: reading, checking, splitting, transforming and loading data; [`metrics`]: measuring; [`geometry`]: boxes and
//!   masks; [`draw`]: pictures of them.
//! * [`train`]: the loop with checkpoints, early stopping and reports; [`tasks`]: what the command line trains;
//!   [`checkpoint`]: what lasts.
//!
//! # Models of your own
//! A model is a struct of layers:
//!
//! ```
//! use gyrus::prelude::*;
//!
//! #[derive(Module)]
//! struct Classifier {
//!     hidden: Linear,
//!     output: Linear,
//! }
//!
//! impl Layer for Classifier {
//!     fn forward(&self, input: &Tensor, context: &mut Context) -> Tensor {
//!         let hidden = self.hidden.forward(&Flatten.forward(input, context), context).relu();
//!         self.output.forward(&hidden, context)
//!     }
//! }
//!
//! let mut rng = Rng::new(0);
//! let model = Classifier { hidden: Linear::new(64, 32, &mut rng), output: Linear::new(32, 10, &mut rng) };
//! let images = rng.normal([5, 1, 8, 8], DType::F32, 0.0, 1.0);
//! assert_eq!(model.forward(&images, &mut Context::evaluate()).shape()[..], [5, 10]);
//! assert_eq!(model.named_parameters()[0].0, "hidden.weight");
//! ```

// `#[derive(Module)]` names this crate `::gyrus`, here as elsewhere.
extern crate self as gyrus;

mod batches;
pub mod prelude;

pub use gyrus_nn::{Context, Layer, Module};
pub use gyrus_tensor::{
    Accelerator, Axes, Buffer, Compiled, ConvolutionWindow, DType, Device, Element, Ellipsis, Gradients, Index,
    IndexItem, IndexRange, Keepdim, Kind, NewAxis, Operand, Path, PjrtError, Precision, ReductionAxes, Rng, Shape,
    Sizes, Step, StepSummary, StepTime, Tensor, Work, bf16, compile, evaluate, f16, grad, num_shares, num_threads,
    open, prefetch, remat, set_num_threads, try_evaluate,
};

pub use gyrus_checkpoint as checkpoint;
pub use gyrus_draw as draw;
pub use gyrus_geometry as geometry;
pub use gyrus_metrics as metrics;
pub use gyrus_models as models;
pub use gyrus_nn as nn;
pub use gyrus_nn::losses;
pub use gyrus_optim as optim;
pub use gyrus_pjrt as accelerators;
pub use gyrus_tasks as tasks;
pub use gyrus_train as train;

/// From a user's files to batches of tensors: reading, checking, splitting, transforming and loading.
pub mod data {
    pub use crate::batches::{Batches, Tensors};
    pub use gyrus_data::*;
}
