//! Optimizers, schedules of their learning rate, and gradient clipping.
//!
//! A step is recorded as tensors like everything else: the learning rate is computed from the optimizer's
//! own count of steps, so that a compiled training step replays with a rate that changes.
//!
//! ```
//! use gyrus_optim::{Adam, AdamConfig, Optimizer, Schedule};
//! use gyrus_tensor::{Module, Tensor};
//!
//! let mut weight = Tensor::from_slice([2], &[1.0f32, -2.0]);
//! let schedule = Schedule::Cosine { initial: 1e-3, minimum: 0.0, num_steps: 1000 }.with_warmup(100);
//! let mut optimizer = Adam::new(&weight, AdamConfig::new(schedule));
//! let loss = (&weight * &weight).sum(..);
//! let gradients = loss.grad(&weight);
//! optimizer.step(&mut weight, &gradients);
//! ```

extern crate gyrus_tensor as gyrus;

mod clip;
mod optimizer;
mod optimizers;
mod schedule;

pub use clip::{clip_by_global_norm, clip_by_value, global_norm};
pub use optimizer::Optimizer;
pub use optimizers::{Adam, AdamConfig, AdamW, AdamWConfig, Averaged, Rate, Scaled, Sgd, SgdConfig};
pub use schedule::Schedule;
