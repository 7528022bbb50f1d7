//! Operations that combine elements along axes.

use gyrus_graph::ops::elementwise::Direction;
use gyrus_graph::ops::reduction::{ArgReduce, Extremum, Reduce, Reduction};
use gyrus_graph::{DType, Scalar, Spec};

use super::LoweringError;
use super::attributes::array;
use super::writer::{Tensor, Writer};

/// The type in which elements are summed.
pub(super) fn accumulator(reduction: Reduction, dtype: DType) -> DType {
    let is_sum = matches!(reduction, Reduction::Sum | Reduction::Product);
    if is_sum && matches!(dtype, DType::F16 | DType::BF16) { DType::F32 } else { dtype }
}

/// The region that combines two elements.
pub(super) fn combiner(w: &mut Writer, reduction: Reduction, dtype: DType) -> Result<String, LoweringError> {
    let name = match reduction {
        Reduction::Sum => "add",
        Reduction::Product => "multiply",
        Reduction::Max => "maximum",
        Reduction::Min => "minimum",
        Reduction::And => "and",
        Reduction::Or => "or",
    };
    let scalar = Spec::new([], dtype);
    w.region(&[scalar.clone(), scalar], |w, x| Ok(vec![w.map(name, &[&x[0], &x[1]])]))
}

pub(super) fn reduce(w: &mut Writer, op: &Reduce, x: &Tensor, result: &Spec) -> Result<Tensor, LoweringError> {
    let dtype = accumulator(op.reduction, x.dtype());
    let x = w.cast(x, dtype);
    let none = w.constant(op.reduction.identity(dtype), []);
    let combiner = combiner(w, op.reduction, dtype)?;
    let wide = Spec::new(&result.shape, dtype);
    let y = w.op_of_region("reduce", &[&x, &none], &[combiner], &format!("dimensions = {}", array(&op.axes)), &wide);
    Ok(w.cast(&y, result.dtype))
}

/// Elements go together with their places. Of two pairs the one is kept whose element is more extreme, a NaN before
/// any number; of equals that of the lesser place. The identity's place is beyond all.
pub(super) fn arg_reduce(w: &mut Writer, op: &ArgReduce, x: &Tensor, result: &Spec) -> Result<Tensor, LoweringError> {
    let (direction, reduction) = match op.extremum {
        Extremum::Max => (Direction::Gt, Reduction::Max),
        Extremum::Min => (Direction::Lt, Reduction::Min),
    };
    let attributes = format!("iota_dimension = {} : i64", op.axis);
    let places = w.op("iota", &[], &attributes, &Spec::new(x.shape(), DType::I64));
    let none = w.constant(reduction.identity(x.dtype()), []);
    let beyond = w.constant(Scalar::highest(DType::I64), []);
    let (element, place) = (Spec::new([], x.dtype()), Spec::new([], DType::I64));
    let pairs = [element.clone(), place.clone(), element, place];
    let region = w.region(&pairs, |w, pairs| {
        let [a, a_place, b, b_place] = pairs else { unreachable!("two pairs") };
        let mut is_more = w.compare(direction, a, b);
        let mut is_equal = w.compare(Direction::Eq, a, b);
        if a.dtype().is_float() {
            let (a_is_nan, b_is_nan) = (w.compare(Direction::Ne, a, a), w.compare(Direction::Ne, b, b));
            let b_is_number = w.map("not", &[&b_is_nan]);
            let is_only_nan = w.map("and", &[&a_is_nan, &b_is_number]);
            is_more = w.map("or", &[&is_more, &is_only_nan]);
            let both_are_nan = w.map("and", &[&a_is_nan, &b_is_nan]);
            is_equal = w.map("or", &[&is_equal, &both_are_nan]);
        }
        let is_first = w.compare(Direction::Lt, a_place, b_place);
        let wins_tie = w.map("and", &[&is_equal, &is_first]);
        let keeps_a = w.map("or", &[&is_more, &wins_tie]);
        Ok(vec![w.select(&keeps_a, a, b), w.select(&keeps_a, a_place, b_place)])
    })?;
    let attributes = format!("dimensions = {}", array([op.axis]));
    let results = [Spec::new(&result.shape, x.dtype()), result.clone()];
    let operands = [x, &places, &none, &beyond];
    Ok(w.operation("stablehlo.reduce", &operands, &[region], &attributes, &results).swap_remove(1))
}
