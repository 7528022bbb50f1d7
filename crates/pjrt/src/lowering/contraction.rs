//! Sums of products.
//!
//! Products of matrices of `f16` and `bf16` are asked for in `f32`, in which they are summed, and rounded once. Convolutions
//! of them are asked for in their own type, also where operands of `f32` were rounded: GPUs sum in `f32` and round
//! once, but have no units that would give the sums. `f32` at full precision is said to be meant: GPUs would round operands
//! to 19 bits, TPUs to `bf16`.

use gyrus_graph::ops::contraction::{
    Convolution, ConvolutionInputGrad, ConvolutionWeightGrad, ConvolutionWindow, DotGeneral, Precision,
};
use gyrus_graph::{DType, Spec};

use super::attributes::{array, list, listed, pairs};
use super::movement::{reverse, transpose};
use super::writer::{Tensor, Writer};

/// The type in which an operand of this type is multiplied.
fn operand_type(dtype: DType, precision: Precision) -> DType {
    if dtype == DType::F32 && precision == Precision::Bf16 { DType::BF16 } else { dtype }
}

/// An operation on two operands at a precision, which gives its sums as a type.
fn product(
    w: &mut Writer,
    name: &str,
    [a, b]: [&Tensor; 2],
    precision: Precision,
    sum_type: DType,
    attributes: &str,
    result: &Spec,
) -> Tensor {
    let level = match precision {
        Precision::Full if result.dtype == DType::F32 => "HIGHEST",
        Precision::Tf32 if result.dtype == DType::F32 => "HIGH",
        _ => "DEFAULT",
    };
    let level = format!("#stablehlo<precision {level}>");
    let operand_type = operand_type(result.dtype, precision);
    let (a, b) = (w.cast(a, operand_type), w.cast(b, operand_type));
    let attributes = format!("{attributes}, precision_config = [{level}, {level}]");
    let sum = w.op(name, &[&a, &b], &attributes, &Spec::new(&result.shape, sum_type));
    w.cast(&sum, result.dtype)
}

pub(super) fn dot_general(w: &mut Writer, op: &DotGeneral, lhs: &Tensor, rhs: &Tensor, result: &Spec) -> Tensor {
    let attributes = format!(
        "dot_dimension_numbers = #stablehlo.dot<lhs_batching_dimensions = {}, rhs_batching_dimensions = {}, \
         lhs_contracting_dimensions = {}, rhs_contracting_dimensions = {}>",
        list(&op.lhs_batch),
        list(&op.rhs_batch),
        list(&op.lhs_contract),
        list(&op.rhs_contract)
    );
    let sum_type = if matches!(result.dtype, DType::F16 | DType::BF16) { DType::F32 } else { result.dtype };
    product(w, "dot_general", [lhs, rhs], op.precision, sum_type, &attributes, result)
}

/// A convolution as StableHLO says it.
struct Correlation {
    /// The axes of both operands and the result: `[b, f]x[o, i]->[b, f]`, without the spatial ones, which follow.
    axes: [[char; 2]; 3],
    stride: Vec<usize>,
    padding: Vec<(i64, i64)>,
    lhs_dilation: Vec<usize>,
    rhs_dilation: Vec<usize>,
    feature_groups: usize,
    batch_groups: usize,
}

impl Correlation {
    fn write(&self, w: &mut Writer, operands: [&Tensor; 2], precision: Precision, result: &Spec) -> Tensor {
        let spatial: String = (0..self.stride.len()).map(|axis| format!(", {axis}")).collect();
        let [lhs, rhs, out] = self.axes.map(|[first, second]| format!("[{first}, {second}{spatial}]"));
        let attributes = format!(
            "window_strides = {}, padding = {}, lhs_dilation = {}, rhs_dilation = {}, window_reversal = array<i1: {}>, \
             dimension_numbers = #stablehlo.conv<{lhs}x{rhs}->{out}>, feature_group_count = {} : i64, \
             batch_group_count = {} : i64",
            array(&self.stride),
            pairs(&self.padding),
            array(&self.lhs_dilation),
            array(&self.rhs_dilation),
            listed(self.stride.iter().map(|_| false)),
            self.feature_groups,
            self.batch_groups
        );
        let sum_type = operand_type(result.dtype, precision);
        product(w, "convolution", operands, precision, sum_type, &attributes, result)
    }
}

