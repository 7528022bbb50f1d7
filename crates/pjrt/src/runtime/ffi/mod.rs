//! The part of the PJRT C API that gyrus uses, declared by hand.
//!
//! Source: `xla/pjrt/c/pjrt_c_api.h` of OpenXLA, version 0.90. Names are those of the header without its prefix; that
//! sizes and offsets are the header's is tested against what a C compiler makes of it.

mod api;
mod calls;
#[cfg(test)]
mod layout_tests;

use std::ffi::{c_char, c_int, c_void};

use gyrus_graph::DType;

#[cfg(test)]
pub(super) use api::MINOR;
pub(super) use api::{Api, Failure, MAJOR, WithRoom, text};
pub(super) use calls::*;

macro_rules! opaque {
    ($($name:ident),* $(,)?) => {$(
        #[doc = concat!("What a plug-in knows as `PJRT_", stringify!($name), "`; only pointers to it exist here.")]
        #[repr(C)]
        pub(in crate::runtime) struct $name {
            _opaque: [u8; 0],
        }
    )*};
}

opaque!(
    Error,
    Event,
    Client,
    Device,
    DeviceDescription,
    Memory,
    Executable,
    LoadedExecutable,
    Buffer,
    SerializedExecutable
);

/// `PJRT_NamedValue_Type`: which member of the union a named value holds.
pub(super) mod named_value_type {
    use super::c_int;

    pub(in crate::runtime) const STRING: c_int = 0;
    pub(in crate::runtime) const INT64: c_int = 1;
    pub(in crate::runtime) const INT64_LIST: c_int = 2;
    pub(in crate::runtime) const FLOAT: c_int = 3;
    pub(in crate::runtime) const BOOL: c_int = 4;
}

/// The union within `PJRT_NamedValue`.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) union NamedValueUnion {
    pub string_value: *const c_char,
    pub int64_value: i64,
    pub int64_array_value: *const i64,
    pub float_value: f32,
    pub bool_value: bool,
}

/// `PJRT_HostBufferSemantics`: how long a plug-in may read the host's memory.
pub(super) mod host_buffer_semantics {
    use super::c_int;

    pub(in crate::runtime) const IMMUTABLE_ONLY_DURING_CALL: c_int = 0;
    pub(in crate::runtime) const IMMUTABLE_UNTIL_TRANSFER_COMPLETES: c_int = 1;
}

/// `PJRT_Buffer_MemoryLayout_Type_Tiled`, the one layout that we ask for.
pub(super) const TILED: c_int = 0;

/// The deleter that comes with a serialized executable.
pub(super) type SerializedExecutableDeleter = unsafe extern "C" fn(*mut SerializedExecutable);

/// Each element type with its `PJRT_Buffer_Type`.
const BUFFER_TYPES: [(DType, c_int); 8] = [
    (DType::Bool, 1),
    (DType::I32, 4),
    (DType::I64, 5),
    (DType::U8, 6),
    (DType::F16, 10),
    (DType::F32, 11),
    (DType::F64, 12),
    (DType::BF16, 13),
];

/// The `PJRT_Buffer_Type` of an element type; that of no value where PJRT has none.
pub(super) fn buffer_type(dtype: DType) -> c_int {
    BUFFER_TYPES.iter().find(|(known, _)| *known == dtype).map_or(0, |(_, code)| *code)
}

/// The element type of a `PJRT_Buffer_Type`; `None` for those that gyrus has not.
pub(super) fn dtype(buffer_type: c_int) -> Option<DType> {
    BUFFER_TYPES.iter().find(|(_, code)| *code == buffer_type).map(|(dtype, _)| *dtype)
}

/// The extensions that a caller could chain to a struct; gyrus chains none.
pub(super) type ExtensionStart = *mut c_void;
