//! The threads that kernels run on, and the memory they work in.
//!
//! A run is a number of tasks. Each worker begins with its own contiguous share and, when that is done,
//! takes tasks from the ends of the others' shares, so that nothing waits for a thread that the operating
//! system has put aside. A share is one word, `first << 32 | end`; whoever takes a task from it by
//! compare-and-swap may run it, and the run ends when as many tasks are complete as there are.

use std::any::Any;
use std::cell::{Cell, UnsafeCell};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{self, JoinHandle, Thread};
use std::time::{Duration, Instant};

/// The most threads a pool can have.
pub const MAX_THREADS: usize = 256;

/// How long a worker without work stays awake.
const SPIN: Duration = Duration::from_micros(50);

/// What a run calls for each task: `(task, worker)`.
type Work<'a> = &'a (dyn Fn(usize, usize) + Sync);

/// Threads that share the tasks of one run at a time; the caller is worker 0.
pub struct Pool {
    shared: Arc<Shared>,
    /// The threads beside the caller's, in the order of their worker numbers from 1 on. Held while a
    /// run uses them.
    threads: Mutex<Vec<(Thread, Option<JoinHandle<()>>)>>,
    num_threads: AtomicUsize,
}

/// One worker's words, away from the others' cache lines.
#[repr(align(128))]
struct Slot {
    share: AtomicU64,
    /// Whether the worker looks for tasks at the moment.
    is_active: AtomicBool,
    is_asleep: AtomicBool,
}

#[repr(align(128))]
struct Apart<T>(T);

struct Shared {
    slots: Box<[Slot]>,
    /// Changes when a run begins.
    epoch: Apart<AtomicU32>,
    complete: Apart<AtomicUsize>,
    /// Workers with this number or a larger one take no tasks.
    num_workers: AtomicUsize,
    must_end: AtomicBool,
    work: UnsafeCell<Option<Work<'static>>>,
    panic: Mutex<Option<Box<dyn Any + Send>>>,
}

// SAFETY: `work` is written only while no task is left, and read only by whoever has taken a task of the
// run that it belongs to, which cannot end before that task is complete.
unsafe impl Sync for Shared {}
// SAFETY: as above.
unsafe impl Send for Shared {}

