//! Cross-entropies of yes-or-no questions that are mostly answered with no.

use gyrus_tensor::Tensor;

use crate::stop_gradient;

/// The focal loss of each logit `x` with its target `t`, 0 or 1 or between. With `p = sigmoid(x)` and the cross-entropy
/// `ce = -t ln p - (1 - t) ln(1 - p)`, in nats:
///
/// `loss = a (1 - q)^gamma ce` with `q = p t + (1 - p) (1 - t)` and `a = alpha t + (1 - alpha) (1 - t)`;
/// without `alpha`, `a = 1`.
///
/// What is answered well already counts less, the more so the greater `gamma` (2 as published, with `alpha` 0.25).
///
/// # Shapes
/// Both the same, which is that of the losses.
///
/// # Panics
/// If shapes or element types differ, or `gamma` is neither 0 nor at least 1.
///
/// # Source
/// Lin et al., Focal Loss for Dense Object Detection (2017), equation 5.
///
/// ```
/// use gyrus_nn::losses::sigmoid_focal_loss;
/// use gyrus_tensor::Tensor;
///
/// let losses = sigmoid_focal_loss(&Tensor::from([0.0f32, 9.0]), &Tensor::from([1.0f32, 1.0]), Some(0.25), 2.0);
/// assert!((losses.index_axis(0, 0).item() - 0.25 * 0.25 * 2f64.ln()).abs() < 1e-7);
/// ```
#[track_caller]
pub fn sigmoid_focal_loss(logits: &Tensor, targets: &Tensor, alpha: Option<f64>, gamma: f64) -> Tensor {
    check("sigmoid_focal_loss", logits, targets, gamma);
    let p = logits.sigmoid();
    let wrong = &p * (1.0 - targets) + (1.0 - &p) * targets;
    let losses = power(&wrong, gamma) * cross_entropies(logits, targets);
    match alpha {
        Some(alpha) => (targets * alpha + (1.0 - targets) * (1.0 - alpha)) * losses,
        None => losses,
    }
}

/// The quality focal loss of each logit `x` with its target `t` from 0 to 1, such as the overlap of a predicted box with
/// the true one: `loss = |t - sigmoid(x)|^beta ce`, where `ce` is the cross-entropy of [`sigmoid_focal_loss`]. With
/// `beta` 0 it is the cross-entropy itself; 2 as published.
///
/// # Shapes
/// Both the same, which is that of the losses.
///
/// # Panics
/// If shapes or element types differ, or `beta` is neither 0 nor at least 1.
///
/// # Source
/// Li et al., Generalized Focal Loss (2020), equation 1.
#[track_caller]
pub fn quality_focal_loss(logits: &Tensor, targets: &Tensor, beta: f64) -> Tensor {
    check("quality_focal_loss", logits, targets, beta);
    power(&(targets - logits.sigmoid()).abs(), beta) * cross_entropies(logits, targets)
}

/// The varifocal loss of each logit `x` with its target `t` from 0 to 1: `t ce` where `t > 0`, so that good examples count
/// more, else `alpha sigmoid(x)^gamma ce`, where `ce` is the cross-entropy of [`sigmoid_focal_loss`]. As published `alpha`
/// is 0.75 and `gamma` 2.
///
/// # Shapes
/// Both the same, which is that of the losses.
///
/// # Panics
/// If shapes or element types differ, or `gamma` is neither 0 nor at least 1.
///
/// # Source
/// Zhang et al., VarifocalNet (2021), equation 2. As in the authors' code no gradient flows through the weights.
#[track_caller]
pub fn varifocal_loss(logits: &Tensor, targets: &Tensor, alpha: f64, gamma: f64) -> Tensor {
    check("varifocal_loss", logits, targets, gamma);
    let weight = targets.gt(0).select(targets, power(&logits.sigmoid(), gamma) * alpha);
    stop_gradient(&weight) * cross_entropies(logits, targets)
}

/// `-t ln sigmoid(x) - (1 - t) ln(1 - sigmoid(x)) = softplus(x) - t x`.
fn cross_entropies(logits: &Tensor, targets: &Tensor) -> Tensor {
    logits.softplus() - targets * logits
}

/// `x^exponent` of a number that is not negative. Where both are 0 the general power has no gradient.
fn power(x: &Tensor, exponent: f64) -> Tensor {
    if exponent == 0.0 { x.ones_like() } else { x.powf(exponent) }
}

#[track_caller]
fn check(loss: &str, logits: &Tensor, targets: &Tensor, exponent: f64) {
    assert!(
        logits.spec() == targets.spec() && logits.dtype().is_float(),
        "{loss}: logits {} and targets {}: must be alike, floating-point",
        logits.spec(),
        targets.spec()
    );
    assert!(exponent == 0.0 || exponent >= 1.0, "{loss}: exponent {exponent}: must be 0 or at least 1");
}
