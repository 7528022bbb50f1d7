//! What operations accept, and what they say of what they refuse.

#![allow(clippy::cloned_ref_to_slice_refs, reason = "tables of operands read better as arrays")]

use std::sync::Arc;

use gyrus_graph::ops::contraction::{
    Convolution, ConvolutionInputGrad, ConvolutionWeightGrad, ConvolutionWindow, Precision,
};
use gyrus_graph::ops::control::{Scan, WhileLoop};
use gyrus_graph::ops::indexing::{Addressing, Combine, DynamicSlice, DynamicUpdateSlice, Gather, Scatter, Sort, TopK};
use gyrus_graph::ops::movement::{Concatenate, Reverse};
use gyrus_graph::ops::random::RandomBits;
use gyrus_graph::ops::reduction::{ArgReduce, Extremum, Reduction};
use gyrus_graph::ops::window::{ReduceWindow, ReduceWindowSelect, ReduceWindowSelectGrad, ReduceWindowSumGrad, Window};
use gyrus_graph::{DType, Graph, Op, Operation, Shape, Spec, Value};

fn f32s(shape: &[usize]) -> Spec {
    Spec::new(shape, DType::F32)
}

fn i64s(shape: &[usize]) -> Spec {
    Spec::new(shape, DType::I64)
}

#[track_caller]
fn accepts(op: impl Into<Op>, inputs: &[Spec], outputs: &[Spec]) {
    assert_eq!(op.into().infer(inputs).expect("accepted"), outputs);
}

#[track_caller]
fn refuses(op: impl Into<Op>, inputs: &[Spec], rule: &str) {
    let found = op.into().infer(inputs).expect_err("refused");
    assert!(found.contains(rule), "{found:?} does not say {rule:?}");
}

#[test]
fn movement() {
    let join = Concatenate { axis: 1 };
    accepts(join, &[f32s(&[2, 3]), f32s(&[2, 0]), f32s(&[2, 4])], &[f32s(&[2, 7])]);
    refuses(join, &[], "at least one operand");
    refuses(join, &[f32s(&[2])], "axis 1 must be less than the rank 1");
    refuses(join, &[f32s(&[2, 3]), i64s(&[2, 3])], "element types must be equal");
    refuses(join, &[f32s(&[2, 3]), f32s(&[3, 3])], "equal but for axis 1");
    refuses(join, &[f32s(&[2, 3]), f32s(&[2, 3, 1])], "equal but for axis 1");
    accepts(Reverse { axes: vec![0, 2] }, &[f32s(&[2, 3, 4])], &[f32s(&[2, 3, 4])]);
    refuses(Reverse { axes: vec![2, 0] }, &[f32s(&[2, 3, 4])], "increasing");
    refuses(Reverse { axes: vec![3] }, &[f32s(&[2, 3, 4])], "less than 3");
}

#[test]
fn arg_reduce() {
    let op = |axis| ArgReduce { extremum: Extremum::Max, axis };
    accepts(op(1), &[f32s(&[2, 3, 4])], &[i64s(&[2, 4])]);
    accepts(op(1), &[f32s(&[0, 3])], &[i64s(&[0])]);
    refuses(op(1), &[f32s(&[2, 0])], "no elements");
    refuses(op(0), &[f32s(&[])], "less than the rank 0");
}

