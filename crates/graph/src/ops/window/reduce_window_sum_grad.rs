//! The gradient of the sum under a moving window.

use super::{Operation, ReduceWindow, Vjp, Window, window_cases};
use crate::conformance::{Case, Sample};
use crate::ops::reduction::Reduction;
use crate::{Scalar, Shape, Spec, Value};

/// `dx[n, c, i..] = sum of dy[n, c, p..]` over the places `p` of the window that cover element `i`.
///
/// Operand: `dy` `[N, C, out..]`; result `[N, C, input_spatial..]`. It is linear; its own gradient is the
/// sum under the window again.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ReduceWindowSumGrad {
    /// The window.
    pub window: Window,
    /// The sizes of the spatial axes of the sum's operand.
    pub input_spatial: Vec<usize>,
}

impl ReduceWindowSumGrad {
    fn input_shape(&self, dy: &[usize]) -> Result<Shape, String> {
        let channels = dy.get(..2).ok_or("dy must be [N, C, out..]")?;
        Ok([channels, &self.input_spatial].concat().into())
    }
}

impl Operation for ReduceWindowSumGrad {
    fn name(&self) -> &'static str {
        "reduce_window_sum_grad"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Vec<Spec>, String> {
        let dy = &inputs[0];
        let shape = self.input_shape(&dy.shape)?;
        let expected = self.window.output_shape(&shape)?;
        if dy.shape != expected || !dy.dtype.is_float() {
            return Err(format!("dy must be floating-point, of the shape {expected} of the sums over {shape}"));
        }
        Ok(vec![Spec::new(shape, dy.dtype)])
    }

    fn vjp(&self, context: &Vjp) -> Vec<Option<Value>> {
        vec![Some(context.cotangent().reduce_window(Reduction::Sum, self.window.clone()))]
    }

    /// The gradient of the sum's decomposition, which is linear: at 0, as everywhere.
    fn decompose(&self, inputs: &[Value]) -> Option<Vec<Value>> {
        let shape = self.input_shape(inputs[0].shape()).expect("checked when recorded");
        let x = Value::constant(Scalar::from_f64(inputs[0].dtype(), 0.0), shape);
        let sum = ReduceWindow { reduction: Reduction::Sum, window: self.window.clone() };
        let y = sum.decompose(std::slice::from_ref(&x))?;
        crate::gradients(&y, inputs, &[x]).into_iter().collect()
    }
}

pub(crate) fn cases() -> Vec<Case> {
    let case = |(name, shape, window): (&str, Vec<usize>, Window)| {
        let dy = window.output_shape(&shape).expect("fits");
        let op = ReduceWindowSumGrad { window, input_spatial: shape[2..].to_vec() };
        let build = move |x: &[Value]| vec![Value::record_one(op.clone(), &[&x[0]])];
        Case::new(format!("reduce_window_sum_grad {name}"), [Sample::uniform(dy, -1.0, 1.0)], build)
    };
    window_cases().into_iter().map(case).collect()
}
