//! Models that classify images, by name.

use gyrus_tensor::Rng;

use crate::{
    EfficientNetLite0, ImageModel, LeNet5, LeNet5Config, LeNet51998, LinearClassifier, Mlp, MobileNetV2, ModelError,
    ResNet, ResNet9, ResNetConfig, ResNetStem, VisionTransformer,
};

/// Makes a model for `in_channels`, `num_classes` and the height and width of images in pixels.
type Build = fn(usize, usize, [usize; 2], &mut Rng) -> Result<Box<dyn ImageModel + Send>, ModelError>;

/// A model that classifies images.
pub struct ClassificationModel {
    /// The name by which it is asked for.
    pub name: &'static str,
    /// What it is, in one line.
    pub summary: &'static str,
    build: Build,
}

/// Every model that classifies images.
pub const CLASSIFICATION: &[ClassificationModel] = &[
    ClassificationModel {
        name: "efficientnet-lite0",
        summary: "EfficientNet-Lite0; up to 64x64 pixels with a first convolution of stride 1",
        build: |in_channels, num_classes, image_size, rng| {
            let stride = if is_small(image_size) { 1 } else { 2 };
            Ok(Box::new(EfficientNetLite0::new(num_classes, in_channels, image_size, stride, rng)))
        },
    },
    ClassificationModel {
        name: "lenet5",
        summary: "LeNet-5 with rectified linear units and max pooling",
        build: |in_channels, num_classes, image_size, rng| {
            let config = LeNet5Config { image_size, ..LeNet5Config::new(num_classes, in_channels) };
            Ok(Box::new(LeNet5::with_config(&config, rng)?))
        },
    },
    ClassificationModel {
        name: "lenet5-1998",
        summary: "LeNet-5 as published in 1998, but for linear output units",
        build: |in_channels, num_classes, image_size, rng| {
            Ok(Box::new(LeNet51998::new(num_classes, in_channels, image_size, rng)?))
        },
    },
    ClassificationModel {
        name: "linear",
        summary: "logits linear in the pixels: multinomial logistic regression",
        build: |in_channels, num_classes, [height, width], rng| {
            Ok(Box::new(LinearClassifier::new(in_channels * height * width, num_classes, rng)))
        },
    },
    ClassificationModel {
        name: "mlp",
        summary: "two hidden layers of 512 rectified linear units",
        build: |in_channels, num_classes, [height, width], rng| {
            Ok(Box::new(Mlp::new(in_channels * height * width, &[512, 512], num_classes, rng)))
        },
    },
    ClassificationModel {
        name: "mobilenet-v2",
        summary: "MobileNetV2; up to 64x64 pixels with a first convolution of stride 1",
        build: |in_channels, num_classes, image_size, rng| {
            let stride = if is_small(image_size) { 1 } else { 2 };
            Ok(Box::new(MobileNetV2::new(num_classes, in_channels, stride, rng)))
        },
    },
    ClassificationModel {
        name: "resnet9",
        summary: "a residual network of nine layers that learns small images fast",
        build: |in_channels, num_classes, image_size, rng| {
            resnet9("resnet9", 64, in_channels, num_classes, image_size, rng)
        },
    },
    ClassificationModel {
        name: "resnet9-w32",
        summary: "resnet9 of half the width: a quarter of the work",
        build: |in_channels, num_classes, image_size, rng| {
            resnet9("resnet9-w32", 32, in_channels, num_classes, image_size, rng)
        },
    },
    ClassificationModel {
        name: "resnet18",
        summary: "ResNet-18; up to 64x64 pixels with the stem for small images",
        build: |in_channels, num_classes, image_size, rng| {
            let config = ResNetConfig::resnet18(num_classes, in_channels, stem(image_size));
            Ok(Box::new(ResNet::new(&config, rng)))
        },
    },
    ClassificationModel {
        name: "resnet34",
        summary: "ResNet-34, likewise",
        build: |in_channels, num_classes, image_size, rng| {
            let config = ResNetConfig::resnet34(num_classes, in_channels, stem(image_size));
            Ok(Box::new(ResNet::new(&config, rng)))
        },
    },
    ClassificationModel {
        name: "resnet50",
        summary: "ResNet-50, likewise",
        build: |in_channels, num_classes, image_size, rng| {
            let config = ResNetConfig::resnet50(num_classes, in_channels, stem(image_size));
            Ok(Box::new(ResNet::new(&config, rng)))
        },
    },
    ClassificationModel {
        name: "vit-tiny",
        summary: "the tiny vision transformer, of patches of 16x16; up to 64x64 pixels of 4x4",
        build: |in_channels, num_classes, image_size, rng| {
            let patch_size = if is_small(image_size) { 4 } else { 16 };
            Ok(Box::new(VisionTransformer::tiny(num_classes, in_channels, image_size, patch_size, rng)))
        },
    },
];

/// Whether networks that were designed for photographs are to begin without losing resolution.
fn is_small([height, width]: [usize; 2]) -> bool {
    height.min(width) <= 64
}

fn stem(image_size: [usize; 2]) -> ResNetStem {
    if is_small(image_size) { ResNetStem::Small } else { ResNetStem::Large }
}

fn resnet9(
    model: &'static str,
    width: usize,
    in_channels: usize,
    num_classes: usize,
    image_size: [usize; 2],
    rng: &mut Rng,
) -> Result<Box<dyn ImageModel + Send>, ModelError> {
    let minimum = ResNet9::MINIMUM;
    if image_size.iter().any(|&size| size < minimum) {
        return Err(ModelError::ImageTooSmall { model, image_size, minimum });
    }
    Ok(Box::new(ResNet9::new(width, num_classes, in_channels, rng)))
}

/// The model of this name, for images `[N, in_channels, height, width]`, `image_size` being height and width in
/// pixels. It gives logits `[N, num_classes]`.
///
/// # Errors
/// If there is no such model, or the images are too small for it.
///
/// ```
/// use gyrus_models::classification;
/// use gyrus_tensor::Rng;
///
/// let error = classification("lenet", 1, 10, [32, 32], &mut Rng::new(0)).err().unwrap();
/// assert!(error.to_string().contains("did you mean \"lenet5\"?"));
/// ```
pub fn classification(
    name: &str,
    in_channels: usize,
    num_classes: usize,
    image_size: [usize; 2],
    rng: &mut Rng,
) -> Result<Box<dyn ImageModel + Send>, ModelError> {
    match CLASSIFICATION.iter().find(|model| model.name == name) {
        Some(model) => (model.build)(in_channels, num_classes, image_size, rng),
        None => Err(ModelError::unknown(name, CLASSIFICATION.iter().map(|model| model.name).collect())),
    }
}
