//! What the operations' own cases do not reach: several threads, several blocks, and special values.

use gyrus_graph::conformance::{Case, Sample};
use gyrus_graph::ops::contraction::Precision;
use gyrus_graph::ops::whole::recurrent::{
    GruScan, GruScanGrad, LstmScan, LstmScanGrad, RnnActivation, RnnScan, RnnScanGrad,
};
use gyrus_graph::ops::whole::{
    Attention, AttentionGrad, BatchNormTraining, CrossEntropy, CrossEntropyGrad, Cumsum, LayerNorm, LogSumExp, RmsNorm,
    Softmax,
};
use gyrus_graph::{DType, GraphNode, Op, Operation, Real, Spec, Value, gradients};

use super::super::conformance::reference::{Array, Number};
use super::super::conformance::{Random, by_channels_last_kernel, by_kernel, check_cases};

/// An operation with its gradient.
fn with_gradient(op: impl Into<Op>, x: &[Value]) -> Vec<Value> {
    let mut outputs = Value::record(op, &x.iter().collect::<Vec<_>>());
    let cotangents: Vec<Value> = outputs.iter().map(Value::sin).collect();
    let targets: Vec<Value> = x.iter().filter(|x| x.dtype().is_float()).cloned().collect();
    let found = gradients(&outputs, &cotangents, &targets);
    outputs.extend(found.into_iter().flatten());
    outputs
}

/// Cases large enough for several threads, blocks and chunks.
fn large_cases() -> Vec<Case> {
    let reals = |shape: &[usize]| Sample::uniform(shape, -1.0, 1.0);
    let case = |name: &str, op: Op, inputs: Vec<Sample>| {
        Case::new(format!("large {name}"), inputs, move |x| with_gradient(op.clone(), x))
    };
    let mut all = vec![];
    for (shape, axis) in [(vec![150, 130], 1), (vec![150, 130], 0), (vec![5, 40, 90], 1)] {
        all.push(case("softmax", Softmax { axis }.into(), vec![reals(&shape)]));
        all.push(case("log_sum_exp", LogSumExp { axis }.into(), vec![reals(&shape)]));
    }
    for (label_smoothing, ignore_index) in [(0.0, None), (0.1, Some(3))] {
        let op = CrossEntropy { label_smoothing: Real(label_smoothing), ignore_index };
        for classes in [130, 5] {
            let inputs = vec![reals(&[200, classes]), Sample::integers([200], classes as i64, DType::I64)];
            all.push(case("cross_entropy", op.into(), inputs));
        }
    }
    let eps = Real(1e-5);
    for rows in [vec![200], vec![3, 41]] {
        let (shape, row) = ([&rows[..], &[130]].concat(), [130]);
        all.push(case("layer_norm", LayerNorm { eps }.into(), vec![reals(&shape), reals(&row), reals(&row)]));
        all.push(case("rms_norm", RmsNorm { eps }.into(), vec![reals(&shape), reals(&row)]));
    }
    for shape in [vec![6, 5, 20, 21], vec![150, 70], vec![60, 70, 3], vec![2, 3, 70, 75], vec![500, 2, 5]] {
        let channels = [shape[1]];
        let inputs = vec![reals(&shape), reals(&channels), reals(&channels)];
        all.push(case(
            &format!("batch_norm_training {shape:?}"),
            BatchNormTraining { eps, is_of_all_shares: true }.into(),
            inputs,
        ));
    }
    for (causal, mask) in [(false, None), (true, None), (true, Some([1, 2, 100, 90])), (false, Some([2, 1, 100, 90]))] {
        let mut inputs = vec![reals(&[2, 2, 100, 5]), reals(&[2, 2, 90, 5]), reals(&[2, 2, 90, 33])];
        inputs.extend(mask.map(|mask: [usize; 4]| reals(&mask)));
        all.push(case(
            &format!("attention causal {causal}"),
            Attention { scale: Real(0.6), causal, precision: Precision::Full }.into(),
            inputs,
        ));
    }
    // Rows that do not, and that do make groups for two threads.
    for batch in [19, 31] {
        let (steps, size) = (2, 66);
        let inputs = |gates: usize, biases: usize, count: usize| {
            let mut inputs = vec![reals(&[steps, batch, gates * size])];
            inputs.extend((0..count).map(|_| reals(&[batch, size])));
            inputs.extend([Sample::uniform([gates * size, size], -0.2, 0.2), reals(&[biases * size])]);
            inputs
        };
        let (activation, reverse) = (RnnActivation::Relu, false);
        all.push(case("lstm_scan", LstmScan { reverse }.into(), inputs(4, 4, 2)));
        all.push(case("gru_scan", GruScan { reverse }.into(), inputs(3, 4, 1)));
        all.push(case("rnn_scan", RnnScan { activation, reverse }.into(), inputs(1, 1, 1)));
        for reverse in [false, true] {
            let with_lengths = |mut inputs: Vec<Sample>| {
                inputs.push(Sample::integers([batch], steps as i64 + 1, DType::I64));
                inputs
            };
            all.push(case("lstm_scan, lengths", LstmScan { reverse }.into(), with_lengths(inputs(4, 4, 2))));
            all.push(case("gru_scan, lengths", GruScan { reverse }.into(), with_lengths(inputs(3, 4, 1))));
            all.push(case("rnn_scan, lengths", RnnScan { activation, reverse }.into(), with_lengths(inputs(1, 1, 1))));
        }
    }
    all
}

