//! A whole training step of LeNet-5, compiled: it computes what the recorded one does, updates the state in place,
//! allocates nothing once it is captured, and is captured and planned in less than 10 ms. Another plan takes no memory.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use gyrus_models::LeNet5;
use gyrus_nn::losses::cross_entropy;
use gyrus_nn::{Context, Layer};
use gyrus_optim::{Adam, AdamConfig, Optimizer, Schedule};
use gyrus_tensor::{DType, Module, Rng, Tensor, compile};

/// Counts what is asked of the system.
struct Counting;

static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);
static LARGE_ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);

// SAFETY: all is passed on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        if layout.size() >= 1 << 20 {
            LARGE_ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        }
        // SAFETY: as the caller vouches.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as the caller vouches.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

type State = (LeNet5, Adam);

fn state() -> State {
    let model = LeNet5::new(10, 1, &mut Rng::new(1));
    let schedule = Schedule::Cosine { initial: 1e-3, minimum: 0.0, num_steps: 100 }.with_warmup(2);
    let optimizer = Adam::new(&model, AdamConfig::new(schedule));
    (model, optimizer)
}

fn step((model, optimizer): &mut State, (images, labels): (Tensor, Tensor)) -> Tensor {
    let loss = cross_entropy(&model.forward(&images, &mut Context::evaluate()), &labels);
    let gradients = loss.grad(model);
    optimizer.step(model, &gradients);
    loss
}

fn batch(size: usize) -> (Tensor, Tensor) {
    let images = Rng::new(2).normal([size, 1, 32, 32], DType::F32, 0.0, 1.0).detach();
    let labels: Vec<i64> = (0..size as i64).map(|image| image % 10).collect();
    (images, Tensor::from_slice([size], &labels))
}

/// One test, because allocations are counted for the whole process.
#[test]
fn a_compiled_step_is_exact_in_place_quick_to_plan_and_allocates_nothing() {
    let (images, labels) = batch(64);
    let (mut recorded, mut replayed) = (state(), state());
    let mut compiled = compile(step);
    for _ in 0..3 {
        let expected = step(&mut recorded, (images.clone(), labels.clone())).item();
        let found = compiled.call(&mut replayed, (images.clone(), labels.clone())).item();
        assert!((expected - found).abs() < 1e-5, "loss {found}, not {expected}");
    }
    for ((name, _, expected), (_, _, found)) in recorded.named_tensors().into_iter().zip(replayed.named_tensors()) {
        let (expected, found) = (expected.to_dtype(DType::F64), found.to_dtype(DType::F64));
        let difference = (expected - found).abs().max(..).item();
        assert!(difference < 1e-5, "{name} differs by {difference}");
    }

    let addresses = |state: &State| -> Vec<usize> {
        let address = |tensor: &Tensor| tensor.read_bytes(|bytes| bytes.as_ptr() as usize);
        state.named_tensors().iter().map(|(_, _, tensor)| address(tensor)).collect()
    };
    let before = addresses(&replayed);
    let mut loss = compiled.call(&mut replayed, (images.clone(), labels.clone()));
    let allocations = ALLOCATIONS.load(Ordering::Relaxed);
    for _ in 0..10 {
        drop(loss);
        loss = compiled.call(&mut replayed, (images.clone(), labels.clone()));
    }
    assert_eq!(ALLOCATIONS.load(Ordering::Relaxed) - allocations, 0, "allocations in ten steps");
    assert_eq!(addresses(&replayed), before, "the state is updated in place");
    assert_eq!(compiled.num_plans(), 1);

    // Plans share their memory.
    let mut large_allocations_of = |size| {
        let (images, labels) = batch(size);
        let before = LARGE_ALLOCATIONS.load(Ordering::Relaxed);
        compiled.call(&mut replayed, (images, labels));
        LARGE_ALLOCATIONS.load(Ordering::Relaxed) - before
    };
    assert_eq!([1000, 999, 500].map(&mut large_allocations_of), [1, 0, 0], "large allocations");
    assert_eq!(compiled.num_plans(), 4, "a plan for each signature");

    // The first call captures, plans and runs: the run's own time is taken off. The best of a few, because
    // other processes take their time as well.
    let time = || {
        let (mut compiled, mut state) = (compile(step), state());
        gyrus_tensor::evaluate(state.named_tensors().iter().map(|(_, _, tensor)| tensor));
        let mut call = || {
            let begin = Instant::now();
            compiled.call(&mut state, (images.clone(), labels.clone()));
            begin.elapsed()
        };
        let first = call();
        first.saturating_sub(call())
    };
    let least = (0..5).map(|_| time()).min().expect("five times");
    assert!(least < Duration::from_millis(10), "capturing and planning took {least:?}");
}
