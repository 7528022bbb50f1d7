//! Every kernel of the registry, on every test case, against the interpreter of graphs.

use std::cell::Cell;
use std::ops::Range;

use gyrus_graph::conformance::{Case, Sample};
use gyrus_graph::ops::indexing::{Addressing, Combine};
use gyrus_graph::{Buffer, DType, Element, Graph, GraphNode, Operation, Scalar, Spec, Value, bf16, f16, ops};

use super::registry::{ChannelsLast, channels_last_kernel_for, kernel_for};
use crate::isa::Isa;
use crate::kernel::{Kernel, RowsOf, Run, Signature};
use crate::pool::rehearsal::{Rehearsal, rehearse};
use crate::pool::{Along, Course, Passed, Pool, Scratch, Walk};
use reference::{Array, Number};

#[path = "../../../graph/tests/reference/mod.rs"]
pub(crate) mod reference;

pub(crate) struct Random(pub(crate) u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 ^ (self.0 >> 29)
    }

    pub(crate) fn sample(&mut self, sample: &Sample, dtype: DType) -> Array {
        let array = |spec: Spec, draw: &mut dyn FnMut() -> Number| {
            let elements = (0..spec.shape.num_elements()).map(|_| draw()).collect();
            Array { spec, elements }
        };
        match sample {
            Sample::Uniform { shape, low, high } => array(Spec::new(shape, dtype), &mut || {
                let unit = (self.next() >> 11) as f64 / (1u64 << 53) as f64;
                Number::R(low + (high - low) * unit)
            }),
            Sample::Integers { shape, high, dtype } => {
                array(Spec::new(shape, *dtype), &mut || Number::I((self.next() % *high as u64) as i64))
            }
        }
    }
}

/// The elements as they stand in memory.
pub(crate) fn to_buffer(array: &Array) -> Buffer {
    fn of<T: Element>(array: &Array, element: impl Fn(Number) -> T) -> Buffer {
        Buffer::from_elements(&array.elements.iter().map(|&number| element(number)).collect::<Vec<T>>())
    }
    match array.spec.dtype {
        DType::Bool => of(array, |number| number.whole() != 0),
        DType::U8 => of(array, |number| number.whole() as u8),
        DType::I32 => of(array, |number| number.whole() as i32),
        DType::I64 => of(array, Number::whole),
        DType::F16 => of(array, |number| f16::from_f64(number.real())),
        DType::BF16 => of(array, |number| bf16::from_f64(number.real())),
        DType::F32 => of(array, |number| number.real() as f32),
        DType::F64 => of(array, Number::real),
        other => unimplemented!("{other}"),
    }
}

/// The elements as their type holds them.
pub(crate) fn rounded(array: Array) -> Array {
    let round = |number: Number| match number {
        Number::R(value) => Number::R(Scalar::from_f64(array.spec.dtype, value).to_f64()),
        whole => whole,
    };
    Array { elements: array.elements.iter().map(|&number| round(number)).collect(), spec: array.spec }
}

/// What the operation's kernel makes; `None` if it has no kernel.
pub(super) fn by_kernel(node: &GraphNode, inputs: &[&Array]) -> Option<Vec<Array>> {
    let specs: Vec<Spec> = inputs.iter().map(|input| input.spec.clone()).collect();
    let kernel = kernel_for(&node.op, &Signature { inputs: &specs, outputs: &node.outputs })?;
    let buffers: Vec<Buffer> = inputs.iter().map(|input| to_buffer(input)).collect();
    let outputs = compute(&*kernel, node, &buffers);
    let value = |(spec, buffer): (&Spec, Buffer)| Array::of(&Value::leaf(spec.clone(), buffer));
    Some(node.outputs.iter().zip(outputs).map(value).collect())
}

