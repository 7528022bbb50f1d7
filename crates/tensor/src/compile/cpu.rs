//! Replaying on this processor: on the state's own memory, without allocating.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gyrus_cpu::plan::{Plan, PreparedInput};
use gyrus_cpu::pool::Pool;
use gyrus_graph::{Buffer, Spec, Value};

use super::Observe;
use super::captured::Captured;
use crate::{Module, Path, Tensor};

/// A plan with all that a call needs.
pub(super) struct OnCpu {
    pub(super) plan: Plan,
    /// What the plan reads in a prepared form of tensors of the state that the function does not replace, in their order;
    /// shared with other plans of the function.
    prepared: Vec<Arc<Mutex<Prepared>>>,
    /// The tensors of the last result, if the last call was of this plan.
    results: Vec<Value>,
    read: Addresses<*const u8>,
    write: Addresses<*mut u8>,
    /// New memory for tensors of the state that something else holds as well.
    replacements: Vec<(usize, Buffer)>,
}

/// A tensor of the state in a form that kernels want.
struct Prepared {
    /// Which tensor, and the name of the form.
    place: usize,
    form: String,
    memory: Buffer,
    /// What the tensor was when it was prepared. While that is held here, nothing can change it in place.
    of: Option<Value>,
}

impl Prepared {
    fn new(input: &PreparedInput) -> Self {
        let PreparedInput { input: place, ref form, bytes, .. } = *input;
        Prepared { place, form: form.clone(), memory: Buffer::zeroed(bytes), of: None }
    }
}

fn lock(prepared: &Mutex<Prepared>) -> MutexGuard<'_, Prepared> {
    prepared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Addresses, kept so that a call does not allocate.
struct Addresses<P>(Vec<P>);

// SAFETY: the addresses are set anew in each call, and used only within it.
unsafe impl<P> Send for Addresses<P> {}

impl OnCpu {
    /// Plans what was captured. `others` are plans of the same function for other signatures.
    pub(super) fn new<'a, O: Module>(captured: &Captured<O>, others: impl Iterator<Item = &'a OnCpu> + Clone) -> Self {
        let mut plan = Plan::new(&captured.graph, &captured.donated());
        let stays: Vec<usize> = (0..captured.num_state).filter(|&index| !captured.is_replaced[index]).collect();
        let prepared = plan.prepare_inputs(&stays).iter().map(|input| {
            let is_it = |other: &&Arc<Mutex<Prepared>>| {
                let other = lock(other);
                (other.place, &other.form) == (input.input, &input.form)
            };
            let found = others.clone().flat_map(|other| &other.prepared).find(is_it);
            found.cloned().unwrap_or_else(|| Arc::new(Mutex::new(Prepared::new(input))))
        });
        OnCpu {
            prepared: prepared.collect(),
            plan,
            results: Vec::with_capacity(captured.results.len()),
            read: Addresses(Vec::with_capacity(captured.graph.inputs.len())),
            write: Addresses(Vec::with_capacity(captured.graph.outputs.len())),
            replacements: vec![],
        }
    }

    /// Lets go of the last result's memory, which is of use to others.
    pub(super) fn rest(&mut self) {
        self.results.clear();
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
        let OnCpu { plan, read: Addresses(read), write: Addresses(write), replacements, .. } = self;
        read.clear();
        write.clear();
        let (mut index, mut prepared) = (0, self.prepared.iter().enumerate().peekable());
        state.walk_mut(path, &mut |_, _, tensor| {
            read.push(address(tensor));
            if captured.is_replaced[index] {
                let own = tensor.value_mut().buffer_mut().and_then(Buffer::bytes_mut).map(<[u8]>::as_mut_ptr);
                write.push(own.unwrap_or_else(|| {
                    let mut buffer = Buffer::unset(tensor.spec().num_bytes());
                    let start = buffer.bytes_mut().expect("new").as_mut_ptr();
                    replacements.push((index, buffer));
                    start
                }));
            }
            while let Some((number, prepared)) = prepared.next_if(|(_, prepared)| lock(prepared).place == index) {
                let Prepared { memory, of, .. } = &mut *lock(prepared);
                if !of.as_ref().is_some_and(|value| value.is_same(tensor.value())) {
                    *of = Some(tensor.value().clone());
                    let to = memory.bytes_mut().expect("has one holder").as_mut_ptr();
                    // SAFETY: the tensor is computed, and of the specification that was planned for.
                    unsafe { plan.prepare(number, address(tensor), to, Pool::global()) }
                }
            }
            index += 1;
        });
        inputs.walk(path, &mut |_, _, tensor| read.push(address(tensor)));
        read.extend(captured.constants.iter().map(|value| value.buffer().expect("computed").as_ptr()));
        read.extend(self.prepared.iter().map(|prepared| lock(prepared).memory.as_ptr()));
        if self.results.is_empty() {
            self.results.extend(captured.results.iter().map(new_leaf));
        }
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
                None => plan.run(read, write, Pool::global()),
                Some(observe) => plan.run_observed(read, write, Pool::global(), observe),
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
    Value::leaf(spec.clone(), Buffer::unset(spec.num_bytes()))
}

fn address(tensor: &Tensor) -> *const u8 {
    tensor.value().buffer().expect("computed before").as_ptr()
}
