//! Computing values that were recorded, on an accelerator.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use gyrus_graph::{Accelerator, Graph, Value};

use crate::program::{Argument, Program};
use crate::{PjrtError, Sharing, resident};

/// More programs than this are not kept.
const MAX_PROGRAMS: usize = 512;

type Programs = Mutex<Option<HashMap<(Accelerator, Graph), Arc<Program>>>>;

/// Computes `values` together and remembers their elements, which stay on the accelerator, each device having all of
/// them. Programs are kept by the structure, shapes and element types of what is computed.
///
/// # Errors
/// If there is no word for an operation, or the accelerator fails.
///
/// # Panics
/// If a value depends on a placeholder.
pub fn evaluate(accelerator: Accelerator, values: &[Value]) -> Result<(), PjrtError> {
    let mut wanted: Vec<Value> = vec![];
    for value in values {
        if !value.is_computed() && !wanted.iter().any(|other| other.is_same(value)) {
            wanted.push(value.clone());
        }
    }
    if wanted.is_empty() {
        return Ok(());
    }
    let captured = Graph::capture(&[], &wanted);
    let whole = |value: &Value| Ok(Argument::Kept(resident(value, accelerator, Sharing::Whole)?));
    let arguments = captured.constants.iter().map(whole).collect::<Result<_, PjrtError>>()?;
    let results = program(accelerator, captured.graph)?.run(arguments)?;
    wanted.iter().zip(results).for_each(|(value, held)| value.set_remote(Arc::new(held)));
    Ok(())
}

fn program(accelerator: Accelerator, graph: Graph) -> Result<Arc<Program>, PjrtError> {
    static PROGRAMS: Programs = Mutex::new(None);
    let lock = || PROGRAMS.lock().unwrap_or_else(PoisonError::into_inner);
    let key = (accelerator, graph);
    if let Some(program) = lock().get_or_insert_default().get(&key) {
        return Ok(program.clone());
    }
    let inputs = vec![Sharing::Whole; key.1.inputs.len()];
    let program = Arc::new(Program::new(accelerator, &key.1, &[], &inputs)?);
    let mut programs = lock();
    let programs = programs.get_or_insert_default();
    if programs.len() >= MAX_PROGRAMS {
        programs.clear();
    }
    programs.insert(key, program.clone());
    Ok(program)
}
