//! Operations that move elements without computing on them.

pub mod broadcast;
pub mod pad;
pub mod reshape;
pub mod slice;
pub mod transpose;

pub use broadcast::Broadcast;
pub use pad::Pad;
pub use reshape::Reshape;
pub use slice::Slice;
pub use transpose::Transpose;

use super::{Operation, Vjp};
