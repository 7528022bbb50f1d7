//! The graph: shapes, element types, operations and their gradients. No kernels.
//!
//! A [`Value`] is a handle to one output of a node in a directed acyclic graph that grows as
//! operations are recorded. The operations here are strict, as StableHLO's are: operands of one
//! operation have exactly equal shapes and element types, nothing broadcasts or promotes by itself.
//! The friendly, NumPy-like vocabulary on top is `gyrus-tensor`'s.
//!
//! [`gradients`] turns a graph into the graph of its derivatives; [`Graph`] is a closed, numbered
//! copy of a piece of the graph, which devices plan, hash and run.

mod buffer;
pub mod conformance;
mod device;
mod dtype;
mod grad;
mod graph;
mod held;
pub mod ops;
mod scalar;
mod shape;
mod value;

pub use buffer::{Buffer, Element};
pub use device::{Accelerator, Device, Remote};
pub use dtype::DType;
pub use grad::gradients;
pub use graph::{Captured, Graph, GraphNode, Port};
pub use held::held;
pub use ops::{Op, Operation};
pub use scalar::{Real, Scalar};
pub use shape::{Shape, Spec};
pub use value::Value;

pub use half::{bf16, f16};
