//! What the threads of a pool know of each other while they go through a walk.
//!
//! Of each run every worker has a contiguous share of the tasks. It begins them from the front, and when its own are begun
//! others' from the back. A share is one word: the number of the run, the first task that nobody has begun, and the end of
//! them. Whoever takes a task from it by compare-and-swap may do it. Nobody announces a run: a share that has an older number has
//! not been touched yet, and one that has a newer number is used up.

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::flush::Flushing;
use super::rows::{Course, part_of};
use super::walk::{Needs, Position, RING};
use super::{MAX_THREADS, PLACE, POSITION, Panic, Passed, Place, Work, lock, position};

/// How long a worker without a walk stays awake.
const SPIN: Duration = Duration::from_micros(50);
/// After how long a worker that waits within a walk sleeps in between, and how long.
const PATIENCE: Duration = Duration::from_millis(20);
const NAP: Duration = Duration::from_millis(1);
/// How many times someone looks whether a worker that is between two tasks has begun one.
const GLANCES: usize = 100;
/// How many runs lie between two that nobody begins while someone is behind the first: numbers of runs are 16 bits in shares.
const MILESTONE: u32 = 1 << 14;
/// In [`Team::members`], whether others may still join the walk.
const IS_OPEN: u32 = 1 << 31;

/// What a worker is at: the number of a run in the upper half, in the lower one a task, of a run along rows how many it has
/// passed, or [`Doing::BETWEEN`].
struct Doing;

impl Doing {
    const NOTHING: u64 = u64::MAX;
    /// It may be about to begin a task.
    const BETWEEN: u32 = u32::MAX;

    fn of(run: u32, what: u32) -> u64 {
        u64::from(run) << 32 | u64::from(what)
    }
}

/// One worker's words, away from the others' cache lines.
#[repr(align(128))]
struct Slot {
    /// Its shares of the runs with each remainder by [`RING`].
    shares: [AtomicU64; RING],
    doing: AtomicU64,
    /// The last milestone that it has come to.
    milestone: AtomicU32,
    is_asleep: AtomicBool,
}

#[repr(align(128))]
struct Apart<T>(T);

pub(super) struct Team {
    slots: Box<[Slot]>,
    /// For the runs with each remainder, how many tasks have been completed.
    completed: [Apart<AtomicUsize>; RING],
    /// Changes when a walk is opened.
    epoch: Apart<AtomicU32>,
    /// How many threads are in the walk beside the caller's, and [`IS_OPEN`].
    members: Apart<AtomicU32>,
    /// Whether no task of the walk is to begin any more.
    is_over: Apart<AtomicBool>,
    must_end: AtomicBool,
    /// Workers with this number or a larger one join no walk.
    num_workers: AtomicUsize,
    num_changes: AtomicUsize,
    /// Where those begin who join.
    start: Mutex<Option<Position>>,
    panic: Mutex<Option<Panic>>,
}

/// The tasks of a worker's share that nobody has begun.
fn share_of(word: u64) -> Range<usize> {
    (word >> 24) as usize & Team::MAX_TASKS..word as usize & Team::MAX_TASKS
}

fn word_of(run: u32, share: Range<usize>) -> u64 {
    u64::from(run as u16) << 48 | (share.start as u64) << 24 | share.end as u64
}

impl Team {
    /// The most tasks of a run.
    pub(super) const MAX_TASKS: usize = (1 << 24) - 1;

    pub(super) fn new() -> Team {
        let slot = |_| Slot {
            shares: Default::default(),
            doing: AtomicU64::new(Doing::NOTHING),
            milestone: AtomicU32::new(u32::MAX),
            is_asleep: AtomicBool::new(false),
        };
        Team {
            slots: (0..MAX_THREADS).map(slot).collect(),
            completed: [const { Apart(AtomicUsize::new(0)) }; RING],
            epoch: Apart(AtomicU32::new(0)),
            members: Apart(AtomicU32::new(0)),
            is_over: Apart(AtomicBool::new(false)),
            must_end: AtomicBool::new(false),
            num_workers: AtomicUsize::new(1),
            num_changes: AtomicUsize::new(0),
            start: Mutex::new(None),
            panic: Mutex::new(None),
        }
    }

    /// Only while no walk is open.
    pub(super) fn set_num_workers(&self, num_workers: usize) {
        self.num_workers.store(num_workers, Ordering::SeqCst);
        self.num_changes.fetch_add(1, Ordering::SeqCst);
    }

    /// How often the number of workers has changed.
    pub(super) fn num_changes(&self) -> usize {
        self.num_changes.load(Ordering::SeqCst)
    }

    /// Whether the caller has divided its step's tasks among as many workers as there are, for whom there is room.
    pub(super) fn may_join(&self, position: &Position) -> bool {
        self.num_changes() == position.num_changes && self.num_workers() <= position.walk.max_threads()
    }

