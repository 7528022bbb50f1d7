//! Which samples each batch has.

use crate::random::{Purpose, RandomStream};

/// The samples of an epoch in their order, which depends on seed and epoch only.
pub(super) fn of_epoch(indices: &[usize], seed: u64, epoch: usize, shuffle: bool) -> Vec<usize> {
    let mut order = indices.to_vec();
    if shuffle {
        RandomStream::new(seed, epoch, 0, Purpose::Order).shuffle(&mut order);
    }
    order
}
