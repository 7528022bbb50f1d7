//! Windows over images whose channels are neighbours in memory: each element is a row of channels.

use std::marker::PhantomData;
use std::ops::Range;

use gyrus_graph::ops::reduction::{Extremum, Reduction};
use gyrus_graph::ops::window::{ReduceWindow, ReduceWindowSelectGrad, ReduceWindowSumGrad};

use super::super::elements::Arithmetic;
use super::element::{Falling, Order, Pooled, Rising};
use super::places::Places;
use super::selection::NONE;
use crate::isa::Isa;
use crate::kernel::{Kernel, Run, Signature};
use crate::kernels::split::Pointers;
use crate::kernels::whole::with_float;
use crate::math::{MulAdd, Multiversion};

/// How many channels of an image are one task of a gradient, and are selected together.
const BLOCK: usize = 64;
/// How many elements are worth a task.
const TASK: usize = 16 << 10;

/// Elements that are combined in their own type.
trait Plain: Pooled<Wide = Self> + Arithmetic + Default {}
impl Plain for f32 {}
impl Plain for f64 {}

/// What the loops work on: `channels` of the `stride` channels of one image.
#[derive(Clone, Copy)]
struct Image<T> {
    places: *const Places,
    /// The first row of the result that is meant, and how many.
    first_row: usize,
    num_rows: usize,
    channels: usize,
    stride: usize,
    x: *const T,
    y: *mut T,
    dx: *mut T,
}

struct ReduceKernel<T> {
    places: Places,
    images: usize,
    channels: usize,
    function: unsafe fn(Image<T>),
}

struct GradKernel<T> {
    places: Places,
    images: usize,
    channels: usize,
    /// Which input is the cotangent.
    cotangent: usize,
    function: unsafe fn(Image<T>),
}

pub(crate) fn reduce(op: &ReduceWindow, signature: &Signature) -> Option<Box<dyn Kernel>> {
    let (x, isa) = (&signature.inputs[0], Isa::get());
    let (places, [images, channels]) = places(&op.window, &x.shape, &signature.outputs[0].shape);
    with_float!(x.dtype, T => {
        let function = match op.reduction {
            Reduction::Max => T::version::<Reduce<T, First<Falling>>>(isa),
            Reduction::Min => T::version::<Reduce<T, First<Rising>>>(isa),
            Reduction::Sum => T::version::<Reduce<T, Sum>>(isa),
            _ => return None,
        };
        Box::new(ReduceKernel { places, images, channels, function })
    })
}

pub(crate) fn select_grad(op: &ReduceWindowSelectGrad, signature: &Signature) -> Option<Box<dyn Kernel>> {
    let (x, dy, isa) = (&signature.inputs[0], &signature.inputs[1], Isa::get());
    let (places, [images, channels]) = places(&op.window, &x.shape, &dy.shape);
    with_float!(x.dtype, T => {
        let function = match op.extremum {
            Extremum::Max => T::version::<SelectGrad<T, Falling>>(isa),
            Extremum::Min => T::version::<SelectGrad<T, Rising>>(isa),
        };
        Box::new(GradKernel { places, images, channels, cotangent: 1, function })
    })
}

pub(crate) fn sum_grad(op: &ReduceWindowSumGrad, signature: &Signature) -> Option<Box<dyn Kernel>> {
    let (dy, isa) = (&signature.inputs[0], Isa::get());
    let (places, [images, channels]) = places(&op.window, &signature.outputs[0].shape, &dy.shape);
    with_float!(dy.dtype, T => {
        Box::new(GradKernel { places, images, channels, cotangent: 0, function: T::version::<SumGrad<T>>(isa) })
    })
}

/// The places of a window, the number of images, and that of channels.
fn places(window: &gyrus_graph::ops::window::Window, x: &[usize], y: &[usize]) -> (Places, [usize; 2]) {
    (Places::new(window, x, y), [x[0], x[1]])
}

impl<T: Plain> Kernel for ReduceKernel<T> {
    unsafe fn run(&self, run: &Run) {
        let ReduceKernel { places, images, channels, function } = *self;
        let (pointers, rows) = (Pointers::of(run), places.output_rows());
        let line = places.axes[2].output * channels;
        let tasks = (images * rows * line * places.taps()).div_ceil(TASK).min(images * rows);
        let places = &self.places;
        run.pool.run(tasks, &|task, _| {
            for row in images * rows * task / tasks..images * rows * (task + 1) / tasks {
                let image = Image {
                    places,
                    first_row: row % rows,
                    num_rows: 1,
                    channels,
                    stride: channels,
                    x: pointers.input::<T>(0).wrapping_add(row / rows * places.input_len() * channels),
                    y: pointers.output::<T>(0).wrapping_add(row * line),
                    dx: std::ptr::null_mut(),
                };
                // SAFETY: by this function's own contract; each row is one task's.
                unsafe { function(image) }
            }
        });
    }
}

