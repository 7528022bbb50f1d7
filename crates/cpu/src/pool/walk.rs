//! Steps that threads go through together.

use super::rows::Course;

/// How many steps before one may still be in progress when it begins.
pub const WINDOW: usize = 2;
/// How many runs may be in progress.
pub(super) const RING: usize = 8;

/// What a step needs of an earlier one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// Neither reads or overwrites what the other writes.
    Nothing,
    /// The run by rows of this step needs of that one's the rows beside its own; its other runs need nothing. A run
    /// [along rows](super::Pool::run_along) needs them all.
    Rows,
    /// It is complete.
    All,
}

/// Steps that threads go through together: each of them calls [`Walk::step`] for all steps, in their order, and takes part
/// in the runs that it finds there. Outside its runs a step only reads what is the same for all.
pub trait Walk: Sync {
    /// How many steps there are.
    fn num_steps(&self) -> usize;

    /// Goes through a step.
    fn step(&self, step: usize);

    /// How many threads there may be at most.
    fn max_threads(&self) -> usize {
        usize::MAX
    }

    /// What a step needs of the one `distance` before it, which is from 1 to [`WINDOW`].
    fn needs(&self, _step: usize, _distance: usize) -> Needs {
        Needs::All
    }
}

/// Where a thread is in a walk. All threads go through the same runs, and count them alike.
#[derive(Clone, Copy)]
pub(super) struct Position {
    pub(super) worker: usize,
    /// Whether others may take part. Until then only the caller walks, and counts only the runs of its step.
    pub(super) is_open: bool,
    /// The walk; it lives as long as the thread is in it.
    pub(super) walk: &'static dyn Walk,
    pub(super) step: usize,
    /// How often the number of threads had changed.
    pub(super) num_changes: usize,
    /// The number of the next run.
    pub(super) next: u32,
    /// For the runs with each remainder by [`RING`], how many tasks they have had together.
    pub(super) targets: [usize; RING],
    /// The runs of this step and those before it, the latest first.
    pub(super) steps: [Runs; WINDOW + 1],
    /// Whether there is a step after this one that may begin before it is complete.
    pub(super) may_leave: bool,
}

/// The runs of a step.
#[derive(Clone, Copy)]
pub(super) struct Runs {
    pub(super) first: u32,
    pub(super) end: u32,
    /// The one by rows, if there was one of several tasks, and how they go through them.
    pub(super) by_rows: Option<(u32, Course)>,
    /// What the current step needs of this one.
    pub(super) needs: Needs,
}

impl Runs {
    const NONE: Runs = Runs { first: 0, end: 0, by_rows: None, needs: Needs::All };

    /// The last one.
    pub(super) fn last(&self) -> Option<u32> {
        (self.first < self.end).then(|| self.end - 1)
    }
}

impl Position {
    /// Before a step.
    pub(super) fn new(worker: usize, walk: &'static dyn Walk, step: usize, num_changes: usize) -> Position {
        let (targets, steps) = ([0; RING], [Runs::NONE; WINDOW + 1]);
        Position { worker, is_open: false, walk, step, num_changes, next: 0, targets, steps, may_leave: false }
    }

    /// Goes on to a step; the runs that are left behind for good.
    pub(super) fn begin_step(&mut self, step: usize) -> Runs {
        self.step = step;
        self.may_leave = step + 1 < self.walk.num_steps() && self.walk.needs(step + 1, 1) != Needs::All;
        let old = self.steps[WINDOW];
        self.steps.rotate_right(1);
        self.steps[0] = Runs { first: self.next, end: self.next, ..Runs::NONE };
        for distance in 1..=WINDOW {
            // A step without runs has not waited for what it needs.
            let is_known = distance <= step && self.steps[1..distance].iter().all(|runs| runs.last().is_some());
            self.steps[distance].needs = if is_known { self.walk.needs(step, distance) } else { Needs::All };
        }
        old
    }

    /// Counts a run; its number.
    pub(super) fn begin_run(&mut self, tasks: usize, course: Option<Course>) -> u32 {
        let run = self.next;
        self.next += 1;
        self.targets[run as usize % RING] += tasks;
        self.steps[0].end = self.next;
        if let Some(course) = course.filter(|_| tasks > 1) {
            self.steps[0].by_rows = Some((run, course));
        }
        run
    }

    /// How many tasks are complete, of the runs with the same remainder, when a run is; 0 for those that are complete because
    /// so many have begun since.
    pub(super) fn target(&self, run: u32) -> usize {
        if self.next - run > RING as u32 { 0 } else { self.targets[run as usize % RING] }
    }
}
