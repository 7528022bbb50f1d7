//! Whole graphs through plans, against the interpreter of graphs.

use gyrus_graph::conformance::{Case, Sample};
use gyrus_graph::ops::contraction::{ConvolutionWindow, DotGeneral};
use gyrus_graph::ops::reduction::Reduction;
use gyrus_graph::ops::whole::recurrent::LstmScan;
use gyrus_graph::{Buffer, DType, Graph, Spec, Value, gradients, ops};

use super::lower::Storage;
use super::{Plan, Work};
use crate::kernels::conformance::reference::{Array, Number};
use crate::kernels::conformance::{Random, assert_close, interpret, rounded, to_buffer};
use crate::pool::{Needs, Pool};

fn address(buffer: &mut Buffer) -> *mut u8 {
    buffer.bytes_mut().expect("has one holder").as_mut_ptr()
}

/// What a plan makes of the inputs; donated pairs share memory if `in_place`.
fn run(graph: &Graph, inputs: &[Array], donated: &[(usize, usize)], in_place: bool, num_threads: usize) -> Vec<Buffer> {
    let mut plan = Plan::new(graph, donated);
    let mut read: Vec<Buffer> = inputs.iter().map(to_buffer).collect();
    let specs: Vec<&Spec> = graph.outputs.iter().map(|&port| graph.spec(port)).collect();
    let mut written: Vec<Buffer> = specs.iter().map(|spec| Buffer::zeroed(spec.num_bytes())).collect();
    written.iter_mut().for_each(|buffer| buffer.bytes_mut().expect("new").fill(0xA5));
    let read: Vec<*mut u8> = read.iter_mut().map(address).collect();
    let mut write: Vec<*mut u8> = written.iter_mut().map(address).collect();
    for &(input, output) in donated.iter().filter(|_| in_place) {
        write[output] = read[input];
    }
    let inputs: Vec<*const u8> = read.iter().map(|pointer| pointer.cast_const()).collect();
    // SAFETY: buffers have the sizes of the graph's specifications.
    unsafe { plan.run(&inputs, &write, &Pool::new(num_threads)) };
    for (buffer, (&from, spec)) in written.iter_mut().zip(write.iter().zip(specs)) {
        let to = buffer.bytes_mut().expect("new").as_mut_ptr();
        // SAFETY: both have the size of the specification.
        unsafe { to.copy_from(from, spec.num_bytes()) }
    }
    written
}

/// Steps that may be in progress at the same time have memory of their own.
fn check_apart(plan: &Plan) {
    let range = |slot: usize| plan.offsets[slot]..plan.offsets[slot] + plan.slots[slot].bytes;
    for (index, step) in plan.steps.iter().enumerate() {
        for other in index + 1..=plan.overlap.last_beside(index) {
            assert_ne!(plan.colours[index], plan.colours[other], "working memory of steps {index} and {other}");
            let pairs = step
                .accesses()
                .into_iter()
                .flat_map(|a| plan.steps[other].accesses().into_iter().map(move |b| (a.slot, b.slot)));
            for (a, b) in
                pairs.filter(|&(a, b)| a != b && [a, b].iter().all(|&s| plan.slots[s].storage == Storage::Arena))
            {
                let (of_a, of_b) = (range(a), range(b));
                assert!(
                    of_a.end <= of_b.start || of_b.end <= of_a.start,
                    "{a} of {index} and {b} of {other}:\n{plan:?}"
                );
            }
        }
    }
}

fn check(name: &str, arguments: &[Value], outputs: &[Value], arrays: &[Array]) {
    let captured = Graph::capture(arguments, outputs);
    let inputs: Vec<Array> = arrays.iter().cloned().chain(captured.constants.iter().map(Array::of)).collect();
    let graph = captured.graph;
    check_apart(&Plan::new(&graph, &[]));
    let results = [1, 2].map(|num_threads| run(&graph, &inputs, &[], false, num_threads));
    let same = results[0].iter().map(Buffer::bytes).eq(results[1].iter().map(Buffer::bytes));
    assert!(same, "{name}: threads change the result");
    let expected = interpret(&graph, &inputs);
    for (index, (buffer, expected)) in results[0].iter().zip(&expected).enumerate() {
        let found = Array::of(&Value::leaf(expected.spec.clone(), buffer.clone()));
        let evaluate_again = || interpret(&graph, &inputs).swap_remove(index);
        assert_close(&format!("{name}, output {index}\n{graph}"), &found, expected, evaluate_again);
    }
}

