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

    /// Elements of the copied lines of an image.
    pub(super) fn image_len(&self, [depths, rows]: &[Range<usize>; 2]) -> usize {
        depths.len() * rows.len() * self.len()
    }

    /// Where the copied lines stand.
    pub(super) fn source<T>(&self, lines: *const T, needed: &[Range<usize>; 2]) -> Source<T> {
        let [depths, rows] = needed;
        Source {
            // What is before the first line and element is never met.
            first: lines
                .wrapping_add(self.left * self.channels)
                .wrapping_sub((depths.start * rows.len() + rows.start) * self.len()),
            strides: [self.image_len(needed), rows.len() * self.len(), self.len(), self.channels],
        }
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

/// Where the elements of a group's first channel stand.
#[derive(Clone, Copy)]
pub(super) struct Source<T> {
    /// The first element of the first image, were it there.
    pub(super) first: *const T,
    /// Distances between images, and along their axes.
    pub(super) strides: [usize; 4],
}

impl<T> Source<T> {
    /// Of the input as it is.
    pub(super) fn of_input(first: *const T, [depth, height, width]: [usize; 3], channels: usize) -> Self {
        let line = width * channels;
        Source { first, strides: [depth * height * line, height * line, line, channels] }
    }

    /// Where an element of an image stands, relative to its first.
    pub(super) fn place(&self, [depth, row, column]: [i64; 3]) -> isize {
        let [_, depths, rows, columns] = self.strides.map(|stride| stride as i64);
        (depth * depths + row * rows + column * columns) as isize
    }
}
