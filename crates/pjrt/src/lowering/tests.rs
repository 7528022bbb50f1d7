//! The text of small graphs.

use std::collections::BTreeSet;

use gyrus_graph::conformance::Sample;
use gyrus_graph::ops::contraction::{ConvolutionWindow, DotGeneral, Precision};
use gyrus_graph::{DType, Graph, Op, Operation, Real, Scalar, Shape, Spec, Value, gradients, ops};

use super::writer::Writer;
use super::{Lowering, LoweringError, lower};

fn placeholder(shape: impl Into<Shape>, dtype: DType) -> Value {
    Value::placeholder(Spec::new(shape, dtype))
}

fn text_of(inputs: &[Value], outputs: &[Value], donated: &[(usize, usize)], num_replicas: usize) -> String {
    let graph = Graph::capture(inputs, outputs).graph;
    lower(&graph, &Lowering { name: "a step", donated, num_replicas }).expect("has a text")
}

fn count(text: &str, part: &str) -> usize {
    text.matches(part).count()
}

#[test]
fn a_layer_is_written_operation_by_operation() {
    let (x, w, b) = (placeholder([2, 3], DType::F32), placeholder([3, 4], DType::F32), placeholder([4], DType::F32));
    let op = DotGeneral { lhs_contract: vec![1], rhs_contract: vec![0], ..DotGeneral::default() };
    let y = x.dot_general(&w, op).add(&b.broadcast([2, 4], &[1])).tanh();
    let lines = [
        r#"module @"a_step" attributes {mhlo.num_partitions = 1 : i32, mhlo.num_replicas = 1 : i32} {"#,
        "  func.func public @main(%0: tensor<2x3xf32>, %1: tensor<3x4xf32>, %2: tensor<4xf32>) -> (tensor<2x4xf32>) {",
        concat!(
            r#"    %3 = "stablehlo.dot_general"(%0, %1) {dot_dimension_numbers = #stablehlo.dot<"#,
            "lhs_batching_dimensions = [], rhs_batching_dimensions = [], lhs_contracting_dimensions = [1], ",
            "rhs_contracting_dimensions = [0]>, ",
            "precision_config = [#stablehlo<precision HIGHEST>, #stablehlo<precision HIGHEST>]} : ",
            r#"(tensor<2x3xf32>, tensor<3x4xf32>) -> tensor<2x4xf32> loc("dot_general")"#
        ),
        concat!(
            r#"    %4 = "stablehlo.broadcast_in_dim"(%2) {broadcast_dimensions = array<i64: 1>} : "#,
            r#"(tensor<4xf32>) -> tensor<2x4xf32> loc("broadcast_in_dim")"#
        ),
        concat!(
            r#"    %5 = "stablehlo.add"(%3, %4) : (tensor<2x4xf32>, tensor<2x4xf32>) -> tensor<2x4xf32> "#,
            r#"loc("add")"#
        ),
        r#"    %6 = "stablehlo.tanh"(%5) : (tensor<2x4xf32>) -> tensor<2x4xf32> loc("tanh")"#,
        r#"    "func.return"(%6) : (tensor<2x4xf32>) -> ()"#,
        "  }",
        "}",
        "",
    ];
    assert_eq!(text_of(&[x, w, b], &[y], &[], 1), lines.join("\n"));
}

#[test]
fn reals_are_written_by_their_bits() {
    let constants = [
        (DType::F16, 1.0, "dense<0x3C00> : tensor<2xf16>"),
        (DType::BF16, -2.0, "dense<0xC000> : tensor<2xbf16>"),
        (DType::F32, f64::NAN, "dense<0x7FC00000> : tensor<2xf32>"),
        (DType::F64, f64::NEG_INFINITY, "dense<0xFFF0000000000000> : tensor<2xf64>"),
        (DType::I64, -3.0, "dense<-3> : tensor<2xi64>"),
        (DType::U8, 200.0, "dense<200> : tensor<2xui8>"),
        (DType::Bool, 1.0, "dense<true> : tensor<2xi1>"),
    ];
    for (dtype, number, expected) in constants {
        let text = text_of(&[], &[Value::constant(Scalar::from_f64(dtype, number), [2])], &[], 1);
        assert!(text.contains(&format!("{{value = {expected}}}")), "{text}");
    }
    let none = text_of(&[], &[Value::constant(Scalar::from_f64(DType::F32, 1.0), [0, 2])], &[], 1);
    assert!(none.contains("{value = dense<> : tensor<0x2xf32>}"), "{none}");
}

