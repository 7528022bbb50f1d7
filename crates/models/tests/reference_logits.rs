//! Names, shapes and logits of models are those of their reference implementations. The files in `golden`
//! are made by the scripts of the same names in `scripts/goldens`; weights and images are made by the same formula on both
//! sides.

use gyrus_models::segmentation::{DeepLabV3Plus, UNet, UNetConfig};
use gyrus_models::{EfficientNetLite0, MobileNetV2, ResNet, ResNetConfig, ResNetStem, VisionTransformer};
use gyrus_nn::{Context, Layer, Module};
use gyrus_tensor::{DType, Path, Rng, Tensor};
use serde_json::Value;

const NUM_CLASSES: usize = 10;

/// The reference computes in double precision.
const TOLERANCE: f64 = 2e-5;

fn fnv1a(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |state, byte| (state ^ byte as u32).wrapping_mul(0x0100_0193))
}

/// Numbers in `[-1, 1)` that look random: a hash of the name, then one of that plus the index.
fn numbers(name: &str, count: usize) -> impl Iterator<Item = f64> {
    let start = fnv1a(name);
    (0..count as u32).map(move |index| {
        let mut x = start.wrapping_add(index.wrapping_mul(0x9e37_79b9));
        x = (x ^ (x >> 16)).wrapping_mul(0x85eb_ca6b);
        x = (x ^ (x >> 13)).wrapping_mul(0xc2b2_ae35);
        x ^= x >> 16;
        x as f64 / 2f64.powi(31) - 1.0
    })
}

fn weight(name: &str, shape: &[usize]) -> Tensor {
    let is_embedding = name == "cls_token" || (name.contains("_embed") && !name.contains("proj"));
    let fan_in: usize = shape.iter().skip(1).product();
    let value = |u: f64| match shape.len() {
        _ if name.ends_with("running_mean") => 0.1 * u,
        _ if name.ends_with("running_var") => 1.0 + 0.3 * u,
        1 if name.ends_with("weight") => 1.0 + 0.2 * u,
        1 => 0.1 * u,
        _ if is_embedding => 0.5 * u,
        _ => (6.0 / fan_in as f64).sqrt() * u,
    };
    let values: Vec<f32> = numbers(name, shape.iter().product()).map(|u| value(u) as f32).collect();
    Tensor::from_slice(shape, &values)
}

fn model(name: &str, size: [usize; 2]) -> Box<dyn Layer> {
    let rng = &mut Rng::new(0);
    let mut resnet = |config: fn(usize, usize, ResNetStem) -> ResNetConfig, stem| {
        Box::new(ResNet::new(&config(NUM_CLASSES, 3, stem), rng))
    };
    match name {
        "resnet18" => resnet(ResNetConfig::resnet18, ResNetStem::Large),
        "resnet18-small" => resnet(ResNetConfig::resnet18, ResNetStem::Small),
        "resnet34" => resnet(ResNetConfig::resnet34, ResNetStem::Large),
        "resnet50" => resnet(ResNetConfig::resnet50, ResNetStem::Large),
        "mobilenet-v2" => Box::new(MobileNetV2::new(NUM_CLASSES, 3, 2, &mut Rng::new(0))),
        "efficientnet-lite0" => Box::new(EfficientNetLite0::new(NUM_CLASSES, 3, size, 2, &mut Rng::new(0))),
        "vit-tiny" => Box::new(VisionTransformer::tiny(NUM_CLASSES, 3, size, 16, &mut Rng::new(0))),
        "unet" => Box::new(UNet::new(&UNetConfig { width: 4, depth: 2, ..UNetConfig::new(3, 3) }, rng)),
        "unet-deep" => Box::new(UNet::new(&UNetConfig { width: 3, ..UNetConfig::new(3, 2) }, rng)),
        "deeplab-resnet18" => Box::new(DeepLabV3Plus::new("resnet18", 3, 2, size, rng).unwrap()),
        other => panic!("no model for {other}"),
    }
}

#[test]
fn classification_models_are_those_of_the_references() {
    check(include_str!("golden/classification_models.json"), 7);
}

#[test]
fn segmentation_models_are_those_of_the_references() {
    check(include_str!("golden/segmentation_models.json"), 3);
}

/// Names, shapes and logits.
fn check(golden: &str, num_cases: usize) {
    let golden: Value = serde_json::from_str(golden).unwrap();
    let cases = golden["cases"].as_array().unwrap();
    assert_eq!(cases.len(), num_cases);
    for case in cases {
        let name = case["model"].as_str().unwrap();
        let size = [0, 1].map(|axis| case["size"][axis].as_u64().unwrap() as usize);
        let mut model = model(name, size);

        let mut tensors: Vec<String> =
            model.named_tensors().iter().map(|(name, _, tensor)| format!("{name} {:?}", &tensor.shape()[..])).collect();
        tensors.sort();
        assert_eq!(tensors.len() as u64, case["num_tensors"].as_u64().unwrap(), "{name}: {tensors:#?}");
        assert_eq!(fnv1a(&tensors.join("\n")) as u64, case["names_fnv1a"].as_u64().unwrap(), "{name}: {tensors:#?}");

        model.walk_mut(&mut Path::default(), &mut |path, _, tensor| {
            if tensor.dtype() == DType::F32 {
                *tensor = weight(path.as_str(), tensor.shape());
            }
        });
        let pixels: Vec<f32> = numbers("images", 2 * 3 * size[0] * size[1]).map(|u| u as f32).collect();
        let images = Tensor::from_slice([2, 3, size[0], size[1]], &pixels);
        let logits: Vec<f32> = model.forward(&images, &mut Context::evaluate()).to_vec();
        let step = case["step"].as_u64().unwrap_or(1) as usize;
        let logits: Vec<f32> = logits.into_iter().step_by(step).collect();
        let expected: Vec<f64> = case["logits"].as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect();
        assert_eq!(logits.len(), expected.len(), "{name}");
        let scale = expected.iter().fold(0.0, |greatest: f64, x| greatest.max(x.abs()));
        let error = logits.iter().zip(&expected).map(|(x, y)| (*x as f64 - y).abs()).fold(0.0, f64::max) / scale;
        assert!(error < TOLERANCE, "{name}: relative error {error:e}: {logits:?}, not {expected:?}");
        println!("{name}: relative error {error:e}");
    }
}
