//! Where a value lives and is computed.

use std::any::Any;
use std::fmt;

use crate::Buffer;

/// A device that holds values and runs graphs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Device {
    /// The processor this program runs on.
    #[default]
    Cpu,
    /// One that was opened by its name.
    Accelerator(Accelerator),
}

/// A device, or several that run the same program on shares of a batch, that was opened by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Accelerator {
    /// The name it was opened by: `cuda`.
    pub name: &'static str,
    /// How many devices it is.
    pub num_devices: usize,
    /// What tells it apart from others of the process.
    pub number: usize,
}

impl Device {
    /// The device on which operands of both are computed: an accelerator if one of them is there, as what the processor
    /// holds can be brought anywhere. `None` for two accelerators.
    pub fn join(self, other: Device) -> Option<Device> {
        match (self, other) {
            (Device::Cpu, device) | (device, Device::Cpu) => Some(device),
            _ => (self == other).then_some(self),
        }
    }
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Device::Cpu => f.write_str("cpu"),
            Device::Accelerator(Accelerator { name, num_devices: 1, .. }) => f.write_str(name),
            Device::Accelerator(Accelerator { name, num_devices, .. }) => write!(f, "{num_devices} of {name}"),
        }
    }
}

/// Elements of a value that an accelerator holds.
pub trait Remote: Any + Send + Sync {
    /// A copy in the memory of this processor, row-major. Waits until they are computed.
    fn fetch(&self) -> Buffer;
}
