//! How far boxes are from others, by what they cover together.

use std::f64::consts::PI;

use gyrus_tensor::Tensor;

use crate::stop_gradient;

/// Keeps quotients finite, as in torchvision.
const EPS: f64 = 1e-7;

/// The intersection over union of boxes `left, top, right, bottom`, from 0 to 1.
///
/// # Shapes
/// `[.., 4]` each, where what stands before the last axis broadcasts; `[..]` results.
///
/// # Panics
/// If the last axis of either is not 4, or the shapes do not broadcast.
///
/// ```
/// use gyrus_nn::losses::box_iou;
/// use gyrus_tensor::Tensor;
///
/// let (a, b) = (Tensor::from([[0.0f32, 0.0, 2.0, 2.0]]), Tensor::from([[1.0f32, 0.0, 3.0, 2.0]]));
/// assert!((box_iou(&a, &b).item() - 1.0 / 3.0).abs() < 1e-6);
/// ```
#[track_caller]
pub fn box_iou(a: &Tensor, b: &Tensor) -> Tensor {
    Pair::new("box_iou", a, b).overlap().0
}

/// The loss `1 - IoU + (|H| - |A ∪ B|) / |H|` of each predicted box, where `H` is the smallest box around both: that boxes
/// which do not touch have a gradient too.
///
/// # Shapes
/// As of [`box_iou`].
///
/// # Panics
/// As [`box_iou`].
///
/// # Source
/// Rezatofighi et al., Generalized Intersection over Union (2019), algorithm 1.
#[track_caller]
pub fn generalised_box_iou_loss(predictions: &Tensor, targets: &Tensor) -> Tensor {
    let pair = Pair::new("generalised_box_iou_loss", predictions, targets);
    let (overlap, union) = pair.overlap();
    let [width, height] = pair.hull();
    let hull = width * height;
    1.0 - overlap + (&hull - union) / (hull + EPS)
}

/// The loss `1 - IoU + d² / c²` of each predicted box, where `d` is the distance of the centres and `c` the diagonal of the
/// smallest box around both.
///
/// # Shapes
/// As of [`box_iou`].
///
/// # Panics
/// As [`box_iou`].
///
/// # Source
/// Zheng et al., Distance-IoU Loss (2020), equation 7.
#[track_caller]
pub fn distance_box_iou_loss(predictions: &Tensor, targets: &Tensor) -> Tensor {
    let pair = Pair::new("distance_box_iou_loss", predictions, targets);
    1.0 - pair.overlap().0 + pair.distance()
}

/// The loss of [`distance_box_iou_loss`] with one of the shape added, `a v` with
/// `v = 4 / π² (arctan(w / h) - arctan(w' / h'))²` and `a = v / (1 - IoU + v)`, through which no gradient flows.
///
/// # Shapes
/// As of [`box_iou`].
///
/// # Panics
/// As [`box_iou`].
///
/// # Source
/// Zheng et al., Distance-IoU Loss (2020), equations 8 to 11.
#[track_caller]
pub fn complete_box_iou_loss(predictions: &Tensor, targets: &Tensor) -> Tensor {
    let pair = Pair::new("complete_box_iou_loss", predictions, targets);
    let overlap = pair.overlap().0;
    let angle = |sides: &Sides| sides.width().atan2(sides.height());
    let shape = (angle(&pair.b) - angle(&pair.a)).square() * (4.0 / (PI * PI));
    let weight = stop_gradient(&(&shape / (1.0 - &overlap + &shape + EPS)));
    1.0 - overlap + pair.distance() + weight * shape
}

/// The sides of boxes, `[..]` each.
struct Sides {
    left: Tensor,
    top: Tensor,
    right: Tensor,
    bottom: Tensor,
}

impl Sides {
    fn width(&self) -> Tensor {
        &self.right - &self.left
    }

    fn height(&self) -> Tensor {
        &self.bottom - &self.top
    }
}

/// Boxes that are compared.
struct Pair {
    a: Sides,
    b: Sides,
}

impl Pair {
    #[track_caller]
    fn new(operation: &str, a: &Tensor, b: &Tensor) -> Pair {
        let [a, b] = [a, b].map(|boxes| {
            assert!(
                boxes.dtype().is_float() && boxes.shape().last() == Some(&4),
                "{operation}: boxes {}: must be floating-point [.., 4], left, top, right and bottom",
                boxes.spec()
            );
            let [left, top, right, bottom] = [0, 1, 2, 3].map(|side| boxes.index_axis(-1, side));
            Sides { left, top, right, bottom }
        });
        Pair { a, b }
    }

    /// Intersection over union, and the union.
    fn overlap(&self) -> (Tensor, Tensor) {
        let Pair { a, b } = self;
        let width = (a.right.minimum(&b.right) - a.left.maximum(&b.left)).maximum(0.0);
        let height = (a.bottom.minimum(&b.bottom) - a.top.maximum(&b.top)).maximum(0.0);
        let intersection = width * height;
        let union = a.width() * a.height() + b.width() * b.height() - &intersection;
        (intersection / (&union + EPS), union)
    }

    /// Width and height of the smallest boxes around both.
    fn hull(&self) -> [Tensor; 2] {
        let Pair { a, b } = self;
        [a.right.maximum(&b.right) - a.left.minimum(&b.left), a.bottom.maximum(&b.bottom) - a.top.minimum(&b.top)]
    }

    /// The squared distance of the centres as a share of the squared diagonal of the box around both.
    fn distance(&self) -> Tensor {
        let Pair { a, b } = self;
        let x = (&a.left + &a.right - &b.left - &b.right) / 2.0;
        let y = (&a.top + &a.bottom - &b.top - &b.bottom) / 2.0;
        let [width, height] = self.hull();
        (x.square() + y.square()) / (width.square() + height.square() + EPS)
    }
}