fn check_cases(cases: Vec<Case>, dtype: DType) {
    let mut random = Random(7);
    for Case { name, inputs, build, differentiable, .. } in cases {
        let arrays: Vec<Array> = inputs.iter().map(|sample| rounded(random.sample(sample, dtype))).collect();
        let arguments: Vec<Value> = arrays.iter().map(|array| Value::placeholder(array.spec.clone())).collect();
        let outputs = build(&arguments);
        check(&format!("{name} {dtype}"), &arguments, &outputs, &arrays);
        if differentiable && dtype == DType::F64 {
            let targets: Vec<Value> = arguments.iter().filter(|value| value.dtype().is_float()).cloned().collect();
            let (ends, ones): (Vec<Value>, Vec<Value>) = outputs
                .iter()
                .filter(|output| output.dtype().is_float())
                .map(|output| (output.clone(), output.full_like(1.0)))
                .unzip();
            let found: Vec<Value> = gradients(&ends, &ones, &targets).into_iter().flatten().collect();
            check(&format!("gradient of {name} {dtype}"), &arguments, &found, &arrays);
        }
    }
}

#[test]
fn plans_agree_with_the_interpreter() {
    for dtype in [DType::F64, DType::F32, DType::BF16] {
        check_cases(ops::cases(), dtype);
    }
}

/// A step of gradient descent, in place: what follows a gradient is done, whatever kernel computes it.
fn check_update(name: &str, arguments: &[Value], output: &Value, arrays: &[Array]) {
    let is_real = |index: &usize| arguments[*index].dtype().is_float();
    let trained: Vec<usize> = (0..arguments.len()).filter(is_real).collect();
    let targets: Vec<Value> = trained.iter().map(|&index| arguments[index].clone()).collect();
    let found = gradients(std::slice::from_ref(output), &[output.full_like(1.0)], &targets);
    let step = |(target, gradient): (&Value, Option<Value>)| {
        gradient.map_or(target.neg(), |gradient| target.sub(&gradient.mul(&gradient.full_like(0.5))))
    };
    let updated: Vec<Value> = targets.iter().zip(found).map(step).collect();
    check(name, arguments, &updated, arrays);
    let graph = Graph::capture(arguments, &updated).graph;
    let donated: Vec<(usize, usize)> = trained.iter().enumerate().map(|(output, &input)| (input, output)).collect();
    let apart = run(&graph, arrays, &[], false, 1);
    let in_place = run(&graph, arrays, &donated, true, 2);
    assert!(in_place.iter().map(Buffer::bytes).eq(apart.iter().map(Buffer::bytes)), "{name}, in place");
}

#[test]
fn every_gradient_can_be_followed_by_an_update() {
    let mut random = Random(13);
    for Case { name, inputs, build, differentiable, .. } in ops::cases() {
        let arrays: Vec<Array> = inputs.iter().map(|sample| rounded(random.sample(sample, DType::F64))).collect();
        let arguments: Vec<Value> = arrays.iter().map(|array| Value::placeholder(array.spec.clone())).collect();
        let output = build(&arguments).into_iter().find(|output| output.dtype().is_float());
        if let Some(output) = output.filter(|_| differentiable && !name.contains("constant")) {
            check_update(&format!("a step on {name}"), &arguments, &output, &arrays);
        }
    }
}

/// Of convolutions of every kind that has a kernel of its own.
#[test]
fn weights_of_convolutions_are_updated() {
    let mut random = Random(17);
    // Channels in and out, kernel, stride, groups.
    for [inside, outside, kernel, stride, groups] in [
        [3, 64, 3, 1, 1],
        [32, 48, 3, 1, 1],
        [32, 48, 3, 2, 1],
        [32, 48, 1, 1, 1],
        [32, 48, 1, 2, 1],
        [16, 16, 5, 1, 1],
        [32, 32, 3, 1, 32],
        [32, 32, 3, 2, 4],
    ] {
        let shapes: [&[usize]; 2] = [&[2, inside, 12, 12], &[outside, inside / groups, kernel, kernel]];
        let samples = shapes.map(|shape| Sample::uniform(shape, -1.0, 1.0));
        let arrays = samples.map(|sample| rounded(random.sample(&sample, DType::F32)));
        let arguments = shapes.map(real);
        let half = (kernel / 2) as i64;
        let window = ConvolutionWindow {
            stride: vec![stride; 2],
            padding: vec![(half, half); 2],
            groups,
            ..ConvolutionWindow::new(2)
        };
        let y = arguments[0].conv(&arguments[1], window);
        let loss = y.mul(&y).reduce(Reduction::Sum, &[0, 1, 2, 3]);
        let loss = loss.mul(&loss.full_like(0.01));
        let name = format!("{inside} to {outside}, kernel {kernel}, stride {stride}, groups {groups}");
        check_update(&name, &arguments, &loss, &arrays);
    }
}

