//! A client: a plug-in's devices, and what is asked of them.

use std::ffi::c_int;
use std::fmt;
use std::ptr::{self, NonNull};
use std::sync::Arc;

use gyrus_graph::{Buffer, DType};

use super::ffi::{
    self, ClientAddressableDevices, ClientBufferFromHostBuffer, ClientCompile, ClientCreate, ClientDestroy,
    ClientPlatformName, ClientPlatformVersion, Program, Structure, host_buffer_semantics,
};
use super::named_value::NamedValueStructs;
use super::program_cache::Key;
use super::{
    Device, DeviceBuffer, Event, Executable, NamedValue, Plugin, ProgramCache, Transfer, compile_options, libraries,
};
use crate::PjrtError;

/// A plug-in's devices, opened for this process. Clones are the same client.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
    cache: Option<ProgramCache>,
}

struct Inner {
    plugin: &'static Plugin,
    client: NonNull<ffi::Client>,
    platform_name: String,
    platform_version: String,
    devices: Vec<Device>,
}

// SAFETY: PJRT's functions may be called from any thread.
unsafe impl Send for Inner {}
// SAFETY: as above.
unsafe impl Sync for Inner {}

impl Client {
    /// Opens a plug-in's devices. The options are the plug-in's own: `cpu_device_count` of XLA's CPU,
    /// `memory_fraction`, `preallocate` and `visible_devices` of its GPUs, …
    ///
    /// # Errors
    /// [`PjrtError::Plugin`] if there is no device, its driver does not fit, or an option is refused.
    pub fn new(plugin: &'static Plugin, options: &[(&str, NamedValue)]) -> Result<Self, PjrtError> {
        let options = NamedValueStructs::new(options);
        let options = options.as_slice();
        let mut create =
            ClientCreate { create_options: options.as_ptr(), num_options: options.len(), ..ClientCreate::ZERO };
        // SAFETY: the options live until the call is over.
        unsafe { plugin.call("opening the devices", &mut create) }?;
        let client = plugin.not_null(create.client, "opening the devices")?;
        // From here on what was opened is closed on every way out.
        let mut inner = Inner {
            plugin,
            client,
            platform_name: String::new(),
            platform_version: String::new(),
            devices: Vec::new(),
        };
        inner.describe()?;
        Ok(Self { inner: Arc::new(inner), cache: ProgramCache::of_user() })
    }

    /// The same client, with another cache for its programs than the user's, or none.
    pub fn with_cache(&self, cache: Option<ProgramCache>) -> Self {
        Self { inner: self.inner.clone(), cache }
    }