#[test]
fn gather_and_scatter() {
    let op = |addressing: &Addressing, sizes: &[usize]| Gather {
        addressing: addressing.clone(),
        window_sizes: sizes.to_vec(),
    };
    let rows = Addressing::slices(0, 2, 2);
    let table = [f32s(&[5, 3]), i64s(&[2, 4])];
    accepts(op(&rows, &[1, 3]), &table, &[f32s(&[2, 4, 3])]);
    refuses(op(&rows, &[1, 3]), &[f32s(&[5, 3]), f32s(&[2, 4])], "i32 or i64");
    refuses(op(&rows, &[1, 4]), &table, "at most the operand's [5, 3]");
    refuses(op(&rows, &[1, 3]), &[f32s(&[0, 3]), i64s(&[2, 4])], "at most the operand's [0, 3]");
    refuses(op(&rows, &[2, 3]), &table, "size 1 along collapsed and batch axes [0]");
    refuses(op(&Addressing { index_vector_axis: 3, ..rows.clone() }, &[1, 3]), &table, "at most 2");
    refuses(op(&Addressing { index_map: vec![0, 1], ..rows.clone() }, &[1, 3]), &table, "name 1 distinct axes");
    refuses(op(&Addressing { index_map: vec![2], ..rows.clone() }, &[1, 3]), &table, "name 1 distinct axes");
    refuses(op(&Addressing { window_axes: vec![], ..rows.clone() }, &[1, 3]), &table, "window_axes must be 1");
    refuses(op(&Addressing { window_axes: vec![3], ..rows.clone() }, &[1, 3]), &table, "less than 3");
    let overlapping = Addressing { operand_batch_axes: vec![0], ..rows.clone() };
    refuses(op(&overlapping, &[1, 3]), &table, "distinct axes of the operand");
    let elements = Addressing::elements(1, 2);
    accepts(op(&elements, &[1, 1]), &[f32s(&[5, 3]), i64s(&[5, 7])], &[f32s(&[5, 7])]);
    refuses(op(&elements, &[1, 1]), &[f32s(&[5, 3]), i64s(&[4, 7])], "sizes of operand_batch_axes");
    let both = Addressing { index_map: vec![0], ..elements };
    refuses(op(&both, &[1, 1]), &[f32s(&[5, 3]), i64s(&[5, 7])], "must not be in index_map");

    let put = |combine| Scatter { combine, addressing: rows.clone() };
    let updates = [f32s(&[5, 3]), i64s(&[2, 4]), f32s(&[2, 4, 3])];
    accepts(put(Combine::Add), &updates, &[f32s(&[5, 3])]);
    refuses(put(Combine::Add), &[f32s(&[5, 3]), i64s(&[2, 4]), f32s(&[4, 2, 3])], "updates must have shape [2, 4, 3]");
    refuses(put(Combine::Add), &[f32s(&[5, 3]), i64s(&[2, 4]), f32s(&[2, 4])], "updates must have shape [2, 4, 1]");
    refuses(put(Combine::Add), &[f32s(&[5, 3]), i64s(&[2, 4]), i64s(&[2, 4, 3])], "one element type");
    let flags = |shape: &[usize]| Spec::new(shape, DType::Bool);
    refuses(put(Combine::Max), &[flags(&[5, 3]), i64s(&[2, 4]), flags(&[2, 4, 3])], "Max is not defined for bool");
}

#[test]
fn sort_top_k_and_dynamic_slices() {
    let sort = |axis| Sort { axis, descending: false, stable: true };
    accepts(sort(1), &[f32s(&[2, 3])], &[f32s(&[2, 3]), i64s(&[2, 3])]);
    refuses(sort(2), &[f32s(&[2, 3])], "less than the rank 2");
    accepts(TopK { k: 2, axis: 1 }, &[f32s(&[2, 3])], &[f32s(&[2, 2]), i64s(&[2, 2])]);
    refuses(TopK { k: 2, axis: 2 }, &[f32s(&[2, 3])], "less than the rank 2");
    refuses(TopK { k: 4, axis: 1 }, &[f32s(&[2, 3])], "4 must be at most 3");
    let slice = DynamicSlice { sizes: vec![2, 3] };
    accepts(slice.clone(), &[f32s(&[5, 3]), i64s(&[]), i64s(&[])], &[f32s(&[2, 3])]);
    refuses(slice.clone(), &[f32s(&[5, 2]), i64s(&[]), i64s(&[])], "must fit into the operand's [5, 2]");
    refuses(slice.clone(), &[f32s(&[5, 3]), i64s(&[])], "2 scalar starts");
    refuses(slice, &[f32s(&[5, 3]), i64s(&[]), Spec::new([], DType::I32)], "all i32 or all i64");
    let update = DynamicUpdateSlice;
    accepts(update, &[f32s(&[5]), f32s(&[2]), i64s(&[])], &[f32s(&[5])]);
    refuses(update, &[f32s(&[5]), i64s(&[2]), i64s(&[])], "one element type");
    refuses(update, &[f32s(&[5]), f32s(&[6]), i64s(&[])], "must fit");
}

