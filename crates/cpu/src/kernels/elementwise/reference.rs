//! The oracle of the tests: programs place by place, in `f64` rounded to the element type.

use gyrus_graph::ops::elementwise::{Binary, Direction, Unary};
use gyrus_graph::{DType, Scalar, bf16, f16};

use super::program::{Instruction, Operand, Program};

/// One element: reals are `R`, integers and truth values `I`.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Number {
    R(f64),
    I(i64),
}

use Number::{I, R};

impl Number {
    pub(crate) fn real(self) -> f64 {
        match self {
            R(x) => x,
            I(x) => x as f64,
        }
    }

    fn whole(self) -> i64 {
        match self {
            R(x) => x as i64,
            I(x) => x,
        }
    }

    /// Rounded or wrapped into a type.
    pub(crate) fn rounded(self, dtype: DType) -> Number {
        match (dtype, self) {
            (DType::Bool, R(x)) => I((x != 0.0) as i64),
            (DType::Bool, I(x)) => I((x != 0) as i64),
            (DType::U8, R(x)) => I(x as u8 as i64),
            (DType::U8, I(x)) => I(x as u8 as i64),
            (DType::I32, R(x)) => I(x as i32 as i64),
            (DType::I32, I(x)) => I(x as i32 as i64),
            (DType::I64, x) => I(x.whole()),
            (DType::F16, x) => R(f16::from_f64(x.real()).to_f64()),
            (DType::BF16, x) => R(bf16::from_f64(x.real()).to_f64()),
            (DType::F32, I(x)) => R(x as f32 as f64),
            (DType::F32, R(x)) => R(x as f32 as f64),
            (_, x) => R(x.real()),
        }
    }

    pub(crate) fn of(scalar: Scalar) -> Number {
        match scalar.dtype() {
            DType::I64 => I(scalar.get::<i64>()),
            dtype if dtype.is_float() => R(scalar.to_f64()),
            _ => I(scalar.to_f64() as i64),
        }
    }

    /// Reads an element of an array.
    pub(crate) fn read(dtype: DType, bytes: &[u8], index: usize) -> Number {
        let size = dtype.size();
        let mut word = [0; 8];
        word[..size].copy_from_slice(&bytes[index * size..][..size]);
        let bits = u64::from_le_bytes(word);
        match dtype {
            DType::Bool | DType::U8 => I(bits as i64),
            DType::I32 => I(bits as u32 as i32 as i64),
            DType::I64 => I(bits as i64),
            DType::F16 => R(f16::from_bits(bits as u16).to_f64()),
            DType::BF16 => R(bf16::from_bits(bits as u16).to_f64()),
            DType::F32 => R(f32::from_bits(bits as u32) as f64),
            _ => R(f64::from_bits(bits)),
        }
    }

    /// The difference from another number, relative to the type's precision; 0 for the same number.
    pub(crate) fn distance(self, exact: Number, dtype: DType) -> f64 {
        match (self, exact) {
            (I(a), I(b)) if a == b => 0.0,
            (I(_), I(_)) => f64::INFINITY,
            (a, b) => {
                let (a, b) = (a.real(), b.real());
                if a == b || (a.is_nan() && b.is_nan()) {
                    return 0.0;
                }
                let (digits, least) = match dtype {
                    DType::F16 => (10, -14),
                    DType::BF16 => (7, -126),
                    DType::F32 => (23, -126),
                    _ => (52, -1022),
                };
                let unit = b.abs().max(2f64.powi(least)) * 2f64.powi(-digits);
                let distance = (a - b).abs() / unit;
                if distance.is_nan() { f64::INFINITY } else { distance }
            }
        }
    }
}

/// Whether a function's result is the exact one, correctly rounded.
pub(crate) fn is_rounded(function: Unary) -> bool {
    use Unary::{Abs, Ceil, Floor, IsFinite, Neg, Not, Round, Sign, Sqrt};
    matches!(function, Abs | Neg | Sign | Sqrt | Floor | Ceil | Round | Not | IsFinite)
}

