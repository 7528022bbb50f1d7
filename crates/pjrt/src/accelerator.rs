//! Accelerators that were opened: they stay open until the process ends, as plug-ins want it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use gyrus_graph::{Accelerator, Device};

use crate::PjrtError;
use crate::discovery;
use crate::runtime::{Client, NamedValue, Plugin};

/// What is behind an [`Accelerator`].
struct Opened {
    accelerator: Accelerator,
    client: Client,
}

static OPENED: Mutex<Vec<Opened>> = Mutex::new(vec![]);

fn all() -> MutexGuard<'static, Vec<Opened>> {
    OPENED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The device of a name: `cpu`; an accelerator's name, as `cuda`, `rocm`, `tpu` or `xla-cpu`, whose plug-in is looked for
/// in the usual places; or `pjrt:PATH` for the plug-in at a path. With `num_devices` above 1, so many of them together,
/// each of which gets its share of every batch.
///
/// A device that was opened before is the same again.
///
/// # Errors
/// If there is no such device, or fewer of them: what was looked for, and how to install it.
pub fn open(name: &str, num_devices: usize) -> Result<Device, PjrtError> {
    let misuse = |problem| Err(PjrtError::Misuse { doing: "opening a device", problem });
    if name == "cpu" {
        return match num_devices {
            1 => Ok(Device::Cpu),
            _ => misuse(format!(
                "{num_devices} of cpu: it is one device, whose threads share the work: leave num_devices at 1"
            )),
        };
    }
    let mut opened = all();
    if let Some(known) =
        opened.iter().find(|known| known.accelerator.name == name && known.accelerator.num_devices == num_devices)
    {
        return Ok(Device::Accelerator(known.accelerator));
    }
    // The devices of one plug-in are shared by all that is opened of it.
    let client = match opened.iter().find(|known| known.accelerator.name == name) {
        Some(known) => known.client.clone(),
        None => {
            let said = std::env::var("GYRUS_PJRT_OPTIONS").unwrap_or_default();
            Client::new(Plugin::load(discovery::resolve(name)?.path)?, &options(&said)?)?
        }
    };
    let available = client.devices().len();
    if num_devices == 0 || num_devices > available {
        return misuse(format!("{num_devices} of {name}: there are {available}"));
    }
    let accelerator = Accelerator { name: name.to_owned().leak(), num_devices, number: opened.len() };
    opened.push(Opened { accelerator, client });
    Ok(Device::Accelerator(accelerator))
}

/// What `GYRUS_PJRT_OPTIONS` says to a plug-in: `memory_fraction=0.5; preallocate=false`.
fn options(said: &str) -> Result<Vec<(&str, NamedValue)>, PjrtError> {
    let mut options = vec![];
    for part in said.split(';').filter(|part| !part.trim().is_empty()) {
        let Some((name, value)) = part.split_once('=') else {
            let problem = format!("`{part}` is not NAME=VALUE; write NAME=VALUE; NAME=VALUE");
            return Err(PjrtError::Misuse { doing: "reading GYRUS_PJRT_OPTIONS", problem });
        };
        options.push((name.trim(), NamedValue::parse(value.trim())));
    }
    Ok(options)
}

/// The client behind an accelerator.
pub(crate) fn opened(accelerator: Accelerator) -> Client {
    all()[accelerator.number].client.clone()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_names_and_values() {
        let expected = [("memory_fraction", NamedValue::F32(0.5)), ("preallocate", NamedValue::Bool(false))];
        assert_eq!(options("memory_fraction=0.5; preallocate = false;").unwrap(), expected);
        assert_eq!(options("").unwrap(), []);
        assert!(options("preallocate").unwrap_err().to_string().contains("NAME=VALUE"));
    }
}
