//! Combines the elements under a moving window.

use super::{Extremum, Operation, ReduceWindowSelectGrad, ReduceWindowSumGrad, Vjp, Window, window_cases};
use crate::conformance::{Case, Sample};
use crate::ops::reduction::Reduction;
use crate::{DType, Spec, Value};

/// `y[n, c, p..] = reduction over k.. of x[n, c, p * stride + k * dilation - padding..]` of the elements
/// that lie within `x`; the reduction's identity of none. `f16` and `bf16` are summed in `f32`.
///
/// The gradient of a maximum or minimum goes to the first element of the window that attains it, a NaN
/// before any number, as in PyTorch and StableHLO.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ReduceWindow {
    /// How elements combine: [`Reduction::Sum`], [`Reduction::Max`] or [`Reduction::Min`].
    pub reduction: Reduction,
    /// The window.
    pub window: Window,
}

impl Operation for ReduceWindow {
    fn name(&self) -> &'static str {
        "reduce_window"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Vec<Spec>, String> {
        if !matches!(self.reduction, Reduction::Sum | Reduction::Max | Reduction::Min) {
            return Err(format!("{:?} is not defined; Sum, Max and Min are", self.reduction));
        }
        if inputs[0].dtype == DType::Bool {
            return Err("is not defined for bool; convert first".into());
        }
        Ok(vec![Spec::new(self.window.output_shape(&inputs[0].shape)?, inputs[0].dtype)])
    }

    fn vjp(&self, context: &Vjp) -> Vec<Option<Value>> {
        let (x, dy, window) = (&context.inputs[0], context.cotangent(), self.window.clone());
        let select =
            |extremum| Value::record_one(ReduceWindowSelectGrad { extremum, window: window.clone() }, &[x, &dy]);
        vec![Some(match self.reduction {
            Reduction::Max => select(Extremum::Max),
            Reduction::Min => select(Extremum::Min),
            _ => {
                let input_spatial = x.shape()[2..].to_vec();
                Value::record_one(ReduceWindowSumGrad { window: window.clone(), input_spatial }, &[&dy])
            }
        })]
    }

    fn decompose(&self, inputs: &[Value]) -> Option<Vec<Value>> {
        let x = &inputs[0];
        let combine = |a: Value, b: Value| match self.reduction {
            Reduction::Max => a.max(&b),
            Reduction::Min => a.min(&b),
            _ => a.add(&b),
        };
        let result = self.window.met(x, self.reduction.identity(x.dtype())).reduce(combine);
        Some(vec![result.expect("a window has elements")])
    }
}

impl Value {
    /// Combines the elements of `[N, C, spatial..]` under a moving window; see [`ReduceWindow`].
    ///
    /// # Panics
    /// If the window does not fit the shape, the reduction is not `Sum`, `Max` or `Min`, or the element
    /// type is `bool`.
    #[track_caller]
    pub fn reduce_window(&self, reduction: Reduction, window: Window) -> Value {
        Value::record_one(ReduceWindow { reduction, window }, &[self])
    }
}

pub(crate) fn cases() -> Vec<Case> {
    let mut all = vec![];
    for (name, shape, window) in window_cases() {
        for reduction in [Reduction::Sum, Reduction::Max, Reduction::Min] {
            let window = window.clone();
            let name = format!("reduce_window {reduction:?} {name}");
            let build = move |x: &[Value]| vec![x[0].reduce_window(reduction, window.clone())];
            all.push(Case::new(name, [Sample::uniform(&shape[..], -1.0, 1.0)], build));
        }
    }
    all
}
