//! Tensors: what users hold.
//!
//! A [`Tensor`] is a handle to a value in a graph. Operations on tensors record what is to be done; shape
//! and element type are known at once, the elements when they are read. [`compile`] captures a whole
//! function once and replays its plan, with no recording and no allocation.

mod compile;
mod evaluate;
mod gradient;
mod module;
mod random;
mod tensor;

pub use compile::{Compiled, compile};
pub use evaluate::{evaluate, num_threads, set_num_threads};
pub use gradient::{Gradients, grad};
pub use module::{Buffer, Kind, Module, Path};
pub use random::Rng;
pub use tensor::Tensor;

pub use gyrus_graph::{DType, Device, Element, Shape, bf16, f16};
