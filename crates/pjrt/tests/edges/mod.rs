//! Cases at the edges of what operations are defined for: NaN, infinities, zeros of both signs, the ends of integers,
//! ties, nothing.

use gyrus_graph::conformance::{Case, Sample};
use gyrus_graph::ops::elementwise::{Binary, Unary};
use gyrus_graph::ops::reduction::{Extremum, Reduction};
use gyrus_graph::ops::window::{ReduceWindowSelectGrad, Window};
use gyrus_graph::{DType, Scalar, Value};

/// Reals that are special, of a type.
fn odd_reals(dtype: DType) -> Value {
    let numbers =
        [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.0, -0.0, 0.5, -0.5, 1.5, 2.5, -2.5, 300.0, -1.0, 4e9, -1e19];
    list(dtype, &numbers)
}

/// Known numbers, one after the other, which no simplification sees.
fn list(dtype: DType, numbers: &[f64]) -> Value {
    let parts: Vec<Value> =
        numbers.iter().map(|&number| Value::constant(Scalar::from_f64(dtype, number), [1])).collect();
    Value::concatenate(&parts.iter().collect::<Vec<_>>(), 0).optimization_barrier()
}

/// All pairs of two lists of the same length.
fn pairs(a: &Value) -> [Value; 2] {
    let size = a.shape()[0];
    [a.broadcast([size, size], &[0]), a.broadcast([size, size], &[1])]
}

/// Whole numbers that are special, of a type.
fn odd_integers(dtype: DType) -> Value {
    let numbers: &[i64] = match dtype {
        DType::U8 => &[0, 1, 2, 3, 7, 8, 9, 200, 255],
        DType::I32 => &[0, 1, -1, 2, -3, 7, 31, 32, 33, i32::MAX as i64, i32::MIN as i64],
        _ => &[0, 1, -1, 2, -3, 7, 63, 64, 65, i64::MAX, i64::MIN],
    };
    let part = |&number: &i64| Value::constant(Scalar::from_i64(dtype, number), [1]);
    let parts: Vec<Value> = numbers.iter().map(part).collect();
    Value::concatenate(&parts.iter().collect::<Vec<_>>(), 0).optimization_barrier()
}

/// The real type under test is that of a sample.
fn reals() -> [Sample; 1] {
    [Sample::uniform([1], 0.0, 1.0)]
}

fn case(name: &str, build: impl Fn(DType) -> Vec<Value> + Send + Sync + 'static) -> Case {
    Case::new(name, reals(), move |x| build(x[0].dtype())).not_differentiable()
}

