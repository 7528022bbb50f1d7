use gyrus_nn::layers::*;
use gyrus_nn::{Context, Kind, Layer, Module, Path};
use gyrus_tensor::{DType, Rng, Shape, Tensor, grad};
use serde_json::Value as Json;

use crate::arrays::{assert_close, cases, tensor};

/// [`interpolate`] as a layer.
#[derive(Module)]
struct Resized {
    size: [usize; 2],
    interpolation: Interpolation,
}

impl Layer for Resized {
    fn forward(&self, input: &Tensor, _: &mut Context) -> Tensor {
        interpolate(input, self.size, self.interpolation)
    }
}

fn build(layer: &str, options: &Json) -> Box<dyn Layer> {
    let rng = &mut Rng::new(0);
    let number = |name: &str| options[name].as_u64().map(|number| number as usize);
    let real = |name: &str| options[name].as_f64();
    let bias = options["bias"].as_bool().unwrap_or(true);
    let flag = |name: &str| options[name].as_bool().expect("true or false");
    let activation = |activation: Activation| -> Box<dyn Layer> { Box::new(activation) };
    match layer {
        "linear" => {
            let (in_features, out_features) = (number("in_features").unwrap(), number("out_features").unwrap());
            Box::new(Linear::builder(in_features, out_features).bias(bias).build(rng))
        }
        "conv1d" => Box::new(conv::<1>(options).build(rng)),
        "conv2d" => Box::new(conv::<2>(options).build(rng)),
        "conv3d" => Box::new(conv::<3>(options).build(rng)),
        "max_pool2d" => {
            let mut pool = MaxPool2d::new(sizes(&options["kernel_size"]).unwrap());
            if let Some(stride) = sizes(&options["stride"]) {
                pool = pool.stride(stride);
            }
            if let Some(dilation) = sizes(&options["dilation"]) {
                pool = pool.dilation(dilation);
            }
            Box::new(pool.padding(sizes(&options["padding"]).unwrap_or([0, 0])))
        }
        "avg_pool2d" => {
            let mut pool = AvgPool2d::new(sizes(&options["kernel_size"]).unwrap());
            if let Some(stride) = sizes(&options["stride"]) {
                pool = pool.stride(stride);
            }
            Box::new(pool.padding(sizes(&options["padding"]).unwrap_or([0, 0])))
        }
        "adaptive_avg_pool2d" => Box::new(AdaptiveAvgPool2d::new(sizes(&options["output_size"]).unwrap())),
        "global_avg_pool" => Box::new(GlobalAvgPool),
        "flatten" => Box::new(Flatten),
        "dropout" => Box::new(Dropout::new(0.5)),
        "batch_norm" => {
            let norm = BatchNorm::new(number("num_features").unwrap());
            Box::new(norm.momentum(real("momentum").unwrap_or(0.1)).eps(real("eps").unwrap_or(1e-5)))
        }
        "layer_norm" => {
            let shape = options["normalized_shape"].as_array().unwrap();
            let shape: Shape = shape.iter().map(|size| size.as_u64().unwrap() as usize).collect();
            Box::new(LayerNorm::new(shape).eps(real("eps").unwrap_or(1e-5)))
        }
        "group_norm" => {
            let norm = GroupNorm::new(number("num_groups").unwrap(), number("num_channels").unwrap());
            Box::new(norm.eps(real("eps").unwrap_or(1e-5)))
        }
        "instance_norm" => {
            let norm = InstanceNorm::new(number("num_features").unwrap());
            Box::new(if flag("affine") { norm.affine() } else { norm })
        }
        "lstm" | "gru" => {
            let [input_size, hidden_size] = ["input_size", "hidden_size"].map(|name| number(name).unwrap());
            let num_layers = number("num_layers").unwrap();
            let bidirectional = options["bidirectional"].as_bool().unwrap();
            if layer == "lstm" {
                let lstm = Lstm::builder(input_size, hidden_size).num_layers(num_layers);
                Box::new(lstm.bidirectional(bidirectional).build(rng))
            } else {
                let gru = Gru::builder(input_size, hidden_size).num_layers(num_layers);
                Box::new(gru.bidirectional(bidirectional).build(rng))
            }
        }
        "sequential" => {
            let first = Linear::new(3, 4, rng);
            Box::new(Sequential::new().push(first).push(Activation::Tanh).push(Linear::new(4, 2, rng)))
        }
        "residual" => Box::new(Residual::new(Sequential::new().push(Linear::new(3, 3, rng)).push(Activation::Tanh))),
        "residual_shortcut" => {
            let shortcut = Linear::builder(3, 2).bias(false).build(rng);
            Box::new(Residual::new(Linear::new(3, 2, rng)).shortcut(shortcut))
        }
        "multihead_attention" => {
            let layer = MultiheadAttention::new(number("embed_dim").unwrap(), number("num_heads").unwrap(), rng);
            Box::new(layer.causal(flag("causal")))
        }
        "transformer_encoder_layer" => {
            let sizes = ["d_model", "nhead", "dim_feedforward"].map(|name| number(name).unwrap());
            let layer = TransformerEncoderLayer::new(sizes[0], sizes[1], sizes[2], rng).dropout(0.0);
            Box::new(layer.norm_first(flag("norm_first")).causal(flag("causal")))
        }
        "upsample" => {
            let interpolation = match options["mode"].as_str().unwrap() {
                "nearest" => Interpolation::Nearest,
                _ => Interpolation::Bilinear,
            };
            Box::new(Resized { size: sizes(&options["size"]).unwrap(), interpolation })
        }
        "upsample_by" => {
            let factor: [usize; 2] = sizes(&options["scale_factor"]).unwrap();
            Box::new(match options["mode"].as_str().unwrap() {
                "nearest" => Upsample::nearest(factor),
                _ => Upsample::bilinear(factor),
            })
        }
        "identity" => activation(Activation::Identity),
        "relu" => activation(Activation::Relu),
        "leaky_relu" => activation(Activation::LeakyRelu { negative_slope: 0.2 }),
        "elu" => activation(Activation::Elu { alpha: 0.7 }),
        "gelu" => activation(Activation::Gelu),
        "gelu_tanh" => activation(Activation::GeluTanh),
        "silu" => activation(Activation::Silu),
        "sigmoid" => activation(Activation::Sigmoid),
        "tanh" => activation(Activation::Tanh),
        "scaled_tanh" => activation(Activation::ScaledTanh),
        "softplus" => activation(Activation::Softplus),
        other => panic!("{other}: no such layer"),
    }
}

