//! Detectors, by name.

use gyrus_tensor::Rng;

use super::Detector;
use crate::csp_net::{CspNet, CspNetConfig};
use crate::image_model::ImageModel;
use crate::{EfficientNetLite0, ModelError, ResNet, ResNetConfig, ResNetStem};

/// What a detector is made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DetectorConfig {
    /// The channels of an image: 1 for grey levels, 3 for colours.
    pub in_channels: usize,
    /// The number of classes.
    pub num_classes: usize,
    /// Height and width of an image in pixels: multiples of 32.
    pub image_size: [usize; 2],
    /// The stride of the finest map in pixels, 8, or 4 for objects of a few pixels.
    pub finest_stride: usize,
    /// The number of prototypes of masks, 32 as published; 0 for boxes only.
    pub num_prototypes: usize,
}

impl DetectorConfig {
    /// For boxes, on maps of stride 8, 16 and 32.
    pub fn new(num_classes: usize, in_channels: usize, image_size: [usize; 2]) -> Self {
        DetectorConfig { in_channels, num_classes, image_size, finest_stride: 8, num_prototypes: 0 }
    }
}

/// A model that finds objects.
pub struct DetectorModel {
    /// The name by which it is asked for.
    pub name: &'static str,
    /// What it is, in one line.
    pub summary: &'static str,
    /// The channels of the neck's maps.
    width: usize,
    /// The blocks at each place of the neck.
    depth: usize,
    backbone: fn(&DetectorConfig, &mut Rng) -> Box<dyn ImageModel + Send>,
}

/// The coarsest stride.
const COARSEST: usize = 32;

/// The backbone's own classifier is not used: it has one class.
const UNUSED: usize = 1;

/// Every detector. With 80 classes, for an image of 640x640 pixels:
///
/// | name | parameters, millions | multiplications and additions, thousand millions |
/// | --- | --- | --- |
/// | `detector-nano` | 1.9 | 6.4 |
/// | `detector-small` | 7.6 | 25.3 |
/// | `detector-medium` | 17.8 | 69.4 |
/// | `detector-lite0` | 4.1 | 9.7 |
/// | `detector-resnet18` | 13.9 | 43.1 |
pub const DETECTORS: &[DetectorModel] = &[
    DetectorModel {
        name: "detector-nano",
        summary: "a detector of its own backbone, the smallest and fastest",
        width: 64,
        depth: 1,
        backbone: |config, rng| Box::new(CspNet::new(&CspNetConfig::NANO, UNUSED, config.in_channels, rng)),
    },
    DetectorModel {
        name: "detector-small",
        summary: "likewise, of twice the width",
        width: 128,
        depth: 1,
        backbone: |config, rng| Box::new(CspNet::new(&CspNetConfig::SMALL, UNUSED, config.in_channels, rng)),
    },
    DetectorModel {
        name: "detector-medium",
        summary: "likewise, of three times the width and twice the depth",
        width: 192,
        depth: 2,
        backbone: |config, rng| Box::new(CspNet::new(&CspNetConfig::MEDIUM, UNUSED, config.in_channels, rng)),
    },
    DetectorModel {
        name: "detector-lite0",
        summary: "a detector on EfficientNet-Lite0, whose weights lie under `backbone.`",
        width: 64,
        depth: 1,
        backbone: |config, rng| Box::new(EfficientNetLite0::new(UNUSED, config.in_channels, config.image_size, 2, rng)),
    },
    DetectorModel {
        name: "detector-resnet18",
        summary: "a detector on ResNet-18, whose weights lie under `backbone.`",
        width: 128,
        depth: 1,
        backbone: |config, rng| {
            let config = ResNetConfig::resnet18(UNUSED, config.in_channels, ResNetStem::Large);
            Box::new(ResNet::new(&config, rng))
        },
    },
];

/// The detector of this name.
///
/// # Errors
/// If there is no such detector, the sides of images are no multiples of 32, or the finest stride is neither 8 nor 4.
///
/// ```
/// use gyrus_models::{DetectorConfig, detector};
/// use gyrus_nn::Context;
/// use gyrus_tensor::{DType, Rng, Tensor};
///
/// let model = detector("detector-nano", &DetectorConfig::new(3, 3, [64, 96]), &mut Rng::new(0)).unwrap();
/// let outputs = model.detect(&Tensor::zeros([1, 3, 64, 96], DType::F32), &mut Context::evaluate());
/// assert_eq!(outputs.logits.shape()[..], [1, 8 * 12 + 4 * 6 + 2 * 3, 3]);
/// ```
pub fn detector(name: &str, config: &DetectorConfig, rng: &mut Rng) -> Result<Detector, ModelError> {
    let Some(model) = DETECTORS.iter().find(|model| model.name == name) else {
        return Err(ModelError::unknown(name, DETECTORS.iter().map(|model| model.name).collect()));
    };
    let &DetectorConfig { in_channels, num_classes, image_size, finest_stride, num_prototypes } = config;
    if image_size.iter().any(|&size| size == 0 || !size.is_multiple_of(COARSEST)) {
        return Err(ModelError::ImageSize { model: model.name, image_size, multiple: COARSEST });
    }
    if ![4, 8].contains(&finest_stride) {
        return Err(ModelError::Stride { model: model.name, stride: finest_stride });
    }
    let strides = (finest_stride.ilog2()..=COARSEST.ilog2()).map(|power| 1 << power).collect();
    let backbone = (model.backbone)(config, rng);
    let sizes = [in_channels, num_classes, num_prototypes];
    Ok(Detector::new(backbone, sizes, [model.width, model.depth], strides, rng))
}
