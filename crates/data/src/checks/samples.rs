//! What each sample is, found by reading it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use sha2::{Digest, Sha256};

use crate::checks::perceptual::{self, Perceptual};
use crate::readers::label_image;
use crate::target::{IGNORED, LabelMap, Target};
use crate::{DataError, Dataset, ImageBuffer};

/// What was found about one sample.
pub(super) enum Facts {
    /// Its image cannot be read.
    Unreadable(String),
    /// Its image is this.
    Image(ImageFacts),
}

/// What was found about one image.
pub(super) struct ImageFacts {
    /// The first half of the SHA-256 of height, width and pixels.
    pub(super) hash: u128,
    pub(super) height: usize,
    pub(super) width: usize,
    pub(super) is_finite: bool,
    pub(super) is_constant: bool,
    /// What it looks like; nothing for data in memory.
    pub(super) perceptual: Option<Perceptual>,
    /// What its mask is, if it has one.
    pub(super) mask: Option<Result<MaskFacts, DataError>>,
}

/// What was found about a mask.
pub(super) struct MaskFacts {
    pub(super) hash: u128,
    pub(super) height: usize,
    pub(super) width: usize,
    /// The classes that it has, or the objects.
    pub(super) labels: Vec<u16>,
}

/// The memory of a thread.
#[derive(Default)]
struct Memory {
    image: ImageBuffer,
    map: LabelMap,
    bytes: Vec<u8>,
}

/// How many samples a thread takes at a time.
const CHUNK: usize = 64;

/// The facts of every sample, in their order.
pub(super) fn examine(dataset: &Dataset, num_threads: usize) -> Vec<Facts> {
    let next = AtomicUsize::new(0);
    let num_chunks = dataset.len().div_ceil(CHUNK);
    let work = || {
        let mut memory = Memory::default();
        let mut chunks = Vec::new();
        loop {
            let chunk = next.fetch_add(1, Ordering::Relaxed);
            if chunk >= num_chunks {
                return chunks;
            }
            let indices = chunk * CHUNK..((chunk + 1) * CHUNK).min(dataset.len());
            let facts: Vec<Facts> = indices.map(|index| examine_one(dataset, index, &mut memory)).collect();
            chunks.push((chunk, facts));
        }
    };
    let mut chunks: Vec<(usize, Vec<Facts>)> = thread::scope(|scope| {
        let threads: Vec<_> = (0..num_threads.min(num_chunks)).map(|_| scope.spawn(work)).collect();
        let join = |thread: thread::ScopedJoinHandle<_>| {
            thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        };
        threads.into_iter().flat_map(join).collect()
    });
    chunks.sort_by_key(|&(chunk, _)| chunk);
    chunks.into_iter().flat_map(|(_, facts)| facts).collect()
}

fn examine_one(dataset: &Dataset, index: usize, memory: &mut Memory) -> Facts {
    let Memory { image, map, bytes } = memory;
    if let Err(error) = dataset.read(index, image) {
        return Facts::Unreadable(error.to_string());
    }
    let (geometry, pixels) = (image.geometry(), image.pixels());
    bytes.clear();
    bytes.extend([geometry.height, geometry.width].iter().flat_map(|&length| (length as u64).to_le_bytes()));
    bytes.extend(pixels.iter().flat_map(|pixel| pixel.to_le_bytes()));
    let channels = || pixels.chunks_exact(geometry.num_pixels().max(1));
    Facts::Image(ImageFacts {
        hash: hash(bytes),
        height: geometry.height,
        width: geometry.width,
        is_finite: pixels.iter().all(|pixel| pixel.is_finite()),
        is_constant: geometry.num_pixels() > 1
            && channels().all(|channel| channel.iter().all(|pixel| *pixel == channel[0])),
        perceptual: (!dataset.is_in_memory()).then(|| perceptual::of(image)),
        mask: mask(dataset, index, map, bytes),
    })
}

fn mask(
    dataset: &Dataset,
    index: usize,
    map: &mut LabelMap,
    bytes: &mut Vec<u8>,
) -> Option<Result<MaskFacts, DataError>> {
    let read = match dataset.target(index) {
        Target::PixelClasses(page) => label_image::read(page, Some(dataset.pixel_classes()), map),
        Target::PixelObjects(page) => label_image::read(page, None, map),
        _ => return None,
    };
    Some(read.map(|()| {
        bytes.clear();
        bytes.extend(map.labels.iter().flat_map(|label| label.to_le_bytes()));
        let mut seen = vec![false; 1 << 16];
        map.labels.iter().for_each(|&label| seen[label as usize] = true);
        seen[IGNORED as usize] = false;
        let labels = (0..IGNORED).filter(|&label| seen[label as usize]).collect();
        MaskFacts { hash: hash(bytes), height: map.height, width: map.width, labels }
    }))
}

fn hash(bytes: &[u8]) -> u128 {
    let digest = Sha256::digest(bytes);
    let mut half = [0; 16];
    half.copy_from_slice(&digest[..16]);
    u128::from_be_bytes(half)
}
