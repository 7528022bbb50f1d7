//! The memory that plans run in: one plan after another runs in the same, so that a plan more, for inputs of another shape,
//! takes no more of it, and none that was never touched.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use gyrus_graph::Buffer;

/// The most bytes that a buffer is longer than what asked for it.
const MAX_SLACK: usize = 1 << 30;

static SPARE: Mutex<Spare> = Mutex::new(Spare::NOTHING);

/// Memory in which nothing runs.
struct Spare {
    /// The shortest first.
    buffers: Vec<Buffer>,
    /// How many bytes plans need, and how many need as many.
    needs: BTreeMap<usize, usize>,
}

fn spare() -> MutexGuard<'static, Spare> {
    SPARE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How long a buffer is for so many bytes: pages that are never touched cost nothing, and a plan that needs a little more
/// then finds those that were.
fn with_slack(bytes: usize) -> usize {
    bytes + bytes.min(MAX_SLACK)
}

impl Spare {
    const NOTHING: Spare = Spare { buffers: vec![], needs: BTreeMap::new() };

    /// A plan that needed so many bytes needs another number of them.
    fn change(&mut self, from: usize, to: usize) {
        if from == to {
            return;
        }
        if to > 0 {
            *self.needs.entry(to).or_default() += 1;
        }
        if let Some(count) = self.needs.get_mut(&from) {
            *count -= 1;
            if *count == 0 {
                self.needs.remove(&from);
            }
        }
    }

    /// The shortest buffer of at least so many bytes. If there is none, the longest makes room for a new one.
    fn take(&mut self, bytes: usize) -> Option<Buffer> {
        let place = self.buffers.partition_point(|buffer| buffer.len() < bytes);
        if place < self.buffers.len() {
            return Some(self.buffers.remove(place));
        }
        self.buffers.pop();
        None
    }

    fn give_back(&mut self, buffer: Buffer) {
        let place = self.buffers.partition_point(|other| other.len() < buffer.len());
        self.buffers.insert(place, buffer);
        self.trim();
    }

    /// Drops what is longer than any plan needs.
    fn trim(&mut self) {
        let longest = with_slack(self.needs.last_key_value().map_or(0, |(&bytes, _)| bytes));
        self.buffers.retain(|buffer| buffer.len() <= longest);
    }
}

/// A plan's claim to memory.
#[derive(Default)]
pub(super) struct Workspace {
    bytes: usize,
}

impl Workspace {
    /// Memory of at least so many bytes, in which anything may be, until it is dropped.
    pub(super) fn take(&mut self, bytes: usize) -> Taken {
        let found = {
            let mut spare = spare();
            spare.change(self.bytes, bytes);
            spare.take(bytes)
        };
        self.bytes = bytes;
        let mut buffer = found.unwrap_or_else(|| Buffer::unset(with_slack(bytes)));
        if cfg!(debug_assertions) {
            // What is read before it is written is then no number.
            buffer.bytes_mut().expect("has one holder")[..bytes].fill(0xFF);
        }
        Taken(Some(buffer))
    }
}

impl Drop for Workspace {
    fn drop(&mut self) {
        let mut spare = spare();
        spare.change(self.bytes, 0);
        spare.trim();
    }
}

/// Memory that is in use.
pub(super) struct Taken(Option<Buffer>);

impl Taken {
    pub(super) fn start(&mut self) -> *mut u8 {
        self.0.as_mut().and_then(Buffer::bytes_mut).expect("has one holder").as_mut_ptr()
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        if let Some(buffer) = self.0.take() {
            spare().give_back(buffer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plans_share_what_the_largest_needs() {
        let mut spare = Spare::NOTHING;
        let run = |spare: &mut Spare, bytes: usize| {
            let (found, is_new) = match spare.take(bytes) {
                Some(found) => (found, false),
                None => (Buffer::zeroed(with_slack(bytes)), true),
            };
            assert!(found.len() >= bytes);
            spare.give_back(found);
            is_new
        };
        for bytes in [1000, 200, 1400, 3000, 3000] {
            spare.change(0, bytes);
        }
        assert!(run(&mut spare, 1000));
        assert!(!run(&mut spare, 200) && !run(&mut spare, 1400), "both find memory that is long enough");
        assert!(run(&mut spare, 3000));
        assert_eq!(spare.buffers.len(), 1, "the longer one took the place of the other");

        // One that runs within another has its own, and each finds its own again.
        let outer = spare.take(3000).expect("there is one");
        assert!(run(&mut spare, 200));
        spare.give_back(outer);
        let outer = spare.take(3000).expect("there is one");
        assert!(!run(&mut spare, 200));
        spare.give_back(outer);

        spare.change(3000, 0);
        spare.trim();
        assert_eq!(spare.buffers.len(), 2, "another plan needs as much");
        spare.change(3000, 0);
        spare.trim();
        assert_eq!(spare.buffers.iter().map(Buffer::len).collect::<Vec<_>>(), [with_slack(200)]);
    }
}