thread_local! {
    /// The worker whose task this thread is running.
    static CURRENT: Cell<Option<usize>> = const { Cell::new(None) };
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
        let slot =
            |_| Slot { share: AtomicU64::new(0), is_active: AtomicBool::new(false), is_asleep: AtomicBool::new(false) };
        let shared = Arc::new(Shared {
            slots: (0..MAX_THREADS).map(slot).collect(),
            epoch: Apart(AtomicU32::new(0)),
            complete: Apart(AtomicUsize::new(0)),
            num_workers: AtomicUsize::new(1),
            must_end: AtomicBool::new(false),
            work: UnsafeCell::new(None),
            panic: Mutex::new(None),
        });
        let pool = Pool { shared, threads: Mutex::new(vec![]), num_threads: AtomicUsize::new(1) };
        pool.set_num_threads(num_threads);
        pool
    }

    /// How many threads share a run, the caller's included.
    #[inline]
    pub fn num_threads(&self) -> usize {
        self.num_threads.load(Ordering::Acquire)
    }

    /// Changes the number of threads, from the next run on: at least 1, at most [`MAX_THREADS`]. Within a
    /// task it does nothing.
    pub fn set_num_threads(&self, num_threads: usize) {
        if CURRENT.get().is_some() {
            return;
        }
        let num_threads = num_threads.clamp(1, MAX_THREADS);
        let mut threads = lock(&self.threads);
        self.shared.num_workers.store(num_threads, Ordering::SeqCst);
        for worker in num_threads..=threads.len() {
            while self.shared.slots[worker].is_active.load(Ordering::SeqCst) {
                thread::yield_now();
            }
        }
        while threads.len() + 1 < num_threads {
            let (shared, worker) = (self.shared.clone(), threads.len() + 1);
            let name = format!("gyrus-{worker}");
            match thread::Builder::new().name(name).spawn(move || shared.serve(worker)) {
                Ok(handle) => threads.push((handle.thread().clone(), Some(handle))),
                Err(_) => break,
            }
        }
        let num_threads = num_threads.min(threads.len() + 1);
        self.shared.num_workers.store(num_threads, Ordering::SeqCst);
        self.num_threads.store(num_threads, Ordering::Release);
    }

    /// Calls `work(task, worker)` once for each task below `tasks`, and returns when all are complete.
    /// `worker` is below [`Pool::num_threads`], and differs for calls that run at the same time. Within a
    /// task, all is run by the task's own worker.
    ///
    /// # Panics
    /// If a task does, after all others are complete.
    #[inline]
    pub fn run(&self, tasks: usize, work: &(dyn Fn(usize, usize) + Sync)) {
        if let Some(worker) = CURRENT.get() {
            return (0..tasks).for_each(|task| work(task, worker));
        }
        if tasks <= 1 || self.num_threads() == 1 {
            let _current = Current::set(0);
            return (0..tasks).for_each(|task| work(task, 0));
        }
        self.fork(tasks, work);
    }

    fn fork(&self, tasks: usize, work: &(dyn Fn(usize, usize) + Sync)) {
        assert!(tasks <= u32::MAX as usize, "run: {tasks} tasks, must be at most {}", u32::MAX);
        let threads = lock(&self.threads);
        let shared = &*self.shared;
        let num_workers = shared.num_workers.load(Ordering::Relaxed);
        shared.complete.0.store(0, Ordering::Relaxed);
        // SAFETY: no task is left, so that nobody reads `work`. Its lifetime ends with this call, which
        // does not return (nor unwind: tasks' panics are caught) before all tasks are complete.
        unsafe { *shared.work.get() = Some(std::mem::transmute::<Work<'_>, Work<'static>>(work)) };
        for worker in (0..num_workers).rev() {
            let (first, end) = (tasks * worker / num_workers, tasks * (worker + 1) / num_workers);
            shared.slots[worker].share.store((first as u64) << 32 | end as u64, Ordering::Release);
        }
        shared.epoch.0.fetch_add(1, Ordering::SeqCst);
        for worker in 1..num_workers {
            if shared.slots[worker].is_asleep.load(Ordering::SeqCst) {
                threads[worker - 1].0.unpark();
            }
        }
        {
            let _current = Current::set(0);
            shared.work_as(0, num_workers);
        }
        let mut rounds = 0u32;
        while shared.complete.0.load(Ordering::Acquire) != tasks {
            rounds += 1;
            if rounds.is_multiple_of(4096) { thread::yield_now() } else { std::hint::spin_loop() }
        }
        let panic = lock(&shared.panic).take();
        drop(threads);
        if let Some(panic) = panic {
            resume_unwind(panic);
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.shared.must_end.store(true, Ordering::SeqCst);
        self.shared.epoch.0.fetch_add(1, Ordering::SeqCst);
        for (thread, handle) in lock(&self.threads).iter_mut() {
            thread.unpark();
            if let Some(handle) = handle.take() {
                // A worker catches its tasks' panics: it has none of its own to report.
                let _ = handle.join();
            }
        }
    }
}

/// Marks the thread as a worker, until dropped.
struct Current;

impl Current {
    fn set(worker: usize) -> Current {
        CURRENT.set(Some(worker));
        Current
    }
}

impl Drop for Current {
    fn drop(&mut self) {
        CURRENT.set(None);
    }
}

