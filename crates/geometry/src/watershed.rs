//! Regions that grow from markers until they meet.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use crate::regions::neighbours;

/// Grows the markers (numbers from 1 on; 0 is none) over a mask, through pixels of low levels first, as water rises from
/// springs; where two regions meet, they stay apart. Pixels that no marker reaches through the mask stay 0. Pixels are
/// connected by their sides; of equal levels the one that was reached first comes first.
///
/// # Panics
/// If levels, markers and mask do not have `width * height` elements, or a level is NaN.
///
/// # Source
/// Beucher, Meyer, The Morphological Approach to Segmentation: The Watershed Transformation (1993), flooding from markers
/// with an ordered queue; the order of what is equal is that of `skimage.segmentation.watershed`.
///
/// ```
/// use gyrus_geometry::watershed;
/// let levels = [0.0, 1.0, 2.0, 3.0, 0.5];
/// assert_eq!(watershed(5, 1, &levels, &[1, 0, 0, 0, 2], &[true; 5]), [1, 1, 1, 2, 2]);
/// ```
#[track_caller]
pub fn watershed(width: usize, height: usize, levels: &[f32], markers: &[u32], mask: &[bool]) -> Vec<u32> {
    assert!(
        [levels.len(), markers.len(), mask.len()] == [width * height; 3],
        "watershed: {} levels, {} markers and {} pixels of a mask for {width} x {height}: must be one a pixel",
        levels.len(),
        markers.len(),
        mask.len()
    );
    assert!(!levels.iter().any(|level| level.is_nan()), "watershed: levels must be numbers");
    let mut regions: Vec<u32> =
        markers.iter().zip(mask).map(|(&marker, &is_inside)| if is_inside { marker } else { 0 }).collect();
    let reached = |place: usize, age: usize| Reached { level: levels[place], age, place };
    let mut open: BinaryHeap<Reached> =
        (0..regions.len()).filter(|&place| regions[place] != 0).map(|place| reached(place, 0)).collect();
    let mut age = 0;
    while let Some(Reached { place, .. }) = open.pop() {
        for next in neighbours(place, width, height) {
            if mask[next] && regions[next] == 0 {
                regions[next] = regions[place];
                age += 1;
                open.push(reached(next, age));
            }
        }
    }
    regions
}

/// A pixel whose neighbours are still to be reached; the greatest is the one that comes first.
struct Reached {
    level: f32,
    age: usize,
    place: usize,
}

impl Ord for Reached {
    fn cmp(&self, other: &Self) -> Ordering {
        other.level.total_cmp(&self.level).then(other.age.cmp(&self.age)).then(other.place.cmp(&self.place))
    }
}

impl PartialOrd for Reached {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Reached {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Reached {}
