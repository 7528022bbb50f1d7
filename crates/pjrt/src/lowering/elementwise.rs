//! Element-wise operations.
//!
//! StableHLO leaves open what a division by zero, its overflow, and the conversion of a real that no integer is near
//! give: what ours say stands around them. Shifts by the width or more give 0, or the sign, in XLA and in the
//! reference interpreter of StableHLO, as ours do. Maximum and minimum are NaN where an operand is; XLA's CPU must be told
//! so, by `xla_cpu_enable_fast_min_max=false`, other devices do it by themselves.

use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI};

use gyrus_graph::ops::elementwise::{Binary, Direction, Unary};
use gyrus_graph::ops::reduction::Reduction;
use gyrus_graph::{DType, Op, Scalar, Spec, Value};

use super::LoweringError;
use super::erf::erf;
use super::writer::{Tensor, Writer};

pub(super) fn unary(
    w: &mut Writer,
    op: &Op,
    function: Unary,
    x: &[Tensor],
    result: &Spec,
) -> Result<Vec<Tensor>, LoweringError> {
    let name = match function {
        Unary::Abs | Unary::Sign if x[0].dtype() == DType::U8 => return Ok(vec![of_unsigned(w, function, &x[0])]),
        Unary::Abs => "abs",
        Unary::Neg => "negate",
        Unary::Sign => "sign",
        Unary::Exp => "exponential",
        Unary::Expm1 => "exponential_minus_one",
        Unary::Log => "log",
        Unary::Log1p => "log_plus_one",
        Unary::Sqrt => "sqrt",
        Unary::Rsqrt => "rsqrt",
        Unary::Cbrt => "cbrt",
        Unary::Sin => "sine",
        Unary::Cos => "cosine",
        Unary::Tan => return w.call(op, x, |x| Some(vec![in_single(&x[0], |x| x.sin().div(&x.cos()))])),
        Unary::Tanh => "tanh",
        Unary::Logistic => "logistic",
        Unary::Erf => return w.call(op, x, |x| Some(vec![in_single(&x[0], erf)])),
        Unary::Gelu => return w.call(op, x, |x| Some(vec![in_single(&x[0], |x| x.mul(&cumulative(x)))])),
        Unary::GeluSlope => {
            return w.call(op, x, |x| Some(vec![in_single(&x[0], |x| cumulative(x).add(&x_density(x)))]));
        }
        Unary::Floor => "floor",
        Unary::Ceil => "ceil",
        Unary::Round => "round_nearest_even",
        Unary::Not => "not",
        Unary::IsFinite => "is_finite",
    };
    Ok(vec![w.op(name, &[&x[0]], "", result)])
}

/// A function of several operations, computed in `f32` at least and rounded once.
fn in_single(x: &Value, function: impl Fn(&Value) -> Value) -> Value {
    let wide = if x.dtype() == DType::F64 { DType::F64 } else { DType::F32 };
    function(&x.convert(wide)).convert(x.dtype())
}

/// Of the normal distribution.
fn cumulative(x: &Value) -> Value {
    let half = x.full_like(0.5);
    half.mul(&erf(&x.mul(&x.full_like(FRAC_1_SQRT_2)))).add(&half)
}

/// `x` times the density of the normal distribution, which is 0 at the infinities, too.
fn x_density(x: &Value) -> Value {
    let x = x.max(&x.full_like(-40.0)).min(&x.full_like(40.0));
    let density = x.mul(&x).mul(&x.full_like(-0.5)).exp().mul(&x.full_like(FRAC_2_SQRT_PI * FRAC_1_SQRT_2 / 2.0));
    x.mul(&density)
}

/// StableHLO's `abs` and `sign` are of signed numbers.
fn of_unsigned(w: &mut Writer, function: Unary, x: &Tensor) -> Tensor {
    if function == Unary::Abs {
        return x.clone();
    }
    let one = w.full_like(x, 1.0);
    w.map("minimum", &[x, &one])
}

pub(super) fn binary(w: &mut Writer, op: &Op, function: Binary, x: &[Tensor]) -> Result<Vec<Tensor>, LoweringError> {
    let (a, b) = (&x[0], &x[1]);
    let is_whole = !a.dtype().is_float();
    let name = match function {
        Binary::Add => "add",
        Binary::Sub => "subtract",
        Binary::Mul => "multiply",
        Binary::Div if is_whole => return Ok(vec![whole_division(w, a, b)]),
        Binary::Div => "divide",
        Binary::Rem if is_whole => return Ok(vec![whole_remainder(w, a, b)]),
        Binary::Rem => "remainder",
        Binary::Pow if is_whole => return w.call(op, x, |x| Some(vec![whole_power(&x[0], &x[1])])),
        Binary::Pow => "power",
        Binary::Max => "maximum",
        Binary::Min => "minimum",
        Binary::Atan2 => "atan2",
        Binary::And => "and",
        Binary::Or => "or",
        Binary::Xor => "xor",
        Binary::ShiftLeft => "shift_left",
        Binary::ShiftRightLogical => "shift_right_logical",
        Binary::ShiftRightArithmetic if a.dtype() == DType::U8 => "shift_right_logical",
        Binary::ShiftRightArithmetic => "shift_right_arithmetic",
    };
    Ok(vec![w.map(name, &[a, b])])
}

