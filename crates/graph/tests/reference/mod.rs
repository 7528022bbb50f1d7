//! An interpreter of graphs: every primitive in the plainest way, reals in `f64`, the other operations
//! by their decomposition. Slow, and the oracle of the tests.

use std::cell::Cell;
use std::cmp::Ordering;

use gyrus_graph::ops::contraction::{DotGeneral, Precision};
use gyrus_graph::ops::elementwise::{Binary, Direction, Unary};
use gyrus_graph::ops::indexing::{Addressing, Combine, Scatter};
use gyrus_graph::ops::reduction::Reduction;
use gyrus_graph::{Captured, DType, Graph, GraphNode, Op, Operation, Scalar, Shape, Spec, Value, bf16, f16};

/// One element: reals are `R`, integers and truth values `I`.
#[derive(Clone, Copy, Debug)]
pub enum Number {
    R(f64),
    I(i64),
}

use Number::{I, R};

impl Number {
    pub fn real(self) -> f64 {
        match self {
            R(value) => value,
            I(value) => value as f64,
        }
    }

    pub fn whole(self) -> i64 {
        match self {
            R(value) => value as i64,
            I(value) => value,
        }
    }

    fn of(dtype: DType, value: f64) -> Number {
        if dtype.is_float() { R(value) } else { Number::of_scalar(Scalar::from_f64(dtype, value)) }
    }

    fn of_scalar(scalar: Scalar) -> Number {
        match scalar.dtype() {
            DType::I64 => I(scalar.get::<i64>()),
            dtype if dtype.is_float() => R(scalar.to_f64()),
            _ => I(scalar.to_f64() as i64),
        }
    }

    /// Wrapped into an integer type.
    fn wrapped(self, dtype: DType) -> Number {
        match (self, dtype) {
            (I(value), DType::Bool) => I((value != 0) as i64),
            (I(value), DType::U8) => I(value as u8 as i64),
            (I(value), DType::I32) => I(value as i32 as i64),
            (number, _) => number,
        }
    }

    fn compare(self, other: Number) -> Option<Ordering> {
        match (self, other) {
            (I(a), I(b)) => Some(a.cmp(&b)),
            (a, b) => a.real().partial_cmp(&b.real()),
        }
    }

    fn is_nan(self) -> bool {
        self.real().is_nan()
    }
}

/// The elements of a value, row-major.
#[derive(Clone, Debug)]
pub struct Array {
    pub spec: Spec,
    pub elements: Vec<Number>,
}

/// All indices of an array of this shape, in row-major order.
pub fn indices(shape: &[usize]) -> impl Iterator<Item = Vec<usize>> + '_ {
    (0..shape.iter().product()).map(|mut linear: usize| {
        let mut index = vec![0; shape.len()];
        for (axis, &size) in shape.iter().enumerate().rev() {
            (index[axis], linear) = (linear % size, linear / size);
        }
        index
    })
}

impl Array {
    fn at(&self, index: &[usize]) -> Number {
        self.elements[self.offset(index)]
    }

    fn offset(&self, index: &[usize]) -> usize {
        index.iter().zip(self.spec.shape.iter()).fold(0, |sum, (index, size)| sum * size + index)
    }

    /// Made index by index.
    fn make(spec: &Spec, element: impl FnMut(Vec<usize>) -> Number) -> Array {
        Array { spec: spec.clone(), elements: indices(&spec.shape).map(element).collect() }
    }

    /// The elements of a value that is known.
    pub fn of(value: &Value) -> Array {
        let buffer = value.buffer().expect("is computed");
        macro_rules! read {
            ($type:ty, $number:expr) => {
                buffer.elements::<$type>().iter().map($number).collect()
            };
        }
        let elements = match value.dtype() {
            DType::Bool => read!(bool, |&v| I(v as i64)),
            DType::U8 => read!(u8, |&v| I(v as i64)),
            DType::I32 => read!(i32, |&v| I(v as i64)),
            DType::I64 => read!(i64, |&v| I(v)),
            DType::F16 => read!(f16, |v| R(v.to_f64())),
            DType::BF16 => read!(bf16, |v| R(v.to_f64())),
            DType::F32 => read!(f32, |&v| R(v as f64)),
            DType::F64 => read!(f64, |&v| R(v)),
            other => unimplemented!("{other}"),
        };
        Array { spec: value.spec().clone(), elements }
    }
}

