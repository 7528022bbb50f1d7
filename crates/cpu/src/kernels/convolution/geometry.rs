//! The sizes of a convolution.

use gyrus_graph::ops::contraction::ConvolutionWindow;

/// One spatial axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Axis {
    pub(super) input: usize,
    pub(super) output: usize,
    pub(super) kernel: usize,
    pub(super) stride: usize,
    pub(super) dilation: usize,
    /// Where the input begins in the padded one; negative if its first elements are removed.
    pub(super) low: i64,
}

impl Axis {
    const ONE: Axis = Axis { input: 1, output: 1, kernel: 1, stride: 1, dilation: 1, low: 0 };

    /// How many elements of the padded input are met.
    pub(super) fn extent(&self) -> usize {
        (self.output - 1) * self.stride + (self.kernel - 1) * self.dilation + 1
    }

    /// Which element of the input the kernel's element `tap` meets at its place `place`, if it meets one.
    pub(super) fn met(&self, place: usize, tap: usize) -> Option<usize> {
        let index = (place * self.stride + tap * self.dilation) as i64 - self.low;
        (0..self.input as i64).contains(&index).then_some(index as usize)
    }

    /// Whether what is met is the input itself.
    pub(super) fn is_unpadded(&self) -> bool {
        self.low == 0 && self.extent() <= self.input
    }
}

/// A convolution over three spatial axes, the first of which may be of size 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Geometry {
    pub(super) images: usize,
    pub(super) groups: usize,
    /// Channels of a group.
    pub(super) in_channels: usize,
    pub(super) out_channels: usize,
    pub(super) axes: [Axis; 3],
}

impl Geometry {
    /// Of an input `[N, C, spatial..]`, weights `[O, C / groups, kernel..]` and a result `[N, O, out..]`.
    pub(super) fn new(window: &ConvolutionWindow, x: &[usize], w: &[usize], y: &[usize]) -> Geometry {
        let mut axes = [Axis::ONE; 3];
        let num_axes = x.len() - 2;
        for (axis, place) in (3 - num_axes..3).enumerate() {
            axes[place] = Axis {
                input: x[axis + 2],
                output: y[axis + 2],
                kernel: w[axis + 2],
                stride: window.stride[axis],
                dilation: window.dilation[axis],
                low: window.padding[axis].0,
            };
        }
        let groups = window.groups;
        Geometry { images: x[0], groups, in_channels: w[1], out_channels: w[0] / groups, axes }
    }

    /// Elements of the kernel.
    pub(super) fn taps(&self) -> usize {
        self.axes.iter().map(|axis| axis.kernel).product()
    }

    /// Elements of a channel of the input.
    pub(super) fn input_pixels(&self) -> usize {
        self.axes.iter().map(|axis| axis.input).product()
    }

    /// Elements of a channel of the result.
    pub(super) fn output_pixels(&self) -> usize {
        self.axes.iter().map(|axis| axis.output).product()
    }

    /// Over how many elements of a group is summed.
    pub(super) fn depth(&self) -> usize {
        self.in_channels * self.taps()
    }

    /// Whether the kernel has one place, on all of the input.
    pub(super) fn is_whole(&self) -> bool {
        let covers = |axis: &Axis| axis.low == 0 && axis.kernel == axis.input && axis.dilation == 1;
        self.groups == 1 && self.output_pixels() == 1 && self.axes.iter().all(covers)
    }

    /// Whether the kernel is of one element that meets each of the input.
    pub(super) fn is_pointwise(&self) -> bool {
        let meets = |axis: &Axis| axis.kernel == 1 && axis.low == 0 && axis.stride == 1 && axis.output == axis.input;
        self.axes.iter().all(meets)
    }
}
