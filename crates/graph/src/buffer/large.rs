//! Large buffers have pages of their own. Those of buffers that are dropped are kept for others of the same size, as many as
//! are in use, and some more: a program that makes and drops the same arrays again and again, as a loop of training does, asks
//! nothing of the system.

use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::collections::VecDeque;
use std::ptr::NonNull;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::HUGE_PAGE;

/// How many bytes are kept though no more are in use.
const ALLOWANCE: usize = 128 << 20;

static KEPT: Mutex<Kept> = Mutex::new(Kept { pieces: VecDeque::new(), bytes: 0, used: 0 });

/// Memory that begins with a huge page.
#[derive(Clone, Copy)]
pub(super) struct Piece {
    pub(super) start: NonNull<u8>,
    /// What the allocator gave.
    allocated: NonNull<u8>,
    len: usize,
}

// SAFETY: the memory is the piece's own.
unsafe impl Send for Piece {}

/// Pieces of dropped buffers, the newest last.
struct Kept {
    pieces: VecDeque<Piece>,
    bytes: usize,
    /// Bytes of buffers.
    used: usize,
}

fn lock() -> MutexGuard<'static, Kept> {
    KEPT.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Room for so many bytes, and whether all of them are zero; else anything may be in it. `None` if there is no memory.
pub(super) fn take(len: usize) -> Option<(Piece, bool)> {
    let found = {
        let mut kept = lock();
        kept.used += len;
        let place = kept.pieces.iter().rposition(|piece| piece.len == len);
        place.and_then(|place| kept.pieces.remove(place)).inspect(|_| kept.bytes -= len)
    };
    if let Some(piece) = found {
        return Some((piece, false));
    }
    let piece = Piece::new(len);
    if piece.is_none() {
        lock().used -= len;
    }
    piece.map(|piece| (piece, true))
}

/// Takes back what [`take`] gave.
///
/// # Safety
/// It is used no more.
pub(super) unsafe fn give_back(piece: Piece) {
    let mut kept = lock();
    kept.used -= piece.len;
    kept.bytes += piece.len;
    kept.pieces.push_back(piece);
    while kept.bytes > kept.used + ALLOWANCE {
        let Some(oldest) = kept.pieces.pop_front() else { break };
        kept.bytes -= oldest.len;
        // SAFETY: nobody uses what is kept.
        unsafe { oldest.free() }
    }
}

/// Asks for huge pages where they fit wholly into memory that begins at a multiple of their size.
#[cfg(target_os = "linux")]
fn prefer_huge_pages(start: *mut u8, len: usize) {
    // SAFETY: the pages are the caller's own. Their contents stay, and a refusal changes nothing.
    unsafe { libc::madvise(start.cast(), len / HUGE_PAGE * HUGE_PAGE, libc::MADV_HUGEPAGE) };
}

#[cfg(not(target_os = "linux"))]
fn prefer_huge_pages(_start: *mut u8, _len: usize) {}

impl Piece {
    /// A piece is aligned by hand: asked for nothing but zeros, the allocator takes them from the system as they are, and pages
    /// that are never touched cost nothing.
    fn layout(len: usize) -> Option<Layout> {
        Layout::from_size_align(len.checked_add(HUGE_PAGE)?, 1).ok()
    }

    fn new(len: usize) -> Option<Piece> {
        // SAFETY: the size is not 0.
        let allocated = NonNull::new(unsafe { alloc_zeroed(Piece::layout(len)?) })?;
        // SAFETY: there is a page more than the piece takes.
        let start = unsafe { allocated.add(allocated.align_offset(HUGE_PAGE)) };
        prefer_huge_pages(start.as_ptr(), len);
        Some(Piece { start, allocated, len })
    }

    /// # Safety
    /// It is used no more.
    unsafe fn free(self) {
        let layout = Piece::layout(self.len).expect("it was allocated");
        // SAFETY: it was allocated so.
        unsafe { dealloc(self.allocated.as_ptr(), layout) }
    }
}