/// The outputs of a captured graph.
pub fn run_captured(captured: &Captured, inputs: &[Array]) -> Vec<Array> {
    let constants = captured.constants.iter().map(Array::of);
    run(&captured.graph, &inputs.iter().cloned().chain(constants).collect::<Vec<_>>())
}

/// The outputs of a graph.
pub fn run(graph: &Graph, inputs: &[Array]) -> Vec<Array> {
    assert_eq!(graph.inputs.len(), inputs.len());
    let mut values: Vec<Vec<Array>> = vec![];
    for (index, node) in graph.nodes.iter().enumerate() {
        values.push(match graph.inputs.iter().position(|&input| input == index) {
            Some(position) => {
                assert_eq!(inputs[position].spec, node.outputs[0]);
                vec![inputs[position].clone()]
            }
            None => {
                let read: Vec<&Array> = node.inputs.iter().map(|port| &values[port.node][port.output]).collect();
                evaluate(node, &read)
            }
        });
    }
    graph.outputs.iter().map(|port| values[port.node][port.output].clone()).collect()
}

/// The outputs of an operation.
pub fn evaluate(node: &GraphNode, x: &[&Array]) -> Vec<Array> {
    let spec = &node.outputs[0];
    let one = |element: &mut dyn FnMut(Vec<usize>) -> Number| vec![Array::make(spec, element)];
    match &node.op {
        Op::Leaf(_) => panic!("an input that was not given"),
        Op::Constant(op) => one(&mut |_| Number::of_scalar(op.scalar)),
        Op::Iota(op) => one(&mut |index| Number::of(spec.dtype, index[op.axis] as f64)),
        Op::Unary(op) => one(&mut |index| unary(*op, x[0].at(&index))),
        Op::Binary(op) => one(&mut |index| binary(*op, x[0].at(&index), x[1].at(&index), spec.dtype)),
        Op::Compare(op) => one(&mut |index| {
            let order = x[0].at(&index).compare(x[1].at(&index));
            I(match op.direction {
                Direction::Eq => order == Some(Ordering::Equal),
                Direction::Ne => order != Some(Ordering::Equal),
                Direction::Lt => order == Some(Ordering::Less),
                Direction::Le => order.is_some_and(Ordering::is_le),
                Direction::Gt => order == Some(Ordering::Greater),
                Direction::Ge => order.is_some_and(Ordering::is_ge),
            } as i64)
        }),
        Op::Select(_) => one(&mut |index| x[if x[0].at(&index).whole() != 0 { 1 } else { 2 }].at(&index)),
        Op::Convert(_) => one(&mut |index| match x[0].at(&index) {
            number if spec.dtype.is_float() => R(number.real()),
            R(value) => Number::of(spec.dtype, value),
            number => number.wrapped(spec.dtype),
        }),
        Op::Reshape(_) | Op::OptimizationBarrier(_) => {
            vec![Array { spec: spec.clone(), elements: x[0].elements.clone() }]
        }
        Op::Transpose(op) => one(&mut |index| {
            let mut from = vec![0; index.len()];
            op.permutation.iter().zip(&index).for_each(|(&axis, &i)| from[axis] = i);
            x[0].at(&from)
        }),
        Op::Broadcast(op) => one(&mut |index| {
            let sizes = op.axes.iter().zip(x[0].spec.shape.iter());
            x[0].at(&sizes.map(|(&axis, &size)| if size == 1 { 0 } else { index[axis] }).collect::<Vec<_>>())
        }),
        Op::Slice(op) => one(&mut |index| {
            let from = index.iter().enumerate().map(|(axis, i)| op.start[axis] + i * op.step[axis]);
            x[0].at(&from.collect::<Vec<_>>())
        }),
        Op::Pad(op) => one(&mut |index| {
            let mut from = vec![];
            for (axis, &i) in index.iter().enumerate() {
                let (i, step) = (i as i64 - op.low[axis], op.interior[axis] as i64 + 1);
                if i < 0 || i % step != 0 || i / step >= x[0].spec.shape[axis] as i64 {
                    return x[1].elements[0];
                }
                from.push((i / step) as usize);
            }
            x[0].at(&from)
        }),
        Op::Concatenate(op) => one(&mut |mut index| {
            for operand in x {
                let size = operand.spec.shape[op.axis];
                if index[op.axis] < size {
                    return operand.at(&index);
                }
                index[op.axis] -= size;
            }
            unreachable!()
        }),
        Op::Reverse(op) => one(&mut |mut index| {
            op.axes.iter().for_each(|&axis| index[axis] = x[0].spec.shape[axis] - 1 - index[axis]);
            x[0].at(&index)
        }),
        Op::Reduce(op) => {
            let mut sums = vec![Number::of_scalar(op.reduction.identity(spec.dtype)); spec.shape.num_elements()];
            let place = Array { spec: spec.clone(), elements: vec![] };
            for index in indices(&x[0].spec.shape) {
                let kept = index.iter().enumerate().filter(|(axis, _)| !op.axes.contains(axis)).map(|(_, &i)| i);
                let sum = &mut sums[place.offset(&kept.collect::<Vec<_>>())];
                let function = match op.reduction {
                    Reduction::Sum => Binary::Add,
                    Reduction::Product => Binary::Mul,
                    Reduction::Max => Binary::Max,
                    Reduction::Min => Binary::Min,
                    Reduction::And => Binary::And,
                    Reduction::Or => Binary::Or,
                };
                *sum = binary(function, *sum, x[0].at(&index), spec.dtype);
            }
            vec![Array { spec: spec.clone(), elements: sums }]
        }
        Op::DotGeneral(op) => vec![dot_general(op, x[0], x[1], spec)],
        Op::Gather(op) => {
            let place = |index: &[usize]| {
                let (mut start, within) = addressed(&op.addressing, x[0], x[1], index);
                for &axis in &op.addressing.index_map {
                    start[axis] = start[axis].clamp(0, (x[0].spec.shape[axis] - op.window_sizes[axis]) as i64);
                }
                start.iter().zip(within).map(|(&start, within)| start as usize + within).collect::<Vec<_>>()
            };
            one(&mut |index| x[0].at(&place(&index)))
        }
        Op::Scatter(op) => vec![scatter(op, x)],
        Op::Sort(op) => {
            let (mut values, mut positions) = (x[0].clone(), Array::make(&node.outputs[1], |_| I(0)));
            for index in indices(&x[0].spec.shape.without(&[op.axis])) {
                let whole = |i: usize| [&index[..op.axis], &[i], &index[op.axis..]].concat();
                let mut order: Vec<usize> = (0..x[0].spec.shape[op.axis]).collect();
                order.sort_by(|&a, &b| {
                    let (a, b) = (x[0].at(&whole(a)), x[0].at(&whole(b)));
                    let order = a.compare(b).map(|order| if op.descending { order.reverse() } else { order });
                    order.unwrap_or_else(|| a.is_nan().cmp(&b.is_nan()))
                });
                for (i, from) in order.into_iter().enumerate() {
                    let place = values.offset(&whole(i));
                    values.elements[place] = x[0].at(&whole(from));
                    positions.elements[place] = I(from as i64);
                }
            }
            vec![values, positions]
        }
        Op::DynamicSlice(op) => one(&mut |index| x[0].at(&moved(x[0], &op.sizes, &x[1..], &index))),
        Op::DynamicUpdateSlice(_) => {
            let mut result = x[0].clone();
            for index in indices(&x[1].spec.shape) {
                let place = result.offset(&moved(x[0], &x[1].spec.shape, &x[2..], &index));
                result.elements[place] = x[1].at(&index);
            }
            vec![result]
        }
        Op::WhileLoop(op) => {
            let mut operands: Vec<Array> = x.iter().map(|&array| array.clone()).collect();
            while run(&op.condition, &operands)[0].elements[0].whole() != 0 {
                let next = run(&op.body, &operands);
                operands.splice(..op.num_carries, next);
            }
            operands.truncate(op.num_carries);
            operands
        }
        op => {
            let arguments: Vec<Value> = x.iter().map(|array| Value::placeholder(array.spec.clone())).collect();
            let outputs = op.decompose(&arguments).unwrap_or_else(|| panic!("{}: not interpreted", op.name()));
            let inputs: Vec<Array> = x.iter().map(|&array| array.clone()).collect();
            let outputs = run_captured(&Graph::capture(&arguments, &outputs), &inputs);
            assert!(outputs.iter().map(|output| &output.spec).eq(&node.outputs), "{}: decomposition", op.name());
            outputs
        }
    }
}

