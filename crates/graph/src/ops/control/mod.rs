//! Loops and other operations whose bodies are graphs of their own, and what steers the passes.

mod closure;
pub mod optimization_barrier;
pub mod remat;
pub mod scan;
mod scan_grad;
pub mod while_loop;

pub use optimization_barrier::OptimizationBarrier;
pub use remat::Remat;
pub use scan::Scan;
pub use while_loop::WhileLoop;

use super::{Operation, Vjp};
