//! Which element-wise results are computed again where they are read, instead of being kept in memory.
//!
//! What the gradient of an activation needs of the way forward is a few operations away from the product that
//! went into it, and that product is in memory: to read it again costs no more than to read what was made of it,
//! which is then not written at all.

use std::collections::{HashMap, HashSet};

use gyrus_graph::ops::elementwise::Unary;
use gyrus_graph::{Graph, GraphNode, Op, Port};

use super::fuse::{Group, Role, root};

/// The most work that is done again for one result.
const MAX_COST: usize = 12;
/// The work of a function like `exp`, in additions.
const FUNCTION_COST: usize = 4;
/// An operand that repeats so often costs nothing to read again.
const MIN_REPEATS: usize = 8;

/// How a result comes to be: the one value of its size that it is made from, and the work that this takes.
#[derive(Clone, Copy, Default)]
struct Recipe {
    root: Option<Port>,
    cost: usize,
}

/// The element-wise operations to compute again in each group that reads them. `stored` are the element-wise
/// results that are in memory if nothing is.
pub(super) fn recomputed(graph: &Graph, groups: &[Group], stored: &HashSet<Port>) -> HashSet<usize> {
    let elementwise: HashSet<usize> = groups.iter().flat_map(|group| group.elementwise.iter().copied()).collect();
    let mut must_store: HashSet<usize> = graph.outputs.iter().map(|port| port.node).collect();
    for node in &graph.nodes {
        if !matches!(Role::of(&node.op), Role::Elementwise | Role::Reduce) {
            must_store.extend(node.inputs.iter().map(|port| port.node));
        }
    }
    let mut recipes: HashMap<usize, Recipe> = HashMap::new();
    let mut recomputed = HashSet::new();
    for (index, node) in graph.nodes.iter().enumerate().filter(|(index, _)| elementwise.contains(index)) {
        let is_stored = stored.contains(&Port { node: index, output: 0 });
        match recipe(graph, node, &recipes) {
            Some(recipe) if !is_stored => _ = recipes.insert(index, recipe),
            Some(recipe) if !must_store.contains(&index) && is_worthwhile(graph, node, recipe) => {
                recipes.insert(index, recipe);
                recomputed.insert(index);
            }
            // It is in memory: others are made from it.
            _ if is_stored => {}
            _ => _ = recipes.insert(index, Recipe { root: None, cost: usize::MAX }),
        }
    }
    recomputed
}

fn is_worthwhile(graph: &Graph, node: &GraphNode, recipe: Recipe) -> bool {
    let is_no_larger = |root: Port| graph.spec(root).dtype.size() <= node.outputs[0].dtype.size();
    recipe.root.is_some_and(is_no_larger) && recipe.cost <= MAX_COST
}

/// From one value in memory, and from such as repeat; `None` if there is no such recipe.
fn recipe(graph: &Graph, node: &GraphNode, recipes: &HashMap<usize, Recipe>) -> Option<Recipe> {
    let mut made = Recipe { root: None, cost: cost(&node.op)? };
    for &port in &node.inputs {
        let part = match Role::of(&graph.nodes[port.node].op) {
            Role::View if repeats(graph, port) => Recipe::default(),
            // An input may be overwritten before it is read again.
            Role::View => return None,
            Role::Source if matches!(graph.nodes[port.node].op, Op::Leaf(_)) => return None,
            Role::Source => Recipe::default(),
            _ => *recipes.get(&port.node).unwrap_or(&Recipe { root: Some(port), cost: 0 }),
        };
        made.cost = made.cost.saturating_add(part.cost);
        made.root = match (made.root, part.root) {
            (Some(one), Some(other)) if one != other => return None,
            (one, other) => one.or(other),
        };
    }
    Some(made).filter(|made| made.cost != usize::MAX)
}

fn cost(op: &Op) -> Option<usize> {
    match op {
        Op::Unary(Unary::Exp | Unary::Tanh | Unary::Erf | Unary::Logistic | Unary::Log | Unary::Log1p) => {
            Some(FUNCTION_COST)
        }
        Op::Unary(Unary::Gelu | Unary::GeluSlope) => Some(2 * FUNCTION_COST),
        Op::Unary(Unary::Abs | Unary::Neg | Unary::Sign | Unary::Sqrt | Unary::Rsqrt) => Some(1),
        Op::Unary(_) => None,
        _ => Some(1),
    }
}

/// Whether a view shows each element many times.
fn repeats(graph: &Graph, port: Port) -> bool {
    let [shown, there] = [port, root(graph, port)].map(|port| graph.spec(port).shape.num_elements());
    there * MIN_REPEATS <= shown
}