fn moved(operand: &Array, sizes: &[usize], starts: &[&Array], index: &[usize]) -> Vec<usize> {
    let place = |axis: usize| {
        let last = (operand.spec.shape[axis] - sizes[axis]) as i64;
        starts[axis].elements[0].whole().clamp(0, last) as usize + index[axis]
    };
    (0..index.len()).map(place).collect()
}

/// Where in the operand the window of an element begins, and where in the window the element is.
fn addressed(op: &Addressing, operand: &Array, starts: &Array, index: &[usize]) -> (Vec<i64>, Vec<usize>) {
    let (rank, indices_rank) = (operand.spec.shape.rank(), starts.spec.shape.rank());
    let batch: Vec<usize> = op.batch_axes(indices_rank).into_iter().map(|axis| index[axis]).collect();
    let (mut start, mut within) = (vec![0; rank], vec![0; rank]);
    for (component, &axis) in op.index_map.iter().enumerate() {
        let mut place = batch.clone();
        if op.index_vector_axis < indices_rank {
            place.insert(op.index_vector_axis, component);
        }
        start[axis] = starts.at(&place).whole();
    }
    for (&axis, &from) in op.operand_batch_axes.iter().zip(&op.indices_batch_axes) {
        start[axis] = batch[from - usize::from(op.index_vector_axis < from)] as i64;
    }
    for (axis, &from) in op.offset_axes(rank).into_iter().zip(&op.window_axes) {
        within[axis] = index[from];
    }
    (start, within)
}

