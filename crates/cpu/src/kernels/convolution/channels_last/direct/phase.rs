//! Places of the result that are computed with the same elements of the kernel.

use super::places::Places;

/// Places at equal distances along each axis.
pub(super) struct Phase {
    pub(super) places: [Places; 3],
    /// Where its elements of the kernel begin among the packed ones.
    pub(super) first_tap: usize,
}

impl Phase {
    /// All combinations of phases of the axes, and the elements of the kernel in their order.
    pub(super) fn product([depths, rows, columns]: &[Vec<Places>; 3], kernel: [usize; 3]) -> (Vec<Phase>, Vec<usize>) {
        let (mut phases, mut taps) = (vec![], vec![]);
        for depth in depths {
            for row in rows {
                for column in columns {
                    let places = [depth, row, column].map(Places::clone);
                    let first_tap = taps.len();
                    for d in &depth.taps {
                        for r in &row.taps {
                            let line = (d.index * kernel[1] + r.index) * kernel[2];
                            taps.extend(column.taps.iter().map(|c| line + c.index));
                        }
                    }
                    phases.push(Phase { places, first_tap });
                }
            }
        }
        (phases, taps)
    }
}