#[test]
fn large_cases_agree_with_the_interpreter() {
    for dtype in [DType::F32, DType::F64] {
        assert!(check_cases(large_cases(), dtype) > 40);
    }
}

#[test]
fn lengths_of_all_steps_change_no_bit() {
    let (steps, batch, size) = (3, 37, 70);
    let mut random = Random(1);
    for dtype in [DType::F32, DType::F64] {
        let mut reals = |shape: &[usize]| random.sample(&Sample::uniform(shape, -0.5, 0.5), dtype);
        let (h0, dhs) = (reals(&[batch, size]), reals(&[steps, batch, size]));
        let [x1, x3, x4] = [1, 3, 4].map(|gates| reals(&[steps, batch, gates * size]));
        let [w1, w3, w4] = [1, 3, 4].map(|gates| reals(&[gates * size, size]));
        let [bias1, bias4] = [1, 4].map(|gates| reals(&[gates * size]));
        let lengths = array(&[batch], DType::I64, &vec![steps as f64; batch]);
        // The results of all steps.
        let same = |op: Op, operands: &[&Array]| -> Vec<Array> {
            let found = run(op.clone(), operands);
            assert_eq!(run(op.clone(), &[operands, &[&lengths]].concat()), found, "{op:?} {dtype}");
            let is_stream = |elements: &&Vec<f64>| elements.len().is_multiple_of(steps * batch * size);
            let streams = found.iter().filter(is_stream);
            streams.map(|made| array(&[steps, batch, made.len() / steps / batch], dtype, made)).collect()
        };
        for (reverse, activation) in [(false, RnnActivation::Tanh), (true, RnnActivation::Relu)] {
            let lstm = same(LstmScan { reverse }.into(), &[&x4, &h0, &h0, &w4, &bias4]);
            same(LstmScanGrad { reverse }.into(), &[&dhs, &lstm[2], &lstm[1], &h0, &w4]);
            let gru = same(GruScan { reverse }.into(), &[&x3, &h0, &w3, &bias4]);
            same(GruScanGrad { reverse }.into(), &[&dhs, &gru[1], &gru[2], &gru[0], &h0, &w3]);
            let rnn = same(RnnScan { activation, reverse }.into(), &[&x1, &h0, &w1, &bias1]);
            same(RnnScanGrad { activation, reverse }.into(), &[&dhs, &rnn[0], &w1]);
        }
    }
}

fn array(shape: &[usize], dtype: DType, elements: &[f64]) -> Array {
    let number = |&value: &f64| if dtype.is_float() { Number::R(value) } else { Number::I(value as i64) };
    Array { spec: Spec::new(shape, dtype), elements: elements.iter().map(number).collect() }
}

fn node(op: Op, inputs: &[&Array]) -> GraphNode {
    let specs: Vec<Spec> = inputs.iter().map(|input| input.spec.clone()).collect();
    let outputs = op.infer(&specs).expect("the operands fit");
    GraphNode { op, inputs: vec![], outputs }
}

fn run(op: impl Into<Op>, inputs: &[&Array]) -> Vec<Vec<f64>> {
    let found = by_kernel(&node(op.into(), inputs), inputs).expect("there is a kernel");
    elements(found)
}

