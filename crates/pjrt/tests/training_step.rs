//! A step of training as one program: LeNet-5 with Adam, its parameters and moments donated.

mod programs;

use gyrus_graph::conformance::Sample;
use gyrus_graph::ops::contraction::{ConvolutionWindow, DotGeneral};
use gyrus_graph::ops::reduction::Reduction;
use gyrus_graph::ops::window::Window;
use gyrus_graph::{DType, Graph, Value, gradients};

use programs::{Random, client, difference, run};

const BATCH: usize = 4;
const NUM_STEPS: usize = 3;

/// The shapes of LeNet-5's parameters on images of 32 by 32.
fn shapes() -> Vec<Vec<usize>> {
    let weights = [vec![6, 1, 5, 5], vec![16, 6, 5, 5], vec![120, 400], vec![84, 120], vec![10, 84]];
    weights.into_iter().flat_map(|weight| [weight.clone(), vec![weight[0]]]).collect()
}

/// LeCun et al., Gradient-Based Learning Applied to Document Recognition (1998), with maxima for pooling.
fn logits(x: &Value, parameters: &[Value]) -> Value {
    let mut x = x.clone();
    for (layer, pair) in parameters.chunks(2).enumerate() {
        let (weight, bias) = (&pair[0], &pair[1]);
        if weight.rank() == 4 {
            let y = x.conv(weight, ConvolutionWindow::new(2));
            let y = y.add(&bias.broadcast(y.shape(), &[1])).tanh();
            x = y.reduce_window(Reduction::Max, Window::tiles(&[2, 2]));
            continue;
        }
        let flat = x.reshape([BATCH, weight.shape()[1]]);
        let op = DotGeneral { lhs_contract: vec![1], rhs_contract: vec![1], ..Default::default() };
        let y = flat.dot_general(weight, op);
        let y = y.add(&bias.broadcast(y.shape(), &[1]));
        x = if layer == 4 { y } else { y.tanh() };
    }
    x
}

/// Adam (Kingma and Ba, 2015, without the correction of the bias): from parameters, first and second moments, images
/// and labels to what they become, and the loss.
fn step(inputs: &[Value]) -> Vec<Value> {
    let count = shapes().len();
    let (state, data) = inputs.split_at(3 * count);
    let (parameters, moments) = state.split_at(count);
    let (first, second) = moments.split_at(count);
    let losses = logits(&data[0], parameters).cross_entropy(&data[1], 0.1, None);
    let loss =
        losses.reduce(Reduction::Sum, &[0]).mul(&Value::constant(gyrus_graph::Scalar::from_f64(DType::F32, 0.25), []));
    let found = gradients(std::slice::from_ref(&loss), &[loss.full_like(1.0)], parameters);
    let scaled = |x: &Value, factor: f64| x.mul(&x.full_like(factor));
    let mut next = [vec![], vec![], vec![]];
    for (place, gradient) in found.into_iter().enumerate() {
        let gradient = gradient.expect("depends on it");
        let m = scaled(&first[place], 0.9).add(&scaled(&gradient, 0.1));
        let v = scaled(&second[place], 0.999).add(&scaled(&gradient.mul(&gradient), 0.001));
        let root = v.sqrt();
        let update = m.div(&root.add(&root.full_like(1e-3)));
        next[0].push(parameters[place].sub(&scaled(&update, 1e-3)));
        next[1].push(m);
        next[2].push(v);
    }
    next.concat().into_iter().chain([loss]).collect()
}

#[test]
fn a_program_trains_as_the_cpu_does() {
    let Some(client) = client(1) else { return };
    let mut random = Random(5);
    let mut reals = |shape: &[usize], size: f64| random.sample(&Sample::uniform(shape, -size, size), DType::F32);
    let parameters: Vec<Value> = shapes().iter().map(|shape| reals(shape, 0.1)).collect();
    let zeros = |value: &Value| Value::from_elements(value.shape(), &vec![0f32; value.shape().num_elements()]);
    let moments: Vec<Value> = parameters.iter().chain(&parameters).map(zeros).collect();
    let images = reals(&[BATCH, 1, 32, 32], 1.0);
    let labels = Value::from_elements([BATCH], &[3i64, 1, 4, 9]);
    let state = [parameters, moments].concat();

    let arguments: Vec<Value> =
        state.iter().chain([&images, &labels]).map(|value| Value::placeholder(value.spec().clone())).collect();
    let graph = Graph::capture(&arguments, &step(&arguments)).graph;
    let donated: Vec<(usize, usize)> = (0..state.len()).map(|place| (place, place)).collect();
    let data = [images, labels];
    let (mut on_device, mut on_cpu) = (state.clone(), state);
    for _ in 0..NUM_STEPS {
        let inputs = [&on_device[..], &data].concat();
        let mut found = run(&client, &graph, &[inputs], &donated).expect("runs").remove(0);
        let mut expected = step(&[&on_cpu[..], &data].concat());
        gyrus_cpu::execute::evaluate(&expected);
        for (place, (found, expected)) in found.iter().zip(&expected).enumerate() {
            assert_eq!(difference(found, expected), None, "output {place}");
        }
        // The loss is no state.
        found.truncate(donated.len());
        expected.truncate(donated.len());
        (on_device, on_cpu) = (found, expected);
    }
}
