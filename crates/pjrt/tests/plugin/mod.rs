//! The plug-in to test with: that of `GYRUS_PJRT_PLUGIN`, else that in `target/pjrt`, unpacked from the wheel
//! `lammps-jax-pjrt-cpu`. Without one, or with too few devices, tests are skipped, or fail where `GYRUS_REQUIRE_PJRT` is set.

#![allow(dead_code, reason = "not every test needs all of it")]

use std::fmt::Display;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use gyrus_graph::Device;
use gyrus_pjrt::open;
use gyrus_pjrt::runtime::{Client, Plugin};

pub fn plugin() -> Option<&'static Plugin> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let unpacked = workspace.join("target/pjrt/lammps_jax_pjrt_cpu/pjrt_c_api_cpu_plugin.so");
    let path = std::env::var_os("GYRUS_PJRT_PLUGIN").map_or(unpacked, PathBuf::from);
    if path.exists() {
        return Some(Plugin::load(&path).unwrap());
    }
    skipped(format_args!("there is no PJRT plug-in at {}", path.display()));
    None
}

/// Says so past the capture of tests that succeed, or fails.
fn skipped(because: impl Display) {
    assert!(std::env::var_os("GYRUS_REQUIRE_PJRT").is_none(), "{because}");
    let _ = writeln!(io::stderr(), "SKIPPED, NOTHING WAS TESTED: {because}");
}

/// A client without a cache; `None` where there is no plug-in.
pub fn client() -> Option<Client> {
    Some(Client::new(plugin()?, &[]).unwrap().with_cache(None))
}

/// Whether there are so many devices; says that a test is skipped where there are not.
pub fn has_devices(client: &Client, count: usize) -> bool {
    let found = client.devices().len();
    if found < count {
        skipped(format_args!("it takes {count} devices, and there are {found}"));
    }
    found >= count
}

/// The plug-in by name, so many of its devices together; `None` where they are not there.
pub fn devices(count: usize) -> Option<Device> {
    let name = format!("pjrt:{}", plugin()?.path().display());
    match open(&name, count) {
        Err(error) if count > 1 && error.to_string().contains("there are") => {
            skipped(error);
            None
        }
        opened => Some(opened.unwrap()),
    }
}
