//! A loop that runs while a condition holds.

use std::sync::Arc;

use super::closure::{close, placeholders, with_inputs};
use super::{Operation, Vjp};
use crate::conformance::{Case, Sample};
use crate::{DType, Graph, Spec, Value};

/// `while condition(carries, constants) { carries = body(carries, constants) }`.
///
/// Operands: the carries, the constants, which both graphs read in this order; outputs: the carries.
/// It has no gradient in reverse mode, as nothing bounds the number of steps to remember: a
/// [`super::Scan`] has one.
///
/// # Source
/// StableHLO's `while`, which has no constants: pass them round as carries.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct WhileLoop {
    /// From all operands to one scalar of type `bool`.
    pub condition: Arc<Graph>,
    /// From all operands to the next carries.
    pub body: Arc<Graph>,
    /// How many operands are carries.
    pub num_carries: usize,
}

/// The specifications of a graph's inputs.
pub(super) fn input_specs(graph: &Graph) -> Vec<Spec> {
    graph.inputs.iter().map(|&node| graph.nodes[node].outputs[0].clone()).collect()
}

/// The specifications of a graph's outputs.
pub(super) fn output_specs(graph: &Graph) -> Vec<Spec> {
    graph.outputs.iter().map(|&port| graph.spec(port).clone()).collect()
}

/// Specifications for a message.
pub(super) fn listed(specs: &[Spec]) -> String {
    let words: Vec<String> = specs.iter().map(Spec::to_string).collect();
    format!("({})", words.join(", "))
}

impl Operation for WhileLoop {
    fn name(&self) -> &'static str {
        "while"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Vec<Spec>, String> {
        for (name, graph) in [("condition", &self.condition), ("body", &self.body)] {
            let takes = input_specs(graph);
            if takes != inputs {
                return Err(format!("the {name} takes {}, not the operands", listed(&takes)));
            }
        }
        let returned = output_specs(&self.condition);
        if returned != [Spec::new([], DType::Bool)] {
            return Err(format!("the condition must return (bool[]), not {}", listed(&returned)));
        }
        let carries = inputs.get(..self.num_carries).ok_or("there are fewer operands than carries")?;
        let returned = output_specs(&self.body);
        if returned != carries {
            return Err(format!("the body must return the carries {}, not {}", listed(carries), listed(&returned)));
        }
        Ok(returned)
    }

    fn vjp(&self, _: &Vjp) -> Vec<Option<Value>> {
        panic!(
            "while: has no gradient in reverse mode, as its number of steps is not known; use a scan of fixed length"
        )
    }
}

impl Value {
    /// Runs `body` on the carries while `condition`, of one scalar of type `bool`, holds of them, and
    /// returns the last. Both may read any values of their surroundings; these stay the same.
    ///
    /// # Panics
    /// If the condition is not a scalar of type `bool`, or the body's results do not have the carries'
    /// shapes and element types.
    #[track_caller]
    pub fn while_loop(
        init: &[Value],
        condition: impl FnOnce(&[Value]) -> Value,
        body: impl FnOnce(&[Value]) -> Vec<Value>,
    ) -> Vec<Value> {
        let carries = || placeholders(init.iter().map(Value::spec));
        let arguments = carries();
        let condition = close(&arguments, &[condition(&arguments)]);
        let arguments = carries();
        let body = close(&arguments, &body(&arguments));
        // Both take all that either reads.
        let mut operands = init.to_vec();
        let mut places = |outer: &[Value]| -> Vec<usize> {
            let own = 0..init.len();
            let read = outer.iter().map(|value| {
                let known = operands.iter().skip(init.len()).position(|operand| operand.is_same(value));
                known.map(|place| place + init.len()).unwrap_or_else(|| {
                    operands.push(value.clone());
                    operands.len() - 1
                })
            });
            own.chain(read.collect::<Vec<_>>()).collect()
        };
        let (condition_places, body_places) = (places(&condition.outer), places(&body.outer));
        let specs: Vec<Spec> = operands.iter().map(|operand| operand.spec().clone()).collect();
        let op = WhileLoop {
            condition: Arc::new(with_inputs(&condition.graph, &condition_places, &specs)),
            body: Arc::new(with_inputs(&body.graph, &body_places, &specs)),
            num_carries: init.len(),
        };
        Value::record(op, &operands.iter().collect::<Vec<_>>())
    }
}

pub(crate) fn cases() -> Vec<Case> {
    // Doubles until the sum exceeds a bound from outside.
    let doubling = |x: &[Value]| {
        let (bound, steps) = (&x[1], x[0].zero());
        Value::while_loop(
            &[x[0].clone(), steps],
            |carries| carries[0].reduce(crate::ops::reduction::Reduction::Sum, &[0]).lt(bound),
            |carries| vec![carries[0].add(&carries[0]), carries[1].add(&carries[1].full_like(1.0))],
        )
    };
    let inputs = [Sample::uniform([3], 0.5, 1.5), Sample::uniform([], 20.0, 30.0)];
    vec![Case::new("while", inputs, doubling).not_differentiable()]
}
