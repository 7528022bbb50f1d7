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
mod csp_net;
mod detection;
mod efficientnet_lite0;
mod error;
mod image_model;
mod lenet5;
mod lenet5_1998;
mod linear_classifier;
mod localizer;
mod mlp;
mod mobilenet_v2;
mod resnet;
mod resnet9;
pub mod segmentation;
mod stages;
mod unbiased_conv;
mod vision_transformer;

pub use classification::{CLASSIFICATION, ClassificationModel, classification};
pub use csp_net::{CspNet, CspNetConfig};
pub use detection::{DETECTORS, Detector, DetectorConfig, DetectorModel, DetectorOutputs, Places, detector};
pub use efficientnet_lite0::EfficientNetLite0;
pub use error::ModelError;
pub use image_model::ImageModel;
pub use lenet5::{LeNet5, LeNet5Config};
pub use lenet5_1998::{LeNet51998, SparseConv, Subsampling};
pub use linear_classifier::LinearClassifier;
pub use localizer::Localizer;
pub use mlp::Mlp;
pub use mobilenet_v2::MobileNetV2;
pub use resnet::{ResNet, ResNetConfig, ResNetStem};
pub use resnet9::ResNet9;
pub use stages::{stage_of, stages};
pub use vision_transformer::VisionTransformer;
