//! A plug-in: a shared library that speaks the PJRT C API.

use std::collections::HashMap;
use std::ffi::c_void;
use std::fmt;
use std::path::{Path, PathBuf};
use std::ptr::NonNull;
use std::sync::{LazyLock, Mutex, PoisonError};

use super::ffi::{self, Api, Arguments, Failure, PluginAttributes, PluginInitialize, Structure, WithRoom};
use super::{NamedValue, libraries, named_value};
use crate::{ErrorCode, PjrtError};

/// A loaded plug-in.
///
/// It stays loaded for the life of the process: the libraries beneath it (CUDA, a TPU's driver) start threads that
/// outlive whatever unloads them.
pub struct Plugin {
    path: PathBuf,
    api: Api,
    attributes: Vec<(String, NamedValue)>,
}

/// Every plug-in that was loaded, by its canonical path.
static LOADED: LazyLock<Mutex<HashMap<PathBuf, &'static Plugin>>> = LazyLock::new(Mutex::default);

impl Plugin {
    /// Loads a plug-in, once for each file. It is loaded by the path as given, beside which the libraries are that it
    /// needs, even where that is a link.
    ///
    /// # Errors
    /// [`PjrtError::Load`] if the library or one that it needs cannot be loaded, [`PjrtError::NotAPlugin`] if it is no
    /// plug-in, [`PjrtError::Version`] and [`PjrtError::Lacks`] if it is one that gyrus cannot speak with,
    /// [`PjrtError::Plugin`] if it fails to set itself up.
    pub fn load(path: impl AsRef<Path>) -> Result<&'static Self, PjrtError> {
        let path = path.as_ref();
        let found = path.canonicalize().and_then(|canonical| Ok((canonical, std::path::absolute(path)?)));
        let (canonical, path) = found.map_err(|error| PjrtError::Load {
            path: path.to_owned(),
            reason: error.to_string(),
            remedy: "check the path".to_owned(),
        })?;
        let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(plugin) = loaded.get(&canonical) {
            return Ok(plugin);
        }
        let plugin: &'static Plugin = Box::leak(Box::new(Self::open(path)?));
        loaded.insert(canonical, plugin);
        Ok(plugin)
    }

    fn open(path: PathBuf) -> Result<Self, PjrtError> {
        let library = libraries::load(&path)?;
        let not_a_plugin = |reason: &str| PjrtError::NotAPlugin { path: path.clone(), reason: reason.to_owned() };
        // SAFETY: a function of this name is that of the PJRT C API.
        let get_api = unsafe { library.get::<unsafe extern "C" fn() -> *const c_void>(b"GetPjrtApi\0") }
            .map_err(|_| not_a_plugin("it has no function `GetPjrtApi`"))?;
        // SAFETY: it takes nothing and returns a table that is constant.
        let api = unsafe { Api::new(get_api()) }.ok_or_else(|| not_a_plugin("`GetPjrtApi` returned no table"))?;
        // Never unloaded: see the type.
        std::mem::forget(library);
        Self::from_api(path, api)
    }

    /// Agrees on a version, and sets the plug-in up.
    pub(super) fn from_api(path: PathBuf, api: Api) -> Result<Self, PjrtError> {
        let version = api.version();
        if version.0 != ffi::MAJOR {
            return Err(PjrtError::Version { path, version });
        }
        let lacks = |(name, slot): &(&'static str, usize)| (!api.has(*slot)).then_some(*name);
        let missing: Vec<&str> = ffi::REQUIRED.iter().filter_map(lacks).collect();
        if !missing.is_empty() {
            return Err(PjrtError::Lacks { path, version, missing });
        }
        let mut plugin = Self { path, api, attributes: Vec::new() };
        if plugin.has::<PluginInitialize>() {
            let mut arguments = PluginInitialize::ZERO;
            // SAFETY: there is nothing in the arguments.
            unsafe { plugin.call("setting the plug-in up", &mut arguments) }?;
        }
        plugin.attributes = plugin.read_attributes();
        Ok(plugin)
    }

    /// What the plug-in says of itself; nothing where it does not.
    fn read_attributes(&self) -> Vec<(String, NamedValue)> {
        let mut arguments = PluginAttributes::ZERO;
        // SAFETY: there are only results in the arguments.
        if unsafe { self.call("reading the plug-in's attributes", &mut arguments) }.is_err() {
            return Vec::new();
        }
        // SAFETY: the plug-in's array of structs, of that length, which lives as long as the process. Each is as large
        // as its own size says, so that the step from one to the next is the plug-in's.
        unsafe {
            let mut attributes = Vec::new();
            let mut next = arguments.attributes;
            for _ in 0..arguments.num_attributes {
                let size = (*next).struct_size.max(size_of::<ffi::NamedValueStruct>());
                attributes.extend(named_value::read(&*next));
                next = next.byte_add(size);
            }
            attributes
        }
    }

    /// The library's path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The major and minor version of the PJRT interface that the plug-in speaks.
    pub fn api_version(&self) -> (i32, i32) {
        self.api.version()
    }

    /// What the plug-in says of itself: `xla_version`, `stablehlo_current_version`, `stablehlo_minimum_version`, …
    pub fn attributes(&self) -> &[(String, NamedValue)] {
        &self.attributes
    }

    /// One of [`attributes`](Self::attributes), by its name.
    pub fn attribute(&self, name: &str) -> Option<&NamedValue> {
        self.attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// Whether the plug-in has the function that these arguments are for.
    pub(super) fn has<A: Arguments>(&self) -> bool {
        self.api.has(A::SLOT)
    }

    /// A struct that other arguments point to, as large as this plug-in may expect it.
    pub(super) fn with_room<S: Structure>(&self, structure: S) -> WithRoom<S> {
        self.api.with_room(structure)
    }

    /// What a plug-in must have given.
    pub(super) fn not_null<T>(&self, pointer: *mut T, doing: &'static str) -> Result<NonNull<T>, PjrtError> {
        NonNull::new(pointer).ok_or_else(|| PjrtError::Plugin {
            path: self.path.clone(),
            doing,
            code: ErrorCode::INTERNAL,
            message: "it reported success and returned nothing".to_owned(),
        })
    }

    /// Calls a function of the plug-in's.
    ///
    /// # Safety
    /// The pointers within the arguments are what PJRT's header asks for.
    pub(super) unsafe fn call<A: Arguments>(&self, doing: &'static str, arguments: &mut A) -> Result<(), PjrtError> {
        // SAFETY: as above.
        unsafe { self.api.call(arguments) }.map_err(|failure| {
            let (code, message) = match failure {
                Failure::Reported(code, message) => (code, message),
                Failure::Absent(name) => (ErrorCode::UNIMPLEMENTED, format!("it has no {name}")),
            };
            PjrtError::Plugin { path: self.path.clone(), doing, code, message }
        })
    }

    /// Frees something of the plug-in's.
    ///
    /// # Safety
    /// As for `call`; what is freed is not used again.
    pub(super) unsafe fn destroy<A: Arguments>(&self, mut arguments: A) {
        // An error of freeing leaves nothing to be done.
        // SAFETY: as above.
        let _ = unsafe { self.api.call(&mut arguments) };
    }
}

impl fmt::Debug for Plugin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (major, minor) = self.api_version();
        write!(f, "Plugin({}, PJRT {major}.{minor})", self.path.display())
    }
}
