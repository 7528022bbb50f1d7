//! Sums of products.

pub mod dot_general;

pub use dot_general::DotGeneral;

use super::{Operation, Vjp};
