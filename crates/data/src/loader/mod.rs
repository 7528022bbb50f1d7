//! Batches, made ahead of time by threads of their own.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::{self, JoinHandle};

use crate::target::TargetKind;
use crate::transforms::{Augment, Preprocess};
use crate::{DataError, Dataset, Result, Split};

mod batch;
mod order;
mod worker;

use batch::Pool;
pub use batch::{Batch, IGNORED_PIXEL};
use worker::{Plan, Worker};

/// How batches are made.
#[derive(Clone, Debug, PartialEq)]
pub struct LoaderConfig {
    /// Samples a batch.
    pub batch_size: usize,
    /// What the order and the augmentation depend on.
    pub seed: u64,
    /// Whether the order changes from epoch to epoch.
    pub shuffle: bool,
    /// How often an epoch has each sample, each time with random numbers of its own: of windows on large images.
    pub repeats: usize,
    /// Weights of the samples of the split. With them an epoch draws as many samples as there are, with replacement, each
    /// as often as its weight says; without, it has each once.
    pub sample_weights: Option<Arc<[f64]>>,
    /// Whether a last batch that is not full is left out.
    pub drop_last: bool,
    /// Threads that make batches; with 0, the thread that asks for a batch makes it. It changes nothing else.
    pub workers: usize,
    /// How many batches are made ahead, at least 1 a worker.
    pub prefetch: usize,
    /// What every image undergoes.
    pub preprocess: Preprocess,
    /// Random changes: for training only.
    pub augment: Augment,
    /// Whether the pixels of objects are labelled, for instance segmentation.
    pub object_pixels: bool,
}

impl LoaderConfig {
    /// For evaluation: batches of 64 in the order of the dataset, to the last sample, with no augmentation; one worker,
    /// four batches ahead.
    pub fn new(preprocess: Preprocess) -> Self {
        Self {
            batch_size: 64,
            seed: 0,
            shuffle: false,
            repeats: 1,
            sample_weights: None,
            drop_last: false,
            workers: 1,
            prefetch: 4,
            preprocess,
            augment: Augment::none(),
            object_pixels: false,
        }
    }
}

/// Yields the batches of a split, epoch by epoch.
///
/// Which samples a batch has, in which order and how they are changed depends on seed, epoch and dataset only: not on
/// the number of workers, and not on where in the epoch one begins.
pub struct Loader {
    dataset: Arc<Dataset>,
    split: Split,
    config: Arc<LoaderConfig>,
    pool: Arc<Pool>,
}

impl Loader {
    /// Prepares to load a split.
    ///
    /// # Errors
    /// [`DataError::EmptySplit`] if it has no samples (or no full batch, where only such are wanted), and
    /// [`DataError::Setting`] for a configuration that cannot be.
    pub fn new(dataset: Arc<Dataset>, split: Split, config: LoaderConfig) -> Result<Loader> {
        config.preprocess.validate()?;
        for (name, count) in [("batch_size", config.batch_size), ("repeats", config.repeats)] {
            if count == 0 {
                return Err(DataError::setting(name, "must be at least 1"));
            }
        }
        if let Some(kind) = dataset.kind() {
            config.augment.check(kind, kind == TargetKind::PixelClasses || config.object_pixels)?;
        }
        let num_samples = dataset.indices(split).len() * config.repeats;
        if num_samples == 0 {
            return Err(DataError::EmptySplit { split });
        }
        if let Some(weights) = &config.sample_weights {
            order::check_weights(weights, dataset.indices(split).len())?;
        }
        if config.drop_last && num_samples < config.batch_size {
            let reason = format!("is {}, above the {num_samples} {split} samples: make it smaller", config.batch_size);
            return Err(DataError::setting("batch_size", reason));
        }
        Ok(Loader { dataset, split, config: Arc::new(config), pool: Arc::default() })
    }

    /// The batches of an epoch, from this one on. Dropping the iterator ends it at once.
    ///
    /// An image that cannot be read makes its batch an error that names the file; nothing comes after it.
    pub fn epoch(&self, epoch: usize, start_batch: usize) -> Epoch {
        let config = &self.config;
        let order = order::of_epoch(self.dataset.indices(self.split), config, epoch);
        let plan = Arc::new(Plan {
            dataset: self.dataset.clone(),
            split: self.split,
            config: config.clone(),
            pool: self.pool.clone(),
            order,
            epoch,
            stop: AtomicBool::new(false),
        });
        let end = self.num_batches();
        let num_workers = config.workers.min(end.saturating_sub(start_batch));
        let ahead = config.prefetch.div_ceil(num_workers.max(1)).max(1);
        // One batch more is with whoever took it.
        let num_batches = (num_workers * ahead + 1).min(end.saturating_sub(start_batch));
        self.pool.prepare(num_batches, || self.new_batch());
        let crew = (0..num_workers).map(|worker| hire(&plan, start_batch + worker..end, num_workers, ahead));
        let (receivers, threads) = crew.unzip();
        Epoch { plan, receivers, threads, own_worker: Worker::default(), next: start_batch, end }
    }

