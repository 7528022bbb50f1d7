//! Operations whose places are data.

use gyrus_graph::ops::elementwise::Direction;
use gyrus_graph::ops::indexing::{Addressing, Combine, Gather, Scatter, Sort};
use gyrus_graph::{DType, Spec};

use super::LoweringError;
use super::attributes::{array, list};
use super::writer::{Tensor, Writer};

/// The dimension numbers of gather or scatter, whose names for them differ. Batch axes are said only where there are
/// some: older parsers do not know them.
fn dimension_numbers(kind: &str, names: [&str; 5], addressing: &Addressing) -> String {
    let batch_axes = [&addressing.operand_batch_axes, &addressing.indices_batch_axes];
    let axes =
        [&addressing.window_axes, &addressing.collapsed_axes, batch_axes[0], batch_axes[1], &addressing.index_map];
    let is_said = |place: usize| !matches!(place, 2 | 3) || !batch_axes[0].is_empty();
    let said = (0..5).filter(|&place| is_said(place)).map(|place| format!("{} = {}", names[place], list(axes[place])));
    format!(
        "#stablehlo.{kind}<{}, index_vector_dim = {}>",
        said.collect::<Vec<_>>().join(", "),
        addressing.index_vector_axis
    )
}

pub(super) fn gather(w: &mut Writer, op: &Gather, x: &Tensor, indices: &Tensor, result: &Spec) -> Tensor {
    let names = [
        "offset_dims",
        "collapsed_slice_dims",
        "operand_batching_dims",
        "start_indices_batching_dims",
        "start_index_map",
    ];
    let numbers = dimension_numbers("gather", names, &op.addressing);
    let sizes = array(&op.window_sizes);
    let attributes = format!("dimension_numbers = {numbers}, slice_sizes = {sizes}, indices_are_sorted = false");
    w.op("gather", &[x, indices], &attributes, result)
}

/// In StableHLO the order of updates is open. XLA keeps it on CPUs; on other devices it is that of sums of reals, and
/// of replacements of one element, that is not known.
pub(super) fn scatter(w: &mut Writer, op: &Scatter, x: &[Tensor]) -> Result<Tensor, LoweringError> {
    let names = [
        "update_window_dims",
        "inserted_window_dims",
        "input_batching_dims",
        "scatter_indices_batching_dims",
        "scatter_dims_to_operand_dims",
    ];
    let numbers = dimension_numbers("scatter", names, &op.addressing);
    let scalar = Spec::new([], x[0].dtype());
    let combiner = w.region(&[scalar.clone(), scalar], |w, pair| {
        let name = match op.combine {
            Combine::Replace => return Ok(vec![pair[1].clone()]),
            Combine::Add => "add",
            Combine::Mul => "multiply",
            Combine::Min => "minimum",
            Combine::Max => "maximum",
        };
        Ok(vec![w.map(name, &[&pair[0], &pair[1]])])
    })?;
    let attributes =
        format!("scatter_dimension_numbers = {numbers}, indices_are_sorted = false, unique_indices = false");
    Ok(w.op_of_region("scatter", &[&x[0], &x[1], &x[2]], &[combiner], &attributes, &x[0].spec))
}

/// Elements are sorted together with their places. NaN comes after all numbers in either direction.
pub(super) fn sort(w: &mut Writer, op: &Sort, x: &Tensor, results: &[Spec]) -> Result<Vec<Tensor>, LoweringError> {
    let places = w.op("iota", &[], &format!("iota_dimension = {} : i64", op.axis), &results[1]);
    let (element, place) = (Spec::new([], x.dtype()), Spec::new([], DType::I64));
    let comes_first = w.region(&[element.clone(), element, place.clone(), place], |w, pair| {
        let (a, b) = (&pair[0], &pair[1]);
        let is_before = w.compare(if op.descending { Direction::Gt } else { Direction::Lt }, a, b);
        if !a.dtype().is_float() {
            return Ok(vec![is_before]);
        }
        let (a_is_number, b_is_nan) = (w.compare(Direction::Eq, a, a), w.compare(Direction::Ne, b, b));
        let is_number_before_nan = w.map("and", &[&a_is_number, &b_is_nan]);
        Ok(vec![w.map("or", &[&is_before, &is_number_before_nan])])
    })?;
    let attributes = format!("dimension = {} : i64, is_stable = {}", op.axis, op.stable);
    Ok(w.operation("stablehlo.sort", &[x, &places], &[comes_first], &attributes, results))
}

pub(super) fn dynamic_slice(w: &mut Writer, x: &Tensor, starts: &[Tensor], sizes: &[usize]) -> Tensor {
    let operands: Vec<&Tensor> = [x].into_iter().chain(starts).collect();
    let attributes = format!("slice_sizes = {}", array(sizes));
    w.op("dynamic_slice", &operands, &attributes, &Spec::new(sizes, x.dtype()))
}

pub(super) fn dynamic_update_slice(w: &mut Writer, x: &Tensor, update: &Tensor, starts: &[Tensor]) -> Tensor {
    let operands: Vec<&Tensor> = [x, update].into_iter().chain(starts).collect();
    w.map("dynamic_update_slice", &operands)
}
