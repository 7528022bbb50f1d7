//! Operations that move elements without computing on them.

pub mod broadcast;
pub mod concatenate;
pub mod pad;
pub mod reshape;
pub mod reverse;
pub mod slice;
pub mod transpose;

pub use broadcast::Broadcast;
pub use concatenate::Concatenate;
pub use pad::Pad;
pub(crate) use pad::join;
pub use reshape::Reshape;
pub use reverse::Reverse;
pub use slice::Slice;
pub use transpose::Transpose;

use super::{Operation, Vjp};
