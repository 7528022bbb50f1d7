//! Operations that combine elements along axes.

pub mod arg_reduce;
pub mod reduce;

pub use arg_reduce::{ArgReduce, Extremum};
pub use reduce::{Reduce, Reduction};

use super::{Operation, Vjp};