fn matmul(a: &Value, b: &Value) -> Value {
    a.dot_general(b, DotGeneral { lhs_contract: vec![1], rhs_contract: vec![0], ..Default::default() })
}

fn real(shape: &[usize]) -> Value {
    Value::placeholder(Spec::new(shape, DType::F32))
}

fn num_steps(arguments: &[Value], outputs: &[Value]) -> usize {
    Plan::new(&Graph::capture(arguments, outputs).graph, &[]).num_steps()
}

#[test]
fn bias_and_activation_follow_a_product_in_its_step() {
    let (x, w, b) = (real(&[8, 6]), real(&[6, 5]), real(&[5]));
    let y = matmul(&x, &w).add(&b.broadcast([8, 5], &[1])).tanh();
    assert_eq!(num_steps(&[x, w, b], &[y]), 1);
}

/// What is added to a product, a bias and what lies in other memory, on the way or as its end.
#[test]
fn sums_with_products_agree_with_the_interpreter() {
    let (x, w, b, r) = (real(&[40, 33]), real(&[33, 70]), real(&[70]), real(&[40, 70]));
    let arguments = [x.clone(), w.clone(), b.clone(), r.clone()];
    let mut random = Random(19);
    let sample = |value: &Value| rounded(random.sample(&Sample::uniform(value.shape(), -1.0, 1.0), DType::F32));
    let arrays: Vec<Array> = arguments.iter().map(sample).collect();
    let product = matmul(&x, &w);
    let biased = product.add(&b.broadcast([40, 70], &[1]));
    let column = r.reduce(Reduction::Sum, &[1]).broadcast([40, 70], &[0]);
    let turned = matmul(&w.transpose(&[1, 0]), &x.transpose(&[1, 0]));
    for (name, outputs) in [
        ("a bias", vec![biased.clone()]),
        ("a bias and a residual", vec![r.add(&biased)]),
        ("three matrices", vec![biased.add(&r).add(&r.mul(&r))]),
        ("a transposed matrix", vec![turned.add(&r.transpose(&[1, 0]))]),
        ("one number to each row", vec![column.add(&product)]),
        ("the product itself", vec![biased.add(&product)]),
        ("the product, which is wanted, too", vec![biased.clone(), product.clone()]),
        ("a constant", vec![product.add(&product.full_like(0.5))]),
        ("what is read again", vec![r.add(&biased).tanh(), r.add(&biased)]),
        ("a bias before a function", vec![biased.tanh()]),
        ("two matrices before a function, of which one is read again", vec![r.add(&biased).tanh().mul(&r)]),
        ("a sum and its function, both wanted", vec![biased.tanh(), biased.clone()]),
        ("a sum that is read twice", vec![biased.tanh().mul(&biased)]),
        ("the product, read after its sum", vec![biased.tanh().mul(&product)]),
    ] {
        check(name, &arguments, &outputs, &arrays);
    }
    // The residual's memory becomes that of the result.
    let sum = r.tanh().add(&biased).tanh();
    check("a result in the memory of what it adds", &arguments, &[matmul(&sum.transpose(&[1, 0]), &sum)], &arrays);
}

#[test]
fn a_result_in_another_shape_is_not_copied() {
    let (x, w) = (real(&[8, 6]), real(&[6, 5]));
    let arguments = [x.clone(), w.clone()];
    let outputs = [matmul(&x, &w).reshape([4, 10]), x.tanh().reshape([48])];
    assert_eq!(num_steps(&arguments, &outputs), 2);
    let mut random = Random(23);
    let arrays =
        arguments.each_ref().map(|value| random.sample(&Sample::uniform(value.shape(), -1.0, 1.0), DType::F32));
    let arrays = arrays.map(rounded);
    check("results in another shape", &arguments, &outputs, &arrays);
    // What a reshape copies is copied to where the output is, also if others read it, or it is an output by itself.
    let repeated = x.broadcast([3, 8, 6], &[1, 2]);
    let transposed = x.transpose(&[1, 0]);
    for (outputs, steps) in [
        (vec![repeated.reshape([24, 6])], 1),
        (vec![repeated.reshape([24, 6]), matmul(&repeated.reshape([24, 6]), &w)], 2),
        (vec![transposed.clone(), transposed.reshape([48]), transposed.reshape([48]).exp()], 3),
    ] {
        assert_eq!(num_steps(&arguments, &outputs), steps);
        check("copies that are outputs", &arguments, &outputs, &arrays);
    }
}