impl Shared {
    /// A worker's life.
    fn serve(&self, worker: usize) {
        CURRENT.set(Some(worker));
        let slot = &self.slots[worker];
        let mut seen = self.epoch.0.load(Ordering::SeqCst).wrapping_sub(1);
        while !self.must_end.load(Ordering::SeqCst) {
            let epoch = self.epoch.0.load(Ordering::SeqCst);
            if epoch != seen {
                seen = epoch;
                slot.is_active.store(true, Ordering::SeqCst);
                let num_workers = self.num_workers.load(Ordering::SeqCst);
                if worker < num_workers {
                    self.work_as(worker, num_workers);
                }
                slot.is_active.store(false, Ordering::SeqCst);
            }
            if worker < self.num_workers.load(Ordering::Relaxed) && self.spin(seen) {
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

    /// Waits for a run for a while; whether one began.
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

    /// Runs the tasks of the worker's share from the front, then those of others from the back.
    fn work_as(&self, worker: usize, num_workers: usize) {
        let mut complete = 0;
        for distance in 0..num_workers {
            let victim = (worker + distance) % num_workers;
            while let Some(task) = self.take(victim, distance != 0) {
                // SAFETY: the task just taken is not complete, so that its run has not ended.
                let work = unsafe { (*self.work.get()).unwrap_unchecked() };
                if let Err(panic) = catch_unwind(AssertUnwindSafe(|| work(task, worker))) {
                    lock(&self.panic).get_or_insert(panic);
                }
                complete += 1;
            }
        }
        if complete != 0 {
            self.complete.0.fetch_add(complete, Ordering::Release);
        }
    }

    fn take(&self, victim: usize, from_back: bool) -> Option<usize> {
        let share = &self.slots[victim].share;
        let mut word = share.load(Ordering::Relaxed);
        loop {
            let (first, end) = (word >> 32, word & u64::from(u32::MAX));
            if first == end {
                return None;
            }
            let (task, rest) =
                if from_back { (end - 1, first << 32 | (end - 1)) } else { (first, (first + 1) << 32 | end) };
            match share.compare_exchange_weak(word, rest, Ordering::Acquire, Ordering::Relaxed) {
                Ok(_) => return Some(task as usize),
                Err(current) => word = current,
            }
        }
    }
}

const ALIGNMENT: usize = 64;

/// How much working memory a kernel needs; of the problem alone, not of the number of threads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ScratchSize {
    /// Bytes for all workers together.
    pub shared: usize,
    /// Bytes for each worker.
    pub per_worker: usize,
}

impl ScratchSize {
    /// How many bytes a [`Scratch`] of this size takes, the room to align it included.
    pub fn total(&self, num_threads: usize) -> usize {
        let bytes = self.shared.next_multiple_of(ALIGNMENT) + num_threads * self.per_worker.next_multiple_of(ALIGNMENT);
        if bytes == 0 { 0 } else { bytes + ALIGNMENT }
    }

    /// What serves either of two kernels.
    pub fn max(self, other: ScratchSize) -> ScratchSize {
        ScratchSize { shared: self.shared.max(other.shared), per_worker: self.per_worker.max(other.per_worker) }
    }
}

/// Working memory of a kernel, which its caller provides. Contents are undefined.
#[derive(Clone, Copy, Debug)]
pub struct Scratch {
    start: *mut u8,
    size: ScratchSize,
}

// SAFETY: it is only an address; those who write through it keep to their own parts.
unsafe impl Send for Scratch {}
// SAFETY: as above.
unsafe impl Sync for Scratch {}

impl Scratch {
    /// Divides the memory at `pointer`, which has `size.total(num_threads)` bytes.
    pub fn new(pointer: *mut u8, size: &ScratchSize) -> Scratch {
        let start = pointer.wrapping_add((pointer as usize).wrapping_neg() % ALIGNMENT);
        let round = |bytes: usize| bytes.next_multiple_of(ALIGNMENT);
        Scratch { start, size: ScratchSize { shared: round(size.shared), per_worker: round(size.per_worker) } }
    }

    /// The memory of all workers together, of at least `len` elements, aligned to 64 bytes.
    #[inline]
    pub fn shared<T>(&self, len: usize) -> *mut T {
        debug_assert!(len * size_of::<T>() <= self.size.shared, "{len} elements, {:?}", self.size);
        self.start.cast()
    }

    /// A worker's own memory, of at least `len` elements, aligned to 64 bytes.
    #[inline]
    pub fn worker<T>(&self, worker: usize, len: usize) -> *mut T {
        debug_assert!(len * size_of::<T>() <= self.size.per_worker, "{len} elements, {:?}", self.size);
        self.start.wrapping_add(self.size.shared + worker * self.size.per_worker).cast()
    }

    /// The same without the first bytes of what all workers share; a multiple of 64 keeps it aligned.
    pub(crate) fn after(&self, bytes: usize) -> Scratch {
        let size = ScratchSize { shared: self.size.shared - bytes, ..self.size };
        Scratch { start: self.start.wrapping_add(bytes), size }
    }

    /// Memory for a test, filled with what must not matter; it lives as long as the first result.
    #[cfg(test)]
    pub(crate) fn for_test(size: ScratchSize, num_threads: usize) -> (Vec<u8>, Scratch) {
        let mut memory = vec![0xA5; size.total(num_threads)];
        let scratch = Scratch::new(memory.as_mut_ptr(), &size);
        (memory, scratch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_task_runs_once_on_a_worker_of_its_own() {
        let pool = Pool::new(3);
        for threads in [3, 1, 2, 7, 3] {
            pool.set_num_threads(threads);
            assert_eq!(pool.num_threads(), threads);
            for tasks in [0, 1, 2, 3, 10, 1000] {
                let counts: Vec<AtomicUsize> = (0..tasks).map(|_| AtomicUsize::new(0)).collect();
                let busy: Vec<AtomicBool> = (0..threads).map(|_| AtomicBool::new(false)).collect();
                pool.run(tasks, &|task, worker| {
                    assert!(!busy[worker].swap(true, Ordering::SeqCst));
                    counts[task].fetch_add(1, Ordering::Relaxed);
                    busy[worker].store(false, Ordering::SeqCst);
                });
                assert!(counts.iter().all(|count| count.load(Ordering::Relaxed) == 1));
            }
        }
    }

    #[test]
    fn a_run_within_a_task_stays_on_its_worker() {
        let pool = Pool::new(2);
        let total = AtomicUsize::new(0);
        pool.run(8, &|_, outer| {
            pool.run(5, &|task, inner| {
                assert_eq!(outer, inner);
                total.fetch_add(task, Ordering::Relaxed);
            });
        });
        assert_eq!(total.into_inner(), 80);
    }

    #[test]
    fn a_panic_reaches_the_caller_and_the_pool_goes_on() {
        let pool = Pool::new(2);
        for tasks in [1, 4] {
            let result = catch_unwind(AssertUnwindSafe(|| pool.run(tasks, &|task, _| assert!(task != tasks - 1))));
            assert!(result.is_err());
            let count = AtomicUsize::new(0);
            pool.run(4, &|_, _| _ = count.fetch_add(1, Ordering::Relaxed));
            assert_eq!(count.into_inner(), 4);
        }
    }

    #[test]
    fn many_callers_take_turns() {
        let pool = Pool::new(2);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for round in 0..200 {
                        let total = AtomicUsize::new(0);
                        pool.run(round, &|task, _| _ = total.fetch_add(task + 1, Ordering::Relaxed));
                        assert_eq!(total.into_inner(), round * (round + 1) / 2);
                    }
                });
            }
        });
    }

    #[test]
    fn scratch_parts_are_aligned_and_apart() {
        let size = ScratchSize { shared: 100, per_worker: 65 };
        let (memory, scratch) = Scratch::for_test(size, 3);
        let starts = [scratch.shared::<u8>(100), scratch.worker(0, 65), scratch.worker(1, 65), scratch.worker(2, 65)];
        let starts = starts.map(|start| start as usize);
        assert!(starts.iter().all(|start| start % 64 == 0));
        assert_eq!(starts.map(|start| start - starts[0]), [0, 128, 256, 384]);
        assert!(starts[3] + 65 <= memory.as_ptr() as usize + memory.len());
    }
}
