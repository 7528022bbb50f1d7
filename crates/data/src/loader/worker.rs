//! Making batches.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::loader::LoaderConfig;
use crate::loader::batch::IGNORED_PIXEL;
use crate::loader::batch::{Batch, Pool};
use crate::loader::order::Turn;
use crate::target::{IGNORED, PlacedTarget, TargetKind};
use crate::transforms::scene::{Maker, Scene};
use crate::transforms::{Moment, Scratch};
use crate::{DataError, Dataset, ImageBuffer, Result, Split};

/// What every worker of an epoch knows.
pub(super) struct Plan {
    pub(super) dataset: Arc<Dataset>,
    pub(super) split: Split,
    pub(super) config: Arc<LoaderConfig>,
    pub(super) pool: Arc<Pool>,
    pub(super) order: Vec<Turn>,
    pub(super) epoch: usize,
    pub(super) stop: AtomicBool,
}

/// The memory of one worker.
#[derive(Default)]
pub(super) struct Worker {
    scene: Scene,
    frame: ImageBuffer,
    target: PlacedTarget,
    scratch: Scratch,
}

impl Worker {
    /// The batch of this number; nothing if the epoch was left.
    pub(super) fn batch(&mut self, plan: &Plan, number: usize) -> Option<Result<Batch>> {
        let config = &plan.config;
        let start = number * config.batch_size;
        let turns = &plan.order[start..(start + config.batch_size).min(plan.order.len())];
        let geometry = config.preprocess.geometry();
        let size = geometry.num_elements();
        let mut batch = plan.pool.take();
        batch.shape = [turns.len(), geometry.channels, geometry.height, geometry.width];
        batch.images.resize(turns.len() * size, 0.0);
        batch.indices.extend(turns.iter().map(|turn| turn.index));
        for (position, &turn) in turns.iter().enumerate() {
            if plan.stop.load(Ordering::Relaxed) {
                return None;
            }
            if let Err(error) = self.load(plan, turn, &mut batch, position * size..(position + 1) * size) {
                return Some(Err(error));
            }
        }
        Some(Ok(batch))
    }

    fn load(&mut self, plan: &Plan, turn: Turn, batch: &mut Batch, range: std::ops::Range<usize>) -> Result<()> {
        let LoaderConfig { preprocess, augment, seed, repeats, .. } = &*plan.config;
        let (dataset, Self { scene, frame, target, scratch }) = (&plan.dataset, self);
        // With weights a sample can come more often than `repeats`: it then draws what a later epoch draws too.
        let moment = Moment { seed: *seed, epoch: plan.epoch * repeats + turn.round, index: turn.index };
        let maker = Maker { preprocess, augment, others: dataset.indices(plan.split), moment };
        scene.make(&maker, &mut |index, image| dataset.read(index, image), scratch)?;
        let labels = match dataset.kind() {
            Some(TargetKind::PixelClasses) => Some(IGNORED),
            Some(TargetKind::Objects) if plan.config.object_pixels => Some(0),
            _ => None,
        };
        target.reset(preprocess.geometry(), labels);
        for piece in scene.pieces() {
            let known = dataset.target(piece.index);
            if known.kind().is_none() {
                return Err(DataError::LabelMissing { origin: dataset.origin(piece.index) });
            }
            target.place(known, dataset.pixel_classes(), piece.size, &piece.placement)?;
        }
        batch.projections.push(scene.projection());
        scene.draw(preprocess, frame, scratch);
        augment.paint(frame, &mut target.labels, scratch, moment);
        preprocess.normalise(frame, &mut batch.images[range]);
        collate(target, dataset, augment.mixes(), batch);
        Ok(())
    }
}

/// Adds what is to be learnt of an image to a batch.
fn collate(target: &PlacedTarget, dataset: &Dataset, is_mixed: bool, batch: &mut Batch) {
    let kind = dataset.kind();
    if kind == Some(TargetKind::Class) {
        let greatest = target.classes.iter().copied().reduce(|best, next| if next.1 > best.1 { next } else { best });
        batch.labels.extend(greatest.map(|(class, _)| class as i64));
    }
    if kind == Some(TargetKind::Classes) || (kind == Some(TargetKind::Class) && is_mixed) {
        let start = batch.weights.len();
        batch.weights.resize(start + dataset.classes().len(), 0.0);
        target.classes.iter().for_each(|&(class, weight)| batch.weights[start + class] = weight.min(1.0));
    }
    if kind == Some(TargetKind::Objects) {
        batch.objects.extend_from_slice(&target.objects);
        batch.object_ends.push(batch.objects.len());
    }
    let number = |&label: &u16| if label == IGNORED { IGNORED_PIXEL } else { i64::from(label) };
    batch.pixel_labels.extend(target.labels.labels.iter().map(number));
}
