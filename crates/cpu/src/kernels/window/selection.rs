//! Which element of a window is its first in an order.

use gyrus_graph::ops::reduction::Extremum;

use super::super::elements::Arithmetic;
use super::element::{Falling, Order, Pooled, Rising};
use super::places::Places;

/// That a place holds no element.
pub(super) const NONE: u32 = u32::MAX;

/// For each place of a row of the result, finds the element of the window that is first, and writes its number,
/// or [`NONE`], to `taps`.
pub(super) fn select<T: Pooled>(
    extremum: Extremum,
    places: &Places,
    x: &[T],
    row: usize,
    best: &mut [T::Wide],
    taps: &mut [u32],
) {
    match extremum {
        Extremum::Max => select_in_order::<T, Falling>(places, x, row, best, taps),
        Extremum::Min => select_in_order::<T, Rising>(places, x, row, best, taps),
    }
}

fn select_in_order<T: Pooled, O: Order>(places: &Places, x: &[T], row: usize, best: &mut [T::Wide], taps: &mut [u32]) {
    taps.fill(NONE);
    best.fill(T::Wide::default());
    let stride = places.axes[2].stride;
    places.row(row, |met| {
        let elements = x[met.element..].iter().step_by(stride);
        for ((best, tap), x) in best[met.first..met.end].iter_mut().zip(&mut taps[met.first..met.end]).zip(elements) {
            let value = x.widen();
            let wins = *tap == NONE || O::is_before(value, *best) || (value.is_nan() && !best.is_nan());
            *best = if wins { value } else { *best };
            *tap = if wins { met.tap as u32 } else { *tap };
        }
    });
}
