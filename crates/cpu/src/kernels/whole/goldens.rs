//! The whole operations and their gradients, by their kernels, against PyTorch's.

use std::path::Path;

use gyrus_graph::ops::contraction::Precision;
use gyrus_graph::ops::whole::recurrent::RnnActivation;
use gyrus_graph::ops::whole::{Attention, BatchNormTraining, LayerNorm, RmsNorm};
use gyrus_graph::{DType, Graph, Real, Spec, Value, gradients};
use serde_json::Value as Json;

use super::super::conformance::by_kernel;
use super::super::conformance::reference::{Array, Number, evaluate};

const OPERATIONS: [&str; 12] = [
    "softmax",
    "log_sum_exp",
    "log_softmax",
    "cross_entropy",
    "layer_norm",
    "rms_norm",
    "batch_norm_training",
    "batch_norm_inference",
    "attention",
    "lstm_scan",
    "gru_scan",
    "rnn_scan",
];

/// The outputs that the script computes.
fn outputs(case: &Json, x: &[Value]) -> Vec<Value> {
    let attributes = &case["attributes"];
    let real = |name: &str| attributes[name].as_f64().expect("a number");
    let flag = |name: &str| attributes[name].as_bool().expect("true or false");
    let axis = || attributes["axis"].as_u64().expect("an axis") as usize;
    let all: Vec<&Value> = x.iter().collect();
    // Of a scan, whose biases are in its first operand.
    let no_bias = || x[0].zero().broadcast([x[0].shape()[2]], &[]);
    match case["op"].as_str().expect("a name") {
        "softmax" => vec![x[0].softmax(axis())],
        "log_sum_exp" => vec![x[0].log_sum_exp(axis())],
        "log_softmax" => vec![x[0].log_softmax(axis())],
        "cross_entropy" => {
            vec![x[0].cross_entropy(&x[1], real("label_smoothing"), attributes["ignore_index"].as_i64())]
        }
        "layer_norm" => Value::record(LayerNorm { eps: Real(real("eps")) }, &all),
        "rms_norm" => Value::record(RmsNorm { eps: Real(real("eps")) }, &all),
        "batch_norm_training" => {
            Value::record(BatchNormTraining { eps: Real(real("eps")), is_of_all_shares: true }, &all)
        }
        "batch_norm_inference" => vec![x[0].batch_norm_inference(&x[1], &x[2], &x[3], &x[4], real("eps"))],
        "attention" => Value::record(
            Attention { scale: Real(real("scale")), causal: flag("causal"), precision: Precision::Full },
            &all,
        ),
        "lstm_scan" => {
            let (hs, cs) = x[0].lstm_scan(&x[1], &x[2], &x[3], &no_bias(), None, flag("reverse"));
            let last = if flag("reverse") { 0 } else { cs.shape()[0] - 1 };
            vec![hs, cs.index_axis(0, last)]
        }
        "gru_scan" => {
            let bias = Value::concatenate(&[&no_bias(), &x[3]], 0);
            vec![x[0].gru_scan(&x[1], &x[2], &bias, None, flag("reverse"))]
        }
        "rnn_scan" => {
            let is_relu = attributes["activation"] == "relu";
            let activation = if is_relu { RnnActivation::Relu } else { RnnActivation::Tanh };
            vec![x[0].rnn_scan(&x[1], &x[2], &no_bias(), None, activation, flag("reverse"))]
        }
        other => panic!("{other}: no such operation"),
    }
}

fn array(json: &Json, dtype: DType) -> Array {
    let list = |name: &str| json[name].as_array().expect("a list").iter();
    let shape: Vec<usize> = list("shape").map(|size| size.as_u64().expect("a size") as usize).collect();
    let is_whole = list("data").len() > 0 && list("data").all(Json::is_i64);
    let number = |value: &Json| match value {
        value if is_whole => Number::I(value.as_i64().expect("a whole number")),
        Json::String(name) => Number::R(name.parse().expect("inf or nan")),
        value => Number::R(value.as_f64().expect("a number")),
    };
    Array {
        spec: Spec::new(shape, if is_whole { DType::I64 } else { dtype }),
        elements: list("data").map(number).collect(),
    }
}

/// The outputs of a graph: by kernels where there are any, else by the interpreter.
fn compute(graph: &Graph, inputs: &[Array]) -> Vec<Array> {
    let mut values: Vec<Vec<Array>> = vec![];
    for (index, node) in graph.nodes.iter().enumerate() {
        if let Some(position) = graph.inputs.iter().position(|&input| input == index) {
            values.push(vec![inputs[position].clone()]);
            continue;
        }
        let read: Vec<&Array> = node.inputs.iter().map(|port| &values[port.node][port.output]).collect();
        let found = by_kernel(node, &read).unwrap_or_else(|| evaluate(node, &read));
        values.push(found);
    }
    graph.outputs.iter().map(|port| values[port.node][port.output].clone()).collect()
}

fn check(case: &Json, dtype: DType, tolerance: f64) {
    let arrays = |name: &str| -> Vec<Array> {
        case[name].as_array().expect("a list").iter().map(|json| array(json, dtype)).collect()
    };
    let (inputs, cotangents) = (arrays("inputs"), arrays("cotangents"));
    let placeholder = |array: &Array| Value::placeholder(array.spec.clone());
    let x: Vec<Value> = inputs.iter().map(placeholder).collect();
    let dy: Vec<Value> = cotangents.iter().map(placeholder).collect();
    let y = outputs(case, &x);
    let found = gradients(&y, &dy, &x);
    let (mut made, mut expected) = (y, arrays("outputs"));
    for (found, json) in found.into_iter().zip(case["gradients"].as_array().expect("a list")) {
        assert_eq!(found.is_some(), !json.is_null(), "{}: which inputs have gradients", case["op"]);
        if let Some(found) = found {
            made.push(found);
            expected.push(array(json, dtype));
        }
    }
    let captured = Graph::capture(&[x, dy].concat(), &made);
    assert!(captured.constants.is_empty());
    for (index, (found, expected)) in
        compute(&captured.graph, &[inputs, cotangents].concat()).iter().zip(&expected).enumerate()
    {
        assert_eq!(found.spec.shape, expected.spec.shape);
        for (a, b) in found.elements.iter().zip(&expected.elements) {
            let (a, b) = (a.real(), b.real());
            let close = a == b || (a - b).abs() <= tolerance * b.abs().max(1.0);
            assert!(close, "{} {dtype}, {}, result {index}: {a}, not {b}", case["op"], case["attributes"]);
        }
    }
}

#[test]
fn operations_and_gradients_agree_with_pytorch() {
    for operation in OPERATIONS {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(format!("{operation}.json"));
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let document: Json = serde_json::from_str(&text).expect("JSON");
        for case in document["cases"].as_array().expect("a list") {
            check(case, DType::F64, 1e-9);
            check(case, DType::F32, 2e-4);
        }
    }
}
