//! The threads that kernels run on, and the memory they work in.
//!
//! Threads go through the steps of a [`Walk`] together. In a step each of them comes by the same runs, which are a number of
//! tasks: it does what nobody else has begun, and goes on when nothing is left to begin. Of what others are still at, a run waits
//! for what it [`Needs`] alone, so that nobody waits for a thread that the operating system has put aside, or whose last
//! task is long, while there is something else to do. In tasks denormal numbers count as zero.

mod flush;
#[cfg(test)]
pub(crate) mod rehearsal;
mod rows;
mod scratch;
mod team;
#[cfg(test)]
mod tests;
mod walk;

use std::any::Any;
use std::cell::Cell;
use std::panic::resume_unwind;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{self, JoinHandle, Thread};

use self::flush::Flushing;
pub use self::rows::{Along, Rows};
pub(crate) use self::rows::{Course, part_of};
pub use self::scratch::{Scratch, ScratchSize};
use self::team::Team;
use self::walk::Position;
pub use self::walk::{Needs, WINDOW, Walk};

/// The most threads a pool can have.
pub const MAX_THREADS: usize = 256;

/// What a task panicked with.
type Panic = Box<dyn Any + Send>;

/// What a task of a run along rows calls with the number of rows that it has passed.
pub type Passed<'a> = &'a dyn Fn(usize);

/// What a run calls for each task, with its worker.
type Work<'a> = &'a (dyn Fn(usize, usize, Passed) + Sync);

/// Threads that go through one walk at a time; the caller is worker 0.
pub struct Pool {
    team: Arc<Team>,
    /// The threads beside the caller's, in the order of their worker numbers from 1 on.
    threads: Mutex<Vec<(Thread, Option<JoinHandle<()>>)>>,
    turn: Turn,
}

/// Whose the threads are.
#[derive(Default)]
struct Turn {
    is_taken: Mutex<bool>,
    is_over: Condvar,
}

impl Turn {
    fn take(&self) {
        let mut is_taken = lock(&self.is_taken);
        while *is_taken {
            is_taken = self.is_over.wait(is_taken).unwrap_or_else(PoisonError::into_inner);
        }
        *is_taken = true;
    }

    fn end(&self) {
        *lock(&self.is_taken) = false;
        self.is_over.notify_one();
    }
}

/// What a thread is doing for a pool.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Outside,
    /// It goes through a walk.
    Walk,
    /// It is this worker, and in a task.
    Task(usize),
}

thread_local! {
    static PLACE: Cell<Place> = const { Cell::new(Place::Outside) };
    /// Where in a walk it is.
    static POSITION: Cell<Option<Position>> = const { Cell::new(None) };
}

