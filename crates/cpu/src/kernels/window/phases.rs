//! Rows of the operand, taken apart by the stride of the windows: what one element of the window meets at neighbouring
//! places lies side by side then, whatever the stride is.

use super::element::Pooled;
use super::places::Axis;

/// So many neighbouring places are computed on together.
pub(super) const LANES: usize = 16;

/// How padded rows are taken apart: into as many phases as the stride, each with the elements that lie the stride apart.
#[derive(Clone, Debug)]
pub(super) struct Phases {
    stride: usize,
    /// Elements of a phase, whole blocks of lanes.
    pub(super) len: usize,
    /// Places of a row of the result, rounded up to whole blocks of lanes.
    pub(super) places: usize,
    /// For each element of a row of the window, where it meets the first place.
    pub(super) taps: Box<[Tap]>,
    /// By how much the last of them are shifted.
    pub(super) max_shift: usize,
    /// Elements of an unpadded row, and which of them windows can meet: the first, and how many.
    input: usize,
    first: usize,
    count: usize,
    /// Where the first of them is in a padded row.
    low: usize,
}

/// Where an element of the window meets the first place: in which phase, and how far from its begin.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tap {
    pub(super) phase: usize,
    pub(super) shift: usize,
}

impl Phases {
    pub(super) fn new(axis: &Axis) -> Phases {
        let &Axis { input, output, size, stride, dilation, low } = axis;
        let at = |tap: usize| Tap { phase: tap * dilation % stride, shift: tap * dilation / stride };
        let taps: Box<[Tap]> = (0..size).map(at).collect();
        let (low, first) = (low.max(0) as usize, ((-low).max(0) as usize).min(input));
        let end = output.saturating_sub(1) * stride + size.saturating_sub(1) * dilation + 1;
        let count = (input - first).min(end.saturating_sub(low));
        let max_shift = taps.iter().map(|tap| tap.shift).max().unwrap_or(0);
        let places = output.next_multiple_of(LANES);
        let len = (places + max_shift).max((low + count).div_ceil(stride)).next_multiple_of(LANES);
        Phases { stride, len, places, taps, max_shift, input, first, count, low }
    }

    /// Elements of all phases, and of a padded row.
    pub(super) fn row_len(&self) -> usize {
        self.stride * self.len
    }

    /// Elements of a row that is read at all shifts: those before the first place, and a phase.
    pub(super) fn shifted_len(&self) -> usize {
        self.max_shift + self.len
    }

    /// The elements of a row of the plane that windows can meet.
    #[inline(always)]
    pub(super) fn met<'a, T>(&self, plane: &'a [T], line: usize) -> &'a [T] {
        &plane[line * self.input + self.first..][..self.count]
    }

    /// Where they are in a padded row.
    #[inline(always)]
    pub(super) fn within<'a, W>(&self, padded: &'a mut [W]) -> &'a mut [W] {
        &mut padded[self.low..][..self.count]
    }

    /// The phases of a padded row.
    #[inline(always)]
    pub(super) fn take_apart<'a, W: Copy>(&self, padded: &'a [W], apart: &'a mut [W]) -> &'a [W] {
        match self.stride {
            1 => return padded,
            2 => self.take_apart_by::<2, W>(padded, apart),
            3 => self.take_apart_by::<3, W>(padded, apart),
            4 => self.take_apart_by::<4, W>(padded, apart),
            stride => {
                for (phase, apart) in apart.chunks_exact_mut(self.len).enumerate() {
                    let elements = padded[phase..].iter().step_by(stride);
                    apart.iter_mut().zip(elements).for_each(|(to, &from)| *to = from);
                }
            }
        }
        apart
    }

    /// As [`Phases::take_apart`], for a stride that the compiler knows.
    #[inline(always)]
    fn take_apart_by<const STRIDE: usize, W: Copy>(&self, padded: &[W], apart: &mut [W]) {
        let (steps, _) = padded.as_chunks::<STRIDE>();
        for (phase, apart) in apart.chunks_exact_mut(self.len).enumerate().take(STRIDE) {
            for (to, from) in apart.iter_mut().zip(steps) {
                *to = from[phase];
            }
        }
    }

    /// Writes a row of the plane's gradient, which is `phases` put together.
    #[inline(always)]
    pub(super) fn write<T: Pooled>(&self, phases: &[T::Wide], padded: &mut [T::Wide], plane: &mut [T], line: usize) {
        match self.stride {
            1 => padded.copy_from_slice(phases),
            2 => self.put_together::<2, _>(phases, padded),
            3 => self.put_together::<3, _>(phases, padded),
            4 => self.put_together::<4, _>(phases, padded),
            stride => {
                for (phase, elements) in phases.chunks_exact(self.len).enumerate() {
                    let padded = padded[phase..].iter_mut().step_by(stride);
                    padded.zip(elements).for_each(|(to, &from)| *to = from);
                }
            }
        }
        let row = &mut plane[line * self.input..][..self.input];
        row[..self.first].fill(T::narrow(T::Wide::default()));
        for (to, &from) in row[self.first..].iter_mut().zip(&*self.within(padded)) {
            *to = T::narrow(from);
        }
        row[self.first + self.count..].fill(T::narrow(T::Wide::default()));
    }

    #[inline(always)]
    fn put_together<const STRIDE: usize, W: Copy>(&self, phases: &[W], padded: &mut [W]) {
        let phases: [&[W]; STRIDE] = std::array::from_fn(|phase| &phases[phase * self.len..][..self.len]);
        let (steps, _) = padded.as_chunks_mut::<STRIDE>();
        for (at, to) in steps.iter_mut().enumerate().take(self.len) {
            *to = phases.map(|phase| phase[at]);
        }
    }
}

/// A block of lanes of a row.
#[inline(always)]
pub(super) fn block<W: Copy>(row: &[W], at: usize) -> [W; LANES] {
    *row[at..].first_chunk().expect("rows hold whole blocks")
}

/// As [`block`], to be written.
#[inline(always)]
pub(super) fn block_mut<W>(row: &mut [W], at: usize) -> &mut [W; LANES] {
    row[at..].first_chunk_mut().expect("rows hold whole blocks")
}