    pub(super) fn num_workers(&self) -> usize {
        self.num_workers.load(Ordering::Acquire)
    }

    /// Lets others join where the caller is, at the beginning of whose step it is as if nothing had been done but what is
    /// counted in its position.
    pub(super) fn open(&self, position: &Position) {
        let old = word_of(u32::MAX, 0..0);
        for slot in &self.slots[..self.num_workers()] {
            slot.shares.iter().for_each(|share| share.store(old, Ordering::Relaxed));
        }
        self.slots[0].milestone.store(0, Ordering::Relaxed);
        for (completed, &count) in self.completed.iter().zip(&position.targets) {
            completed.0.store(count, Ordering::Relaxed);
        }
        self.is_over.0.store(false, Ordering::Relaxed);
        *lock(&self.start) = Some(*position);
        self.members.0.store(IS_OPEN, Ordering::SeqCst);
        self.epoch.0.fetch_add(1, Ordering::SeqCst);
    }

    /// The workers that have to be woken to join.
    pub(super) fn sleepers(&self) -> impl Iterator<Item = usize> {
        (1..self.num_workers()).filter(|&worker| self.slots[worker].is_asleep.load(Ordering::SeqCst))
    }

    /// Waits until all runs that have been counted are complete.
    pub(super) fn finish(&self, position: &Position) {
        for run in position.next.saturating_sub(RING as u32)..position.next {
            self.await_run(position, run);
        }
    }

    /// Waits until all others have left the walk, at the latest after their tasks; what the first task that panicked did so
    /// with.
    pub(super) fn close(&self) -> Option<Panic> {
        self.is_over.0.store(true, Ordering::SeqCst);
        self.members.0.fetch_and(!IS_OPEN, Ordering::SeqCst);
        self.wait(0, || self.members.0.load(Ordering::Acquire) == 0);
        *lock(&self.start) = None;
        self.slots[0].milestone.store(u32::MAX, Ordering::Relaxed);
        lock(&self.panic).take()
    }

    /// Lets all workers end.
    pub(super) fn end(&self) {
        self.must_end.store(true, Ordering::SeqCst);
        self.epoch.0.fetch_add(1, Ordering::SeqCst);
    }

    /// A worker's life.
    pub(super) fn serve(&self, worker: usize) {
        let _flushing = Flushing::new();
        let slot = &self.slots[worker];
        let mut seen = self.epoch.0.load(Ordering::SeqCst).wrapping_sub(1);
        while !self.must_end.load(Ordering::SeqCst) {
            let epoch = self.epoch.0.load(Ordering::SeqCst);
            if epoch != seen {
                seen = epoch;
                self.join(worker);
            }
            if worker < self.num_workers() && self.spin(seen) {
                continue;
            }
            slot.is_asleep.store(true, Ordering::SeqCst);
            // The end may have been announced between the two reads above: the epoch alone would not tell.
            while self.epoch.0.load(Ordering::SeqCst) == seen && !self.must_end.load(Ordering::SeqCst) {
                thread::park();
            }
            slot.is_asleep.store(false, Ordering::SeqCst);
        }
    }

    /// Waits for a walk for a while; whether one was opened.
    fn spin(&self, seen: u32) -> bool {
        let start = Instant::now();
        loop {
            for _ in 0..64 {
                if self.epoch.0.load(Ordering::Acquire) != seen {
                    return true;
                }
                std::hint::spin_loop();
            }
            if start.elapsed() > SPIN {
                return false;
            }
        }
    }

