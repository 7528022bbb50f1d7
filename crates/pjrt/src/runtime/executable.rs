//! Compiled programs.

use std::fmt;
use std::ptr::{self, NonNull};

use super::ffi::{
    self, ExecutableDeserializeAndLoad, ExecutableDestroy, ExecutableNumOutputs, ExecutableSerialize, ExecuteOptions,
    LoadedExecutableDestroy, LoadedExecutableExecute, LoadedExecutableGetExecutable, Structure,
};
use super::{Client, DeviceBuffer, Plugin};
use crate::PjrtError;

/// A program that was compiled for a client's devices.
pub struct Executable {
    client: Client,
    loaded: NonNull<ffi::LoadedExecutable>,
    num_replicas: usize,
    num_outputs: usize,
    is_from_cache: bool,
}

// SAFETY: PJRT's functions may be called from any thread.
unsafe impl Send for Executable {}
// SAFETY: as above.
unsafe impl Sync for Executable {}

impl Executable {
    /// Takes an executable over.
    ///
    /// # Safety
    /// The executable is null, or the client's and the caller's to free.
    pub(super) unsafe fn new(
        client: &Client,
        loaded: *mut ffi::LoadedExecutable,
        num_replicas: usize,
    ) -> Result<Self, PjrtError> {
        let loaded = client.plugin().not_null(loaded, "compiling a program")?;
        // From here on the executable is freed on every way out.
        let mut this = Self { client: client.clone(), loaded, num_replicas, num_outputs: 0, is_from_cache: false };
        this.num_outputs = this.with_unloaded(|executable| {
            let mut count = ExecutableNumOutputs { executable, ..ExecutableNumOutputs::ZERO };
            // SAFETY: the executable is there.
            unsafe { client.plugin().call("counting a program's results", &mut count) }?;
            Ok(count.num_outputs)
        })?;
        Ok(this)
    }

    /// Calls a function with the executable as it is apart from its devices.
    pub(super) fn with_unloaded<T>(
        &self,
        read: impl FnOnce(*mut ffi::Executable) -> Result<T, PjrtError>,
    ) -> Result<T, PjrtError> {
        let mut get = LoadedExecutableGetExecutable {
            loaded_executable: self.loaded.as_ptr(),
            ..LoadedExecutableGetExecutable::ZERO
        };
        // SAFETY: the loaded executable is there.
        unsafe { self.plugin().call("asking for a program", &mut get) }?;
        let result = read(get.executable);
        // SAFETY: it was given away, and is not used again.
        unsafe {
            self.plugin().destroy(ExecutableDestroy { executable: get.executable, ..ExecutableDestroy::ZERO });
        }
        result
    }

    /// Whether a plug-in has what it takes to save programs and to load them again.
    pub(super) fn can_be_saved_by(plugin: &Plugin) -> bool {
        plugin.has::<ExecutableSerialize>() && plugin.has::<ExecutableDeserializeAndLoad>()
    }

    /// Gives a function the executable's bytes.
    pub(super) fn save(&self, write: impl FnOnce(&[u8])) -> Result<(), PjrtError> {
        let doing = "saving a program";
        let mut serialize = ExecutableSerialize::ZERO;
        self.with_unloaded(|executable| {
            serialize.executable = executable;
            // SAFETY: the executable is there.
            unsafe { self.plugin().call(doing, &mut serialize) }
        })?;
        if let Some(start) = NonNull::new(serialize.serialized_bytes.cast_mut()) {
            // SAFETY: the bytes are there until they are freed.
            write(unsafe { std::slice::from_raw_parts(start.as_ptr().cast(), serialize.serialized_bytes_size) });
        }
        if let Some(free) = serialize.serialized_executable_deleter {
            // SAFETY: once, and the bytes are not used again.
            unsafe { free(serialize.serialized_executable) };
        }
        Ok(())
    }

    /// The executable that gave these bytes.
    pub(super) fn load(client: &Client, bytes: &[u8], num_replicas: usize) -> Result<Self, PjrtError> {
        let mut load = ExecutableDeserializeAndLoad {
            client: client.as_ptr(),
            serialized_executable: bytes.as_ptr().cast(),
            serialized_executable_size: bytes.len(),
            ..ExecutableDeserializeAndLoad::ZERO
        };
        // SAFETY: the bytes live until the call is over. What was loaded is given away.
        unsafe {
            client.plugin().call("loading a saved program", &mut load)?;
            let mut this = Self::new(client, load.loaded_executable, num_replicas)?;
            this.is_from_cache = true;
            Ok(this)
        }
    }

    /// Whether it was read from the cache, not compiled.
    pub fn is_from_cache(&self) -> bool {
        self.is_from_cache
    }

