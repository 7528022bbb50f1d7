//! For tests: runs of which only a part is done, on this thread.

use std::cell::Cell;

use super::rows::Course;
use super::{Passed, Work};

/// What is done of runs.
#[derive(Clone, Copy)]
pub(crate) enum Rehearsal {
    /// Nothing.
    Nothing,
    /// All, but of one by rows of their own only this task, if it has so many.
    OnlyTask(usize),
    /// All, one task after another. The last one of a run along rows calls this where it has passed some.
    Passing(Passed<'static>),
}

thread_local! {
    static CURRENT: Cell<Option<Rehearsal>> = const { Cell::new(None) };
    static COURSE: Cell<Option<Course>> = const { Cell::new(None) };
}

/// Calls `act`, of whose runs only a part is done; how the last run by rows goes through them.
pub(crate) fn rehearse(rehearsal: Rehearsal, act: impl FnOnce()) -> Option<Course> {
    CURRENT.set(Some(rehearsal));
    COURSE.set(None);
    act();
    CURRENT.set(None);
    COURSE.take()
}

/// Whether a run is rehearsed; does what is to be done of it.
pub(super) fn divides(tasks: usize, course: Option<Course>, work: Work) -> bool {
    let Some(rehearsal) = CURRENT.get() else { return false };
    COURSE.set(course.or(COURSE.get()));
    let no_one = |_: usize| {};
    match (rehearsal, course) {
        (Rehearsal::Nothing, _) => {}
        (Rehearsal::OnlyTask(task), Some(Course::Apart(_))) => {
            (task..tasks.min(task + 1)).for_each(|task| work(task, 0, &no_one));
        }
        (Rehearsal::Passing(passed), Some(Course::Along(_))) => {
            (0..tasks).for_each(|task| work(task, 0, if task + 1 < tasks { &no_one } else { passed }));
        }
        _ => (0..tasks).for_each(|task| work(task, 0, &no_one)),
    }
    true
}
