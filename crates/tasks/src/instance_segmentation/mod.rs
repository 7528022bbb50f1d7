//! Instance segmentation: the objects of an image, each with its pixels.

pub mod distance;
