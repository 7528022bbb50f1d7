//! Mean and standard deviation of the pixels.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::transforms::{Preprocess, Scratch};
use crate::{DataError, Dataset, ImageBuffer, Result, Split};

/// Mean and standard deviation (of the population) of each channel.
#[derive(Clone, Debug, PartialEq)]
pub struct Statistics {
    /// One a channel.
    pub mean: Vec<f32>,
    /// One a channel; 1 where the channel never changes.
    pub std: Vec<f32>,
}

/// How many image files are enough.
const MAX_FILES: usize = 10_000;

/// Sums are made over so many samples, then over these sums in order: the result does not depend on the threads.
const CHUNK: usize = 256;

impl Statistics {
    /// Measures a split after resizing and before padding, so that the padding does not count. All images in memory
    /// are read; of image files, 10,000 at most, spread evenly.
    ///
    /// # Errors
    /// [`DataError::EmptySplit`] if there is nothing to measure, and whatever reading an image gives.
    pub fn of(dataset: &Dataset, split: Split, preprocess: &Preprocess) -> Result<Statistics> {
        let step = if dataset.is_in_memory() { 1 } else { dataset.indices(split).len().div_ceil(MAX_FILES).max(1) };
        let indices: Vec<usize> = dataset.indices(split).iter().copied().step_by(step).collect();
        if indices.is_empty() {
            return Err(DataError::EmptySplit { split });
        }
        let chunks: Vec<&[usize]> = indices.chunks(CHUNK).collect();
        let next = AtomicUsize::new(0);
        let work = || {
            let (mut image, mut scratch) = (ImageBuffer::new(), Scratch::default());
            let mut sums = Vec::new();
            while let Some((number, chunk)) = claim(&next, &chunks) {
                sums.push((number, sums_of(dataset, chunk, preprocess, &mut image, &mut scratch)));
            }
            sums
        };
        let num_threads = thread::available_parallelism().map_or(1, |count| count.get()).min(chunks.len());
        let mut sums: Vec<(usize, Result<Sums>)> = thread::scope(|scope| {
            let threads: Vec<_> = (0..num_threads).map(|_| scope.spawn(work)).collect();
            threads
                .into_iter()
                .flat_map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
                .collect()
        });
        sums.sort_by_key(|&(number, _)| number);
        let mut total = Sums::zero(preprocess.channels);
        for (_, sums) in sums {
            total.add(&sums?);
        }
        Ok(total.statistics())
    }
}

fn claim<'a, T>(next: &AtomicUsize, items: &'a [T]) -> Option<(usize, &'a T)> {
    let number = next.fetch_add(1, Ordering::Relaxed);
    items.get(number).map(|item| (number, item))
}

/// Number, sum and sum of squares of each channel.
struct Sums(Vec<[f64; 3]>);

impl Sums {
    fn zero(channels: usize) -> Self {
        Self(vec![[0.0; 3]; channels])
    }

    fn add(&mut self, other: &Sums) {
        for (sums, others) in self.0.iter_mut().zip(&other.0) {
            sums.iter_mut().zip(others).for_each(|(sum, other)| *sum += other);
        }
    }

    fn statistics(&self) -> Statistics {
        let mean = |[count, sum, _]: &[f64; 3]| (sum / count) as f32;
        let std = |[count, sum, squares]: &[f64; 3]| {
            let std = (squares / count - (sum / count).powi(2)).max(0.0).sqrt();
            if std > 1e-6 { std as f32 } else { 1.0 }
        };
        Statistics { mean: self.0.iter().map(mean).collect(), std: self.0.iter().map(std).collect() }
    }
}

fn sums_of(
    dataset: &Dataset,
    indices: &[usize],
    preprocess: &Preprocess,
    image: &mut ImageBuffer,
    scratch: &mut Scratch,
) -> Result<Sums> {
    let mut sums = Sums::zero(preprocess.channels);
    for &index in indices {
        dataset.read(index, image)?;
        preprocess.resize_content(image, scratch);
        for (channel, sums) in sums.0.iter_mut().enumerate() {
            let pixels = image.channel(channel);
            sums[0] += pixels.len() as f64;
            sums[1] += pixels.iter().map(|&pixel| pixel as f64).sum::<f64>();
            sums[2] += pixels.iter().map(|&pixel| (pixel as f64).powi(2)).sum::<f64>();
        }
    }
    Ok(sums)
}
