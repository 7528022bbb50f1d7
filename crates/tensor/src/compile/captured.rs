//! What a function records.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use gyrus_graph::{Graph, Spec, Value};

use super::shares::{share, with_shares};
use crate::{Module, Path};

/// What a function records on placeholders for its arguments.
pub(super) struct Captured<O> {
    /// Its inputs are the state's tensors, the inputs, the constants; its outputs those of the state that are replaced,
    /// then the results.
    pub(super) graph: Graph,
    /// How many tensors the state has.
    pub(super) num_state: usize,
    /// For each tensor of the state, whether the function replaces it.
    pub(super) is_replaced: Vec<bool>,
    /// What the results are.
    pub(super) results: Vec<Spec>,
    /// Tensors of the surroundings that the function reads.
    pub(super) constants: Vec<Value>,
    /// The function's result, with other tensors in it.
    pub(super) template: O,
}

impl<O: Module> Captured<O> {
    /// Runs `function` on placeholders; those of the inputs are one of so many shares.
    pub(super) fn new<S: Module, I: Module>(
        function: &mut impl FnMut(&mut S, I) -> O,
        state: &mut S,
        mut inputs: I,
        num_shares: usize,
    ) -> Self {
        let before = values(state);
        let old: Vec<Value> = before.iter().map(|value| Value::placeholder(value.spec().clone())).collect();
        let given = values(&inputs);
        let given: Vec<Value> = given.iter().map(|value| Value::placeholder(share(value.spec(), num_shares))).collect();
        replace(state, &old);
        replace(&mut inputs, &given);
        let result = catch_unwind(AssertUnwindSafe(|| {
            let outputs = with_shares(num_shares, || function(state, inputs));
            let new = values(state);
            let is_like = |(old, new): (&Value, &Value)| {
                assert!(
                    old.spec() == new.spec(),
                    "compile: the function replaces a tensor of the state, {}, by {}: it must keep shape and type",
                    old.spec(),
                    new.spec()
                );
            };
            assert_eq!(old.len(), new.len(), "compile: the function must keep the number of the state's tensors");
            old.iter().zip(&new).for_each(is_like);
            (outputs, new)
        }));
        replace(state, &before);
        let (mut template, new) = result.unwrap_or_else(|panic| resume_unwind(panic));

        let is_replaced: Vec<bool> = old.iter().zip(&new).map(|(old, new)| !old.is_same(new)).collect();
        let results = values(&template);
        let replaced = new.iter().zip(&is_replaced).filter_map(|(value, is)| is.then_some(value));
        let outputs: Vec<Value> = replaced.chain(&results).cloned().collect();
        let captured = Graph::capture(&[&old[..], &given].concat(), &outputs);
        let nothing = Value::from_elements([0], &[0u8; 0]);
        replace(&mut template, &vec![nothing; results.len()]);
        Captured {
            graph: captured.graph,
            num_state: old.len(),
            is_replaced,
            results: results.iter().map(|value| value.spec().clone()).collect(),
            constants: captured.constants,
            template,
        }
    }

    /// Which inputs of the graph may be overwritten by which of its outputs.
    pub(super) fn donated(&self) -> Vec<(usize, usize)> {
        let replaced = (0..self.num_state).filter(|&index| self.is_replaced[index]);
        replaced.enumerate().map(|(output, input)| (input, output)).collect()
    }
}

fn values(module: &impl Module) -> Vec<Value> {
    let mut all = vec![];
    module.walk(&mut Path::default(), &mut |_, _, tensor| all.push(tensor.value().clone()));
    all
}

/// Puts other tensors in the place of a module's, in the order of its walk.
fn replace(module: &mut impl Module, values: &[Value]) {
    let mut values = values.iter();
    module.walk_mut(&mut Path::default(), &mut |_, _, tensor| {
        *tensor = values.next().expect("a walk is always the same").clone().into();
    });
}
