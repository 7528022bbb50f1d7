//! Explanations are those of captum and PyTorch: `golden/explanations.json` is made by `scripts/goldens/explanations.py`.

use gyrus_draw::HeatMap;
use gyrus_metrics::rank_correlation;
use gyrus_tasks::vision::explain::{
    Look, Path, Window, gradcam, integrated_gradients, occlusion, saliency, smooth_gradient,
};
use gyrus_tensor::{ConvolutionWindow, Tensor};
use serde_json::Value;

/// The reference computes in double precision.
const TOLERANCE: f64 = 2e-5;

fn golden() -> Value {
    serde_json::from_str(include_str!("golden/explanations.json")).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value["data"].as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

fn tensor(value: &Value) -> Tensor {
    let shape: Vec<usize> =
        value["shape"].as_array().unwrap().iter().map(|length| length.as_u64().unwrap() as usize).collect();
    let data: Vec<f32> = numbers(value).into_iter().map(|number| number as f32).collect();
    Tensor::from_slice(shape, &data)
}

#[track_caller]
fn assert_close(found: &[f32], expected: &[f64]) {
    assert_eq!(found.len(), expected.len());
    let largest = expected.iter().fold(0.0_f64, |largest, value| largest.max(value.abs()));
    assert!(largest > 1e-3, "there is something to compare");
    for (place, (&found, expected)) in found.iter().zip(expected).enumerate() {
        let apart = (f64::from(found) - expected).abs();
        assert!(apart <= TOLERANCE * largest, "{place}: {found}, expected {expected}");
    }
}

/// The network of the script.
fn network(golden: &Value) -> impl Fn(&Tensor) -> (Tensor, Tensor) + use<> {
    let weight = |name: &str| tensor(&golden["weights"][name]);
    let [conv1, conv2, output] = ["conv1", "conv2", "output"].map(|name| {
        let bias = weight(&format!("{name}.bias"));
        (weight(&format!("{name}.weight")), bias)
    });
    move |images| {
        let conv = |input: &Tensor, (weight, bias): &(Tensor, Tensor), stride: usize| {
            let window =
                ConvolutionWindow { stride: vec![stride; 2], padding: vec![(1, 1); 2], ..ConvolutionWindow::new(2) };
            input.conv(weight, window) + bias.reshape([1, -1, 1, 1])
        };
        let hidden = conv(images, &conv1, 1).softplus();
        let features = conv(&hidden, &conv2, 2).relu();
        let pooled = features.square().mean([2, 3]);
        let scores = pooled.matmul(&output.0.t()) + &output.1;
        (features, scores)
    }
}

fn class(golden: &Value) -> usize {
    golden["class"].as_u64().unwrap() as usize
}

#[test]
fn gradients_are_those_of_the_reference() {
    let golden = golden();
    let (network, image, class) = (network(&golden), tensor(&golden["image"]), class(&golden));
    let look: Look = &network;
    assert_close(&look(&image).1.to_vec::<f32>(), &numbers(&golden["scores"]));
    assert_close(&saliency(look, &image, class).to_vec::<f32>(), &numbers(&golden["saliency"]));
    let smooth = smooth_gradient(look, &image, &tensor(&golden["noise"]), class);
    assert_close(&smooth.to_vec::<f32>(), &numbers(&golden["smoothgrad"]));
}

#[test]
fn integrated_gradients_are_captums_with_their_gap() {
    let golden = golden();
    let (network, image, class) = (network(&golden), tensor(&golden["image"]), class(&golden));
    let baseline = tensor(&golden["baseline"]);
    let with = |steps: usize| integrated_gradients(&network, &image, &Path { baseline: &baseline, steps }, class);
    let (attributions, gap) = with(4);
    assert_close(&attributions.to_vec::<f32>(), &numbers(&golden["integrated_gradients"]));
    let expected = golden["completeness_gap"].as_f64().unwrap();
    assert!((gap - expected).abs() < 2e-6, "{gap} {expected}");
    assert!(with(16).1.abs() < 0.2 * gap.abs(), "more steps leave a smaller gap: {} {gap}", with(16).1);
}

#[test]
fn covered_windows_are_captums() {
    let golden = golden();
    let (network, image, class) = (network(&golden), tensor(&golden["image"]), class(&golden));
    let window = Window { size: [5, 4], stride: [3, 2] };
    let map = occlusion(&network, &image, &tensor(&golden["baseline"]), &window, class);
    assert_close(map.values(), &numbers(&golden["occlusion"]));
}

#[test]
fn the_map_of_features_is_weighed_as_captum_does() {
    let golden = golden();
    let (network, image, class) = (network(&golden), tensor(&golden["image"]), class(&golden));
    let map: HeatMap = gradcam(&network, &image, class);
    assert_eq!((map.width(), map.height()), (6, 6));
    assert_close(map.values(), &numbers(&golden["gradcam"]));
}

#[test]
fn ranks_correlate_as_in_scipy() {
    let golden = golden();
    let cases = golden["rank_correlations"].as_array().unwrap();
    assert_eq!(cases.len(), 3);
    for case in cases {
        let [a, b] = ["a", "b"].map(|key| {
            case[key].as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect::<Vec<f64>>()
        });
        let (found, expected) = (rank_correlation(&a, &b), case["value"].as_f64().unwrap());
        assert!((found - expected).abs() < 1e-12, "{found} {expected}");
    }
}