#[test]
fn a_chain_is_reduced_in_one_pass() {
    let (x, y) = (real(&[8, 6]), real(&[8, 6]));
    let error = x.sub(&y);
    let loss = error.mul(&error).reduce(Reduction::Sum, &[0, 1]);
    assert_eq!(num_steps(&[x, y], &[loss]), 1);
}

#[test]
fn equal_subexpressions_are_computed_once() {
    let (x, w) = (real(&[8, 8]), real(&[8, 8]));
    let product = || matmul(&x, &w);
    assert_eq!(num_steps(&[x.clone(), w.clone()], &[product().add(&product())]), 1);
}

#[test]
fn summaries_name_operations_and_count_work() {
    let (x, w, b) = (real(&[8, 6]), real(&[6, 5]), real(&[5]));
    let y = matmul(&x, &w).add(&b.broadcast([8, 5], &[1])).tanh();
    let plan = Plan::new(&Graph::capture(&[x, w, b], &[y]).graph, &[]);
    let [product] = &plan.summaries()[..] else { panic!("one step:\n{plan:?}") };
    assert_eq!(product.operations, "dot_general, add, tanh");
    assert_eq!(product.shapes, "f32[8, 6] f32[6, 5] f32[8, 5] -> f32[8, 5]");
    assert_eq!(product.work, Work { flops: 2 * 8 * 6 * 5, bytes: 4 * (48 + 30 + 5 + 40) });
    assert_eq!(plan.work(), product.work);
    let (x, y) = (real(&[8, 5]), real(&[8, 5]));
    let norms = x.mul(&x).add(&y.mul(&y)).reduce(Reduction::Sum, &[1]);
    let plan = Plan::new(&Graph::capture(&[x, y], &[norms]).graph, &[]);
    let [sum] = &plan.summaries()[..] else { panic!("one step:\n{plan:?}") };
    assert_eq!(sum.operations, "mul x2, add, reduce sum");
    assert_eq!(sum.work, Work { flops: 0, bytes: 4 * (40 + 40 + 8) });
}

/// Operations that stay whole have the products that they decompose to.
#[test]
fn whole_operations_count_their_products() {
    let flops =
        |arguments: &[Value], outputs: &[Value]| Plan::new(&Graph::capture(arguments, outputs).graph, &[]).work().flops;
    let window = ConvolutionWindow { padding: vec![(1, 1); 2], ..ConvolutionWindow::new(2) };
    let (x, w) = (real(&[2, 3, 8, 8]), real(&[4, 3, 3, 3]));
    let y = x.conv(&w, window);
    let once = 2 * (2 * 8 * 8) * (4 * 3 * 9);
    assert_eq!(flops(&[x.clone(), w.clone()], std::slice::from_ref(&y)), once);
    let dy = real(y.shape());
    let found: Vec<Value> =
        gradients(&[y], std::slice::from_ref(&dy), &[x.clone(), w.clone()]).into_iter().flatten().collect();
    assert_eq!(flops(&[x, w, dy], &found), 2 * once);
    let carry = real(&[5, 5]);
    let (last, _) = Value::scan(std::slice::from_ref(&carry), &[], 7, false, |carries, _| {
        (vec![matmul(&carries[0], &carries[0])], vec![])
    });
    assert_eq!(flops(&[carry], &last), 7 * 2 * 5 * 5 * 5);
}

/// The gradient of a layer's bias is computed with that of its weights, so that what comes before follows a product.
#[test]
fn a_reduction_is_computed_beside_the_product_that_reads_the_same() {
    let shapes: [&[usize]; 5] = [&[4, 20, 200], &[200], &[4, 20, 70], &[70, 200], &[4, 20, 200]];
    let arguments = shapes.map(|shape| Value::placeholder(Spec::new(shape, DType::F64)));
    let [_, bias, dy, w, x] = &arguments;
    let of_rows = |rhs: usize| DotGeneral { lhs_contract: vec![2], rhs_contract: vec![rhs], ..Default::default() };
    let rows = DotGeneral { lhs_contract: vec![0, 1], rhs_contract: vec![0, 1], ..Default::default() };
    let y = arguments[0].add(&bias.broadcast([4, 20, 200], &[2]));
    let dx = dy.dot_general(w, of_rows(0)).mul(&y.tanh());
    let (dw, db) = (dx.dot_general(x, rows.clone()), dx.reduce(Reduction::Sum, &[0, 1]));
    let updated = [dw, bias.sub(&db), dx];
    assert_eq!(num_steps(&arguments, &updated), 3, "two products, and the bias' update");
    let mut random = Random(19);
    let arrays = shapes.map(|shape| rounded(random.sample(&Sample::uniform(shape, -1.0, 1.0), DType::F64)));
    check("beside", &arguments, &updated, &arrays);
    // What follows the product may wait for the sum.
    let both = updated[0].mul(&updated[1].broadcast([200, 200], &[1]));
    check("what needs both", &arguments, &[both, updated[0].sub(&db.broadcast([200, 200], &[1]))], &arrays);
    // What reads the sum and is read by the product, or the other way round, is between them.
    let scaled = x.mul(&updated[1].reduce(Reduction::Sum, &[0]).broadcast([4, 20, 200], &[]));
    check("one after the other", &arguments, &[updated[2].dot_general(&scaled, rows)], &arrays);
}

