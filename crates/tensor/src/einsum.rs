//! Einstein's summation convention.

use std::borrow::Borrow;
use std::collections::HashMap;

use gyrus_graph::Value;
use gyrus_graph::ops::contraction::DotGeneral;
use gyrus_graph::ops::reduction::Reduction;

use crate::Tensor;
use crate::shape_operations::same_type;

/// A value whose axes have names.
struct Named {
    value: Value,
    axes: Vec<char>,
}

impl Tensor {
    /// The sum of products that `equation` states: a letter for each axis of each operand, then those of
    /// the result. Letters that the result does not have are summed over.
    /// `"bik,bkj->bij"` is `y[b, i, j] = sum over k of x[b, i, k] * z[b, k, j]`.
    ///
    /// Operands are multiplied from left to right. A letter stands once in each operand: diagonals are not
    /// expressed.
    ///
    /// # Panics
    /// If the equation is not of this form, or does not fit the operands.
    ///
    /// ```
    /// use gyrus_tensor::Tensor;
    ///
    /// let (a, b) = (Tensor::from([[1, 2], [3, 4]]), Tensor::from([10, 1]));
    /// assert_eq!(Tensor::einsum("ij,j->i", &[&a, &b]).to_vec::<i32>(), [12, 34]);
    /// ```
    #[track_caller]
    pub fn einsum(equation: &str, operands: &[impl Borrow<Tensor>]) -> Tensor {
        let values = same_type("einsum", operands);
        let (terms, result) = parse(equation, &values);
        let mut terms = terms.into_iter().zip(values).map(|(axes, value)| Named { value, axes });
        let mut product = terms.next().expect("at least one operand");
        let mut later: Vec<Named> = terms.collect();
        while !later.is_empty() {
            let next = later.remove(0);
            let needed: Vec<char> = later.iter().flat_map(|term| &term.axes).chain(&result).copied().collect();
            product = multiply(product, next, &needed);
        }
        product = keep(product, &result);
        let order: Vec<usize> = result.iter().map(|&name| place(&product.axes, name)).collect();
        product.value.transpose(&order).into()
    }
}

/// The names of the axes of the operands and of the result.
#[track_caller]
fn parse(equation: &str, values: &[Value]) -> (Vec<Vec<char>>, Vec<char>) {
    let names = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<Vec<char>>();
    let Some((operands, result)) = equation.split_once("->") else {
        panic!("einsum: {equation}: must name the axes of the result too, as in ij,jk->ik");
    };
    let (terms, result): (Vec<Vec<char>>, _) = (operands.split(',').map(names).collect(), names(result));
    assert!(
        terms.len() == values.len(),
        "einsum: {equation}: names {} operands, must name {}",
        terms.len(),
        values.len()
    );
    let mut sizes: HashMap<char, usize> = HashMap::new();
    for (term, value) in terms.iter().zip(values) {
        let shape = value.shape();
        assert!(term.len() == shape.rank(), "einsum: {equation}: operand {shape} must have {} axes", term.len());
        assert_letters(equation, term);
        for (&name, &size) in term.iter().zip(shape.iter()) {
            let known = *sizes.entry(name).or_insert(size);
            assert!(known == size, "einsum: {equation}: axis {name} has sizes {known} and {size}: must be equal");
        }
    }
    assert_letters(equation, &result);
    for name in &result {
        assert!(sizes.contains_key(name), "einsum: {equation}: axis {name} of the result must be one of an operand");
    }
    (terms, result)
}

#[track_caller]
fn assert_letters(equation: &str, names: &[char]) {
    for (index, name) in names.iter().enumerate() {
        assert!(name.is_alphabetic(), "einsum: {equation}: {name:?} must be a letter");
        assert!(!names[..index].contains(name), "einsum: {equation}: axis {name} must stand once in each operand");
    }
}

fn place(axes: &[char], name: char) -> usize {
    axes.iter().position(|&axis| axis == name).expect("checked when parsed")
}

/// Sums over the axes that are not `needed`.
#[track_caller]
fn keep(term: Named, needed: &[char]) -> Named {
    let is_needed = |axis: &usize| needed.contains(&term.axes[*axis]);
    let (kept, summed): (Vec<usize>, Vec<usize>) = (0..term.axes.len()).partition(is_needed);
    let axes = kept.iter().map(|&axis| term.axes[axis]).collect();
    Named { value: term.value.reduce(Reduction::Sum, &summed), axes }
}

/// The product, summed over what is not `needed`.
#[track_caller]
fn multiply(lhs: Named, rhs: Named, needed: &[char]) -> Named {
    let lhs = keep(lhs, &[needed, &rhs.axes].concat());
    let rhs = keep(rhs, &[needed, &lhs.axes].concat());
    let shared = lhs.axes.iter().copied().filter(|name| rhs.axes.contains(name));
    let (batch, contracted): (Vec<char>, Vec<char>) = shared.partition(|name| needed.contains(name));
    let places = |axes: &[char], names: &[char]| names.iter().map(|&name| place(axes, name)).collect::<Vec<usize>>();
    let op = DotGeneral {
        lhs_batch: places(&lhs.axes, &batch),
        rhs_batch: places(&rhs.axes, &batch),
        lhs_contract: places(&lhs.axes, &contracted),
        rhs_contract: places(&rhs.axes, &contracted),
        ..DotGeneral::default()
    };
    let own = |own: &[char], other: &[char]| own.iter().copied().filter(|n| !other.contains(n)).collect::<Vec<char>>();
    let axes = [batch, own(&lhs.axes, &rhs.axes), own(&rhs.axes, &lhs.axes)].concat();
    Named { value: lhs.value.dot_general(&rhs.value, op), axes }
}
