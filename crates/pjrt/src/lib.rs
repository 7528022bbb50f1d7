//! Accelerators: graphs are lowered to StableHLO, compiled and run by any PJRT plug-in, loaded at run time.

mod accelerator;
pub mod discovery;
mod error;
mod evaluate;
pub mod lowering;
mod placement;
mod program;
pub mod runtime;
mod sharing;

pub use accelerator::{open, opened};
pub use error::{ErrorCode, PjrtError};
pub use evaluate::evaluate;
pub use placement::{Held, resident};
pub use program::{Argument, Program};
pub use sharing::Sharing;
