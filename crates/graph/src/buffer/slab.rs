//! Buffers of medium size as pieces of slabs, so that they lie in huge pages as large ones do.

use std::collections::BTreeMap;
use std::ptr::NonNull;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::large::{self, Piece};
use super::{ALIGNMENT, HUGE_PAGE};

/// Bytes of a slab: some pieces of any medium size leave little of it.
const SLAB: usize = 4 * HUGE_PAGE;

static SLABS: Mutex<Vec<Slab>> = Mutex::new(Vec::new());

struct Slab {
    memory: Piece,
    /// Which parts are free, none next to another: where each begins, and its length.
    free: BTreeMap<usize, usize>,
}

/// Room for so many bytes, at a multiple of [`ALIGNMENT`], in which anything may be; `None` if there is no memory.
pub(super) fn take(len: usize) -> Option<NonNull<u8>> {
    let (room, mut slabs) = (room_for(len), lock());
    if let Some(piece) = slabs.iter_mut().find_map(|slab| slab.take(room)) {
        return Some(piece);
    }
    let mut slab = Slab::new()?;
    let piece = slab.take(room);
    slabs.push(slab);
    piece
}

/// Takes back what [`take`] gave.
///
/// # Safety
/// It was given for so many bytes, and is used no more.
pub(super) unsafe fn give_back(piece: NonNull<u8>, len: usize) {
    let mut slabs = lock();
    let slab = slabs.iter_mut().find_map(|slab| Some((slab.place_of(piece)?, slab)));
    let (place, slab) = slab.expect("a piece is of a slab");
    slab.give_back(place, room_for(len));
    // One that is empty stays: who makes and drops one buffer after another needs no more of the system.
    let is_empty = |slab: &Slab| slab.free.get(&0) == Some(&SLAB);
    if slabs.iter().filter(|slab| is_empty(slab)).count() > 1 {
        let index = slabs.iter().position(is_empty).expect("some are");
        slabs.swap_remove(index);
    }
}

fn lock() -> MutexGuard<'static, Vec<Slab>> {
    SLABS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An odd number of lines: the same elements of arrays of one size, which are often read together, then lie at different
/// places of the caches.
fn room_for(len: usize) -> usize {
    (len.div_ceil(ALIGNMENT) | 1) * ALIGNMENT
}

impl Slab {
    fn new() -> Option<Slab> {
        let (memory, _) = large::take(SLAB)?;
        Some(Slab { memory, free: BTreeMap::from([(0, SLAB)]) })
    }

    /// The first free part that is large enough, or its begin.
    fn take(&mut self, room: usize) -> Option<NonNull<u8>> {
        let (&place, &len) = self.free.iter().find(|&(_, &len)| len >= room)?;
        self.free.remove(&place);
        if len > room {
            self.free.insert(place + room, len - room);
        }
        // SAFETY: the part lies within the slab.
        Some(unsafe { self.memory.start.add(place) })
    }

    /// Where in the slab an address is, if it is.
    fn place_of(&self, piece: NonNull<u8>) -> Option<usize> {
        let place = piece.addr().get().wrapping_sub(self.memory.start.addr().get());
        (place < SLAB).then_some(place)
    }

    fn give_back(&mut self, mut place: usize, mut len: usize) {
        if let Some(next) = self.free.remove(&(place + len)) {
            len += next;
        }
        if let Some((&before, &before_len)) = self.free.range(..place).next_back()
            && before + before_len == place
        {
            (place, len) = (before, before_len + len);
        }
        self.free.insert(place, len);
    }
}

impl Drop for Slab {
    fn drop(&mut self) {
        // SAFETY: none of its pieces is left.
        unsafe { large::give_back(self.memory) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_lie_apart_and_come_together_again() {
        let mut slab = Slab::new().expect("memory");
        let mut pieces: Vec<(usize, usize)> = vec![];
        let mut random = 1u64;
        for _ in 0..20_000 {
            random = random.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            let choice = (random >> 33) as usize;
            if choice % 5 < 3 {
                let room = room_for(65_536 + choice % 900_000);
                let Some(piece) = slab.take(room) else { continue };
                let place = slab.place_of(piece).expect("it is of the slab");
                assert!(place.is_multiple_of(ALIGNMENT) && place + room <= SLAB);
                assert!(pieces.iter().all(|&(other, len)| place + room <= other || other + len <= place));
                pieces.push((place, room));
            } else if !pieces.is_empty() {
                let (place, room) = pieces.swap_remove(choice % pieces.len());
                slab.give_back(place, room);
            }
            let free: usize = slab.free.values().sum();
            assert_eq!(free + pieces.iter().map(|&(_, room)| room).sum::<usize>(), SLAB);
        }
        pieces.drain(..).for_each(|(place, room)| slab.give_back(place, room));
        assert_eq!(slab.free, BTreeMap::from([(0, SLAB)]));
    }
}
