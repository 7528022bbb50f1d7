//! Loops: kernels that run plans of their own.

use std::sync::Mutex;

use gyrus_graph::ops::control::{Scan, WhileLoop};
use gyrus_graph::{Buffer, Graph, Op, Spec};

use super::Plan;
use crate::kernel::{Kernel, Run, Signature};
use crate::pool::Pool;

/// The kernel of a loop.
pub(super) fn kernel_for(op: &Op, signature: &Signature) -> Option<Box<dyn Kernel>> {
    Some(match op {
        Op::Scan(op) => Box::new(ScanKernel::new(op, signature)),
        Op::WhileLoop(op) => Box::new(WhileKernel::new(op, signature)),
        _ => return None,
    })
}

/// Buffers of these specifications.
fn buffers(specs: &[Spec]) -> Vec<Buffer> {
    specs.iter().map(|spec| Buffer::zeroed(spec.num_bytes())).collect()
}

fn pointer(buffer: &mut Buffer) -> *mut u8 {
    buffer.bytes_mut().expect("has one holder").as_mut_ptr()
}

/// A piece of a loop: a graph with values that it reads and writes.
struct Body {
    plan: Plan,
    inputs: Vec<*const u8>,
    outputs: Vec<*mut u8>,
}

// SAFETY: the pointers are set anew in each run, and used only within it.
unsafe impl Send for Body {}

impl Body {
    fn new(graph: &Graph) -> Self {
        let (inputs, outputs) = (Vec::with_capacity(graph.inputs.len()), Vec::with_capacity(graph.outputs.len()));
        Body { plan: Plan::new(graph, &[]), inputs, outputs }
    }

    /// # Safety
    /// The pointers are as [`Plan::run`] asks for.
    unsafe fn run(
        &mut self,
        inputs: impl Iterator<Item = *const u8>,
        outputs: impl Iterator<Item = *mut u8>,
        pool: &Pool,
    ) {
        self.inputs.clear();
        self.inputs.extend(inputs);
        self.outputs.clear();
        self.outputs.extend(outputs);
        // SAFETY: as the caller vouches.
        unsafe { self.plan.run(&self.inputs, &self.outputs, pool) }
    }
}

/// Copies each buffer to or from memory of its size.
///
/// # Safety
/// There are as many bytes as the buffer has, elsewhere.
unsafe fn fill(buffer: &mut Buffer, from: *const u8) {
    let bytes = buffer.bytes_mut().expect("has one holder");
    // SAFETY: as the caller vouches.
    unsafe { bytes.as_mut_ptr().copy_from_nonoverlapping(from, bytes.len()) }
}

/// # Safety
/// As [`fill`].
unsafe fn spill(buffer: &Buffer, to: *mut u8) {
    // SAFETY: as the caller vouches.
    unsafe { to.copy_from_nonoverlapping(buffer.as_ptr(), buffer.len()) }
}

struct ScanKernel {
    num_carries: usize,
    num_xs: usize,
    length: usize,
    reverse: bool,
    state: Mutex<ScanState>,
}

struct ScanState {
    body: Body,
    carries: Vec<Buffer>,
    next: Vec<Buffer>,
    /// One step's slices, copied so that they are aligned.
    xs: Vec<Buffer>,
    ys: Vec<Buffer>,
}

impl ScanKernel {
    fn new(op: &Scan, signature: &Signature) -> Self {
        let carries = &signature.inputs[..op.num_carries];
        let slice = |spec: &Spec| Spec::new(&spec.shape[1..], spec.dtype);
        let xs: Vec<Spec> = signature.inputs[op.num_carries..][..op.num_xs].iter().map(slice).collect();
        let ys: Vec<Spec> = signature.outputs[op.num_carries..].iter().map(slice).collect();
        let state = ScanState {
            body: Body::new(&op.body),
            carries: buffers(carries),
            next: buffers(carries),
            xs: buffers(&xs),
            ys: buffers(&ys),
        };
        ScanKernel {
            num_carries: op.num_carries,
            num_xs: op.num_xs,
            length: op.length,
            reverse: op.reverse,
            state: Mutex::new(state),
        }
    }
}

impl Kernel for ScanKernel {
    /// Each step is a walk of its own.
    fn is_shared(&self) -> bool {
        false
    }

    unsafe fn run(&self, run: &Run) {
        let mut state = self.state.lock().expect("no run panics");
        let ScanState { body, carries, next, xs, ys } = &mut *state;
        let (init, rest) = run.inputs.split_at(self.num_carries);
        let (sliced, constants) = rest.split_at(self.num_xs);
        let (last, stacked) = run.outputs.split_at(self.num_carries);
        // SAFETY: operands and results have the sizes of the signature; a step reads and writes one slice
        // of those that are sliced; the loop's own buffers overlap nothing.
        unsafe {
            carries.iter_mut().zip(init).for_each(|(carry, &from)| fill(carry, from));
            for step in 0..self.length {
                let t = if self.reverse { self.length - 1 - step } else { step };
                xs.iter_mut().zip(sliced).for_each(|(x, &from)| fill(x, from.add(t * x.len())));
                let inputs = carries.iter().chain(&*xs).map(Buffer::as_ptr).chain(constants.iter().copied());
                let outputs = next.iter_mut().chain(&mut *ys).map(pointer);
                body.run(inputs, outputs, run.pool);
                ys.iter().zip(stacked).for_each(|(y, &to)| spill(y, to.add(t * y.len())));
                std::mem::swap(carries, next);
            }
            carries.iter().zip(last).for_each(|(carry, &to)| spill(carry, to));
        }
    }
}

struct WhileKernel {
    num_carries: usize,
    state: Mutex<WhileState>,
}

struct WhileState {
    condition: Body,
    body: Body,
    carries: Vec<Buffer>,
    next: Vec<Buffer>,
    goes_on: Buffer,
}

impl WhileKernel {
    fn new(op: &WhileLoop, signature: &Signature) -> Self {
        let carries = &signature.inputs[..op.num_carries];
        let state = WhileState {
            condition: Body::new(&op.condition),
            body: Body::new(&op.body),
            carries: buffers(carries),
            next: buffers(carries),
            goes_on: Buffer::zeroed(1),
        };
        WhileKernel { num_carries: op.num_carries, state: Mutex::new(state) }
    }
}

impl Kernel for WhileKernel {
    /// Each step is a walk of its own.
    fn is_shared(&self) -> bool {
        false
    }

    unsafe fn run(&self, run: &Run) {
        let mut state = self.state.lock().expect("no run panics");
        let WhileState { condition, body, carries, next, goes_on } = &mut *state;
        let (init, constants) = run.inputs.split_at(self.num_carries);
        // SAFETY: as for a scan.
        unsafe {
            carries.iter_mut().zip(init).for_each(|(carry, &from)| fill(carry, from));
            loop {
                let inputs = || carries.iter().map(Buffer::as_ptr).chain(constants.iter().copied());
                condition.run(inputs(), std::iter::once(pointer(goes_on)), run.pool);
                if goes_on.bytes()[0] == 0 {
                    break;
                }
                body.run(inputs(), next.iter_mut().map(pointer), run.pool);
                std::mem::swap(carries, next);
            }
            carries.iter().zip(run.outputs).for_each(|(carry, &to)| spill(carry, to));
        }
    }
}
