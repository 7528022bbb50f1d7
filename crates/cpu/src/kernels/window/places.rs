//! Where a window's elements meet the operand.

use gyrus_graph::ops::window::Window;

/// One spatial axis.
#[derive(Clone, Copy, Debug)]
pub(super) struct Axis {
    pub(super) input: usize,
    pub(super) output: usize,
    pub(super) size: usize,
    pub(super) stride: usize,
    pub(super) dilation: usize,
    pub(super) low: i64,
}

/// The places of a window over planes `[spatial..]`, as three axes the first of which may be of size 1.
#[derive(Clone, Copy, Debug)]
pub(super) struct Places {
    /// Images times channels.
    pub(super) planes: usize,
    pub(super) axes: [Axis; 3],
}

/// The places of a row of the result at which an element of the window lies within the operand.
pub(super) struct Met {
    /// The places, from `first` to before `end`.
    pub(super) first: usize,
    pub(super) end: usize,
    /// The element of the plane that is met at the first of them; the others follow, the stride apart.
    pub(super) element: usize,
}

impl Places {
    /// Over an operand `[N, C, spatial..]`, with a result of shape `y`.
    pub(super) fn new(window: &Window, x: &[usize], y: &[usize]) -> Places {
        let mut axes = [Axis { input: 1, output: 1, size: 1, stride: 1, dilation: 1, low: 0 }; 3];
        let num_axes = x.len() - 2;
        for (axis, place) in (3 - num_axes..3).enumerate() {
            axes[place] = Axis {
                input: x[axis + 2],
                output: y[axis + 2],
                size: window.size[axis],
                stride: window.stride[axis],
                dilation: window.dilation[axis],
                low: window.padding[axis].0,
            };
        }
        Places { planes: x[0] * x[1], axes }
    }

    /// Elements of a plane of the operand.
    pub(super) fn input_len(&self) -> usize {
        self.axes.iter().map(|axis| axis.input).product()
    }

    /// Elements of a plane of the result.
    pub(super) fn output_len(&self) -> usize {
        self.axes.iter().map(|axis| axis.output).product()
    }

    /// Rows of a plane of the result.
    pub(super) fn output_rows(&self) -> usize {
        self.axes[0].output * self.axes[1].output
    }

    /// Rows of a plane of the operand.
    pub(super) fn input_rows(&self) -> usize {
        self.axes[0].input * self.axes[1].input
    }

    /// Elements of the window.
    pub(super) fn taps(&self) -> usize {
        self.axes.iter().map(|axis| axis.size).product()
    }

    /// Whether the windows are tiles of two by two.
    pub(super) fn is_two_by_two(&self) -> bool {
        let halves = |axis: &Axis| (axis.size, axis.stride, axis.dilation, axis.low) == (2, 2, 1, 0);
        let [first, second, third] = &self.axes;
        first.input == 1 && first.size == 1 && first.low == 0 && halves(second) && halves(third)
    }

    /// Calls `meet(number, line)` for the window's own rows, in their order, that lie within the operand where the window
    /// stands on a row of the result: the row's number, and the row of the plane.
    #[inline(always)]
    pub(super) fn lines(&self, row: usize, mut meet: impl FnMut(usize, usize)) {
        let [depth, height, _] = &self.axes;
        let (at_depth, at_height) = (row / height.output, row % height.output);
        for a in 0..depth.size {
            let Some(plane) = depth.element(at_depth, a) else { continue };
            for b in 0..height.size {
                let Some(line) = height.element(at_height, b) else { continue };
                meet(a * height.size + b, plane * height.input + line);
            }
        }
    }

    /// Calls `meet` for the elements of the window, in row-major order, where it stands on a row of the result.
    #[inline(always)]
    pub(super) fn row(&self, row: usize, mut meet: impl FnMut(Met)) {
        let width = &self.axes[2];
        self.lines(row, |_, line| {
            for c in 0..width.size {
                let offset = (c * width.dilation) as i64 - width.low;
                // The places at which `0 <= place * stride + offset < input`.
                let stride = width.stride as i64;
                let first = (-offset).max(0).div_ceil_by(stride);
                let end = (width.input as i64 - offset).max(0).div_ceil_by(stride).min(width.output as i64);
                if first < end {
                    let column = (first * stride + offset) as usize;
                    meet(Met { first: first as usize, end: end as usize, element: line * width.input + column });
                }
            }
        });
    }

    /// Calls `meet(tap, element)` for the elements of the window, in row-major order, that meet one at a place.
    #[inline(always)]
    pub(super) fn meet(&self, place: usize, mut meet: impl FnMut(usize, usize)) {
        let [depth, height, width] = &self.axes;
        let (row, column) = (place / width.output, place % width.output);
        for a in 0..depth.size {
            for b in 0..height.size {
                let Some(plane) = depth.element(row / height.output, a) else { continue };
                let Some(line) = height.element(row % height.output, b) else { continue };
                for c in 0..width.size {
                    if let Some(at) = width.element(column, c) {
                        let element = (plane * height.input + line) * width.input + at;
                        meet((a * height.size + b) * width.size + c, element);
                    }
                }
            }
        }
    }
}

impl Axis {
    /// What an element of the window meets at a place.
    #[inline(always)]
    pub(super) fn element(&self, place: usize, tap: usize) -> Option<usize> {
        let index = (place * self.stride + tap * self.dilation) as i64 - self.low;
        (0..self.input as i64).contains(&index).then_some(index as usize)
    }
}

/// Division of numbers that are not negative.
trait DivCeil {
    fn div_ceil_by(self, divisor: Self) -> Self;
}

impl DivCeil for i64 {
    fn div_ceil_by(self, divisor: i64) -> i64 {
        (self + divisor - 1) / divisor
    }
}
