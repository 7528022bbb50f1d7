use std::hint::black_box;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

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
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
fn denormal_numbers_are_zero_in_tasks_alone() {
    // Read, and computed.
    let are_zero = || {
        let [least, denormal] = black_box([f32::MIN_POSITIVE, 1e-40]);
        [(denormal * 1e20).to_bits() == 0, (least * 0.5).to_bits() == 0]
    };
    for threads in [1, 2] {
        let pool = Pool::new(threads);
        for tasks in [1, 100] {
            pool.run(tasks, &|_, _| assert_eq!(are_zero(), [true; 2]));
            let failed = catch_unwind(|| pool.run(tasks, &|_, _| panic!("on purpose")));
            assert!(failed.is_err());
            assert_eq!(are_zero(), [false; 2]);
        }
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

/// Steps of runs that check that what they need is done.
struct Checked<'a> {
    pool: &'a Pool,
    steps: Vec<CheckedStep>,
    slow: usize,
}

struct CheckedStep {
    /// Tasks of the runs before the one by rows, or all if there is none.
    runs: Vec<usize>,
    course: Option<Course>,
    needs: [Needs; WINDOW],
    /// Which tasks of each run are done; the run by rows is the last.
    done: Vec<Vec<AtomicBool>>,
    /// How many rows each task has passed in a run along them.
    passed: Vec<AtomicUsize>,
}

impl CheckedStep {
    fn new(runs: Vec<usize>, course: Option<Course>, needs: [Needs; WINDOW]) -> CheckedStep {
        let by_rows = course.map(|course| course.num_tasks());
        let tasks = runs.iter().copied().chain(by_rows);
        let done = tasks.map(|tasks| (0..tasks).map(|_| AtomicBool::new(false)).collect()).collect();
        let passed = (0..by_rows.unwrap_or(0)).map(|_| AtomicUsize::new(0)).collect();
        CheckedStep { runs, course, needs, done, passed }
    }

    fn is_done(&self) -> bool {
        self.done.iter().flatten().all(|done| done.load(Ordering::Relaxed))
    }
}

impl Checked<'_> {
    fn task(&self, step: usize, run: usize, task: usize) {
        let this = &self.steps[step];
        for distance in 1..=step {
            let other = &self.steps[step - distance];
            let is_by_rows = run == this.runs.len();
            match (this.needs.get(distance - 1).unwrap_or(&Needs::All), this.course, other.course) {
                (Needs::Nothing, ..) => {}
                (Needs::Rows, Some(Course::Apart(rows)), Some(Course::Apart(others))) => {
                    let (beside, done) = (others.tasks_beside(&rows, task), other.done.last().unwrap());
                    let are_done = beside.clone().all(|task| done[task].load(Ordering::Relaxed));
                    assert!(!is_by_rows || are_done, "{step} {task} {beside:?}");
                }
                (Needs::Rows, Some(Course::Apart(rows)), Some(Course::Along(others))) => {
                    let needed = others.passed_before(&rows, task);
                    let are_passed = other.passed.iter().all(|passed| passed.load(Ordering::Relaxed) >= needed);
                    assert!(!is_by_rows || are_passed, "{step} {task} {needed}");
                }
                (Needs::Rows, Some(Course::Along(_)), _) if !is_by_rows => {}
                _ => assert!(other.is_done(), "step {step} needs {distance} before it"),
            }
        }
        assert!(this.done[..run].iter().flatten().all(|done| done.load(Ordering::Relaxed)), "runs of a step");
        if (step + task).is_multiple_of(self.slow) {
            thread::sleep(std::time::Duration::from_micros(50));
        }
        assert!(!this.done[run][task].swap(true, Ordering::Relaxed), "a task is done once");
    }
}

impl Walk for Checked<'_> {
    fn num_steps(&self) -> usize {
        self.steps.len()
    }

    fn step(&self, step: usize) {
        let CheckedStep { runs, course, passed, .. } = &self.steps[step];
        for (run, &tasks) in runs.iter().enumerate() {
            self.pool.run(tasks, &|task, _| self.task(step, run, task));
        }
        match *course {
            Some(Course::Apart(rows)) => self.pool.run_by_rows(rows, &|task, _| self.task(step, runs.len(), task)),
            Some(Course::Along(along)) => self.pool.run_along(along, &|task, _, pass| {
                for row in 1..=along.count {
                    if (step + task + row).is_multiple_of(self.slow) {
                        thread::sleep(std::time::Duration::from_micros(20));
                    }
                    passed[task].store(row, Ordering::Relaxed);
                    pass(row);
                }
                self.task(step, runs.len(), task);
            }),
            None => {}
        }
    }

    fn needs(&self, step: usize, distance: usize) -> Needs {
        self.steps[step].needs[distance - 1]
    }
}

