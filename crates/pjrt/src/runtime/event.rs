//! Events: work of a device that will be done.

use std::fmt;
use std::ptr::NonNull;

use super::Client;
use super::ffi::{self, EventAwait, EventDestroy, EventIsReady, Structure};
use crate::PjrtError;

/// Something that a device will have done: a copy, or the computation of a buffer.
pub struct Event {
    client: Client,
    event: NonNull<ffi::Event>,
    doing: &'static str,
}

// SAFETY: PJRT's functions may be called from any thread.
unsafe impl Send for Event {}
// SAFETY: as above.
unsafe impl Sync for Event {}

impl Event {
    /// Takes an event over; `None` for a null pointer, which stands for something that is done.
    ///
    /// # Safety
    /// The event is null, or the client's and the caller's to free.
    pub(super) unsafe fn new(client: &Client, event: *mut ffi::Event, doing: &'static str) -> Option<Self> {
        NonNull::new(event).map(|event| Self { client: client.clone(), event, doing })
    }

    /// Whether it has happened, or failed.
    pub fn is_ready(&self) -> Result<bool, PjrtError> {
        let mut arguments = EventIsReady { event: self.event.as_ptr(), ..EventIsReady::ZERO };
        // SAFETY: the event is ours until it is dropped.
        unsafe { self.client.plugin().call(self.doing, &mut arguments) }?;
        Ok(arguments.is_ready)
    }

    /// Waits until it has happened.
    ///
    /// # Errors
    /// [`PjrtError::Plugin`] if what was to be done failed.
    pub fn wait(&self) -> Result<(), PjrtError> {
        let mut arguments = EventAwait { event: self.event.as_ptr(), ..EventAwait::ZERO };
        // SAFETY: the event is ours until it is dropped.
        unsafe { self.client.plugin().call(self.doing, &mut arguments) }
    }
}

impl Drop for Event {
    fn drop(&mut self) {
        // SAFETY: the event is ours, and is not used again.
        unsafe { self.client.plugin().destroy(EventDestroy { event: self.event.as_ptr(), ..EventDestroy::ZERO }) }
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Event({})", self.doing)
    }
}
