//! What `gyrus doctor` says of accelerators.

use gyrus::accelerators::discovery::{Found, VENDORS, discover};
use gyrus::accelerators::runtime::{Client, Plugin};
use serde_json::{Value, json};

/// A plug-in that was found, or a vendor of which none was.
pub enum Finding {
    /// It loads, and these are its devices.
    Works { found: Found, version: (i32, i32), devices: Vec<String> },
    /// It does not load, or opens no device.
    Fails { found: Found, reason: String },
    /// There is none, and this would install it.
    Missing { name: &'static str, devices: &'static str, install: &'static str },
}

/// Loads every plug-in of this machine, and looks at its devices.
pub fn examine() -> Vec<Finding> {
    let all = discover();
    let is_missing = |name: &str| !all.iter().any(|found| name_of(found) == name);
    let missing = VENDORS.iter().filter(|vendor| is_missing(vendor.name)).map(|vendor| Finding::Missing {
        name: vendor.name,
        devices: vendor.devices,
        install: vendor.install,
    });
    let missing: Vec<Finding> = missing.collect();
    all.into_iter().map(examine_one).chain(missing).collect()
}

fn examine_one(found: Found) -> Finding {
    let opened = Plugin::load(&found.path).and_then(|plugin| Ok((plugin, Client::new(plugin, &[])?)));
    match opened {
        Ok((plugin, client)) => {
            let devices = client.devices().iter().map(|device| {
                let limit = device.memory_statistics().and_then(|memory| memory.bytes_limit);
                let memory = limit.map(|bytes| format!(", {:.1} GiB", bytes as f64 / f64::from(1 << 30)));
                format!("{}{}", device.kind(), memory.unwrap_or_default())
            });
            let devices = devices.collect();
            Finding::Works { found, version: plugin.api_version(), devices }
        }
        Err(error) => Finding::Fails { found, reason: error.to_string() },
    }
}

/// The name that asks for what was found.
fn name_of(found: &Found) -> &str {
    found.vendor.map_or("pjrt", |vendor| vendor.name)
}

impl Finding {
    /// For a person: a name, and what is to say of it.
    pub fn line(&self) -> (&str, String) {
        match self {
            Finding::Works { found, version, devices } => {
                let mut counts: Vec<(&str, usize)> = vec![];
                for device in devices {
                    match counts.iter_mut().find(|(kind, _)| kind == device) {
                        Some((_, count)) => *count += 1,
                        None => counts.push((device, 1)),
                    }
                }
                let devices: Vec<String> = counts.iter().map(|(kind, count)| format!("{count} x {kind}")).collect();
                let (path, (major, minor)) = (found.path.display(), version);
                (name_of(found), format!("{} (PJRT {major}.{minor}, {path})", devices.join(", ")))
            }
            Finding::Fails { found, reason } => (name_of(found), format!("FAILS: {reason}")),
            Finding::Missing { name, devices, install } => (name, format!("not found; for {devices}: {install}")),
        }
    }

    /// For a program.
    pub fn json(&self) -> Value {
        match self {
            Finding::Works { found, version, devices } => json!({
                "name": name_of(found), "path": found.path, "found_in": found.place,
                "pjrt_version": format!("{}.{}", version.0, version.1), "devices": devices,
            }),
            Finding::Fails { found, reason } => json!({
                "name": name_of(found), "path": found.path, "found_in": found.place, "error": reason,
            }),
            Finding::Missing { name, install, .. } => json!({ "name": name, "install": install }),
        }
    }
}