/// What is only kept until then would take memory: the gradients of weights come last in a graph, but early in a plan, also where
/// those of biases are computed beside them.
#[test]
fn weights_are_updated_while_gradients_are_computed() {
    let (rows, width, layers) = (64, 256, 6);
    let x = real(&[rows, width]);
    let weights: Vec<Value> = (0..layers).map(|_| real(&[width, width])).collect();
    let biases: Vec<Value> = (0..layers).map(|_| real(&[width])).collect();
    let layer = |x: Value, (w, b): (&Value, &Value)| {
        let by_rows = DotGeneral { lhs_contract: vec![1], rhs_contract: vec![1], ..Default::default() };
        x.dot_general(w, by_rows).add(&b.broadcast([rows, width], &[1])).tanh()
    };
    let y = weights.iter().zip(&biases).fold(x.clone(), layer);
    let parameters = [weights, biases].concat();
    let found = gradients(std::slice::from_ref(&y), &[y.full_like(1.0)], &parameters);
    let step = real(&[]);
    let rate = step.sqrt();
    let update = |(x, gradient): (&Value, Option<Value>)| {
        x.sub(&gradient.expect("depends on all").mul(&rate.broadcast(x.shape(), &[])))
    };
    let updated: Vec<Value> = parameters.iter().zip(found).map(update).collect();
    let donated: Vec<(usize, usize)> = (0..2 * layers).map(|index| (index, index)).collect();
    let arguments = [parameters, vec![x, step]].concat();
    let plan = Plan::new(&Graph::capture(&arguments, &updated).graph, &donated);
    let steps: Vec<String> = plan.summaries().into_iter().map(|step| step.operations).collect();
    let is_update = |&step: &usize| steps[step] == "dot_general, mul, sub, reduce sum";
    let places: Vec<usize> = (0..steps.len()).filter(is_update).collect();
    assert_eq!(places.len(), layers, "{steps:?}");
    let num_between = places.windows(2).filter(|pair| pair[1] > pair[0] + 1).count();
    assert!(num_between >= layers - 3, "the first ones are computed between other steps: {steps:?}");
}

/// Where operands lie so that the product has another kernel, the reduction is a step of its own.
#[test]
fn a_reduction_that_the_kernel_does_not_compute_follows_it() {
    let shapes: [&[usize]; 2] = [&[5, 300], &[40, 300]];
    let arguments = shapes.map(real);
    let [x, y] = arguments.each_ref().map(|value| value.transpose(&[1, 0]));
    let depth = DotGeneral { lhs_contract: vec![0], rhs_contract: vec![0], ..Default::default() };
    let outputs = [x.dot_general(&y, depth), x.reduce(Reduction::Sum, &[0])];
    assert_eq!(num_steps(&arguments, &outputs), 2);
    let mut random = Random(23);
    let arrays = shapes.map(|shape| rounded(random.sample(&Sample::uniform(shape, 0.5, 1.0), DType::F32)));
    check("not beside", &arguments, &outputs, &arrays);
}