fn elements(arrays: Vec<Array>) -> Vec<Vec<f64>> {
    arrays.into_iter().map(|array| array.elements.into_iter().map(Number::real).collect()).collect()
}

/// In both types of numbers.
fn check(op: impl Into<Op>, inputs: &[(&[usize], &[f64])], expected: &[&[f64]]) {
    let op = op.into();
    for dtype in [DType::F32, DType::F64] {
        let arrays: Vec<Array> = inputs.iter().map(|(shape, elements)| array(shape, dtype, elements)).collect();
        check_arrays(&op, &arrays.iter().collect::<Vec<_>>(), expected);
    }
}

fn check_arrays(op: &Op, inputs: &[&Array], expected: &[&[f64]]) {
    for (found, expected) in run(op.clone(), inputs).iter().zip(expected) {
        assert_eq!(found.len(), expected.len());
        let close =
            |(a, b): (&f64, &f64)| a == b || (a.is_nan() && b.is_nan()) || (a - b).abs() < 1e-6 * b.abs().max(1.0);
        assert!(found.iter().zip(*expected).all(close), "{}: {found:?}, not {expected:?}", op.name());
    }
}

const INF: f64 = f64::INFINITY;
const NAN: f64 = f64::NAN;

#[test]
fn softmax_of_special_values() {
    let x = [1000.0, 1000.0, -INF, -INF, -INF, -INF, 0.0, INF, 0.0, 0.0, NAN, 0.0];
    let y = [0.5, 0.5, 0.0, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN];
    check(Softmax { axis: 1 }, &[(&[4, 3], &x)], &[&y]);
    let lse = [1000.0 + 2f64.ln(), -INF, INF, NAN];
    check(LogSumExp { axis: 1 }, &[(&[4, 3], &x)], &[&lse]);
    // The same with the axis in front.
    let transposed: Vec<f64> = (0..12).map(|index| x[index % 4 * 3 + index / 4]).collect();
    let expected: Vec<f64> = (0..12).map(|index| y[index % 4 * 3 + index / 4]).collect();
    check(Softmax { axis: 0 }, &[(&[3, 4], &transposed)], &[&expected]);
    check(LogSumExp { axis: 0 }, &[(&[3, 4], &transposed)], &[&lse]);
    check(LogSumExp { axis: 1 }, &[(&[2, 0], &[])], &[&[-INF, -INF]]);
}

#[test]
fn sums_up_to_each_element_equal_their_definition() {
    // Rows of one chunk and of several, too few and enough of them for each thread; columns.
    let shapes: [(&[usize], usize); 9] = [
        (&[20_485], 0),
        (&[3, 9000], 1),
        (&[13, 4097], 1),
        (&[300, 65], 1),
        (&[2000, 3], 1),
        (&[300, 130], 0),
        (&[5, 40, 90], 1),
        (&[2, 3, 4000], 1),
        (&[3, 0, 2], 1),
    ];
    for ((shape, axis), reverse) in shapes.into_iter().flat_map(|case| [false, true].map(|reverse| (case, reverse))) {
        let (size, inner) = (shape[axis], shape[axis + 1..].iter().product::<usize>());
        let count = shape.iter().product();
        // Whole numbers, so that sums are exact.
        let x: Vec<f64> = (0..count).map(|index| (index * 7919 % 17) as f64 - 8.0).collect();
        let mut expected = x.clone();
        for step in 1..size {
            let row = if reverse { size - 1 - step } else { step };
            for place in (0..count).filter(|place| place / inner % size == row) {
                expected[place] += expected[if reverse { place + inner } else { place - inner }];
            }
        }
        for dtype in [DType::F32, DType::F64, DType::I64] {
            let found = run(Cumsum { axis, reverse }, &[&array(shape, dtype, &x)]);
            assert!(found[0] == expected, "{shape:?} along {axis}, reverse {reverse}, {dtype}");
        }
    }
}

#[test]
fn sums_beyond_what_is_no_number_are_none() {
    let x = [1.0, INF, 2.0, -INF, 3.0, NAN, 1.0, 1.0];
    check(Cumsum { axis: 1, reverse: false }, &[(&[2, 4], &x)], &[&[1.0, INF, INF, NAN, 3.0, NAN, NAN, NAN]]);
    check(Cumsum { axis: 1, reverse: true }, &[(&[2, 4], &x)], &[&[NAN, NAN, -INF, -INF, NAN, NAN, 2.0, 1.0]]);
    check(Cumsum { axis: 0, reverse: false }, &[(&[2, 4], &x)], &[&[1.0, INF, 2.0, -INF, 4.0, NAN, 3.0, -INF]]);
}

