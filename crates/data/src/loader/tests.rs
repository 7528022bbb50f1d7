use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::{Geometry, Pixels, Samples};

/// So many 3x3 images; the first pixel of each tells its number.
fn dataset(num_samples: usize) -> Arc<Dataset> {
    let pixels =
        (0..num_samples * 9).map(|place| if place % 9 == 0 { place as f32 / 9.0 } else { place as f32 }).collect();
    let samples = Samples {
        split: Split::Train,
        path: "made up".into(),
        pixels: Pixels::Floats(pixels),
        labels: (0..num_samples).map(|sample| Some(sample % 2)).collect(),
        lines: None,
    };
    let classes = vec!["even".to_string(), "odd".to_string()];
    Arc::new(Dataset::from_samples(Geometry::new(3, 3, 1), classes, vec![samples]).unwrap())
}

fn config(batch_size: usize, workers: usize) -> LoaderConfig {
    let preprocess = Preprocess::new(Geometry::new(3, 3, 1)).placed_in(4, 4);
    LoaderConfig { batch_size, workers, shuffle: true, seed: 5, ..LoaderConfig::new(preprocess) }
}

type Plain = (Vec<f32>, Vec<i64>, Vec<usize>, [usize; 4]);

fn collect(epoch: Epoch) -> Vec<Plain> {
    let plain = |batch: Batch| (batch.images.clone(), batch.labels.clone(), batch.indices.clone(), batch.shape);
    epoch.map(|batch| plain(batch.unwrap())).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn workers_and_the_first_batch_change_nothing(
        num_samples in 1usize..60, batch_size in 1usize..20, workers in 1usize..5, prefetch in 0usize..6, epoch in 0usize..3,
    ) {
        let augment: Augment = "strong,flip".parse().unwrap();
        let loader = |workers| {
            let config = LoaderConfig { augment: augment.clone(), prefetch, ..config(batch_size, workers) };
            Loader::new(dataset(num_samples), Split::Train, config).unwrap()
        };
        let expected = collect(loader(0).epoch(epoch, 0));
        let loader = loader(workers);
        prop_assert_eq!(&collect(loader.epoch(epoch, 0)), &expected);
        prop_assert_eq!(expected.len(), loader.num_batches());
        let mut seen: Vec<usize> = expected.iter().flat_map(|batch| batch.2.clone()).collect();
        seen.sort_unstable();
        prop_assert_eq!(seen, (0..num_samples).collect::<Vec<_>>());
        let start = expected.len() / 2;
        prop_assert_eq!(&collect(loader.epoch(epoch, start))[..], &expected[start..]);
    }
}

#[test]
fn a_batch_is_nchw_with_its_labels() {
    let loader = Loader::new(dataset(7), Split::Train, config(4, 1)).unwrap();
    let batches = collect(loader.epoch(0, 0));
    assert_eq!((batches[0].3, batches[1].3), ([4, 1, 4, 4], [3, 1, 4, 4]));
    for (images, labels, indices, shape) in batches {
        assert_eq!(images.len(), shape.iter().product::<usize>());
        for (position, &index) in indices.iter().enumerate() {
            assert_eq!(images[position * 16], index as f32);
            assert_eq!(images[position * 16 + 3], 0.0);
            assert_eq!(labels[position], index as i64 % 2);
        }
    }
}

#[test]
fn epochs_differ_unless_they_shall_not() {
    let order = |config: LoaderConfig, epoch| {
        let loader = Loader::new(dataset(50), Split::Train, config).unwrap();
        collect(loader.epoch(epoch, 0)).into_iter().flat_map(|batch| batch.2).collect::<Vec<_>>()
    };
    assert_eq!(order(config(8, 1), 1), order(config(8, 1), 1));
    assert_ne!(order(config(8, 1), 1), order(config(8, 1), 2));
    assert_ne!(order(config(8, 1), 1), order(LoaderConfig { seed: 6, ..config(8, 1) }, 1));
    assert_eq!(order(LoaderConfig { shuffle: false, ..config(8, 1) }, 1), (0..50).collect::<Vec<_>>());
    assert_eq!(order(LoaderConfig { drop_last: true, ..config(8, 1) }, 1).len(), 48);
}

#[test]
fn leaving_an_epoch_never_hangs() {
    for workers in [0, 1, 3] {
        let loader = Loader::new(dataset(200), Split::Train, config(2, workers)).unwrap();
        for taken in [0, 1, 5] {
            let mut epoch = loader.epoch(0, 0);
            (0..taken).for_each(|_| drop(epoch.next().unwrap().unwrap()));
            thread::sleep(Duration::from_millis(2));
        }
        // Past the end there is nothing.
        assert!(loader.epoch(0, 100).next().is_none() && loader.epoch(0, 1000).next().is_none());
    }
}

#[test]
fn a_file_that_vanished_is_an_error_of_its_batch() {
    let folder = tempfile::tempdir().unwrap();
    for number in 0..12 {
        let class = folder.path().join(if number % 2 == 0 { "even" } else { "odd" });
        std::fs::create_dir_all(&class).unwrap();
        image::GrayImage::from_pixel(3, 3, image::Luma([number])).save(class.join(format!("{number:02}.png"))).unwrap();
    }
    let dataset = Arc::new(Dataset::open(folder.path()).unwrap());
    std::fs::remove_file(folder.path().join("odd/03.png")).unwrap();
    std::fs::write(folder.path().join("odd/05.png"), "junk").unwrap();
    for workers in [0, 1, 2] {
        let config = LoaderConfig { shuffle: false, ..config(2, workers) };
        let loader = Loader::new(dataset.clone(), Split::Train, config).unwrap();
        // even 0 2 4 6 8 10, odd 1 3 5 7 9 11: the fourth batch has 03.png, the fifth 05.png.
        let batches: Vec<_> = loader.epoch(0, 0).collect();
        assert_eq!(batches.len(), 4);
        assert!(batches[..3].iter().all(|batch| batch.is_ok()));
        let message = batches[3].as_ref().unwrap_err().to_string();
        assert!(message.contains("03.png") && message.contains("check the spelling"), "{message}");
        let message = loader.epoch(0, 4).next().unwrap().unwrap_err().to_string();
        assert!(message.contains("05.png: cannot be decoded"), "{message}");
    }
}

#[test]
fn a_sample_without_a_label_is_an_error() {
    let samples = Samples {
        split: Split::Test,
        path: "table.csv".into(),
        pixels: Pixels::Bytes(vec![0; 9]),
        labels: vec![None],
        lines: Some(vec![8]),
    };
    let dataset = Dataset::from_samples(Geometry::new(3, 3, 1), vec!["a".into()], vec![samples]).unwrap();
    let loader = Loader::new(Arc::new(dataset), Split::Test, config(1, 1)).unwrap();
    let message = loader.epoch(0, 0).next().unwrap().unwrap_err().to_string();
    assert!(message.starts_with("table.csv, line 8: has no label"), "{message}");
}

#[test]
fn impossible_configurations_are_refused() {
    let message = |config| Loader::new(dataset(5), Split::Train, config).unwrap_err().to_string();
    assert!(message(config(0, 1)).contains("batch_size: must be at least 1"));
    assert!(message(LoaderConfig { drop_last: true, ..config(6, 1) }).contains("above the 5 training samples"));
    let mut broken = config(1, 1);
    broken.preprocess.std = vec![0.0];
    assert!(message(broken).contains("std must be above 0"));
    let error = Loader::new(dataset(5), Split::Test, config(1, 1)).unwrap_err();
    assert!(matches!(error, DataError::EmptySplit { split: Split::Test }));
}
