//! Scaled dot-product attention.

use super::{AttentionGrad, Operation, Vjp, has_shape, same_float, scaled, sum};
use crate::conformance::{Case, Sample};
use crate::ops::contraction::{DotGeneral, Precision};
use crate::ops::reduction::Reduction;
use crate::{DType, Real, Scalar, Spec, Value};

/// For `q [B, H, T, D]`, `k [B, H, S, D]`, `v [B, H, S, E]` and, if given, an additive mask
/// `[B or 1, H or 1, T, S]`: `out = softmax(scale q k^T + mask) v`, `[B, H, T, E]`, and
/// `lse = log(sum of exp(scale q k^T + mask))`, `[B, H, T]`.
///
/// If causal, query `t` sees only keys `s <= t`, also where `T` and `S` differ. A query that sees no key,
/// because the mask is minus infinity for all of them, has the result 0 and the `lse` minus infinity.
///
/// # Source
/// Vaswani et al., Attention Is All You Need (2017), equation 1. Kernels compute it block by block, without
/// the `T x S` matrix: Milakov, Gimelshein, Online normalizer calculation for softmax (2018); Dao et al.,
/// FlashAttention (2022).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Attention {
    /// What products are multiplied by, usually `1 / sqrt(D)`.
    pub scale: Real,
    /// Whether a query sees only the keys that do not come after it.
    pub causal: bool,
    /// How exactly products need to be computed; the CPU computes them in full.
    pub precision: Precision,
}

impl Precision {
    /// `[B, H, m, k]` by `[B, H, n, k]`.
    pub(super) fn by_transposed(self, lhs: &Value, rhs: &Value) -> Value {
        self.batched([lhs, rhs], [3, 3])
    }

    /// `[B, H, m, k]` by `[B, H, k, n]`.
    pub(super) fn by_matrix(self, lhs: &Value, rhs: &Value) -> Value {
        self.batched([lhs, rhs], [3, 2])
    }

    /// `[B, H, k, m]` by `[B, H, k, n]`.
    pub(super) fn transposed_by(self, lhs: &Value, rhs: &Value) -> Value {
        self.batched([lhs, rhs], [2, 2])
    }

    fn batched(self, [lhs, rhs]: [&Value; 2], [lhs_contract, rhs_contract]: [usize; 2]) -> Value {
        let op = DotGeneral {
            lhs_batch: vec![0, 1],
            rhs_batch: vec![0, 1],
            lhs_contract: vec![lhs_contract],
            rhs_contract: vec![rhs_contract],
            precision: self,
        };
        lhs.dot_general(rhs, op)
    }
}

impl Attention {
    /// The rule of `q`, `k`, `v` and the mask.
    pub(super) fn check(q: &Spec, k: &Spec, v: &Spec, mask: Option<&Spec>) -> Result<(), String> {
        for spec in [k, v].into_iter().chain(mask) {
            same_float(&[q.clone(), spec.clone()])?;
        }
        if [q, k, v].iter().any(|spec| spec.shape.rank() != 4) {
            return Err("q, k and v must have shapes [B, H, T, D], [B, H, S, D] and [B, H, S, E]".into());
        }
        let [batch, heads, queries, size] = q.shape[..] else { unreachable!("rank 4") };
        let keys = k.shape[2];
        has_shape("k", k, &[batch, heads, keys, size])?;
        has_shape("v", v, &[batch, heads, keys, v.shape[3]])?;
        let fits = |mask: &Spec| match mask.shape[..] {
            [b, h, t, s] => (b == batch || b == 1) && (h == heads || h == 1) && t == queries && s == keys,
            _ => false,
        };
        match mask.filter(|mask| !fits(mask)) {
            Some(mask) => {
                Err(format!("mask {} must have shape [{batch} or 1, {heads} or 1, {queries}, {keys}]", mask.shape))
            }
            None => Ok(()),
        }
    }

    /// `scale q k^T + mask`, `[B, H, T, S]`, minus infinity for keys that are not seen.
    pub(super) fn scores(&self, q: &Value, k: &Value, mask: Option<&Value>) -> Value {
        let mut scores = scaled(&self.precision.by_transposed(q, k), self.scale.0);
        let shape = scores.shape().clone();
        if let Some(mask) = mask {
            scores = scores.add(&mask.broadcast(&shape, &[0, 1, 2, 3]));
        }
        if self.causal {
            let sees = Value::iota(&shape, DType::I64, 2).ge(&Value::iota(&shape, DType::I64, 3));
            scores = sees.select(&scores, &scores.full_like(f64::NEG_INFINITY));
        }
        scores
    }
}

/// The elements of a mask with those that were repeated summed.
fn unrepeated(value: &Value, mask: &Spec) -> Value {
    let axes: Vec<usize> = (0..2).filter(|&axis| mask.shape[axis] != value.shape()[axis]).collect();
    sum(value, &axes).reshape(&mask.shape)
}

impl Operation for Attention {
    fn name(&self) -> &'static str {
        "attention"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Vec<Spec>, String> {
        let [q, k, v, mask @ ..] = inputs else { unreachable!("three or four operands") };
        Attention::check(q, k, v, mask.first())?;
        let [batch, heads, queries, _] = q.shape[..] else { unreachable!("rank 4") };
        let out = Spec::new([batch, heads, queries, v.shape[3]], q.dtype);
        Ok(vec![out, Spec::new([batch, heads, queries], q.dtype)])
    }

