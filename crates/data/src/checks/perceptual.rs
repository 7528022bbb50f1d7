//! What images look like, in a few bits, and which of them look alike.

use std::collections::HashMap;

use crate::ImageBuffer;
use crate::readers::image_file::luma;

/// A hash of what an image looks like: whether each of 16x16 cells is lighter than the one to its left. It stays nearly the
/// same when an image is scaled, compressed anew, or made lighter.
///
/// # Source
/// The difference hash of Krawetz, Kind of Like That (2013), with 256 bits in place of 64: of 100,000 images, too many
/// are alike in 64.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Perceptual([u16; SIDE]);

/// Cells along an axis.
const SIDE: usize = 16;

/// In how many bits images may differ that look alike. Two that differ in fewer than sixteen have one of their sixteen
/// parts in common, by which they are found.
const MAX_DISTANCE: u32 = 20;

/// How many images with a part of the hash in common are compared: of flat images there are too many.
const MAX_CANDIDATES: usize = 500;

/// The hash of an image.
pub(crate) fn of(image: &ImageBuffer) -> Perceptual {
    let geometry = image.geometry();
    let cell = |row: usize, column: usize| {
        let range = |place: usize, count: usize, length: usize| {
            let start = place * length / count;
            start..((place + 1) * length / count).max(start + 1).min(length)
        };
        let (rows, columns) = (range(row, SIDE, geometry.height), range(column, SIDE + 1, geometry.width));
        let sum = |channel: usize| {
            let rows = image.channel(channel).chunks_exact(geometry.width).take(rows.end).skip(rows.start);
            rows.map(|row| row[columns.clone()].iter().sum::<f32>()).sum::<f32>()
        };
        let sum = if geometry.channels == 3 { luma([sum(0), sum(1), sum(2)]) } else { sum(0) };
        sum / (rows.len() * columns.len()) as f32
    };
    let row = |row: usize| {
        let cells: [f32; SIDE + 1] = std::array::from_fn(|column| cell(row, column));
        cells.windows(2).fold(0, |word, pair| word << 1 | u16::from(pair[1] > pair[0]))
    };
    if geometry.num_elements() == 0 { Perceptual([0; SIDE]) } else { Perceptual(std::array::from_fn(row)) }
}

impl Perceptual {
    /// Whether it tells anything: a smooth image has hardly a bit set, or nearly all.
    fn is_telling(&self) -> bool {
        let count: u32 = self.0.iter().map(|word| word.count_ones()).sum();
        (24..=232).contains(&count)
    }

    fn looks_like(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).map(|(a, b)| (a ^ b).count_ones()).sum::<u32>() <= MAX_DISTANCE
    }

    fn parts(&self) -> impl Iterator<Item = (usize, u16)> {
        self.0.into_iter().enumerate()
    }
}

/// For each of some images the first of others that looks like it, if there is one.
pub(crate) fn alike(images: &[(usize, Perceptual)], others: &[(usize, Perceptual)]) -> Vec<(usize, usize)> {
    let mut by_part: HashMap<(usize, u16), Vec<usize>> = HashMap::new();
    for (place, (_, hash)) in others.iter().enumerate().filter(|(_, (_, hash))| hash.is_telling()) {
        hash.parts().for_each(|part| by_part.entry(part).or_default().push(place));
    }
    let first = |hash: &Perceptual| {
        let near = |&&place: &&usize| others[place].1.looks_like(hash);
        let candidates = hash.parts().filter_map(|part| by_part.get(&part));
        candidates.filter_map(|places| places.iter().take(MAX_CANDIDATES).find(near)).min()
    };
    let telling = images.iter().filter(|(_, hash)| hash.is_telling());
    telling.filter_map(|(index, hash)| first(hash).map(|&place| (*index, others[place].0))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Geometry;
    use crate::random::{Purpose, RandomStream};
    use crate::transforms::{Scratch, resize, tone};

    /// Blobs of light, different for each seed.
    fn picture(seed: usize) -> ImageBuffer {
        let mut random = RandomStream::new(seed as u64, 0, 0, Purpose::Order);
        let geometry = Geometry::new(9, 12, 3);
        let blobs = (0..geometry.num_elements()).map(|_| random.uniform()).collect();
        let mut image = ImageBuffer::from_pixels(geometry, blobs);
        resize(&mut image, 60, 80, &mut Scratch::default());
        image
    }

    #[test]
    fn copies_are_found_among_others() {
        let mut copies: Vec<ImageBuffer> = (0..40).map(picture).collect();
        for image in &mut copies {
            resize(image, 45, 64, &mut Scratch::default());
            tone::brightness(image, 0.9);
        }
        let hashes = |images: &[ImageBuffer]| images.iter().map(of).enumerate().collect::<Vec<_>>();
        let originals: Vec<ImageBuffer> = (0..40).map(picture).collect();
        let found = alike(&hashes(&copies), &hashes(&originals));
        assert!(found.len() >= 38, "{found:?}");
        assert!(found.iter().all(|(copy, original)| copy == original), "{found:?}");
        let strangers: Vec<ImageBuffer> = (100..140).map(picture).collect();
        assert_eq!(alike(&hashes(&strangers), &hashes(&originals)), []);
        // A smooth image says nothing.
        let flat = [ImageBuffer::from_pixels(Geometry::new(30, 30, 1), vec![0.5; 900])];
        assert_eq!(alike(&hashes(&flat), &hashes(&flat)), []);
    }
}
