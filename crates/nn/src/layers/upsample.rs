//! Images made larger, or of another size.

use gyrus_graph::ops::contraction::DotGeneral;
use gyrus_graph::{DType, Value};
use gyrus_tensor::Tensor;

use super::PerAxis;
use crate::{Context, Layer, Module};

/// How a value between the pixels of an image is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Module)]
pub enum Interpolation {
    /// That of the pixel in which the place lies: pixel `i` of `output` takes pixel `floor(i * input / output)`.
    Nearest,
    /// The mean of the two nearest pixels along each axis, by their distance. Pixels are squares, and their middles
    /// stay at their share of the axis: pixel `i` of `output` lies at `(i + 0.5) * input / output - 0.5`, and not
    /// before the first pixel or beyond the last. PyTorch's `bilinear` with `align_corners=False`.
    Bilinear,
}

/// Makes images larger by a whole factor.
///
/// # Shapes
/// `[N, C, H, W]` to `[N, C, H * factor, W * factor]`.
#[derive(Clone, Debug, Module)]
pub struct Upsample {
    factor: [usize; 2],
    interpolation: Interpolation,
}

impl Upsample {
    /// Each pixel becomes a rectangle.
    pub fn nearest(factor: impl Into<PerAxis<2>>) -> Self {
        Upsample { factor: factor.into().0, interpolation: Interpolation::Nearest }
    }

    /// See [`Interpolation::Bilinear`].
    pub fn bilinear(factor: impl Into<PerAxis<2>>) -> Self {
        Upsample { factor: factor.into().0, interpolation: Interpolation::Bilinear }
    }
}

impl Layer for Upsample {
    fn forward(&self, input: &Tensor, _: &mut Context) -> Tensor {
        assert!(input.rank() == 4, "upsample: input {}: must have 4 axes, [N, C, H, W]", input.spec());
        let size = [0, 1].map(|axis| input.shape()[2 + axis] * self.factor[axis]);
        interpolate(input, size, self.interpolation)
    }
}

/// Images of another height and width.
///
/// # Shapes
/// `[N, C, H, W]` to `[N, C, size..]`.
///
/// # Panics
/// If the input is not floating-point, of four axes, with pixels.
///
/// ```
/// use gyrus_nn::layers::{Interpolation, interpolate};
/// use gyrus_tensor::Tensor;
///
/// let image = Tensor::from_slice([1, 1, 1, 2], &[0.0f32, 4.0]);
/// let larger = interpolate(&image, [1, 4], Interpolation::Bilinear);
/// assert_eq!(larger.to_vec::<f32>(), [0.0, 1.0, 3.0, 4.0]);
/// ```
#[track_caller]
pub fn interpolate(input: &Tensor, size: [usize; 2], interpolation: Interpolation) -> Tensor {
    assert!(
        input.rank() == 4 && input.dtype().is_float() && !input.shape()[2..].contains(&0),
        "interpolate: input {}: must be floating-point [N, C, H, W] with pixels",
        input.spec()
    );
    if input.shape()[2..] == size {
        return input.clone();
    }
    match interpolation {
        Interpolation::Nearest => nearest(input, size),
        Interpolation::Bilinear => bilinear(input.value(), size).into(),
    }
}

/// Pixels are repeated by a broadcast where sizes divide, which makes no copies, and else are taken one by one.
fn nearest(input: &Tensor, size: [usize; 2]) -> Tensor {
    let [n, c, height, width] = [0, 1, 2, 3].map(|axis| input.shape()[axis]);
    if size[0].is_multiple_of(height) && size[1].is_multiple_of(width) {
        let apart = input.reshape([n, c, height, 1, width, 1]);
        let repeated = apart.broadcast_to([n, c, height, size[0] / height, width, size[1] / width]);
        return repeated.reshape([n, c, size[0], size[1]]);
    }
    [(2, height, size[0]), (3, width, size[1])].into_iter().fold(input.clone(), |x, (axis, from, to)| {
        let places: Vec<i64> = (0..to).map(|place| (place * from / to) as i64).collect();
        x.take(axis, &Tensor::from_slice([to], &places))
    })
}

/// One product for each axis, with the weights of its pixels: each takes the leading spatial axis away and puts its new
/// pixels at the end.
fn bilinear(x: &Value, size: [usize; 2]) -> Value {
    let product = |x: Value, &size: &usize| {
        let weights = weights(x.shape()[2], size, x.dtype());
        x.dot_general(&weights, DotGeneral { lhs_contract: vec![2], rhs_contract: vec![1], ..DotGeneral::default() })
    };
    size.iter().fold(x.clone(), product)
}

/// `[to, from]`: in row `i` the shares of the pixels of an axis in pixel `i` of the new one.
fn weights(from: usize, to: usize, dtype: DType) -> Value {
    let mut weights = vec![0.0f64; to * from];
    for (place, row) in weights.chunks_exact_mut(from).enumerate() {
        let at = ((place as f64 + 0.5) * from as f64 / to as f64 - 0.5).clamp(0.0, (from - 1) as f64);
        let before = at as usize;
        row[before] += 1.0 - at.fract();
        row[(before + 1).min(from - 1)] += at.fract();
    }
    Value::from_elements([to, from], &weights).convert(dtype)
}
