//! How fast data are read, checked and prepared: `cargo bench -p gyrus-data`.
//!
//! With arguments, images a second of a dataset's loader on one core, beside `scripts/bench/torch_loading.py`:
//! `cargo bench -p gyrus-data -- images PATH SIZE AUGMENT`.

use std::sync::Arc;
use std::time::Instant;

use gyrus_data::checks::check_with;
use gyrus_data::transforms::Scratch;
use gyrus_data::{
    Augment, Dataset, Geometry, ImageBuffer, Loader, LoaderConfig, Pixels, Preprocess, Resize, Samples, Split,
};

/// The median of five runs, in milliseconds.
fn measure(name: &str, mut run: impl FnMut()) {
    let mut times: Vec<f64> = (0..5)
        .map(|_| {
            let start = Instant::now();
            run();
            start.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    times.sort_by(f64::total_cmp);
    println!("{name:60} {:9.1} ms", times[2]);
}

/// As many random images as MNIST has, in its shape.
fn seventy_thousand() -> Dataset {
    let part = |split, count: usize, salt: usize| Samples {
        split,
        path: "made up".into(),
        pixels: Pixels::Bytes((0..count * 784).map(|i| ((i + salt).wrapping_mul(0x9E37_79B9) >> 13) as u8).collect()),
        labels: (0..count).map(|sample| Some(sample % 10)).collect(),
        lines: None,
    };
    let parts = vec![part(Split::Train, 60_000, 0), part(Split::Test, 10_000, 1 << 40)];
    Dataset::from_samples(Geometry::new(28, 28, 1), (0..10).map(|class| class.to_string()).collect(), parts).unwrap()
}

/// Images a second from files to batches, by one thread.
fn measure_images(path: &str, size: usize, augment: &str) {
    let (dataset, _) = gyrus_data::admit(Dataset::open(path).unwrap(), 0.01);
    let dataset = Arc::new(dataset);
    let preprocess = Preprocess::new(dataset.geometry()).resized_to(size, size, Resize::Stretch);
    let num_images = dataset.indices(Split::Train).len();
    for (name, augment) in [("read and resize", "none"), (augment, augment)] {
        let augment: Augment = augment.parse().unwrap();
        let config = LoaderConfig {
            batch_size: 16,
            workers: 0,
            shuffle: true,
            augment,
            ..LoaderConfig::new(preprocess.clone())
        };
        let loader = Loader::new(dataset.clone(), Split::Train, config).unwrap();
        let start = Instant::now();
        let mut count = 0;
        while start.elapsed().as_secs_f64() < 4.0 {
            loader.epoch(0, 0).for_each(|batch| drop(batch.unwrap()));
            count += num_images;
        }
        println!("{:7.0} images/s  {name}", count as f64 / start.elapsed().as_secs_f64());
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    if let [images, path, size, augment] = &arguments[..]
        && images == "images"
    {
        return measure_images(path, size.parse().unwrap(), augment);
    }
    #[cfg(feature = "digits")]
    measure("shipped::digits, unpacked from the binary", || drop(gyrus_data::shipped::digits().unwrap()));
    let dataset = Arc::new(seventy_thousand());
    measure("check, 70,000 28x28 grey, 1 thread", || drop(check_with(&dataset, 1)));
    measure("check, 70,000 28x28 grey, all threads", || drop(gyrus_data::check(&dataset)));
    let preprocess = Preprocess::new(dataset.geometry()).placed_in(32, 32);
    measure("Preprocess::measured, 60,000", || drop(preprocess.clone().measured(&dataset).unwrap()));

    for name in ["none", "light", "strong", "elastic"] {
        let augment: Augment = name.parse().unwrap();
        let (mut image, mut scratch) = (ImageBuffer::new(), Scratch::default());
        measure(&format!("read, fit to 32x32, augment {name}, 60,000, 1 thread"), || {
            for &index in dataset.indices(Split::Train) {
                dataset.read(index, &mut image).unwrap();
                preprocess.fit(&mut image, &mut scratch);
                augment.apply(&mut image, &mut scratch, 0, 0, index);
            }
        });
        for workers in [1, 2] {
            let config = LoaderConfig {
                shuffle: true,
                workers,
                augment: augment.clone(),
                ..LoaderConfig::new(preprocess.clone())
            };
            let loader = Loader::new(dataset.clone(), Split::Train, config).unwrap();
            measure(&format!("Loader, an epoch of 60,000, {name}, {workers} workers"), || {
                loader.epoch(0, 0).for_each(|batch| drop(batch.unwrap()));
            });
        }
    }

    let photo = Preprocess::new(Geometry::new(224, 224, 3)).resized_to(224, 224, Resize::Letterbox);
    let (mut image, mut scratch) = (ImageBuffer::new(), Scratch::default());
    measure("resize 500x375 RGB to 224x224, 100", || {
        for _ in 0..100 {
            image.reshape(Geometry::new(375, 500, 3));
            photo.fit(&mut image, &mut scratch);
        }
    });
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("train.csv");
    let line =
        |index: usize| format!("{}{}\n", index % 10, (0..784).map(|i| format!(",{}", i % 256)).collect::<String>());
    std::fs::write(&path, (0..10_000).map(line).collect::<String>()).unwrap();
    measure("open a CSV of 10,000 28x28 images", || drop(Dataset::open(&path).unwrap()));
}