fn scatter(op: &Scatter, x: &[&Array]) -> Array {
    let mut result = x[0].clone();
    let sizes = op.addressing.window_sizes(x[0].spec.shape.rank(), &x[2].spec.shape);
    for index in indices(&x[2].spec.shape) {
        let (start, within) = addressed(&op.addressing, x[0], x[1], &index);
        let fits = |axis: usize| start[axis] >= 0 && start[axis] + sizes[axis] as i64 <= x[0].spec.shape[axis] as i64;
        if !(0..sizes.len()).all(fits) {
            continue;
        }
        let place: Vec<usize> = start.iter().zip(within).map(|(&start, within)| start as usize + within).collect();
        let (place, update) = (result.offset(&place), x[2].at(&index));
        let function = match op.combine {
            Combine::Replace => {
                result.elements[place] = update;
                continue;
            }
            Combine::Add => Binary::Add,
            Combine::Mul => Binary::Mul,
            Combine::Min => Binary::Min,
            Combine::Max => Binary::Max,
        };
        result.elements[place] = binary(function, result.elements[place], update, x[0].spec.dtype);
    }
    result
}

thread_local! {
    /// Whether products of precision `bf16` are computed as they state: devices that do not gain by it need not.
    pub static ROUNDS: Cell<bool> = const { Cell::new(true) };
}

fn dot_general(op: &DotGeneral, lhs: &Array, rhs: &Array, spec: &Spec) -> Array {
    let rounds = op.precision == Precision::Bf16 && spec.dtype == DType::F32 && ROUNDS.get();
    // By way of `f32`, which they are: `half` looks at a part of an `f64` only, and takes what is near a tie for one.
    let to_bf16 = |number: Number| R(bf16::from_f32(number.real() as f32).to_f64());
    let (rows, columns) = (op.lhs_free(lhs.spec.shape.rank()), op.rhs_free(rhs.spec.shape.rank()));
    let contracted: Shape = op.lhs_contract.iter().map(|&axis| lhs.spec.shape[axis]).collect();
    Array::make(spec, |index| {
        let (batch, free) = index.split_at(op.lhs_batch.len());
        let (row, column) = free.split_at(rows.len());
        let place = |rank: usize, parts: [(&[usize], &[usize]); 3]| {
            let mut place = vec![0; rank];
            parts.into_iter().flat_map(|(axes, index)| axes.iter().zip(index)).for_each(|(&a, &i)| place[a] = i);
            place
        };
        let mut sum = Number::of(spec.dtype, 0.0);
        for k in indices(&contracted) {
            let left = [(&op.lhs_batch[..], batch), (&rows[..], row), (&op.lhs_contract[..], &k[..])];
            let right = [(&op.rhs_batch[..], batch), (&columns[..], column), (&op.rhs_contract[..], &k[..])];
            let (a, b) = (lhs.at(&place(lhs.spec.shape.rank(), left)), rhs.at(&place(rhs.spec.shape.rank(), right)));
            let [a, b] = if rounds { [a, b].map(to_bf16) } else { [a, b] };
            sum = binary(Binary::Add, sum, binary(Binary::Mul, a, b, spec.dtype), spec.dtype);
        }
        sum
    })
}

