//! The devices of a client.

use std::ptr::NonNull;

use super::Plugin;
use super::ffi::{
    self, DeviceDescriptionDebugString, DeviceDescriptionId, DeviceDescriptionKind, DeviceGetDescription,
    DeviceLocalHardwareId, DeviceMemoryStats, Structure,
};
use crate::PjrtError;

/// A device that programs run on.
#[derive(Debug)]
pub struct Device {
    plugin: &'static Plugin,
    device: NonNull<ffi::Device>,
    id: i32,
    kind: String,
    description: String,
    local_hardware_id: Option<i32>,
}

// SAFETY: PJRT's functions may be called from any thread.
unsafe impl Send for Device {}
// SAFETY: as above.
unsafe impl Sync for Device {}

/// The memory of a device, in bytes. What a plug-in does not count is `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct MemoryStatistics {
    /// What is in use now.
    pub bytes_in_use: u64,
    /// The most that was in use at a time.
    pub peak_bytes_in_use: Option<u64>,
    /// The most that may be in use.
    pub bytes_limit: Option<u64>,
    /// The largest piece that is free.
    pub largest_free_block_bytes: Option<u64>,
}

impl Device {
    /// Asks a plug-in about a device.
    ///
    /// # Safety
    /// The device is one of a client of the plug-in's that outlives the result.
    pub(super) unsafe fn new(plugin: &'static Plugin, device: NonNull<ffi::Device>) -> Result<Self, PjrtError> {
        let doing = "describing a device";
        let mut description = DeviceGetDescription { device: device.as_ptr(), ..DeviceGetDescription::ZERO };
        // SAFETY: the device is there.
        unsafe { plugin.call(doing, &mut description) }?;
        let device_description = description.device_description;
        let mut id = DeviceDescriptionId { device_description, ..DeviceDescriptionId::ZERO };
        let mut kind = DeviceDescriptionKind { device_description, ..DeviceDescriptionKind::ZERO };
        let mut debug = DeviceDescriptionDebugString { device_description, ..DeviceDescriptionDebugString::ZERO };
        let mut hardware = DeviceLocalHardwareId { device: device.as_ptr(), ..DeviceLocalHardwareId::ZERO };
        // SAFETY: the device and its description are there, and so is the text that they give. What a plug-in does
        // not say stays empty.
        unsafe {
            plugin.call(doing, &mut id)?;
            let has_kind = plugin.call(doing, &mut kind).is_ok();
            let has_debug = plugin.call(doing, &mut debug).is_ok();
            let has_hardware = plugin.call(doing, &mut hardware).is_ok();
            Ok(Self {
                plugin,
                device,
                id: id.id,
                kind: if has_kind { ffi::text(kind.device_kind, kind.device_kind_size) } else { String::new() },
                description: if has_debug {
                    ffi::text(debug.debug_string, debug.debug_string_size)
                } else {
                    String::new()
                },
                local_hardware_id: (has_hardware && hardware.local_hardware_id >= 0)
                    .then_some(hardware.local_hardware_id),
            })
        }
    }

    pub(super) fn as_ptr(&self) -> *mut ffi::Device {
        self.device.as_ptr()
    }

    /// The device's number, unique among all of the client's.
    pub fn id(&self) -> i32 {
        self.id
    }

    /// The vendor's name for devices of this kind: `NVIDIA H100 80GB HBM3`, `TPU v5e`, `cpu`, …
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// The plug-in's description of this one device.
    pub fn description(&self) -> &str {
        &self.description
    }

    /// The number that the system knows the device by, as CUDA's device number.
    pub fn local_hardware_id(&self) -> Option<i32> {
        self.local_hardware_id
    }

    /// What of the device's memory is used; `None` where the plug-in does not count.
    pub fn memory_statistics(&self) -> Option<MemoryStatistics> {
        let mut stats = DeviceMemoryStats { device: self.as_ptr(), ..DeviceMemoryStats::ZERO };
        // SAFETY: the device is there.
        unsafe { self.plugin.call("counting a device's memory", &mut stats) }.ok()?;
        let counted = |bytes: i64, is_set: bool| if is_set { u64::try_from(bytes).ok() } else { None };
        Some(MemoryStatistics {
            bytes_in_use: u64::try_from(stats.bytes_in_use).ok()?,
            peak_bytes_in_use: counted(stats.peak_bytes_in_use, stats.peak_bytes_in_use_is_set),
            bytes_limit: counted(stats.bytes_limit, stats.bytes_limit_is_set),
            largest_free_block_bytes: counted(stats.largest_free_block_bytes, stats.largest_free_block_bytes_is_set),
        })
    }
}
