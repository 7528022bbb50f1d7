//! Windows over rows, with NaN and equal elements, against the interpreter.

use gyrus_graph::conformance::{Case, Sample};
use gyrus_graph::ops::reduction::{Extremum, Reduction};
use gyrus_graph::ops::window::{ReduceWindowSelect, ReduceWindowSelectGrad, ReduceWindowSumGrad, Window};
use gyrus_graph::{DType, Value};

use crate::kernels::conformance::check_cases;

#[test]
fn tiles_agree_with_the_interpreter() {
    let mut cases = vec![];
    for [height, width] in [[2, 2], [28, 28], [10, 10], [7, 35], [9, 64], [4, 101]] {
        let (x, y) = (Sample::uniform([3, 5, height, width], -1.0, 1.0), [3, 5, height / 2, width / 2]);
        for reduction in [Reduction::Max, Reduction::Min, Reduction::Sum] {
            let build = move |v: &[Value]| vec![odd(&v[0]).reduce_window(reduction, Window::tiles(&[2, 2]))];
            cases.push(Case::new(format!("{reduction:?} of {height} by {width}"), [x.clone()], build));
        }
        for extremum in [Extremum::Max, Extremum::Min] {
            let op = ReduceWindowSelectGrad { extremum, window: Window::tiles(&[2, 2]) };
            let build = move |v: &[Value]| vec![Value::record_one(op.clone(), &[&odd(&v[0]), &v[1]])];
            let inputs = [x.clone(), Sample::uniform(y, -1.0, 1.0)];
            cases.push(Case::new(format!("gradient of {extremum:?} of {height} by {width}"), inputs, build));
        }
    }
    let count = cases.len();
    let checked = check_cases(cases, DType::F32);
    assert!(checked >= count);
}

/// With NaN where the logarithm is of a negative number, and many equal elements.
fn odd(x: &Value) -> Value {
    x.add(x).round().add(&x.add(&x.full_like(0.9)).log().mul(&x.zero().broadcast(x.shape(), &[])))
}

/// Windows with strides, padding that adds and takes away, dilation, and places that meet nothing.
fn windows_of_all_kinds() -> Vec<Case> {
    let window = |size: &[usize], stride: &[usize], padding: &[(i64, i64)], dilation: &[usize]| Window {
        size: size.to_vec(),
        stride: stride.to_vec(),
        padding: padding.to_vec(),
        dilation: dilation.to_vec(),
    };
    let mut cases = vec![];
    for (sizes, window) in [
        (vec![40, 67], window(&[3, 3], &[2, 2], &[(1, 1); 2], &[1, 1])),
        (vec![9, 20], window(&[5, 5], &[1, 1], &[(2, 2); 2], &[1, 1])),
        (vec![11, 37], window(&[3, 2], &[1, 3], &[(0, 2), (1, 0)], &[2, 4])),
        (vec![10, 33], window(&[2, 3], &[3, 4], &[(-1, 2), (-2, -3)], &[1, 1])),
        (vec![3, 50], window(&[2, 1], &[1, 6], &[(0, 0), (2, 9)], &[2, 1])),
        (vec![6, 3], window(&[4, 9], &[2, 1], &[(3, 3), (7, 8)], &[1, 1])),
        (vec![130], window(&[4], &[4], &[(0, 0)], &[1])),
        (vec![70], window(&[5], &[2], &[(3, 3)], &[3])),
        (vec![40], window(&[2], &[5], &[(-3, 4)], &[2])),
        (vec![5, 6, 35], window(&[2, 3, 2], &[2, 1, 2], &[(1, 0), (1, 1), (0, 1)], &[1, 2, 1])),
    ] {
        let x = Sample::uniform([&[2, 3], &sizes[..]].concat(), -1.0, 1.0);
        let y = [&[2, 3], &window.output_sizes(&sizes).expect("the windows fit")[..]].concat();
        for reduction in [Reduction::Max, Reduction::Min, Reduction::Sum] {
            let of = window.clone();
            let build = move |v: &[Value]| vec![odd(&v[0]).reduce_window(reduction, of.clone())];
            cases.push(Case::new(format!("{reduction:?} of {window:?} over {sizes:?}"), [x.clone()], build));
        }
        for extremum in [Extremum::Max, Extremum::Min] {
            let op = ReduceWindowSelect { extremum, window: window.clone() };
            let build = move |v: &[Value]| vec![Value::record_one(op.clone(), &[&odd(&v[0]), &v[1]])];
            let name = format!("selection by {extremum:?} of {window:?} over {sizes:?}");
            cases.push(Case::new(name, [x.clone(), x.clone()], build));
            let op = ReduceWindowSelectGrad { extremum, window: window.clone() };
            let build = move |v: &[Value]| vec![Value::record_one(op.clone(), &[&odd(&v[0]), &v[1]])];
            let name = format!("gradient of {extremum:?} of {window:?} over {sizes:?}");
            cases.push(Case::new(name, [x.clone(), Sample::uniform(y.clone(), -1.0, 1.0)], build));
        }
        let op = ReduceWindowSumGrad { window: window.clone(), input_spatial: sizes.clone() };
        let build = move |v: &[Value]| vec![Value::record_one(op.clone(), &[&v[0]])];
        let name = format!("gradient of the sum of {window:?} over {sizes:?}");
        cases.push(Case::new(name, [Sample::uniform(y, -1.0, 1.0)], build));
    }
    cases
}

#[test]
fn windows_of_all_kinds_agree_with_the_interpreter() {
    for dtype in [DType::F32, DType::F64, DType::BF16] {
        let (cases, count) = (windows_of_all_kinds(), windows_of_all_kinds().len());
        assert!(check_cases(cases, dtype) >= count);
    }
}