fn unary(op: Unary, x: Number) -> Number {
    let v = x.real();
    R(match op {
        Unary::Abs => return if let I(i) = x { I(i.wrapping_abs()) } else { R(v.abs()) },
        Unary::Neg => return if let I(i) = x { I(i.wrapping_neg()) } else { R(-v) },
        Unary::Sign => return if let I(i) = x { I(i.signum()) } else { R(if v == 0.0 { v } else { v.signum() }) },
        Unary::Not => return I((x.whole() == 0) as i64),
        Unary::IsFinite => return I(v.is_finite() as i64),
        Unary::Exp => v.exp(),
        Unary::Expm1 => v.exp_m1(),
        Unary::Log => v.ln(),
        Unary::Log1p => v.ln_1p(),
        Unary::Sqrt => v.sqrt(),
        Unary::Rsqrt => 1.0 / v.sqrt(),
        Unary::Cbrt => v.cbrt(),
        Unary::Sin => v.sin(),
        Unary::Cos => v.cos(),
        Unary::Tan => v.tan(),
        Unary::Tanh => v.tanh(),
        Unary::Logistic => 1.0 / (1.0 + (-v).exp()),
        Unary::Floor => v.floor(),
        Unary::Ceil => v.ceil(),
        Unary::Round => v.round_ties_even(),
        Unary::Erf => erf(v),
        Unary::Gelu => v * cumulative(v),
        Unary::GeluSlope => cumulative(v) + v * (-v * v / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt(),
        #[allow(unreachable_patterns, reason = "operations may be added")]
        other => unimplemented!("{other:?}"),
    })
}

/// Of the normal distribution.
fn cumulative(x: f64) -> f64 {
    (1.0 + erf(x / 2f64.sqrt())) / 2.0
}

/// By the series of positive terms, Abramowitz and Stegun (1964), 7.1.6.
fn erf(x: f64) -> f64 {
    if x.abs() > 6.0 || x.is_nan() {
        return x.clamp(-1.0, 1.0);
    }
    let (mut term, mut sum) = (x, x);
    for n in 1..200 {
        term *= 2.0 * x * x / (2 * n + 1) as f64;
        sum += term;
    }
    sum * (-x * x).exp() * std::f64::consts::FRAC_2_SQRT_PI
}

fn binary(op: Binary, a: Number, b: Number, dtype: DType) -> Number {
    if let (I(x), I(y)) = (a, b) {
        let is_word = dtype == DType::I32;
        return I(match op {
            Binary::Add => x.wrapping_add(y),
            Binary::Sub => x.wrapping_sub(y),
            Binary::Mul => x.wrapping_mul(y),
            Binary::Div => x.wrapping_div(y),
            Binary::Rem => x.wrapping_rem(y),
            Binary::Max => x.max(y),
            Binary::Min => x.min(y),
            Binary::And => x & y,
            Binary::Or => x | y,
            Binary::Xor => x ^ y,
            Binary::ShiftLeft => x << y,
            Binary::ShiftRightLogical if is_word => (x as u32 >> y) as i64,
            Binary::ShiftRightLogical => (x as u64 >> y) as i64,
            Binary::ShiftRightArithmetic => x >> y,
            other => unimplemented!("{other:?} of integers"),
        })
        .wrapped(dtype);
    }
    let (x, y) = (a.real(), b.real());
    let nan_or = |value: f64| if x.is_nan() || y.is_nan() { f64::NAN } else { value };
    R(match op {
        Binary::Add => x + y,
        Binary::Sub => x - y,
        Binary::Mul => x * y,
        Binary::Div => x / y,
        Binary::Rem => x % y,
        Binary::Pow => x.powf(y),
        Binary::Max => nan_or(x.max(y)),
        Binary::Min => nan_or(x.min(y)),
        Binary::Atan2 => x.atan2(y),
        other => unimplemented!("{other:?} of reals"),
    })
}