/// Where in a walk the thread is.
fn position() -> Position {
    POSITION.get().expect("the thread is in a walk")
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Pool {
    /// The process's pool, at first with as many threads as there are processors.
    pub fn global() -> &'static Pool {
        static POOL: OnceLock<Pool> = OnceLock::new();
        POOL.get_or_init(|| Pool::new(thread::available_parallelism().map_or(1, |n| n.get())))
    }

    /// A pool of its own. Programs use [`Pool::global`].
    pub fn new(num_threads: usize) -> Pool {
        let (team, threads, turn) = (Arc::new(Team::new()), Mutex::new(vec![]), Turn::default());
        let pool = Pool { team, threads, turn };
        pool.set_num_threads(num_threads);
        pool
    }

    /// How many threads share a run, the caller's included.
    #[inline]
    pub fn num_threads(&self) -> usize {
        self.team.num_workers()
    }

    /// Changes the number of threads, from the next walk on: at least 1, at most [`MAX_THREADS`]. Within a walk or a
    /// task it does nothing.
    pub fn set_num_threads(&self, num_threads: usize) {
        if PLACE.get() != Place::Outside {
            return;
        }
        let num_threads = num_threads.clamp(1, MAX_THREADS);
        self.turn.take();
        let mut threads = lock(&self.threads);
        while threads.len() + 1 < num_threads {
            let (team, worker) = (self.team.clone(), threads.len() + 1);
            let name = format!("gyrus-{worker}");
            match thread::Builder::new().name(name).spawn(move || team.serve(worker)) {
                Ok(handle) => threads.push((handle.thread().clone(), Some(handle))),
                Err(_) => break,
            }
        }
        let num_threads = num_threads.min(threads.len() + 1);
        drop(threads);
        self.team.set_num_workers(num_threads);
        self.turn.end();
    }

    /// Calls `work(task, worker)` once for each task below `tasks`. `worker` is below [`Pool::num_threads`], and differs for
    /// calls that run at the same time. Within a task, all is run by the task's own worker.
    ///
    /// When it returns all tasks are complete; in a walk only none is left that this thread could begin, and the next run waits
    /// until they are.
    ///
    /// # Panics
    /// If a task does, after all others that have begun are complete.
    #[inline]
    pub fn run(&self, tasks: usize, work: &(dyn Fn(usize, usize) + Sync)) {
        self.divide(tasks, None, &|task, worker, _| work(task, worker));
    }

    /// As [`Pool::run`], with tasks that go through rows: what they read and write of arrays that are [needed](Needs::Rows) by
    /// rows are their own rows.
    #[inline]
    pub fn run_by_rows(&self, rows: Rows, work: &(dyn Fn(usize, usize) + Sync)) {
        self.divide_by_rows(Course::Apart(rows), &|task, worker, _| work(task, worker));
    }

    /// As [`Pool::run`], with tasks each of which goes through all rows, `work(task, worker, passed)`. When it has written its
    /// part of the first so many of them it calls `passed` with their number: what is [needed](Needs::Rows) by rows then begins.
    #[inline]
    pub fn run_along(&self, along: Along, work: &(dyn Fn(usize, usize, Passed) + Sync)) {
        self.divide_by_rows(Course::Along(along), work);
    }

    fn divide_by_rows(&self, course: Course, work: Work) {
        self.divide(course.num_tasks(), Some(course), work);
    }

    fn divide(&self, tasks: usize, course: Option<Course>, work: Work) {
        #[cfg(test)]
        if rehearsal::divides(tasks, course, work) {
            return;
        }
        match PLACE.get() {
            Place::Task(worker) => (0..tasks).for_each(|task| work(task, worker, &|_| {})),
            Place::Walk => self.divide_in_walk(position(), tasks, course, work),
            Place::Outside if tasks <= 1 || self.num_threads() == 1 => {
                let _place = Within::new(Place::Task(0));
                (0..tasks).for_each(|task| work(task, 0, &|_| {}));
            }
            Place::Outside => self.walk(&OneRun { pool: self, tasks, work }),
        }
    }

    fn divide_in_walk(&self, mut position: Position, tasks: usize, course: Option<Course>, work: Work) {
        const MOST: usize = Team::MAX_TASKS;
        // One that is cut into several runs is not by rows.
        let course = course.filter(|_| tasks <= MOST);
        for first in (0..tasks.max(1)).step_by(MOST) {
            let some = (tasks - first).min(MOST);
            let work = |task: usize, worker: usize, passed: Passed| {
                PLACE.set(Place::Task(worker));
                work(first + task, worker, passed);
            };
            if !position.is_open && some > 1 && self.num_threads() > 1 {
                position.is_open = self.open(&position);
            }
            if position.is_open {
                self.team.take_part(&mut position, some, course, &work);
            } else {
                position.begin_run(some, None);
                (0..some).for_each(|task| work(task, 0, &|_| {}));
            }
            PLACE.set(Place::Walk);
            POSITION.set(Some(position));
        }
    }

    /// Lets the other threads take part in the caller's walk, from the beginning of its step on, of which all runs so far are
    /// complete; whether it does.
    fn open(&self, position: &Position) -> bool {
        self.turn.take();
        if !self.team.may_join(position) {
            self.turn.end();
            return false;
        }
        self.team.open(position);
        let threads = lock(&self.threads);
        self.team.sleepers().for_each(|worker| threads[worker - 1].0.unpark());
        true
    }

    /// Goes through all steps of a walk, together with the pool's other threads from the first run on that they can help with.
    /// When it returns all steps are complete. Within a task, all is done by the task's own worker.
    ///
    /// # Panics
    /// If a step does, or a task, after all others that have begun are complete. Within another walk.
    pub fn walk(&self, walk: &dyn Walk) {
        match PLACE.get() {
            Place::Task(_) => return (0..walk.num_steps()).for_each(|step| walk.step(step)),
            Place::Outside => {}
            _ => panic!("a walk within the step of another one"),
        }
        // SAFETY: nobody refers to the walk when this call returns or unwinds: `Caller` sees to it.
        let walk = unsafe { std::mem::transmute::<&dyn Walk, &'static dyn Walk>(walk) };
        let caller = Caller { pool: self, _place: Within::new(Place::Walk) };
        POSITION.set(None);
        for step in 0..walk.num_steps() {
            let alone = || Position::new(0, walk, step, self.team.num_changes());
            let mut position = POSITION.get().filter(|position| position.is_open).unwrap_or_else(alone);
            if !self.team.begin_step(&mut position, step) {
                break;
            }
            POSITION.set(Some(position));
            walk.step(step);
        }
        if let Some(panic) = caller.end() {
            resume_unwind(panic);
        }
    }
}

/// The thread that has called for a walk; ends the others' part in it when dropped.
struct Caller<'a> {
    pool: &'a Pool,
    _place: Within,
}

impl Caller<'_> {
    /// Waits until all is complete; the first panic of a task, if one did.
    fn end(self) -> Option<Panic> {
        if let Some(position) = POSITION.get().filter(|position| position.is_open) {
            self.pool.team.finish(&position);
        }
        self.close()
    }

    fn close(&self) -> Option<Panic> {
        POSITION.take().filter(|position| position.is_open)?;
        let panic = self.pool.team.close();
        self.pool.turn.end();
        panic
    }
}

impl Drop for Caller<'_> {
    fn drop(&mut self) {
        // A panic of the caller's own goes before others.
        self.close();
    }
}

/// A walk of one step, which is one run.
struct OneRun<'a> {
    pool: &'a Pool,
    tasks: usize,
    work: Work<'a>,
}

impl Walk for OneRun<'_> {
    fn num_steps(&self) -> usize {
        1
    }

    fn step(&self, _step: usize) {
        self.pool.divide(self.tasks, None, self.work);
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.team.end();
        for (thread, handle) in lock(&self.threads).iter_mut() {
            thread.unpark();
            if let Some(handle) = handle.take() {
                // A worker catches its panics: it has none of its own to report.
                let _ = handle.join();
            }
        }
    }
}

/// Puts the thread, which was outside, into a place until dropped.
struct Within {
    _flushing: Flushing,
}

impl Within {
    fn new(place: Place) -> Within {
        PLACE.set(place);
        Within { _flushing: Flushing::new() }
    }
}

impl Drop for Within {
    fn drop(&mut self) {
        PLACE.set(Place::Outside);
    }
}
