//! Projective maps of the plane.

/// A projective map of the plane: a point `(x, y)` goes to `(u / w, v / w)`, where `(u, v, w) = M (x, y, 1)`.
///
/// Coordinates are in pixels, from the left and from the top edge: the pixel in column `i` covers `i..i + 1`, and its
/// middle is at `i + 0.5`.
///
/// ```
/// use gyrus_data::transforms::Projection;
/// let projection = Projection::scaling(2.0, 2.0).then(&Projection::shifting(1.0, 0.0));
/// assert_eq!(projection.map([3.0, 4.0]), [7.0, 8.0]);
/// assert_eq!(projection.inverse().unwrap().map([7.0, 8.0]), [3.0, 4.0]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Projection {
    /// `M`, row by row.
    pub rows: [[f64; 3]; 3],
}

/// One axis of a map that keeps the axes: `position * scale + shift`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct AxisMap {
    pub(crate) scale: f64,
    pub(crate) shift: f64,
}

impl Default for Projection {
    /// Changes nothing.
    fn default() -> Self {
        Self::scaling(1.0, 1.0)
    }
}

impl Projection {
    /// Each axis by its factor, about the upper left corner.
    pub fn scaling(x: f64, y: f64) -> Self {
        Self { rows: [[x, 0.0, 0.0], [0.0, y, 0.0], [0.0, 0.0, 1.0]] }
    }

    /// To the right and down.
    pub fn shifting(x: f64, y: f64) -> Self {
        Self { rows: [[1.0, 0.0, x], [0.0, 1.0, y], [0.0, 0.0, 1.0]] }
    }

    /// A linear map, given by its rows, about a point that stays where it is.
    pub fn about(center: [f64; 2], linear: [[f64; 2]; 2]) -> Self {
        let [[a, b], [c, d]] = linear;
        let linear = Self { rows: [[a, b, 0.0], [c, d, 0.0], [0.0, 0.0, 1.0]] };
        Self::shifting(-center[0], -center[1]).then(&linear).then(&Self::shifting(center[0], center[1]))
    }

    /// The map that takes the corners of a rectangle at the origin (upper left, upper right, lower right, lower left) to
    /// these points; nothing if three of them are on a line.
    ///
    /// # Source
    /// Heckbert, Fundamentals of Texture Mapping and Image Warping (1989), section 2.2.3.
    pub fn of_corners(width: f64, height: f64, to: [[f64; 2]; 4]) -> Option<Self> {
        let [[x0, y0], [x1, y1], [x2, y2], [x3, y3]] = to;
        let (dx1, dx2, sx) = (x1 - x2, x3 - x2, x0 - x1 + x2 - x3);
        let (dy1, dy2, sy) = (y1 - y2, y3 - y2, y0 - y1 + y2 - y3);
        let determinant = dx1 * dy2 - dx2 * dy1;
        let g = (sx * dy2 - dx2 * sy) / determinant;
        let h = (dx1 * sy - sx * dy1) / determinant;
        let unit = Self {
            rows: [[x1 - x0 + g * x1, x3 - x0 + h * x3, x0], [y1 - y0 + g * y1, y3 - y0 + h * y3, y0], [g, h, 1.0]],
        };
        let map = Self::scaling(1.0 / width, 1.0 / height).then(&unit);
        (determinant != 0.0 && map.inverse().is_some()).then_some(map)
    }

    /// This map first, then the next.
    pub fn then(&self, next: &Projection) -> Self {
        let entry = |row: usize, column: usize| (0..3).map(|i| next.rows[row][i] * self.rows[i][column]).sum();
        Self { rows: [0, 1, 2].map(|row| [0, 1, 2].map(|column| entry(row, column))) }
    }

    /// The way back; nothing if there is none.
    pub fn inverse(&self) -> Option<Self> {
        let m = &self.rows;
        let minor = |r0: usize, r1: usize, c0: usize, c1: usize| m[r0][c0] * m[r1][c1] - m[r0][c1] * m[r1][c0];
        let determinant = m[0][0] * minor(1, 2, 1, 2) - m[0][1] * minor(1, 2, 0, 2) + m[0][2] * minor(1, 2, 0, 1);
        let scale = 1.0 / determinant;
        let rows = [
            [minor(1, 2, 1, 2), -minor(0, 2, 1, 2), minor(0, 1, 1, 2)],
            [-minor(1, 2, 0, 2), minor(0, 2, 0, 2), -minor(0, 1, 0, 2)],
            [minor(1, 2, 0, 1), -minor(0, 2, 0, 1), minor(0, 1, 0, 1)],
        ];
        let inverse = Self { rows: rows.map(|row| row.map(|entry| entry * scale)) };
        inverse.rows.iter().flatten().all(|entry| entry.is_finite()).then_some(inverse)
    }