/// A step of gradient descent with momentum on a small network, and two values that change places.
#[test]
fn donated_inputs_are_updated_in_place() {
    let shapes: [&[usize]; 7] = [&[6, 7], &[7, 5], &[6, 7], &[7, 5], &[4], &[4], &[3, 6]];
    let arguments: Vec<Value> = shapes.map(real).to_vec();
    let [w0, w1, m0, m1, a, b, x] = &arguments[..] else { unreachable!() };
    let loss = matmul(&matmul(x, w0).tanh(), w1).tanh().reduce(Reduction::Sum, &[0, 1]);
    let found = gradients(std::slice::from_ref(&loss), &[loss.full_like(1.0)], &[w0.clone(), w1.clone()]);
    let mut outputs = vec![];
    let mut momenta = vec![];
    for ((w, m), gradient) in [(w0, m0), (w1, m1)].into_iter().zip(found) {
        let momentum = m.mul(&m.full_like(0.9)).add(&gradient.expect("depends on all"));
        outputs.push(w.sub(&momentum.mul(&momentum.full_like(0.1))));
        momenta.push(momentum);
    }
    outputs.extend(momenta);
    outputs.extend([b.clone(), a.clone(), loss]);
    let mut random = Random(11);
    let arrays: Vec<Array> =
        shapes.iter().map(|shape| rounded(random.sample(&Sample::uniform(*shape, -1.0, 1.0), DType::F32))).collect();
    let graph = Graph::capture(&arguments, &outputs).graph;
    let donated: Vec<(usize, usize)> = (0..6).map(|index| (index, index)).collect();
    let apart = run(&graph, &arrays, &[], false, 1);
    for in_place in [false, true] {
        let found = run(&graph, &arrays, &donated, in_place, 2);
        assert!(found.iter().map(Buffer::bytes).eq(apart.iter().map(Buffer::bytes)), "in place: {in_place}");
    }
    let copies = format!("{:?}", Plan::new(&graph, &donated)).matches("copy u8").count();
    assert!(copies <= 2, "only what changes places is copied, not {copies}");
}

/// A step of gradient descent on a table adds to the rows that were looked up, some of them twice, in place.
#[test]
fn a_table_is_updated_row_by_row() {
    let (table, rate, dy) = (real(&[50, 3]), real(&[]), real(&[2, 40, 3]));
    let indices = Value::placeholder(Spec::new([2, 40], DType::I64));
    let arguments = [table.clone(), rate.clone(), indices.clone(), dy.clone()];
    let rows = table.take(0, &indices);
    let gradient = gradients(&[rows], &[dy], std::slice::from_ref(&table)).remove(0).expect("depends on it");
    let updated = table.sub(&rate.broadcast(table.shape(), &[]).mul(&gradient));
    let samples = [
        Sample::uniform([50, 3], -1.0, 1.0),
        Sample::uniform([0; 0], 0.1, 0.2),
        Sample::integers([2, 40], 50, DType::I64),
        Sample::uniform([2, 40, 3], -1.0, 1.0),
    ];
    let mut random = Random(3);
    let arrays: Vec<Array> = samples.iter().map(|sample| rounded(random.sample(sample, DType::F32))).collect();
    check("a step on a table", &arguments, std::slice::from_ref(&updated), &arrays);
    let graph = Graph::capture(&arguments, std::slice::from_ref(&updated)).graph;
    let summaries = Plan::new(&graph, &[(0, 0)]).summaries();
    let is_whole = |shapes: &str| shapes.contains("f32[50, 3]");
    let whole: Vec<&str> =
        summaries.iter().filter(|step| is_whole(&step.shapes)).map(|step| step.operations.as_str()).collect();
    assert_eq!(whole, ["scatter"], "only the rows that are added to are touched");
    let apart = run(&graph, &arrays, &[], false, 1);
    let in_place = run(&graph, &arrays, &[(0, 0)], true, 2);
    assert_eq!(apart[0].bytes(), in_place[0].bytes());
    // A gradient that something else reads as well is computed.
    let outputs = [updated, gradient];
    check("a step on a table, with the gradient", &arguments, &outputs, &arrays);
}

/// What is computed twice for a gradient is not kept: more steps, less memory.
#[test]
fn remat_needs_less_memory() {
    let plan = |is_remat: bool| {
        let x = real(&[64, 64]);
        let weights: Vec<Value> = (0..24).map(|_| real(&[64, 64])).collect();
        let block = |x: &Value, w: &[Value]| w.iter().fold(x.clone(), |x, w| matmul(&matmul(&x, w).tanh(), w).tanh());
        let y = weights.chunks(4).fold(x.clone(), |x, w| match is_remat {
            true => Value::remat(&[x], |x| vec![block(&x[0], w)]).remove(0),
            false => block(&x, w),
        });
        let arguments: Vec<Value> = weights.iter().chain([&x]).cloned().collect();
        let found: Vec<Value> =
            gradients(std::slice::from_ref(&y), &[y.full_like(1.0)], &weights).into_iter().flatten().collect();
        assert_eq!(found.len(), 24);
        Plan::new(&Graph::capture(&arguments, &found).graph, &[])
    };
    let (kept, again) = (plan(false), plan(true));
    assert!(again.work().flops > kept.work().flops, "the inside is computed again");
    assert!(again.arena_bytes() * 3 < kept.arena_bytes() * 2, "{} of {}", again.arena_bytes(), kept.arena_bytes());
}

