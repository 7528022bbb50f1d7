//! The structs that the functions of a plug-in take, each with its function's place in the table.
//!
//! Fields that newer headers have at a struct's end are left out; where a plug-in may know more, calls leave room.

use std::ffi::{c_char, c_int, c_void};

use super::{
    Buffer, Client, Device, DeviceDescription, Error, Event, Executable, ExtensionStart, LoadedExecutable, Memory,
    NamedValueUnion, SerializedExecutable, SerializedExecutableDeleter,
};

/// A struct of the interface: it begins with its own size and a pointer to extensions.
///
/// # Safety
/// The type's layout is that of the header's struct, and it may be all zeros.
pub(in crate::runtime) unsafe trait Structure: Copy {
    /// A struct of zeros, which all of the interface's structs may begin as.
    const ZERO: Self;
    /// Says how large the struct is.
    fn set_struct_size(&mut self, size: usize);
}

/// The arguments of one function.
///
/// # Safety
/// The function in that slot of the table takes a pointer to this struct.
pub(in crate::runtime) unsafe trait Arguments: Structure {
    /// The function's name.
    const NAME: &'static str;
    /// The function's place among the table's functions.
    const SLOT: usize;
}

#[cfg(test)]
pub(super) struct Layout {
    pub name: &'static str,
    pub size: usize,
    pub offsets: Vec<(&'static str, usize)>,
}

macro_rules! structures {
    ($($c_name:literal $name:ident { $($field:ident: $type:ty),* $(,)? })*) => {
        $(
            #[doc = concat!("`", $c_name, "`.")]
            #[repr(C)]
            #[derive(Clone, Copy)]
            pub(in crate::runtime) struct $name {
                pub struct_size: usize,
                pub extension_start: ExtensionStart,
                $(pub $field: $type,)*
            }

            // SAFETY: numbers, truth values and pointers that may be null, laid out as in C.
            unsafe impl Structure for $name {
                // SAFETY: all of them may be zero.
                const ZERO: Self = unsafe { std::mem::zeroed() };

                fn set_struct_size(&mut self, size: usize) {
                    self.struct_size = size;
                }
            }
        )*

        #[cfg(test)]
        pub(super) fn layouts_of_structures() -> Vec<Layout> {
            vec![$(Layout {
                name: $c_name,
                size: size_of::<$name>(),
                offsets: vec![$((stringify!($field), std::mem::offset_of!($name, $field)),)*],
            },)*]
        }
    };
}

macro_rules! arguments {
    ($($name:ident = $slot:literal, $function:literal;)*) => {
        $(
            // SAFETY: the slot and its struct are the header's, as a test says.
            unsafe impl Arguments for $name {
                const NAME: &'static str = $function;
                const SLOT: usize = $slot;
            }
        )*

        #[cfg(test)]
        pub(super) const SLOTS: &[(&str, usize)] = &[$(($function, $slot),)*];
    };
}

structures! {
    "PJRT_NamedValue" NamedValueStruct {
        name: *const c_char,
        name_size: usize,
        kind: c_int,
        value: NamedValueUnion,
        value_size: usize,
    }
    "PJRT_Program" Program {
        code: *const c_char,
        code_size: usize,
        format: *const c_char,
        format_size: usize,
    }
    "PJRT_ExecuteOptions" ExecuteOptions {
        send_callbacks: *mut c_void,
        recv_callbacks: *mut c_void,
        num_send_ops: usize,
        num_recv_ops: usize,
        launch_id: c_int,
        non_donatable_input_indices: *const i64,
        num_non_donatable_input_indices: usize,
        context: *mut c_void,
        call_location: *const c_char,
        num_tasks: usize,
        task_ids: *mut c_int,
        incarnation_ids: *mut i64,
    }
    "PJRT_Buffer_MemoryLayout_Tiled" TiledLayout {
        minor_to_major: *const i64,
        minor_to_major_size: usize,
        tile_dims: *const i64,
        tile_dim_sizes: *const usize,
        num_tiles: usize,
    }
    "PJRT_Buffer_MemoryLayout" MemoryLayout {
        tiled: TiledLayout,
        kind: c_int,
    }
    "PJRT_Error_Destroy_Args" ErrorDestroy { error: *mut Error }
    "PJRT_Error_Message_Args" ErrorMessage {
        error: *const Error,
        message: *const c_char,
        message_size: usize,
    }
    "PJRT_Error_GetCode_Args" ErrorGetCode {
        error: *const Error,
        code: c_int,
    }
    "PJRT_Plugin_Initialize_Args" PluginInitialize {}
    "PJRT_Plugin_Attributes_Args" PluginAttributes {
        attributes: *const NamedValueStruct,
        num_attributes: usize,
    }
    "PJRT_Event_Destroy_Args" EventDestroy { event: *mut Event }
    "PJRT_Event_IsReady_Args" EventIsReady {
        event: *mut Event,
        is_ready: bool,
    }
    "PJRT_Event_Await_Args" EventAwait { event: *mut Event }
    "PJRT_Client_Create_Args" ClientCreate {
        create_options: *const NamedValueStruct,
        num_options: usize,
        kv_get_callback: *mut c_void,
        kv_get_user_arg: *mut c_void,
        kv_put_callback: *mut c_void,
        kv_put_user_arg: *mut c_void,
        client: *mut Client,
        kv_try_get_callback: *mut c_void,
        kv_try_get_user_arg: *mut c_void,
    }
    "PJRT_Client_Destroy_Args" ClientDestroy { client: *mut Client }
    "PJRT_Client_PlatformName_Args" ClientPlatformName {
        client: *mut Client,
        platform_name: *const c_char,
        platform_name_size: usize,
    }
    "PJRT_Client_PlatformVersion_Args" ClientPlatformVersion {
        client: *mut Client,
        platform_version: *const c_char,
        platform_version_size: usize,
    }
    "PJRT_Client_AddressableDevices_Args" ClientAddressableDevices {
        client: *mut Client,
        addressable_devices: *const *mut Device,
        num_addressable_devices: usize,
    }
    "PJRT_Client_Compile_Args" ClientCompile {
        client: *mut Client,
        program: *const Program,
        compile_options: *const c_char,
        compile_options_size: usize,
        executable: *mut LoadedExecutable,
    }
    "PJRT_Client_BufferFromHostBuffer_Args" ClientBufferFromHostBuffer {
        client: *mut Client,
        data: *const c_void,
        kind: c_int,
        dims: *const i64,
        num_dims: usize,
        byte_strides: *const i64,
        num_byte_strides: usize,
        host_buffer_semantics: c_int,
        device: *mut Device,
        memory: *mut Memory,
        device_layout: *mut MemoryLayout,
        done_with_host_buffer: *mut Event,
        buffer: *mut Buffer,
    }
    "PJRT_Device_GetDescription_Args" DeviceGetDescription {
        device: *mut Device,
        device_description: *mut DeviceDescription,
    }
    "PJRT_DeviceDescription_Id_Args" DeviceDescriptionId {
        device_description: *mut DeviceDescription,
        id: c_int,
    }
    "PJRT_DeviceDescription_Kind_Args" DeviceDescriptionKind {
        device_description: *mut DeviceDescription,
        device_kind: *const c_char,
        device_kind_size: usize,
    }
    "PJRT_DeviceDescription_DebugString_Args" DeviceDescriptionDebugString {
        device_description: *mut DeviceDescription,
        debug_string: *const c_char,
        debug_string_size: usize,
    }
    "PJRT_Device_LocalHardwareId_Args" DeviceLocalHardwareId {
        device: *mut Device,
        local_hardware_id: c_int,
    }
    "PJRT_Device_MemoryStats_Args" DeviceMemoryStats {
        device: *mut Device,
        bytes_in_use: i64,
        peak_bytes_in_use: i64,
        peak_bytes_in_use_is_set: bool,
        num_allocs: i64,
        num_allocs_is_set: bool,
        largest_alloc_size: i64,
        largest_alloc_size_is_set: bool,
        bytes_limit: i64,
        bytes_limit_is_set: bool,
        bytes_reserved: i64,
        bytes_reserved_is_set: bool,
        peak_bytes_reserved: i64,
        peak_bytes_reserved_is_set: bool,
        bytes_reservable_limit: i64,
        bytes_reservable_limit_is_set: bool,
        largest_free_block_bytes: i64,
        largest_free_block_bytes_is_set: bool,
        pool_bytes: i64,
        pool_bytes_is_set: bool,
        peak_pool_bytes: i64,
        peak_pool_bytes_is_set: bool,
    }
    "PJRT_Executable_Destroy_Args" ExecutableDestroy { executable: *mut Executable }
    "PJRT_Executable_NumOutputs_Args" ExecutableNumOutputs {
        executable: *mut Executable,
        num_outputs: usize,
    }
    "PJRT_Executable_Serialize_Args" ExecutableSerialize {
        executable: *const Executable,
        serialized_bytes: *const c_char,
        serialized_bytes_size: usize,
        serialized_executable: *mut SerializedExecutable,
        serialized_executable_deleter: Option<SerializedExecutableDeleter>,
    }
    "PJRT_Executable_DeserializeAndLoad_Args" ExecutableDeserializeAndLoad {
        client: *mut Client,
        serialized_executable: *const c_char,
        serialized_executable_size: usize,
        loaded_executable: *mut LoadedExecutable,
        overridden_serialized_compile_options: *const c_char,
        overridden_serialized_compile_options_size: usize,
    }
    "PJRT_LoadedExecutable_Destroy_Args" LoadedExecutableDestroy { executable: *mut LoadedExecutable }
    "PJRT_LoadedExecutable_GetExecutable_Args" LoadedExecutableGetExecutable {
        loaded_executable: *mut LoadedExecutable,
        executable: *mut Executable,
    }
    "PJRT_LoadedExecutable_Execute_Args" LoadedExecutableExecute {
        executable: *mut LoadedExecutable,
        options: *mut ExecuteOptions,
        argument_lists: *const *const *mut Buffer,
        num_devices: usize,
        num_args: usize,
        output_lists: *const *mut *mut Buffer,
        device_complete_events: *mut *mut Event,
        execute_device: *mut Device,
    }
    "PJRT_Buffer_Destroy_Args" BufferDestroy { buffer: *mut Buffer }
    "PJRT_Buffer_ElementType_Args" BufferElementType {
        buffer: *mut Buffer,
        kind: c_int,
    }
    "PJRT_Buffer_Dimensions_Args" BufferDimensions {
        buffer: *mut Buffer,
        dims: *const i64,
        num_dims: usize,
    }
    "PJRT_Buffer_IsDeleted_Args" BufferIsDeleted {
        buffer: *mut Buffer,
        is_deleted: bool,
    }
    "PJRT_Buffer_ToHostBuffer_Args" BufferToHostBuffer {
        src: *mut Buffer,
        host_layout: *mut MemoryLayout,
        dst: *mut c_void,
        dst_size: usize,
        event: *mut Event,
    }
    "PJRT_Buffer_ReadyEvent_Args" BufferReadyEvent {
        buffer: *mut Buffer,
        event: *mut Event,
    }
}

arguments! {
    ErrorDestroy = 0, "PJRT_Error_Destroy";
    ErrorMessage = 1, "PJRT_Error_Message";
    ErrorGetCode = 2, "PJRT_Error_GetCode";
    PluginInitialize = 3, "PJRT_Plugin_Initialize";
    PluginAttributes = 4, "PJRT_Plugin_Attributes";
    EventDestroy = 5, "PJRT_Event_Destroy";
    EventIsReady = 6, "PJRT_Event_IsReady";
    EventAwait = 8, "PJRT_Event_Await";
    ClientCreate = 10, "PJRT_Client_Create";
    ClientDestroy = 11, "PJRT_Client_Destroy";
    ClientPlatformName = 12, "PJRT_Client_PlatformName";
    ClientPlatformVersion = 14, "PJRT_Client_PlatformVersion";
    ClientAddressableDevices = 16, "PJRT_Client_AddressableDevices";
    ClientCompile = 20, "PJRT_Client_Compile";
    ClientBufferFromHostBuffer = 22, "PJRT_Client_BufferFromHostBuffer";
    DeviceDescriptionId = 23, "PJRT_DeviceDescription_Id";
    DeviceDescriptionKind = 26, "PJRT_DeviceDescription_Kind";
    DeviceDescriptionDebugString = 27, "PJRT_DeviceDescription_DebugString";
    DeviceGetDescription = 29, "PJRT_Device_GetDescription";
    DeviceLocalHardwareId = 31, "PJRT_Device_LocalHardwareId";
    DeviceMemoryStats = 34, "PJRT_Device_MemoryStats";
    ExecutableDestroy = 40, "PJRT_Executable_Destroy";
    ExecutableNumOutputs = 44, "PJRT_Executable_NumOutputs";
    ExecutableSerialize = 49, "PJRT_Executable_Serialize";
    LoadedExecutableDestroy = 50, "PJRT_LoadedExecutable_Destroy";
    LoadedExecutableGetExecutable = 51, "PJRT_LoadedExecutable_GetExecutable";
    LoadedExecutableExecute = 55, "PJRT_LoadedExecutable_Execute";
    ExecutableDeserializeAndLoad = 56, "PJRT_Executable_DeserializeAndLoad";
    BufferDestroy = 58, "PJRT_Buffer_Destroy";
    BufferElementType = 59, "PJRT_Buffer_ElementType";
    BufferDimensions = 60, "PJRT_Buffer_Dimensions";
    BufferIsDeleted = 68, "PJRT_Buffer_IsDeleted";
    BufferToHostBuffer = 70, "PJRT_Buffer_ToHostBuffer";
    BufferReadyEvent = 72, "PJRT_Buffer_ReadyEvent";
}

/// The functions that gyrus cannot do without; the others are used where they are there.
pub(in crate::runtime) const REQUIRED: &[(&str, usize)] = &[
    (ErrorDestroy::NAME, ErrorDestroy::SLOT),
    (ErrorMessage::NAME, ErrorMessage::SLOT),
    (ErrorGetCode::NAME, ErrorGetCode::SLOT),
    (EventDestroy::NAME, EventDestroy::SLOT),
    (EventIsReady::NAME, EventIsReady::SLOT),
    (EventAwait::NAME, EventAwait::SLOT),
    (ClientCreate::NAME, ClientCreate::SLOT),
    (ClientDestroy::NAME, ClientDestroy::SLOT),
    (ClientPlatformName::NAME, ClientPlatformName::SLOT),
    (ClientAddressableDevices::NAME, ClientAddressableDevices::SLOT),
    (ClientCompile::NAME, ClientCompile::SLOT),
    (ClientBufferFromHostBuffer::NAME, ClientBufferFromHostBuffer::SLOT),
    (DeviceGetDescription::NAME, DeviceGetDescription::SLOT),
    (DeviceDescriptionId::NAME, DeviceDescriptionId::SLOT),
    (ExecutableDestroy::NAME, ExecutableDestroy::SLOT),
    (ExecutableNumOutputs::NAME, ExecutableNumOutputs::SLOT),
    (LoadedExecutableDestroy::NAME, LoadedExecutableDestroy::SLOT),
    (LoadedExecutableGetExecutable::NAME, LoadedExecutableGetExecutable::SLOT),
    (LoadedExecutableExecute::NAME, LoadedExecutableExecute::SLOT),
    (BufferDestroy::NAME, BufferDestroy::SLOT),
    (BufferElementType::NAME, BufferElementType::SLOT),
    (BufferDimensions::NAME, BufferDimensions::SLOT),
    (BufferIsDeleted::NAME, BufferIsDeleted::SLOT),
    (BufferToHostBuffer::NAME, BufferToHostBuffer::SLOT),
    (BufferReadyEvent::NAME, BufferReadyEvent::SLOT),
];
