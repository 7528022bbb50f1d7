//! Values in a device's memory.

use std::fmt;
use std::ptr::{self, NonNull};

use gyrus_graph::{Buffer, DType};

use super::ffi::{
    self, BufferDestroy, BufferDimensions, BufferElementType, BufferIsDeleted, BufferReadyEvent, BufferToHostBuffer,
    MemoryLayout, Structure, TiledLayout,
};
use super::{Client, Event, Plugin, Transfer};
use crate::PjrtError;

/// A tensor in a device's memory, which is freed with it. It may still be under way: what uses it waits.
pub struct DeviceBuffer {
    client: Client,
    buffer: NonNull<ffi::Buffer>,
    dtype: DType,
    dims: Vec<usize>,
}

// SAFETY: PJRT's functions may be called from any thread.
unsafe impl Send for DeviceBuffer {}
// SAFETY: as above.
unsafe impl Sync for DeviceBuffer {}

impl DeviceBuffer {
    /// Takes a buffer over.
    ///
    /// # Safety
    /// The buffer is null, or the client's and the caller's to free.
    pub(super) unsafe fn new(client: &Client, buffer: *mut ffi::Buffer) -> Result<Self, PjrtError> {
        let doing = "describing a buffer";
        let plugin = client.plugin();
        let buffer = plugin.not_null(buffer, doing)?;
        // From here on the buffer is freed on every way out.
        let mut this = Self { client: client.clone(), buffer, dtype: DType::U8, dims: Vec::new() };
        let mut kind = BufferElementType { buffer: buffer.as_ptr(), ..BufferElementType::ZERO };
        let mut shape = BufferDimensions { buffer: buffer.as_ptr(), ..BufferDimensions::ZERO };
        // SAFETY: the buffer is there, and so is its list of dimensions.
        unsafe {
            plugin.call(doing, &mut kind)?;
            plugin.call(doing, &mut shape)?;
            this.dims = (0..shape.num_dims).map(|axis| *shape.dims.add(axis) as usize).collect();
        }
        this.dtype = ffi::dtype(kind.kind).ok_or_else(|| PjrtError::Misuse {
            doing,
            problem: format!("its element type is PJRT's number {}, which gyrus has not", kind.kind),
        })?;
        Ok(this)
    }

    /// The element type.
    pub fn dtype(&self) -> DType {
        self.dtype
    }

    /// The extents of the axes.
    pub fn dims(&self) -> &[usize] {
        &self.dims
    }

    /// How many bytes the elements take on the host.
    pub fn num_bytes(&self) -> usize {
        self.dims.iter().product::<usize>() * self.dtype.size()
    }

    /// The client whose device it is on.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Copies the elements to the host, in row-major order, and waits for it.
    ///
    /// # Errors
    /// [`PjrtError::Misuse`] if `bytes` are not [`num_bytes`](Self::num_bytes); [`PjrtError::Donated`] if an execution
    /// took the buffer; [`PjrtError::Plugin`] if what was to compute it failed.
    pub fn to_host(&self, bytes: &mut [u8]) -> Result<(), PjrtError> {
        let doing = "copying from a device";
        if bytes.len() != self.num_bytes() {
            let problem = format!("{} bytes for {self:?}, which takes {}", bytes.len(), self.num_bytes());
            return Err(PjrtError::Misuse { doing, problem });
        }
        // SAFETY: the bytes are as many as asked for, and are borrowed until the copy is over.
        let begun = unsafe { self.begin_copy(doing, bytes.as_mut_ptr()) };
        let copied = begun.and_then(|copied| copied.map_or(Ok(()), |copied| copied.wait()));
        copied.map_err(|error| self.or_donated(doing, error))
    }