    fn vjp(&self, context: &Vjp) -> Vec<Option<Value>> {
        let ([q, k, v, mask @ ..], [out, lse]) = (context.inputs, context.outputs) else {
            unreachable!("three or four operands")
        };
        let dout = context.cotangent_or_zeros(0);
        // How much each query's scores would change together; the gradient of `lse` acts against it.
        let mut delta = sum(&dout.mul(out), &[3]);
        if let Some(dlse) = &context.cotangents[1] {
            delta = delta.sub(dlse);
        }
        let op = AttentionGrad { scale: self.scale, causal: self.causal, precision: self.precision };
        let operands: Vec<&Value> = [q, k, v, lse, &dout, &delta].into_iter().chain(mask).collect();
        let mut grads: Vec<Option<Value>> = Value::record(op, &operands).into_iter().map(Some).collect();
        if let Some(mask) = mask.first() {
            grads.push(context.needs[3].then(|| {
                let (_, dscores) = op.probabilities_and_dscores(q, k, v, lse, &dout, &delta, Some(mask));
                unrepeated(&dscores, mask.spec())
            }));
        }
        grads
    }

    fn decompose(&self, inputs: &[Value]) -> Option<Vec<Value>> {
        let [q, k, v, mask @ ..] = inputs else { unreachable!("three or four operands") };
        let scores = self.scores(q, k, mask.first());
        let spread = |value: &Value| value.broadcast_from_reduced(scores.shape(), &[3]);
        let greatest = scores.reduce(Reduction::Max, &[3]);
        let shift = greatest.eq(&greatest.full_like(f64::NEG_INFINITY)).select(&greatest.full_like(0.0), &greatest);
        let e = scores.sub(&spread(&shift)).exp();
        let total = sum(&e, &[3]);
        let divisor = total.eq(&total.full_like(0.0)).select(&total.full_like(1.0), &total);
        let out = self.precision.by_matrix(&e.div(&spread(&divisor)), v);
        Some(vec![out, shift.add(&total.log())])
    }
}

impl Value {
    /// Attention of these queries `[B, H, T, D]` to `k [B, H, S, D]` and `v [B, H, S, E]`; see [`Attention`] for the mask.
    ///
    /// # Panics
    /// If the shapes do not fit, or element types differ.
    #[track_caller]
    pub fn attention(&self, k: &Value, v: &Value, mask: Option<&Value>, op: Attention) -> Value {
        let operands: Vec<&Value> = [self, k, v].into_iter().chain(mask).collect();
        Value::record(op, &operands).swap_remove(0)
    }
}

/// Samples of `q`, `k`, `v` and, where `mask` gives its first two sizes, a mask.
pub(super) fn samples(sizes: [usize; 6], mask: Option<[usize; 2]>) -> Vec<Sample> {
    let [b, h, t, s, d, e] = sizes;
    let mut all = vec![
        Sample::uniform([b, h, t, d], -1.0, 1.0),
        Sample::uniform([b, h, s, d], -1.0, 1.0),
        Sample::uniform([b, h, s, e], -1.0, 1.0),
    ];
    all.extend(mask.map(|[mb, mh]| Sample::uniform([mb, mh, t, s], -1.0, 1.0)));
    all
}

/// A mask of the shape of `scores` that hides odd keys from all queries, and all keys from the first.
pub(super) fn hiding(mask: &Value) -> Value {
    let count = |axis: usize| Value::iota(mask.shape(), DType::I64, axis);
    let number = |value: i64| Value::constant(Scalar::from_i64(DType::I64, value), mask.shape());
    let is_odd = count(3).and(&number(1)).eq(&number(1));
    let is_first = count(2).eq(&number(0));
    is_odd.or(&is_first).select(&mask.full_like(f64::NEG_INFINITY), mask)
}

pub(crate) fn cases() -> Vec<Case> {
    let case = |name: &str, sizes: [usize; 6], mask: Option<[usize; 2]>, causal: bool, hidden: bool| {
        let build = move |x: &[Value]| {
            let mask = x.get(3).map(|mask| if hidden { hiding(mask) } else { mask.clone() });
            let operands: Vec<&Value> = x[..3].iter().chain(&mask).collect();
            let mut outputs =
                Value::record(Attention { scale: Real(0.7), causal, precision: Precision::Full }, &operands);
            // A hidden query's `lse` is infinite, and has no gradient.
            outputs.truncate(if hidden { 1 } else { 2 });
            outputs
        };
        Case::new(format!("attention {name}"), samples(sizes, mask), build)
    };
    vec![
        case("", [2, 3, 5, 7, 4, 3], None, false, false),
        case("causal", [2, 1, 5, 5, 3, 4], None, true, false),
        case("causal, more keys", [1, 2, 3, 5, 3, 2], None, true, false),
        case("causal, more queries", [1, 2, 5, 3, 3, 2], None, true, false),
        case("with a mask", [2, 2, 3, 5, 3, 2], Some([2, 2]), false, false),
        case("with a shared mask", [2, 3, 4, 5, 3, 2], Some([1, 1]), true, false),
        case("with a mask for heads", [2, 3, 2, 3, 1, 1], Some([1, 3]), false, false),
        case("with hidden keys", [1, 2, 3, 5, 2, 3], Some([1, 1]), false, true),
        case("of size one", [1, 1, 1, 1, 1, 1], None, false, false),
        case("in several blocks", [1, 2, 70, 135, 5, 3], None, true, false).once(),
    ]
}
