//! What a program still holds of what is about to be computed.

use std::collections::{HashMap, HashSet};

use crate::Value;

/// What `values` are made of that others than the operations on the way hold: variables of the program, parameters of a model,
/// what was recorded beside. It will be asked for again, and is best remembered when it is computed for `values`. Views count as
/// what they are views of, constants not at all, nor what is `temporary`.
pub fn held(values: &[Value], temporary: &[Value]) -> Vec<Value> {
    let mut reads: HashMap<u64, (&Value, usize)> = HashMap::new();
    let mut pending: Vec<&Value> = values.iter().filter(|value| !value.is_computed()).collect();
    let mut seen: HashSet<u64> = pending.iter().map(|value| value.node_id()).collect();
    while let Some(value) = pending.pop() {
        for input in value.inputs().iter().filter(|input| !input.is_computed()) {
            reads.entry(input.node_id()).or_insert((input, 0)).1 += 1;
            if seen.insert(input.node_id()) {
                pending.push(input);
            }
        }
    }
    let mut known: HashSet<u64> = values.iter().chain(temporary).map(Value::node_id).collect();
    let mut held = vec![];
    for (mut value, _) in reads.into_values().filter(|(value, count)| value.num_handles() > *count) {
        if known.contains(&value.node_id()) {
            continue;
        }
        while value.op().is_view() {
            value = &value.inputs()[0];
        }
        let is_made = !value.is_computed() && !value.op().is_source();
        if is_made && known.insert(value.node_id()) {
            held.extend(value.siblings());
        }
    }
    held.sort_unstable_by_key(|value| (value.node_id(), value.output_index()));
    held
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Op;

    #[test]
    fn what_only_operations_hold_is_not_held() {
        let x = Value::from_elements([2], &[1.0f32, 2.0]);
        let one = x.full_like(1.0);
        let kept = x.add(&one);
        let y = kept.mul(&kept).add(&kept.mul(&one).mul(&one));
        assert!(held(std::slice::from_ref(&kept), &[]).is_empty(), "{kept:?}");
        let found = held(std::slice::from_ref(&y), &[]);
        assert!(found.len() == 1 && found[0].is_same(&kept), "{found:?}");
        assert!(held(std::slice::from_ref(&y), std::slice::from_ref(&kept)).is_empty());

        // Who holds a view holds what it is a view of; another operation does, too.
        let view = kept.reshape([1, 2]);
        drop(kept);
        let z = view.mul(&view);
        for held in [held(&[y.clone(), z.clone()], &[]), held(&[y], &[]), held(&[z], &[])] {
            assert!(held.len() == 1 && matches!(held[0].op(), Op::Binary(_)), "{held:?}");
        }
    }
}
