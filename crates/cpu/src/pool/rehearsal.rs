//! For tests: runs of which only a part is done, on this thread.

use std::cell::Cell;

use super::{Rows, Work};

/// What is done of runs.
#[derive(Clone, Copy)]
pub(crate) enum Rehearsal {
    /// Nothing.
    Nothing,
    /// All, but of one by rows only this task, if it has so many.
    OnlyTask(usize),
}

thread_local! {
    static CURRENT: Cell<Option<Rehearsal>> = const { Cell::new(None) };
    static ROWS: Cell<Option<Rows>> = const { Cell::new(None) };
}

/// Calls `act`, of whose runs only a part is done; the rows of the last run by rows.
pub(crate) fn rehearse(rehearsal: Rehearsal, act: impl FnOnce()) -> Option<Rows> {
    CURRENT.set(Some(rehearsal));
    ROWS.set(None);
    act();
    CURRENT.set(None);
    ROWS.take()
}

/// Whether a run is rehearsed; does what is to be done of it.
pub(super) fn divides(tasks: usize, rows: Option<Rows>, work: Work) -> bool {
    let Some(rehearsal) = CURRENT.get() else { return false };
    ROWS.set(rows.or(ROWS.get()));
    match rehearsal {
        Rehearsal::Nothing => {}
        Rehearsal::OnlyTask(task) if rows.is_some() => (task..tasks.min(task + 1)).for_each(|task| work(task, 0)),
        Rehearsal::OnlyTask(_) => (0..tasks).for_each(|task| work(task, 0)),
    }
    true
}