    /// Begins to copy the elements to new memory of the host, in row-major order, and does not wait.
    ///
    /// # Errors
    /// [`PjrtError::Donated`] if an execution took the buffer. What goes wrong later comes up where the transfer is
    /// waited for.
    pub fn begin_to_host(&self) -> Result<Transfer, PjrtError> {
        let doing = "copying from a device";
        let mut memory = Buffer::unset(self.num_bytes());
        let start = memory.bytes_mut().map_or(ptr::null_mut(), <[u8]>::as_mut_ptr);
        // SAFETY: the memory is as large as asked for, shared with no one, and held by the transfer until the copy is
        // over.
        let copied = unsafe { self.begin_copy(doing, start) }.map_err(|error| self.or_donated(doing, error))?;
        Ok(Transfer::new(memory, copied))
    }

    /// Begins a copy; the event, if there is one, says when it is over.
    ///
    /// # Safety
    /// There is room for `num_bytes` until then.
    unsafe fn begin_copy(&self, doing: &'static str, start: *mut u8) -> Result<Option<Event>, PjrtError> {
        // Without a layout the plug-in would choose its own order of the axes.
        let minor_to_major: Vec<i64> = (0..self.dims.len() as i64).rev().collect();
        let tiled = TiledLayout {
            struct_size: size_of::<TiledLayout>(),
            minor_to_major: minor_to_major.as_ptr(),
            minor_to_major_size: minor_to_major.len(),
            ..TiledLayout::ZERO
        };
        let mut layout =
            MemoryLayout { struct_size: size_of::<MemoryLayout>(), tiled, kind: ffi::TILED, ..MemoryLayout::ZERO };
        let mut copy = BufferToHostBuffer {
            src: self.buffer.as_ptr(),
            host_layout: if self.dims.len() > 1 { &mut layout } else { ptr::null_mut() },
            dst: start.cast(),
            dst_size: self.num_bytes(),
            ..BufferToHostBuffer::ZERO
        };
        // SAFETY: the buffer is there, and so is the room. The event is given away.
        unsafe {
            self.plugin().call(doing, &mut copy)?;
            Ok(Event::new(&self.client, copy.event, doing))
        }
    }

    /// When the elements are there; `None` if they are.
    ///
    /// # Errors
    /// [`PjrtError::Donated`] if an execution took the buffer.
    pub fn ready(&self) -> Result<Option<Event>, PjrtError> {
        let doing = "computing a buffer";
        let mut ready = BufferReadyEvent { buffer: self.buffer.as_ptr(), ..BufferReadyEvent::ZERO };
        // SAFETY: the buffer is there; the event is given away.
        unsafe {
            self.plugin().call(doing, &mut ready).map_err(|error| self.or_donated(doing, error))?;
            Ok(Event::new(&self.client, ready.event, doing))
        }
    }

    /// Whether its memory was taken for a result of an execution that it was donated to.
    pub fn is_deleted(&self) -> bool {
        let mut deleted = BufferIsDeleted { buffer: self.buffer.as_ptr(), ..BufferIsDeleted::ZERO };
        // SAFETY: the buffer is there.
        unsafe { self.plugin().call("asking for a buffer", &mut deleted) }.is_ok() && deleted.is_deleted
    }

    /// The plug-in's error, or the clearer one if the cause is a donation.
    pub(super) fn or_donated(&self, doing: &'static str, error: PjrtError) -> PjrtError {
        if self.is_deleted() { PjrtError::Donated { doing, buffer: format!("{self:?}") } } else { error }
    }

    pub(super) fn as_ptr(&self) -> *mut ffi::Buffer {
        self.buffer.as_ptr()
    }

    fn plugin(&self) -> &'static Plugin {
        self.client.plugin()
    }
}

impl Drop for DeviceBuffer {
    fn drop(&mut self) {
        // SAFETY: the buffer is ours, and is not used again; what still reads it holds its memory.
        unsafe { self.plugin().destroy(BufferDestroy { buffer: self.as_ptr(), ..BufferDestroy::ZERO }) }
    }
}

impl fmt::Debug for DeviceBuffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?}", self.dtype, self.dims)
    }
}
