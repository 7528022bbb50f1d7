//! Operations that combine the elements under a moving window.

use gyrus_graph::ops::elementwise::Direction;
use gyrus_graph::ops::reduction::{Extremum, Reduction};
use gyrus_graph::ops::window::{ReduceWindow, ReduceWindowSelectGrad, ReduceWindowSumGrad, Window};
use gyrus_graph::{Op, Scalar, Spec};

use super::attributes::{array, pairs};
use super::movement::pad;
use super::reduction::{accumulator, combiner};
use super::writer::{Tensor, Writer};
use super::{LoweringError, whole};

/// The reduction under a window of `[N, C, spatial..]`, in the type in which it sums.
fn reduced(
    w: &mut Writer,
    reduction: Reduction,
    window: &Window,
    x: &Tensor,
    result: &Spec,
) -> Result<Tensor, LoweringError> {
    let dtype = accumulator(reduction, x.dtype());
    let x = w.cast(x, dtype);
    let none = w.constant(reduction.identity(dtype), []);
    let combiner = combiner(w, reduction, dtype)?;
    let attributes = format!(
        "window_dimensions = {}, window_strides = {}, base_dilations = {}, window_dilations = {}, padding = {}",
        over_images(&window.size),
        over_images(&window.stride),
        over_images(&vec![1; window.size.len()]),
        over_images(&window.dilation),
        pairs(&[&[(0, 0); 2], &window.padding[..]].concat())
    );
    let wide = Spec::new(&result.shape, dtype);
    let y = w.op_of_region("reduce_window", &[&x, &none], &[combiner], &attributes, &wide);
    Ok(w.cast(&y, result.dtype))
}

/// The numbers of the spatial axes, after those of batch and channels.
fn over_images(spatial: &[usize]) -> String {
    array([&[1, 1], spatial].concat())
}

/// Elements that a negative padding removes are removed beforehand: the padding of a window is not negative.
fn cropped(w: &mut Writer, x: &Tensor, window: &Window) -> (Tensor, Window) {
    let keep = |edge: i64| edge.max(0);
    let padding = window.padding.iter().map(|&(low, high)| (keep(low), keep(high))).collect();
    if window.padding.iter().all(|&(low, high)| low >= 0 && high >= 0) {
        return (x.clone(), window.clone());
    }
    let edges = |side: fn(&(i64, i64)) -> i64| {
        let spatial = window.padding.iter().map(|edge| side(edge).min(0));
        [0, 0].into_iter().chain(spatial).collect::<Vec<i64>>()
    };
    let none = w.constant(Scalar::from_f64(x.dtype(), 0.0), []);
    let inner = pad(w, x, &none, &edges(|edge| edge.0), &edges(|edge| edge.1), &vec![0; x.rank()]);
    (inner, Window { padding, ..window.clone() })
}

pub(super) fn reduce_window(
    w: &mut Writer,
    op: &ReduceWindow,
    x: &Tensor,
    result: &Spec,
) -> Result<Tensor, LoweringError> {
    let (x, window) = cropped(w, x, &op.window);
    reduced(w, op.reduction, &window, &x, result)
}

/// The sum under the same window of `dy`, spread by the stride and padded so that the sizes of the input come out: an
/// element receives from the places that cover it.
pub(super) fn sum_grad(
    w: &mut Writer,
    op: &ReduceWindowSumGrad,
    dy: &Tensor,
    result: &Spec,
) -> Result<Tensor, LoweringError> {
    let Window { size, stride, padding, dilation } = &op.window;
    let (mut low, mut high, mut interior) = (vec![0, 0], vec![0, 0], vec![0, 0]);
    for axis in 0..size.len() {
        let extent = (dilation[axis] * (size[axis] - 1)) as i64;
        let spread = ((dy.shape()[axis + 2] - 1) * stride[axis] + 1) as i64;
        low.push(extent - padding[axis].0);
        high.push(op.input_spatial[axis] as i64 + padding[axis].0 - spread);
        interior.push(stride[axis] - 1);
    }
    let zero = w.constant(Scalar::from_f64(dy.dtype(), 0.0), []);
    let spread = pad(w, dy, &zero, &low, &high, &interior);
    let ones = vec![1; size.len()];
    let window =
        Window { size: size.clone(), stride: ones, padding: vec![(0, 0); size.len()], dilation: dilation.clone() };
    reduced(w, Reduction::Sum, &window, &spread, result)
}

/// StableHLO's `select_and_scatter`, which knows no dilation; nor do its windows lie wholly or in part beyond a
/// negative padding. Such windows take the decomposition.
pub(super) fn select_grad(
    w: &mut Writer,
    op: &Op,
    select: &ReduceWindowSelectGrad,
    x: &[Tensor],
    result: &Spec,
) -> Result<Vec<Tensor>, LoweringError> {
    let Window { size, stride, padding, dilation } = &select.window;
    let holds_elements =
        |(&(low, high), &size): (&(i64, i64), &usize)| [low, high].iter().all(|edge| (0..size as i64).contains(edge));
    if dilation.iter().any(|&step| step != 1) || !padding.iter().zip(size).all(holds_elements) {
        return whole::lower(w, op, x);
    }
    let (operand, dy) = (&x[0], &x[1]);
    let direction = match select.extremum {
        Extremum::Max => Direction::Ge,
        Extremum::Min => Direction::Le,
    };
    let sum = accumulator(Reduction::Sum, dy.dtype());
    let (operand, dy) = (w.cast(operand, sum), w.cast(dy, sum));
    let scalar = Spec::new([], sum);
    // The first of equals stays, and the first NaN stays before any number.
    let selector = w.region(&[scalar.clone(), scalar], |w, x| {
        let is_more = w.compare(direction, &x[0], &x[1]);
        let is_nan = w.compare(Direction::Ne, &x[0], &x[0]);
        Ok(vec![w.map("or", &[&is_more, &is_nan])])
    })?;
    let zero = w.constant(Reduction::Sum.identity(sum), []);
    let adder = combiner(w, Reduction::Sum, sum)?;
    let attributes = format!(
        "window_dimensions = {}, window_strides = {}, padding = {}",
        over_images(size),
        over_images(stride),
        pairs(&[&[(0, 0); 2], &padding[..]].concat())
    );
    let wide = Spec::new(&result.shape, sum);
    let dx = w.op_of_region("select_and_scatter", &[&operand, &dy, &zero], &[selector, adder], &attributes, &wide);
    Ok(vec![w.cast(&dx, result.dtype)])
}