/// The result of a reduction over an axis of one element is as large as its operand, but never its memory.
#[test]
fn reductions_over_one_element_are_right() {
    let x = real(&[5000, 1]);
    let doubled = x.add(&x);
    let sum = doubled.reduce(Reduction::Sum, &[1]);
    let outputs = [sum.mul(&sum), doubled.reshape([5000]).sub(&sum)];
    let sample = Sample::uniform([5000, 1], -1.0, 1.0);
    let arrays = [rounded(Random(5).sample(&sample, DType::F32))];
    check("reduction over one element", &[x], &outputs, &arrays);
}

/// A kernel whose result takes over its operand's memory, and whose epilogue writes two results, one of which is needed
/// for long: that one has memory of its own.
#[test]
fn results_of_an_epilogue_do_not_take_the_memory_that_the_kernels_result_left() {
    let (x, gamma, beta) = (real(&[2, 8, 6, 6]), real(&[8]), real(&[8]));
    let normalised = |x: &Value| x.batch_norm_training(&gamma, &beta, 1e-5)[0].clone();
    let sum = x.tanh().add(&normalised(&x.exp()));
    let outputs = [normalised(&sum.sin()).add(&sum)];
    let samples = [&[2, 8, 6, 6][..], &[8], &[8]].map(|shape| Sample::uniform(shape, 0.5, 1.0));
    let mut random = Random(5);
    let arrays: Vec<Array> = samples.iter().map(|sample| rounded(random.sample(sample, DType::F32))).collect();
    check("an epilogue of two results", &[x, gamma.clone(), beta.clone()], &outputs, &arrays);
}

/// The gradients of a recurrent layer and a product of its states, of either order, by all that is trained.
fn recurrent([steps, batch, inside, size, outside]: [usize; 5], is_batch_first: bool) -> (Vec<Value>, Vec<Value>) {
    let shapes: [&[usize]; 6] = [
        &[steps, batch, inside],
        &[4 * size, inside],
        &[batch, size],
        &[4 * size, size],
        &[4 * size],
        &[outside, size],
    ];
    let mut arguments: Vec<Value> = shapes.into_iter().map(real).collect();
    arguments.push(Value::placeholder(Spec::new([batch], DType::I64)));
    let [x, w_ih, h0, w_hh, bias, w, lengths] = &arguments[..] else { unreachable!("seven") };
    let by = |a: &Value, b: &Value| {
        a.dot_general(b, DotGeneral { lhs_contract: vec![2], rhs_contract: vec![1], ..Default::default() })
    };
    let states = Value::record(LstmScan { reverse: false }, &[&by(x, w_ih), h0, h0, w_hh, bias, lengths]).remove(0);
    let states = if is_batch_first { states.transpose(&[1, 0, 2]) } else { states };
    let y = by(&states, w).tanh();
    let targets = &arguments[..6];
    let found = gradients(std::slice::from_ref(&y), &[y.full_like(0.5)], targets);
    let results = found.into_iter().flatten().chain([y]).collect();
    (arguments, results)
}

#[test]
fn steps_that_sequences_do_not_have_are_not_multiplied() {
    let mut random = Random(19);
    let all = [[5, 4, 3, 2, 1], [9, 21, 17, 33, 7], [3, 1, 1, 1, 1], [40, 16, 8, 16, 20]];
    for (sizes, is_batch_first) in all.into_iter().flat_map(|sizes| [(sizes, false), (sizes, true)]) {
        let [steps, batch, inside, ..] = sizes;
        let (arguments, results) = recurrent(sizes, is_batch_first);
        let sample = |value: &Value| match value.dtype() {
            DType::I64 => Sample::integers([batch], steps as i64 + 2, DType::I64),
            _ => Sample::uniform(value.shape(), -1.0, 1.0),
        };
        let arrays = arguments.iter().map(|value| rounded(random.sample(&sample(value), DType::F32)));
        let mut arrays: Vec<Array> = arrays.collect();
        let graph = Graph::capture(&arguments, &results).graph;
        for lengths in [None, Some(0), Some(1), Some(steps as i64)] {
            let all = &mut arrays[6].elements;
            lengths.iter().for_each(|&length| all.fill(Number::I(length)));
            check(&format!("{sizes:?}, lengths {all:?}"), &arguments, &results, &arrays);
            let expected = run(&graph, &arrays, &[], false, 2);
            let mut marked = arrays.clone();
            for (index, x) in marked[0].elements.iter_mut().enumerate() {
                let (time, row) = (index / inside / batch, index / inside % batch);
                if !matches!(arrays[6].elements[row], Number::I(length) if length > time as i64) {
                    *x = Number::R(f64::NAN);
                }
            }
            let found = run(&graph, &marked, &[], false, 2);
            assert!(found.iter().map(Buffer::bytes).eq(expected.iter().map(Buffer::bytes)), "{sizes:?}: NaN is read");
        }
        let steps = Plan::new(&graph, &[]).summaries();
        assert!(
            steps.iter().any(|step| step.operations == "dot_general, reduce sum"),
            "{sizes:?}: the bias's gradient"
        );
    }
}

