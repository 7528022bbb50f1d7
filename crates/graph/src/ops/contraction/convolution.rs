//! Convolution, and its gradients, which are operations of their own.
//!
//! The three are bilinear, and closed under differentiation: the gradients of each are the others.

use std::slice;

use super::{DotGeneral, Operation, Precision, Vjp};
use crate::conformance::{Case, Sample};
use crate::{Scalar, Spec, Value};

/// How a kernel moves over the spatial axes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ConvolutionWindow {
    /// The distance between neighbouring places of the kernel, at least 1, along each spatial axis.
    pub stride: Vec<usize>,
    /// Zeros before the first and after the last element; negative numbers remove elements.
    pub padding: Vec<(i64, i64)>,
    /// The distance between neighbouring elements of the kernel, at least 1.
    pub dilation: Vec<usize>,
    /// Into how many groups the channels are divided, each convolved by itself.
    pub groups: usize,
}

impl ConvolutionWindow {
    /// Over `num_axes` spatial axes: stride and dilation 1, no padding, one group.
    pub fn new(num_axes: usize) -> Self {
        let ones = vec![1; num_axes];
        ConvolutionWindow { stride: ones.clone(), padding: vec![(0, 0); num_axes], dilation: ones, groups: 1 }
    }

    /// The sizes of the spatial axes of the result: `(padded - dilation * (kernel - 1) - 1) / stride + 1`.
    ///
    /// # Errors
    /// If the kernel does not fit into the padded input, or a stride or dilation is 0.
    pub fn output_sizes(&self, input: &[usize], kernel: &[usize]) -> Result<Vec<usize>, String> {
        window_counts(input, kernel, &self.stride, &self.padding, &self.dilation)
    }

    /// The result's shape of operands of these shapes.
    fn output_shape(&self, x: &[usize], w: &[usize]) -> Result<Vec<usize>, String> {
        if !(3..=5).contains(&x.len()) || w.len() != x.len() {
            return Err("x must be [N, C, spatial..] and w [O, C / groups, kernel..], of 1 to 3 spatial axes".into());
        }
        let (groups, in_channels, out_channels) = (self.groups, x[1], w[0]);
        if groups == 0 || out_channels % groups != 0 || in_channels != w[1] * groups {
            return Err(format!(
                "C ({in_channels}) must be w's second axis ({}) times groups ({groups}), and O ({out_channels}) a multiple",
                w[1]
            ));
        }
        let spatial = self.output_sizes(&x[2..], &w[2..])?;
        Ok([&[x[0], out_channels], &spatial[..]].concat())
    }
}

/// How many places a dilated window has along each axis of a padded input.
pub(in crate::ops) fn window_counts(
    input: &[usize],
    window: &[usize],
    stride: &[usize],
    padding: &[(i64, i64)],
    dilation: &[usize],
) -> Result<Vec<usize>, String> {
    let rank = input.len();
    if [window.len(), stride.len(), padding.len(), dilation.len()].iter().any(|&len| len != rank) {
        return Err(format!("window, stride, padding and dilation must each have {rank} numbers"));
    }
    if window.iter().chain(stride).chain(dilation).any(|&n| n == 0) {
        return Err("window, stride and dilation must be at least 1".into());
    }
    let count = |axis: usize| {
        let padded = input[axis] as i64 + padding[axis].0 + padding[axis].1;
        let extent = (dilation[axis] * (window[axis] - 1) + 1) as i64;
        if extent > padded {
            return Err(format!("spatial axis {axis}: a window over {extent} must fit into the padded size {padded}"));
        }
        Ok((padded - extent) as usize / stride[axis] + 1)
    };
    (0..rank).map(count).collect()
}

/// `y[n, o, p..] = sum over c, k.. of x[n, c, p * stride + k * dilation - padding..] * w[o, c, k..]`, where
/// `c` runs over the channels of `o`'s group, and `x` is 0 outside. `f16` and `bf16` are summed in `f32`.
///
/// Operands: `x` `[N, C, spatial..]`, `w` `[O, C / groups, kernel..]`, 1 to 3 spatial axes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Convolution {
    /// How the kernel moves.
    pub window: ConvolutionWindow,
    /// How exactly it is computed.
    pub precision: Precision,
}

