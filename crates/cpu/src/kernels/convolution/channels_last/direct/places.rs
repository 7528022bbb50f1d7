//! Which elements of the input a place of the kernel meets, along one axis.

use std::ops::Range;

use crate::kernels::convolution::geometry::Axis;

/// Places along one axis of what is computed, at equal distances, that are computed with the same elements of the
/// kernel.
#[derive(Clone, Debug)]
pub(super) struct Places {
    /// The first place, the distance between them, and how many there are.
    pub(super) first: usize,
    pub(super) step: usize,
    pub(super) count: usize,
    /// How many elements of the input are between what neighbouring places meet.
    pub(super) stride: usize,
    /// How many elements the input has.
    pub(super) input: usize,
    /// The elements of the kernel, by `offset`.
    pub(super) taps: Vec<Tap>,
}

/// Neighbouring places that meet the input with the same elements of the kernel, counted as in [`Places`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Segment {
    pub(super) places: Range<usize>,
    pub(super) taps: Range<usize>,
}

impl Segment {
    /// What of it lies at these indices of what is computed, where `of` says the places.
    pub(super) fn within(&self, of: &Places, indices: &Range<usize>) -> Segment {
        let place =
            |index: usize| index.saturating_sub(of.first).div_ceil(of.step).clamp(self.places.start, self.places.end);
        Segment { places: place(indices.start)..place(indices.end), taps: self.taps.clone() }
    }
}

/// An element of the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tap {
    /// Which.
    pub(super) index: usize,
    /// What it meets at the first place.
    pub(super) offset: i64,
}

impl Places {
    /// All places of a convolution's result.
    pub(super) fn of_result(axis: &Axis) -> Places {
        let tap = |index: usize| Tap { index, offset: (index * axis.dilation) as i64 - axis.low };
        let (count, stride, input) = (axis.output, axis.stride, axis.input);
        Places { first: 0, step: 1, count, stride, input, taps: (0..axis.kernel).map(tap).collect() }
    }

    /// The places of a convolution's input, divided by the elements of the kernel through which the result met
    /// them: those at distances of the stride have the same.
    pub(super) fn of_input(axis: &Axis) -> Vec<Places> {
        let stride = axis.stride;
        let of_first = |first: usize| {
            let tap = |index: usize| {
                let distance = first as i64 + axis.low - (index * axis.dilation) as i64;
                (distance % stride as i64 == 0).then_some(Tap { index, offset: distance / stride as i64 })
            };
            let count = (axis.input - first).div_ceil(stride);
            let taps = (0..axis.kernel).rev().filter_map(tap).collect();
            Places { first, step: stride, count, stride: 1, input: axis.output, taps }
        };
        (0..stride.min(axis.input)).map(of_first).collect()
    }

    /// Which of the elements of the kernel meet the input at a place.
    pub(super) fn met(&self, place: usize) -> Range<usize> {
        let at = (place * self.stride) as i64;
        let start = self.taps.partition_point(|tap| at + tap.offset < 0);
        let end = self.taps.partition_point(|tap| at + tap.offset < self.input as i64);
        start.min(end)..end
    }

    /// At which places an element of the kernel meets the input.
    pub(super) fn meeting(&self, tap: &Tap) -> Range<usize> {
        let stride = self.stride as i64;
        let end = (self.input as i64 - tap.offset + stride - 1).div_euclid(stride).clamp(0, self.count as i64);
        let start = (-tap.offset + stride - 1).div_euclid(stride).clamp(0, end);
        start as usize..end as usize
    }

    /// All places, divided by what they meet.
    pub(super) fn segments(&self) -> Vec<Segment> {
        let mut segments: Vec<Segment> = vec![];
        for place in 0..self.count {
            let taps = self.met(place);
            match segments.last_mut().filter(|last| last.taps == taps) {
                Some(last) => last.places.end += 1,
                None => segments.push(Segment { places: place..place + 1, taps }),
            }
        }
        segments
    }

    /// All places with all elements of the kernel.
    pub(super) fn whole(&self) -> Segment {
        Segment { places: 0..self.count, taps: 0..self.taps.len() }
    }

    /// Whether the elements of the kernel meet neighbouring elements of the input.
    pub(super) fn is_run(&self) -> bool {
        self.taps.windows(2).all(|taps| taps[1].offset == taps[0].offset + 1)
    }

    /// Where in the input a place meets an element of the kernel.
    pub(super) fn source(&self, place: usize, tap: usize) -> i64 {
        (place * self.stride) as i64 + self.taps[tap].offset
    }

    /// Which of them is at `index`.
    pub(super) fn place(&self, index: usize) -> Option<usize> {
        (index >= self.first && (index - self.first).is_multiple_of(self.step))
            .then(|| (index - self.first) / self.step)
    }

    /// Which elements of the input the places at these indices meet, with what lies between them.
    pub(super) fn needed(&self, indices: Range<usize>) -> Range<usize> {
        indices.filter_map(|index| self.place(index)).fold(0..0, |needed, place| {
            let met = self.met(place);
            if met.is_empty() {
                return needed;
            }
            let [first, last] = [met.start, met.end - 1].map(|tap| self.source(place, tap) as usize);
            joined(needed, first..last + 1)
        })
    }
}

/// The smallest range that holds both.
pub(super) fn joined(a: Range<usize>, b: Range<usize>) -> Range<usize> {
    match (a.is_empty(), b.is_empty()) {
        (true, _) => b,
        (_, true) => a,
        _ => a.start.min(b.start)..a.end.max(b.end),
    }
}
