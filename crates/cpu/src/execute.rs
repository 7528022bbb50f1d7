//! Computing values that were recorded.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use gyrus_graph::{Buffer, Graph, Value};

use crate::plan::Plan;
use crate::pool::Pool;

/// More plans than this are not kept, nor plans that need more memory.
const MAX_PLANS: usize = 512;
const MAX_BYTES: usize = 1 << 30;

type Plans = HashMap<Graph, Arc<Mutex<Plan>>>;

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Computes `values` together and remembers their elements. Plans are kept by the structure, shapes and
/// element types of what is computed.
///
/// # Panics
/// If a value depends on a placeholder, or needs an operation on an element type that has no kernel.
pub fn evaluate(values: &[Value]) {
    let mut wanted: Vec<Value> = vec![];
    for value in values {
        if !value.is_computed() && !wanted.iter().any(|other| other.is_same(value)) {
            wanted.push(value.clone());
        }
    }
    if wanted.is_empty() {
        return;
    }
    let captured = Graph::capture(&[], &wanted);
    let inputs: Vec<*const u8> = captured.constant_buffers().map(Buffer::as_ptr).collect();
    let mut results: Vec<Buffer> = wanted.iter().map(|value| Buffer::unset(value.spec().num_bytes())).collect();
    let outputs: Vec<*mut u8> =
        results.iter_mut().map(|buffer| buffer.bytes_mut().expect("new").as_mut_ptr()).collect();
    let plan = plan_of(captured.graph);
    // SAFETY: buffers are aligned to 64 bytes and of the sizes of the values; results are new.
    unsafe { lock(&plan).run(&inputs, &outputs, Pool::global()) };
    wanted.iter().zip(results).for_each(|(value, buffer)| value.set_buffer(buffer));
}

fn plan_of(graph: Graph) -> Arc<Mutex<Plan>> {
    static PLANS: OnceLock<Mutex<Plans>> = OnceLock::new();
    let plans = PLANS.get_or_init(Mutex::default);
    if let Some(plan) = lock(plans).get(&graph) {
        return plan.clone();
    }
    let plan = Arc::new(Mutex::new(Plan::new(&graph, &[])));
    if lock(&plan).arena_bytes() > MAX_BYTES {
        return plan;
    }
    let mut plans = lock(plans);
    if plans.len() >= MAX_PLANS {
        plans.clear();
    }
    plans.insert(graph, plan.clone());
    plan
}
