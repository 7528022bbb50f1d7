//! The CPU: graphs are simplified, fused and planned once, then run by vectorised kernels on a pool of
//! threads. The same bits come out for any number of threads.

pub mod execute;
pub mod isa;
pub mod kernel;
pub mod kernels;
pub mod limits;
pub(crate) mod math;
mod passes;
pub mod plan;
pub mod pool;
