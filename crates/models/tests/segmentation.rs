//! What every model of segmentation must do, in a loop over all of them.

use gyrus_models::ModelError;
use gyrus_models::segmentation::{SEGMENTATION, UNet, UNetConfig, segmentation};
use gyrus_nn::init::Init;
use gyrus_nn::{Context, Layer};
use gyrus_tensor::{DType, Rng, Tensor};

#[test]
fn each_model_gives_numbers_for_each_pixel_and_learns_with_all_its_decoder() {
    for model in SEGMENTATION {
        let size = [66, 72];
        let net = segmentation(model.name, 2, 3, size, &mut Rng::new(0)).unwrap();
        let images = Rng::new(1).uniform([2, 2, size[0], size[1]], DType::F32, -1.0, 1.0);
        let mut rng = Rng::new(2);
        let logits = net.forward(&images, &mut Context::train(&mut rng));
        assert_eq!(logits.shape()[..], [2, 3, size[0], size[1]], "{}", model.name);
        let weights = Rng::new(3).uniform(logits.shape(), DType::F32, -1.0, 1.0);
        let gradients = (logits * weights).mean(..).grad(&net);
        let is_unused = |name: &str| {
            let head = name.rsplit_once('.').map_or(name, |(layer, _)| layer);
            ["backbone.fc", "backbone._fc", "backbone.classifier.1"].contains(&head)
        };
        let greatest: Vec<Tensor> = gradients.iter().map(|gradient| gradient.abs().max(..)).collect();
        let greatest = Tensor::stack(&greatest, 0).to_vec::<f32>();
        for ((name, _), greatest) in net.named_parameters().iter().zip(greatest) {
            assert!(greatest.is_finite(), "{}: {name}", model.name);
            // What is left of the backbone's classifier has nothing to do; blocks that start as the identity learn late.
            assert!(greatest > 0.0 || name.starts_with("backbone"), "{}: {name} does not learn", model.name);
            assert!(greatest == 0.0 || !is_unused(name), "{}: {name}", model.name);
        }
    }
}

#[test]
fn padding_changes_nothing_where_sizes_divide() {
    let net = UNet::new(&UNetConfig { width: 4, depth: 2, ..UNetConfig::new(1, 2) }, &mut Rng::new(0));
    let image = Init::Uniform { low: 0.0, high: 1.0 }.draw([1, 1, 9, 13], &mut Rng::new(1));
    let forward = |x: &Tensor| net.forward(x, &mut Context::evaluate());
    let padded = forward(&image.pad(&[(0, 3), (0, 3)], 0.0)).pad(&[(0, -3), (0, -3)], 0.0);
    assert_eq!(forward(&image).to_vec::<f32>(), padded.to_vec::<f32>());
}

#[test]
fn other_names_are_refused() {
    let error = segmentation("unet-tyni", 3, 2, [32, 32], &mut Rng::new(0)).err().unwrap();
    assert!(matches!(&error, ModelError::Unknown { suggestion: Some("unet-tiny"), .. }), "{error}");
}
