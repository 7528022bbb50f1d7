//! Replaying on this processor: on the state's own memory, without allocating.

use gyrus_cpu::plan::Plan;
use gyrus_cpu::pool::Pool;
use gyrus_graph::{Buffer, Spec, Value};

use super::Observe;
use super::captured::Captured;
use crate::{Module, Path, Tensor};

/// A plan with all that a call needs.
pub(super) struct OnCpu {
    pub(super) plan: Plan,
    /// Tensors of the state that the function does not replace and of which the plan keeps a prepared form: their
    /// places, and what they were when it was made. While they are held here, nothing can change them in place.
    prepared: Vec<(usize, Option<Value>)>,
    /// The tensors of the last result.
    results: Vec<Value>,
    read: Addresses<*const u8>,
    write: Addresses<*mut u8>,
    /// New memory for tensors of the state that something else holds as well.
    replacements: Vec<(usize, Buffer)>,
}

/// Addresses, kept so that a call does not allocate.
struct Addresses<P>(Vec<P>);

// SAFETY: the addresses are set anew in each call, and used only within it.
unsafe impl<P> Send for Addresses<P> {}

impl OnCpu {
    pub(super) fn new<O: Module>(captured: &Captured<O>) -> Self {
        let mut plan = Plan::new(&captured.graph, &captured.donated());
        let stays: Vec<usize> = (0..captured.num_state).filter(|&index| !captured.is_replaced[index]).collect();
        let mut prepared = plan.prepare_inputs(&stays);
        prepared.sort_unstable();
        prepared.dedup();
        OnCpu {
            plan,
            prepared: prepared.into_iter().map(|index| (index, None)).collect(),
            results: captured.results.iter().map(new_leaf).collect(),
            read: Addresses(Vec::with_capacity(captured.graph.inputs.len())),
            write: Addresses(Vec::with_capacity(captured.graph.outputs.len())),
            replacements: vec![],
        }
    }

    /// Runs the plan and replaces tensors of the state; returns the results. All arguments are computed.
    pub(super) fn run<O>(
        &mut self,
        captured: &Captured<O>,
        state: &mut impl Module,
        inputs: &impl Module,
        path: &mut Path,
        observe: Observe,
    ) -> &[Value] {
        let OnCpu { read: Addresses(read), write: Addresses(write), replacements, .. } = self;
        read.clear();
        write.clear();
        let (mut index, mut prepared, mut has_changed) = (0, self.prepared.iter_mut().peekable(), false);
        state.walk_mut(path, &mut |_, _, tensor| {
            read.push(address(tensor));
            if captured.is_replaced[index] {
                let own = tensor.value_mut().buffer_mut().and_then(Buffer::bytes_mut).map(<[u8]>::as_mut_ptr);
                write.push(own.unwrap_or_else(|| {
                    let mut buffer = Buffer::zeroed(tensor.spec().num_bytes());
                    let start = buffer.bytes_mut().expect("new").as_mut_ptr();
                    replacements.push((index, buffer));
                    start
                }));
            }
            if let Some((_, value)) = prepared.next_if(|(place, _)| *place == index)
                && !value.as_ref().is_some_and(|value| value.is_same(tensor.value()))
            {
                (*value, has_changed) = (Some(tensor.value().clone()), true);
            }
            index += 1;
        });
        if has_changed {
            self.plan.inputs_changed();
        }
        inputs.walk(path, &mut |_, _, tensor| read.push(address(tensor)));
        read.extend(captured.constants.iter().map(|value| value.buffer().expect("computed").as_ptr()));
        for result in &mut self.results {
            if result.buffer_mut().and_then(Buffer::bytes_mut).is_none() {
                *result = new_leaf(result.spec());
            }
            write.push(result.buffer_mut().and_then(Buffer::bytes_mut).expect("has one holder").as_mut_ptr());
        }
        // SAFETY: the buffers are of the sizes of the signature's specifications and aligned to 64 bytes;
        // what is written has no other holder; only donated pairs are the same memory.
        unsafe {
            match observe {
                None => self.plan.run(read, write, Pool::global()),
                Some(observe) => self.plan.run_observed(read, write, Pool::global(), observe),
            }
        }
        if !replacements.is_empty() {
            let (mut index, mut new) = (0, replacements.drain(..).peekable());
            state.walk_mut(path, &mut |_, _, tensor| {
                if let Some((_, buffer)) = new.next_if(|(place, _)| *place == index) {
                    *tensor = Value::leaf(tensor.spec().clone(), buffer).into();
                }
                index += 1;
            });
        }
        &self.results
    }
}

fn new_leaf(spec: &Spec) -> Value {
    Value::leaf(spec.clone(), Buffer::zeroed(spec.num_bytes()))
}

fn address(tensor: &Tensor) -> *const u8 {
    tensor.value().buffer().expect("computed before").as_ptr()
}