pub(crate) fn unary(function: Unary, x: Number, dtype: DType) -> Number {
    let v = x.real();
    R(match (function, x) {
        (Unary::Abs, I(x)) => return I(x.wrapping_abs()),
        (Unary::Neg, I(x)) => return I(x.wrapping_neg()),
        (Unary::Sign, I(x)) => return I(x.signum()),
        (Unary::Not, x) => return I(if dtype == DType::Bool { x.whole() ^ 1 } else { !x.whole() }),
        (Unary::IsFinite, _) => return I(v.is_finite() as i64),
        (Unary::Abs, _) => v.abs(),
        (Unary::Neg, _) => -v,
        (Unary::Sign, _) => {
            if v == 0.0 || v.is_nan() {
                v
            } else {
                v.signum()
            }
        }
        (Unary::Exp, _) => v.exp(),
        (Unary::Expm1, _) => v.exp_m1(),
        (Unary::Log, _) => v.ln(),
        (Unary::Log1p, _) => v.ln_1p(),
        (Unary::Sqrt, _) => v.sqrt(),
        (Unary::Rsqrt, _) => 1.0 / v.sqrt(),
        (Unary::Cbrt, _) => v.cbrt(),
        (Unary::Sin, _) => v.sin(),
        (Unary::Cos, _) => v.cos(),
        (Unary::Tan, _) => v.tan(),
        (Unary::Tanh, _) => v.tanh(),
        (Unary::Logistic, _) => 1.0 / (1.0 + (-v).exp()),
        (Unary::Erf, _) => crate::math::Real::erf::<crate::math::version::Separate>(v),
        (Unary::Gelu, _) => crate::math::Real::gelu::<crate::math::version::Separate>(v),
        (Unary::GeluSlope, _) => crate::math::Real::gelu_slope::<crate::math::version::Separate>(v),
        (Unary::Floor, _) => v.floor(),
        (Unary::Ceil, _) => v.ceil(),
        (Unary::Round, _) => v.round_ties_even(),
    })
}

pub(crate) fn binary(function: Binary, a: Number, b: Number, dtype: DType) -> Number {
    if let (I(a), I(b)) = (a, b) {
        let width = dtype.size() as i64 * 8;
        let fits = (0..width).contains(&b);
        return I(match function {
            Binary::Add => a.wrapping_add(b),
            Binary::Sub => a.wrapping_sub(b),
            Binary::Mul => a.wrapping_mul(b),
            Binary::Div => {
                if b == 0 {
                    -1
                } else {
                    a.wrapping_div(b)
                }
            }
            Binary::Rem => {
                if b == 0 {
                    a
                } else {
                    a.wrapping_rem(b)
                }
            }
            Binary::Pow if b < 0 => match a {
                0 => -1,
                1 => 1,
                -1 => {
                    if b & 1 == 0 {
                        1
                    } else {
                        -1
                    }
                }
                _ => 0,
            },
            Binary::Pow => {
                let mut power = 1i64;
                // Squares wrap alike; exponents of the tests are small or powers of two.
                let (mut base, mut exponent) = (a, b);
                while exponent > 0 {
                    power = if exponent & 1 == 1 { power.wrapping_mul(base) } else { power };
                    (base, exponent) = (base.wrapping_mul(base), exponent >> 1);
                }
                power
            }
            Binary::Max => a.max(b),
            Binary::Min => a.min(b),
            Binary::And => a & b,
            Binary::Or => a | b,
            Binary::Xor => a ^ b,
            Binary::ShiftLeft => {
                if fits {
                    a << b
                } else {
                    0
                }
            }
            Binary::ShiftRightLogical if !fits => 0,
            Binary::ShiftRightLogical => match dtype {
                DType::U8 => a >> b,
                DType::I32 => (a as u32 >> b) as i64,
                _ => (a as u64 >> b) as i64,
            },
            Binary::ShiftRightArithmetic => a >> if fits { b } else { 63 },
            Binary::Atan2 => unreachable!(),
        });
    }
    let (a, b) = (a.real(), b.real());
    let nan_or = |x: f64| if a.is_nan() || b.is_nan() { f64::NAN } else { x };
    R(match function {
        Binary::Add => a + b,
        Binary::Sub => a - b,
        Binary::Mul => a * b,
        Binary::Div => a / b,
        Binary::Rem => a % b,
        Binary::Pow => a.powf(b),
        Binary::Max => nan_or(a.max(b)),
        Binary::Min => nan_or(a.min(b)),
        Binary::Atan2 => a.atan2(b),
        other => unreachable!("{other:?} of reals"),
    })
}

