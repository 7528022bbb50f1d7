//! Computing again in place of remembering.

use std::sync::Arc;

use super::closure::{close, placeholders};
use super::while_loop::{input_specs, listed, output_specs};
use super::{Operation, Vjp};
use crate::conformance::{Case, Sample};
use crate::{Graph, Spec, Value};

/// A graph applied to the operands, whose gradient computes the inside a second time from the operands: only they
/// are kept until then.
///
/// # Source
/// Chen et al., Training Deep Nets with Sublinear Memory Cost (2016); JAX's `checkpoint`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Remat {
    /// What is computed.
    pub body: Arc<Graph>,
}

impl Operation for Remat {
    fn name(&self) -> &'static str {
        "remat"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Vec<Spec>, String> {
        let takes = input_specs(&self.body);
        if takes != inputs {
            return Err(format!("the body takes {}, not the operands", listed(&takes)));
        }
        Ok(output_specs(&self.body))
    }

    fn vjp(&self, context: &Vjp) -> Vec<Option<Value>> {
        let inputs: Vec<Value> = context.inputs.iter().map(Value::optimization_barrier).collect();
        let outputs = self.body.inline(&inputs);
        let reached = outputs.into_iter().zip(context.cotangents);
        let (outputs, cotangents): (Vec<Value>, Vec<Value>) =
            reached.filter_map(|(output, cotangent)| Some((output, cotangent.clone()?))).unzip();
        crate::grad::partial_gradients(&outputs, &cotangents, &inputs)
    }

    fn decompose(&self, inputs: &[Value]) -> Option<Vec<Value>> {
        Some(self.body.inline(inputs))
    }
}

impl Value {
    /// `body` of the inputs, which may read any values of its surroundings; gradients flow into them too. What the
    /// body computes is not kept for the gradient but computed again; see [`Remat`].
    #[track_caller]
    pub fn remat(inputs: &[Value], body: impl FnOnce(&[Value]) -> Vec<Value>) -> Vec<Value> {
        let arguments = placeholders(inputs.iter().map(Value::spec));
        let traced = close(&arguments, &body(&arguments));
        let operands: Vec<&Value> = inputs.iter().chain(&traced.outer).collect();
        Value::record(Remat { body: Arc::new(traced.graph) }, &operands)
    }
}

pub(crate) fn cases() -> Vec<Case> {
    let reals = || Sample::uniform([3, 4], -1.0, 1.0);
    let build = |x: &[Value]| {
        let outer = x[1].exp();
        let inside = |x: &[Value]| vec![x[0].tanh().mul(&outer).sin(), x[0].exp()];
        Value::remat(&[x[0].clone()], inside)
    };
    vec![Case::new("remat", [reals(), reals()], build)]
}