pub(super) fn convolution(w: &mut Writer, op: &Convolution, x: &Tensor, weight: &Tensor, result: &Spec) -> Tensor {
    let ConvolutionWindow { stride, padding, dilation, groups } = op.window.clone();
    let correlation = Correlation {
        axes: [['b', 'f'], ['o', 'i'], ['b', 'f']],
        lhs_dilation: vec![1; stride.len()],
        stride,
        padding,
        rhs_dilation: dilation,
        feature_groups: groups,
        batch_groups: 1,
    };
    correlation.write(w, [x, weight], op.precision, result)
}

/// The convolution of `dy`, spread by the stride, with the reversed kernel, whose channels change places. The padding
/// is what gives the sizes of the input, also where the stride left a rest.
pub(super) fn input_grad(
    w: &mut Writer,
    op: &ConvolutionInputGrad,
    dy: &Tensor,
    weight: &Tensor,
    result: &Spec,
) -> Tensor {
    let ConvolutionWindow { stride, padding, dilation, groups } = op.window.clone();
    let edges = |axis: usize| {
        let extent = (dilation[axis] * (weight.shape()[axis + 2] - 1)) as i64;
        let spread = ((dy.shape()[axis + 2] - 1) * stride[axis] + 1) as i64;
        let low = extent - padding[axis].0;
        (low, op.input_spatial[axis] as i64 + extent - spread - low)
    };
    let correlation = Correlation {
        axes: [['b', 'f'], ['i', 'o'], ['b', 'f']],
        stride: vec![1; stride.len()],
        padding: (0..stride.len()).map(edges).collect(),
        lhs_dilation: stride,
        rhs_dilation: dilation,
        feature_groups: groups,
        batch_groups: 1,
    };
    let spatial: Vec<usize> = (2..weight.rank()).collect();
    // XLA takes this for what it is where nothing stands between the reversal and the convolution.
    let weight = w.cast(weight, operand_type(weight.dtype(), op.precision));
    let reversed = reverse(w, &weight, &spatial);
    let by_group = groups_of_inputs(w, &reversed, groups);
    correlation.write(w, [dy, &by_group], op.precision, result)
}

/// From weights `[O, C / groups, kernel..]` those of the opposite direction, `[O / groups, C, kernel..]`.
fn groups_of_inputs(w: &mut Writer, weight: &Tensor, groups: usize) -> Tensor {
    if groups == 1 {
        return weight.clone();
    }
    let (outputs, inputs, kernel) = (weight.shape()[0] / groups, weight.shape()[1], weight.shape()[2..].to_vec());
    let apart = w.reshape(weight, &[&[groups, outputs, inputs], &kernel[..]].concat());
    let order: Vec<usize> = [1, 0].into_iter().chain(2..apart.rank()).collect();
    let swapped = transpose(w, &apart, &order);
    w.reshape(&swapped, &[&[outputs, groups * inputs], &kernel[..]].concat())
}

/// The convolution of `x` with `dy`, summed over the batch, in which stride and dilation change places. The padding is
/// what gives the sizes of the kernel, also where the stride left a rest.
pub(super) fn weight_grad(
    w: &mut Writer,
    op: &ConvolutionWeightGrad,
    x: &Tensor,
    dy: &Tensor,
    result: &Spec,
) -> Tensor {
    let ConvolutionWindow { stride, padding, dilation, groups } = op.window.clone();
    let edges = |axis: usize| {
        let extent = (dilation[axis] * (op.kernel_spatial[axis] - 1)) as i64;
        let spread = ((dy.shape()[axis + 2] - 1) * stride[axis] + 1) as i64;
        let low = padding[axis].0;
        (low, extent + spread - x.shape()[axis + 2] as i64 - low)
    };
    let correlation = Correlation {
        axes: [['f', 'b'], ['i', 'o'], ['f', 'b']],
        padding: (0..stride.len()).map(edges).collect(),
        stride: dilation,
        lhs_dilation: vec![1; stride.len()],
        rhs_dilation: stride,
        feature_groups: 1,
        batch_groups: groups,
    };
    correlation.write(w, [x, dy], op.precision, result)
}