impl<T: Plain> Kernel for GradKernel<T> {
    unsafe fn run(&self, run: &Run) {
        let GradKernel { images, channels, cotangent, function, .. } = *self;
        let (pointers, blocks) = (Pointers::of(run), channels.div_ceil(BLOCK));
        let places = &self.places;
        run.pool.run(images * blocks, &|task, _| {
            let (image, channel) = (task / blocks, task % blocks * BLOCK);
            let input = image * places.input_len() * channels + channel;
            let output = image * places.output_len() * channels + channel;
            let image = Image {
                places,
                first_row: 0,
                num_rows: places.output_rows(),
                channels: BLOCK.min(channels - channel),
                stride: channels,
                x: pointers.input::<T>(0).wrapping_add(if cotangent == 0 { output } else { input }),
                y: pointers.input::<T>(cotangent).wrapping_add(output).cast_mut(),
                dx: pointers.output::<T>(0).wrapping_add(input),
            };
            // SAFETY: by this function's own contract; each block of an image is one task's.
            unsafe { function(image) }
        });
    }
}

impl<T: Plain> Image<T> {
    /// The channels of an element of an array.
    ///
    /// # Safety
    /// They lie within the array, and nothing else writes to them.
    #[inline(always)]
    unsafe fn channels<'a>(&self, array: *mut T, element: usize) -> &'a mut [T] {
        // SAFETY: as the caller vouches.
        unsafe { std::slice::from_raw_parts_mut(array.add(element * self.stride), self.channels) }
    }

    #[inline(always)]
    fn rows(&self) -> Range<usize> {
        self.first_row..self.first_row + self.num_rows
    }

    /// Makes the gradient zero.
    ///
    /// # Safety
    /// As [`Image::channels`].
    #[inline(always)]
    unsafe fn clear(&self, places: &Places) {
        for element in 0..places.input_len() {
            // SAFETY: as the caller vouches.
            unsafe { self.channels(self.dx, element) }.fill(T::default());
        }
    }
}

/// How two elements combine.
trait Combine: 'static {
    fn begin<T: Plain>() -> T;
    fn combine<T: Plain>(a: T, b: T) -> T;
}

struct First<O>(PhantomData<O>);
struct Sum;

impl<O: Order> Combine for First<O> {
    #[inline(always)]
    fn begin<T: Plain>() -> T {
        O::last::<T>()
    }
    #[inline(always)]
    fn combine<T: Plain>(a: T, b: T) -> T {
        O::first(a, b)
    }
}

impl Combine for Sum {
    #[inline(always)]
    fn begin<T: Plain>() -> T {
        T::default()
    }
    #[inline(always)]
    fn combine<T: Plain>(a: T, b: T) -> T {
        a.add(b)
    }
}

struct Reduce<T, C>(PhantomData<(T, C)>);

impl<T: Plain, C: Combine> Multiversion for Reduce<T, C> {
    type Arguments = Image<T>;

    #[inline(always)]
    unsafe fn run<M: MulAdd>(image: Image<T>) {
        // SAFETY: as the caller vouches: the places outlive the call, elements and results lie within the arrays.
        unsafe {
            let places = &*image.places;
            for (index, row) in image.rows().enumerate() {
                let y = image.y.add(index * places.axes[2].output * image.stride);
                for column in 0..places.axes[2].output {
                    image.channels(y, column).fill(C::begin());
                }
                places.row(row, |met| {
                    for column in met.first..met.end {
                        let element = met.element + (column - met.first) * places.axes[2].stride;
                        let x = &*image.channels(image.x.cast_mut(), element);
                        for (y, &x) in image.channels(y, column).iter_mut().zip(x) {
                            *y = C::combine(*y, x);
                        }
                    }
                });
            }
        }
    }
}

struct SumGrad<T>(PhantomData<T>);

impl<T: Plain> Multiversion for SumGrad<T> {
    type Arguments = Image<T>;

    #[inline(always)]
    unsafe fn run<M: MulAdd>(image: Image<T>) {
        // SAFETY: as the caller vouches: the places outlive the call, elements and results lie within the arrays.
        unsafe {
            let places = &*image.places;
            image.clear(places);
            for row in image.rows() {
                places.row(row, |met| {
                    for column in met.first..met.end {
                        let element = met.element + (column - met.first) * places.axes[2].stride;
                        let dy = &*image.channels(image.y, row * places.axes[2].output + column);
                        for (dx, &dy) in image.channels(image.dx, element).iter_mut().zip(dy) {
                            *dx = dx.add(dy);
                        }
                    }
                });
            }
        }
    }
}

struct SelectGrad<T, O>(PhantomData<(T, O)>);

impl<T: Plain, O: Order> Multiversion for SelectGrad<T, O> {
    type Arguments = Image<T>;

    #[inline(always)]
    unsafe fn run<M: MulAdd>(image: Image<T>) {
        // SAFETY: as the caller vouches: the places outlive the call, elements and results lie within the arrays.
        unsafe {
            let places = &*image.places;
            image.clear(places);
            for place in 0..places.output_len() {
                let (mut best, mut taps) = ([T::default(); BLOCK], [NONE; BLOCK]);
                places.meet(place, |tap, element| {
                    let x = &*image.channels(image.x.cast_mut(), element);
                    for ((best, tap_of), &x) in best.iter_mut().zip(&mut taps).zip(x) {
                        let wins = *tap_of == NONE || O::precedes(x, *best);
                        *best = if wins { x } else { *best };
                        *tap_of = if wins { tap as u32 } else { *tap_of };
                    }
                });
                let dy = &*image.channels(image.y, place);
                places.meet(place, |tap, element| {
                    for ((dx, &dy), &tap_of) in image.channels(image.dx, element).iter_mut().zip(dy).zip(&taps) {
                        *dx = if tap_of == tap as u32 { dx.add(dy) } else { *dx };
                    }
                });
            }
        }
    }
}
