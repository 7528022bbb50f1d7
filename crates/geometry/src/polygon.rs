use serde::{Deserialize, Serialize};

use crate::{GeometryError, Result, RunLengthMask, Xyxy, rasterise::rasterise};

/// A place in a picture, in pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// To the right.
    pub x: f64,
    /// Down.
    pub y: f64,
}

/// A closed outline: its corners in order, the last joined to the first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Polygon {
    /// The corners.
    pub points: Vec<Point>,
}

impl Polygon {
    /// A polygon of its corners.
    pub const fn new(points: Vec<Point>) -> Self {
        Self { points }
    }

    /// A polygon of x and y of each corner in turn, as COCO and YOLO write it.
    ///
    /// # Errors
    /// If the number of coordinates is odd.
    pub fn from_coordinates(coordinates: &[f64]) -> Result<Self> {
        if !coordinates.len().is_multiple_of(2) {
            return Err(GeometryError::Coordinates { found: coordinates.len() });
        }
        Ok(Self::new(coordinates.chunks_exact(2).map(|pair| Point { x: pair[0], y: pair[1] }).collect()))
    }

    /// The area in square pixels, `1/2 |sum_i x_i y_{i+1} - x_{i+1} y_i|` (Gauss's shoelace formula); of an outline
    /// that crosses itself, parts that run the other way round count against it.
    ///
    /// ```
    /// use gyrus_geometry::Polygon;
    /// let triangle = Polygon::from_coordinates(&[0.0, 0.0, 4.0, 0.0, 0.0, 3.0])?;
    /// assert_eq!(triangle.area(), 6.0);
    /// # Ok::<(), gyrus_geometry::GeometryError>(())
    /// ```
    pub fn area(&self) -> f64 {
        let next = self.points.iter().cycle().skip(1);
        let twice: f64 = self.points.iter().zip(next).map(|(a, b)| a.x * b.y - b.x * a.y).sum();
        twice.abs() / 2.0
    }

    /// The smallest box that holds all corners, all zeros of none.
    pub fn bounding_box(&self) -> Xyxy {
        let corner = |point: &Point| Xyxy::new(point.x, point.y, point.x, point.y);
        self.points.iter().map(corner).reduce(|a, b| a.hull(&b)).unwrap_or_default()
    }

    /// The polygon in a picture whose sides are `x` and `y` times as long.
    pub fn scale(&self, x: f64, y: f64) -> Self {
        Self::new(self.points.iter().map(|point| Point { x: point.x * x, y: point.y * y }).collect())
    }

    /// The pixels inside, in a picture of `width x height`.
    ///
    /// # Source
    /// `pycocotools.mask.frPyObjects`, to the bit: corners are rounded to fifths of a pixel, the outline is drawn on
    /// that finer grid, and a column's boundary is where the outline crosses the column's middle, rounded up; of
    /// outlines that cross a column more than twice, every other stretch is inside.
    ///
    /// ```
    /// use gyrus_geometry::{Polygon, Region};
    /// let square = Polygon::from_coordinates(&[1.0, 1.0, 4.0, 1.0, 4.0, 3.0, 1.0, 3.0])?;
    /// assert_eq!(square.rasterise(6, 6).area(), 6.0);
    /// # Ok::<(), gyrus_geometry::GeometryError>(())
    /// ```
    pub fn rasterise(&self, width: usize, height: usize) -> RunLengthMask {
        rasterise(&self.points, width, height)
    }
}
