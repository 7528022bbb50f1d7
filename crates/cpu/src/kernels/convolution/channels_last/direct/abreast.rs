//! Gradients for inputs of few channels: the columns of a tile are the channels of several neighbouring places, which
//! are neighbours in memory, so that they fill vectors. A place of the sum is then a run of those, and meets what any
//! of them meets; the weights of those that do not are zeros.

use super::places::{Places, Tap};
use crate::kernels::convolution::geometry::Geometry;

/// Places are taken together if that leaves no more than such a part of the multiplications of vectors.
const MAX_LEFT: f64 = 0.8;

/// How many places are taken together, and which elements of the kernel's lines they have where.
#[derive(Debug)]
pub(super) struct Abreast {
    /// The runs of places along the last axis; the elements of the kernel are those of `taps`.
    pub(super) runs: Places,
    /// For each place of a run and each element that the run meets, the kernel's element that meets it.
    taps: Vec<Vec<Option<usize>>>,
    /// How many lines the kernel has, of how many elements.
    lines: usize,
    line: usize,
}

impl Abreast {
    /// The places of a result of so many channels, of the given phases along the last axis, in tiles of two vectors of
    /// `lanes` columns, if runs of them are worth while.
    pub(super) fn new(geometry: &Geometry, phases: &[Places], lanes: usize) -> Option<Abreast> {
        let Geometry { groups, in_channels: channels, axes: [.., axis], .. } = *geometry;
        let vectors = |places: usize| (places * channels).div_ceil(lanes);
        let each: usize = phases.iter().map(|places| places.count * places.taps.len()).sum();
        let each = (each * vectors(1)) as f64 / axis.input as f64;
        let candidates = (2..=2 * lanes / channels)
            .filter(|&places| groups == 1 && axis.input.is_multiple_of(places) && places.is_multiple_of(axis.stride));
        let runs = candidates.map(|places| {
            let abreast = Abreast::of(phases, places, [geometry.taps() / axis.kernel, axis.kernel]);
            ((abreast.runs.taps.len() * vectors(places)) as f64 / places as f64, abreast)
        });
        let (cost, abreast) = runs.min_by(|(cost, _), (other, _)| cost.total_cmp(other))?;
        (cost <= MAX_LEFT * each).then_some(abreast)
    }

    /// Runs of so many places, which is a multiple of the number of phases.
    fn of(phases: &[Places], places: usize, [lines, line]: [usize; 2]) -> Abreast {
        let num_phases = phases.len();
        // What the places of the first run meet, and through which element of the kernel.
        let met = |place: usize| {
            let taps = phases[place % num_phases].taps.iter();
            taps.map(move |tap| ((place / num_phases) as i64 + tap.offset, tap.index))
        };
        let mut offsets: Vec<i64> = (0..places).flat_map(met).map(|(offset, _)| offset).collect();
        offsets.sort_unstable();
        offsets.dedup();
        let of_place = |place: usize| {
            let tap = |offset: &i64| met(place).find(|(at, _)| at == offset).map(|(_, index)| index);
            offsets.iter().map(tap).collect()
        };
        let taps = (0..places).map(of_place).collect();
        let runs = Places {
            first: 0,
            step: 1,
            count: phases.iter().map(|phase| phase.count).sum::<usize>() / places,
            stride: places / num_phases,
            input: phases[0].input,
            taps: offsets.iter().enumerate().map(|(index, &offset)| Tap { index, offset }).collect(),
        };
        Abreast { runs, taps, lines, line }
    }

    /// The sizes of the sum over runs, of those of the sum over places.
    pub(super) fn geometry(&self, geometry: &Geometry) -> Geometry {
        let mut geometry = *geometry;
        geometry.out_channels *= self.taps.len();
        (geometry.axes[2].output, geometry.axes[2].kernel) = (self.runs.count, self.runs.taps.len());
        geometry
    }

    /// Calls `found(column, tap, element)` for each place of a run and each element of the kernel: where the place's
    /// columns begin, of which each has `channels`, and which of the elements that the run meets the kernel's `element`
    /// is there.
    pub(super) fn each(&self, channels: usize, mut found: impl FnMut(usize, usize, usize)) {
        for (place, taps) in self.taps.iter().enumerate() {
            for line in 0..self.lines {
                for (tap, element) in taps.iter().enumerate() {
                    if let Some(element) = element {
                        found(place * channels, line * taps.len() + tap, line * self.line + element);
                    }
                }
            }
        }
    }
}
