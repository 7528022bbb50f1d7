//! From graphs to StableHLO text.
//!
//! Each family of operations has a file, named as its folder in `gyrus_graph::ops`; [`table`] says which operation is
//! lowered where. An operation that StableHLO has no word for becomes a private function made of its decomposition,
//! one for equal operations on equal specifications. Compilers inline calls before anything else, so a function costs
//! nothing there; here it keeps the text short, and names what the operations inside are for. Every operation
//! carries the name of the operation of ours that it belongs to as its location.
//!
//! The text is in MLIR's generic form, which changes less from version to version than the pretty one.
//!
//! # Source
//! The StableHLO specification, <https://openxla.org/stablehlo/spec>.

mod attributes;
mod collective;
mod contraction;
mod control;
mod elementwise;
mod erf;
mod error;
mod indexing;
mod movement;
mod random;
mod reduction;
mod source;
mod table;
mod whole;
mod window;
mod writer;

#[cfg(test)]
mod tests;

pub use error::LoweringError;

use gyrus_graph::{Graph, Spec};

use writer::Writer;

/// What a program is beside its graph.
#[derive(Clone, Copy, Debug)]
pub struct Lowering<'a> {
    /// The program's name; characters that are neither letters nor digits become underscores.
    pub name: &'a str,
    /// Pairs of an input and an output that may take its memory; they have equal specifications.
    pub donated: &'a [(usize, usize)],
    /// On how many devices the program runs at once, at least 1, each with its part of a batch. With several
    ///
    /// * [`gyrus_graph::ops::collective::AllReduce`] is the mean over them,
    /// * batch normalisation and its gradient use the statistics of the whole batch,
    /// * replica `r` draws random words from place `r * num_elements` on, so that what is drawn for a batch that is
    ///   split along its leading axis is what one device would draw.
    pub num_replicas: usize,
}

/// A module of StableHLO whose function `main` takes the graph's inputs and returns its outputs. The same graph gives
/// the same text always.
///
/// ```
/// use gyrus_graph::{DType, Graph, Spec, Value};
/// use gyrus_pjrt::lowering::{Lowering, lower};
/// let x = Value::placeholder(Spec::new([2], DType::F32));
/// let graph = Graph::capture(&[x.clone()], &[x.exp()]).graph;
/// let text = lower(&graph, &Lowering { name: "exp", donated: &[(0, 0)], num_replicas: 1 })?;
/// assert!(text.contains("stablehlo.exponential"));
/// # Ok::<(), gyrus_pjrt::lowering::LoweringError>(())
/// ```
///
/// # Errors
/// If StableHLO has no word for an operation, or a donated pair does not fit.
///
/// # Panics
/// If there is no replica.
pub fn lower(graph: &Graph, options: &Lowering) -> Result<String, LoweringError> {
    assert!(options.num_replicas > 0, "lower: a program has at least one replica");
    let donated = donated_by_input(graph, options.donated)?;
    Writer::new(options.num_replicas).module(options.name, graph, &donated)
}

/// For each input the output that may take its memory.
fn donated_by_input(graph: &Graph, pairs: &[(usize, usize)]) -> Result<Vec<Option<usize>>, LoweringError> {
    let mut outputs = vec![None; graph.inputs.len()];
    for &(input, output) in pairs {
        let specs: Option<(&Spec, &Spec)> = graph
            .inputs
            .get(input)
            .map(|&node| &graph.nodes[node].outputs[0])
            .zip(graph.outputs.get(output).map(|&port| graph.spec(port)));
        let is_taken = outputs.contains(&Some(output)) || outputs.get(input).is_some_and(Option::is_some);
        if is_taken || specs.is_none_or(|(from, to)| from != to) {
            return Err(LoweringError::Donation { input, output });
        }
        outputs[input] = Some(output);
    }
    Ok(outputs)
}
