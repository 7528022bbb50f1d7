use gyrus_nn::layers::{Gru, Lstm, LstmState, Rnn, RnnActivation};
use gyrus_nn::{Context, Module, Path};
use gyrus_tensor::{DType, Rng, Tensor, grad};
use serde_json::Value as Json;

use crate::arrays::{assert_close, cases, tensor};

/// A layer, and what it makes of an input, lengths and initial states: the output and the last states.
trait Recurrent: Module {
    fn run(&self, input: &Tensor, lengths: Option<&Tensor>, initial: Option<&[Tensor]>) -> Vec<Tensor>;
}

impl Recurrent for Lstm {
    fn run(&self, input: &Tensor, lengths: Option<&Tensor>, initial: Option<&[Tensor]>) -> Vec<Tensor> {
        let initial = initial.map(|states| LstmState { h: states[0].clone(), c: states[1].clone() });
        let (output, last) = self.forward_sequences(input, lengths, initial.as_ref(), &Context::evaluate());
        vec![output, last.h, last.c]
    }
}

impl Recurrent for Gru {
    fn run(&self, input: &Tensor, lengths: Option<&Tensor>, initial: Option<&[Tensor]>) -> Vec<Tensor> {
        let initial = initial.map(|states| &states[0]);
        let (output, last) = self.forward_sequences(input, lengths, initial, &Context::evaluate());
        vec![output, last]
    }
}

impl Recurrent for Rnn {
    fn run(&self, input: &Tensor, lengths: Option<&Tensor>, initial: Option<&[Tensor]>) -> Vec<Tensor> {
        let initial = initial.map(|states| &states[0]);
        let (output, last) = self.forward_sequences(input, lengths, initial, &Context::evaluate());
        vec![output, last]
    }
}

/// With the case's weights.
fn build(case: &Json, dtype: DType) -> Box<dyn Recurrent> {
    let mut layer = with_options(case);
    layer.walk_mut(&mut Path::default(), &mut |path, _, own| *own = tensor(&case["leaves"][path.as_str()], dtype));
    layer
}

fn with_options(case: &Json) -> Box<dyn Recurrent> {
    let (rng, options) = (&mut Rng::new(0), &case["options"]);
    let num_layers = options["num_layers"].as_u64().unwrap() as usize;
    let bidirectional = options["bidirectional"].as_bool().unwrap();
    let (input_size, hidden_size) = (2, 3);
    match case["layer"].as_str().unwrap() {
        "lstm" => {
            let lstm = Lstm::builder(input_size, hidden_size).num_layers(num_layers);
            Box::new(lstm.bidirectional(bidirectional).build(rng))
        }
        "gru" => {
            let gru = Gru::builder(input_size, hidden_size).num_layers(num_layers);
            Box::new(gru.bidirectional(bidirectional).build(rng))
        }
        "rnn" => {
            let is_relu = options["nonlinearity"] == "relu";
            let activation = if is_relu { RnnActivation::Relu } else { RnnActivation::Tanh };
            let rnn = Rnn::builder(input_size, hidden_size).num_layers(num_layers).activation(activation);
            Box::new(rnn.bidirectional(bidirectional).build(rng))
        }
        other => panic!("{other}: no such layer"),
    }
}

fn check(case: &Json, dtype: DType, tolerance: f64) {
    let layer = build(case, dtype);
    let leaf = |name: &str| tensor(&case["leaves"][name], dtype);
    let what = |part: &str| format!("{} {} {dtype}: {part}", case["layer"], case["options"]);
    let states = ["h", "c"].iter().filter(|name| case["leaves"].get(format!("initial {name}")).is_some());
    let names: Vec<String> = states.map(|name| format!("initial {name}")).collect();
    let (input, lengths) = (leaf("input"), tensor(&case["lengths"], dtype));
    let initial: Vec<Tensor> = names.iter().map(|name| leaf(name)).collect();
    let made = layer.run(&input, Some(&lengths), Some(&initial));

    let mut projection = Tensor::zeros([], dtype);
    for (index, made) in made.iter().enumerate() {
        assert_close(&what(&format!("output {index}")), made, &case["outputs"][index], tolerance);
        projection += (made * tensor(&case["cotangents"][index], dtype)).sum(..);
    }
    let parameters = layer.named_parameters();
    let mut leaves: Vec<(&str, &Tensor)> = vec![("input", &input)];
    leaves.extend(names.iter().map(String::as_str).zip(&initial));
    leaves.extend(parameters.iter().map(|(path, parameter)| (path.as_str(), parameter)));
    assert_eq!(leaves.len(), case["gradients"].as_object().unwrap().len());
    let targets: Vec<&Tensor> = leaves.iter().map(|(_, leaf)| *leaf).collect();
    for ((name, _), gradient) in leaves.iter().zip(&grad(&projection, &targets)) {
        assert_close(&what(name), gradient, &case["gradients"][name], tolerance);
    }
}