    /// Goes through the walk that is open, if one is.
    fn join(&self, worker: usize) {
        let one_more = |members: u32| (members & IS_OPEN != 0).then_some(members + 1);
        let (slot, members) = (&self.slots[worker], &self.members.0);
        // Before it joins: who closes the walk waits for it from then on.
        slot.milestone.store(0, Ordering::SeqCst);
        if members.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_more).is_ok() {
            if worker < self.num_workers() {
                let start = *lock(&self.start);
                let start = start.expect("a walk is open");
                if let Err(panic) = catch_unwind(AssertUnwindSafe(|| self.go(worker, &start))) {
                    self.fail(panic);
                }
                PLACE.set(Place::Outside);
            }
            members.fetch_sub(1, Ordering::Release);
        }
        slot.milestone.store(u32::MAX, Ordering::SeqCst);
    }

    fn go(&self, worker: usize, start: &Position) {
        let walk = start.walk;
        PLACE.set(Place::Walk);
        POSITION.set(Some(Position { is_open: true, ..Position::new(worker, walk, start.step, start.num_changes) }));
        for step in start.step..walk.num_steps() {
            let mut position = position();
            if !self.begin_step(&mut position, step) {
                break;
            }
            POSITION.set(Some(position));
            walk.step(step);
        }
    }

    fn fail(&self, panic: Panic) {
        lock(&self.panic).get_or_insert(panic);
        self.is_over.0.store(true, Ordering::SeqCst);
    }

    /// Goes on to a step; whether there is anything left to do.
    pub(super) fn begin_step(&self, position: &mut Position, step: usize) -> bool {
        let old = position.begin_step(step);
        !position.is_open || old.last().is_none_or(|run| self.await_run(position, run)) && !self.is_over()
    }

    fn is_over(&self) -> bool {
        self.is_over.0.load(Ordering::Relaxed)
    }

    /// Waits. The caller stays awake: it would be put where another thread is.
    fn wait(&self, worker: usize, mut is_so: impl FnMut() -> bool) {
        let (mut rounds, mut start) = (0u32, None);
        while !is_so() {
            rounds += 1;
            if !rounds.is_multiple_of(4096) {
                std::hint::spin_loop();
            } else if worker == 0 || start.get_or_insert_with(Instant::now).elapsed() < PATIENCE {
                thread::yield_now();
            } else {
                thread::sleep(NAP);
            }
        }
    }

    fn is_complete(&self, position: &Position, run: u32) -> bool {
        self.completed[run as usize % RING].0.load(Ordering::Acquire) >= position.target(run)
    }

    /// Waits until a run is complete; whether it is.
    fn await_run(&self, position: &Position, run: u32) -> bool {
        self.wait(position.worker, || self.is_complete(position, run) || self.is_over());
        !self.is_over()
    }

    /// Waits for all that a run needs to begin, but for what each of its rows needs; whether it may.
    fn await_needs(&self, position: &Position, run: u32, course: Option<Course>) -> bool {
        let [current, before @ ..] = &position.steps;
        let own = (run > current.first).then(|| run - 1);
        let is_whole = match current.by_rows {
            Some((by_rows, Course::Apart(_))) if by_rows == run => false,
            _ => course.is_some(),
        };
        let others = before.iter().filter(|runs| match runs.needs {
            Needs::Nothing => false,
            Needs::Rows => is_whole || runs.by_rows.is_none(),
            Needs::All => true,
        });
        own.into_iter().chain(others.filter_map(|runs| runs.last())).all(|run| self.await_run(position, run))
            && !self.is_over()
    }

    /// Nobody begins a run while another is so far behind that it could take its shares for older ones.
    fn await_others(&self, worker: usize, run: u32) {
        self.members.0.fetch_and(!IS_OPEN, Ordering::SeqCst);
        self.slots[worker].milestone.store(run, Ordering::SeqCst);
        let is_near = |slot: &Slot| slot.milestone.load(Ordering::SeqCst) >= run - MILESTONE;
        self.wait(worker, || self.slots[..self.num_workers()].iter().all(is_near) || self.is_over());
    }

    /// Comes by a run of a walk: does what nobody else has begun.
    pub(super) fn take_part(&self, position: &mut Position, tasks: usize, course: Option<Course>, work: Work) {
        let worker = position.worker;
        if position.next >= RING as u32 && !self.await_run(position, position.next - RING as u32) {
            return;
        }
        let run = position.begin_run(tasks, course);
        if run != 0 && run.is_multiple_of(MILESTONE) {
            self.await_others(worker, run);
        }
        let is_alone = tasks <= 1;
        if !self.await_needs(position, run, course) || is_alone && worker != 0 || self.is_complete(position, run) {
            return;
        }
        let mut count = 0;
        let mut attempt = |task: usize, passed: Passed| {
            count += 1;
            if let Err(panic) = catch_unwind(AssertUnwindSafe(|| work(task, worker, passed))) {
                self.fail(panic);
            }
        };
        if is_alone {
            (0..tasks).for_each(|task| attempt(task, &|_| {}));
        } else {
            let part = Part { team: self, position: &*position, run, tasks };
            let doing = &self.slots[worker].doing;
            let is_along = matches!(course, Some(Course::Along(_)));
            let passed = |rows: usize| {
                if is_along {
                    doing.store(Doing::of(run, rows as u32), Ordering::Release);
                }
            };
            doing.store(Doing::of(run, Doing::BETWEEN), Ordering::SeqCst);
            while !self.is_over()
                && let Some(task) = part.take()
            {
                doing.store(Doing::of(run, if is_along { 0 } else { task as u32 }), Ordering::Release);
                attempt(task, &passed);
                doing.store(Doing::of(run, Doing::BETWEEN), Ordering::SeqCst);
            }
            doing.store(Doing::NOTHING, Ordering::Release);
        }
        self.completed[run as usize % RING].0.fetch_add(count, Ordering::AcqRel);
    }
}

