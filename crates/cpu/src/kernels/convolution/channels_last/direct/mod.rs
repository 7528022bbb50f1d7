//! Convolutions straight from images in channels-last order: sums over places of the kernel, with the images, the
//! cotangents and the results where they are.

use self::abreast::Abreast;
use self::correlation::Correlation;
use self::depthwise::{Depthwise, DepthwiseWeightGrad};
use self::grouped::Grouped;
use self::places::Places;
use self::weight_grad::WeightGrad;
use self::weights::Layout;
use crate::isa::Isa;
use crate::kernel::{Kernel, Prepared, Run};
use crate::kernels::convolution::geometry::{Axis, Geometry};
use crate::kernels::gemm::microkernel::BatchReduceKernel;
use crate::kernels::gemm::number::Number;
use crate::pool::{Pool, ScratchSize};

mod abreast;
mod correlation;
mod depthwise;
mod division;
mod grouped;
mod lines;
pub(super) mod pairs;
mod phase;
mod places;
#[cfg(test)]
mod tests;
mod weight_grad;
mod weights;

/// Lines of pointwise convolutions are joined until they have so many places.
const MIN_WIDTH: usize = 24;

/// The fewest channels of several groups.
const MIN_GROUP: usize = 8;

/// The kernel of a convolution.
pub(super) fn forward(geometry: &Geometry) -> Option<Box<dyn Kernel>> {
    is_suited(geometry).then(|| forward_of::<f32>(Isa::get(), geometry))
}

/// The kernel of the gradient for the input.
pub(super) fn input_grad(geometry: &Geometry) -> Option<Box<dyn Kernel>> {
    is_suited(geometry).then(|| input_grad_of::<f32>(Isa::get(), geometry))
}

/// The kernel of the gradient for the weights.
pub(super) fn weight_grad(geometry: &Geometry) -> Option<Box<dyn Kernel>> {
    is_suited(geometry).then(|| weight_grad_of::<f32>(Isa::get(), geometry))
}

/// Whether the channels of a group fill vectors, or those of several groups do.
fn is_suited(geometry: &Geometry) -> bool {
    let fewest = geometry.in_channels.min(geometry.out_channels);
    let is_grouped = || Grouped::new(geometry, f32::lanes(Isa::get())).is_some();
    geometry.groups == 1 || fewest >= MIN_GROUP || is_depthwise(geometry) || is_grouped()
}

fn is_depthwise(geometry: &Geometry) -> bool {
    geometry.groups > 1 && geometry.in_channels == 1 && geometry.out_channels == 1
}

fn forward_of<T: Number>(isa: Isa, geometry: &Geometry) -> Box<dyn Kernel> {
    if is_depthwise(geometry) {
        let phases = phases_of_result(geometry);
        return Box::new(Depthwise::<T>::new(isa, geometry, phases));
    }
    if let Some(grouped) = Grouped::new(geometry, T::lanes(isa)) {
        let phases = phases_of_result(geometry);
        return Box::new(Correlated(of_groups::<T>(isa, grouped, geometry, phases, Layout::of_result(geometry))));
    }
    Box::new(Correlated(correlation_of_result(isa, T::batch_reduce(isa), geometry)))
}

fn input_grad_of<T: Number>(isa: Isa, geometry: &Geometry) -> Box<dyn Kernel> {
    if is_depthwise(geometry) {
        let phases = phases_of_input(geometry);
        return Box::new(Depthwise::<T>::new(isa, &exchanged(geometry), phases));
    }
    if let Some(grouped) = Grouped::new(geometry, T::lanes(isa)) {
        let phases = phases_of_input(geometry);
        return Box::new(Correlated(of_groups::<T>(
            isa,
            grouped,
            &exchanged(geometry),
            phases,
            Layout::of_input(geometry, None),
        )));
    }
    Box::new(Correlated(correlation_of_input(isa, T::batch_reduce(isa), geometry)))
}

fn weight_grad_of<T: Number>(isa: Isa, geometry: &Geometry) -> Box<dyn Kernel> {
    let geometry = joined(geometry);
    if is_depthwise(&geometry) {
        return Box::new(DepthwiseWeightGrad::<T>::new(isa, &geometry));
    }
    Box::new(WeightGrad::new(isa, T::batch_reduce(isa), geometry))
}

