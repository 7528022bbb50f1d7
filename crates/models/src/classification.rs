//! Models that classify images, by name.

use gyrus_nn::Layer;
use gyrus_tensor::Rng;

use crate::{LeNet5, LeNet5Config, LeNet51998, LinearClassifier, Mlp, ModelError};

/// Makes a model for `in_channels`, `num_classes` and the height and width of images in pixels.
type Build = fn(usize, usize, [usize; 2], &mut Rng) -> Result<Box<dyn Layer + Send>, ModelError>;

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
];

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
) -> Result<Box<dyn Layer + Send>, ModelError> {
    match CLASSIFICATION.iter().find(|model| model.name == name) {
        Some(model) => (model.build)(in_channels, num_classes, image_size, rng),
        None => Err(unknown(name)),
    }
}

fn unknown(name: &str) -> ModelError {
    let names: Vec<&str> = CLASSIFICATION.iter().map(|model| model.name).collect();
    let distance = |candidate: &&str| strsim::osa_distance(&name.to_lowercase(), candidate);
    let suggestion = names.iter().copied().min_by_key(distance).filter(|near| distance(near) <= name.len() / 3);
    ModelError::Unknown { name: name.to_owned(), suggestion, names }
}
