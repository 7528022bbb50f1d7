//! The soft Dice loss of classes of pixels.

use gyrus_tensor::{DType, Tensor};

/// One minus the overlap of probabilities with the truth, a mean over classes: large and small classes count the same.
///
/// With `p = softmax(logits)` and `y` the truth, 1 at the class of a pixel and else 0,
/// `dice[c] = (2 sum of p[c] y[c] + smooth) / (sum of p[c] + sum of y[c] + smooth)`, sums over all pixels of the batch that
/// count, and `loss = 1 - mean of dice[c]` over the classes of which the batch has a pixel; 0 if there are none.
///
/// # Source
/// Drozdzal et al., The Importance of Skip Connections in Biomedical Image Segmentation (2016), equation 2. Classes that a
/// batch lacks are left out, as in the PyPI package `segmentation-models-pytorch`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dice {
    smooth: f64,
    ignore_index: Option<i64>,
}

impl Default for Dice {
    /// With `smooth` 1 and no ignored label.
    fn default() -> Self {
        Dice { smooth: 1.0, ignore_index: None }
    }
}

impl Dice {
    /// What is added above and below the line, in pixels: it calms classes of few pixels.
    pub fn smooth(self, smooth: f64) -> Self {
        Dice { smooth, ..self }
    }

    /// The label of pixels that do not count, which need not be a class.
    pub fn ignore_index(self, ignore_index: i64) -> Self {
        Dice { ignore_index: Some(ignore_index), ..self }
    }

    /// The loss.
    ///
    /// # Shapes
    /// `logits` `[N, C, spatial..]` and `targets` `[N, spatial..]`, class indices of an integer type; a scalar results.
    ///
    /// # Panics
    /// If the shapes or element types are others.
    #[track_caller]
    pub fn loss(&self, logits: &Tensor, targets: &Tensor) -> Tensor {
        let fits = logits.rank() >= 2 && targets.shape()[..] == logits.shape().without(&[1])[..];
        assert!(
            fits && logits.dtype().is_float() && targets.dtype().is_integer(),
            "dice: logits {} and targets {}: must be floating-point [N, C, spatial..] and class indices [N, spatial..]",
            logits.spec(),
            targets.spec()
        );
        let (num_classes, dtype) = (logits.shape()[1], logits.dtype());
        let channels_last: Vec<usize> = [0].into_iter().chain(2..logits.rank()).chain([1]).collect();
        let count = targets.num_elements();
        let rows: Tensor = logits.value().transpose(&channels_last).reshape([count, num_classes]).into();
        let targets = targets.to_dtype(DType::I64).reshape([count]);
        let (mut p, mut y) = (rows.softmax(-1), targets.one_hot(num_classes, dtype));
        if let Some(index) = self.ignore_index {
            let counts = targets.ne(index).to_dtype(dtype).unsqueeze(-1);
            (p, y) = (p * &counts, y * &counts);
        }
        let num_true = y.sum(0);
        let overlap = (&p * &y).sum(0);
        let dice = (overlap * 2.0 + self.smooth) / (p.sum(0) + &num_true + self.smooth);
        let is_there = num_true.gt(0.0).to_dtype(dtype);
        let num_there = is_there.sum(..).maximum(1.0);
        ((1.0 - dice) * is_there).sum(..) / num_there
    }
}
