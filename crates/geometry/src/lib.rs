//! Boxes, polygons and masks in the plane of a picture: what annotations are made of.
//!
//! Coordinates are pixels as `f64`, x to the right and y down, from the picture's upper left corner: the pixel in
//! column `c` and row `r` covers `c..c + 1` by `r..r + 1`, so that `right` and `bottom` are exclusive. Formats of
//! boxes are types, so that none is taken for another:
//!
//! | type | holds | used by |
//! | --- | --- | --- |
//! | [`Xyxy`] | left, top, right, bottom | torchvision, Pascal VOC (which counts from 1, inclusively) |
//! | [`Xywh`] | left, top, width, height | COCO |
//! | [`Cxcywh`] | centre, width, height | YOLO (as shares of the picture's sides: [`Cxcywh::scale`]) |
//!
//! Pixels are told apart by [`distance_transform`], [`connected_regions`] and [`watershed`].
//!
//! Areas and overlaps of all kinds of regions are [`Region`]'s.

mod boxes;
mod distance_transform;
mod error;
mod mask;
mod outline;
mod polygon;
mod rasterise;
mod region;
mod regions;
mod run_length_mask;
mod run_length_text;
mod suppression;
mod watershed;

pub use boxes::{Cxcywh, Xywh, Xyxy};
pub use distance_transform::distance_transform;
pub use error::GeometryError;
pub use mask::Mask;
pub use polygon::{Point, Polygon};
pub use region::Region;
pub use regions::connected_regions;
pub use run_length_mask::RunLengthMask;
pub use suppression::{non_maximum_suppression, non_maximum_suppression_by_class};
pub use watershed::watershed;

/// What this crate's functions return.
pub type Result<T> = std::result::Result<T, GeometryError>;
