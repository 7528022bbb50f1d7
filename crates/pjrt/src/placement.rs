//! Values in the memory of devices.

use std::any::Any;
use std::sync::Arc;

use gyrus_graph::{Accelerator, Buffer, Remote, Spec, Value};

use crate::accelerator::opened;
use crate::runtime::DeviceBuffer;
use crate::{PjrtError, Sharing, or_panic};

/// A value that the devices of an accelerator hold.
pub struct Held {
    accelerator: Accelerator,
    spec: Spec,
    sharing: Sharing,
    /// One on each device.
    buffers: Vec<DeviceBuffer>,
}

impl Held {
    /// `spec` is that of the whole, however it is shared.
    pub(crate) fn new(accelerator: Accelerator, spec: Spec, sharing: Sharing, buffers: Vec<DeviceBuffer>) -> Held {
        Held { accelerator, spec, sharing, buffers }
    }

    /// Shape and element type of the whole.
    pub fn spec(&self) -> &Spec {
        &self.spec
    }

    pub(crate) fn buffers(&self) -> &[DeviceBuffer] {
        &self.buffers
    }

    fn is(&self, accelerator: Accelerator, sharing: Sharing) -> bool {
        self.accelerator == accelerator && self.sharing == sharing
    }

    fn try_fetch(&self) -> Result<Buffer, PjrtError> {
        let mut whole = Buffer::zeroed(self.spec.num_bytes());
        let bytes = whole.bytes_mut().expect("new");
        match self.sharing {
            Sharing::Whole => self.buffers[0].to_host(bytes)?,
            Sharing::Split => {
                // Shares of the leading axis lie one after another.
                let size = bytes.len() / self.buffers.len();
                for (index, buffer) in self.buffers.iter().enumerate() {
                    buffer.to_host(&mut bytes[index * size..(index + 1) * size])?;
                }
            }
        }
        Ok(whole)
    }
}

impl Remote for Held {
    fn fetch(&self) -> Buffer {
        or_panic(self.try_fetch())
    }
}

/// What of a value an accelerator holds, if it does.
pub(crate) fn held(remote: &Arc<dyn Remote>) -> Option<Arc<Held>> {
    let remote: Arc<dyn Any + Send + Sync> = remote.clone();
    remote.downcast().ok()
}

/// A value in the memory of an accelerator's devices; copies it there if need be, and remembers that. The copy may
/// still be under way.
///
/// # Errors
/// If the devices' memory is used up, or they fail.
///
/// # Panics
/// If the value is not computed.
pub fn resident(value: &Value, accelerator: Accelerator, sharing: Sharing) -> Result<Arc<Held>, PjrtError> {
    let known = value.remote().and_then(held).filter(|held| held.is(accelerator, sharing));
    if let Some(held) = known {
        return Ok(held);
    }
    let client = opened(accelerator);
    let (spec, bytes) = (value.spec(), value.buffer().expect("is computed").bytes());
    let num_devices = accelerator.num_devices;
    let (size, mut dims) = (bytes.len() / num_devices, spec.shape.to_vec());
    if sharing == Sharing::Split {
        dims[0] /= num_devices;
    }
    let upload = |device| match sharing {
        Sharing::Whole => client.upload(device, spec.dtype, &dims, bytes),
        Sharing::Split => client.upload(device, spec.dtype, &dims, &bytes[device * size..(device + 1) * size]),
    };
    let buffers = (0..num_devices).map(upload).collect::<Result<_, _>>()?;
    let held = Arc::new(Held::new(accelerator, spec.clone(), sharing, buffers));
    value.set_remote(held.clone());
    Ok(held)
}
