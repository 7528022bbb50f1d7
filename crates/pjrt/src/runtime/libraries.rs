//! Shared libraries: the plug-in's, and before it those that it needs.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use libloading::Library;

use crate::PjrtError;
use crate::discovery::Vendor;

/// NVIDIA's libraries, each after those that it needs itself.
///
/// Source: what JAX loads before the same plug-in.
const NVIDIA: &[&str] = &[
    "libcudart.so.",
    "libnvrtc.so.",
    "libnvJitLink.so.",
    "libcublasLt.so.",
    "libcublas.so.",
    "libcupti.so.",
    "libcusparse.so.",
    "libcusolver.so.",
    "libcufft.so.",
    "libnccl.so.",
    "libnvshmem_host.so.",
    "libcudnn.so.",
];

/// Loads a plug-in's library, for good.
///
/// NVIDIA's libraries come as packages of their own, `nvidia/*/lib` beside the plug-in's. Where they are there they are
/// loaded first: the system then takes them for those that the plug-in asks for by name. One that cannot be loaded is
/// left to the plug-in, which may do without.
///
/// # Errors
/// [`PjrtError::Load`] with the system's message, which names the library that is missing.
pub(super) fn load(plugin: &Path) -> Result<Library, PjrtError> {
    let vendor = Vendor::of(plugin);
    if vendor.is_some_and(|vendor| vendor.name == "cuda") {
        for library in nvidia_libraries(plugin) {
            if let Ok(library) = open(&library) {
                // What the plug-in uses must not be unloaded.
                std::mem::forget(library);
            }
        }
    }
    open(plugin).map_err(|error| PjrtError::Load {
        path: plugin.to_owned(),
        reason: system_message(&error),
        remedy: match vendor {
            Some(vendor) => {
                format!("is the driver for {} there? `{}` installs the rest", vendor.devices, vendor.install)
            }
            None => "is it a plug-in for this system, and are the libraries that it needs installed?".to_owned(),
        },
    })
}

/// What the system said, which the error keeps beneath its own words.
fn system_message(error: &libloading::Error) -> String {
    error.source().map_or_else(|| error.to_string(), ToString::to_string)
}

fn open(path: &Path) -> Result<Library, libloading::Error> {
    // SAFETY: loading runs the library's initialisers. That it is a library of the user's choice, and means no harm,
    // is what naming it as a plug-in, or installing it beside one, says.
    #[cfg(unix)]
    unsafe {
        use libloading::os::unix::{self, RTLD_LOCAL, RTLD_NOW};
        // Now: a function that is missing is an error here, not the end of the process at its first call.
        unix::Library::open(Some(path), RTLD_NOW | RTLD_LOCAL).map(Library::from)
    }
    // SAFETY: as above.
    #[cfg(not(unix))]
    unsafe {
        Library::new(path)
    }
}

/// NVIDIA's libraries in the packages beside a plug-in, in the order in which to load them.
fn nvidia_libraries(plugin: &Path) -> Vec<PathBuf> {
    let folders = nvidia_packages(plugin).into_iter();
    let libraries: Vec<PathBuf> = folders.flat_map(|package| entries(&package.join("lib"))).collect();
    let is_called = |path: &Path, name: &str| {
        path.file_name().and_then(|file| file.to_str()).is_some_and(|file| file.starts_with(name))
    };
    NVIDIA.iter().flat_map(|name| libraries.iter().filter(|path| is_called(path, name)).cloned()).collect()
}

/// The folder of CUDA's assembler and mathematical functions among the packages beside a plug-in, if it is there.
pub(super) fn cuda_toolkit(plugin: &Path) -> Option<PathBuf> {
    nvidia_packages(plugin).into_iter().find(|package| package.join("nvvm/libdevice").is_dir())
}

/// NVIDIA's packages beside a plug-in `jax_plugins/xla_cuda13/xla_cuda_plugin.so`. Those in a folder of another
/// version's, as `cu12`, are left out.
fn nvidia_packages(plugin: &Path) -> Vec<PathBuf> {
    let version = plugin.parent().and_then(Path::file_name).and_then(|name| name.to_str()?.strip_prefix("xla_cuda"));
    let Some(packages) = plugin.ancestors().nth(3) else { return Vec::new() };
    let fits = |package: &PathBuf| {
        let name = package.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let of_version = name.strip_prefix("cu").filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
        version.is_none() || of_version.is_none() || of_version == version
    };
    entries(&packages.join("nvidia")).into_iter().filter(fits).collect()
}

/// What is in a folder, in the order of names; nothing if it is not there.
fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> =
        fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::{cuda_toolkit, nvidia_libraries};

    #[test]
    fn libraries_of_the_same_version_come_in_the_order_of_their_needs() {
        let folder = tempfile::tempdir().unwrap();
        let touch = |file: &str| {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, "").unwrap();
            path
        };
        let plugin = touch("jax_plugins/xla_cuda13/xla_cuda_plugin.so");
        assert!(nvidia_libraries(&plugin).is_empty() && cuda_toolkit(&plugin).is_none());
        let cudnn = touch("nvidia/cudnn/lib/libcudnn.so.9");
        touch("nvidia/cudnn/lib/libcudnn_ops.so.9");
        let cublas = touch("nvidia/cu13/lib/libcublas.so.13");
        let runtime = touch("nvidia/cu13/lib/libcudart.so.13");
        touch("nvidia/cu12/lib/libcudart.so.12");
        touch("nvidia/cu12/nvvm/libdevice/libdevice.10.bc");
        touch("nvidia/cu13/nvvm/libdevice/libdevice.10.bc");
        assert_eq!(nvidia_libraries(&plugin), [runtime, cublas, cudnn]);
        assert_eq!(cuda_toolkit(&plugin), Some(folder.path().join("nvidia/cu13")));
        assert!(nvidia_libraries(Path::new("xla_cuda_plugin.so")).is_empty());
    }
}
