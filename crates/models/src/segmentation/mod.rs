//! Models that say of each pixel what it is, by name.

mod deeplab;
mod unet;

use gyrus_nn::Layer;
use gyrus_tensor::Rng;

use crate::ModelError;
pub use deeplab::DeepLabV3Plus;
pub use unet::{UNet, UNetConfig};

/// Makes a model for `in_channels`, `out_channels` and the height and width of images in pixels.
type Build = fn(usize, usize, [usize; 2], &mut Rng) -> Result<Box<dyn Layer + Send>, ModelError>;

/// A model that gives numbers for each pixel.
pub struct SegmentationModel {
    /// The name by which it is asked for.
    pub name: &'static str,
    /// What it is, in one line.
    pub summary: &'static str,
    build: Build,
}

/// Every model that gives numbers for each pixel.
pub const SEGMENTATION: &[SegmentationModel] = &[
    SegmentationModel {
        name: "deeplab-efficientnet-lite0",
        summary: "DeepLabV3+ on EfficientNet-Lite0",
        build: |in_channels, out_channels, size, rng| {
            Ok(Box::new(DeepLabV3Plus::new("efficientnet-lite0", in_channels, out_channels, size, rng)?))
        },
    },
    SegmentationModel {
        name: "deeplab-mobilenet-v2",
        summary: "DeepLabV3+ on MobileNetV2",
        build: |in_channels, out_channels, size, rng| {
            Ok(Box::new(DeepLabV3Plus::new("mobilenet-v2", in_channels, out_channels, size, rng)?))
        },
    },
    SegmentationModel {
        name: "deeplab-resnet18",
        summary: "DeepLabV3+ on ResNet-18",
        build: |in_channels, out_channels, size, rng| {
            Ok(Box::new(DeepLabV3Plus::new("resnet18", in_channels, out_channels, size, rng)?))
        },
    },
    SegmentationModel {
        name: "unet",
        summary: "U-Net of the published width, 64 to 1024 channels",
        build: |in_channels, out_channels, _, rng| Ok(unet(64, in_channels, out_channels, rng)),
    },
    SegmentationModel {
        name: "unet-small",
        summary: "unet of half the width: a quarter of the work",
        build: |in_channels, out_channels, _, rng| Ok(unet(32, in_channels, out_channels, rng)),
    },
    SegmentationModel {
        name: "unet-tiny",
        summary: "unet of a quarter of the width: a sixteenth of the work",
        build: |in_channels, out_channels, _, rng| Ok(unet(16, in_channels, out_channels, rng)),
    },
];

fn unet(width: usize, in_channels: usize, out_channels: usize, rng: &mut Rng) -> Box<dyn Layer + Send> {
    Box::new(UNet::new(&UNetConfig { width, ..UNetConfig::new(in_channels, out_channels) }, rng))
}

/// The model of this name, from images `[N, in_channels, H, W]` to `[N, out_channels, H, W]`. It is made for images of
/// `image_size`, height and width in pixels; those of the U-Net kind take others too.
///
/// # Errors
/// If there is no such model.
///
/// ```
/// use gyrus_models::segmentation::segmentation;
/// use gyrus_nn::Context;
/// use gyrus_tensor::{DType, Rng, Tensor};
///
/// let model = segmentation("unet-tiny", 3, 5, [48, 40], &mut Rng::new(0))?;
/// let logits = model.forward(&Tensor::zeros([1, 3, 48, 40], DType::F32), &mut Context::evaluate());
/// assert_eq!(logits.shape()[..], [1, 5, 48, 40]);
/// # Ok::<(), gyrus_models::ModelError>(())
/// ```
pub fn segmentation(
    name: &str,
    in_channels: usize,
    out_channels: usize,
    image_size: [usize; 2],
    rng: &mut Rng,
) -> Result<Box<dyn Layer + Send>, ModelError> {
    match SEGMENTATION.iter().find(|model| model.name == name) {
        Some(model) => (model.build)(in_channels, out_channels, image_size, rng),
        None => Err(ModelError::unknown(name, SEGMENTATION.iter().map(|model| model.name).collect())),
    }
}
