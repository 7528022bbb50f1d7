//! The vendors whose plug-ins are known, and how each is installed.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

/// A vendor's plug-in: what it is called, where it lies, how it is installed.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Vendor {
    /// The name that a device is asked for with: `cuda`, `tpu`, …
    pub name: &'static str,
    /// The devices that it is for.
    pub devices: &'static str,
    /// The Python packages that carry the plug-in, newest first.
    pub packages: &'static [&'static str],
    /// The command that installs plug-in and libraries.
    pub install: &'static str,
    /// Where the library lies within a folder of Python packages; a `*` stands for any text within a name.
    pub files: &'static [&'static str],
}

/// Every vendor that is known, in the order in which they are listed and preferred.
///
/// Source: the wheels on PyPI, 2026-11.
pub static VENDORS: &[Vendor] = &[
    Vendor {
        name: "cuda",
        devices: "NVIDIA GPUs",
        packages: &["jax-cuda13-pjrt", "jax-cuda12-pjrt"],
        install: "pip install \"jax-cuda13-plugin[with-cuda]\"",
        files: &["jax_plugins/xla_cuda*/xla_cuda_plugin.so"],
    },
    Vendor {
        name: "rocm",
        devices: "AMD GPUs",
        packages: &["jax-rocm10-pjrt", "jax-rocm7-pjrt", "jax-rocm60-pjrt"],
        install: "pip install jax-rocm7-pjrt",
        files: &["jax_plugins/xla_rocm*/xla_rocm_plugin.so"],
    },
    Vendor {
        name: "oneapi",
        devices: "Intel GPUs",
        packages: &["jax-oneapi-pjrt"],
        install: "pip install jax-oneapi-pjrt",
        files: &["jax_plugins/xla_oneapi/xla_oneapi_plugin.so"],
    },
    Vendor {
        name: "tpu",
        devices: "Google TPUs",
        packages: &["libtpu"],
        install: "pip install libtpu",
        files: &["libtpu/libtpu.so"],
    },
    Vendor {
        name: "metal",
        devices: "Apple GPUs",
        packages: &["metal-pjrt-core", "jax-metal"],
        install: "pip install metal-pjrt-core",
        files: &["metal_pjrt_core/pjrt_c_api_mtl_plugin.dylib", "jax_plugins/metal_plugin/pjrt_plugin_metal_*.dylib"],
    },
    Vendor {
        name: "tt",
        devices: "Tenstorrent accelerators",
        packages: &["jax-tt-plugin"],
        install: "pip install jax-tt-plugin",
        files: &["jax_plugins/libtt/libtt.so"],
    },
    Vendor {
        name: "xla-cpu",
        devices: "this machine's processor, by XLA",
        packages: &["lammps-jax-pjrt-cpu"],
        install: "pip install lammps-jax-pjrt-cpu",
        files: &["lammps_jax_pjrt_cpu/pjrt_c_api_cpu_plugin.so"],
    },
];

impl Vendor {
    /// The vendor with this name.
    pub fn named(name: &str) -> Option<&'static Vendor> {
        VENDORS.iter().find(|vendor| vendor.name == name)
    }

    /// The vendor whose plug-in has this file name, wherever it lies.
    pub fn of(plugin: &Path) -> Option<&'static Vendor> {
        let name = plugin.file_name()?;
        let is_file_of = |file: &&str| matches(file.rsplit('/').next().unwrap_or(file), name);
        VENDORS.iter().find(|vendor| vendor.files.iter().any(is_file_of))
    }

    /// The vendor's plug-ins within a folder of Python packages, the highest version first.
    pub(super) fn plugins_in(&self, packages: &Path) -> Vec<PathBuf> {
        let mut found: Vec<PathBuf> = self.files.iter().flat_map(|file| expand(packages, file)).collect();
        found.retain(|path| path.is_file());
        found
    }
}

/// The paths within a folder that a pattern stands for.
fn expand(folder: &Path, pattern: &str) -> Vec<PathBuf> {
    let (first, rest) = pattern.split_once('/').map_or((pattern, None), |(first, rest)| (first, Some(rest)));
    let here = if first.contains('*') { names_in(folder, first) } else { vec![folder.join(first)] };
    match rest {
        Some(rest) => here.iter().flat_map(|path| expand(path, rest)).collect(),
        None => here,
    }
}

/// The entries of a folder whose names match, `rocm10` before `rocm7`.
fn names_in(folder: &Path, pattern: &str) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut names: Vec<_> =
        entries.flatten().map(|entry| entry.file_name()).filter(|name| matches(pattern, name)).collect();
    names.sort_by(|a, b| (b.len(), b).cmp(&(a.len(), a)));
    names.iter().map(|name| folder.join(name)).collect()
}

/// Whether a name is what a pattern with one `*` at most stands for.
fn matches(pattern: &str, name: &OsStr) -> bool {
    let Some(name) = name.to_str() else { return false };
    match pattern.split_once('*') {
        Some((begin, end)) => name.len() >= begin.len() + end.len() && name.starts_with(begin) && name.ends_with(end),
        None => name == pattern,
    }
}