/// The gradient of [`Convolution`] with respect to `x`, a transposed convolution.
///
/// Operands: `dy` `[N, O, out..]`, `w` `[O, C / groups, kernel..]`; result `[N, C, input_spatial..]`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ConvolutionInputGrad {
    /// How the kernel moves in the convolution.
    pub window: ConvolutionWindow,
    /// The sizes of the spatial axes of `x`.
    pub input_spatial: Vec<usize>,
    /// How exactly it is computed.
    pub precision: Precision,
}

/// The gradient of [`Convolution`] with respect to `w`.
///
/// Operands: `x` `[N, C, spatial..]`, `dy` `[N, O, out..]`; result `[O, C / groups, kernel_spatial..]`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ConvolutionWeightGrad {
    /// How the kernel moves in the convolution.
    pub window: ConvolutionWindow,
    /// The sizes of the spatial axes of `w`.
    pub kernel_spatial: Vec<usize>,
    /// How exactly it is computed.
    pub precision: Precision,
}

/// What a convolution and its gradients have in common.
type Kind<'a> = (&'a ConvolutionWindow, Precision);

macro_rules! kind {
    ($($op:ty)*) => {$(
        impl $op {
            fn kind(&self) -> Kind<'_> {
                (&self.window, self.precision)
            }
        }
    )*};
}

kind!(Convolution ConvolutionInputGrad ConvolutionWeightGrad);

fn forward((window, precision): Kind, x: &Value, w: &Value) -> Value {
    Value::record_one(Convolution { window: window.clone(), precision }, &[x, w])
}

fn input_grad((window, precision): Kind, dy: &Value, w: &Value, x: &Value) -> Value {
    let input_spatial = x.shape()[2..].to_vec();
    Value::record_one(ConvolutionInputGrad { window: window.clone(), input_spatial, precision }, &[dy, w])
}

fn weight_grad((window, precision): Kind, x: &Value, dy: &Value, w: &Value) -> Value {
    let kernel_spatial = w.shape()[2..].to_vec();
    Value::record_one(ConvolutionWeightGrad { window: window.clone(), kernel_spatial, precision }, &[x, dy])
}

/// The rule of both operands' element types.
fn check_types(inputs: &[Spec]) -> Result<(), String> {
    match inputs {
        [a, b] if a.dtype == b.dtype && a.dtype.is_float() => Ok(()),
        [_, _] => Err("element types must be equal and floating-point; convert first".into()),
        _ => unreachable!("two operands"),
    }
}

/// The rule of `dy`, given what a convolution of `x` and `w` has.
fn check_cotangent(window: &ConvolutionWindow, x: &[usize], w: &[usize], dy: &Spec) -> Result<(), String> {
    let expected = window.output_shape(x, w)?;
    if dy.shape[..] != expected[..] {
        return Err(format!("dy must have the shape {expected:?} of the convolution of {x:?} with {w:?}"));
    }
    Ok(())
}

impl Operation for Convolution {
    fn name(&self) -> &'static str {
        "convolution"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Vec<Spec>, String> {
        check_types(inputs)?;
        let shape = self.window.output_shape(&inputs[0].shape, &inputs[1].shape)?;
        Ok(vec![Spec::new(shape, inputs[0].dtype)])
    }

    fn vjp(&self, context: &Vjp) -> Vec<Option<Value>> {
        let ([x, w], dy) = (context.inputs, context.cotangent()) else { unreachable!("two operands") };
        vec![
            context.needs[0].then(|| input_grad(self.kind(), &dy, w, x)),
            context.needs[1].then(|| weight_grad(self.kind(), x, &dy, w)),
        ]
    }

