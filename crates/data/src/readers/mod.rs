//! One file a format: from a path to a [`Dataset`](crate::Dataset).

pub mod csv;
pub mod folder;
pub mod idx;
pub mod image_file;
pub mod label_image;

pub(crate) mod compressed;
pub(crate) mod idx_file;
mod jpeg;
mod jpeg_end;
pub(crate) mod listing;
pub(crate) mod tiff_page;
