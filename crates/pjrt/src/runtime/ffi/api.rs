//! The table of a plug-in's functions, and calls through it.

use std::ffi::{c_char, c_int, c_void};
use std::ptr::NonNull;

use super::{Arguments, Error, ErrorDestroy, ErrorGetCode, ErrorMessage, ExtensionStart, Structure};
use crate::ErrorCode;

/// The major version of the interface that is spoken here: another one is incompatible.
pub(in crate::runtime) const MAJOR: c_int = 0;
/// The minor version of the header that the structs here were taken from.
pub(in crate::runtime) const MINOR: c_int = 90;

/// How `PJRT_Api` begins; pointers to functions follow, more of them in newer versions.
#[repr(C)]
pub(super) struct TableHead {
    pub struct_size: usize,
    pub extension_start: ExtensionStart,
    pub version: ApiVersion,
}

/// `PJRT_Api_Version`.
#[repr(C)]
pub(super) struct ApiVersion {
    pub struct_size: usize,
    pub extension_start: ExtensionStart,
    pub major_version: c_int,
    pub minor_version: c_int,
}

/// The functions of a plug-in, for the life of the process.
#[derive(Clone, Copy)]
pub(in crate::runtime) struct Api {
    head: NonNull<TableHead>,
}

// SAFETY: the table is constant, and PJRT's functions may be called from any thread.
unsafe impl Send for Api {}
// SAFETY: as above.
unsafe impl Sync for Api {}

/// Why a call failed.
pub(in crate::runtime) enum Failure {
    /// The plug-in does not have this function.
    Absent(&'static str),
    /// The plug-in's own error.
    Reported(ErrorCode, String),
}

/// A struct with room behind it for the fields that newer versions add.
///
/// A newer plug-in refuses structs that are smaller than those of its own header. What newer versions added so far
/// means nothing where it is zero.
#[repr(C)]
pub(in crate::runtime) struct WithRoom<S> {
    structure: S,
    room: [usize; 16],
}

impl<S> WithRoom<S> {
    pub(in crate::runtime) fn as_mut_ptr(&mut self) -> *mut S {
        (&raw mut *self).cast()
    }
}

impl Api {
    /// The table that `GetPjrtApi` returned; `None` if it returned nothing.
    ///
    /// # Safety
    /// The pointer is null, or leads to a `PJRT_Api` that is never freed nor changed.
    pub(in crate::runtime) unsafe fn new(table: *const c_void) -> Option<Self> {
        NonNull::new(table.cast_mut().cast()).map(|head| Self { head })
    }

    /// The major and minor version of the plug-in's interface.
    pub(in crate::runtime) fn version(self) -> (c_int, c_int) {
        // SAFETY: the head is there in every version of the table.
        let version = unsafe { &(*self.head.as_ptr()).version };
        (version.major_version, version.minor_version)
    }

    /// Whether the plug-in has a function.
    pub(in crate::runtime) fn has(self, slot: usize) -> bool {
        self.function(slot).is_some()
    }

    fn function(self, slot: usize) -> Option<NonNull<c_void>> {
        let offset = size_of::<TableHead>() + slot * size_of::<*const c_void>();
        // SAFETY: the head is there in every version of the table.
        let struct_size = unsafe { (*self.head.as_ptr()).struct_size };
        if offset + size_of::<*const c_void>() > struct_size {
            return None;
        }
        // SAFETY: the pointer lies within the table, as its size says.
        NonNull::new(unsafe { self.head.as_ptr().byte_add(offset).cast::<*mut c_void>().read() })
    }

    /// Calls the function that these arguments are for.
    ///
    /// # Safety
    /// The pointers within the arguments are what the header asks for.
    pub(in crate::runtime) unsafe fn call<A: Arguments>(self, arguments: &mut A) -> Result<(), Failure> {
        let function = self.function(A::SLOT).ok_or(Failure::Absent(A::NAME))?;
        let mut with_room = self.with_room(*arguments);
        // SAFETY: the function in this slot takes a pointer to these arguments and returns a pointer to an error.
        let error = unsafe {
            let function: unsafe extern "C" fn(*mut A) -> *mut Error = std::mem::transmute(function);
            function(with_room.as_mut_ptr())
        };
        *arguments = with_room.structure;
        // SAFETY: the plug-in gives the error away.
        unsafe { self.take(error) }
    }

    /// A struct that says how large it is: larger than ours for plug-ins that may know more.
    pub(in crate::runtime) fn with_room<S: Structure>(self, structure: S) -> WithRoom<S> {
        let mut with_room = WithRoom { structure, room: [0; 16] };
        let is_newer = self.version().1 > MINOR;
        with_room.structure.set_struct_size(if is_newer { size_of::<WithRoom<S>>() } else { size_of::<S>() });
        with_room
    }

    /// Calls a function that returns nothing.
    ///
    /// # Safety
    /// As for `call`.
    unsafe fn call_without_result<A: Arguments>(self, arguments: &mut A) {
        let Some(function) = self.function(A::SLOT) else { return };
        arguments.set_struct_size(size_of::<A>());
        // SAFETY: the function in this slot takes a pointer to these arguments and returns nothing.
        unsafe {
            let function: unsafe extern "C" fn(*mut A) = std::mem::transmute(function);
            function(arguments);
        }
    }

    /// Reads an error and frees it.
    ///
    /// # Safety
    /// The error is null, or the plug-in's and the caller's to free.
    pub(in crate::runtime) unsafe fn take(self, error: *mut Error) -> Result<(), Failure> {
        if error.is_null() {
            return Ok(());
        }
        let mut message = ErrorMessage { error, ..ErrorMessage::ZERO };
        let mut code = ErrorGetCode { error, ..ErrorGetCode::ZERO };
        let mut destroy = ErrorDestroy { error, ..ErrorDestroy::ZERO };
        // SAFETY: the error lives until it is destroyed, once, after its message was copied. That there is an error
        // about the error's code is of no interest: its pointer would be that of a plug-in out of memory.
        unsafe {
            self.call_without_result(&mut message);
            let text = text(message.message, message.message_size);
            if let Some(function) = self.function(ErrorGetCode::SLOT) {
                code.set_struct_size(size_of::<ErrorGetCode>());
                let function: unsafe extern "C" fn(*mut ErrorGetCode) -> *mut Error = std::mem::transmute(function);
                function(&mut code);
            }
            self.call_without_result(&mut destroy);
            Err(Failure::Reported(ErrorCode(code.code), text))
        }
    }
}

/// Text that a plug-in owns, copied.
///
/// # Safety
/// The pointer is null, or leads to as many bytes as `size` says.
pub(in crate::runtime) unsafe fn text(start: *const c_char, size: usize) -> String {
    if start.is_null() {
        return String::new();
    }
    // SAFETY: as above.
    String::from_utf8_lossy(unsafe { std::slice::from_raw_parts(start.cast(), size) }).into_owned()
}