/// Layers that go through rows follow each other row by row; weights are updated between the steps of the way back, not all
/// at its end, though none before the gradient has gone on through it.
#[test]
fn steps_begin_before_those_before_them_end() {
    let (batch, size) = (512, 128);
    let x = real(&[batch, size]);
    let weights: Vec<Value> = (0..6).map(|_| real(&[size, size])).collect();
    let (gamma, beta) = (real(&[size]), real(&[size]));
    let layer = |x: Value, w: &Value| matmul(&x.layer_norm(&gamma, &beta, 1e-5), &w.transpose(&[1, 0])).tanh();
    let y = weights.iter().fold(x.clone(), layer);
    let arguments: Vec<Value> = weights.iter().chain([&x, &gamma, &beta]).cloned().collect();
    let forward = Plan::new(&Graph::capture(&arguments, std::slice::from_ref(&y)).graph, &[]);
    check_apart(&forward);
    let all = (1..forward.num_steps()).filter(|&step| forward.overlap.needs(step, 1) != Needs::Rows).count();
    assert_eq!((forward.num_steps(), all), (12, 0), "{forward:?}");
    let gradients = gradients(std::slice::from_ref(&y), &[y.full_like(1.0)], &weights);
    let updated: Vec<Value> = weights
        .iter()
        .zip(gradients)
        .map(|(w, gradient)| w.sub(&gradient.expect("it depends on the weight")))
        .collect();
    let graph = Graph::capture(&arguments, &updated).graph;
    let donated: Vec<(usize, usize)> = (0..weights.len()).map(|index| (index, index)).collect();
    let plan = Plan::new(&graph, &donated);
    check_apart(&plan);
    let is_update =
        |step: &super::Step| step.all_writes().any(|slot| matches!(plan.slots[slot].storage, Storage::Output(_)));
    let updates: Vec<usize> = (0..plan.num_steps()).filter(|&step| is_update(&plan.steps[step])).collect();
    assert_eq!(updates.len(), weights.len());
    assert!(updates[0] + 2 * weights.len() < plan.num_steps(), "{updates:?} of {plan:?}");
    let sample = |shape: &[usize]| rounded(Random(3).sample(&Sample::uniform(shape, -0.5, 0.5), DType::F32));
    let shapes = weights.iter().map(|_| vec![size, size]).chain([vec![batch, size], vec![size], vec![size]]);
    let arrays: Vec<Array> = shapes.map(|shape| sample(&shape)).collect();
    let alone = run(&graph, &arrays, &donated, false, 1);
    for (in_place, num_threads) in [(false, 2), (true, 2), (true, 3), (true, 5)] {
        let found = run(&graph, &arrays, &donated, in_place, num_threads);
        assert!(found.iter().map(Buffer::bytes).eq(alone.iter().map(Buffer::bytes)), "{in_place} {num_threads}");
    }
}

/// A transposed product that no one else reads is computed as the product of its operands in the other order, in one step.
#[test]
fn transposed_products_are_written_as_they_are_wanted() {
    let mut random = Random(3);
    let arrays: Vec<Array> = [[4, 5, 3], [4, 7, 3]]
        .iter()
        .map(|shape| random.sample(&Sample::uniform(&shape[..], -1.0, 1.0), DType::F32))
        .collect();
    let arguments: Vec<Value> = arrays.iter().map(|array| Value::placeholder(array.spec.clone())).collect();
    let op = DotGeneral {
        lhs_batch: vec![0],
        rhs_batch: vec![0],
        lhs_contract: vec![2],
        rhs_contract: vec![2],
        ..Default::default()
    };
    let product = arguments[0].dot_general(&arguments[1], op);
    let transposed = product.transpose(&[0, 2, 1]);
    assert_eq!(num_steps(&arguments, std::slice::from_ref(&transposed)), 1);
    check("transposed", &arguments, std::slice::from_ref(&transposed), &arrays);
    check("transposed and not", &arguments, &[transposed, product], &arrays);
}