    /// Where a point goes.
    pub fn map(&self, [x, y]: [f64; 2]) -> [f64; 2] {
        let [u, v, w] = self.homogeneous([x, y]);
        [u / w, v / w]
    }

    /// The least rectangle around where a rectangle goes: left, top, right, bottom, before and after. The rectangle must
    /// be in front of the horizon, as all are that the transforms of this crate make.
    pub fn map_bounds(&self, [left, top, right, bottom]: [f64; 4]) -> [f64; 4] {
        bounds([[left, top], [right, top], [right, bottom], [left, bottom]].map(|corner| self.map(corner)))
    }

    pub(crate) fn homogeneous(&self, [x, y]: [f64; 2]) -> [f64; 3] {
        self.rows.map(|[a, b, c]| a * x + b * y + c)
    }

    /// The maps of the two axes, horizontal first, if axes stay axes.
    pub(crate) fn axes(&self) -> Option<[AxisMap; 2]> {
        let [[xx, xy, x], [yx, yy, y], [g, h, w]] = self.rows;
        let keeps = [xy, yx, g, h].iter().all(|&entry| entry == 0.0) && w == 1.0 && xx != 0.0 && yy != 0.0;
        keeps.then_some([AxisMap { scale: xx, shift: x }, AxisMap { scale: yy, shift: y }])
    }

    /// The factor by which lengths grow near a point: the square root of that of areas.
    pub(crate) fn magnification(&self, point: [f64; 2]) -> f64 {
        let [u, v, w] = self.homogeneous(point);
        let m = &self.rows;
        let partial = |axis: usize| [0, 1].map(|row| (m[row][axis] * w - [u, v][row] * m[2][axis]) / (w * w));
        let [[a, c], [b, d]] = [partial(0), partial(1)];
        (a * d - b * c).abs().sqrt()
    }
}

/// The least rectangle around some points: left, top, right, bottom.
pub(crate) fn bounds(points: impl IntoIterator<Item = [f64; 2]>) -> [f64; 4] {
    let none = [f64::INFINITY, f64::INFINITY, f64::NEG_INFINITY, f64::NEG_INFINITY];
    points
        .into_iter()
        .fold(none, |[left, top, right, bottom], [x, y]| [left.min(x), top.min(y), right.max(x), bottom.max(y)])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn corners_go_where_they_shall_and_back(
            offsets in prop::array::uniform8(-0.3f64..0.3), size in (1f64..900.0, 1f64..900.0), at in (0f64..1.0, 0f64..1.0),
        ) {
            let (width, height) = size;
            let corners = [[0.0, 0.0], [width, 0.0], [width, height], [0.0, height]];
            let mut to = corners;
            for (place, corner) in to.iter_mut().enumerate() {
                corner[0] += offsets[2 * place] * width;
                corner[1] += offsets[2 * place + 1] * height;
            }
            let map = Projection::of_corners(width, height, to).unwrap();
            for (from, to) in corners.into_iter().zip(to) {
                let found = map.map(from);
                prop_assert!((found[0] - to[0]).abs() < 1e-7 && (found[1] - to[1]).abs() < 1e-7, "{found:?} {to:?}");
            }
            let point = [at.0 * width, at.1 * height];
            let back = map.inverse().unwrap().map(map.map(point));
            prop_assert!((back[0] - point[0]).abs() < 1e-6 && (back[1] - point[1]).abs() < 1e-6);
            // The magnification is the root of the growth of a small square.
            let step = 1e-4;
            let [a, b, c] = [point, [point[0] + step, point[1]], [point[0], point[1] + step]].map(|point| map.map(point));
            let area = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]);
            let expected = area.abs().sqrt() / step;
            prop_assert!((map.magnification(point) - expected).abs() < 1e-3 * expected.max(1.0));
        }
    }

    #[test]
    fn what_has_no_inverse_says_so() {
        assert_eq!(Projection::scaling(0.0, 1.0).inverse(), None);
        assert_eq!(Projection::of_corners(1.0, 1.0, [[0.0, 0.0], [1.0, 0.0], [2.0, 0.0], [3.0, 0.0]]), None);
        assert!(Projection::about([1.0, 1.0], [[0.0, 1.0], [-1.0, 0.0]]).axes().is_none());
    }
}
