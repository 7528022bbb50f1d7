//! Neighbouring steps of a program that become one loop.

use gyrus_graph::DType;
use gyrus_graph::ops::elementwise::Binary;

use super::functions;
use super::lower::{Definition, Extent, Function, Value, Values, call};

impl Values {
    /// Makes one step of sums of products, and of functions of products, that nothing else reads.
    pub(super) fn join(&mut self) {
        let mut uses = vec![0; self.values.len()];
        for value in self.values.iter().filter(|value| value.is_live) {
            if let Definition::Call { operands, .. } = &value.definition {
                operands.iter().for_each(|&operand| uses[operand] += 1);
            }
        }
        self.stores.iter().map(|&(value, _)| value).chain(self.result).for_each(|value| uses[value] += 1);
        for index in 0..self.values.len() {
            let Some((a, b)) = self.binary(index, Binary::Add) else { continue };
            let Some((joined, definition)) = [(a, b), (b, a)].into_iter().find_map(|(inner, term)| {
                let function = match self.values[inner].definition {
                    Definition::Call { function: Function::Unary(function), ref operands } if uses[inner] == 1 => {
                        functions::has_product_sum(function).then_some((function, operands[0]))
                    }
                    _ => None,
                };
                let product = function.map_or(inner, |(_, product)| product);
                let factors = (uses[product] == 1).then(|| self.binary(product, Binary::Mul)).flatten()?;
                let is_full = |value: usize| self.values[value].extent == Extent::Full;
                let (x, factor) = if is_full(factors.0) { factors } else { (factors.1, factors.0) };
                let is_known = is_full(x) && (function.is_none() || !is_full(factor) && !is_full(term));
                let function = function.map(|(function, _)| function);
                is_known.then(|| ([inner, product], call(Function::ProductSum(function), &[x, factor, term])))
            }) else {
                continue;
            };
            joined.into_iter().for_each(|value| self.values[value].is_live = false);
            self.values[index].definition = definition;
        }
    }

    /// The operands of a live value that is this function of blocks of `f32`.
    fn binary(&self, index: usize, function: Binary) -> Option<(usize, usize)> {
        let Value { dtype: DType::F32, extent: Extent::Full, ref definition, is_live: true } = self.values[index]
        else {
            return None;
        };
        match definition {
            Definition::Call { function: Function::Binary(found), operands } if *found == function => {
                Some((operands[0], operands[1]))
            }
            _ => None,
        }
    }
}
