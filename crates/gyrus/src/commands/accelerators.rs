//! What `gyrus doctor` says of accelerators.

use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use gyrus::accelerators::PjrtError;
use gyrus::accelerators::discovery::{Found, VENDORS, discover};
use gyrus::accelerators::runtime::{Client, Plugin};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// A plug-in that was found, or a vendor of which none was.
pub enum Finding {
    /// What it shows.
    Found(Found, Result<Shown, String>),
    /// There is none, and this would install it.
    Missing { name: &'static str, devices: &'static str, install: &'static str },
}

/// What a plug-in that works shows.
#[derive(Serialize, Deserialize)]
pub struct Shown {
    /// Of the interface that it speaks.
    pjrt_version: String,
    devices: Vec<String>,
}

/// A plug-in without its hardware may look for it for minutes.
const PATIENCE: Duration = Duration::from_secs(30);

/// Every plug-in of this machine, with its devices, and how to install others.
pub fn examine() -> Vec<Finding> {
    let all = discover();
    let is_missing = |name: &str| !all.iter().any(|found| name_of(found) == name);
    let missing = VENDORS.iter().filter(|vendor| is_missing(vendor.name)).map(|vendor| Finding::Missing {
        name: vendor.name,
        devices: vendor.devices,
        install: vendor.install,
    });
    let missing: Vec<Finding> = missing.collect();
    let examined = all.into_iter().map(|found| {
        let shown = look_apart(&found.path);
        Finding::Found(found, shown)
    });
    examined.chain(missing).collect()
}

/// Loads a plug-in in a process of its own, which it may end or hold up: some do where their hardware is not.
fn look_apart(path: &Path) -> Result<Shown, String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let mut command = Command::new(program);
    command.args(["doctor", "--look-at"]).arg(path).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().map_err(|error| error.to_string())?;
    let Some(status) = wait(&mut child).map_err(|error| error.to_string())? else {
        return Err(format!("it has not opened its devices after {} s; is the hardware there?", PATIENCE.as_secs()));
    };
    let mut said = String::new();
    let _ = child.stdout.take().map(|mut pipe| pipe.read_to_string(&mut said));
    let broken = |_| format!("it ended the process that loaded it ({status}); is the hardware there?");
    serde_json::from_str::<Result<Shown, String>>(&said).map_err(broken)?
}

/// How a process ended; `None` if it had to be ended.
fn wait(child: &mut Child) -> std::io::Result<Option<ExitStatus>> {
    let begin = Instant::now();
    while begin.elapsed() < PATIENCE {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        thread::sleep(Duration::from_millis(10));
    }
    child.kill()?;
    child.wait()?;
    Ok(None)
}

/// What [`look_apart`] has the other process do: prints what a plug-in shows.
pub fn look_at(path: &Path) -> Value {
    json!(look(path).map_err(|error| error.to_string()))
}

fn look(path: &Path) -> Result<Shown, PjrtError> {
    let plugin = Plugin::load(path)?;
    let client = Client::new(plugin, &[])?;
    let devices = client.devices().iter().map(|device| {
        let limit = device.memory_statistics().and_then(|memory| memory.bytes_limit);
        let memory = limit.map(|bytes| format!(", {:.1} GiB", bytes as f64 / f64::from(1 << 30)));
        format!("{}{}", device.kind(), memory.unwrap_or_default())
    });
    let (major, minor) = plugin.api_version();
    Ok(Shown { pjrt_version: format!("{major}.{minor}"), devices: devices.collect() })
}

/// The name that asks for what was found.
fn name_of(found: &Found) -> &str {
    found.vendor.map_or("pjrt", |vendor| vendor.name)
}

impl Finding {
    /// For a person: a name, and what is to say of it.
    pub fn line(&self) -> (&str, String) {
        match self {
            Finding::Found(found, Ok(Shown { pjrt_version, devices })) => {
                let mut counts: Vec<(&str, usize)> = vec![];
                for device in devices {
                    match counts.iter_mut().find(|(kind, _)| kind == device) {
                        Some((_, count)) => *count += 1,
                        None => counts.push((device, 1)),
                    }
                }
                let devices: Vec<String> = counts.iter().map(|(kind, count)| format!("{count} x {kind}")).collect();
                let path = found.path.display();
                (name_of(found), format!("{} (PJRT {pjrt_version}, {path})", devices.join(", ")))
            }
            Finding::Found(found, Err(reason)) => (name_of(found), format!("fails: {reason}")),
            Finding::Missing { name, devices, install } => (name, format!("not found; for {devices}: {install}")),
        }
    }

    /// For a program.
    pub fn json(&self) -> Value {
        match self {
            Finding::Found(found, Ok(shown)) => json!({
                "name": name_of(found), "path": found.path, "found_in": found.place,
                "pjrt_version": shown.pjrt_version, "devices": shown.devices,
            }),
            Finding::Found(found, Err(reason)) => json!({
                "name": name_of(found), "path": found.path, "found_in": found.place, "error": reason,
            }),
            Finding::Missing { name, install, .. } => json!({ "name": name, "install": install }),
        }
    }
}