    /// For each element of the kernel a product over the channels with the part of `x` that it meets.
    fn decompose(&self, inputs: &[Value]) -> Option<Vec<Value>> {
        let [x, w] = inputs else { unreachable!("two operands") };
        let ConvolutionWindow { stride, padding, dilation, groups } = &self.window;
        let (kernel, num_axes) = (&w.shape()[2..], x.rank() - 2);
        let output = self.window.output_sizes(&x.shape()[2..], kernel).expect("checked when recorded");
        let (low, high): (Vec<i64>, Vec<i64>) = [(0, 0); 2].iter().chain(padding).copied().unzip();
        let padded = x.pad(&x.zero(), &low, &high, &vec![0; x.rank()]);
        let (batch, channels) = (x.shape()[0], w.shape()[1]);
        let step = [&[1, 1], &stride[..]].concat();
        let mut sum: Option<Value> = None;
        for element in 0..kernel.iter().product() {
            let place = unravel(element, kernel);
            let mut start = vec![0, 0];
            let mut limit = vec![batch, x.shape()[1]];
            for axis in 0..num_axes {
                start.push(place[axis] * dilation[axis]);
                limit.push(start[axis + 2] + (output[axis] - 1) * stride[axis] + 1);
            }
            let met = padded.slice(&start, &limit, &step);
            let met = met.reshape([&[batch, *groups, channels], &output[..]].concat());
            let first = [&[0, 0], &place[..]].concat();
            let last: Vec<usize> = place.iter().map(|index| index + 1).collect();
            let last = [&w.shape()[..2], &last].concat();
            let weights = w.slice(&first, &last, &vec![1; w.rank()]);
            let weights = weights.reshape([*groups, w.shape()[0] / groups, channels]);
            let by_group = DotGeneral {
                lhs_batch: vec![1],
                rhs_batch: vec![0],
                lhs_contract: vec![2],
                rhs_contract: vec![2],
                precision: self.precision,
            };
            // Axes: group, batch, spatial.., channel of the group.
            let product = met.dot_general(&weights, by_group);
            sum = Some(sum.map_or(product.clone(), |sum| sum.add(&product)));
        }
        let order: Vec<usize> = [1, 0, num_axes + 2].into_iter().chain(2..num_axes + 2).collect();
        let result = sum.expect("a kernel has elements").transpose(&order);
        Some(vec![result.reshape([&[batch, w.shape()[0]], &output[..]].concat())])
    }
}

/// The indices of the `linear`-th element of a row-major array of these sizes.
pub(in crate::ops) fn unravel(mut linear: usize, sizes: &[usize]) -> Vec<usize> {
    let mut place = vec![0; sizes.len()];
    for (index, size) in place.iter_mut().zip(sizes).rev() {
        (*index, linear) = (linear % size, linear / size);
    }
    place
}

/// A convolution is linear in each operand: the gradient for one does not depend on it, and 0 will do.
fn decomposed_gradient((window, precision): Kind, x: &Value, w: &Value, dy: &Value, target: &Value) -> Vec<Value> {
    let op = Convolution { window: window.clone(), precision };
    let y = op.decompose(&[x.clone(), w.clone()]).expect("has a decomposition");
    let gradient = crate::gradients(&y, slice::from_ref(dy), slice::from_ref(target)).pop().flatten();
    vec![gradient.unwrap_or_else(|| target.full_like(0.0))]
}

impl Operation for ConvolutionInputGrad {
    fn name(&self) -> &'static str {
        "convolution_input_grad"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Vec<Spec>, String> {
        check_types(inputs)?;
        let (dy, w) = (&inputs[0], &inputs[1].shape);
        if dy.shape.rank() < 2 || w.rank() < 2 {
            return Err("dy must be [N, O, out..] and w [O, C / groups, kernel..]".into());
        }
        let shape = [&[dy.shape[0], w[1] * self.window.groups], &self.input_spatial[..]].concat();
        check_cotangent(&self.window, &shape, w, dy)?;
        Ok(vec![Spec::new(shape, dy.dtype)])
    }

    fn vjp(&self, context: &Vjp) -> Vec<Option<Value>> {
        let ([dy, w], g) = (context.inputs, context.cotangent()) else { unreachable!("two operands") };
        vec![
            context.needs[0].then(|| forward(self.kind(), &g, w)),
            context.needs[1].then(|| weight_grad(self.kind(), &g, dy, w)),
        ]
    }