    /// How many replicas run it, each on its own device.
    pub fn num_replicas(&self) -> usize {
        self.num_replicas
    }

    /// How many results it has.
    pub fn num_outputs(&self) -> usize {
        self.num_outputs
    }

    /// Runs the program, on each replica's device with its list of arguments, and returns each one's results.
    ///
    /// It does not wait: the results may still be under way, and what uses them waits
    /// ([`DeviceBuffer::ready`], [`DeviceBuffer::to_host`]), where an error of the computation comes up too.
    ///
    /// Arguments that the program aliases to results (`tf.aliasing_output`) are donated: their memory becomes that of
    /// the results, and their buffers must not be used again. `keep` lists the places of arguments that are not
    /// donated; where the program would write over one, the plug-in copies it first.
    ///
    /// # Errors
    /// [`PjrtError::Misuse`] for lists of arguments that do not fit the replicas; [`PjrtError::Donated`] for an
    /// argument that an earlier execution took; [`PjrtError::Plugin`] for arguments that do not fit the program.
    pub fn execute(
        &self,
        arguments: &[Vec<&DeviceBuffer>],
        keep: &[usize],
    ) -> Result<Vec<Vec<DeviceBuffer>>, PjrtError> {
        let doing = "running a program";
        self.check(doing, arguments)?;
        let keep: Vec<i64> = keep.iter().map(|index| *index as i64).collect();
        let mut options = self.plugin().with_room(ExecuteOptions {
            non_donatable_input_indices: keep.as_ptr(),
            num_non_donatable_input_indices: keep.len(),
            ..ExecuteOptions::ZERO
        });
        let to_pointers = |list: &Vec<&DeviceBuffer>| list.iter().map(|buffer| buffer.as_ptr()).collect();
        let argument_lists: Vec<Vec<*mut ffi::Buffer>> = arguments.iter().map(to_pointers).collect();
        let argument_lists: Vec<_> = argument_lists.iter().map(Vec::as_ptr).collect();
        let mut outputs = vec![vec![ptr::null_mut(); self.num_outputs]; self.num_replicas];
        let output_lists: Vec<*mut *mut ffi::Buffer> = outputs.iter_mut().map(Vec::as_mut_ptr).collect();
        let mut execute = LoadedExecutableExecute {
            executable: self.loaded.as_ptr(),
            options: options.as_mut_ptr(),
            argument_lists: argument_lists.as_ptr(),
            num_devices: self.num_replicas,
            num_args: arguments[0].len(),
            output_lists: output_lists.as_ptr(),
            ..LoadedExecutableExecute::ZERO
        };
        // SAFETY: all lists are as long as they are said to be and live until the call is over. No events are asked
        // for: buffers hold their memory for as long as the device works on it.
        unsafe { self.plugin().call(doing, &mut execute) }.map_err(|error| {
            let taken = arguments.iter().flatten().find(|buffer| buffer.is_deleted());
            taken.map_or(error, |buffer| PjrtError::Donated { doing, buffer: format!("{buffer:?}") })
        })?;
        // SAFETY: the results are given away. Each is taken over before an error of one is looked at, so that all are
        // freed.
        let take = |buffer| unsafe { DeviceBuffer::new(&self.client, buffer) };
        let taken: Vec<Vec<_>> = outputs.into_iter().map(|list| list.into_iter().map(take).collect()).collect();
        taken.into_iter().map(|list| list.into_iter().collect()).collect()
    }

    fn check(&self, doing: &'static str, arguments: &[Vec<&DeviceBuffer>]) -> Result<(), PjrtError> {
        let misuse = |problem| Err(PjrtError::Misuse { doing, problem });
        if arguments.len() != self.num_replicas {
            return misuse(format!("{} lists of arguments for {} replicas", arguments.len(), self.num_replicas));
        }
        if let Some(list) = arguments.iter().find(|list| list.len() != arguments[0].len()) {
            return misuse(format!("{} arguments for one replica, {} for another", list.len(), arguments[0].len()));
        }
        if arguments.iter().flatten().any(|buffer| !buffer.client().is(&self.client)) {
            return misuse("an argument is on a device of another client".to_owned());
        }
        Ok(())
    }

    fn plugin(&self) -> &'static Plugin {
        self.client.plugin()
    }
}

impl Drop for Executable {
    fn drop(&mut self) {
        let destroy = LoadedExecutableDestroy { executable: self.loaded.as_ptr(), ..LoadedExecutableDestroy::ZERO };
        // SAFETY: the executable is ours, and is not used again; what still runs holds what it needs.
        unsafe { self.plugin().destroy(destroy) }
    }
}

impl fmt::Debug for Executable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Executable({} replicas, {} results)", self.num_replicas, self.num_outputs)
    }
}
