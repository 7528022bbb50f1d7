//! Architectures that tasks share, and a [registry](classification()) of them by name.
//!
//! ```
//! use gyrus_models::LeNet5;
//! use gyrus_nn::{Context, Layer};
//! use gyrus_tensor::{Rng, Tensor};
//!
//! let model = LeNet5::new(10, 1, &mut Rng::new(0));
//! let images = Tensor::from_slice([2, 1, 32, 32], &[0.0f32; 2 * 32 * 32]);
//! assert_eq!(model.forward(&images, &mut Context::evaluate()).shape()[..], [2, 10]);
//! ```

extern crate gyrus_nn as gyrus;

mod classification;
mod error;
mod lenet5;
mod lenet5_1998;
mod linear_classifier;
mod mlp;

pub use classification::{CLASSIFICATION, ClassificationModel, classification};
pub use error::ModelError;
pub use lenet5::{LeNet5, LeNet5Config};
pub use lenet5_1998::{LeNet51998, SparseConv, Subsampling};
pub use linear_classifier::LinearClassifier;
pub use mlp::Mlp;