#[test]
fn steps_wait_for_what_they_need() {
    let mut state = 7u64;
    let mut random = |n: usize| {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 33) as usize % n
    };
    for threads in [1, 2, 3, 5] {
        let pool = Pool::new(threads);
        for _ in 0..60 {
            let steps = (0..30).map(|_| {
                let mut some = |count: usize| (0..random(count)).map(|_| [0, 1, 2, 7, 30][random(5)]).collect();
                let runs: Vec<usize> = some(3);
                let rows = Rows {
                    count: 20 + random(80),
                    unit: 1 + random(9),
                    parts: 1 + random(12),
                    tasks_per_part: 1 + random(3),
                };
                let along = Along { count: 1 + random(50), from_last: random(2) > 0, tasks: 1 + random(6) };
                let course = [None, Some(Course::Along(along)), Some(Course::Apart(rows))][random(6).min(2)];
                // A step needs all of one if something between the two needs all of it.
                let mut need = || match [Needs::Nothing, Needs::Rows, Needs::Rows, Needs::All][random(4)] {
                    Needs::Rows if course.is_none() => Needs::All,
                    need => need,
                };
                let needs = match need() {
                    Needs::All => [Needs::All; WINDOW],
                    first => [first, need()],
                };
                CheckedStep::new(runs, course, needs)
            });
            let walk = Checked { pool: &pool, steps: steps.collect(), slow: 1 + random(40) };
            pool.walk(&walk);
            assert!(walk.steps.iter().all(CheckedStep::is_done));
        }
    }
}

/// The numbers of runs are cut off in shares.
#[test]
fn a_walk_may_be_long() {
    let pool = Pool::new(3);
    let total = AtomicUsize::new(0);
    struct Long<'a>(&'a Pool, &'a AtomicUsize);
    impl Walk for Long<'_> {
        fn num_steps(&self) -> usize {
            200
        }
        fn step(&self, step: usize) {
            for _ in 0..1000 {
                self.0.run(3, &|task, _| _ = self.1.fetch_add(task + step, Ordering::Relaxed));
            }
        }
        fn needs(&self, _step: usize, _distance: usize) -> Needs {
            Needs::Nothing
        }
    }
    pool.walk(&Long(&pool, &total));
    assert_eq!(total.into_inner(), 1000 * (0..200).map(|step| 3 + 3 * step).sum::<usize>());
}

#[test]
fn a_panic_in_a_walk_reaches_the_caller_and_the_pool_goes_on() {
    struct Failing<'a> {
        pool: &'a Pool,
        /// Whether a task panics, or the step of one of the threads.
        in_task: bool,
        thread: Option<thread::ThreadId>,
    }
    impl Walk for Failing<'_> {
        fn num_steps(&self) -> usize {
            20
        }
        fn step(&self, step: usize) {
            let is_caller = self.thread.is_some_and(|caller| caller == thread::current().id());
            assert!(self.in_task || step != 10 || is_caller != self.thread.is_some(), "step 10");
            self.pool.run(8, &|task, _| {
                thread::sleep(std::time::Duration::from_micros(20));
                assert!(!self.in_task || step != 10 || task != 5, "task 5");
            });
        }
    }
    let pool = Pool::new(3);
    for _ in 0..10 {
        for (in_task, thread) in [(true, None), (false, None), (false, Some(thread::current().id()))] {
            let walk = Failing { pool: &pool, in_task, thread };
            // The last kind panics on other threads alone, if they come by.
            let result = catch_unwind(AssertUnwindSafe(|| pool.walk(&walk)));
            assert!(result.is_err() || thread.is_some());
            let count = AtomicUsize::new(0);
            pool.run(40, &|_, _| _ = count.fetch_add(1, Ordering::Relaxed));
            assert_eq!(count.into_inner(), 40);
        }
    }
}

#[test]
fn the_number_of_threads_may_change_while_others_walk() {
    let pool = Pool::new(2);
    thread::scope(|scope| {
        scope.spawn(|| (0..200).for_each(|round| pool.set_num_threads(1 + round % 4)));
        for _ in 0..2 {
            scope.spawn(|| {
                for _ in 0..100 {
                    let steps = (0..10).map(|_| CheckedStep::new(vec![1, 6], None, [Needs::Nothing; WINDOW]));
                    let walk = Checked { pool: &pool, steps: steps.collect(), slow: 1000 };
                    pool.walk(&walk);
                    assert!(walk.steps.iter().all(CheckedStep::is_done));
                }
            });
        }
    });
}