/// A run that a worker has come to.
struct Part<'a> {
    team: &'a Team,
    position: &'a Position,
    run: u32,
    tasks: usize,
}

impl Part<'_> {
    /// Takes a task that nobody has begun: none if there is none, or if those that are left need what someone else does first,
    /// who will come by, while something may be done in the step after this.
    fn take(&self) -> Option<usize> {
        let mut taken = None;
        self.team.wait(self.position.worker, || match self.take_one() {
            Ok(task) => {
                taken = task;
                true
            }
            Err(Blocked) => self.position.may_leave || self.team.is_over(),
        });
        taken
    }

    fn take_one(&self) -> Result<Option<usize>, Blocked> {
        let num_workers = self.team.num_workers();
        let mut found = Ok(None);
        for distance in 0..num_workers {
            match self.take_from((self.position.worker + distance) % num_workers, distance != 0) {
                Ok(None) => {}
                Err(Blocked) => found = Err(Blocked),
                taken => return taken,
            }
        }
        found
    }

    fn initial(&self, worker: usize) -> Range<usize> {
        part_of(self.tasks, worker, self.team.num_workers())
    }

    fn take_from(&self, victim: usize, from_back: bool) -> Result<Option<usize>, Blocked> {
        let share = &self.team.slots[victim].shares[self.run as usize % RING];
        let mut word = share.load(Ordering::Acquire);
        loop {
            let left = match age(word, self.run) {
                0 => share_of(word),
                1.. => return Ok(None),
                _ => self.initial(victim),
            };
            if left.is_empty() {
                return Ok(None);
            }
            let ends = if from_back { [left.end - 1, left.start] } else { [left.start, left.end - 1] };
            let task = ends.into_iter().find(|&task| self.is_ready(task)).ok_or(Blocked)?;
            let rest = if task == left.start { left.start + 1..left.end } else { left.start..left.end - 1 };
            let rest = word_of(self.run, rest);
            match share.compare_exchange_weak(word, rest, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return Ok(Some(task)),
                Err(current) => word = current,
            }
        }
    }

    /// Whether a task may begin, if others have left something of the steps before.
    fn is_ready(&self, task: usize) -> bool {
        let Some((_, Course::Apart(rows))) = self.position.steps[0].by_rows.filter(|&(run, _)| run == self.run) else {
            return true;
        };
        self.position.steps[1..].iter().filter(|runs| runs.needs == Needs::Rows).all(|runs| {
            let Some((run, course)) = runs.by_rows else { return true };
            let all = course.num_tasks();
            let is_done = || match course {
                Course::Apart(others) => {
                    let tasks = others.tasks_beside(&rows, task);
                    self.is_done(run, all, tasks.clone(), |task| !tasks.contains(&task))
                }
                Course::Along(others) => {
                    let needed = others.passed_before(&rows, task);
                    needed == 0 || self.is_done(run, all, 0..all, |passed| passed >= needed)
                }
            };
            self.team.is_complete(self.position, run) || is_done()
        })
    }

    /// Whether some of all the `num_tasks` of a run that this worker has left are done, or so far that what who is at one has
    /// announced `is_enough`.
    fn is_done(&self, run: u32, num_tasks: usize, tasks: Range<usize>, is_enough: impl Fn(usize) -> bool) -> bool {
        let slots = &self.team.slots[..self.team.num_workers()];
        let overlaps = |other: Range<usize>| other.start.max(tasks.start) < other.end.min(tasks.end);
        let is_left = |(worker, slot): (usize, &Slot)| {
            let word = slot.shares[run as usize % RING].load(Ordering::Acquire);
            let all = Part { run, tasks: num_tasks, ..*self };
            match age(word, run) {
                0 => overlaps(share_of(word)),
                1.. => false,
                _ => overlaps(all.initial(worker)),
            }
        };
        // A worker says that it may begin a task before it takes it from a share: shares are read first.
        if slots.iter().enumerate().any(is_left) {
            return false;
        }
        slots.iter().all(|slot| {
            for _ in 0..GLANCES {
                let doing = slot.doing.load(Ordering::Acquire);
                let (other, what) = ((doing >> 32) as u32, doing as u32);
                if doing == Doing::NOTHING || other != run {
                    return true;
                }
                if what != Doing::BETWEEN {
                    return is_enough(what as usize);
                }
                std::hint::spin_loop();
            }
            false
        })
    }
}

/// The tasks that are left need what someone else is at.
struct Blocked;

/// Whether a share is of a later run (above 0) or an earlier one (below).
fn age(word: u64, run: u32) -> i16 {
    ((word >> 48) as u16 as i16).wrapping_sub(run as u16 as i16)
}
