use std::collections::BTreeMap;

use crate::{GeometryError, Mask, Region, Result, Xyxy, run_length_text};

/// A set of pixels by the lengths of its runs, column after column from the left, each from the top: as COCO stores
/// it. The first run is outside the set (and may be empty), the next inside, and so on.
///
/// Only the first run may be empty: equal sets have equal runs.
///
/// ```
/// use gyrus_geometry::{Mask, Region, RunLengthMask};
/// let mask = RunLengthMask::from(&Mask::from_fn(3, 2, |x, y| x == 1 || y == 1));
/// assert_eq!(mask.runs(), [1, 3, 1, 1]);
/// assert_eq!(mask.compressed(), "131N");
/// assert_eq!(mask.area(), 4.0);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunLengthMask {
    width: usize,
    height: usize,
    runs: Vec<u64>,
}

impl RunLengthMask {
    /// A mask of its run lengths (COCO's uncompressed `counts`).
    ///
    /// # Errors
    /// If they do not sum to `width * height`.
    pub fn from_runs(width: usize, height: usize, runs: &[u64]) -> Result<Self> {
        let found = runs.iter().map(|&run| u128::from(run)).sum();
        if found != (width as u128) * (height as u128) {
            return Err(GeometryError::RunLengths { found, width, height });
        }
        Ok(Self::joined(width, height, runs.iter().copied()))
    }

    /// A mask of COCO's compressed `counts`, as `pycocotools.mask.encode` gives it.
    ///
    /// # Errors
    /// If the text is not one, or its runs do not sum to `width * height`.
    pub fn from_compressed(width: usize, height: usize, text: &str) -> Result<Self> {
        Self::from_runs(width, height, &run_length_text::decode(text)?)
    }

    /// The mask of each label of a label image (a number for each pixel, row after row), by label; 0 is none.
    ///
    /// # Errors
    /// If there are not `width * height` labels.
    ///
    /// ```
    /// use gyrus_geometry::{Region, RunLengthMask};
    /// let masks = RunLengthMask::of_labels(3, 2, &[0, 7, 7, 2, 0, 7])?;
    /// assert_eq!((masks[&2].area(), masks[&7].area()), (1.0, 3.0));
    /// # Ok::<(), gyrus_geometry::GeometryError>(())
    /// ```
    pub fn of_labels(width: usize, height: usize, labels: &[u32]) -> Result<BTreeMap<u32, Self>> {
        if labels.len() != width * height {
            return Err(GeometryError::PixelCount { found: labels.len(), width, height });
        }
        // Of each label, the runs so far and the place where the last ends.
        let mut open = BTreeMap::<u32, (Vec<u64>, u64)>::new();
        let column = |x: usize| (0..height).map(move |y| labels[y * width + x]);
        for (place, label) in (0u64..).zip((0..width).flat_map(column)).filter(|pixel| pixel.1 != 0) {
            let (runs, end) = open.entry(label).or_insert_with(|| (vec![place, 0], place));
            if *end < place {
                runs.extend([place - *end, 0]);
            }
            *runs.last_mut().expect("a run") += 1;
            *end = place + 1;
        }
        let total = labels.len() as u64;
        let closed = open.into_iter().map(|(label, (mut runs, end))| {
            runs.push(total - end);
            (label, Self::joined(width, height, runs.into_iter()))
        });
        Ok(closed.collect())
    }

    /// COCO's compressed string of the runs.
    ///
    /// # Source
    /// `pycocotools.mask`: each run is written as its difference from the run two before it (from the fourth run
    /// on), in groups of five bits, lowest first, with a sixth bit where another group follows, as letters from `0`.
    pub fn compressed(&self) -> String {
        run_length_text::encode(&self.runs)
    }

    /// The lengths of the runs.
    pub fn runs(&self) -> &[u64] {
        &self.runs
    }

    /// The picture's width.
    pub fn width(&self) -> usize {
        self.width
    }

    /// The picture's height.
    pub fn height(&self) -> usize {
        self.height
    }

    /// All pixels of the set, `(x, y)`, column after column.
    pub fn pixels(&self) -> impl Iterator<Item = (usize, usize)> {
        let places = self.inside().flat_map(|(start, end)| start as usize..end as usize);
        places.map(|place| (place / self.height, place % self.height))
    }

    /// The smallest box that holds the set, all zeros of an empty one.
    pub fn bounding_box(&self) -> Xyxy {
        let height = self.height as u64;
        let mut bounds: Option<(u64, u64, u64, u64)> = None;
        for (start, end) in self.inside() {
            let (first, last) = (start / height, (end - 1) / height);
            // A run over a column's end holds the picture's lowest row and its highest.
            let (top, bottom) = if first == last { (start % height, (end - 1) % height) } else { (0, height - 1) };
            let seen = bounds.unwrap_or((first, top, last, bottom));
            bounds = Some((seen.0.min(first), seen.1.min(top), seen.2.max(last), seen.3.max(bottom)));
        }
        bounds.map_or_else(Xyxy::default, |(left, top, right, bottom)| {
            Xyxy::new(left as f64, top as f64, (right + 1) as f64, (bottom + 1) as f64)
        })
    }

