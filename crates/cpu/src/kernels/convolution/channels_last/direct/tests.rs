//! Every kernel against the row-major one, for each instruction set.

use std::sync::atomic::{AtomicUsize, Ordering};

use gyrus_graph::ops::contraction::{
    Convolution, ConvolutionInputGrad, ConvolutionWeightGrad, ConvolutionWindow, Precision,
};
use gyrus_graph::{DType, Spec};

use super::*;
use crate::kernel::Signature;
use crate::kernels::convolution;
use crate::kernels::gemm::Epilogue;
use crate::pool::{Pool, Scratch};

/// Input, weights, stride, padding, dilation, groups.
type Case = (&'static [usize], &'static [usize], usize, [i64; 2], usize, usize);

const CASES: [Case; 62] = [
    (&[2, 64, 12, 12], &[64, 64, 3, 3], 1, [1, 1], 1, 1),
    (&[1, 17, 13, 7], &[31, 17, 3, 3], 1, [1, 1], 1, 1),
    (&[3, 31, 13, 7], &[17, 31, 3, 3], 2, [1, 1], 1, 1),
    (&[9, 20, 4, 4], &[40, 20, 3, 3], 1, [1, 1], 1, 1),
    (&[13, 20, 7, 7], &[33, 20, 3, 3], 1, [1, 1], 1, 1),
    (&[13, 20, 8, 7], &[48, 20, 3, 3], 2, [1, 1], 1, 1),
    (&[14, 20, 8, 8], &[48, 20, 1, 1], 2, [0, 0], 1, 1),
    (&[2, 20, 9, 9], &[48, 20, 1, 1], 2, [0, 0], 1, 1),
    (&[2, 20, 9, 9], &[48, 20, 1, 1], 3, [0, 0], 1, 1),
    (&[2, 20, 9, 9], &[48, 20, 1, 1], 1, [0, 0], 1, 1),
    (&[2, 20, 3, 3], &[48, 20, 1, 1], 1, [0, 0], 1, 1),
    (&[2, 20, 2, 50], &[16, 20, 1, 1], 1, [0, 0], 1, 1),
    (&[2, 20, 5, 5], &[48, 20, 1, 1], 1, [1, 1], 1, 1),
    (&[1, 20, 20, 70], &[19, 20, 3, 3], 1, [2, 2], 2, 1),
    (&[9, 20, 11, 9], &[19, 20, 3, 3], 2, [2, 2], 2, 1),
    (&[2, 8, 11, 9], &[19, 8, 3, 3], 3, [2, 1], 2, 1),
    (&[2, 3, 40, 40], &[32, 3, 7, 7], 2, [3, 3], 1, 1),
    (&[2, 3, 40, 40], &[32, 3, 7, 7], 4, [-2, 0], 1, 1),
    (&[9, 3, 12, 12], &[32, 3, 3, 3], 1, [1, 1], 1, 1),
    (&[2, 4, 15, 40], &[20, 4, 3, 3], 1, [1, 1], 2, 1),
    (&[2, 1, 28, 28], &[16, 1, 5, 5], 1, [0, 0], 1, 1),
    (&[2, 32, 10, 10], &[64, 8, 3, 3], 1, [1, 1], 1, 4),
    (&[10, 32, 10, 10], &[32, 16, 3, 3], 2, [1, 1], 1, 2),
    (&[9, 32, 5, 5], &[32, 4, 3, 3], 1, [1, 1], 1, 8),
    (&[2, 32, 10, 10], &[80, 16, 1, 1], 1, [0, 0], 1, 2),
    (&[2, 32, 10, 11], &[32, 8, 3, 3], 1, [1, 1], 1, 4),
    (&[9, 48, 9, 7], &[48, 8, 3, 3], 2, [1, 1], 1, 6),
    (&[2, 32, 12, 30], &[32, 4, 3, 5], 1, [2, 1], 2, 8),
    (&[1, 16, 3, 5, 6], &[16, 4, 2, 3, 3], 2, [1, 1], 1, 4),
    (&[2, 32, 7, 6], &[32, 8, 1, 1], 1, [0, 0], 1, 4),
    (&[3, 64, 27], &[64, 4, 3], 3, [0, 1], 1, 16),
    (&[2, 20, 301], &[40, 20, 5], 1, [2, 2], 1, 1),
    (&[1, 20, 501], &[40, 20, 3], 2, [5, 0], 3, 1),
    (&[2, 16, 3, 200], &[32, 16, 2, 3], 1, [1, 1], 1, 1),
    (&[3, 12, 37], &[18, 12, 5], 1, [2, 2], 1, 1),
    (&[9, 12, 37], &[18, 12, 5], 2, [4, 4], 3, 1),
    (&[2, 6, 5, 9, 8], &[18, 6, 3, 3, 3], 1, [1, 1], 1, 1),
    (&[9, 6, 5, 6, 8], &[18, 6, 3, 3, 3], 2, [1, 1], 1, 1),
    (&[1, 6, 7, 9, 8], &[18, 6, 3, 3, 3], 1, [2, 2], 2, 1),
    (&[1, 3, 7, 9, 8], &[18, 3, 3, 3, 3], 3, [1, 2], 1, 1),
    (&[1, 16, 6, 6], &[18, 16, 2, 2], 1, [5, 5], 1, 1),
    (&[1, 40, 60, 70], &[40, 40, 3, 3], 1, [1, 1], 1, 1),
    (&[9, 96, 6, 6], &[288, 96, 4, 4], 2, [1, 2], 1, 1),
    (&[2, 24, 11, 40], &[24, 1, 3, 3], 1, [1, 1], 1, 24),
    (&[2, 33, 11, 12], &[33, 1, 3, 3], 2, [1, 1], 1, 33),
    (&[1, 300, 7, 7], &[300, 1, 5, 5], 1, [2, 2], 1, 300),
    (&[1, 19, 13, 19], &[19, 1, 3, 3], 3, [3, 2], 2, 19),
    (&[2, 17, 5, 6, 7], &[17, 1, 3, 3, 3], 2, [1, 1], 1, 17),
    (&[2, 16, 20], &[16, 1, 4], 1, [-1, 0], 1, 16),
    (&[2, 16, 5, 5], &[16, 1, 1, 1], 1, [0, 0], 1, 16),
    (&[1, 128, 56, 56], &[128, 1, 3, 3], 1, [1, 1], 1, 128),
    (&[1, 20, 5, 7], &[48, 20, 1, 1], 1, [0, 0], 1, 1),
    (&[2, 3, 12, 20], &[32, 3, 4, 4], 4, [0, 0], 1, 1),
    (&[2, 3, 17, 16], &[33, 3, 4, 4], 2, [1, 1], 1, 1),
    (&[2, 3, 13, 15], &[32, 3, 3, 3], 1, [1, 1], 1, 1),
    (&[2, 1, 9, 32], &[16, 1, 3, 3], 1, [1, 1], 1, 1),
    (&[9, 1, 9, 64], &[16, 1, 3, 5], 1, [2, 1], 3, 1),
    (&[1, 3, 28, 40], &[32, 3, 7, 7], 2, [3, 3], 1, 1),
    (&[9, 2, 8, 12], &[32, 2, 3, 3], 2, [1, 1], 1, 1),
    (&[2, 2, 12, 18], &[32, 2, 2, 2], 3, [0, 0], 1, 1),
    (&[2, 3, 5, 6, 8], &[32, 3, 3, 3, 3], 1, [1, 1], 1, 1),
    (&[2, 3, 40], &[20, 3, 5], 2, [-1, 3], 2, 1),
];

