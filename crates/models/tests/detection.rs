//! Detectors: their sizes, their outputs, what they refuse.

use gyrus_models::{
    DETECTORS, DetectorConfig, EfficientNetLite0, ModelError, ResNet, ResNetConfig, ResNetStem, detector,
};
use gyrus_nn::{Context, Module};
use gyrus_tensor::{DType, Rng, Tensor};

const SIZE: [usize; 2] = [64, 96];

#[test]
fn outputs_are_those_of_all_places() {
    for entry in DETECTORS {
        for (finest_stride, num_prototypes) in [(8, 0), (4, 32)] {
            let config = DetectorConfig { finest_stride, num_prototypes, ..DetectorConfig::new(5, 3, SIZE) };
            let model = detector(entry.name, &config, &mut Rng::new(0)).unwrap();
            let places = model.places(SIZE);
            let count: usize = [4, 8, 16, 32]
                .iter()
                .filter(|&&stride| stride >= finest_stride)
                .map(|stride| (SIZE[0] / stride) * (SIZE[1] / stride))
                .sum();
            assert_eq!((places.centers.len(), places.strides.len()), (count, count), "{}", entry.name);
            let images = Tensor::zeros([2, 3, SIZE[0], SIZE[1]], DType::F32);
            let outputs = model.detect(&images, &mut Context::evaluate());
            assert_eq!(outputs.boxes.shape()[..], [2, count, 4], "{}", entry.name);
            assert_eq!(outputs.logits.shape()[..], [2, count, 5], "{}", entry.name);
            let shape = |tensor: Option<Tensor>| tensor.map(|tensor| tensor.shape().to_vec());
            let has_masks = num_prototypes > 0;
            assert_eq!(shape(outputs.coefficients), has_masks.then(|| vec![2, count, 32]));
            // Twice as fine as the finest map.
            let finest = finest_stride / 2;
            let prototypes = vec![2, 32, SIZE[0] / finest, SIZE[1] / finest];
            assert_eq!(shape(outputs.prototypes), has_masks.then_some(prototypes));

            // Each box is around its place, about four of its strides wide before anything is learned.
            let boxes = outputs.boxes.to_vec::<f32>();
            for (place, (sides, ([x, y], stride))) in
                boxes.chunks_exact(4).zip(places.centers.iter().zip(&places.strides)).enumerate()
            {
                assert!(sides[0] < *x && *x < sides[2] && sides[1] < *y && *y < sides[3], "{}: {place}", entry.name);
                let width = (sides[2] - sides[0]) / stride;
                assert!((2.0..8.0).contains(&width), "{}: place {place}: {width}", entry.name);
            }
        }
    }
}

/// What the documentation says.
#[test]
fn numbers_of_parameters() {
    for (name, millions) in [
        ("detector-nano", 1.9),
        ("detector-small", 7.6),
        ("detector-medium", 17.8),
        ("detector-lite0", 4.1),
        ("detector-resnet18", 13.9),
    ] {
        let model = detector(name, &DetectorConfig::new(80, 3, SIZE), &mut Rng::new(0)).unwrap();
        let found = model.num_parameters() as f64 / 1e6;
        assert!((found - millions).abs() < 0.06, "{name}: {found} million");
    }
}

/// Weights of models that classify fit under `backbone.`, but for their last layer.
#[test]
fn backbones_have_the_names_of_the_models() {
    let rng = &mut Rng::new(0);
    let resnet = ResNet::new(&ResNetConfig::resnet18(1000, 3, ResNetStem::Large), rng);
    let models: [(&str, &dyn Module, &str); 2] = [
        ("detector-resnet18", &resnet, "fc."),
        ("detector-lite0", &EfficientNetLite0::new(1000, 3, [224, 224], 2, rng), "_fc."),
    ];
    for (name, model, last) in models {
        let detector = detector(name, &DetectorConfig::new(5, 3, SIZE), &mut Rng::new(0)).unwrap();
        let known: Vec<(String, Vec<usize>)> =
            detector.named_tensors().into_iter().map(|(path, _, tensor)| (path, tensor.shape().to_vec())).collect();
        for (path, _, tensor) in model.named_tensors().iter().filter(|(path, _, _)| !path.starts_with(last)) {
            let expected = (format!("backbone.{path}"), tensor.shape().to_vec());
            assert!(known.contains(&expected), "{name}: {expected:?}");
        }
    }
}

#[test]
fn what_cannot_be_made_is_named() {
    let make = |name: &str, config: DetectorConfig| detector(name, &config, &mut Rng::new(0)).err().unwrap();
    let config = DetectorConfig::new(5, 3, SIZE);
    let unknown = make("detector-tiny", config);
    assert!(unknown.to_string().contains("did you mean \"detector-nano\"?"), "{unknown}");
    let size = make("detector-nano", DetectorConfig { image_size: [60, 96], ..config });
    assert_eq!(size, ModelError::ImageSize { model: "detector-nano", image_size: [60, 96], multiple: 32 });
    assert!(size.to_string().contains("64x96 would do"), "{size}");
    let stride = make("detector-nano", DetectorConfig { finest_stride: 16, ..config });
    assert_eq!(stride, ModelError::Stride { model: "detector-nano", stride: 16 });
}
