//! Copies between host and device that are under way.

use std::fmt;

use gyrus_graph::Buffer;

use super::Event;
use crate::PjrtError;

/// A copy to or from a device that goes on while other things are done. It holds the host's memory; dropped early, it
/// waits.
pub struct Transfer {
    memory: Buffer,
    copied: Option<Event>,
}

impl Transfer {
    /// The copy that the event stands for.
    pub(super) fn new(memory: Buffer, copied: Option<Event>) -> Self {
        Self { memory, copied }
    }

    /// Whether the copy is over, or failed.
    pub fn is_done(&self) -> Result<bool, PjrtError> {
        self.copied.as_ref().map_or(Ok(true), Event::is_ready)
    }

    /// Waits for the copy and gives the host's memory back.
    ///
    /// # Errors
    /// [`PjrtError::Plugin`] if it failed, or what was to compute its source did.
    pub fn wait(mut self) -> Result<Buffer, PjrtError> {
        self.copied.take().map_or(Ok(()), |copied| copied.wait())?;
        Ok(self.memory.clone())
    }
}

impl Drop for Transfer {
    fn drop(&mut self) {
        if let Some(copied) = &self.copied {
            // Whether it failed is the business of who waits for it: after either the memory is ours again.
            let _ = copied.wait();
        }
    }
}

impl fmt::Debug for Transfer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Transfer({} bytes)", self.memory.len())
    }
}
