//! Drawing the shapes of objects as numbers of pixels.

use gyrus_geometry::{Polygon, RunLengthMask};

use crate::target::LabelMap;
use crate::transforms::{Area, Projection};

/// Memory for drawing, used again and again.
#[derive(Clone, Debug, Default)]
pub(super) struct Brush {
    crossings: Vec<f64>,
    runs: LabelMap,
}

impl Brush {
    /// Labels the pixels whose middles lie inside of the outline, after it has gone through the map; where the outline
    /// crosses itself, every other stretch is inside.
    pub(super) fn polygon(
        &mut self,
        polygon: &Polygon,
        projection: &Projection,
        area: Area,
        map: &mut LabelMap,
        label: u16,
    ) {
        let Some(last) = polygon.points.last().filter(|_| polygon.points.len() > 2) else { return };
        for row in area.top..area.bottom {
            let y = row as f64 + 0.5;
            self.crossings.clear();
            let mut from = projection.map([last.x, last.y]);
            for point in &polygon.points {
                let to = projection.map([point.x, point.y]);
                if (from[1] <= y) != (to[1] <= y) {
                    self.crossings.push(from[0] + (y - from[1]) / (to[1] - from[1]) * (to[0] - from[0]));
                }
                from = to;
            }
            self.crossings.sort_unstable_by(f64::total_cmp);
            for pair in self.crossings.chunks_exact(2) {
                // The first column whose middle is at or after the crossing.
                let column = |x: f64| ((x - 0.5).ceil().max(area.left as f64) as usize).min(area.right);
                let (start, end) = (column(pair[0]), column(pair[1]));
                map.labels[row * map.width..][start..end.max(start)].fill(label);
            }
        }
    }

    /// Labels the pixels that show one of a set.
    pub(super) fn runs(
        &mut self,
        runs: &RunLengthMask,
        inverse: &Projection,
        area: Area,
        map: &mut LabelMap,
        label: u16,
    ) {
        let (height, width) = (runs.height(), runs.width());
        self.runs.reset(height, width, 0);
        let mut place = 0;
        for (number, &run) in runs.runs().iter().enumerate() {
            let end = place + run as usize;
            if number % 2 == 1 {
                // Runs go down the columns.
                (place..end).for_each(|place| self.runs.labels[place % height * width + place / height] = 1);
            }
            place = end;
        }
        map.warp(&self.runs, inverse, area, |inside| (inside == 1).then_some(label));
    }
}