/// The phases of a convolution's result: one along each axis.
fn phases_of_result(geometry: &Geometry) -> [Vec<Places>; 3] {
    geometry.axes.map(|axis| vec![Places::of_result(&axis)])
}

/// The phases of the gradient for its input.
fn phases_of_input(geometry: &Geometry) -> [Vec<Places>; 3] {
    geometry.axes.map(|axis| Places::of_input(&axis))
}

/// The convolution as a sum by this kernel.
fn correlation_of_result<T: Number>(isa: Isa, kernel: BatchReduceKernel<T>, geometry: &Geometry) -> Correlation<T> {
    let geometry = joined(geometry);
    let phases = phases_of_result(&geometry);
    Correlation::new(isa, kernel, &geometry, phases, Layout::of_result(&geometry))
}

/// The gradient for the input, likewise.
fn correlation_of_input<T: Number>(isa: Isa, kernel: BatchReduceKernel<T>, geometry: &Geometry) -> Correlation<T> {
    let geometry = joined(geometry);
    let mut phases = phases_of_input(&geometry);
    let mut sum = exchanged(&geometry);
    let abreast = Abreast::new(&geometry, &phases[2], kernel.width / 2);
    if let Some(abreast) = &abreast {
        sum = abreast.geometry(&sum);
        phases[2] = vec![abreast.runs.clone()];
    }
    Correlation::new(isa, kernel, &sum, phases, Layout::of_input(&geometry, abreast))
}

/// The sum with all groups of a vector as one.
fn of_groups<T: Number>(
    isa: Isa,
    grouped: Grouped,
    geometry: &Geometry,
    phases: [Vec<Places>; 3],
    layout: Layout,
) -> Correlation<T> {
    let layout = layout.of_groups(grouped);
    Correlation::new(isa, T::group_reduce(isa), &grouped.joined(geometry), phases, layout)
}

/// The sizes of the sum that the gradient for the input is.
fn exchanged(geometry: &Geometry) -> Geometry {
    let exchanged = |axis: Axis| Axis { input: axis.output, output: axis.input, ..axis };
    let (in_channels, out_channels) = (geometry.out_channels, geometry.in_channels);
    Geometry { in_channels, out_channels, axes: geometry.axes.map(exchanged), ..*geometry }
}

/// The same convolution with lines joined where the kernel is of one element that meets each of the input: there
/// all places of all images are neighbours in memory.
fn joined(geometry: &Geometry) -> Geometry {
    let mut geometry = *geometry;
    if !geometry.is_pointwise() {
        return geometry;
    }
    let [depth, height, width] = geometry.axes.map(|axis| axis.output);
    let mut sizes = [1, geometry.images * depth * height, width];
    if width < MIN_WIDTH {
        sizes = [1, geometry.images * depth, height * width];
        if height * width < MIN_WIDTH {
            sizes = [1, 1, geometry.images * depth * height * width];
        }
    }
    geometry.images = 1;
    for (axis, size) in geometry.axes.iter_mut().zip(sizes) {
        (axis.input, axis.output) = (size, size);
    }
    geometry
}

/// A convolution, or the gradient for its input.
struct Correlated<T>(Correlation<T>);

impl<T: Number> Kernel for Correlated<T> {
    fn scratch(&self) -> ScratchSize {
        self.0.scratch()
    }

    fn takes_epilogue(&self) -> bool {
        true
    }

    fn prepared(&self) -> Option<Prepared> {
        Some(Prepared { operand: 1, bytes: self.0.packed_len() * size_of::<T>(), form: self.0.packed_form() })
    }

    unsafe fn prepare(&self, operand: *const u8, to: *mut u8, pool: &Pool) {
        // SAFETY: by this function's own contract.
        unsafe { self.0.pack(operand.cast(), to.cast(), pool) }
    }

    unsafe fn run(&self, run: &Run) {
        // SAFETY: by this function's own contract.
        unsafe { self.0.run(run) }
    }
}
