//! Static division of work among the pool's threads.

use std::ops::Range;

use crate::kernel::Run;
use crate::pool::{Along, Passed, Pool, Rows, part_of};

/// How many tasks each thread has of a run by rows.
const TASKS_PER_THREAD: usize = 8;

/// Calls `work` with ranges that together cover `0..count`, in parallel, each of at least `grain` items
/// where there are as many. `work` must give the same result for any division.
pub(crate) fn split(pool: &Pool, count: usize, grain: usize, work: impl Fn(Range<usize>) + Sync) {
    split_numbered(pool, count, grain, |_, range| work(range));
}

/// As [`split`], with the number of the worker: no two parts that run at the same time have the same.
pub(crate) fn split_numbered(pool: &Pool, count: usize, grain: usize, work: impl Fn(usize, Range<usize>) + Sync) {
    let parts = pool.num_threads().min(count / grain.max(1)).max(1);
    pool.run(parts, &|part, worker| work(worker, part_of(count, part, parts)));
}

/// Calls `work` with rows that together are all of `count`, by rows, some `grain` of them at a time or more: there are a few
/// tasks for each thread, so that those who come early find rows that are ready.
pub(crate) fn split_rows(pool: &Pool, count: usize, grain: usize, work: impl Fn(Range<usize>) + Sync) {
    let wanted = if pool.num_threads() == 1 { 1 } else { TASKS_PER_THREAD * pool.num_threads() };
    let parts = wanted.min(count / grain.max(1)).max(1);
    let rows = Rows { count, unit: 1, parts, tasks_per_part: 1 };
    pool.run_by_rows(rows, &|task, _| work(rows.of(task)));
}

/// As [`split_numbered`], where each part goes through `num_rows` rows, and calls `passed` with the number of those that it
/// has written.
pub(crate) fn split_along(
    pool: &Pool,
    (num_rows, from_last): (usize, bool),
    count: usize,
    work: impl Fn(usize, Range<usize>, Passed) + Sync,
) {
    let along = Along { count: num_rows, from_last, tasks: pool.num_threads().min(count).max(1) };
    pool.run_along(along, &|part, worker, passed| work(worker, part_of(count, part, along.tasks), passed));
}

/// Pointers that the threads of one kernel share; each writes only its own part.
#[derive(Clone, Copy)]
pub(crate) struct Pointers<'a> {
    inputs: &'a [*const u8],
    outputs: &'a [*mut u8],
}

// SAFETY: the pointers are valid for the whole run of a kernel, which writes through them from several
// threads only to disjoint places.
unsafe impl Send for Pointers<'_> {}
// SAFETY: as above.
unsafe impl Sync for Pointers<'_> {}

impl<'a> Pointers<'a> {
    pub(crate) fn of(run: &Run<'a>) -> Self {
        Pointers { inputs: run.inputs, outputs: run.outputs }
    }

    pub(crate) fn input<T>(&self, index: usize) -> *const T {
        self.inputs[index].cast()
    }

    pub(crate) fn output<T>(&self, index: usize) -> *mut T {
        self.outputs[index].cast()
    }
}

/// A pointer to memory that threads share, each part of which is written by one of them.
#[derive(Clone, Copy)]
pub(crate) struct Shared<T>(pub(crate) *mut T);

impl<T> Shared<T> {
    pub(crate) fn get(&self) -> *mut T {
        self.0
    }
}

// SAFETY: as the type states.
unsafe impl<T> Send for Shared<T> {}
// SAFETY: as the type states.
unsafe impl<T> Sync for Shared<T> {}
