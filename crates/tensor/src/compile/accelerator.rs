//! Replaying on an accelerator: the state stays there, and is overwritten there.

use std::sync::Arc;

use gyrus_graph::{Accelerator, Device, Value};
use gyrus_pjrt::{Argument, Held, Program, Sharing, or_panic, resident};

use super::captured::Captured;
use super::shares::sharing_of;
use crate::{Module, Path};

/// A program with all that a call needs.
pub(super) struct OnAccelerator {
    program: Program,
    accelerator: Accelerator,
    num_shares: usize,
    /// The tensors of the last result.
    results: Vec<Value>,
}

impl OnAccelerator {
    /// # Panics
    /// If the accelerator cannot compile the function.
    pub(super) fn new<O: Module>(captured: &Captured<O>, accelerator: Accelerator, num_shares: usize) -> Self {
        let num_given = captured.graph.inputs.len() - captured.constants.len();
        let sharing = |(place, &input): (usize, &usize)| match place {
            place if (captured.num_state..num_given).contains(&place) => {
                sharing_of(&captured.graph.nodes[input].outputs[0], num_shares)
            }
            _ => Sharing::Whole,
        };
        let sharings: Vec<Sharing> = captured.graph.inputs.iter().enumerate().map(sharing).collect();
        let program = Program::new(accelerator, &captured.graph, &captured.donated(), &sharings);
        let program = or_panic(program);
        let num_replaced = captured.is_replaced.iter().filter(|is| **is).count();
        for output in 0..num_replaced {
            assert!(
                !program.differs(output),
                "compile: a tensor of the state would differ from device to device: it depends on the share of the \
                 batch; take the mean over the devices with all_reduce_mean, of gradients most often"
            );
        }
        OnAccelerator { program, accelerator, num_shares, results: vec![] }
    }

    /// Runs the program and replaces tensors of the state; returns the results, which need not be computed yet. All
    /// arguments are computed.
    ///
    /// # Panics
    /// If the accelerator fails.
    pub(super) fn run<O>(
        &mut self,
        captured: &Captured<O>,
        state: &mut impl Module,
        inputs: &impl Module,
        path: &mut Path,
    ) -> &[Value] {
        let accelerator = self.accelerator;
        let place = |value: &Value, sharing| or_panic(resident(value, accelerator, sharing));
        // Whatever can fail comes before anything is taken from the state.
        state.walk(path, &mut |_, _, tensor| drop(place(tensor.value(), Sharing::Whole)));
        let mut given = vec![];
        inputs.walk(path, &mut |_, _, tensor| {
            given.push(Argument::Kept(place(tensor.value(), sharing_of(tensor.spec(), self.num_shares))));
        });
        given.extend(captured.constants.iter().map(|value| Argument::Kept(place(value, Sharing::Whole))));
        let mut arguments = vec![];
        state.walk_mut(path, &mut |_, _, tensor| {
            let is_replaced = captured.is_replaced[arguments.len()];
            let donated = is_replaced.then(|| Argument::donated(tensor.value_mut())).flatten();
            arguments.push(donated.unwrap_or_else(|| Argument::Kept(place(tensor.value(), Sharing::Whole))));
        });
        arguments.extend(given);
        let device = Device::Accelerator(accelerator);
        let leaf = |held: Held| Value::remote_leaf(held.spec().clone(), device, Arc::new(held));
        let mut outputs = or_panic(self.program.run(arguments)).into_iter().map(leaf);
        let mut index = 0;
        state.walk_mut(path, &mut |_, _, tensor| {
            if captured.is_replaced[index] {
                *tensor = outputs.next().expect("one for each that is replaced").into();
            }
            index += 1;
        });
        self.results = outputs.collect();
        &self.results
    }
}
