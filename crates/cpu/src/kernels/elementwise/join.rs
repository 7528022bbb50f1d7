//! Steps of a program that become one loop.

use gyrus_graph::DType;
use gyrus_graph::ops::elementwise::Binary;

use super::functions::{CHAINS, MAX_OPERANDS, Pattern};
use super::lower::{Definition, Extent, Function, NONE, Value, Values, call};

/// What a pattern is found to be.
#[derive(Clone)]
struct Match {
    operands: [usize; MAX_OPERANDS],
    /// The result and the values between it and the operands, what each is like, and how often the match uses it.
    inner: Vec<(usize, Pattern, usize)>,
}

impl Values {
    /// Makes one step of each chain that there is a loop for, and of which nothing else reads what is in between.
    pub(super) fn join(&mut self) {
        let mut uses = vec![0; self.values.len()];
        for value in self.values.iter().filter(|value| value.is_live) {
            if let Definition::Call { operands, .. } = &value.definition {
                operands.iter().for_each(|&operand| uses[operand] += 1);
            }
        }
        self.stores.iter().map(|&(value, _)| value).chain(self.result).for_each(|value| uses[value] += 1);
        for (number, chain) in CHAINS.iter().enumerate() {
            for index in 0..self.values.len() {
                let empty = Match { operands: [NONE; MAX_OPERANDS], inner: vec![] };
                let Some(found) = self.find(&chain.pattern, index, empty) else { continue };
                // The result is the first of what is matched.
                let (_, between) = found.inner.split_first().expect("the result");
                if between.iter().any(|&(value, _, used)| uses[value] != used) {
                    continue;
                }
                between.iter().for_each(|&(value, ..)| self.values[value].is_live = false);
                self.values[index].definition = call(Function::Chain(number), &found.operands[..chain.num_operands]);
            }
        }
    }

    /// Completes a match where a value is like a pattern.
    fn find(&self, pattern: &Pattern, index: usize, mut found: Match) -> Option<Match> {
        let Value { dtype, extent, ref definition, is_live: true } = self.values[index] else { return None };
        let is_truth = matches!(pattern, Pattern::Compare(..));
        if dtype != if is_truth { DType::Bool } else { DType::F32 } {
            return None;
        }
        let is_full = extent == Extent::Full;
        if let Pattern::Block(operand) | Pattern::Scalar(operand) = *pattern {
            let is_same = [NONE, index].contains(&found.operands[operand]);
            found.operands[operand] = index;
            return (is_same && is_full == matches!(pattern, Pattern::Block(_))).then_some(found);
        }
        let Definition::Call { function, operands } = definition else { return None };
        if !is_full {
            return None;
        }
        if let Some((_, known, used)) = found.inner.iter_mut().find(|(value, ..)| *value == index) {
            *used += 1;
            return (known == pattern).then_some(found);
        }
        found.inner.push((index, *pattern, 1));
        match (*pattern, *function) {
            (Pattern::Unary(wanted, x), Function::Unary(function)) if wanted == function => {
                self.find(x, operands[0], found)
            }
            (Pattern::Binary(wanted, a, b), Function::Binary(function)) if wanted == function => {
                let of_order = |first: usize, second: usize| {
                    let found = self.find(a, first, found.clone())?;
                    self.find(b, second, found)
                };
                let is_commutative = matches!(wanted, Binary::Add | Binary::Mul);
                of_order(operands[0], operands[1])
                    .or_else(|| is_commutative.then(|| of_order(operands[1], operands[0])).flatten())
            }
            (Pattern::Compare(wanted, a, b), Function::Compare(direction)) if wanted == direction => {
                self.find(b, operands[1], self.find(a, operands[0], found)?)
            }
            (Pattern::Select(condition, a, b), Function::Select) => {
                let found = self.find(a, operands[1], self.find(condition, operands[0], found)?)?;
                self.find(b, operands[2], found)
            }
            _ => None,
        }
    }
}
