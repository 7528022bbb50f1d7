//! From numbers to colours.

use crate::Color;

/// The colours at every sixteenth; between them the line is straight.
const VIRIDIS: [[u8; 3]; 17] = [
    [68, 1, 84],
    [72, 24, 106],
    [71, 45, 123],
    [66, 64, 134],
    [59, 82, 139],
    [51, 99, 141],
    [44, 114, 142],
    [38, 129, 142],
    [33, 144, 140],
    [31, 159, 136],
    [40, 174, 128],
    [62, 188, 116],
    [93, 201, 99],
    [130, 211, 76],
    [171, 220, 50],
    [213, 226, 26],
    [253, 231, 37],
];

/// The colour of a share from 0 (dark violet) to 1 (light yellow): equal steps of the share look equally large, in grey
/// and to the colour-blind too. What is no number is as 0.
///
/// # Source
/// `viridis` of matplotlib 3.11.2 (N. Smith and S. van der Walt 2015), within 6 of 255.
pub fn viridis(share: f32) -> Color {
    let place = if share.is_nan() { 0.0 } else { share.clamp(0.0, 1.0) * (VIRIDIS.len() - 1) as f32 };
    let below = (place as usize).min(VIRIDIS.len() - 2);
    Color(VIRIDIS[below + 1]).over(Color(VIRIDIS[below]), place - below as f32)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rows of matplotlib 3.11.2's own table, interpolated at places between the knots.
    #[test]
    fn it_is_matplotlibs() {
        let expected = [
            (0.03, [71, 12, 95]),
            (0.31, [51, 98, 141]),
            (0.47, [35, 137, 142]),
            (0.66, [51, 182, 122]),
            (0.91, [195, 224, 35]),
        ];
        for (share, expected) in expected {
            let found = viridis(share).0;
            let apart = found.iter().zip(expected).map(|(&a, b): (&u8, u8)| a.abs_diff(b)).max();
            assert!(apart <= Some(6), "{share}: {found:?} {expected:?}");
        }
        assert_eq!((viridis(f32::NAN), viridis(7.0)), (Color([68, 1, 84]), Color([253, 231, 37])));
    }
}