pub fn cases() -> Vec<Case> {
    let exact = [
        Unary::Abs,
        Unary::Neg,
        Unary::Sign,
        Unary::Floor,
        Unary::Ceil,
        Unary::Round,
        Unary::IsFinite,
        Unary::Erf,
        Unary::Gelu,
        Unary::GeluSlope,
        Unary::Tanh,
        Unary::Logistic,
        Unary::Exp,
        Unary::Expm1,
        Unary::Log,
        Unary::Log1p,
        Unary::Sqrt,
        Unary::Rsqrt,
        Unary::Cbrt,
    ];
    let mut all = vec![
        case("unary functions of odd reals", move |dtype| {
            let x = odd_reals(dtype);
            exact.iter().map(|&function| Value::record_one(function, &[&x])).collect()
        }),
        case("signs of zeros", |dtype| {
            // Told apart by their reciprocals.
            let x = odd_reals(dtype);
            let one = x.full_like(1.0);
            [x.neg(), x.sign(), x.round(), x.floor(), x.ceil()].iter().map(|y| one.div(y)).collect()
        }),
        case("erf far and near", |dtype| {
            vec![list(dtype, &[1e-30, 1e-7, 0.46, 0.47, 0.5, 1.0, 2.0, 3.9, 4.1, 5.9, 6.1, 30.0, -1.0, -3.0]).erf()]
        }),
        case("max, min and comparisons of odd reals", |dtype| {
            let [a, b] = pairs(&odd_reals(dtype));
            vec![a.max(&b), a.min(&b), a.eq(&b), a.ne(&b), a.lt(&b), a.le(&b), a.gt(&b), a.ge(&b)]
        }),
        case("remainders and quotients of odd reals", |dtype| {
            let [a, b] = pairs(&list(dtype, &[f64::NAN, f64::INFINITY, 0.0, -0.0, 1.0, -2.5, 7.0]));
            vec![a.rem(&b), a.div(&b)]
        }),
        case("convert odd reals", |dtype| {
            let x = odd_reals(dtype);
            DType::ALL.iter().filter(|&&to| to != dtype).map(|&to| x.convert(to)).collect()
        }),
        case("convert to bf16 and back rounds", |_| {
            let x = list(DType::F32, &[1.001, 1.003_906_25, 1.011_718_75, 3e38, -1e-40]);
            vec![x.convert(DType::BF16).convert(DType::F32).sub(&x)]
        }),
        case("reductions of odd reals", |dtype| {
            let x = odd_reals(dtype);
            let number = list(dtype, &[f64::NEG_INFINITY, -0.0, 0.0, 3.0, 3.0]);
            let low = list(dtype, &[f64::NEG_INFINITY, f64::NEG_INFINITY]);
            let both = |x: &Value| vec![x.reduce(Reduction::Max, &[0]), x.reduce(Reduction::Min, &[0])];
            let places = |x: &Value| vec![x.arg_max(0), x.arg_min(0)];
            [both(&x), both(&number), places(&x), places(&number), places(&low), places(&low.neg())].concat()
        }),
        case("reductions of nothing", |dtype| {
            let none = Value::constant(Scalar::from_f64(dtype, 0.0), [0, 3]);
            let all = [Reduction::Sum, Reduction::Product, Reduction::Max, Reduction::Min];
            all.iter().map(|&reduction| none.reduce(reduction, &[0])).collect()
        }),
        case("sort odd reals", |dtype| {
            let x = odd_reals(dtype);
            let ((a, a_places), (b, b_places)) = (x.sort(0, false), x.sort(0, true));
            vec![a, a_places, b, b_places]
        }),
        case("windows of odd reals", |dtype| {
            let numbers = [1.0, f64::NAN, 2.0, 2.0, f64::NEG_INFINITY, f64::NEG_INFINITY, f64::NAN, f64::NAN, 5.0];
            let x = list(dtype, &numbers).reshape([1, 1, 9]);
            let window = |size, stride, padding| Window {
                stride: vec![stride],
                padding: vec![padding],
                ..Window::tiles(&[size])
            };
            let windows = [window(3, 1, (1, 1)), window(2, 2, (0, 0)), window(2, 1, (-1, 1)), window(2, 2, (3, 3))];
            let mut outputs = vec![];
            for window in windows {
                for (extremum, reduction) in [(Extremum::Max, Reduction::Max), (Extremum::Min, Reduction::Min)] {
                    let y = x.reduce_window(reduction, window.clone());
                    let select = ReduceWindowSelectGrad { extremum, window: window.clone() };
                    // Each place gives another power of two, so that the sums tell which.
                    let powers: Vec<f64> = (0..y.shape()[2]).map(|place| (place as f64 - 5.0).exp2()).collect();
                    let dy = list(dtype, &powers).reshape(y.shape());
                    outputs.extend([y, Value::record_one(select, &[&x, &dy])]);
                }
            }
            outputs
        }),
        case("counts of truth values", |_| vec![Value::iota([3], DType::Bool, 0), Value::iota([3], DType::U8, 0)]),
    ];
    for dtype in [DType::U8, DType::I32, DType::I64] {
        all.push(case(&format!("arithmetic of odd {dtype}"), move |_| {
            let [a, b] = pairs(&odd_integers(dtype));
            let functions = Binary::ALL.iter().filter(|&&function| function != Binary::Atan2);
            functions.map(|&function| Value::record_one(function, &[&a, &b])).collect()
        }));
        all.push(case(&format!("functions of odd {dtype}"), move |_| {
            let x = odd_integers(dtype);
            let all = [Reduction::Sum, Reduction::Product, Reduction::Max, Reduction::Min];
            let reduced = all.iter().map(|&reduction| x.reduce(reduction, &[0]));
            let converted = DType::ALL.iter().filter(|&&to| to != dtype).map(|&to| x.convert(to));
            [x.abs(), x.neg(), x.sign(), x.not(), x.arg_max(0), x.arg_min(0)]
                .into_iter()
                .chain(reduced)
                .chain(converted)
                .collect()
        }));
    }
    all
}
