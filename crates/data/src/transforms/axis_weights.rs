//! How each new pixel of an axis is made of the old ones.

use std::ops::Range;

use crate::transforms::projection::AxisMap;

/// How each new pixel of an axis is made of the old ones.
#[derive(Clone, Debug, Default)]
pub(crate) struct AxisWeights {
    made_for: Option<(usize, AxisMap, Range<usize>, bool)>,
    /// The new pixels that show something, counted from the first that was asked for.
    seen: Range<usize>,
    /// The old pixels that are seen.
    sources: Range<usize>,
    /// The first old pixel of each new one that is seen.
    first: Vec<usize>,
    /// Where the weights of each of them end.
    ends: Vec<usize>,
    weights: Vec<f32>,
}

impl AxisWeights {
    /// For an axis of `length` old pixels and some of the new ones. With `extends`, what lies before the first and after
    /// the last old pixel looks like these.
    pub(super) fn prepare(&mut self, length: usize, map: AxisMap, new: Range<usize>, extends: bool) {
        let made_for = Some((length, map, new.clone(), extends));
        if self.made_for == made_for {
            return;
        }
        self.made_for = made_for;
        self.first.clear();
        self.ends.clear();
        self.weights.clear();
        let step = 1.0 / map.scale;
        let reach = step.abs().max(1.0);
        self.seen = new.len()..new.len();
        self.sources = length..0;
        for (place, new) in new.enumerate() {
            let mut center = (new as f64 + 0.5 - map.shift) * step;
            if extends {
                center = center.clamp(0.5, length as f64 - 0.5);
            } else if !(0.0..length as f64).contains(&center) {
                continue;
            }
            let first = (center - reach + 0.5).max(0.0) as usize;
            let last = ((center + reach + 0.5) as usize).min(length);
            let weight = |old: usize| (1.0 - ((old as f64 - center + 0.5) / reach).abs()).max(0.0);
            // Pixels that weigh nothing are left out, so that a shift by whole pixels is a copy.
            let is_felt = |&old: &usize| weight(old) > 1e-9;
            let first = (first..last).find(is_felt).unwrap_or(first);
            let last = (first..last).rev().find(is_felt).map_or(last, |old| old + 1);
            let total: f64 = (first..last).map(weight).sum();
            self.weights.extend((first..last).map(|old| (weight(old) / total) as f32));
            self.seen = self.seen.start.min(place)..place + 1;
            self.sources = self.sources.start.min(first)..self.sources.end.max(last);
            self.first.push(first);
            self.ends.push(self.weights.len());
        }
        if self.first.is_empty() {
            (self.seen, self.sources) = (0..0, 0..0);
        }
    }

    /// The new pixels that show something, counted from the first that was asked for: all of them are neighbours.
    pub(super) fn seen(&self) -> Range<usize> {
        self.seen.clone()
    }

    /// The old pixels that are seen.
    pub(super) fn sources(&self) -> Range<usize> {
        self.sources.clone()
    }

    /// The first old pixel of a new one, and the weights from it on.
    #[inline(always)]
    pub(super) fn of(&self, place: usize) -> (usize, &[f32]) {
        let place = place - self.seen.start;
        let start = if place == 0 { 0 } else { self.ends[place - 1] };
        (self.first[place], &self.weights[start..self.ends[place]])
    }
}
