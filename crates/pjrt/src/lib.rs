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

pub use accelerator::open;
pub use error::{ErrorCode, PANIC, PjrtError, or_panic};
pub use evaluate::evaluate;
pub use placement::{Held, resident};
pub use program::{Argument, Program};
pub use sharing::Sharing;
