//! Operations in which all replicas of a program take part.

pub mod all_reduce;

pub use all_reduce::AllReduce;

use super::{Operation, Vjp};
