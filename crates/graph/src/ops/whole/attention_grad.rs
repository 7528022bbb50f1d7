//! The gradient of attention.

use super::attention::samples;
use super::{Attention, Operation, has_shape, same_float, scaled};
use crate::conformance::{Case, Sample};
use crate::ops::contraction::Precision;
use crate::{Real, Spec, Value};

/// From `q`, `k`, `v` and `lse` of [`Attention`], the gradient `dout [B, H, T, E]`,
/// `delta = sum of dout * out - dlse`, `[B, H, T]`, and, last, the mask if there is one:
///
/// `p = exp(scale q k^T + mask - lse)`, `ds = p (dout v^T - delta)`, and the outputs `dq = scale ds k`,
/// `dk = scale ds^T q` and `dv = p^T dout`.
///
/// # Source
/// Dao et al., FlashAttention (2022), appendix B.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AttentionGrad {
    /// As of [`Attention`].
    pub scale: Real,
    /// As of [`Attention`].
    pub causal: bool,
    /// As of [`Attention`].
    pub precision: Precision,
}

impl AttentionGrad {
    /// `p` and `ds`, `[B, H, T, S]`.
    #[expect(clippy::too_many_arguments, reason = "the operands of the operation")]
    pub(super) fn probabilities_and_dscores(
        &self,
        q: &Value,
        k: &Value,
        v: &Value,
        lse: &Value,
        dout: &Value,
        delta: &Value,
        mask: Option<&Value>,
    ) -> (Value, Value) {
        let scores = Attention { scale: self.scale, causal: self.causal, precision: self.precision }.scores(q, k, mask);
        let spread = |value: &Value| value.broadcast_from_reduced(scores.shape(), &[3]);
        // A query that sees no key: its scores are all minus infinity, and so is `lse`.
        let seen = lse.eq(&lse.full_like(f64::NEG_INFINITY)).select(&lse.full_like(0.0), lse);
        let p = scores.sub(&spread(&seen)).exp();
        let dscores = p.mul(&self.precision.by_transposed(dout, v).sub(&spread(delta)));
        (p, dscores)
    }
}

impl Operation for AttentionGrad {
    fn name(&self) -> &'static str {
        "attention_grad"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Vec<Spec>, String> {
        let [q, k, v, lse, dout, delta, mask @ ..] = inputs else { unreachable!("six or seven operands") };
        Attention::check(q, k, v, mask.first())?;
        same_float(inputs)?;
        let [batch, heads, queries, _] = q.shape[..] else { unreachable!("rank 4") };
        has_shape("lse", lse, &[batch, heads, queries])?;
        has_shape("dout", dout, &[batch, heads, queries, v.shape[3]])?;
        has_shape("delta", delta, &[batch, heads, queries])?;
        Ok(vec![q.clone(), k.clone(), v.clone()])
    }

    fn decompose(&self, inputs: &[Value]) -> Option<Vec<Value>> {
        let [q, k, v, lse, dout, delta, mask @ ..] = inputs else { unreachable!("six or seven operands") };
        let (p, dscores) = self.probabilities_and_dscores(q, k, v, lse, dout, delta, mask.first());
        let dscores = scaled(&dscores, self.scale.0);
        let product = self.precision;
        Some(vec![product.by_matrix(&dscores, k), product.transposed_by(&dscores, q), product.transposed_by(&p, dout)])
    }
}

pub(crate) fn cases() -> Vec<Case> {
    let case = |name: &str, sizes: [usize; 6], mask: Option<[usize; 2]>, causal: bool| {
        let [b, h, t, _, _, e] = sizes;
        let mut inputs = samples(sizes, None);
        inputs.push(Sample::uniform([b, h, t], 0.5, 1.5));
        inputs.push(Sample::uniform([b, h, t, e], -1.0, 1.0));
        inputs.push(Sample::uniform([b, h, t], -1.0, 1.0));
        inputs.extend(samples(sizes, mask).into_iter().skip(3));
        let op = AttentionGrad { scale: Real(0.7), causal, precision: Precision::Full };
        let build = move |x: &[Value]| Value::record(op, &x.iter().collect::<Vec<_>>());
        Case::new(format!("attention_grad {name}"), inputs, build)
    };
    vec![
        case("", [2, 3, 5, 7, 4, 3], None, false),
        case("causal", [2, 1, 5, 5, 3, 4], None, true),
        case("with a shared mask", [2, 3, 4, 5, 3, 2], Some([1, 1]), true),
        case("of size one", [1, 1, 1, 1, 1, 1], None, false),
        case("in several blocks", [1, 2, 70, 135, 5, 3], None, true).once(),
    ]
}
