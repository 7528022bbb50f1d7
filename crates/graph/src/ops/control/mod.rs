//! Loops, whose bodies are graphs of their own.

mod closure;
pub mod scan;
mod scan_grad;
pub mod while_loop;

pub use scan::Scan;
pub use while_loop::WhileLoop;

use super::{Operation, Vjp};
