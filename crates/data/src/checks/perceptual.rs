//! What images look like, in a few bits, and which of them look alike.

use std::collections::HashMap;

use crate::ImageBuffer;
use crate::readers::image_file::luma;

/// Two hashes of an image: whether each of 8x8, or of 16x16, cells is lighter than the one to its left. They stay nearly
/// the same when an image is scaled, compressed anew, or made lighter.
///
/// # Source
/// The difference hash of Krawetz, Kind of Like That (2013).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Perceptual {
    coarse: u64,
    fine: [u64; 4],
}

/// In how many bits of 64, and of 256, images may differ that look alike.
const MAX_COARSE: u32 = 3;
const MAX_FINE: u32 = 20;

/// How many images with a part of the hash in common are compared: of flat images there are too many.
const MAX_CANDIDATES: usize = 500;

/// The hashes of an image.
pub(crate) fn of(image: &ImageBuffer) -> Perceptual {
    let coarse = differences(image, 8);
    let fine = differences(image, 16);
    let word = |bits: &[bool]| bits.iter().fold(0_u64, |word, &bit| word << 1 | u64::from(bit));
    let mut words = fine.chunks(64).map(word);
    Perceptual { coarse: word(&coarse), fine: std::array::from_fn(|_| words.next().unwrap_or(0)) }
}

impl Perceptual {
    /// Whether it tells anything: a smooth image has hardly a bit set, or nearly all.
    fn is_telling(&self) -> bool {
        let count: u32 = self.fine.iter().map(|word| word.count_ones()).sum();
        (24..=232).contains(&count)
    }

    fn looks_like(&self, other: &Self) -> bool {
        let distance = |(a, b): (&u64, &u64)| (a ^ b).count_ones();
        distance((&self.coarse, &other.coarse)) <= MAX_COARSE
            && self.fine.iter().zip(&other.fine).map(distance).sum::<u32>() <= MAX_FINE
    }

    /// Hashes that differ in at most three bits have one of these in common.
    fn quarters(&self) -> [(u8, u16); 4] {
        [0, 1, 2, 3].map(|quarter| (quarter, (self.coarse >> (16 * quarter)) as u16))
    }
}

/// For each of some images the first of others that looks like it, if there is one.
pub(crate) fn alike(images: &[(usize, Perceptual)], others: &[(usize, Perceptual)]) -> Vec<(usize, usize)> {
    let mut by_quarter: HashMap<(u8, u16), Vec<usize>> = HashMap::new();
    for (place, (_, hash)) in others.iter().enumerate().filter(|(_, (_, hash))| hash.is_telling()) {
        hash.quarters().into_iter().for_each(|quarter| by_quarter.entry(quarter).or_default().push(place));
    }
    let first = |hash: &Perceptual| {
        let candidates = hash.quarters().into_iter().filter_map(|quarter| by_quarter.get(&quarter));
        let near = |&&place: &&usize| others[place].1.looks_like(hash);
        candidates.filter_map(|places| places.iter().take(MAX_CANDIDATES).find(near)).min()
    };
    let telling = images.iter().filter(|(_, hash)| hash.is_telling());
    telling.filter_map(|(index, hash)| first(hash).map(|&place| (*index, others[place].0))).collect()
}

/// Whether each of `side x side` cells is lighter than the one to its left, row by row.
fn differences(image: &ImageBuffer, side: usize) -> Vec<bool> {
    let geometry = image.geometry();
    let cell = |row: usize, column: usize| {
        let range = |place: usize, count: usize, length: usize| {
            let start = place * length / count;
            start..((place + 1) * length / count).max(start + 1).min(length)
        };
        let (rows, columns) = (range(row, side, geometry.height), range(column, side + 1, geometry.width));
        let sum = |channel: usize| {
            let rows = image.channel(channel).chunks_exact(geometry.width.max(1)).take(rows.end).skip(rows.start);
            rows.map(|row| row[columns.clone()].iter().sum::<f32>()).sum::<f32>()
        };
        let count = (rows.len() * columns.len()).max(1) as f32;
        let sum = if geometry.channels == 3 { luma([sum(0), sum(1), sum(2)]) } else { sum(0) };
        sum / count
    };
    let row = |row: usize| {
        let cells: Vec<f32> = (0..=side).map(|column| cell(row, column)).collect();
        cells.windows(2).map(|pair| pair[1] > pair[0]).collect::<Vec<bool>>()
    };
    if geometry.num_elements() == 0 { vec![false; side * side] } else { (0..side).flat_map(row).collect() }
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
        let flat = ImageBuffer::from_pixels(Geometry::new(30, 30, 1), vec![0.5; 900]);
        assert_eq!(alike(&hashes(&[flat.clone()]), &hashes(&[flat])), []);
    }
}