pub(crate) fn compare(direction: Direction, a: Number, b: Number) -> Number {
    let order = match (a, b) {
        (I(a), I(b)) => Some(a.cmp(&b)),
        (a, b) => a.real().partial_cmp(&b.real()),
    };
    I(match direction {
        Direction::Eq => order.is_some_and(|order| order.is_eq()),
        Direction::Ne => order.is_none_or(|order| order.is_ne()),
        Direction::Lt => order.is_some_and(|order| order.is_lt()),
        Direction::Le => order.is_some_and(|order| order.is_le()),
        Direction::Gt => order.is_some_and(|order| order.is_gt()),
        Direction::Ge => order.is_some_and(|order| order.is_ge()),
    } as i64)
}

/// The indices of a place.
pub(crate) fn indices(shape: &[usize], place: usize) -> Vec<usize> {
    let mut rest = place;
    let mut index: Vec<usize> = shape
        .iter()
        .rev()
        .map(|&size| {
            let at = rest % size;
            rest /= size;
            at
        })
        .collect();
    index.reverse();
    index
}

fn element(operand: &Operand, index: &[usize]) -> usize {
    let distance: isize = index.iter().zip(&operand.strides).map(|(&at, stride)| at as isize * stride).sum();
    (operand.offset + distance) as usize
}

/// All registers at a place, and what is stored there.
pub(crate) fn evaluate(program: &Program, inputs: &[&[u8]], place: usize) -> (Vec<Number>, Vec<(usize, Number)>) {
    let index = indices(&program.shape, place);
    let mut registers = vec![I(0); program.registers.len()];
    let mut stores = vec![];
    for instruction in &program.instructions {
        let at = |register: u16| registers[register as usize];
        let (dst, value) = match *instruction {
            Instruction::Load { dst, input } => {
                let operand = &program.inputs[input];
                (dst, Number::read(operand.dtype, inputs[input], element(operand, &index)))
            }
            Instruction::Constant { dst, scalar } => (dst, Number::of(scalar)),
            Instruction::Iota { dst, axis } => (dst, I(index[axis] as i64)),
            Instruction::Unary { function, dst, src } => {
                (dst, unary(function, at(src), program.registers[src as usize]))
            }
            Instruction::Binary { function, dst, a, b } => {
                (dst, binary(function, at(a), at(b), program.registers[a as usize]))
            }
            Instruction::Compare { direction, dst, a, b } => (dst, compare(direction, at(a), at(b))),
            Instruction::Select { dst, condition, a, b } => {
                (dst, if at(condition).whole() != 0 { at(a) } else { at(b) })
            }
            Instruction::Convert { dst, src } => (dst, at(src)),
            Instruction::Store { src, output } => {
                stores.push((output, at(src)));
                continue;
            }
        };
        registers[dst as usize] = value.rounded(program.registers[dst as usize]);
    }
    (registers, stores)
}

/// Elements of a type, many of them special.
pub(crate) fn elements(dtype: DType, count: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = move || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        state >> 33
    };
    let mut bytes = vec![];
    for _ in 0..count {
        let random = next();
        let x = (random % 100_001) as f64 / 10_000.0 - 5.0;
        let scalar = match next() % 24 {
            0 => Scalar::from_f64(dtype, 0.0),
            1 => Scalar::from_f64(dtype, -0.0),
            2 => Scalar::from_f64(dtype, 1.0),
            3 if dtype.is_float() => Scalar::from_f64(dtype, f64::NAN),
            4 => Scalar::highest(dtype),
            5 => Scalar::lowest(dtype),
            6 => Scalar::from_f64(dtype, x * 1e6),
            7 => Scalar::from_f64(dtype, x.round()),
            _ if dtype.is_float() => Scalar::from_f64(dtype, x),
            _ => Scalar::from_i64(
                dtype,
                if dtype == DType::Bool { random as i64 & 1 } else { random as i64 % 200 - 100 },
            ),
        };
        bytes.extend_from_slice(&scalar.bits().to_le_bytes()[..dtype.size()]);
    }
    bytes
}