fn all() -> Vec<Json> {
    cases(include_str!("../golden/recurrent_lengths.json"))
}

#[test]
fn sequences_of_different_lengths() {
    for case in all() {
        check(&case, DType::F64, 1e-11);
        check(&case, DType::F32, 1e-5);
    }
}

#[test]
fn lengths_of_all_steps_change_nothing() {
    for case in all() {
        let layer = build(&case, DType::F32);
        let input = tensor(&case["leaves"]["input"], DType::F32);
        let lengths = Tensor::from_slice([input.shape()[0]], &vec![input.shape()[1] as i64; input.shape()[0]]);
        let with_lengths = layer.run(&input, Some(&lengths), None);
        for (with, without) in with_lengths.iter().zip(layer.run(&input, None, None)) {
            assert_eq!(with.to_vec::<f32>(), without.to_vec::<f32>(), "{} {}", case["layer"], case["options"]);
        }
    }
}

/// PyTorch allows no sequence of length 0: the others must be what they are without it, and it keeps its state.
#[test]
fn a_sequence_without_steps_keeps_its_state() {
    for case in all() {
        let layer = build(&case, DType::F64);
        let input = tensor(&case["leaves"]["input"], DType::F64).narrow(0, ..2);
        let shape = tensor(&case["leaves"]["initial h"], DType::F64).narrow(1, ..2).shape().clone();
        let initial: Vec<Tensor> = (0..2).map(|seed| Rng::new(seed).uniform(&shape, DType::F64, -1.0, 1.0)).collect();
        let lengths = Tensor::from_slice([2], &[-3i64, 2]);
        let made = layer.run(&input, Some(&lengths), Some(&initial));
        assert!(made[0].index_axis(0, 0).to_vec::<f64>().iter().all(|&y| y == 0.0));
        let second = |x: &Tensor, axis: isize| x.narrow(axis, 1..);
        let alone: Vec<Tensor> = initial.iter().map(|state| second(state, 1)).collect();
        let lengths = Tensor::from_slice([1], &[2i64]);
        let alone = layer.run(&second(&input, 0), Some(&lengths), Some(&alone));
        for (index, (made, alone)) in made.iter().zip(&alone).enumerate() {
            let axis = isize::from(index > 0);
            assert_eq!(second(made, axis).to_vec::<f64>(), alone.to_vec::<f64>(), "{}", case["layer"]);
            if index > 0 {
                let kept = initial[index - 1].narrow(1, ..1);
                assert_eq!(made.narrow(1, ..1).to_vec::<f64>(), kept.to_vec::<f64>(), "{}", case["layer"]);
            }
        }
    }
}

#[test]
#[should_panic(expected = "gru: lengths i64[2]: must be i64[B], with B (3) of the input f32[3, 4, 2]")]
fn lengths_of_another_batch() {
    let gru = Gru::new(2, 3, &mut Rng::new(0));
    let lengths = Tensor::from_slice([2], &[1i64, 2]);
    gru.forward_sequences(&Tensor::zeros([3, 4, 2], DType::F32), Some(&lengths), None, &Context::evaluate());
}

#[test]
#[should_panic(expected = "lstm: lengths f32[1]: must be i64[B]")]
fn lengths_that_are_real() {
    let lstm = Lstm::new(2, 3, &mut Rng::new(0));
    let (input, lengths) = (Tensor::zeros([1, 4, 2], DType::F32), Tensor::zeros([1], DType::F32));
    lstm.forward_sequences(&input, Some(&lengths), None, &Context::evaluate());
}

#[test]
#[should_panic(expected = "rnn: initial state f32[1, 3]: must be f32[1, 1, 3]")]
fn an_initial_state_of_another_shape() {
    let rnn = Rnn::new(2, 3, &mut Rng::new(0));
    let (input, initial) = (Tensor::zeros([1, 4, 2], DType::F32), Tensor::zeros([1, 3], DType::F32));
    rnn.forward_sequences(&input, None, Some(&initial), &Context::evaluate());
}