    /// The pixels of any of the masks.
    ///
    /// # Panics
    /// If the masks are of pictures of different size.
    #[track_caller]
    pub fn merge(&self, other: &Self) -> Self {
        self.assert_same_picture(other);
        let either = Overlaps::of(self, other).map(|(length, inside, in_other)| (length, inside || in_other));
        Self::from_stretches(self.width, self.height, either)
    }

    /// A mask of stretches of known lengths, each inside or outside.
    pub(crate) fn from_stretches(
        width: usize,
        height: usize,
        stretches: impl IntoIterator<Item = (u64, bool)>,
    ) -> Self {
        let mut runs = vec![0];
        for (length, is_inside) in stretches.into_iter().filter(|stretch| stretch.0 > 0) {
            // Runs of odd place are inside.
            if runs.len().is_multiple_of(2) != is_inside {
                runs.push(0);
            }
            *runs.last_mut().expect("the first run") += length;
        }
        Self { width, height, runs }
    }

    /// Runs of which any may be empty.
    fn joined(width: usize, height: usize, runs: impl Iterator<Item = u64>) -> Self {
        Self::from_stretches(width, height, runs.enumerate().map(|(place, length)| (length, place % 2 == 1)))
    }

    /// The places `start..end` of the runs inside, in the order of columns.
    fn inside(&self) -> impl Iterator<Item = (u64, u64)> {
        self.runs.chunks_exact(2).scan(0, |end, pair| {
            let start = *end + pair[0];
            *end = start + pair[1];
            Some((start, *end))
        })
    }

    /// The place after the last pixel inside, in the order of columns.
    fn end(&self) -> u64 {
        let outside = if self.runs.len().is_multiple_of(2) { 0 } else { self.runs[self.runs.len() - 1] };
        (self.width * self.height) as u64 - outside
    }

    #[track_caller]
    fn assert_same_picture(&self, other: &Self) {
        assert!(
            (self.width, self.height) == (other.width, other.height),
            "RunLengthMask: {} x {} and {} x {}: masks are compared within one picture",
            self.width,
            self.height,
            other.width,
            other.height,
        );
    }
}

/// The stretches over which neither of two masks changes: length, inside the first, inside the second.
struct Overlaps<'a> {
    runs: [&'a [u64]; 2],
    places: [usize; 2],
    left: [u64; 2],
}

impl<'a> Overlaps<'a> {
    fn of(a: &'a RunLengthMask, b: &'a RunLengthMask) -> Self {
        Self { runs: [&a.runs, &b.runs], places: [0, 0], left: [a.runs[0], b.runs[0]] }
    }
}

impl Iterator for Overlaps<'_> {
    type Item = (u64, bool, bool);

    fn next(&mut self) -> Option<Self::Item> {
        for mask in 0..2 {
            // Only a first run is empty, so that one step suffices.
            if self.left[mask] == 0 {
                self.places[mask] += 1;
                self.left[mask] = *self.runs[mask].get(self.places[mask])?;
            }
        }
        let length = self.left[0].min(self.left[1]);
        self.left[0] -= length;
        self.left[1] -= length;
        Some((length, self.places[0] % 2 == 1, self.places[1] % 2 == 1))
    }
}

impl Region for RunLengthMask {
    const KIND: &str = "mask";

    fn area(&self) -> f64 {
        self.runs.iter().skip(1).step_by(2).sum::<u64>() as f64
    }

    /// # Panics
    /// If the masks are of pictures of different size.
    #[track_caller]
    fn intersection(&self, other: &Self) -> f64 {
        self.assert_same_picture(other);
        // Most pairs of a picture's objects are in different columns.
        if self.end() <= other.runs[0] || other.end() <= self.runs[0] {
            return 0.0;
        }
        let both = |&(_, inside, in_other): &(u64, bool, bool)| inside && in_other;
        Overlaps::of(self, other).filter(both).map(|(length, ..)| length).sum::<u64>() as f64
    }
}

impl From<&Mask> for RunLengthMask {
    fn from(mask: &Mask) -> Self {
        let column = |x: usize| (0..mask.height()).map(move |y| (x, y));
        let pixels = (0..mask.width()).flat_map(column).map(|(x, y)| (1, mask.contains(x, y)));
        Self::from_stretches(mask.width(), mask.height(), pixels)
    }
}

impl From<&RunLengthMask> for Mask {
    fn from(runs: &RunLengthMask) -> Self {
        let mut mask = Self::new(runs.width, runs.height);
        runs.pixels().for_each(|(x, y)| mask.set(x, y, true));
        mask
    }
}