/// Counts how often each element is given.
struct Counts(Vec<AtomicUsize>);

impl Epilogue for Counts {
    fn region(&self, start: usize, rows: usize, row_stride: usize, cols: usize, worker: usize) {
        assert!(worker < 2);
        for row in 0..rows {
            for col in 0..cols {
                self.0[start + row * row_stride + col].fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

/// Numbers that are multiples of 1/8, so that sums are exact in any order.
fn numbers(len: usize, seed: usize) -> Vec<f64> {
    (0..len).map(|index| ((index * 7919 + seed * 31) % 33 % 17) as f64 / 8.0 - 1.0).collect()
}

/// Images in the other order.
fn permuted<T: Copy>(elements: &[T], shape: &[usize], to_channels_last: bool) -> Vec<T> {
    let (channels, pixels) = (shape[1], shape[2..].iter().product::<usize>());
    let (outer, inner) = if to_channels_last { (channels, pixels) } else { (pixels, channels) };
    let mut result = Vec::with_capacity(elements.len());
    for image in elements.chunks_exact(channels * pixels) {
        for i in 0..inner {
            result.extend((0..outer).map(|o| image[o * inner + i]));
        }
    }
    result
}

fn run<T: Copy + Default>(kernel: &dyn Kernel, inputs: [&[T]; 2], len: usize, threads: usize, counted: bool) -> Vec<T> {
    let pool = Pool::new(threads);
    let mut result = vec![T::default(); len];
    let counts = Counts((0..len).map(|_| AtomicUsize::new(0)).collect());
    let (_memory, scratch) = Scratch::for_test(kernel.scratch(), threads);
    let read = inputs.map(|input| input.as_ptr().cast());
    let write = [result.as_mut_ptr().cast()];
    let counted = counted && kernel.takes_epilogue();
    let epilogue = counted.then_some(&counts as &dyn Epilogue);
    // SAFETY: the arrays have the sizes that the kernel was made for.
    unsafe { kernel.run(&Run { inputs: &read, outputs: &write, scratch, pool: &pool, epilogue }) };
    assert!(!counted || counts.0.iter().all(|count| count.load(Ordering::Relaxed) == 1));
    result
}

/// The result of a kernel in channels-last order, which may be the weights' gradient.
struct Product {
    row_major: Box<dyn Kernel>,
    shapes: [Vec<usize>; 3],
    are_images: [bool; 3],
}

/// Checks kernels, whose operands are made of those of the row-major kernel by `given`.
fn check<T: Number + std::fmt::Debug>(
    product: &Product,
    kernels: &[(Isa, Box<dyn Kernel>)],
    of: fn(f64) -> T,
    given: fn(f64) -> T,
) {
    let [a, b, c] = &product.shapes;
    let len = |shape: &[usize]| shape.iter().product::<usize>();
    let numbers = |shape: &[usize], seed: usize, of: fn(f64) -> T| {
        numbers(len(shape), seed).into_iter().map(of).collect::<Vec<T>>()
    };
    let expected = run(&*product.row_major, [&numbers(a, 1, of), &numbers(b, 2, of)], len(c), 2, false);
    let (first, second) = (numbers(a, 1, given), numbers(b, 2, given));
    let in_order = |elements: Vec<T>, index: usize, to_channels_last: bool| {
        let shape = &product.shapes[index];
        if product.are_images[index] { permuted(&elements, shape, to_channels_last) } else { elements }
    };
    let (first, second) = (in_order(first, 0, true), in_order(second, 1, true));
    for (isa, kernel) in kernels {
        let [one, two] = [1, 2].map(|threads| run(&**kernel, [&first, &second], len(c), threads, threads == 2));
        assert_eq!(one, two, "threads change {isa:?} {:?}", product.shapes);
        let found = in_order(one, 2, false);
        if let Some(place) = (0..found.len()).find(|&place| found[place] != expected[place]) {
            let (found, expected) = (found[place], expected[place]);
            panic!("{isa:?} {:?} at {place}: {found:?}, must be {expected:?}", product.shapes);
        }
    }
}

/// Makes a kernel in channels-last order for an instruction set, if there is one.
type Make<'a> = &'a dyn Fn(Isa, &Geometry) -> Option<Box<dyn Kernel>>;

/// The three products, whose kernels in channels-last order are made by `make`, if there are any.
fn check_case<T: Number + std::fmt::Debug>(
    (x, w, stride, padding, dilation, groups): Case,
    dtype: DType,
    make: [Make; 3],
    of: fn(f64) -> T,
    given: fn(f64) -> T,
) {
    let axes = x.len() - 2;
    let window = ConvolutionWindow {
        stride: vec![stride; axes],
        padding: vec![(padding[0], padding[1]); axes],
        dilation: vec![dilation; axes],
        groups,
    };
    let spatial = window.output_sizes(&x[2..], &w[2..]).expect("fits");
    let y = [&[x[0], w[0]], &spatial[..]].concat();
    let geometry = Geometry::new(&window, x, w, &y);
    let kernels = make
        .map(|make| Isa::available().iter().filter_map(|&isa| Some((isa, make(isa, &geometry)?))).collect::<Vec<_>>());
    let spec = |shape: &[usize]| Spec::new(shape.to_vec(), dtype);
    let precision = Precision::Full;
    let (op, inputs, outputs) = (Convolution { window: window.clone(), precision }, [spec(x), spec(w)], [spec(&y)]);
    let row_major = convolution::forward::kernel(&op, &Signature { inputs: &inputs, outputs: &outputs });
    let shapes = [x.to_vec(), w.to_vec(), y.clone()];
    check(&Product { row_major, shapes, are_images: [true, false, true] }, &kernels[0], of, given);
    let op = ConvolutionInputGrad { window: window.clone(), input_spatial: x[2..].to_vec(), precision };
    let (inputs, outputs) = ([spec(&y), spec(w)], [spec(x)]);
    let row_major = convolution::input_grad::kernel(&op, &Signature { inputs: &inputs, outputs: &outputs });
    let shapes = [y.clone(), w.to_vec(), x.to_vec()];
    check(&Product { row_major, shapes, are_images: [true, false, true] }, &kernels[1], of, given);
    let op = ConvolutionWeightGrad { window, kernel_spatial: w[2..].to_vec(), precision };
    let (inputs, outputs) = ([spec(x), spec(&y)], [spec(w)]);
    let row_major = convolution::weight_grad::kernel(&op, &Signature { inputs: &inputs, outputs: &outputs });
    let shapes = [x.to_vec(), y, w.to_vec()];
    check(&Product { row_major, shapes, are_images: [true, true, false] }, &kernels[2], of, given);
}

fn check_full_precision<T: Number + std::fmt::Debug>(case: Case, dtype: DType, of: fn(f64) -> T) {
    let forward = |isa: Isa, geometry: &Geometry| Some(forward_of::<T>(isa, geometry));
    let input_grad = |isa: Isa, geometry: &Geometry| Some(input_grad_of::<T>(isa, geometry));
    let weight_grad = |isa: Isa, geometry: &Geometry| Some(weight_grad_of::<T>(isa, geometry));
    check_case(case, dtype, [&forward, &input_grad, &weight_grad], of, of);
}

#[test]
fn kernels_agree_with_the_row_major_ones() {
    for case in CASES {
        check_full_precision::<f32>(case, DType::F32, |number| number as f32);
    }
    for case in [CASES[1], CASES[3], CASES[16], CASES[47]] {
        check_full_precision::<f64>(case, DType::F64, |number| number);
    }
}

#[test]
fn kernels_of_pairs_round_their_operands() {
    // What is added is less than half of the distance between two `bf16`.
    let given = |number: f64| (number * (1.0 + 2f64.powi(-10))) as f32;
    for case in CASES {
        let make: [Make; 3] = [&pairs::forward, &pairs::input_grad, &pairs::weight_grad];
        check_case::<f32>(case, DType::F32, make, |number| number as f32, given);
    }
}
