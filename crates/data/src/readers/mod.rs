//! One file a format: from a path to a [`Dataset`](crate::Dataset).

pub mod coco;
pub mod csv;
pub mod folder;
pub mod idx;
pub mod image_file;
pub mod image_table;
pub mod label_image;
pub mod masks;
pub mod voc;
pub mod yolo;

pub(crate) mod compressed;
pub(crate) mod gathered;
pub(crate) mod idx_file;
pub(crate) mod listing;
pub(crate) mod picture;
