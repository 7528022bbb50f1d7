//! Operations that combine the elements under a moving window: pooling.

pub mod reduce_window;
pub mod reduce_window_select;
pub mod reduce_window_select_grad;
pub mod reduce_window_sum_grad;

pub use reduce_window::ReduceWindow;
pub use reduce_window_select::ReduceWindowSelect;
pub use reduce_window_select_grad::ReduceWindowSelectGrad;
pub use reduce_window_sum_grad::ReduceWindowSumGrad;

use super::contraction::convolution::{unravel, window_counts};
use super::reduction::{Extremum, Reduction};
use super::{Operation, Vjp};
use crate::{DType, Scalar, Shape, Value};

/// A window that moves over the spatial axes of `[N, C, spatial..]`. What lies outside takes no part.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Window {
    /// The number of elements along each spatial axis.
    pub size: Vec<usize>,
    /// The distance between neighbouring places of the window, at least 1.
    pub stride: Vec<usize>,
    /// By how much the window may leave the operand before the first and after the last element;
    /// negative numbers keep it away from the edge.
    pub padding: Vec<(i64, i64)>,
    /// The distance between neighbouring elements of the window, at least 1.
    pub dilation: Vec<usize>,
}

impl Window {
    /// Windows of this size side by side, without padding.
    pub fn tiles(size: &[usize]) -> Window {
        let (padding, dilation) = (vec![(0, 0); size.len()], vec![1; size.len()]);
        Window { size: size.to_vec(), stride: size.to_vec(), padding, dilation }
    }

    /// The sizes of the spatial axes of the result: `(padded - dilation * (size - 1) - 1) / stride + 1`.
    ///
    /// # Errors
    /// If the window does not fit into the padded input, or one of its sizes, strides or dilations is 0.
    pub fn output_sizes(&self, input: &[usize]) -> Result<Vec<usize>, String> {
        window_counts(input, &self.size, &self.stride, &self.padding, &self.dilation)
    }

    /// The shape of a result over an operand of shape `[N, C, spatial..]`.
    fn output_shape(&self, input: &[usize]) -> Result<Shape, String> {
        if !(3..=5).contains(&input.len()) {
            return Err("the operand must be [N, C, spatial..], of 1 to 3 spatial axes".into());
        }
        Ok([&input[..2], &self.output_sizes(&input[2..])?].concat().into())
    }

    /// For each element of the window in row-major order, the elements of the operand that it meets at
    /// each place of the window, `outside` where it meets none.
    fn met<'a>(&'a self, operand: &'a Value, outside: Scalar) -> impl Iterator<Item = Value> + 'a {
        let output = self.output_shape(operand.shape()).expect("checked when recorded");
        let (low, high): (Vec<i64>, Vec<i64>) = [(0, 0); 2].iter().chain(&self.padding).copied().unzip();
        let outside = Value::constant(outside, []);
        let padded = operand.pad(&outside, &low, &high, &vec![0; operand.rank()]);
        let step = [&[1, 1], &self.stride[..]].concat();
        (0..self.size.iter().product()).map(move |element| {
            let (mut start, mut limit) = (vec![0, 0], operand.shape()[..2].to_vec());
            for (axis, index) in unravel(element, &self.size).into_iter().enumerate() {
                start.push(index * self.dilation[axis]);
                limit.push(start[axis + 2] + (output[axis + 2] - 1) * self.stride[axis] + 1);
            }
            padded.slice(&start, &limit, &step)
        })
    }

    /// For each element of the window, at which of its places it is the first that is the extremum.
    fn selected(&self, extremum: Extremum, x: &Value) -> Vec<Value> {
        let reduction = match extremum {
            Extremum::Max => Reduction::Max,
            Extremum::Min => Reduction::Min,
        };
        let extreme = ReduceWindow { reduction, window: self.clone() }.decompose(std::slice::from_ref(x));
        let [extreme] = <[Value; 1]>::try_from(extreme.expect("has a decomposition")).expect("one output");
        let [falsehood, truth] = [0.0, 1.0].map(|value| Scalar::from_f64(DType::Bool, value));
        let inside = Value::constant(truth, x.shape());
        let mut found = Value::constant(falsehood, extreme.shape());
        let mut selected = vec![];
        for (met, inside) in self.met(x, reduction.identity(x.dtype())).zip(self.met(&inside, falsehood)) {
            // A NaN differs from itself, and makes `extreme` NaN, which equals nothing.
            let attained = met.eq(&extreme).or(&met.ne(&met)).and(&inside);
            selected.push(attained.and(&found.not()));
            found = found.or(&attained);
        }
        selected
    }
}

/// Cases of windows over an operand of shape `[N, C, spatial..]`, for all operations here.
fn window_cases() -> Vec<(&'static str, Vec<usize>, Window)> {
    let window = |size: &[usize], stride: &[usize], padding: &[(i64, i64)], dilation: &[usize]| Window {
        size: size.to_vec(),
        stride: stride.to_vec(),
        padding: padding.to_vec(),
        dilation: dilation.to_vec(),
    };
    vec![
        ("of 1 axis", vec![2, 3, 7], window(&[3], &[2], &[(1, 0)], &[1])),
        ("tiles", vec![2, 2, 4, 6], Window::tiles(&[2, 3])),
        ("overlapping, padded", vec![1, 2, 5, 6], window(&[3, 3], &[2, 1], &[(1, 1), (1, 1)], &[1, 1])),
        ("rest left over", vec![2, 1, 5, 7], Window::tiles(&[2, 3])),
        ("dilated", vec![1, 2, 7, 6], window(&[3, 2], &[1, 2], &[(1, 1), (0, 1)], &[2, 3])),
        ("global", vec![2, 3, 4, 5], Window::tiles(&[4, 5])),
        ("of 3 axes", vec![1, 2, 3, 4, 4], window(&[2, 2, 3], &[1, 2, 1], &[(0, 1), (0, 0), (1, 1)], &[1, 1, 1])),
    ]
}