#[test]
fn equal_operations_are_one_function() {
    let x = placeholder([2, 3], DType::F32);
    let y = x.softmax(1).add(&x.exp().softmax(1)).add(&x.softmax(0));
    let text = text_of(&[x], &[y], &[], 1);
    assert_eq!(count(&text, "func.func private @softmax_"), 2, "{text}");
    assert_eq!(count(&text, "{callee = @softmax_0}"), 2, "{text}");
    assert_eq!(count(&text, "{callee = @softmax_1}"), 1, "{text}");
    assert_eq!(count(&text, r#"loc("softmax/exp")"#), 2, "{text}");
}

#[test]
fn precision_and_sums_are_said() {
    let product = |dtype: DType, precision: Precision| {
        let (a, b) = (placeholder([2, 2], dtype), placeholder([2, 2], dtype));
        let op = DotGeneral { lhs_contract: vec![1], rhs_contract: vec![0], precision, ..DotGeneral::default() };
        let y = a.dot_general(&b, op);
        text_of(&[a, b], &[y], &[], 1)
    };
    let full = product(DType::F32, Precision::Full);
    assert_eq!((count(&full, "HIGHEST"), count(&full, "convert")), (2, 0), "{full}");
    let fast = product(DType::F32, Precision::Bf16);
    assert!(fast.contains(": (tensor<2x2xbf16>, tensor<2x2xbf16>) -> tensor<2x2xf32>"), "{fast}");
    assert_eq!((count(&fast, "HIGHEST"), count(&fast, "convert")), (0, 2), "{fast}");
    let tf32 = product(DType::F32, Precision::Tf32);
    assert_eq!((count(&tf32, "precision HIGH>"), count(&tf32, "convert")), (2, 0), "{tf32}");
    let half = product(DType::F16, Precision::Full);
    assert!(half.contains(": (tensor<2x2xf16>, tensor<2x2xf16>) -> tensor<2x2xf32>"), "{half}");
    assert_eq!(count(&half, "convert"), 1, "{half}");
}

/// In the form that XLA takes for a gradient, and whose kernels GPUs have: in one type, the weights reversed last.
#[test]
fn convolutions_of_rounded_operands_are_rounded() {
    let (x, weight) = (placeholder([2, 3, 8, 8], DType::F32), placeholder([4, 3, 3, 3], DType::F32));
    let window = ConvolutionWindow { stride: vec![2, 2], ..ConvolutionWindow::new(2) };
    let y = x.conv_with(&weight, window, Precision::Bf16);
    let inputs = [x, weight];
    let found = gradients(std::slice::from_ref(&y), &[y.full_like(1.0)], &inputs);
    let outputs: Vec<Value> = [Some(y)].into_iter().chain(found).flatten().collect();
    let text = text_of(&inputs, &outputs, &[], 1);
    let lines = |name: &str| text.lines().filter(|line| line.contains(name)).map(str::to_owned).collect::<Vec<_>>();
    let products = lines("stablehlo.convolution");
    assert_eq!(products.len(), 3);
    assert!(products.iter().all(|line| count(line, "bf16>") == 3), "{text}");
    let reversed = &lines("stablehlo.reverse")[0];
    let name = reversed.trim().split(' ').next().expect("a name");
    assert!(products.iter().any(|line| line.contains(&format!(", {name})"))), "{text}");
}

#[test]
fn attention_is_as_exact_as_asked() {
    let inputs = [0, 1, 2].map(|_| placeholder([1, 2, 5, 4], DType::F32));
    let op = |precision| ops::whole::Attention { scale: Real(0.5), causal: true, precision };
    let text = |precision| {
        let y = inputs[0].attention(&inputs[1], &inputs[2], None, op(precision));
        let found = gradients(std::slice::from_ref(&y), &[y.full_like(1.0)], &inputs);
        text_of(&inputs, &found.into_iter().flatten().collect::<Vec<_>>(), &[], 1)
    };
    let products = |text: &str, word: &str| {
        text.lines().filter(|line| line.contains("stablehlo.dot_general") && line.contains(word)).count()
    };
    let (full, fast) = (text(Precision::Full), text(Precision::Bf16));
    assert_eq!((products(&full, ""), products(&full, "bf16")), (7, 0), "{full}");
    assert_eq!((products(&fast, ""), products(&fast, "bf16")), (7, 7), "{fast}");
}

#[test]
fn donated_inputs_are_marked() {
    let (x, y) = (placeholder([2], DType::F32), placeholder([2], DType::F32));
    let (inputs, outputs) = ([x.clone(), y.clone()], [x.neg(), y.exp(), x.convert(DType::F64)]);
    let text = text_of(&inputs, &outputs, &[(1, 0)], 1);
    assert!(text.contains("%1: tensor<2xf32> {tf.aliasing_output = 0 : i32})"), "{text}");
    let graph = Graph::capture(&inputs, &outputs).graph;
    let refused = |donated: &[(usize, usize)]| lower(&graph, &Lowering { name: "main", donated, num_replicas: 1 });
    for (donated, input, output) in [
        (&[(0, 2)][..], 0, 2),
        (&[(2, 0)], 2, 0),
        (&[(0, 3)], 0, 3),
        (&[(0, 0), (1, 0)], 1, 0),
        (&[(0, 0), (0, 1)], 0, 1),
    ] {
        assert_eq!(refused(donated), Err(LoweringError::Donation { input, output }));
    }
}

#[test]
fn replicas_meet_in_sums() {
    let x = placeholder([3], DType::F32);
    let outputs = [x.all_reduce_mean()];
    let alone = text_of(std::slice::from_ref(&x), &outputs, &[], 1);
    assert_eq!(count(&alone, "stablehlo."), 0, "{alone}");
    let four = text_of(&[x], &outputs, &[], 4);
    assert!(four.contains("mhlo.num_replicas = 4 : i32"), "{four}");
    assert!(four.contains("{replica_groups = dense<[[0, 1, 2, 3]]> : tensor<1x4xi64>}"), "{four}");
    assert!(four.contains("stablehlo.divide"), "{four}");

    let parameters = [placeholder([4, 3], DType::F32), placeholder([3], DType::F32), placeholder([3], DType::F32)];
    let outputs = parameters[0].batch_norm_training(&parameters[1], &parameters[2], 0.1);
    assert_eq!(count(&text_of(&parameters, &outputs, &[], 4), "stablehlo.all_reduce"), 2);
    let found = gradients(&outputs[..1], &[outputs[0].full_like(1.0)], &parameters);
    let found: Vec<Value> = found.into_iter().flatten().collect();
    assert_eq!(count(&text_of(&parameters, &found, &[], 4), "stablehlo.all_reduce"), 2 + 4);

    let key = placeholder([2], DType::I64);
    let bits = [Value::random_bits(&key, 3, [5])];
    assert_eq!(count(&text_of(std::slice::from_ref(&key), &bits, &[], 1), "replica_id"), 0);
    assert_eq!(count(&text_of(&[key], &bits, &[], 2), "replica_id"), 1);
}

#[test]
fn what_has_no_word_is_refused() {
    let op = Op::AllReduce(ops::collective::AllReduce);
    let error = Writer::new(1).call(&op, &[], |_| None).expect_err("nothing to write");
    assert_eq!(error.to_string(), "all_reduce: StableHLO has no word for it, and it has no decomposition");
}

/// The same graph, recorded twice, has the same text: names depend on nothing but the graph.
#[test]
fn texts_are_the_same_always() {
    let mut names = BTreeSet::new();
    for case in ops::cases() {
        let mut text = || {
            let shape = |sample: &Sample| match sample {
                Sample::Uniform { shape, .. } => placeholder(shape, DType::F32),
                Sample::Integers { shape, dtype, .. } => placeholder(shape, *dtype),
            };
            let inputs: Vec<Value> = case.inputs.iter().map(shape).collect();
            let outputs = (case.build)(&inputs);
            names.extend(outputs.iter().map(|output| output.op().name()));
            text_of(&inputs, &outputs, &[], 2)
        };
        let [first, second] = [text(), text()];
        assert_eq!(first, second, "{}", case.name);
    }
    assert!(names.len() > 60, "{names:?}");
}