    fn decompose(&self, inputs: &[Value]) -> Option<Vec<Value>> {
        let [dy, w] = inputs else { unreachable!("two operands") };
        let shape = [&[dy.shape()[0], w.shape()[1] * self.window.groups], &self.input_spatial[..]].concat();
        let x = Value::constant(Scalar::from_f64(dy.dtype(), 0.0), shape);
        Some(decomposed_gradient(self.kind(), &x, w, dy, &x))
    }
}

impl Operation for ConvolutionWeightGrad {
    fn name(&self) -> &'static str {
        "convolution_weight_grad"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Vec<Spec>, String> {
        check_types(inputs)?;
        let (x, dy) = (&inputs[0].shape, &inputs[1]);
        if dy.shape.rank() < 2 || x.rank() < 2 || self.window.groups == 0 {
            return Err("x must be [N, C, spatial..] and dy [N, O, out..], in 1 group or more".into());
        }
        let shape = [&[dy.shape[1], x[1] / self.window.groups], &self.kernel_spatial[..]].concat();
        check_cotangent(&self.window, x, &shape, dy)?;
        Ok(vec![Spec::new(shape, dy.dtype)])
    }

    fn vjp(&self, context: &Vjp) -> Vec<Option<Value>> {
        let ([x, dy], g) = (context.inputs, context.cotangent()) else { unreachable!("two operands") };
        vec![
            context.needs[0].then(|| input_grad(self.kind(), dy, &g, x)),
            context.needs[1].then(|| forward(self.kind(), x, &g)),
        ]
    }

    fn decompose(&self, inputs: &[Value]) -> Option<Vec<Value>> {
        let [x, dy] = inputs else { unreachable!("two operands") };
        let shape = [&[dy.shape()[1], x.shape()[1] / self.window.groups], &self.kernel_spatial[..]].concat();
        let w = Value::constant(Scalar::from_f64(dy.dtype(), 0.0), shape);
        Some(decomposed_gradient(self.kind(), x, &w, dy, &w))
    }
}

impl Value {
    /// Convolves `self`, `[N, C, spatial..]`, with `w`, `[O, C / groups, kernel..]`; see [`Convolution`].
    ///
    /// # Panics
    /// If the shapes do not fit each other and the window, or the element types are not equal and
    /// floating-point.
    #[track_caller]
    pub fn conv(&self, w: &Value, window: ConvolutionWindow) -> Value {
        self.conv_with(w, window, Precision::Full)
    }

    /// As [`Value::conv`], with a choice of how exactly it is computed.
    ///
    /// # Panics
    /// As [`Value::conv`].
    #[track_caller]
    pub fn conv_with(&self, w: &Value, window: ConvolutionWindow, precision: Precision) -> Value {
        Value::record_one(Convolution { window, precision }, &[self, w])
    }

    /// The gradient of a convolution with respect to its input, where `self` is that with respect to its
    /// result; see [`ConvolutionInputGrad`].
    ///
    /// # Panics
    /// As [`Value::conv`].
    #[track_caller]
    pub fn conv_input_grad(&self, w: &Value, window: ConvolutionWindow, input_spatial: &[usize]) -> Value {
        let (input_spatial, precision) = (input_spatial.to_vec(), Precision::Full);
        Value::record_one(ConvolutionInputGrad { window, input_spatial, precision }, &[self, w])
    }

    /// The gradient of a convolution of `self` with respect to its weights, where `dy` is that with
    /// respect to its result; see [`ConvolutionWeightGrad`].
    ///
    /// # Panics
    /// As [`Value::conv`].
    #[track_caller]
    pub fn conv_weight_grad(&self, dy: &Value, window: ConvolutionWindow, kernel_spatial: &[usize]) -> Value {
        let (kernel_spatial, precision) = (kernel_spatial.to_vec(), Precision::Full);
        Value::record_one(ConvolutionWeightGrad { window, kernel_spatial, precision }, &[self, dy])
    }
}

