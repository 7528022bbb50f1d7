//! What every layer must do, in a loop over all of them.

use gyrus_nn::layers::*;
use gyrus_nn::{Context, Kind, Layer, Module, Path};
use gyrus_tensor::{DType, Rng, Shape, Tensor, grad};

type Build = fn(&mut Rng) -> Box<dyn Layer>;

/// A layer, an input that fits, the shape that results, and one input that does not fit.
struct Case {
    name: &'static str,
    layer: Build,
    input: &'static [usize],
    output: &'static [usize],
    misfit: Option<(&'static [usize], &'static str)>,
}

fn case(
    name: &'static str,
    input: &'static [usize],
    output: &'static [usize],
    misfit: Option<(&'static [usize], &'static str)>,
    layer: Build,
) -> Case {
    Case { name, layer, input, output, misfit }
}

fn all() -> Vec<Case> {
    let mut all = vec![
        case("linear", &[3, 5], &[3, 4], Some((&[3, 4], "in_features (5)")), |rng| Box::new(Linear::new(5, 4, rng))),
        case("conv1d", &[2, 3, 7], &[2, 4, 5], Some((&[2, 4, 7], "in_channels (3)")), |rng| {
            Box::new(Conv1d::new(3, 4, 3, rng))
        }),
        case("conv2d", &[2, 2, 5, 6], &[2, 4, 3, 6], Some((&[2, 2, 5], "4 axes")), |rng| {
            Box::new(Conv2d::builder(2, 4, [3, 3]).stride([2, 1]).padding(1).groups(2).build(rng))
        }),
        case("conv2d same", &[1, 1, 4, 5], &[1, 2, 4, 5], None, |rng| {
            Box::new(Conv2d::builder(1, 2, [3, 2]).padding(Padding::Same).dilation([2, 1]).build(rng))
        }),
        case("conv3d", &[1, 2, 3, 4, 3], &[1, 2, 2, 3, 2], None, |rng| Box::new(Conv3d::new(2, 2, 2, rng))),
        case("max_pool1d", &[2, 3, 5], &[2, 3, 2], Some((&[2, 3], "3 axes")), |_| Box::new(MaxPool1d::new(2))),
        case("max_pool2d", &[2, 3, 4, 6], &[2, 3, 2, 3], Some((&[4, 6], "4 axes")), |_| Box::new(MaxPool2d::new(2))),
        case("max_pool3d", &[1, 1, 2, 3, 4], &[1, 1, 1, 2, 3], None, |_| Box::new(MaxPool3d::new(2).stride(1))),
        case("avg_pool1d", &[2, 3, 6], &[2, 3, 3], None, |_| Box::new(AvgPool1d::new(3).stride(2).padding(1))),
        case("avg_pool2d", &[2, 3, 4, 6], &[2, 3, 2, 3], Some((&[4, 6], "4 axes")), |_| Box::new(AvgPool2d::new(2))),
        case("avg_pool3d", &[1, 2, 2, 4, 2], &[1, 2, 1, 2, 1], None, |_| Box::new(AvgPool3d::new(2))),
        case("adaptive_avg_pool1d", &[2, 2, 5], &[2, 2, 3], None, |_| Box::new(AdaptiveAvgPool1d::new(3))),
        case("adaptive_avg_pool2d", &[2, 2, 5, 4], &[2, 2, 3, 2], Some((&[2, 2, 5], "4 axes")), |_| {
            Box::new(AdaptiveAvgPool2d::new([3, 2]))
        }),
        case("adaptive_avg_pool3d", &[1, 2, 3, 4, 2], &[1, 2, 1, 1, 1], None, |_| Box::new(AdaptiveAvgPool3d::new(1))),
        case("global_avg_pool", &[2, 3, 4, 5], &[2, 3], Some((&[2, 3], "[N, C, spatial..]")), |_| {
            Box::new(GlobalAvgPool)
        }),
        case("flatten", &[2, 3, 4], &[2, 12], Some((&[], "axis of the batch")), |_| Box::new(Flatten)),
        case("dropout", &[4, 5], &[4, 5], None, |_| Box::new(Dropout::new(0.4))),
        case("batch_norm", &[4, 3, 2], &[4, 3, 2], Some((&[4, 2], "num_features (3)")), |_| {
            Box::new(BatchNorm::new(3))
        }),
        case("group_norm", &[2, 6, 3], &[2, 6, 3], Some((&[2, 4, 3], "num_channels (6) channels")), |_| {
            Box::new(GroupNorm::new(3, 6))
        }),
        case("instance_norm", &[2, 3, 4], &[2, 3, 4], Some((&[2, 3], "[N, C, spatial..]")), |_| {
            Box::new(InstanceNorm::new(3).affine())
        }),
        case("layer_norm", &[3, 2, 4], &[3, 2, 4], Some((&[2, 3], "normalized_shape, [2, 4]")), |_| {
            Box::new(LayerNorm::new([2, 4]))
        }),
        case("lstm", &[2, 4, 3], &[2, 4, 5], Some((&[2, 4, 2], "input_size (3)")), |rng| {
            Box::new(Lstm::builder(3, 5).num_layers(2).build(rng))
        }),
        case("lstm both ways", &[2, 3, 2], &[2, 3, 6], None, |rng| {
            Box::new(Lstm::builder(2, 3).bidirectional(true).build(rng))
        }),
        case("gru", &[2, 4, 3], &[2, 4, 5], Some((&[4, 3], "[B, T, input_size]")), |rng| {
            Box::new(Gru::builder(3, 5).num_layers(2).build(rng))
        }),
        case("gru both ways", &[2, 3, 2], &[2, 3, 6], None, |rng| {
            Box::new(Gru::builder(2, 3).bidirectional(true).build(rng))
        }),
        case("rnn", &[2, 4, 3], &[2, 4, 5], Some((&[4, 3], "[B, T, input_size]")), |rng| {
            Box::new(Rnn::builder(3, 5).num_layers(2).build(rng))
        }),
        case("rnn both ways", &[2, 3, 2], &[2, 3, 6], None, |rng| {
            Box::new(Rnn::builder(2, 3).bidirectional(true).build(rng))
        }),
        case("sequential", &[3, 4], &[3, 2], None, |rng| {
            Box::new(
                Sequential::new().push(Linear::new(4, 5, rng)).push(Dropout::new(0.2)).push(Linear::new(5, 2, rng)),
            )
        }),
        case("chain", &[3, 4], &[3, 2], None, |rng| {
            Box::new((Linear::new(4, 5, rng), Activation::Tanh, None::<Flatten>, Linear::new(5, 2, rng)))
        }),
        case("residual", &[3, 4], &[3, 4], None, |rng| {
            Box::new(Residual::new((Linear::new(4, 4, rng), Activation::Tanh)))
        }),
        case("remat", &[3, 4], &[3, 2], None, |rng| {
            Box::new(Remat((Linear::new(4, 5, rng), Activation::Tanh, Linear::new(5, 2, rng))))
        }),
        case("remat dropout", &[3, 4], &[3, 4], None, |rng| {
            Box::new(Remat((Linear::new(4, 4, rng), Dropout::new(0.2))))
        }),
        case("multihead_attention", &[2, 3, 4], &[2, 3, 4], Some((&[2, 3, 5], "embed_dim (4)")), |rng| {
            Box::new(MultiheadAttention::new(4, 2, rng))
        }),
        case("multihead_attention causal", &[2, 3, 4], &[2, 3, 4], None, |rng| {
            Box::new(MultiheadAttention::new(4, 2, rng).causal(true))
        }),
        case("transformer_encoder_layer", &[2, 3, 4], &[2, 3, 4], None, |rng| {
            Box::new(TransformerEncoderLayer::new(4, 2, 5, rng))
        }),
        case("transformer_encoder_layer norm_first", &[2, 3, 4], &[2, 3, 4], None, |rng| {
            Box::new(TransformerEncoderLayer::new(4, 2, 5, rng).dropout(0.0).norm_first(true).causal(true))
        }),
        case("upsample", &[2, 3, 2, 4], &[2, 3, 6, 8], Some((&[2, 3, 4], "4 axes")), |_| {
            Box::new(Upsample::nearest([3, 2]))
        }),
        case("upsample bilinear", &[2, 3, 3, 2], &[2, 3, 6, 6], None, |_| Box::new(Upsample::bilinear([2, 3]))),
    ];
    let activations: [(&'static str, Build); 12] = [
        ("identity", |_| Box::new(Activation::Identity)),
        ("relu", |_| Box::new(Activation::Relu)),
        ("relu6", |_| Box::new(Activation::Relu6)),
        ("leaky_relu", |_| Box::new(Activation::LeakyRelu { negative_slope: 0.1 })),
        ("elu", |_| Box::new(Activation::Elu { alpha: 0.8 })),
        ("gelu", |_| Box::new(Activation::Gelu)),
        ("gelu_tanh", |_| Box::new(Activation::GeluTanh)),
        ("silu", |_| Box::new(Activation::Silu)),
        ("sigmoid", |_| Box::new(Activation::Sigmoid)),
        ("tanh", |_| Box::new(Activation::Tanh)),
        ("scaled_tanh", |_| Box::new(Activation::ScaledTanh)),
        ("softplus", |_| Box::new(Activation::Softplus)),
    ];
    all.extend(activations.map(|(name, layer)| case(name, &[3, 4], &[3, 4], None, layer)));
    all
}

/// A layer with all real tensors in `f64`, its parameters away from their initial values.
fn in_f64(case: &Case) -> Box<dyn Layer> {
    let mut rng = Rng::new(3);
    let mut layer = (case.layer)(&mut rng);
    layer.walk_mut(&mut Path::default(), &mut |_, kind, tensor| {
        if tensor.dtype().is_float() {
            let noise = rng.uniform(tensor.shape(), DType::F64, 0.1, 0.5);
            *tensor = tensor.to_dtype(DType::F64) + if kind == Kind::Parameter { noise } else { noise.zeros_like() };
        }
    });
    layer
}

fn input(case: &Case, dtype: DType) -> Tensor {
    Rng::new(5).uniform(case.input, dtype, -1.5, 1.5)
}

/// The same numbers for each call, in training.
fn forward(layer: &dyn Layer, x: &Tensor, training: bool) -> Tensor {
    let mut rng = Rng::new(11);
    let mut context = if training { Context::train(&mut rng) } else { Context::evaluate() };
    layer.forward(x, &mut context)
}

#[test]
fn shapes_and_types() {
    for case in all() {
        let layer = (case.layer)(&mut Rng::new(0));
        for training in [false, true] {
            let y = forward(&*layer, &input(&case, DType::F32), training);
            assert_eq!((y.shape(), y.dtype()), (&Shape::from(case.output), DType::F32), "{}", case.name);
            assert!(y.is_finite().all(..).item() == 1.0, "{}", case.name);
        }
    }
}

#[test]
fn gradients_are_central_differences() {
    for case in all() {
        for training in [false, true] {
            check_gradients(&case, training);
        }
    }
}

fn check_gradients(case: &Case, training: bool) {
    let mut layer = in_f64(case);
    let x = input(case, DType::F64);
    let projection = Rng::new(17).uniform(case.output, DType::F64, 0.5, 1.5);
    let loss = |layer: &dyn Layer, x: &Tensor| (forward(layer, x, training) * &projection).sum(..);
    let parameters = layer.parameters();
    let targets: Vec<&Tensor> = [&x].into_iter().chain(&parameters).collect();
    let gradients: Vec<Vec<f64>> = grad(&loss(&*layer, &x), &targets).iter().map(Tensor::to_vec).collect();

    let step = 1e-5;
    for (target, gradient) in gradients.iter().enumerate() {
        assert!(gradient.iter().any(|g| g.abs() > 1e-3), "{}: gradient {target} is negligible", case.name);
        let original = targets[target].to_vec::<f64>();
        for (element, g) in gradient.iter().enumerate() {
            let mut at = |offset: f64| {
                let mut moved = original.clone();
                moved[element] += offset;
                let moved = Tensor::from_slice(targets[target].shape(), &moved);
                if target == 0 {
                    return loss(&*layer, &moved).item();
                }
                set_parameter(&mut *layer, target - 1, moved);
                let value = loss(&*layer, &x).item();
                set_parameter(&mut *layer, target - 1, targets[target].clone());
                value
            };
            let difference = (at(step) - at(-step)) / (2.0 * step);
            assert!(
                (difference - g).abs() <= 1e-7 * (1.0 + g.abs()),
                "{}, training {training}: gradient {target}, element {element}: {g}, but differences give {difference}",
                case.name
            );
        }
    }
}

fn set_parameter(layer: &mut dyn Layer, index: usize, value: Tensor) {
    let mut parameter = 0;
    layer.walk_mut(&mut Path::default(), &mut |_, kind, tensor| {
        if kind == Kind::Parameter {
            if parameter == index {
                *tensor = value.clone();
            }
            parameter += 1;
        }
    });
}

#[test]
fn results_repeat() {
    for case in all() {
        let run = || {
            let layer = (case.layer)(&mut Rng::new(0));
            forward(&*layer, &input(&case, DType::F32), true).to_vec::<f32>()
        };
        assert_eq!(run(), run(), "{}", case.name);
    }
}

/// Only dropout, batch normalisation and what is made of them may know about training.
#[test]
fn training_matters_where_it_should() {
    for case in all() {
        let layer = in_f64(&case);
        let x = input(&case, DType::F64);
        let before: Vec<Vec<f64>> = state(&*layer);
        let [used, trained] = [false, true].map(|training| forward(&*layer, &x, training).to_vec::<f64>());
        let differs = ["dropout", "batch_norm", "sequential", "remat dropout", "transformer_encoder_layer"];
        let differs = differs.contains(&case.name);
        assert_eq!(used != trained, differs, "{}", case.name);
        assert_eq!(state(&*layer) != before, case.name == "batch_norm", "{}: the state changes", case.name);
    }
}

fn state(layer: &dyn Layer) -> Vec<Vec<f64>> {
    layer.named_tensors().iter().map(|(_, _, tensor)| tensor.to_dtype(DType::F64).to_vec()).collect()
}

#[test]
fn a_batch_is_what_its_samples_are() {
    for case in all() {
        if case.input[0] < 2 {
            continue;
        }
        let (layer, x) = (in_f64(&case), input(&case, DType::F64));
        let whole = forward(&*layer, &x, false).to_vec::<f64>();
        let one = |sample: usize| {
            let sample = Tensor::from(x.value().slice_axis(0, sample, sample + 1));
            forward(&*layer, &sample, false).to_vec::<f64>()
        };
        let parts: Vec<f64> = (0..case.input[0]).flat_map(one).collect();
        let close = whole.iter().zip(&parts).all(|(a, b)| (a - b).abs() < 1e-12);
        assert!(close && whole.len() == parts.len(), "{}", case.name);
    }
}

#[test]
fn misfits_are_named() {
    for case in all() {
        let Some((shape, rule)) = case.misfit else { continue };
        let layer = (case.layer)(&mut Rng::new(0));
        let x = Tensor::zeros(shape, DType::F32);
        let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| forward(&*layer, &x, false)))
            .expect_err(case.name);
        let message = panic.downcast_ref::<String>().expect("a message");
        let start = format!("{}: input f32{shape:?}", case.name);
        assert!(message.starts_with(&start) && message.contains(rule), "{}: {message}", case.name);
    }
}

