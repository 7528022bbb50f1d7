//! Element-wise operations: every output element depends on the operands' elements at its place.

pub mod compare;
pub mod convert;
pub mod select;

pub use compare::{Compare, Direction};
pub use convert::Convert;
pub use select::Select;

use super::{Operation, Vjp};
use crate::conformance::{Case, Sample};
use crate::{DType, Spec, Value};

/// What a function of one operand states about itself.
pub(super) struct UnaryRule {
    name: &'static str,
    /// Where its tests draw operands, away from kinks and poles.
    domain: (f64, f64),
    /// The operand's gradient from operand, result and cotangent.
    vjp: fn(&Value, &Value, &Value) -> Value,
}

/// The operands' gradients from both operands, result and cotangent.
type BinaryVjp = fn(&Value, &Value, &Value, &Value) -> (Value, Value);

/// What a function of two operands states about itself.
pub(super) struct BinaryRule {
    name: &'static str,
    /// Where its tests draw each operand.
    domains: [(f64, f64); 2],
    /// `None` for functions of integers and truth values only.
    vjp: Option<BinaryVjp>,
}

macro_rules! unary {
    ($($variant:ident $module:ident,)*) => {
        $(mod $module;)*
        /// An element-wise function of one operand; see the [`Value`] method of its name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Unary { $(#[doc = concat!("See `Value::", stringify!($module), "`.")] $variant,)* }
        impl Unary {
            /// Every function.
            pub const ALL: &'static [Unary] = &[$(Unary::$variant,)*];
            fn rule(self) -> &'static UnaryRule {
                match self { $(Unary::$variant => &$module::RULE,)* }
            }
        }
    };
}

macro_rules! binary {
    ($($variant:ident $module:ident,)*) => {
        $(mod $module;)*
        /// An element-wise function of two operands; see the [`Value`] method of its name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Binary { $(#[doc = concat!("See `Value::", stringify!($module), "`.")] $variant,)* }
        impl Binary {
            /// Every function.
            pub const ALL: &'static [Binary] = &[$(Binary::$variant,)*];
            fn rule(self) -> &'static BinaryRule {
                match self { $(Binary::$variant => &$module::RULE,)* }
            }
        }
    };
}

unary! {
    Abs abs,
    Neg neg,
    Sign sign,
    Exp exp,
    Expm1 expm1,
    Log log,
    Log1p log1p,
    Sqrt sqrt,
    Rsqrt rsqrt,
    Cbrt cbrt,
    Sin sin,
    Cos cos,
    Tan tan,
    Tanh tanh,
    Logistic logistic,
    Erf erf,
    Gelu gelu,
    GeluSlope gelu_slope,
    Floor floor,
    Ceil ceil,
    Round round,
    Not not,
    IsFinite is_finite,
}

binary! {
    Add add,
    Sub sub,
    Mul mul,
    Div div,
    Rem rem,
    Pow pow,
    Max max,
    Min min,
    Atan2 atan2,
    And and,
    Or or,
    Xor xor,
    ShiftLeft shift_left,
    ShiftRightLogical shift_right_logical,
    ShiftRightArithmetic shift_right_arithmetic,
}

impl Operation for Unary {
    fn name(&self) -> &'static str {
        self.rule().name
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Vec<Spec>, String> {
        let Spec { shape, dtype } = &inputs[0];
        let (accepts, result) = match self {
            Unary::Not => (!dtype.is_float(), *dtype),
            Unary::IsFinite => (dtype.is_float(), DType::Bool),
            Unary::Abs | Unary::Neg | Unary::Sign => (*dtype != DType::Bool, *dtype),
            _ => (dtype.is_float(), *dtype),
        };
        if !accepts {
            return Err(format!("is not defined for {dtype}; convert the operand first"));
        }
        Ok(vec![Spec::new(shape, result)])
    }

    fn vjp(&self, context: &Vjp) -> Vec<Option<Value>> {
        if *self == Unary::IsFinite {
            return vec![None];
        }
        vec![Some((self.rule().vjp)(&context.inputs[0], &context.outputs[0], &context.cotangent()))]
    }
}

impl Operation for Binary {
    fn name(&self) -> &'static str {
        self.rule().name
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Vec<Spec>, String> {
        same_spec(&inputs[0], &inputs[1])?;
        let dtype = inputs[0].dtype;
        let accepts = match self {
            Binary::And | Binary::Or | Binary::Xor => !dtype.is_float(),
            Binary::ShiftLeft | Binary::ShiftRightLogical | Binary::ShiftRightArithmetic => dtype.is_integer(),
            Binary::Max | Binary::Min => true,
            Binary::Atan2 => dtype.is_float(),
            _ => dtype != DType::Bool,
        };
        if !accepts {
            return Err(format!("is not defined for {dtype}; convert the operands first"));
        }
        Ok(vec![inputs[0].clone()])
    }

    fn vjp(&self, context: &Vjp) -> Vec<Option<Value>> {
        let [a, b] = context.inputs else { unreachable!("two operands") };
        let vjp = self.rule().vjp.expect("defined for reals");
        let (da, db) = vjp(a, b, &context.outputs[0], &context.cotangent());
        vec![Some(da), Some(db)]
    }
}

/// The rule of all functions of several operands.
pub(super) fn same_spec(a: &Spec, b: &Spec) -> Result<(), String> {
    if a.shape != b.shape {
        return Err(format!("shapes {} and {} must be equal; broadcast first", a.shape, b.shape));
    }
    if a.dtype != b.dtype {
        return Err(format!("element types {} and {} must be equal; convert first", a.dtype, b.dtype));
    }
    Ok(())
}

/// The gradients of max and min: to the operand that was chosen, half to each where both were.
fn share_at_ties(a: &Value, b: &Value, y: &Value, dy: &Value) -> (Value, Value) {
    let zero = dy.full_like(0.0);
    let half = dy.mul(&dy.full_like(0.5));
    let share = a.eq(b).select(&half, dy);
    (a.eq(y).select(&share, &zero), b.eq(y).select(&share, &zero))
}

pub(super) fn unary_cases() -> Vec<Case> {
    let case = |&unary: &Unary| {
        let (low, high) = unary.rule().domain;
        let build = move |x: &[Value]| vec![Value::record_one(unary, &[&x[0]])];
        match unary {
            Unary::Not => Case::new("not", [Sample::integers([7], 2, DType::Bool)], build).not_differentiable(),
            Unary::IsFinite => Case::new("is_finite", [Sample::uniform([7], low, high)], build).not_differentiable(),
            _ => Case::new(unary.name(), [Sample::uniform([3, 5], low, high)], build),
        }
    };
    Unary::ALL.iter().map(case).collect()
}

pub(super) fn binary_cases() -> Vec<Case> {
    let case = |&binary: &Binary| {
        let [(a_low, a_high), (b_low, b_high)] = binary.rule().domains;
        let build = move |x: &[Value]| vec![Value::record_one(binary, &[&x[0], &x[1]])];
        if binary.rule().vjp.is_none() {
            let integers = Sample::integers([3, 5], 6, DType::I32);
            return Case::new(binary.name(), [integers.clone(), integers], build).not_differentiable();
        }
        let reals = [Sample::uniform([3, 5], a_low, a_high), Sample::uniform([3, 5], b_low, b_high)];
        Case::new(binary.name(), reals, build)
    };
    Binary::ALL.iter().map(case).collect()
}
