//! In the steady state the loader allocates nothing.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use gyrus_data::{Augment, Dataset, Geometry, Loader, LoaderConfig, Pixels, Preprocess, Samples, Split};

struct Counting;

static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);

// SAFETY: everything is handed on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's promises are those that the system's allocator wants.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn the_steady_state_allocates_nothing() {
    let samples = Samples {
        split: Split::Train,
        path: "made up".into(),
        pixels: Pixels::Bytes(vec![7; 28 * 28 * 400]),
        labels: vec![Some(0); 400],
        lines: None,
    };
    let dataset = Dataset::from_samples(Geometry::new(28, 28, 1), vec!["a".into()], vec![samples]).unwrap();
    let dataset = Arc::new(dataset);
    for augment in [Augment::none(), Augment::light(), Augment::strong()] {
        let preprocess = Preprocess::new(Geometry::new(20, 20, 1)).placed_in(24, 24);
        let config = LoaderConfig { batch_size: 2, augment, ..LoaderConfig::new(preprocess) };
        let loader = Loader::new(dataset.clone(), Split::Train, config).unwrap();
        let mut epoch = loader.epoch(0, 0);
        epoch.by_ref().take(50).for_each(|batch| drop(batch.unwrap()));
        let before = ALLOCATIONS.load(Ordering::Relaxed);
        epoch.by_ref().take(140).for_each(|batch| drop(batch.unwrap()));
        let count = ALLOCATIONS.load(Ordering::Relaxed) - before;
        // A channel enters its two threads in a list when they wait at it for the first time, which may be late.
        assert!(count <= 4, "{count} allocations in 140 batches");
    }
}