/// The same of its kernel for images whose channels are neighbours in memory.
pub(super) fn by_channels_last_kernel(node: &GraphNode, inputs: &[&Array]) -> Option<Vec<Array>> {
    let specs: Vec<Spec> = inputs.iter().map(|input| input.spec.clone()).collect();
    let signature = Signature { inputs: &specs, outputs: &node.outputs };
    let ChannelsLast { kernel, inputs: images, outputs: image_outputs, .. } =
        channels_last_kernel_for(&node.op, &signature)?;
    let reordered = |array: &Array, shape: &[usize], axes: &[usize]| {
        let sizes: Vec<usize> = axes.iter().map(|&axis| shape[axis]).collect();
        let strides = |axis: usize| shape[axis + 1..].iter().product::<usize>();
        let element = |mut place: usize| {
            let mut from = 0;
            for (&axis, size) in axes.iter().zip(&sizes).rev() {
                from += place % size * strides(axis);
                place /= size;
            }
            array.elements[from]
        };
        Array { elements: (0..array.elements.len()).map(element).collect(), ..array.clone() }
    };
    let to_memory = |(input, array): (usize, &&Array)| {
        let rank = array.spec.shape.rank();
        let axes: Vec<usize> = [0].into_iter().chain(2..rank).chain([1]).collect();
        let array = if images.contains(&input) { reordered(array, &array.spec.shape, &axes) } else { (*array).clone() };
        to_buffer(&array)
    };
    let buffers: Vec<Buffer> = inputs.iter().enumerate().map(to_memory).collect();
    let outputs = compute(&*kernel, node, &buffers);
    let from_memory = |(output, (spec, buffer)): (usize, (&Spec, Buffer))| {
        let array = Array::of(&Value::leaf(spec.clone(), buffer));
        if !image_outputs.contains(&output) {
            return array;
        }
        let shape = &spec.shape;
        let in_memory: Vec<usize> = [&shape[..1], &shape[2..], &shape[1..2]].concat();
        let axes: Vec<usize> = [0, shape.rank() - 1].into_iter().chain(1..shape.rank() - 1).collect();
        reordered(&array, &in_memory, &axes)
    };
    Some(node.outputs.iter().zip(outputs).enumerate().map(from_memory).collect())
}

/// Whatever was in memory before must not matter.
const DIRTY: u8 = 0xA5;

fn dirty(len: usize) -> Buffer {
    let mut buffer = Buffer::zeroed(len);
    buffer.bytes_mut().expect("new").fill(DIRTY);
    buffer
}

/// What a kernel makes, the same for any number of threads, and in place where it may be.
fn compute(kernel: &dyn Kernel, node: &GraphNode, buffers: &[Buffer]) -> Vec<Buffer> {
    // With an output in the memory of an input, if `shared` names the two.
    let compute = |num_threads: usize, shared: Option<(usize, usize)>| {
        let pool = Pool::new(num_threads);
        let mut outputs: Vec<Buffer> = node.outputs.iter().map(|spec| dirty(spec.num_bytes())).collect();
        let write: Vec<*mut u8> = outputs.iter_mut().map(|o| o.bytes_mut().expect("new").as_mut_ptr()).collect();
        let mut read: Vec<*const u8> = buffers.iter().map(Buffer::as_ptr).collect();
        if let Some((input, output)) = shared {
            // SAFETY: they have the same size, as the kernel says that they may be one.
            unsafe { std::ptr::copy_nonoverlapping(read[input], write[output], buffers[input].len()) }
            read[input] = write[output];
        }
        let mut memory = dirty(kernel.scratch().total(num_threads));
        let scratch = Scratch::new(memory.bytes_mut().expect("new").as_mut_ptr(), &kernel.scratch());
        run_together(kernel, &Run { inputs: &read, outputs: &write, scratch, pool: &pool, epilogue: None });
        outputs
    };
    let same = |a: &[Buffer], b: &[Buffer]| a.iter().map(Buffer::bytes).eq(b.iter().map(Buffer::bytes));
    let results = [1, 2, 3].map(|num_threads| compute(num_threads, None));
    for result in &results[1..] {
        assert!(same(result, &results[0]), "threads change {node:?}");
    }
    for (input, read) in buffers.iter().enumerate() {
        for (output, made) in node.outputs.iter().enumerate() {
            if kernel.in_place(input, output) && read.len() == made.num_bytes() {
                let in_place = compute(2, Some((input, output)));
                assert!(same(&in_place, &results[0]), "input {input} in place of output {output} changes {node:?}");
            }
        }
    }
    let [outputs, ..] = results;
    if kernel.is_shared() {
        let read: Vec<&[u8]> = buffers.iter().map(Buffer::bytes).collect();
        let written: Vec<&[u8]> = outputs.iter().map(Buffer::bytes).collect();
        check_shared(kernel, &read, &written, &format!("{node:?}"));
    }
    outputs
}

