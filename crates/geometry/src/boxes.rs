use serde::{Deserialize, Serialize};

use crate::Region;

/// A box by its sides, in pixels; `right` and `bottom` are exclusive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Xyxy {
    /// The least x.
    pub left: f64,
    /// The least y.
    pub top: f64,
    /// The greatest x.
    pub right: f64,
    /// The greatest y.
    pub bottom: f64,
}

/// A box by its upper left corner and its sides' lengths, in pixels, as COCO writes it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Xywh {
    /// The least x.
    pub left: f64,
    /// The least y.
    pub top: f64,
    /// The length in x.
    pub width: f64,
    /// The length in y.
    pub height: f64,
}

/// A box by its centre and its sides' lengths, in pixels or, as YOLO writes it, in shares of the picture's sides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Cxcywh {
    /// The x of the centre.
    pub center_x: f64,
    /// The y of the centre.
    pub center_y: f64,
    /// The length in x.
    pub width: f64,
    /// The length in y.
    pub height: f64,
}

impl Xyxy {
    /// A box of its sides.
    pub const fn new(left: f64, top: f64, right: f64, bottom: f64) -> Self {
        Self { left, top, right, bottom }
    }

    /// The length in x; negative where the sides are reversed.
    pub fn width(&self) -> f64 {
        self.right - self.left
    }

    /// The length in y; negative where the sides are reversed.
    pub fn height(&self) -> f64 {
        self.bottom - self.top
    }

    /// Whether the box covers nothing: a side of no or negative length, or no number.
    pub fn is_empty(&self) -> bool {
        !(self.width() > 0.0 && self.height() > 0.0)
    }

    /// The part of the box that lies in a picture of `width x height` pixels; of a box outside, an empty one at the
    /// picture's border.
    ///
    /// ```
    /// use gyrus_geometry::Xyxy;
    /// let clipped = Xyxy::new(-3.0, 2.0, 5.0, 50.0).clip(4, 10);
    /// assert_eq!(clipped, Xyxy::new(0.0, 2.0, 4.0, 10.0));
    /// ```
    pub fn clip(&self, width: usize, height: usize) -> Self {
        let (width, height) = (width as f64, height as f64);
        Self {
            left: self.left.clamp(0.0, width),
            top: self.top.clamp(0.0, height),
            right: self.right.clamp(0.0, width),
            bottom: self.bottom.clamp(0.0, height),
        }
    }

    /// The box in a picture whose sides are `x` and `y` times as long.
    pub fn scale(&self, x: f64, y: f64) -> Self {
        Self { left: self.left * x, top: self.top * y, right: self.right * x, bottom: self.bottom * y }
    }

    /// The box moved to the right by `x` and down by `y` pixels.
    pub fn translate(&self, x: f64, y: f64) -> Self {
        Self { left: self.left + x, top: self.top + y, right: self.right + x, bottom: self.bottom + y }
    }

    /// The smallest box that holds both.
    pub fn hull(&self, other: &Self) -> Self {
        Self {
            left: self.left.min(other.left),
            top: self.top.min(other.top),
            right: self.right.max(other.right),
            bottom: self.bottom.max(other.bottom),
        }
    }

    /// Generalised intersection over union, from -1 (far apart) to 1 (equal): intersection over union, less the
    /// share of the [`hull`](Self::hull) that neither covers, `IoU - (|H| - |A ∪ B|) / |H|`. NaN if both are empty
    /// and at one place.
    ///
    /// # Source
    /// Rezatofighi et al. 2019, "Generalized Intersection over Union", algorithm 1.
    pub fn generalised_intersection_over_union(&self, other: &Self) -> f64 {
        let hull = self.hull(other).area();
        self.intersection_over_union(other) - (hull - self.union(other)) / hull
    }
}

impl Xywh {
    /// A box of its upper left corner and its sides' lengths.
    pub const fn new(left: f64, top: f64, width: f64, height: f64) -> Self {
        Self { left, top, width, height }
    }
}

impl Cxcywh {
    /// A box of its centre and its sides' lengths.
    pub const fn new(center_x: f64, center_y: f64, width: f64, height: f64) -> Self {
        Self { center_x, center_y, width, height }
    }

    /// The box in a picture whose sides are `x` and `y` times as long: from shares to pixels with the picture's
    /// width and height, back with one over them.
    ///
    /// ```
    /// use gyrus_geometry::{Cxcywh, Xyxy};
    /// let pixels = Cxcywh::new(0.5, 0.5, 0.25, 1.0).scale(640.0, 480.0);
    /// assert_eq!(Xyxy::from(pixels), Xyxy::new(240.0, 0.0, 400.0, 480.0));
    /// ```
    pub fn scale(&self, x: f64, y: f64) -> Self {
        Self {
            center_x: self.center_x * x,
            center_y: self.center_y * y,
            width: self.width * x,
            height: self.height * y,
        }
    }
}

impl Region for Xyxy {
    fn area(&self) -> f64 {
        self.width().max(0.0) * self.height().max(0.0)
    }

    fn intersection(&self, other: &Self) -> f64 {
        let width = self.right.min(other.right) - self.left.max(other.left);
        let height = self.bottom.min(other.bottom) - self.top.max(other.top);
        width.max(0.0) * height.max(0.0)
    }
}

/// In the arithmetic of COCO's tools, to the bit: the area is width times height, not a product of differences.
impl Region for Xywh {
    fn area(&self) -> f64 {
        self.width.max(0.0) * self.height.max(0.0)
    }

    fn intersection(&self, other: &Self) -> f64 {
        Xyxy::from(*self).intersection(&Xyxy::from(*other))
    }
}

impl Region for Cxcywh {
    fn area(&self) -> f64 {
        self.width.max(0.0) * self.height.max(0.0)
    }

    fn intersection(&self, other: &Self) -> f64 {
        Xyxy::from(*self).intersection(&Xyxy::from(*other))
    }
}

impl From<Xywh> for Xyxy {
    fn from(from: Xywh) -> Self {
        Self::new(from.left, from.top, from.left + from.width, from.top + from.height)
    }
}

impl From<Cxcywh> for Xyxy {
    fn from(from: Cxcywh) -> Self {
        let (half_width, half_height) = (from.width / 2.0, from.height / 2.0);
        Self {
            left: from.center_x - half_width,
            top: from.center_y - half_height,
            right: from.center_x + half_width,
            bottom: from.center_y + half_height,
        }
    }
}

impl From<Xyxy> for Xywh {
    fn from(from: Xyxy) -> Self {
        Self::new(from.left, from.top, from.width(), from.height())
    }
}

impl From<Cxcywh> for Xywh {
    fn from(from: Cxcywh) -> Self {
        let (left, top) = (from.center_x - from.width / 2.0, from.center_y - from.height / 2.0);
        Self::new(left, top, from.width, from.height)
    }
}

impl From<Xyxy> for Cxcywh {
    fn from(from: Xyxy) -> Self {
        let (center_x, center_y) = ((from.left + from.right) / 2.0, (from.top + from.bottom) / 2.0);
        Self::new(center_x, center_y, from.width(), from.height())
    }
}

impl From<Xywh> for Cxcywh {
    fn from(from: Xywh) -> Self {
        Self::new(from.left + from.width / 2.0, from.top + from.height / 2.0, from.width, from.height)
    }
}