#[test]
fn labels_that_are_no_class_are_ignored_or_have_no_loss() {
    let (label_smoothing, ignore_index) = (Real(0.0), Some(-100));
    for dtype in [DType::F32, DType::F64] {
        let logits = array(&[5, 2], dtype, &[0.0, 0.0, 3.0, 3.0, 1.0, 1.0, 2.0, 2.0, 0.0, -INF]);
        let targets = array(&[5], DType::I64, &[1.0, -100.0, 2.0, -1.0, 0.0]);
        let losses: [&[f64]; 1] = [&[2f64.ln(), 0.0, NAN, NAN, 0.0]];
        check_arrays(&CrossEntropy { label_smoothing, ignore_index }.into(), &[&logits, &targets], &losses);
        let dlosses = array(&[5], dtype, &[2.0, NAN, 1.0, 1.0, 1.0]);
        let dlogits: [&[f64]; 1] = [&[1.0, -1.0, 0.0, 0.0, NAN, NAN, NAN, NAN, 0.0, 0.0]];
        let op = CrossEntropyGrad { label_smoothing, ignore_index }.into();
        check_arrays(&op, &[&logits, &targets, &dlosses], &dlogits);
    }
}

#[test]
fn variance_is_accurate_far_from_zero() {
    // Around 10000, where squares have no digits left for the variance; with runs long and short.
    for shape in [vec![3, 1, 3000], vec![2000, 4], vec![5, 70, 31]] {
        let count: usize = shape.iter().product();
        let values: Vec<f64> = (0..count).map(|index| 10_000.0 + (index * 7919 % 64) as f64 / 64.0).collect();
        let channels = shape[1];
        let mut variance = vec![0.0; channels];
        for (channel, variance) in variance.iter_mut().enumerate() {
            let inner = shape.get(2).copied().unwrap_or(1);
            let own: Vec<f64> = (0..count).filter(|i| i / inner % channels == channel).map(|i| values[i]).collect();
            let mean = own.iter().sum::<f64>() / own.len() as f64;
            *variance = own.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / own.len() as f64;
        }
        let parameters = array(&[channels], DType::F32, &vec![1.0; channels]);
        let x = array(&shape, DType::F32, &values);
        let inputs = [&x, &parameters, &parameters];
        let node = node(BatchNormTraining { eps: Real(0.0), is_of_all_shares: true }.into(), &inputs);
        for kernel in [by_kernel, by_channels_last_kernel] {
            let found = elements(kernel(&node, &inputs).expect("there is a kernel"));
            for (found, expected) in found[2].iter().zip(&variance) {
                assert!((found / expected - 1.0).abs() < 1e-3, "{shape:?}: {found}, not {expected}");
            }
        }
    }
}

#[test]
fn a_query_that_sees_no_key_has_no_result_and_no_gradient() {
    let (scale, causal, precision) = (Real(1.0), false, Precision::Full);
    let (q, k, v) = ([1.0, 1.0], [1.0, 2.0, 3.0], [4.0, 5.0, 6.0]);
    let mask = [-INF, -INF, -INF, -INF, 0.0, -INF];
    let inputs: [(&[usize], &[f64]); 4] =
        [(&[1, 1, 2, 1], &q), (&[1, 1, 3, 1], &k), (&[1, 1, 3, 1], &v), (&[1, 1, 2, 3], &mask)];
    check(Attention { scale, causal, precision }, &inputs, &[&[0.0, 5.0], &[-INF, 2.0]]);
    let [q, k, v, mask] = inputs;
    let (lse, dout, delta): ([f64; 2], [f64; 2], [f64; 2]) = ([-INF, 2.0], [1.0, 1.0], [0.0, 4.0]);
    let queries: &[usize] = &[1, 1, 2];
    let operands = [q, k, v, (queries, &lse), (&[1, 1, 2, 1], &dout), (queries, &delta), mask];
    // ds = p (dout v - delta) = 1 (5 - 4) at the only key that is seen.
    check(AttentionGrad { scale, causal, precision }, &operands, &[&[0.0, 2.0], &[0.0, 1.0, 0.0], &[0.0, 1.0, 0.0]]);
}
