//! Polygons to pixels by COCO's rule.

use crate::{Point, RunLengthMask};

/// The outline is drawn on a grid this many times finer than pixels.
const FINENESS: f64 = 5.0;
/// Corners farther away than this, on the finer grid, are taken to lie there: the work grows with the outline's length.
const FARTHEST: f64 = (1 << 23) as f64;

/// The pixels within an outline: where the outline crosses the middles of columns, inside and outside change.
pub fn rasterise(points: &[Point], width: usize, height: usize) -> RunLengthMask {
    let fine = |value: f64| (FINENESS * value + 0.5).clamp(-FARTHEST, FARTHEST) as i32;
    let corners: Vec<(i32, i32)> = points.iter().map(|point| (fine(point.x), fine(point.y))).collect();
    let next = corners.iter().cycle().skip(1);
    let outline = corners.iter().zip(next).flat_map(|(&from, &to)| edge(from, to));
    let mut changes = vec![];
    let mut previous = None;
    for place in outline {
        changes.extend(previous.and_then(|previous| crossing(previous, place, width, height)));
        previous = Some(place);
    }
    changes.sort_unstable();
    changes.push((width * height) as u64);
    let stretches = changes.iter().scan((0, true), |(previous, is_inside), &change| {
        *is_inside = !*is_inside;
        let length = change - *previous;
        *previous = change;
        Some((length, *is_inside))
    });
    RunLengthMask::from_stretches(width, height, stretches)
}

/// The places of the fine grid along an edge, both ends included: one for each step of its longer direction, always
/// computed from its upper or left end, so that an edge and its reverse are the same places.
fn edge(from: (i32, i32), to: (i32, i32)) -> impl Iterator<Item = (i32, i32)> {
    let is_wide = (to.0 - from.0).abs() >= (to.1 - from.1).abs();
    let swap = move |(x, y): (i32, i32)| if is_wide { (x, y) } else { (y, x) };
    let (from, to) = (swap(from), swap(to));
    let is_reversed = from.0 > to.0;
    let (start, end) = if is_reversed { (to, from) } else { (from, to) };
    let length = end.0 - start.0;
    // An edge of no length would divide 0 by 0.
    let slope = f64::from(end.1 - start.1) / f64::from(length.max(1));
    (0..=length).map(move |step| {
        let step = if is_reversed { length - step } else { step };
        swap((start.0 + step, (f64::from(start.1) + slope * f64::from(step) + 0.5) as i32))
    })
}

/// The place, in the order of columns, of the pixel from which on inside and outside change, if this step of the
/// outline crosses the middle of one of the picture's columns.
fn crossing(from: (i32, i32), to: (i32, i32), width: usize, height: usize) -> Option<u64> {
    if from.0 == to.0 {
        return None;
    }
    let pixels = |fine: i32| (f64::from(fine) + 0.5) / FINENESS - 0.5;
    let x = pixels(if to.0 < from.0 { to.0 } else { to.0 - 1 });
    if x.floor() != x || x < 0.0 || x > width as f64 - 1.0 {
        return None;
    }
    let y = pixels(to.1.min(from.1)).clamp(0.0, height as f64).ceil();
    Some((x as usize * height + y as usize) as u64)
}