#[test]
fn random_bits() {
    let op = RandomBits { stream: 1, shape: Shape::from([4]) };
    accepts(op.clone(), &[i64s(&[2])], &[Spec::new([4], DType::I32)]);
    refuses(op, &[i64s(&[3])], "i64[2]");
}

#[test]
fn convolution() {
    let window = |groups| ConvolutionWindow { stride: vec![2, 1], groups, ..ConvolutionWindow::new(2) };
    let op = |groups| Convolution { window: window(groups), precision: Precision::Full };
    let (x, w, y) = (f32s(&[2, 4, 8, 5]), f32s(&[6, 4, 3, 3]), f32s(&[2, 6, 3, 3]));
    accepts(op(1), &[x.clone(), w.clone()], &[y.clone()]);
    accepts(op(2), &[x.clone(), f32s(&[6, 2, 3, 3])], &[y.clone()]);
    refuses(op(1), &[x.clone(), i64s(&[6, 4, 3, 3])], "element types must be equal");
    refuses(op(1), &[f32s(&[2, 4]), f32s(&[6, 4])], "1 to 3 spatial axes");
    refuses(op(1), &[x.clone(), f32s(&[6, 3, 3, 3])], "C (4) must be w's second axis (3) times groups (1)");
    refuses(op(4), &[x.clone(), f32s(&[6, 1, 3, 3])], "O (6) a multiple");
    refuses(op(1), &[x.clone(), f32s(&[6, 4, 3, 6])], "a window over 6 must fit into the padded size 5");
    refuses(op(1), &[x.clone(), f32s(&[6, 4, 3, 0])], "at least 1");
    refuses(op(1), &[f32s(&[2, 4, 8]), f32s(&[6, 4, 3])], "must each have 1 numbers");
    let input_grad =
        |size| ConvolutionInputGrad { window: window(1), input_spatial: vec![size, 5], precision: Precision::Full };
    // Strides leave a rest: two sizes of the input have one size of the result.
    accepts(input_grad(8), &[y.clone(), w.clone()], &[x.clone()]);
    accepts(input_grad(7), &[y.clone(), w.clone()], &[f32s(&[2, 4, 7, 5])]);
    refuses(input_grad(9), &[y.clone(), w], "dy must have the shape [2, 6, 4, 3]");
    let weight_grad =
        ConvolutionWeightGrad { window: window(2), kernel_spatial: vec![3, 3], precision: Precision::Full };
    accepts(weight_grad.clone(), &[x.clone(), y], &[f32s(&[6, 2, 3, 3])]);
    refuses(weight_grad, &[x, f32s(&[2, 6, 3, 2])], "dy must have the shape [2, 6, 3, 3]");
}

#[test]
fn windows() {
    let window = Window::tiles(&[2, 3]);
    let (x, y) = (f32s(&[1, 2, 5, 6]), f32s(&[1, 2, 2, 2]));
    let reduce = |reduction| ReduceWindow { reduction, window: window.clone() };
    accepts(reduce(Reduction::Max), &[x.clone()], &[y.clone()]);
    refuses(reduce(Reduction::Product), &[x.clone()], "Product is not defined");
    refuses(reduce(Reduction::Sum), &[Spec::new([1, 1, 4, 4], DType::Bool)], "not defined for bool");
    refuses(reduce(Reduction::Sum), &[f32s(&[4, 4])], "[N, C, spatial..]");
    refuses(reduce(Reduction::Sum), &[f32s(&[1, 1, 1, 4])], "a window over 2 must fit");
    let sum = ReduceWindowSumGrad { window: window.clone(), input_spatial: vec![5, 6] };
    accepts(sum.clone(), &[y.clone()], &[x.clone()]);
    refuses(sum, &[f32s(&[1, 2, 2, 3])], "[1, 2, 2, 2]");
    let grad = ReduceWindowSelectGrad { extremum: Extremum::Max, window: window.clone() };
    accepts(grad.clone(), &[x.clone(), y.clone()], &[x.clone()]);
    refuses(grad, &[x.clone(), x.clone()], "dy f32[1, 2, 2, 2]");
    let select = ReduceWindowSelect { extremum: Extremum::Max, window };
    accepts(select.clone(), &[x.clone(), x.clone()], &[y.clone()]);
    refuses(select, &[x, y], "one shape and element type");
}