/// Runs a kernel, on all threads together if it may be.
fn run_together(kernel: &dyn Kernel, run: &Run) {
    struct OneStep<'a>(&'a dyn Kernel, &'a Run<'a>);
    // SAFETY: the pointers are only read.
    unsafe impl Sync for OneStep<'_> {}
    impl Walk for OneStep<'_> {
        fn num_steps(&self) -> usize {
            1
        }
        fn step(&self, _step: usize) {
            // SAFETY: the buffers have the sizes of the specifications that the kernel was made for.
            unsafe { self.0.run(self.1) }
        }
    }
    let walk = OneStep(kernel, run);
    if kernel.is_shared() { run.pool.walk(&walk) } else { walk.step(0) }
}

fn pointer(buffer: &mut Buffer) -> *mut u8 {
    buffer.bytes_mut().expect("new").as_mut_ptr()
}

/// Runs a kernel, of whose runs only a part is done, on this thread, with tasks for two.
fn rehearse_kernel(
    kernel: &dyn Kernel,
    rehearsal: Rehearsal,
    inputs: &[*const u8],
    outputs: &[*mut u8],
) -> Option<Course> {
    let (pool, mut memory) = (Pool::new(2), dirty(kernel.scratch().total(2)));
    let scratch = Scratch::new(pointer(&mut memory), &kernel.scratch());
    let run = Run { inputs, outputs, scratch, pool: &pool, epilogue: None };
    // SAFETY: the buffers have the sizes that the kernel was made for.
    rehearse(rehearsal, || unsafe { kernel.run(&run) })
}

/// Checks what a kernel says of itself: that outside its runs it touches nothing, and that tasks of a run by rows read and
/// write of operands and results, which are `read` and `written`, that have rows their own rows alone, and those of one along
/// rows no more of what they have passed.
pub(crate) fn check_shared(kernel: &dyn Kernel, read: &[&[u8]], written: &[&[u8]], name: &str) {
    let run = |rehearsal: Rehearsal, inputs: &[*const u8]| {
        let mut results: Vec<Buffer> = written.iter().map(|written| dirty(written.len())).collect();
        let outputs: Vec<*mut u8> = results.iter_mut().map(pointer).collect();
        (rehearse_kernel(kernel, rehearsal, inputs, &outputs), results)
    };
    // Who reads such an operand is ended by the operating system.
    let nowhere: Vec<*const u8> = read.iter().map(|_| std::ptr::without_provenance(64)).collect();
    let (course, results) = run(Rehearsal::Nothing, &nowhere);
    let is_dirty = |bytes: &[u8]| bytes.iter().all(|&byte| byte == DIRTY);
    assert!(results.iter().all(|result| is_dirty(result.bytes())), "{name}: results are written outside runs");
    let by_rows = |rows: Option<RowsOf>, bytes: &[u8]| {
        rows.is_some_and(|rows| rows.count * rows.stride == bytes.len() && rows.len <= rows.stride && rows.count > 0)
    };
    let rows = match course {
        Some(Course::Apart(rows)) if rows.count > 0 => rows,
        _ => {
            let claims = (0..read.len()).any(|input| by_rows(kernel.rows_read(input), read[input]));
            assert!(!claims, "{name}: rows without a run by rows");
            if let Some(Course::Along(along)) = course {
                let is_by_rows = |output: usize| by_rows(kernel.rows_written(output), written[output]);
                let outputs = (0..written.len()).filter(|&output| is_by_rows(output)).collect();
                check_passed(kernel, along, read, written, outputs, name);
            }
            return;
        }
    };
    for task in [0, rows.num_tasks() / 2, rows.num_tasks() - 1] {
        let Range { start, end } = rows.of(task);
        let own = |len: usize| len * start / rows.count..(len * end).div_ceil(rows.count);
        let poisoned = |(input, read): (usize, &&[u8])| {
            let mut buffer = dirty(read.len());
            let bytes = buffer.bytes_mut().expect("new");
            bytes.copy_from_slice(read);
            if by_rows(kernel.rows_read(input), read) {
                let own = own(read.len());
                bytes[..own.start].fill(0xFF);
                bytes[own.end..].fill(0xFF);
            }
            buffer
        };
        let operands: Vec<Buffer> = read.iter().enumerate().map(poisoned).collect();
        let inputs: Vec<*const u8> = operands.iter().map(Buffer::as_ptr).collect();
        let (_, results) = run(Rehearsal::OnlyTask(task), &inputs);
        for (output, (result, written)) in results.iter().zip(written).enumerate() {
            if !by_rows(kernel.rows_written(output), written) {
                continue;
            }
            let (own, result) = (own(written.len()), result.bytes());
            assert!(
                is_dirty(&result[..own.start]) && is_dirty(&result[own.end..]),
                "{name}: task {task} leaves its rows"
            );
            // Of several tasks that have the same rows each writes a part.
            let mut pairs = result[own.clone()].iter().zip(&written[own]);
            let is_right =
                |(&found, &expected): (&u8, &u8)| found == expected || rows.tasks_per_part > 1 && found == DIRTY;
            assert!(pairs.all(is_right), "{name}: task {task} reads more than its rows");
        }
    }
}

