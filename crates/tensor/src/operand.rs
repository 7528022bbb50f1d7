//! What operations of several operands accept: tensors and numbers, brought to one shape and type.

use gyrus_graph::{DType, Scalar, Shape, Value};

use crate::Tensor;

/// An operand: a tensor, or a number that adopts the type of the tensor it meets.
///
/// A real number that meets integers makes the result `f32`, an integer that meets truth values makes it
/// `i64`. Whatever takes `impl Into<Operand>` takes `Tensor`, `&Tensor`, `f32`, `f64`, `i32`, `i64`,
/// `usize` and `bool`. On the left of an operator numbers are `f64` or `i64`: with more types Rust could not
/// tell of which the number in `(1.0 - &x).exp()` is.
#[derive(Clone)]
pub struct Operand(Inner);

#[derive(Clone)]
enum Inner {
    Tensor(Value),
    Real(f64),
    Integer(i64),
}

impl From<Tensor> for Operand {
    fn from(tensor: Tensor) -> Self {
        Operand(Inner::Tensor(tensor.value().clone()))
    }
}

impl From<&Tensor> for Operand {
    fn from(tensor: &Tensor) -> Self {
        Operand(Inner::Tensor(tensor.value().clone()))
    }
}

impl From<bool> for Operand {
    #[track_caller]
    fn from(truth: bool) -> Self {
        Operand(Inner::Tensor(Value::constant(Scalar::from_i64(DType::Bool, truth.into()), [])))
    }
}

macro_rules! numbers {
    ($($type:ty => $variant:ident($as:ty),)*) => {$(
        impl From<$type> for Operand {
            fn from(number: $type) -> Self {
                Operand(Inner::$variant(number as $as))
            }
        }
    )*};
}

numbers! { f32 => Real(f64), f64 => Real(f64), i32 => Integer(i64), i64 => Integer(i64), usize => Integer(i64), }

impl Operand {
    fn shape(&self) -> Shape {
        match &self.0 {
            Inner::Tensor(value) => value.shape().clone(),
            _ => Shape::scalar(),
        }
    }

    /// As a value of a common type and shape.
    #[track_caller]
    fn to_value(&self, operation: &str, dtype: DType, shape: &Shape) -> Value {
        let scalar = match &self.0 {
            Inner::Tensor(value) => return broadcast(&value.convert(dtype), shape),
            Inner::Real(real) => Scalar::from_f64(dtype, *real),
            Inner::Integer(integer) => {
                let scalar = Scalar::from_i64(dtype, *integer);
                let fits = !dtype.is_integer() || dtype == DType::I64 || scalar.to_f64() == *integer as f64;
                assert!(
                    fits,
                    "{operation}: {integer} and a tensor of {dtype}: the number must fit {dtype}: convert the tensor \
                     first, with to_dtype(DType::I64)"
                );
                scalar
            }
        };
        Value::constant(scalar, shape)
    }
}

/// The element type in which operands meet.
fn common_dtype(operands: &[Operand]) -> DType {
    let mut common: Option<DType> = None;
    for operand in operands {
        if let Inner::Tensor(value) = &operand.0 {
            common = Some(common.map_or(value.dtype(), |dtype| dtype.promote(value.dtype())));
        }
    }
    if operands.iter().any(|operand| matches!(operand.0, Inner::Real(_))) {
        return common.filter(|dtype| dtype.is_float()).unwrap_or(DType::F32);
    }
    common.filter(|&dtype| dtype != DType::Bool || all_tensors(operands)).unwrap_or(DType::I64)
}

fn all_tensors(operands: &[Operand]) -> bool {
    operands.iter().all(|operand| matches!(operand.0, Inner::Tensor(_)))
}

/// Both operands of `operation`, promoted and broadcast.
#[track_caller]
pub(crate) fn unite(operation: &str, lhs: Operand, rhs: Operand) -> (Value, Value) {
    let shape = common_shape(operation, &[("lhs", &lhs.shape()), ("rhs", &rhs.shape())]);
    let operands = [lhs, rhs];
    let dtype = common_dtype(&operands);
    let [lhs, rhs] = &operands;
    (lhs.to_value(operation, dtype, &shape), rhs.to_value(operation, dtype, &shape))
}

/// A condition and what it chooses from, broadcast; what it chooses from is promoted too.
#[track_caller]
pub(crate) fn unite_choice(condition: &Value, a: Operand, b: Operand) -> (Value, Value, Value) {
    let named = [("condition", condition.shape()), ("a", &a.shape()), ("b", &b.shape())];
    let shape = common_shape("select", &named);
    let operands = [a, b];
    let dtype = common_dtype(&operands);
    let [a, b] = &operands;
    (broadcast(condition, &shape), a.to_value("select", dtype, &shape), b.to_value("select", dtype, &shape))
}

/// The shape that all broadcast to.
#[track_caller]
pub(crate) fn common_shape(operation: &str, named: &[(&str, &Shape)]) -> Shape {
    let mut common = Shape::scalar();
    for (_, shape) in named {
        let Some(wider) = common.broadcast(shape) else {
            let received: Vec<String> = named.iter().map(|(name, shape)| format!("{name} {shape}")).collect();
            let rank = common.rank().min(shape.rank());
            let sizes = |back: &usize| (common[common.rank() - back], shape[shape.rank() - back]);
            let differ = |back: &usize| matches!(sizes(back), (a, b) if a != b && a != 1 && b != 1);
            let back = (1..=rank).find(differ).expect("some axis does not fit");
            let (a, b) = sizes(&back);
            panic!(
                "{operation}: {}: sizes must be equal or 1, aligned at the last axis, but axis -{back} has {a} \
                 and {b}: reshape one, or insert axes with unsqueeze",
                received.join(" and ")
            );
        };
        common = wider;
    }
    common
}

/// Repeats a value over a shape that it broadcasts to, aligned at the last axis.
#[track_caller]
pub(crate) fn broadcast(value: &Value, shape: &Shape) -> Value {
    let axes: Vec<usize> = (shape.rank() - value.rank()..shape.rank()).collect();
    value.broadcast(shape, &axes)
}
