//! Convolutions of the sizes that networks have, against the interpreter.

use std::sync::atomic::{AtomicUsize, Ordering};

use gyrus_graph::conformance::{Case, Sample};
use gyrus_graph::ops::contraction::{
    Convolution, ConvolutionInputGrad, ConvolutionWeightGrad, ConvolutionWindow, Precision,
};
use gyrus_graph::{DType, Spec, Value};

use super::{forward, input_grad, weight_grad};
use crate::kernel::{Kernel, Run, Signature};
use crate::kernels::conformance::check_cases;
use crate::kernels::gemm::Epilogue;
use crate::pool::{Pool, Scratch};

type Shape = [usize; 4];

/// Input, weights, stride, padding, dilation, groups.
const CASES: [(Shape, Shape, usize, i64, usize, usize); 18] = [
    ([3, 1, 32, 32], [6, 1, 5, 5], 1, 0, 1, 1),
    ([3, 6, 14, 14], [16, 6, 5, 5], 1, 0, 1, 1),
    ([3, 16, 5, 5], [120, 16, 5, 5], 1, 0, 1, 1),
    ([2, 64, 12, 12], [64, 64, 3, 3], 1, 1, 1, 1),
    ([2, 20, 17, 19], [40, 20, 3, 3], 2, 1, 1, 1),
    ([1, 20, 20, 70], [9, 20, 3, 3], 1, 2, 2, 1),
    ([2, 32, 9, 9], [48, 32, 1, 1], 1, 0, 1, 1),
    ([2, 32, 9, 9], [48, 32, 1, 1], 2, 0, 1, 1),
    ([2, 24, 11, 40], [24, 1, 3, 3], 1, 1, 1, 24),
    ([2, 24, 11, 11], [48, 1, 3, 3], 2, 1, 1, 24),
    ([2, 32, 10, 10], [64, 8, 3, 3], 1, 1, 1, 4),
    ([2, 3, 40, 40], [32, 3, 7, 7], 4, -2, 1, 1),
    // Many small images.
    ([16, 4, 9, 9], [6, 4, 5, 5], 1, 0, 1, 1),
    ([13, 5, 7, 8], [9, 5, 3, 3], 1, 1, 1, 1),
    ([28, 3, 9, 8], [3, 3, 7, 2], 1, 3, 1, 1),
    ([13, 6, 9, 8], [10, 3, 3, 3], 2, 1, 1, 2),
    ([16, 4, 6, 9], [4, 1, 3, 3], 1, 2, 2, 4),
    ([16, 2, 9, 11], [5, 2, 3, 6], 3, -1, 1, 1),
];

fn window((_, _, stride, padding, dilation, groups): (Shape, Shape, usize, i64, usize, usize)) -> ConvolutionWindow {
    ConvolutionWindow {
        stride: vec![stride; 2],
        padding: vec![(padding, padding.max(0)); 2],
        dilation: vec![dilation; 2],
        groups,
    }
}

