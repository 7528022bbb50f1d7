//! Discovery in folders that are made up.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use super::places::Environment;
use super::{VENDORS, Vendor, discover_in, resolve_in};
use crate::PjrtError;

fn touch(path: PathBuf) -> PathBuf {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, "").unwrap();
    path
}

fn virtual_env(folder: &Path) -> Environment {
    Environment { virtual_env: Some(folder.into()), ..Environment::default() }
}

#[test]
fn every_vendor_is_found_where_its_wheel_puts_it() {
    let files = [
        ("cuda", "jax_plugins/xla_cuda13/xla_cuda_plugin.so"),
        ("rocm", "jax_plugins/xla_rocm7/xla_rocm_plugin.so"),
        ("oneapi", "jax_plugins/xla_oneapi/xla_oneapi_plugin.so"),
        ("tpu", "libtpu/libtpu.so"),
        ("metal", "jax_plugins/metal_plugin/pjrt_plugin_metal_14.dylib"),
        ("tt", "jax_plugins/libtt/libtt.so"),
        ("xla-cpu", "lammps_jax_pjrt_cpu/pjrt_c_api_cpu_plugin.so"),
    ];
    assert_eq!(files.map(|(name, _)| name).to_vec(), VENDORS.iter().map(|vendor| vendor.name).collect::<Vec<_>>());
    let folder = tempfile::tempdir().unwrap();
    let packages = folder.path().join("lib/python3.12/site-packages");
    let environment = virtual_env(folder.path());
    for (name, file) in files {
        let error = resolve_in(name, &environment).unwrap_err().to_string();
        assert!(error.contains(Vendor::named(name).unwrap().install), "{error}");
        let path = touch(packages.join(file));
        let found = resolve_in(name, &environment).unwrap();
        assert_eq!((found.path, found.vendor.unwrap().name), (path, name));
    }
    assert_eq!(discover_in(&environment).len(), files.len());
}

#[test]
fn the_newest_version_comes_first() {
    let folder = tempfile::tempdir().unwrap();
    let packages = folder.path().join("lib/python3.12/site-packages");
    for version in ["xla_rocm60", "xla_rocm7", "xla_rocm10"] {
        touch(packages.join("jax_plugins").join(version).join("xla_rocm_plugin.so"));
    }
    touch(packages.join("jax_plugins/xla_cuda12/xla_cuda_plugin.so"));
    let newest = touch(packages.join("jax_plugins/xla_cuda13/xla_cuda_plugin.so"));
    assert_eq!(resolve_in("cuda", &virtual_env(folder.path())).unwrap().path, newest);
}

#[test]
fn places_come_in_their_order_and_once() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let plugin = |packages: &str| touch(root.join(packages).join("libtpu/libtpu.so"));
    let expected = [
        touch(root.join("elsewhere/libtpu.so")),
        plugin("venv/lib/python3.12/site-packages"),
        plugin("conda/lib/python3.11/site-packages"),
        plugin("usr/lib/python3.13/site-packages"),
        plugin("usr/lib/python3.9/site-packages"),
        plugin("usr/lib/python3/dist-packages"),
        plugin("home/.local/lib/python3.13/site-packages"),
    ];
    touch(root.join("usr/bin/python3"));
    // A folder without a python leads nowhere.
    plugin("opt/lib/python3.13/site-packages");
    fs::create_dir_all(root.join("opt/bin")).unwrap();
    let environment = Environment {
        plugins: Some(expected[0].clone().into()),
        virtual_env: Some(root.join("venv").into()),
        conda_prefix: Some(root.join("conda").into()),
        path: Some(env::join_paths([root.join("opt/bin"), root.join("usr/bin"), root.join("usr/bin")]).unwrap()),
        home: Some(root.join("home")),
    };
    let found: Vec<PathBuf> = discover_in(&environment).into_iter().map(|found| found.path).collect();
    assert_eq!(found, expected);
    assert_eq!(resolve_in("tpu", &environment).unwrap().place, "GYRUS_PJRT_PLUGIN");
}

#[test]
fn several_plugins_can_be_named() {
    let paths = [PathBuf::from("/a/xla_cuda_plugin.so"), PathBuf::from("/b/mine.so")];
    let environment = Environment { plugins: Some(env::join_paths(&paths).unwrap()), ..Environment::default() };
    let found = discover_in(&environment);
    assert_eq!(found.iter().map(|found| &found.path).collect::<Vec<_>>(), paths.iter().collect::<Vec<_>>());
    assert_eq!(found[0].vendor, Vendor::named("cuda"));
    assert_eq!(found[1].vendor, None);
}

#[test]
fn a_path_is_taken_as_it_is() {
    let found = resolve_in("pjrt:/opt/some/libtpu.so", &Environment::default()).unwrap();
    assert_eq!(found.path, Path::new("/opt/some/libtpu.so"));
    assert_eq!(found.vendor, Vendor::named("tpu"));
}

#[test]
fn errors_say_where_it_was_looked_and_what_is_known() {
    let folder = tempfile::tempdir().unwrap();
    let packages = folder.path().join("lib/python3.12/site-packages");
    fs::create_dir_all(&packages).unwrap();
    let error = resolve_in("tpu", &virtual_env(folder.path())).unwrap_err();
    assert!(matches!(&error, PjrtError::NotFound { looked, .. } if *looked == [packages.clone()]), "{error}");
    assert!(error.to_string().contains(packages.to_str().unwrap()), "{error}");
    let error = resolve_in("gpu", &Environment::default()).unwrap_err().to_string();
    assert!(error.contains("`gpu`") && error.contains("cuda") && error.contains("pjrt:"), "{error}");
}