    /// Memory for a batch; only how many objects there will be is not known.
    fn new_batch(&self) -> Batch {
        let LoaderConfig { batch_size, preprocess, .. } = &*self.config;
        let (kind, frame) = (self.dataset.kind(), preprocess.geometry());
        let labels_pixels = kind == Some(TargetKind::PixelClasses) || self.config.object_pixels;
        let mut batch = Batch::default();
        batch.images.reserve(batch_size * frame.num_elements());
        batch.indices.reserve(*batch_size);
        batch.object_ends.reserve(*batch_size);
        batch.labels.reserve(*batch_size);
        batch.projections.reserve(*batch_size);
        batch.pixel_labels.reserve(if labels_pixels { batch_size * frame.num_pixels() } else { 0 });
        batch.weights.reserve(match kind {
            Some(TargetKind::Class | TargetKind::Classes) => batch_size * self.dataset.classes().len(),
            _ => 0,
        });
        batch
    }

    /// How many batches an epoch has.
    pub fn num_batches(&self) -> usize {
        let (samples, size) = (self.num_samples(), self.config.batch_size);
        if self.config.drop_last { samples / size } else { samples.div_ceil(size) }
    }

    /// How many samples an epoch has.
    pub fn num_samples(&self) -> usize {
        self.dataset.indices(self.split).len() * self.config.repeats
    }

    /// How batches are made.
    pub fn config(&self) -> &LoaderConfig {
        &self.config
    }

    /// Where the samples come from.
    pub fn dataset(&self) -> &Arc<Dataset> {
        &self.dataset
    }
}

type Crew = (Receiver<Result<Batch>>, JoinHandle<()>);

/// Starts a thread that makes every `step`-th of these batches, `ahead` of who takes them. Each thread has its own
/// channel, so that taking from them in turn gives the batches in order.
fn hire(plan: &Arc<Plan>, batches: std::ops::Range<usize>, step: usize, ahead: usize) -> Crew {
    // The batch that waits to be sent is ahead too.
    let (sender, receiver) = sync_channel(ahead - 1);
    let plan = plan.clone();
    let thread = thread::spawn(move || {
        let mut worker = Worker::default();
        for number in batches.step_by(step) {
            let Some(batch) = worker.batch(&plan, number) else { return };
            let failed = batch.is_err();
            if sender.send(batch).is_err() || failed {
                return;
            }
        }
    });
    (receiver, thread)
}

/// The batches of an epoch, in order: see [`Loader::epoch`].
pub struct Epoch {
    plan: Arc<Plan>,
    receivers: VecDeque<Receiver<Result<Batch>>>,
    threads: Vec<JoinHandle<()>>,
    own_worker: Worker,
    next: usize,
    end: usize,
}

impl Iterator for Epoch {
    type Item = Result<Batch>;

    fn next(&mut self) -> Option<Result<Batch>> {
        if self.next >= self.end {
            return None;
        }
        let batch = match self.receivers.front() {
            None => self.own_worker.batch(&self.plan, self.next)?,
            Some(receiver) => receiver.recv().unwrap_or(Err(DataError::WorkerStopped { batch: self.next })),
        };
        self.next = if batch.is_ok() { self.next + 1 } else { self.end };
        if !self.receivers.is_empty() {
            self.receivers.rotate_left(1);
        }
        Some(batch)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let rest = self.end.saturating_sub(self.next);
        // An error ends the epoch early.
        (rest.min(1), Some(rest))
    }
}

impl Drop for Epoch {
    fn drop(&mut self) {
        self.plan.stop.store(true, Ordering::Relaxed);
        // Without a receiver, a thread that waits to send goes on, and ends.
        self.receivers.clear();
        for thread in self.threads.drain(..) {
            // A thread that panicked has said so where its batch was missing.
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for Loader {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Loader")
            .field("split", &self.split)
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Epoch {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Epoch").field("next", &self.next).field("end", &self.end).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
