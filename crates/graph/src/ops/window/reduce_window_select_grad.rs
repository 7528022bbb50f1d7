//! The gradient of the extremum under a moving window.

use super::{Extremum, Operation, ReduceWindowSelect, Vjp, Window, window_cases};
use crate::conformance::{Case, Sample};
use crate::{Scalar, Spec, Value};

/// `dx[n, c, i..] = sum of dy[n, c, p..]` over the places `p` of the window in which element `i` of `x`
/// is the first extremum, a NaN before any number. A place that holds no element gives to none.
///
/// Operands: `x` `[N, C, spatial..]`, `dy` `[N, C, out..]`; result of the shape of `x`. It is linear in `dy`,
/// and its gradient for `x` is 0 wherever there is one.
///
/// # Source
/// StableHLO's `select_and_scatter`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ReduceWindowSelectGrad {
    /// Which element of the window is selected.
    pub extremum: Extremum,
    /// The window.
    pub window: Window,
}

impl Operation for ReduceWindowSelectGrad {
    fn name(&self) -> &'static str {
        "reduce_window_select_grad"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Vec<Spec>, String> {
        let [x, dy] = inputs else { unreachable!("two operands") };
        let expected = self.window.output_shape(&x.shape)?;
        if dy.shape != expected || dy.dtype != x.dtype || !x.dtype.is_float() {
            return Err(format!("x must be floating-point and dy {}{expected}", x.dtype));
        }
        Ok(vec![x.clone()])
    }

    fn vjp(&self, context: &Vjp) -> Vec<Option<Value>> {
        let select = ReduceWindowSelect { extremum: self.extremum, window: self.window.clone() };
        let ddy = || Value::record_one(select, &[&context.inputs[0], &context.cotangent()]);
        vec![None, context.needs[1].then(ddy)]
    }

    fn decompose(&self, inputs: &[Value]) -> Option<Vec<Value>> {
        let [x, dy] = inputs else { unreachable!("two operands") };
        // What each element of the window receives goes back the way on which it was met.
        let source = Value::constant(Scalar::from_f64(x.dtype(), 0.0), x.shape());
        let met: Vec<Value> = self.window.met(&source, Scalar::from_f64(x.dtype(), 0.0)).collect();
        let selected = self.window.selected(self.extremum, x);
        let parts: Vec<Value> = selected.iter().map(|mask| mask.select(dy, &dy.full_like(0.0))).collect();
        crate::gradients(&met, &parts, &[source]).into_iter().collect()
    }
}

pub(crate) fn cases() -> Vec<Case> {
    let mut all = vec![];
    for (name, shape, window) in window_cases() {
        for extremum in [Extremum::Max, Extremum::Min] {
            let dy = window.output_shape(&shape).expect("fits");
            let op = ReduceWindowSelectGrad { extremum, window: window.clone() };
            let inputs = [Sample::uniform(&shape[..], -1.0, 1.0), Sample::uniform(dy, -1.0, 1.0)];
            let build = move |x: &[Value]| vec![Value::record_one(op.clone(), &[&x[0], &x[1]])];
            all.push(Case::new(format!("reduce_window_select_grad {extremum:?} {name}"), inputs, build));
        }
    }
    all
}
