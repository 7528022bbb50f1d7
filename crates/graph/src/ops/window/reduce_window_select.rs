//! Picks elements where another tensor has its extremum under a moving window.

use super::{Extremum, Operation, ReduceWindowSelectGrad, Vjp, Window, window_cases};
use crate::conformance::{Case, Sample};
use crate::{Scalar, Spec, Value};

/// `y[n, c, p..]` is the element of `source` at the place where `x` has its first extremum under place `p`
/// of the window, a NaN before any number; 0 where the window holds no element.
///
/// Operands: `x` and `source`, both `[N, C, spatial..]`; result `[N, C, out..]`. It is linear in `source`,
/// and its gradient for `x` is 0 wherever there is one. The gradient of [`ReduceWindowSelectGrad`], which
/// is its own gradient in turn.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ReduceWindowSelect {
    /// Which element of the window is selected.
    pub extremum: Extremum,
    /// The window.
    pub window: Window,
}

impl Operation for ReduceWindowSelect {
    fn name(&self) -> &'static str {
        "reduce_window_select"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Vec<Spec>, String> {
        let [x, source] = inputs else { unreachable!("two operands") };
        if x != source || !x.dtype.is_float() {
            return Err("both must be floating-point, of one shape and element type".into());
        }
        Ok(vec![Spec::new(self.window.output_shape(&x.shape)?, x.dtype)])
    }

    fn vjp(&self, context: &Vjp) -> Vec<Option<Value>> {
        let grad = ReduceWindowSelectGrad { extremum: self.extremum, window: self.window.clone() };
        let dsource = || Value::record_one(grad, &[&context.inputs[0], &context.cotangent()]);
        vec![None, context.needs[1].then(dsource)]
    }

    fn decompose(&self, inputs: &[Value]) -> Option<Vec<Value>> {
        let [x, source] = inputs else { unreachable!("two operands") };
        let selected = self.window.selected(self.extremum, x);
        let met = self.window.met(source, Scalar::from_f64(source.dtype(), 0.0));
        let parts = met.zip(&selected).map(|(met, mask)| mask.select(&met, &met.full_like(0.0)));
        Some(vec![parts.reduce(|sum, part| sum.add(&part)).expect("a window has elements")])
    }
}

pub(crate) fn cases() -> Vec<Case> {
    let mut all = vec![];
    for (name, shape, window) in window_cases() {
        for extremum in [Extremum::Max, Extremum::Min] {
            let op = ReduceWindowSelect { extremum, window: window.clone() };
            let reals = Sample::uniform(&shape[..], -1.0, 1.0);
            let build = move |x: &[Value]| vec![Value::record_one(op.clone(), &[&x[0], &x[1]])];
            all.push(Case::new(format!("reduce_window_select {extremum:?} {name}"), [reals.clone(), reals], build));
        }
    }
    all
}
