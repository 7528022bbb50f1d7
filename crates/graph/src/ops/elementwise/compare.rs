//! Comparison, element by element.

use super::super::{Operation, Vjp};
use super::same_spec;
use crate::conformance::{Case, Sample};
use crate::{DType, Spec, Value};

/// Which relation a comparison tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Equal.
    Eq,
    /// Not equal.
    Ne,
    /// Less.
    Lt,
    /// Less or equal.
    Le,
    /// Greater.
    Gt,
    /// Greater or equal.
    Ge,
}

/// `y = a ? b`, of type `bool`; every relation but [`Direction::Ne`] is false for a NaN.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Compare {
    /// The relation.
    pub direction: Direction,
}

impl Operation for Compare {
    fn name(&self) -> &'static str {
        "compare"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Vec<Spec>, String> {
        same_spec(&inputs[0], &inputs[1])?;
        Ok(vec![Spec::new(&inputs[0].shape, DType::Bool)])
    }

    fn vjp(&self, _: &Vjp) -> Vec<Option<Value>> {
        vec![None, None]
    }
}

macro_rules! relations {
    ($($name:ident $direction:ident $sign:literal,)*) => {
        impl Value {$(
            #[doc = concat!("Whether `a ", $sign, " b`, of type `bool`.")]
            ///
            /// # Panics
            /// If the operands differ in shape or element type.
            #[track_caller]
            pub fn $name(&self, other: &Value) -> Value {
                Value::record_one(Compare { direction: Direction::$direction }, &[self, other])
            }
        )*}
    };
}

relations! { eq Eq "==", ne Ne "!=", lt Lt "<", le Le "<=", gt Gt ">", ge Ge ">=", }

pub(crate) fn cases() -> Vec<Case> {
    let all = |x: &[Value]| {
        let (a, b) = (&x[0], &x[1]);
        vec![a.eq(b), a.ne(b), a.lt(b), a.le(b), a.gt(b), a.ge(b)]
    };
    let integers = Sample::integers([20], 4, DType::I64);
    let reals = Sample::uniform([20], -1.0, 1.0);
    vec![
        Case::new("compare integers", [integers.clone(), integers], all).not_differentiable(),
        Case::new("compare reals", [reals.clone(), reals], all).not_differentiable(),
    ]
}
