//! From a user's files to batches: reading, checking, splitting, transforming and loading images with their targets:
//! classes, objects, masks.
//!
//! ```
//! use std::sync::Arc;
//! use gyrus_data::{Dataset, Geometry, HoldOut, Loader, LoaderConfig, Pixels, Preprocess, Samples, Split};
//!
//! // `Dataset::open(path)` reads a user's files; here, forty images of 2 x 2 dots are made on the spot.
//! let samples = Samples {
//!     split: Split::Train,
//!     path: "dots".into(),
//!     pixels: Pixels::Bytes((0..160).collect()),
//!     labels: (0..40).map(|sample| Some(sample / 20)).collect(),
//!     lines: None,
//! };
//! let classes = vec!["dark".to_string(), "bright".to_string()];
//! let dataset = Dataset::from_samples(Geometry::new(2, 2, 1), classes, vec![samples])?.hold_out(&HoldOut::default())?;
//!
//! let report = gyrus_data::check(&dataset);
//! assert!(report.passed(), "{report}");
//!
//! let preprocess = Preprocess::new(dataset.geometry()).measured(&dataset)?;
//! let config = LoaderConfig { batch_size: 9, shuffle: true, ..LoaderConfig::new(preprocess) };
//! let loader = Loader::new(Arc::new(dataset), Split::Train, config)?;
//! for batch in loader.epoch(0, 0) {
//!     let batch = batch?;
//!     assert_eq!(batch.shape, [9, 1, 2, 2]);
//! }
//! # Ok::<(), gyrus_data::DataError>(())
//! ```

pub mod checks;
pub mod dataset;
pub mod loader;
pub mod random;
pub mod readers;
pub mod target;
pub mod transforms;

#[cfg(feature = "digits")]
pub mod shipped;

mod classes;
mod contact_sheet;
mod error;
mod image_buffer;
mod layout;
mod split;

pub use checks::{Report, admit, check};
pub use contact_sheet::contact_sheet;
pub use dataset::{Dataset, Fault, FaultKind, Geometry, ImageFile, Origin, Pixels, Place, Samples, Split};
pub use error::DataError;
pub use image_buffer::ImageBuffer;
pub use layout::Layout;
pub use loader::{Batch, Epoch, IGNORED_PIXEL, Loader, LoaderConfig};
pub use split::HoldOut;
pub use target::{Object, Target, TargetKind};
pub use transforms::{Augment, Preprocess, Resize};

/// What this crate's functions return.
pub type Result<T> = std::result::Result<T, DataError>;
