//! Windows of two by two, with NaN and equal elements, against the interpreter.

use gyrus_graph::conformance::{Case, Sample};
use gyrus_graph::ops::reduction::{Extremum, Reduction};
use gyrus_graph::ops::window::{ReduceWindowSelectGrad, Window};
use gyrus_graph::{DType, Value};

use crate::kernels::conformance::check_cases;

#[test]
fn tiles_agree_with_the_interpreter() {
    let mut cases = vec![];
    for [height, width] in [[2, 2], [28, 28], [10, 10], [7, 35], [9, 64], [4, 101]] {
        let (x, y) = (Sample::uniform([3, 5, height, width], -1.0, 1.0), [3, 5, height / 2, width / 2]);
        // NaN where the logarithm is of a negative number, and many equal elements.
        let odd =
            |x: &Value| x.add(x).round().add(&x.add(&x.full_like(0.9)).log().mul(&x.zero().broadcast(x.shape(), &[])));
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