/// A constant like `x` with all bits set.
fn all_bits(w: &mut Writer, x: &Tensor) -> Tensor {
    w.constant(Scalar::from_i64(x.dtype(), -1), x.shape())
}

/// `b` with 1 in the place of what `a` cannot safely be divided by, and where `b` is 0, and where it is -1.
fn safe_divisor(w: &mut Writer, b: &Tensor) -> (Tensor, Tensor, Option<Tensor>) {
    let (zero, one) = (w.full_like(b, 0.0), w.full_like(b, 1.0));
    let is_zero = w.compare(Direction::Eq, b, &zero);
    let mut safe = w.select(&is_zero, &one, b);
    let is_minus_one = (b.dtype() != DType::U8).then(|| {
        let minus_one = all_bits(w, b);
        let is_minus_one = w.compare(Direction::Eq, b, &minus_one);
        safe = w.select(&is_minus_one, &one, &safe);
        is_minus_one
    });
    (safe, is_zero, is_minus_one)
}

/// All bits set for `b = 0`; the least number divided by -1 wraps.
fn whole_division(w: &mut Writer, a: &Tensor, b: &Tensor) -> Tensor {
    let (safe, is_zero, is_minus_one) = safe_divisor(w, b);
    let mut quotient = w.map("divide", &[a, &safe]);
    if let Some(is_minus_one) = is_minus_one {
        let negative = w.map("negate", &[a]);
        quotient = w.select(&is_minus_one, &negative, &quotient);
    }
    let ones = all_bits(w, a);
    w.select(&is_zero, &ones, &quotient)
}

/// `a` for `b = 0`; 0 for `b = -1`, as for `b = 1`.
fn whole_remainder(w: &mut Writer, a: &Tensor, b: &Tensor) -> Tensor {
    let (safe, is_zero, _) = safe_divisor(w, b);
    let remainder = w.map("remainder", &[a, &safe]);
    w.select(&is_zero, a, &remainder)
}

/// By repeated squaring, as XLA looks at the lowest bits of the exponent only. A negative power is one of the quotient
/// `1 / a`, which is -1 for 0, and 0 or of size 1 for others.
fn whole_power(a: &Value, b: &Value) -> Value {
    let (zero, one) = (a.full_like(0.0), a.full_like(1.0));
    let all: Vec<usize> = (0..a.rank()).collect();
    let is_odd = |x: &Value| x.and(&one).eq(&one);
    let start = [one.clone(), a.clone(), b.max(&zero)];
    let power = Value::while_loop(
        &start,
        |carries| carries[2].ne(&zero).reduce(Reduction::Or, &all),
        |carries| {
            let [power, base, exponent] = carries else { unreachable!("three carries") };
            let next = is_odd(exponent).select(&power.mul(base), power);
            vec![next, base.mul(base), exponent.shift_right_logical(&one)]
        },
    )
    .swap_remove(0);
    let inverse = one.div(a);
    let keeps_sign = is_odd(b).or(&a.eq(&zero));
    let negative_power = keeps_sign.select(&inverse, &inverse.mul(&inverse));
    b.lt(&zero).select(&negative_power, &power)
}

/// See `gyrus_graph::ops::elementwise::Convert` for the rules.
pub(super) fn convert(w: &mut Writer, x: &Tensor, dtype: DType) -> Tensor {
    match (x.dtype(), dtype) {
        (_, DType::Bool) => {
            let zero = w.full_like(x, 0.0);
            w.compare(Direction::Ne, x, &zero)
        }
        (from, to) if from.is_float() && to.is_integer() => saturated(w, x, to),
        (DType::F32, DType::BF16) => {
            // A compiler may take a conversion to fewer bits and back for none, but not this.
            let rounded = w.op("reduce_precision", &[x], "exponent_bits = 8 : i32, mantissa_bits = 7 : i32", &x.spec);
            w.cast(&rounded, dtype)
        }
        _ => w.cast(x, dtype),
    }
}

/// A real as an integer: the nearest end of the range where it lies beyond, 0 for NaN.
fn saturated(w: &mut Writer, x: &Tensor, dtype: DType) -> Tensor {
    let (lowest, highest) = (Scalar::lowest(dtype), Scalar::highest(dtype));
    // The highest integer rounds up to a power of two if it is not itself a real: what reaches that is beyond.
    let (low, high) = (w.full_like(x, lowest.to_f64()), w.full_like(x, highest.to_f64()));
    let is_low = w.compare(Direction::Le, x, &low);
    let is_high = w.compare(Direction::Ge, x, &high);
    let is_nan = w.compare(Direction::Ne, x, x);
    let is_odd = w.map("or", &[&is_low, &is_high]);
    let is_odd = w.map("or", &[&is_odd, &is_nan]);
    let zero = w.full_like(x, 0.0);
    let inside = w.select(&is_odd, &zero, x);
    let inside = w.cast(&inside, dtype);
    let (lowest, highest) = (w.constant(lowest, x.shape()), w.constant(highest, x.shape()));
    let result = w.select(&is_low, &lowest, &inside);
    w.select(&is_high, &highest, &result)
}