pub(crate) fn cases() -> Vec<Case> {
    type Axis = (usize, usize, usize, (i64, i64), usize);
    // Along each axis: size, kernel, stride, padding, dilation.
    let at_precision = |precision: Precision, name: &str, channels: [usize; 3], axes: &[Axis]| {
        let [in_channels, out_channels, groups] = channels;
        let window = ConvolutionWindow {
            stride: axes.iter().map(|axis| axis.2).collect(),
            padding: axes.iter().map(|axis| axis.3).collect(),
            dilation: axes.iter().map(|axis| axis.4).collect(),
            groups,
        };
        let input: Vec<usize> = axes.iter().map(|axis| axis.0).collect();
        let kernel: Vec<usize> = axes.iter().map(|axis| axis.1).collect();
        let output = window.output_sizes(&input, &kernel).expect("fits");
        let reals = |a: usize, b: usize, spatial: &[usize]| Sample::uniform([&[a, b], spatial].concat(), -1.0, 1.0);
        let x = reals(2, in_channels, &input);
        let w = reals(out_channels, in_channels / groups, &kernel);
        let dy = reals(2, out_channels, &output);
        let forward = Convolution { window: window.clone(), precision };
        let input_grad = ConvolutionInputGrad { window: window.clone(), input_spatial: input, precision };
        let weight_grad = ConvolutionWeightGrad { window, kernel_spatial: kernel, precision };
        vec![
            Case::new(format!("convolution {name}"), [x.clone(), w.clone()], move |v| {
                vec![Value::record_one(forward.clone(), &[&v[0], &v[1]])]
            }),
            Case::new(format!("convolution_input_grad {name}"), [dy.clone(), w], move |v| {
                vec![Value::record_one(input_grad.clone(), &[&v[0], &v[1]])]
            }),
            Case::new(format!("convolution_weight_grad {name}"), [x, dy], move |v| {
                vec![Value::record_one(weight_grad.clone(), &[&v[0], &v[1]])]
            }),
        ]
    };
    let families =
        |name: &str, channels: [usize; 3], axes: &[Axis]| at_precision(Precision::Full, name, channels, axes);
    let of_bf16 = |name: &str, channels: [usize; 3], axes: &[Axis]| at_precision(Precision::Bf16, name, channels, axes);
    let same = (5, 3, 1, (1, 1), 1);
    [
        families("of 1 axis", [2, 3, 1], &[(7, 3, 2, (1, 0), 1)]),
        families("same", [3, 2, 1], &[same, same]),
        families("valid", [2, 3, 1], &[(4, 2, 1, (0, 0), 1), (5, 3, 1, (0, 0), 1)]),
        families("1 by 1, strided", [3, 4, 1], &[(5, 1, 2, (0, 0), 1), (4, 1, 2, (0, 0), 1)]),
        families("strided, rest left over", [2, 2, 1], &[(6, 3, 2, (0, 0), 1), (7, 2, 3, (1, 1), 1)]),
        families("dilated", [2, 2, 1], &[(7, 3, 1, (2, 2), 2), (6, 2, 2, (0, 1), 3)]),
        families("cropped", [1, 2, 1], &[(6, 2, 1, (-1, 0), 1), (6, 3, 1, (1, -2), 1)]),
        families("grouped", [4, 6, 2], &[same, (4, 2, 1, (0, 0), 1)]),
        families("depthwise", [3, 6, 3], &[same, same]),
        families("of 3 axes", [2, 2, 1], &[(3, 2, 1, (1, 0), 1), (4, 3, 2, (1, 1), 1), (3, 2, 1, (0, 0), 1)]),
        of_bf16("of bf16, of 1 axis", [2, 3, 1], &[(7, 3, 2, (1, 0), 1)]),
        of_bf16("of bf16, strided", [3, 17, 1], &[(5, 3, 2, (1, 1), 1), (4, 1, 1, (0, 0), 1)]),
        of_bf16("of bf16, whole", [2, 2, 1], &[(3, 3, 1, (0, 0), 1)]),
        of_bf16("of bf16, depthwise", [3, 6, 3], &[same, same]),
    ]
    .into_iter()
    .flatten()
    .collect()
}
