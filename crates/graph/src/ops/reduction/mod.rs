//! Operations that combine elements along axes.

pub mod reduce;

pub use reduce::{Reduce, Reduction};

use super::{Operation, Vjp};
