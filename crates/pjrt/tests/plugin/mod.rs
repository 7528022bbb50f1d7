//! The plug-in to test with: that of `GYRUS_PJRT_PLUGIN`, else that in `target/pjrt`, unpacked from the wheel
//! `lammps-jax-pjrt-cpu`. Without one the tests are skipped, or fail where `GYRUS_REQUIRE_PJRT` is set.

use std::path::{Path, PathBuf};

use gyrus_pjrt::runtime::{Client, Plugin};

pub fn plugin() -> Option<&'static Plugin> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let unpacked = workspace.join("target/pjrt/lammps_jax_pjrt_cpu/pjrt_c_api_cpu_plugin.so");
    let path = std::env::var_os("GYRUS_PJRT_PLUGIN").map_or(unpacked, PathBuf::from);
    if path.exists() {
        return Some(Plugin::load(&path).unwrap());
    }
    assert!(std::env::var_os("GYRUS_REQUIRE_PJRT").is_none(), "there is no PJRT plug-in at {}", path.display());
    eprintln!("SKIPPED, NOTHING WAS TESTED: there is no PJRT plug-in at {}", path.display());
    None
}

/// A client without a cache; `None` where there is no plug-in.
pub fn client() -> Option<Client> {
    Some(Client::new(plugin()?, &[]).unwrap().with_cache(None))
}
