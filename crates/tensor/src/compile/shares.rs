//! Functions that run on several devices at once, each on its share of a batch.

use std::cell::Cell;

use gyrus_graph::{Device, Shape, Spec};
use gyrus_pjrt::{Sharing, or_panic, resident};

use crate::{Module, Path, Tensor};

thread_local! {
    static NUM_SHARES: Cell<usize> = const { Cell::new(1) };
}

/// Into how many shares the batch is divided that the function now being captured sees one of: the number of devices
/// that run it, or 1.
pub fn num_shares() -> usize {
    NUM_SHARES.get()
}

/// Begins to bring the inputs of a compiled function to the device on which its state is, so that they are there when it is
/// called. It may compute something else meanwhile.
///
/// # Panics
/// If an accelerator fails.
pub fn prefetch(inputs: &impl Module, device: Device) {
    let Device::Accelerator(accelerator) = device else { return };
    let mut tensors: Vec<Tensor> = vec![];
    inputs.walk(&mut Path::default(), &mut |_, _, tensor| tensors.push(tensor.clone()));
    crate::evaluate(&tensors);
    let num_shares = shares_of(tensors.iter().map(Tensor::spec), accelerator.num_devices);
    for tensor in &tensors {
        or_panic(resident(tensor.value(), accelerator, sharing_of(tensor.spec(), num_shares)));
    }
}

/// How an input of this kind lies on several devices.
pub(super) fn sharing_of(spec: &Spec, num_shares: usize) -> Sharing {
    if num_shares > 1 && spec.shape.rank() > 0 { Sharing::Split } else { Sharing::Whole }
}

/// Calls `function`, in which [`num_shares`] is this.
pub(super) fn with_shares<R>(num_shares: usize, function: impl FnOnce() -> R) -> R {
    struct Restore(usize);
    impl Drop for Restore {
        fn drop(&mut self) {
            NUM_SHARES.set(self.0);
        }
    }
    let _restore = Restore(NUM_SHARES.replace(num_shares));
    function()
}

/// Into how many equal shares a batch of these tensors is divided for so many devices: one each, by the leading axis. A
/// batch that cannot be divided is one share: each device computes the whole of it.
pub(super) fn shares_of<'a>(inputs: impl IntoIterator<Item = &'a Spec>, num_devices: usize) -> usize {
    let mut sizes = inputs.into_iter().filter_map(|spec| spec.shape.first()).peekable();
    let is_divisible = sizes.peek().is_some() && sizes.all(|size| size % num_devices == 0);
    if is_divisible { num_devices } else { 1 }
}

/// One share of a tensor of a batch; scalars are not divided.
pub(super) fn share(spec: &Spec, num_shares: usize) -> Spec {
    let mut sizes = spec.shape.to_vec();
    if let Some(first) = sizes.first_mut() {
        *first /= num_shares;
    }
    Spec::new(Shape::from(&sizes[..]), spec.dtype)
}
