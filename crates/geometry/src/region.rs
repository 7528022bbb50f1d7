/// A part of the plane with an area, that may overlap others of its kind.
///
/// Implemented by boxes and masks, so that whatever compares regions (suppression, matching of detections to
/// truths) is written once.
pub trait Region {
    /// The area in square pixels; of a box whose sides are reversed, 0.
    fn area(&self) -> f64;

    /// The area of what both cover, in square pixels.
    fn intersection(&self, other: &Self) -> f64;

    /// The area of what at least one covers, in square pixels: `|A| + |B| - |A ∩ B|`.
    fn union(&self, other: &Self) -> f64 {
        self.area() + other.area() - self.intersection(other)
    }

    /// Intersection over union (the Jaccard index), `|A ∩ B| / |A ∪ B|`, from 0 to 1; 0 where nothing overlaps,
    /// two empty regions included.
    ///
    /// ```
    /// use gyrus_geometry::{Region, Xyxy};
    /// let (a, b) = (Xyxy::new(0.0, 0.0, 2.0, 2.0), Xyxy::new(1.0, 0.0, 3.0, 2.0));
    /// assert_eq!(a.intersection_over_union(&b), 2.0 / 6.0);
    /// ```
    fn intersection_over_union(&self, other: &Self) -> f64 {
        let intersection = self.intersection(other);
        if intersection > 0.0 { intersection / (self.area() + other.area() - intersection) } else { 0.0 }
    }

    /// The share of this region that lies within `other`, `|A ∩ B| / |A|`, from 0 to 1: what COCO compares a
    /// detection to a crowd by (`iscrowd`), for a crowd may hold any number of detections.
    fn intersection_over_area(&self, other: &Self) -> f64 {
        let intersection = self.intersection(other);
        if intersection > 0.0 { intersection / self.area() } else { 0.0 }
    }
}