/// Checks that rows of some `outputs` are as they will be when they have been passed.
fn check_passed(kernel: &dyn Kernel, along: Along, read: &[&[u8]], written: &[&[u8]], outputs: Vec<usize>, name: &str) {
    let inputs: Vec<*const u8> = read.iter().map(|read| read.as_ptr()).collect();
    let mut results: Vec<Buffer> = written.iter().map(|written| dirty(written.len())).collect();
    let made: Vec<*mut u8> = results.iter_mut().map(pointer).collect();
    let times = Cell::new(0);
    let passed = |rows: usize| {
        times.set(times.get() + 1);
        for &output in &outputs {
            let len = written[output].len() / along.count;
            let rows = if along.from_last { along.count - rows..along.count } else { 0..rows };
            let bytes = rows.start * len..rows.end * len;
            // SAFETY: the kernel writes these rows no more.
            let found = unsafe { std::slice::from_raw_parts(made[output].add(bytes.start), bytes.len()) };
            assert!(found == &written[output][bytes], "{name}: rows {rows:?} of output {output} are passed too early");
        }
    };
    // SAFETY: it is called only within this function.
    let passed = unsafe { std::mem::transmute::<Passed, Passed<'static>>(&passed) };
    rehearse_kernel(kernel, Rehearsal::Passing(passed), &inputs, &made);
    assert!(times.get() >= along.count && !outputs.is_empty(), "{name}: rows are not passed one by one");
}

/// By how much results may differ, relative to the larger of 1 and what is expected.
fn tolerance(dtype: DType) -> f64 {
    match dtype {
        DType::F64 => 1e-12,
        DType::F32 => 2e-5,
        DType::F16 => 1e-2,
        DType::BF16 => 5e-2,
        _ => 0.0,
    }
}

/// The first element that differs, with what it should be.
fn difference(found: &Array, expected: &Array) -> Option<(usize, f64, f64)> {
    let pairs = found.elements.iter().zip(&expected.elements).map(|(a, b)| (a.real(), b.real()));
    let tolerance = tolerance(expected.spec.dtype);
    let is_close =
        |(a, b): (f64, f64)| a == b || (a - b).abs() <= tolerance * b.abs().max(1.0) || a.is_nan() && b.is_nan();
    pairs.enumerate().find_map(|(index, pair)| (!is_close(pair)).then_some((index, pair.0, pair.1)))
}

/// Checks element by element: a result is as expected, or, where products need not be rounded as they state, as expected in full
/// precision. Convolutions are rounded only by some of their kernels.
pub(crate) fn assert_close(name: &str, found: &Array, expected: &Array, evaluate_again: impl FnOnce() -> Array) {
    if let Some((index, a, b)) = difference(found, expected) {
        let evaluate_exactly = || {
            reference::ROUNDS.set(false);
            let exact = evaluate_again();
            reference::ROUNDS.set(true);
            exact
        };
        let may_be_exact = !Isa::get().gains_by_bf16() || name.contains("convolution");
        let is_exact = may_be_exact && difference(found, &evaluate_exactly()).is_none();
        assert!(is_exact, "{name}: element {index}: {a}, not {b}");
    }
}

/// What a graph computes.
pub(crate) fn interpret(graph: &Graph, inputs: &[Array]) -> Vec<Array> {
    let mut values: Vec<Vec<Array>> = vec![];
    for (index, node) in graph.nodes.iter().enumerate() {
        values.push(match graph.inputs.iter().position(|&input| input == index) {
            Some(position) => vec![inputs[position].clone()],
            None => {
                let read: Vec<&Array> = node.inputs.iter().map(|port| &values[port.node][port.output]).collect();
                reference::evaluate(node, &read).into_iter().map(rounded).collect()
            }
        });
    }
    graph.outputs.iter().map(|port| values[port.node][port.output].clone()).collect()
}

fn check(name: &str, graph: &Graph, inputs: &[Array]) -> usize {
    let mut values: Vec<Vec<Array>> = vec![];
    let mut num_checked = 0;
    for (index, node) in graph.nodes.iter().enumerate() {
        if let Some(position) = graph.inputs.iter().position(|&input| input == index) {
            values.push(vec![inputs[position].clone()]);
            continue;
        }
        let read: Vec<&Array> = node.inputs.iter().map(|port| &values[port.node][port.output]).collect();
        let evaluate = || reference::evaluate(node, &read).into_iter().map(rounded).collect::<Vec<Array>>();
        let expected = evaluate();
        for (order, made) in [("", by_kernel(node, &read)), (" channels last", by_channels_last_kernel(node, &read))] {
            for (output, (found, expected)) in made.iter().flatten().zip(&expected).enumerate() {
                let name = format!("{name}: {}{order}", node.op.name());
                assert_close(&name, found, expected, || evaluate().swap_remove(output));
            }
            num_checked += usize::from(made.is_some());
        }
        values.push(expected);
    }
    num_checked
}

/// Cases large enough for several threads, and with NaN.
fn large_cases() -> Vec<Case> {
    let reals = |shape: &[usize]| Sample::uniform(shape, -1.0, 1.0);
    let indices = |shape: &[usize], high| Sample::integers(shape, high, DType::I64);
    let scatter =
        |combine: Combine, addressing: Addressing, x: &[Value]| vec![x[0].scatter(&x[1], &x[2], combine, addressing)];
    let windows =
        Addressing { window_axes: vec![1, 2], index_map: vec![1, 0], index_vector_axis: 1, ..Addressing::default() };
    // NaN where the logarithm is of a negative number, and both zeros.
    let odd = |x: &Value| Value::concatenate(&[&x.log(), &x.mul(&x.zero().broadcast(x.shape(), &[])), &x.round()], 1);
    vec![
        Case::new("concatenate", [reals(&[300, 7, 30]), reals(&[300, 2, 30])], |x| {
            vec![Value::concatenate(&[&x[0], &x[1], &x[0]], 1)]
        }),
        Case::new("concatenate the first axis", [reals(&[3, 9000]), reals(&[2, 9000])], |x| {
            vec![Value::concatenate(&[&x[0], &x[1]], 0)]
        }),
        Case::new("concatenate short pieces", [[3000, 1], [3000, 3], [3000, 0]].map(|shape| reals(&shape)), |x| {
            vec![Value::concatenate(&[&x[0], &x[1], &x[2], &x[0]], 1)]
        }),
        Case::new("pad", [reals(&[5, 90, 70]), reals(&[])], |x| {
            vec![x[0].pad(&x[1], &[1, -2, 3], &[0, 1, -4], &[1, 0, 2])]
        }),
        Case::new("pad, a rest cut off", [reals(&[9, 10]), reals(&[])], |x| {
            vec![x[0].pad(&x[1], &[0, -1], &[0, -2], &[0, 2]), x[0].pad(&x[1], &[-3, 2], &[-8, -20], &[1, 3])]
        }),
        Case::new("pad nothing", [reals(&[0, 3]), reals(&[])], |x| vec![x[0].pad(&x[1], &[1, -2], &[2, 1], &[1, 1])]),
        Case::new("arg_reduce", [reals(&[500, 130])], move |x| vec![odd(&x[0]).arg_max(1), odd(&x[0]).arg_min(0)]),
        Case::new("arg_reduce in the middle", [reals(&[20, 50, 99])], |x| vec![x[0].arg_min(1), x[0].log().arg_max(1)]),
        Case::new("sort", [reals(&[40, 300])], move |x| {
            let (ascending, descending) = (odd(&x[0]).sort(1, false), odd(&x[0]).sort(0, true));
            vec![ascending.0, ascending.1, descending.0, descending.1]
        }),
        Case::new(
            "top_k",
            [reals(&[40, 300]), reals(&[3, 3001]), Sample::integers([2, 5000], 50, DType::I64)],
            move |x| {
                // Of an increasing row, each element is greater than all before.
                let increasing = x[1].sort(1, false).0;
                let chosen = [
                    odd(&x[0]).top_k(7, 1),
                    odd(&x[0]).top_k(33, 0),
                    odd(&x[1]).top_k(5000, 1),
                    x[1].top_k(400, 1),
                    increasing.top_k(400, 1),
                    x[2].top_k(600, 1),
                ];
                chosen.into_iter().flat_map(|(greatest, positions)| [greatest, positions]).collect()
            },
        ),
        Case::new("take", [reals(&[100, 64]), indices(&[50, 20], 100)], |x| {
            vec![x[0].take(0, &x[1]), x[0].take(1, &x[1])]
        }),
        Case::new("take_along_axis", [reals(&[60, 30, 20]), indices(&[60, 50, 20], 40)], |x| {
            vec![x[0].take_along_axis(1, &x[1])]
        }),
        Case::new("scatter rows", [reals(&[90, 64]), indices(&[700], 100), reals(&[700, 64])], move |x| {
            scatter(Combine::Add, Addressing::slices(0, 2, 1), x)
        }),
        Case::new("scatter columns", [reals(&[90, 64]), indices(&[700], 100), reals(&[90, 700])], move |x| {
            scatter(Combine::Add, Addressing::slices(1, 2, 1), x)
        }),
        Case::new(
            "scatter elements of columns",
            [reals(&[9, 300]), indices(&[50, 300], 10), reals(&[50, 300])],
            move |x| scatter(Combine::Add, Addressing::elements(0, 2), x),
        ),
        Case::new(
            "scatter windows of rows",
            [reals(&[40, 60]), indices(&[300, 1], 60), reals(&[40, 300, 3])],
            move |x| {
                let window_axes = vec![0, 2];
                let addressing =
                    Addressing { window_axes, index_map: vec![1], index_vector_axis: 1, ..Addressing::default() };
                scatter(Combine::Add, addressing, x)
            },
        ),
        Case::new(
            "scatter elements",
            [reals(&[60, 30, 20]), indices(&[60, 50, 20], 40), reals(&[60, 50, 20])],
            move |x| scatter(Combine::Replace, Addressing::elements(1, 3), x),
        ),
        Case::new("scatter windows", [reals(&[50, 60]), indices(&[900, 2], 60), reals(&[900, 3, 4])], move |x| {
            scatter(Combine::Max, windows.clone(), x)
        }),
        Case::new("dynamic slices", [reals(&[300, 40, 3]), reals(&[200, 20, 3]), indices(&[], 200)], |x| {
            let starts = [&x[2]; 3].map(Value::clone);
            vec![x[0].dynamic_slice(&starts, &[250, 9, 3]), x[0].dynamic_update_slice(&x[1], &starts)]
        }),
    ]
}

/// Checks the kernels that cases reach in an element type, and returns how many.
pub(super) fn check_cases(cases: impl IntoIterator<Item = Case>, dtype: DType) -> usize {
    let mut random = Random(3);
    let mut num_checked = 0;
    for Case { name, inputs, build, .. } in cases {
        let arrays: Vec<Array> = inputs.iter().map(|sample| rounded(random.sample(sample, dtype))).collect();
        let arguments: Vec<Value> = arrays.iter().map(|array| Value::placeholder(array.spec.clone())).collect();
        let outputs = build(&arguments);
        if outputs.iter().any(|output| output.is_computed()) {
            continue;
        }
        let captured = Graph::capture(&arguments, &outputs);
        let constants = captured.constants.iter().map(Array::of);
        let inputs: Vec<Array> = arrays.into_iter().chain(constants).collect();
        num_checked += check(&format!("{name} {dtype}"), &captured.graph, &inputs);
    }
    num_checked
}

#[test]
fn kernels_agree_with_the_interpreter() {
    let types = [DType::F32, DType::F64, DType::F16, DType::BF16];
    let num_checked: usize =
        types.iter().map(|&dtype| check_cases(ops::cases().into_iter().chain(large_cases()), dtype)).sum();
    assert!(num_checked > 100, "only {num_checked} kernels ran");
}