#[test]
fn loops() {
    let graph = |inputs: &[Spec], build: &dyn Fn(&[Value]) -> Vec<Value>| {
        let arguments: Vec<Value> = inputs.iter().map(|spec| Value::placeholder(spec.clone())).collect();
        Arc::new(Graph::capture(&arguments, &build(&arguments)).graph)
    };
    let pair = [f32s(&[3]), f32s(&[3])];
    let body = graph(&pair, &|v| vec![v[0].add(&v[1]), v[1].clone()]);
    let scan = Scan { body: body.clone(), num_carries: 1, num_xs: 1, length: 4, reverse: false };
    accepts(scan.clone(), &[f32s(&[3]), f32s(&[4, 3])], &[f32s(&[3]), f32s(&[4, 3])]);
    accepts(scan.with_ys(&[false]), &[f32s(&[3]), f32s(&[4, 3])], &[f32s(&[3])]);
    refuses(scan.clone(), &[f32s(&[3]), f32s(&[5, 3])], "must be (f32[3], f32[4, 3]), 4 steps");
    let grows = graph(&pair, &|v| vec![Value::stack(&[&v[0], &v[1]], 0)]);
    refuses(Scan { body: grows, ..scan }, &[f32s(&[3]), f32s(&[4, 3])], "must return the carries (f32[3]) first");
    let holds = graph(&pair, &|v| vec![v[0].lt(&v[1]).reduce(Reduction::And, &[0])]);
    let next = graph(&pair, &|v| vec![v[0].add(&v[1])]);
    let repeat = WhileLoop { condition: holds.clone(), body: next.clone(), num_carries: 1 };
    accepts(repeat.clone(), &pair, &[f32s(&[3])]);
    refuses(repeat.clone(), &[f32s(&[3])], "the condition takes (f32[3], f32[3])");
    refuses(WhileLoop { condition: next.clone(), ..repeat.clone() }, &pair, "must return (bool[])");
    refuses(WhileLoop { body: holds, ..repeat.clone() }, &pair, "must return the carries (f32[3])");
    refuses(WhileLoop { num_carries: 2, ..repeat }, &pair, "must return the carries (f32[3], f32[3])");
}

#[test]
#[should_panic(expected = "while: has no gradient")]
fn a_while_loop_has_no_gradient() {
    let x = Value::placeholder(f32s(&[]));
    let y = Value::while_loop(&[x.clone()], |c| c[0].lt(&c[0].full_like(9.0)), |c| vec![c[0].add(&c[0])]);
    gyrus_graph::gradients(&y, &[x.full_like(1.0)], &[x]);
}

#[test]
fn a_scan_keeps_its_carries_and_reads_its_surroundings() {
    let (h, w) = (Value::placeholder(f32s(&[3])), Value::placeholder(f32s(&[3])));
    let scale = w.mul(&w);
    let (carries, ys) = Value::scan(&[h], &[], 5, false, |c, _| (vec![c[0].mul(&scale)], vec![]));
    assert!(ys.is_empty());
    let Op::Scan(scan) = carries[0].op() else { panic!("a scan") };
    assert_eq!((scan.num_carries, scan.body.inputs.len(), scan.body.outputs.len()), (1, 2, 2));
    assert!(carries[0].inputs()[1].is_same(&scale), "what is computed outside is not computed at each step");
}
