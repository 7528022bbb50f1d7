//! In the steady state the loader allocates nothing.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use gyrus_data::{
    Augment, Dataset, Geometry, ImageBuffer, ImageFile, Loader, LoaderConfig, Object, Pixels, Preprocess, Resize,
    Samples, Split, Target,
};
use gyrus_geometry::Polygon;

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
    images_with_classes();
    images_with_objects();
}

fn images_with_objects() {
    let folder = tempfile::tempdir().unwrap();
    let corners = [8.0, 8.0, 40.0, 8.0, 40.0, 30.0, 8.0, 30.0];
    let polygon = Polygon::from_coordinates(&corners).unwrap();
    let file = |number: u8| {
        // Pnm files are decoded with few and equal allocations, which are subtracted.
        let path = folder.path().join(format!("{number}.pgm"));
        image::GrayImage::from_pixel(48, 36, image::Luma([number])).save(&path).unwrap();
        let object = Object::of_polygons(0, vec![polygon.clone()]);
        ImageFile { split: Split::Train, target: Target::Objects(vec![object.clone(), object]), image: path.into() }
    };
    let dataset = Dataset::from_files(vec!["a".into()], (0..200).map(file).collect()).unwrap();
    let mut image = ImageBuffer::new();
    dataset.read(0, &mut image).unwrap();
    let before = ALLOCATIONS.load(Ordering::Relaxed);
    dataset.read(1, &mut image).unwrap();
    let for_reading = ALLOCATIONS.load(Ordering::Relaxed) - before;
    let augment = "affine(rotate=20,translate=0.1),flip,vertical_flip,jitter,blur,noise,erase".parse().unwrap();
    let preprocess = Preprocess::new(dataset.geometry()).resized_to(32, 32, Resize::Letterbox);
    let config =
        LoaderConfig { batch_size: 2, augment, workers: 0, object_pixels: true, ..LoaderConfig::new(preprocess) };
    let loader = Loader::new(Arc::new(dataset), Split::Train, config).unwrap();
    let mut epoch = loader.epoch(0, 0);
    epoch.by_ref().take(20).for_each(|batch| drop(batch.unwrap()));
    let before = ALLOCATIONS.load(Ordering::Relaxed);
    epoch.by_ref().take(70).for_each(|batch| drop(batch.unwrap()));
    let count = ALLOCATIONS.load(Ordering::Relaxed) - before;
    // A weight table may still find its greatest size.
    assert!(
        count <= 140 * for_reading + 4,
        "{count} allocations in 70 batches, of which {} for reading",
        140 * for_reading
    );
}

fn images_with_classes() {
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
