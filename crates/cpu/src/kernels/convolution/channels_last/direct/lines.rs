//! Lines of images with their padding, for tiles whose rows are neighbouring places.

use std::ops::Range;

use super::places::Places;
use crate::kernels::gemm::number::Number;

/// How lines lie in memory: `[images, depth, height, width, channels of a group]`, of which depth and height are
/// those that are needed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lines {
    /// Sizes of the input, and channels of all groups and of one.
    pub(super) input: [usize; 3],
    pub(super) all_channels: usize,
    pub(super) channels: usize,
    /// Zeros before and after a line.
    left: usize,
    right: usize,
}

impl Lines {
    /// With as many zeros as these places along the last axis meet.
    pub(super) fn new(input: [usize; 3], groups: usize, channels: usize, places: &[Places]) -> Lines {
        let (mut left, mut right) = (0, 0);
        for places in places.iter().filter(|places| places.count > 0) {
            if let (Some(first), Some(last)) = (places.taps.first(), places.taps.last()) {
                let end = ((places.count - 1) * places.stride) as i64 + last.offset + 1 - input[2] as i64;
                (left, right) = (left.max(-first.offset), right.max(end));
            }
        }
        Lines { input, all_channels: groups * channels, channels, left: left as usize, right: right as usize }
    }

    /// Elements of a line.
    pub(super) fn len(&self) -> usize {
        (self.left + self.input[2] + self.right) * self.channels
    }

    /// Where an element of the input stands in its line.
    pub(super) fn column(&self, column: i64) -> usize {
        (self.left as i64 + column) as usize * self.channels
    }

    /// Copies the lines of an image.
    ///
    /// # Safety
    /// `image` is to the group's first channel of an image, `to` has room for the lines.
    pub(super) unsafe fn copy<T: Number>(&self, image: *const T, [depths, rows]: &[Range<usize>; 2], to: *mut T) {
        let [_, height, width] = self.input;
        let mut to = to;
        for depth in depths.clone() {
            for row in rows.clone() {
                let from = image.wrapping_add((depth * height + row) * width * self.all_channels);
                // SAFETY: as the caller vouches.
                unsafe {
                    let line = std::slice::from_raw_parts_mut(to, self.len());
                    let (left, line) = line.split_at_mut(self.left * self.channels);
                    let (inner, right) = line.split_at_mut(width * self.channels);
                    left.fill(T::default());
                    if self.channels == self.all_channels {
                        inner.copy_from_slice(std::slice::from_raw_parts(from, inner.len()));
                    } else {
                        for (column, to) in inner.chunks_exact_mut(self.channels).enumerate() {
                            let from = from.add(column * self.all_channels);
                            to.copy_from_slice(std::slice::from_raw_parts(from, self.channels));
                        }
                    }
                    right.fill(T::default());
                    to = to.add(self.len());
                }
            }
        }
    }
}
