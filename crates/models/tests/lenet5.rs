//! LeNet-5, old and new, against what the paper says of it.

use gyrus_models::{LeNet5, LeNet5Config, LeNet51998, ModelError};
use gyrus_nn::layers::Activation;
use gyrus_nn::{Context, Layer, Module};
use gyrus_tensor::{DType, Rng, Tensor};

/// The numbers of parameters of the tensors whose names begin so.
fn count(model: &impl Module, layer: &str) -> usize {
    let parameters = model.named_parameters();
    let of_layer = parameters.iter().filter(|(name, _)| name.split('.').next() == Some(layer));
    of_layer.map(|(_, tensor)| tensor.num_elements()).sum()
}

#[test]
fn the_original_has_the_parameters_of_the_paper() {
    let model = LeNet51998::new(10, 1, [32, 32], &mut Rng::new(0)).unwrap();
    let expected = [("c1", 156), ("s2", 12), ("c3", 1516), ("s4", 32), ("c5", 48120), ("f6", 10164)];
    for (layer, number) in expected {
        assert_eq!(count(&model, layer), number, "{layer}");
    }
    // "LeNet-5 contains 340,908 connections, but only 60,000 trainable free parameters", before the output.
    assert_eq!(model.num_parameters() - count(&model, "output"), 60_000);
    assert_eq!(count(&model, "output"), 850);
}

#[test]
fn the_modern_one_has_the_same_topology() {
    let model = LeNet5::new(10, 1, &mut Rng::new(0));
    let expected = [("c1", 156), ("c3", 2416), ("c5", 48120), ("f6", 10164), ("output", 850)];
    for (layer, number) in expected {
        assert_eq!(count(&model, layer), number, "{layer}");
    }
    assert_eq!(model.num_parameters(), 61_706);
    let names: Vec<String> = model.named_tensors().into_iter().map(|(name, _, _)| name).collect();
    let layers = ["c1", "c3", "c5", "f6", "output"];
    assert_eq!(names, layers.map(|layer| [format!("{layer}.weight"), format!("{layer}.bias")]).concat());
}

#[test]
fn initial_weights_of_the_original() {
    let model = LeNet51998::new(10, 1, [32, 32], &mut Rng::new(1)).unwrap();
    let bounds = [("c1", 2.4 / 25.0), ("s2", 0.6), ("c3", 2.4 / 75.0), ("s4", 0.6), ("c5", 2.4 / 400.0)];
    for (layer, bound) in bounds.into_iter().chain([("f6", 2.4 / 120.0), ("output", 2.4 / 84.0)]) {
        for (name, tensor) in model.named_parameters() {
            if name.starts_with(layer) {
                let greatest = tensor.abs().max(..).item();
                assert!((0.3 * bound..=bound * 1.00001).contains(&greatest), "{name}: {greatest}, bound {bound}");
            }
        }
    }
}

/// A map of C3 sees just the maps of S2 that table I says: a change of the others leaves it as it is.
#[test]
fn connections_of_the_original() {
    let rows: [&str; 6] = [
        "X...XXX..XXXX.XX",
        "XX...XXX..XXXX.X",
        "XXX...XXX..X.XXX",
        ".XXX..XXXX..X.XX",
        "..XXX..XXXX.XX.X",
        "...XXX..XXXX.XXX",
    ];
    let layer = gyrus_models::SparseConv::new(&mut Rng::new(2));
    let base = Rng::new(3).uniform([1, 6, 5, 5], DType::F32, -1.0, 1.0);
    let forward = |x: &Tensor| layer.forward(x, &mut Context::evaluate()).to_vec::<f32>();
    let before = forward(&base);
    for (input, row) in rows.iter().enumerate() {
        let mut moved = base.to_vec::<f32>();
        moved[input * 25..][..25].iter_mut().for_each(|x| *x += 1.0);
        let after = forward(&Tensor::from_slice([1, 6, 5, 5], &moved));
        let changed: String = before.iter().zip(&after).map(|(a, b)| if a == b { '.' } else { 'X' }).collect();
        assert_eq!(&changed, row, "map {input} of S2");
    }
}

#[test]
fn sizes_of_images() {
    for (size, channels) in [([28, 28], 1), ([16, 16], 1), ([33, 48], 3)] {
        let config = LeNet5Config { image_size: size, ..LeNet5Config::new(7, channels) };
        let images = Tensor::zeros([2, channels, size[0], size[1]], DType::F32);
        let models: [Box<dyn Layer>; 2] = [
            Box::new(LeNet5::with_config(&config, &mut Rng::new(0)).unwrap()),
            Box::new(LeNet51998::new(7, channels, size, &mut Rng::new(0)).unwrap()),
        ];
        for model in models {
            assert_eq!(model.forward(&images, &mut Context::evaluate()).shape()[..], [2, 7], "{size:?}");
        }
    }
    let config = LeNet5Config { image_size: [32, 15], ..LeNet5Config::new(10, 1) };
    let error = LeNet5::with_config(&config, &mut Rng::new(0)).err().unwrap();
    assert_eq!(error, ModelError::ImageTooSmall { model: "lenet5", image_size: [32, 15], minimum: 16 });
    assert!(error.to_string().starts_with("lenet5: images of 32x15 pixels (height x width): must be at least 16x16"));
}

#[test]
fn options() {
    let activation = Activation::Tanh;
    let config = LeNet5Config { batch_norm: true, dropout: 0.5, activation, ..LeNet5Config::new(10, 1) };
    let model = LeNet5::with_config(&config, &mut Rng::new(0)).unwrap();
    assert_eq!(count(&model, "c1_norm") + count(&model, "c3_norm"), 2 * 6 + 2 * 16);
    let images = Rng::new(1).uniform([4, 1, 32, 32], DType::F32, 0.0, 1.0);
    let mut rng = Rng::new(2);
    let [first, second] = [(); 2].map(|()| model.forward(&images, &mut Context::train(&mut rng)).to_vec::<f32>());
    assert_ne!(first, second, "units are dropped anew");
    let batches = model.named_tensors().into_iter().find(|(name, ..)| name == "c1_norm.num_batches_tracked").unwrap();
    assert_eq!(batches.2.item(), 2.0);
}

#[test]
#[should_panic(expected = "lenet5: input f32[2, 1, 28, 28]: must be [N, 1, 32, 32], as the model was made for")]
fn images_of_another_size() {
    let model = LeNet5::new(10, 1, &mut Rng::new(0));
    model.forward(&Tensor::zeros([2, 1, 28, 28], DType::F32), &mut Context::evaluate());
}

#[test]
#[should_panic(expected = "lenet5-1998: input f32[2, 3, 32, 32]: must be [N, 1, 32, 32], as the model was made for")]
fn images_of_other_channels() {
    let model = LeNet51998::new(10, 1, [32, 32], &mut Rng::new(0)).unwrap();
    model.forward(&Tensor::zeros([2, 3, 32, 32], DType::F32), &mut Context::evaluate());
}