    /// The plug-in.
    pub fn plugin(&self) -> &'static Plugin {
        self.inner.plugin
    }

    /// The platform's name: `cpu`, `cuda`, `rocm`, `tpu`, …
    pub fn platform_name(&self) -> &str {
        &self.inner.platform_name
    }

    /// The version of the platform, as `PJRT C API\ncuda 13000`.
    pub fn platform_version(&self) -> &str {
        &self.inner.platform_version
    }

    /// The devices that this process can use. Elsewhere a device is named by its place in this list.
    pub fn devices(&self) -> &[Device] {
        &self.inner.devices
    }

    /// Compiles a program of StableHLO, as text, for as many replicas as run it, one on each of the first devices. A
    /// program that was compiled before is read from the cache, if the plug-in can save programs.
    ///
    /// # Errors
    /// [`PjrtError::Misuse`] for no replica or more of them than devices; [`PjrtError::Plugin`] with the compiler's
    /// message.
    pub fn compile(&self, program: &str, num_replicas: usize) -> Result<Executable, PjrtError> {
        let options = self.compile_options(num_replicas)?;
        let Some(cache) = self.cache.as_ref().filter(|_| Executable::can_be_saved_by(self.plugin())) else {
            return self.compile_anew(program, &options, num_replicas);
        };
        let key = Key::new(self, program, &options);
        if let Some(saved) = cache.read(&key) {
            match Executable::load(self, &saved, num_replicas) {
                Ok(executable) => return Ok(executable),
                // A plug-in may refuse what it saved, on a machine that changed.
                Err(_) => cache.remove(&key),
            }
        }
        let executable = self.compile_anew(program, &options, num_replicas)?;
        // Some plug-ins have the function, and refuse.
        let _ = executable.save(|bytes| cache.write(&key, bytes));
        Ok(executable)
    }

    fn compile_anew(&self, program: &str, options: &[u8], num_replicas: usize) -> Result<Executable, PjrtError> {
        let format = "mlir";
        let mut code = self.plugin().with_room(Program {
            code: program.as_ptr().cast(),
            code_size: program.len(),
            format: format.as_ptr().cast(),
            format_size: format.len(),
            ..Program::ZERO
        });
        let mut compile = ClientCompile {
            client: self.as_ptr(),
            program: code.as_mut_ptr(),
            compile_options: options.as_ptr().cast(),
            compile_options_size: options.len(),
            ..ClientCompile::ZERO
        };
        // SAFETY: program and options live until the call is over. What was compiled is given away.
        unsafe {
            self.plugin().call("compiling a program", &mut compile)?;
            Executable::new(self, compile.executable, num_replicas)
        }
    }

    fn compile_options(&self, num_replicas: usize) -> Result<Vec<u8>, PjrtError> {
        let devices = self.devices();
        if num_replicas == 0 || num_replicas > devices.len() {
            let problem = format!(
                "{num_replicas} replicas on {} devices: there must be one at least, and a device for each",
                devices.len()
            );
            return Err(PjrtError::Misuse { doing: "compiling a program", problem });
        }
        let ids: Vec<i32> = devices[..num_replicas].iter().map(Device::id).collect();
        let toolkit = libraries::cuda_toolkit(self.plugin().path());
        let overrides = compile_options::overrides(self.platform_name(), toolkit.as_deref());
        Ok(compile_options::encode(&ids, &overrides))
    }

    /// Copies values to a device: `bytes` are elements in row-major order. The bytes may change once this returns; the
    /// copy may still be under way, and what uses the buffer waits for it.
    ///
    /// # Errors
    /// [`PjrtError::Misuse`] for a device that is not there or bytes that do not fill the shape;
    /// [`PjrtError::Plugin`] if the device's memory is used up.
    pub fn upload(&self, device: usize, dtype: DType, dims: &[usize], bytes: &[u8]) -> Result<DeviceBuffer, PjrtError> {
        // SAFETY: the plug-in does not read the bytes after the call.
        let (buffer, _copied) = unsafe {
            self.copy_from_host(device, dtype, dims, bytes, host_buffer_semantics::IMMUTABLE_ONLY_DURING_CALL)
        }?;
        Ok(buffer)
    }

    /// Begins to copy values to a device and does not wait: the transfer holds the host's memory until the copy is
    /// over. What uses the buffer waits for it.
    ///
    /// # Errors
    /// As for [`upload`](Self::upload).
    pub fn begin_upload(
        &self,
        device: usize,
        dtype: DType,
        dims: &[usize],
        memory: Buffer,
    ) -> Result<(DeviceBuffer, Transfer), PjrtError> {
        let semantics = host_buffer_semantics::IMMUTABLE_UNTIL_TRANSFER_COMPLETES;
        // SAFETY: the memory is neither freed nor, while the transfer shares it, changed until the event has happened.
        let (buffer, copied) = unsafe { self.copy_from_host(device, dtype, dims, memory.bytes(), semantics) }?;
        Ok((buffer, Transfer::new(memory, copied)))
    }

    /// Begins a copy; the event, if there is one, says when the bytes may change.
    ///
    /// # Safety
    /// The bytes stay what and where they are for as long as the semantics ask.
    unsafe fn copy_from_host(
        &self,
        device: usize,
        dtype: DType,
        dims: &[usize],
        bytes: &[u8],
        semantics: c_int,
    ) -> Result<(DeviceBuffer, Option<Event>), PjrtError> {
        let doing = "copying to a device";
        let misuse = |problem| Err(PjrtError::Misuse { doing, problem });
        let Some(target) = self.devices().get(device) else {
            return misuse(format!("there is no device {device}, only {}", self.devices().len()));
        };
        let expected = dims.iter().try_fold(dtype.size(), |size, dim| size.checked_mul(*dim));
        if expected != Some(bytes.len()) {
            let expected = expected.map_or("more than there can be".to_owned(), |expected| expected.to_string());
            return misuse(format!("{} bytes for {dtype} {dims:?}, which takes {expected}", bytes.len()));
        }
        let dims: Vec<i64> = dims.iter().map(|dim| *dim as i64).collect();
        let mut copy = ClientBufferFromHostBuffer {
            client: self.as_ptr(),
            data: bytes.as_ptr().cast(),
            kind: ffi::buffer_type(dtype),
            dims: dims.as_ptr(),
            num_dims: dims.len(),
            host_buffer_semantics: semantics,
            device: target.as_ptr(),
            ..ClientBufferFromHostBuffer::ZERO
        };
        // SAFETY: the bytes are as many as type and dimensions ask for, and live as the caller says; the rest lives
        // until the call is over. Buffer and event are given away.
        unsafe {
            self.plugin().call(doing, &mut copy)?;
            let copied = Event::new(self, copy.done_with_host_buffer, doing);
            Ok((DeviceBuffer::new(self, copy.buffer)?, copied))
        }
    }

    pub(super) fn as_ptr(&self) -> *mut ffi::Client {
        self.inner.client.as_ptr()
    }

    /// Whether this is the same client, so that buffers of the one are those of the other.
    pub(super) fn is(&self, other: &Client) -> bool {
        ptr::eq(&*self.inner, &*other.inner)
    }
}

impl Inner {
    /// Asks what the client and its devices are.
    fn describe(&mut self) -> Result<(), PjrtError> {
        let (plugin, client) = (self.plugin, self.client.as_ptr());
        let mut name = ClientPlatformName { client, ..ClientPlatformName::ZERO };
        let mut version = ClientPlatformVersion { client, ..ClientPlatformVersion::ZERO };
        let mut devices = ClientAddressableDevices { client, ..ClientAddressableDevices::ZERO };
        // SAFETY: the client is there; text and list live as long as it does.
        unsafe {
            plugin.call("asking for the platform", &mut name)?;
            self.platform_name = ffi::text(name.platform_name, name.platform_name_size);
            if plugin.call("asking for the platform", &mut version).is_ok() {
                self.platform_version = ffi::text(version.platform_version, version.platform_version_size);
            }
            plugin.call("listing the devices", &mut devices)?;
            for index in 0..devices.num_addressable_devices {
                let device = plugin.not_null(*devices.addressable_devices.add(index), "listing the devices")?;
                self.devices.push(Device::new(plugin, device)?);
            }
        }
        Ok(())
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        // SAFETY: the client is ours; buffers and executables keep it alive, so nothing of it is left.
        unsafe { self.plugin.destroy(ClientDestroy { client: self.client.as_ptr(), ..ClientDestroy::ZERO }) }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Client({}, {} devices)", self.platform_name(), self.devices().len())
    }
}
