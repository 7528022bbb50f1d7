//! Tensors: what users hold.
//!
//! A [`Tensor`] is a handle to a value in a graph. Operations on tensors record what is to be done; shape
//! and element type are known at once, the elements when they are read. [`compile`] captures a whole
//! function once and replays its plan, with no recording and no allocation.

mod arithmetic;
mod axes;
mod collectives;
mod compile;
mod creation;
mod einsum;
mod evaluate;
mod functions;
mod gradient;
mod indexing;
mod module;
mod operand;
mod printing;
mod products;
mod random;
mod reductions;
mod shape_operations;
mod sizes;
mod slicing;
mod tensor;

pub use axes::{Axes, Keepdim, ReductionAxes};
pub use compile::{Compiled, StepTime, compile, num_shares, prefetch};
pub use evaluate::{evaluate, num_threads, set_num_threads, try_evaluate};
pub use gradient::{Gradients, grad, remat};
pub use module::{Buffer, Kind, Module, Path, Visit, VisitMut};
pub use operand::Operand;
pub use random::Rng;
pub use sizes::Sizes;
pub use slicing::{Ellipsis, Index, IndexItem, IndexRange, NewAxis, Step};
pub use tensor::Tensor;

pub use gyrus_cpu::plan::{StepSummary, Work};
pub use gyrus_graph::ops::contraction::{ConvolutionWindow, Precision};
pub use gyrus_graph::{Accelerator, DType, Device, Element, Shape, bf16, f16};
pub use gyrus_pjrt::{PjrtError, open};
