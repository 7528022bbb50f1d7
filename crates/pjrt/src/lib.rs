//! Accelerators: graphs are lowered to StableHLO, compiled and run by any PJRT plug-in, loaded at run time.

pub mod discovery;
mod error;
pub mod lowering;
pub mod runtime;

pub use error::{ErrorCode, PjrtError};
