//! The operations: one file each, with its formula, shape rule, gradient and test cases.
//!
//! The primitives match StableHLO's operations one to one. The operations under [`whole`] compose
//! primitives, but stay whole because their speed matters in both directions; each has its
//! decomposition beside it.

pub mod contraction;
pub mod elementwise;
pub mod movement;
pub mod reduction;
pub mod source;

use std::fmt::Debug;
use std::hash::Hash;

use crate::conformance::Case;
use crate::{Spec, Value};

/// What an operation's gradient rule sees.
pub struct Vjp<'a> {
    /// What the operation read.
    pub inputs: &'a [Value],
    /// What it made.
    pub outputs: &'a [Value],
    /// The gradient that arrives at each output; `None` where none does.
    pub cotangents: &'a [Option<Value>],
    /// Which inputs' gradients are wanted; others may be left out.
    pub needs: &'a [bool],
}

impl Vjp<'_> {
    /// The cotangent of the only (or first) output.
    pub fn cotangent(&self) -> Value {
        self.cotangents[0].clone().expect("a rule is asked only where a gradient arrives")
    }

    /// The cotangent of an output, zeros where none arrives.
    pub fn cotangent_or_zeros(&self, output: usize) -> Value {
        self.cotangents[output].clone().unwrap_or_else(|| self.outputs[output].full_like(0.0))
    }
}

/// What every operation states about itself.
pub trait Operation: Clone + Debug + Eq + Hash {
    /// The name, as in StableHLO where it has one.
    fn name(&self) -> &'static str;

    /// The outputs' specifications, or the rule that the inputs break.
    ///
    /// # Errors
    /// The rule in words, with the sizes that break it.
    fn infer(&self, inputs: &[Spec]) -> Result<Vec<Spec>, String>;

    /// For each input the product of the cotangents with the operation's Jacobian; `None` for an
    /// input that has no gradient or whose gradient nobody needs.
    ///
    /// An operation with a decomposition is by default differentiated through it.
    fn vjp(&self, context: &Vjp) -> Vec<Option<Value>> {
        let Some(outputs) = self.decompose(context.inputs) else {
            panic!("{}: has no gradient", self.name());
        };
        let (mut reached, mut cotangents) = (vec![], vec![]);
        for (output, cotangent) in outputs.into_iter().zip(context.cotangents) {
            if let Some(cotangent) = cotangent {
                reached.push(output);
                cotangents.push(cotangent.clone());
            }
        }
        crate::gradients(&reached, &cotangents, context.inputs)
    }

    /// The same outputs from primitives, for operations that compose them: documentation, oracle of
    /// the tests, and fallback of devices without a kernel.
    fn decompose(&self, _inputs: &[Value]) -> Option<Vec<Value>> {
        None
    }
}

/// Declares [`Op`], the closed set of operations, from their types and test cases.
macro_rules! operations {
    ($($(#[$doc:meta])* $variant:ident($type:path) $(cases $cases:path)?,)*) => {
        /// Any operation.
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        pub enum Op { $($(#[$doc])* $variant($type),)* }

        impl Operation for Op {
            fn name(&self) -> &'static str {
                match self { $(Op::$variant(op) => op.name(),)* }
            }
            fn infer(&self, inputs: &[Spec]) -> Result<Vec<Spec>, String> {
                match self { $(Op::$variant(op) => op.infer(inputs),)* }
            }
            fn vjp(&self, context: &Vjp) -> Vec<Option<Value>> {
                match self { $(Op::$variant(op) => op.vjp(context),)* }
            }
            fn decompose(&self, inputs: &[Value]) -> Option<Vec<Value>> {
                match self { $(Op::$variant(op) => op.decompose(inputs),)* }
            }
        }

        $(impl From<$type> for Op {
            fn from(op: $type) -> Op { Op::$variant(op) }
        })*

        /// The test cases of every operation.
        pub fn cases() -> Vec<Case> {
            let mut all = vec![];
            $($(all.extend($cases());)?)*
            all
        }
    };
}

operations! {
    /// A value given from outside.
    Leaf(source::Leaf),
    /// One element repeated over a shape.
    Constant(source::Constant) cases source::cases,
    /// Counts along an axis.
    Iota(source::Iota),
    /// An element-wise function of one operand.
    Unary(elementwise::Unary) cases elementwise::unary_cases,
    /// An element-wise function of two operands.
    Binary(elementwise::Binary) cases elementwise::binary_cases,
    /// An element-wise comparison.
    Compare(elementwise::Compare) cases elementwise::compare::cases,
    /// Picks elements from two operands.
    Select(elementwise::Select) cases elementwise::select::cases,
    /// Changes the element type.
    Convert(elementwise::Convert) cases elementwise::convert::cases,
    /// The same elements, in order, in another shape.
    Reshape(movement::Reshape) cases movement::reshape::cases,
    /// Permutes axes.
    Transpose(movement::Transpose) cases movement::transpose::cases,
    /// Repeats along new or size-1 axes.
    Broadcast(movement::Broadcast) cases movement::broadcast::cases,
    /// A box of elements at regular steps.
    Slice(movement::Slice) cases movement::slice::cases,
    /// Pads at the edges and between elements.
    Pad(movement::Pad) cases movement::pad::cases,
    /// Combines elements along axes.
    Reduce(reduction::Reduce) cases reduction::reduce::cases,
    /// The general product of two tensors.
    DotGeneral(contraction::DotGeneral) cases contraction::dot_general::cases,
}