#[test]
fn convolutions_agree_with_the_interpreter() {
    let (full, of_bf16) = (Precision::Full, Precision::Bf16);
    for (dtype, precision, cases) in [
        (DType::F32, full, &CASES[..]),
        (DType::F64, full, &CASES[..]),
        (DType::BF16, full, &CASES[4..6]),
        (DType::F32, of_bf16, &CASES[4..9]),
        (DType::F64, of_bf16, &CASES[4..5]),
    ] {
        for &case in cases {
            let (x_shape, w_shape, ..) = case;
            let window = window(case);
            let spatial = window.output_sizes(&x_shape[2..], &w_shape[2..]).expect("fits");
            let real = |shape: &[usize]| Sample::uniform(shape, -1.0, 1.0);
            let (x, w, dy) = (real(&x_shape), real(&w_shape), real(&[x_shape[0], w_shape[0], spatial[0], spatial[1]]));
            let forward = Convolution { window: window.clone(), precision };
            let input_grad =
                ConvolutionInputGrad { window: window.clone(), input_spatial: x_shape[2..].to_vec(), precision };
            let weight_grad = ConvolutionWeightGrad { window, kernel_spatial: w_shape[2..].to_vec(), precision };
            let name = |name: &str| format!("{name} of {x_shape:?} with {w_shape:?}, {precision:?}");
            // Sums of many terms, scaled so that tolerances relative to 1 fit them.
            let scaled = |value: &Value, count: usize| vec![value.mul(&value.full_like(1.0 / count as f64))];
            let (terms, places) = (w_shape[1..].iter().product::<usize>(), x_shape[0] * spatial[0] * spatial[1]);
            let cases = [
                Case::new(name("convolution"), [x.clone(), w.clone()], move |v: &[Value]| {
                    vec![Value::record_one(forward.clone(), &[&v[0], &scaled(&v[1], terms)[0]])]
                }),
                Case::new(name("input_grad"), [dy.clone(), w], move |v: &[Value]| {
                    vec![Value::record_one(input_grad.clone(), &[&v[0], &scaled(&v[1], w_shape[0])[0]])]
                }),
                Case::new(name("weight_grad"), [x, dy], move |v: &[Value]| {
                    vec![Value::record_one(weight_grad.clone(), &[&v[0], &scaled(&v[1], places)[0]])]
                }),
            ];
            assert!(check_cases(cases, dtype) >= 3);
        }
    }
}

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

fn check_epilogue(kernel: &dyn Kernel, inputs: [&Spec; 2], output: &Spec) {
    assert!(kernel.takes_epilogue());
    let pool = Pool::new(2);
    let memory = inputs.map(|spec| vec![0u8; spec.num_bytes()]);
    let mut result = vec![0u8; output.num_bytes()];
    let counts = Counts((0..output.shape.num_elements()).map(|_| AtomicUsize::new(0)).collect());
    let (_memory, scratch) = Scratch::for_test(kernel.scratch(), 2);
    let read = [memory[0].as_ptr(), memory[1].as_ptr()];
    let write = [result.as_mut_ptr()];
    // SAFETY: the arrays have the sizes that the kernel was made for.
    unsafe { kernel.run(&Run { inputs: &read, outputs: &write, scratch, pool: &pool, epilogue: Some(&counts) }) };
    assert!(counts.0.iter().all(|count| count.load(Ordering::Relaxed) == 1), "{inputs:?}");
}

#[test]
fn every_element_is_given_to_the_epilogue_once() {
    for dtype in [DType::F32, DType::F16] {
        for case in CASES {
            let (x, w, ..) = case;
            let window = window(case);
            let spatial = window.output_sizes(&x[2..], &w[2..]).expect("fits");
            let y = Spec::new([x[0], w[0], spatial[0], spatial[1]], dtype);
            let (x, w) = (Spec::new(x, dtype), Spec::new(w, dtype));
            let (x_spatial, kernel_spatial) = (x.shape[2..].to_vec(), w.shape[2..].to_vec());
            let of = |a: &Spec, b: &Spec| [a.clone(), b.clone()];
            let (inputs, outputs) = (of(&x, &w), [y.clone()]);
            let op = Convolution { window: window.clone(), precision: Precision::Full };
            let signature = Signature { inputs: &inputs, outputs: &outputs };
            check_epilogue(&*forward::kernel(&op, &signature), [&x, &w], &y);
            let (inputs, outputs) = (of(&y, &w), [x.clone()]);
            let op =
                ConvolutionInputGrad { window: window.clone(), input_spatial: x_spatial, precision: Precision::Full };
            let signature = Signature { inputs: &inputs, outputs: &outputs };
            check_epilogue(&*input_grad::kernel(&op, &signature), [&y, &w], &x);
            let (inputs, outputs) = (of(&x, &y), [w.clone()]);
            let op = ConvolutionWeightGrad { window, kernel_spatial, precision: Precision::Full };
            let signature = Signature { inputs: &inputs, outputs: &outputs };
            check_epilogue(&*weight_grad::kernel(&op, &signature), [&x, &y], &w);
        }
    }
}