#[test]
fn dropout_keeps_the_expectation() {
    let x = Tensor::ones([100, 100], DType::F32);
    let layer = Dropout::new(0.25);
    let mut rng = Rng::new(0);
    let first = layer.forward(&x, &mut Context::train(&mut rng));
    let second = layer.forward(&x, &mut Context::train(&mut rng)).to_vec::<f32>();
    let first = first.to_vec::<f32>();
    let dropped = first.iter().filter(|&&y| y == 0.0).count();
    // Binomial, 10000 times 0.25: a standard deviation of 43.
    assert!((2300..2700).contains(&dropped), "{dropped}");
    assert!(first.iter().all(|&y| y == 0.0 || (y - 4.0 / 3.0).abs() < 1e-6));
    assert_ne!(first, second, "each step draws anew");
}

#[test]
#[should_panic(expected = "batch_norm: input f32[1, 3]: training needs more than one element")]
fn batch_norm_of_one_element() {
    forward(&BatchNorm::new(3), &Tensor::zeros([1, 3], DType::F32), true);
}

#[test]
#[should_panic(expected = "padding: same, with stride [2, 2]")]
fn same_padding_with_a_stride() {
    Conv2d::builder(1, 1, 3).padding(Padding::Same).stride(2).build(&mut Rng::new(0));
}

#[test]
#[should_panic(expected = "conv: groups (2) must divide in_channels (3) and out_channels (4)")]
fn groups_that_do_not_divide() {
    Conv2d::builder(3, 4, 3).groups(2).build(&mut Rng::new(0));
}