fn sizes<const N: usize>(json: &Json) -> Option<[usize; N]> {
    let list: Vec<usize> = json.as_array()?.iter().map(|size| size.as_u64().unwrap() as usize).collect();
    Some(list.try_into().expect("one for each axis"))
}

fn conv<const N: usize>(options: &Json) -> ConvBuilder<N> {
    let number = |name: &str| options[name].as_u64().map(|number| number as usize);
    let (in_channels, out_channels) = (number("in_channels").unwrap(), number("out_channels").unwrap());
    let padding = match options["padding"].as_str() {
        Some(_) => Padding::Same,
        None => Padding::from(sizes(&options["padding"]).unwrap_or([0; N])),
    };
    Conv::<N>::builder(in_channels, out_channels, sizes(&options["kernel_size"]).unwrap())
        .stride(sizes(&options["stride"]).unwrap_or([1; N]))
        .padding(padding)
        .dilation(sizes(&options["dilation"]).unwrap_or([1; N]))
        .groups(number("groups").unwrap_or(1))
        .bias(options["bias"].as_bool().unwrap_or(true))
}

/// Sets every tensor of the layer; the names must be the golden ones.
fn load(layer: &mut dyn Layer, state: &Json, dtype: DType) {
    let mut names = vec![];
    layer.walk_mut(&mut Path::default(), &mut |path, _, own| {
        let golden = tensor(&state[path.as_str()], dtype);
        assert_eq!(own.shape(), golden.shape(), "{path}");
        *own = golden;
        names.push(path.to_string());
    });
    assert_same_names(names, state);
}

fn assert_same_names(mut names: Vec<String>, golden: &Json) {
    let mut golden: Vec<String> = golden.as_object().unwrap().keys().cloned().collect();
    names.sort();
    golden.sort();
    assert_eq!(names, golden, "names as in PyTorch");
}

fn check(case: &Json, dtype: DType, tolerance: f64) {
    let name = case["layer"].as_str().unwrap();
    let mut layer = build(name, &case["options"]);
    load(&mut *layer, &case["state"], dtype);
    let what = |part: &str| format!("{name} {} {dtype}: {part}", case["options"]);
    let input = tensor(&case["input"], dtype);
    let mut rng = Rng::new(0);
    let mut context = if case["training"].as_bool().unwrap() { Context::train(&mut rng) } else { Context::evaluate() };
    let parameters = layer.named_parameters();
    let output = layer.forward(&input, &mut context);
    assert_close(&what("output"), &output, &case["output"], tolerance);

    let projection = (output * tensor(&case["cotangent"], dtype)).sum(..);
    let targets: Vec<&Tensor> = [&input].into_iter().chain(parameters.iter().map(|(_, x)| x)).collect();
    let gradients = grad(&projection, &targets);
    assert_close(&what("gradient of the input"), &gradients[0], &case["input_gradient"], tolerance);
    assert_same_names(parameters.iter().map(|(path, _)| path.clone()).collect(), &case["gradients"]);
    for ((path, _), gradient) in parameters.iter().zip(&gradients[1..]) {
        assert_close(&what(path), gradient, &case["gradients"][path], tolerance);
    }
    for (path, kind, after) in layer.named_tensors() {
        assert_close(&what(&path), &after, &case["state_after"][&path], tolerance);
        assert_eq!(kind == Kind::Parameter, parameters.iter().any(|(name, _)| *name == path), "{}", what(&path));
    }
}

#[test]
fn layers_in_f64() {
    cases(include_str!("../golden/layers.json")).iter().for_each(|case| check(case, DType::F64, 1e-12));
}

#[test]
fn layers_in_f32() {
    cases(include_str!("../golden/layers.json")).iter().for_each(|case| check(case, DType::F32, 1e-5));
}
