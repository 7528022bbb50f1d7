//! Winograd's convolutions against sums in `f64`.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::choice::is_faster;
use super::correlation::Correlation;
use super::transform::Factors;
use super::weight_grad::WeightGrad;
use crate::isa::Isa;
use crate::kernel::{Kernel, Run};
use crate::kernels::convolution::geometry::{Axis, Geometry};
use crate::kernels::gemm::Epilogue;
use crate::kernels::gemm::microkernel::PairReduceLoops;
use crate::pool::{Pool, Scratch};

/// Images, channels of the input and the result, height, width, padding at both ends of both axes.
type Case = (usize, [usize; 2], [usize; 2], [i64; 4]);

const CASES: [Case; 12] = [
    (1, [33, 17], [13, 7], [0, 0, 0, 0]),
    (1, [20, 70], [9, 10], [2, 0, 1, 2]),
    (2, [16, 40], [4, 4], [1, 1, 1, 1]),
    (2, [64, 64], [7, 7], [1, 1, 1, 1]),
    (1, [16, 16], [8, 9], [-1, 3, 1, -2]),
    (1, [24, 32], [3, 3], [0, 0, 0, 0]),
    (3, [48, 32], [17, 33], [1, 1, 1, 1]),
    // Few tiles and many channels: tasks are weights.
    (1, [130, 160], [5, 6], [1, 1, 1, 1]),
    (2, [33, 145], [13, 7], [1, 1, 0, 0]),
    (1, [128, 128], [14, 14], [1, 1, 1, 1]),
    // The same in two chunks of tiles, and a gradient for the weights in two.
    (1, [272, 272], [516, 1], [1, 1, 1, 1]),
    (1, [16, 32], [4900, 1], [1, 1, 1, 1]),
];

fn geometry((images, [in_channels, out_channels], [height, width], [top, bottom, left, right]): Case) -> Geometry {
    let axis = |input: usize, low: i64, high: i64, kernel: usize| Axis {
        input,
        output: (input as i64 + low + high) as usize + 1 - kernel,
        kernel,
        stride: 1,
        dilation: 1,
        low,
    };
    let axes = [axis(1, 0, 0, 1), axis(height, top, bottom, 3), axis(width, left, right, 3)];
    Geometry { images, groups: 1, in_channels, out_channels, axes }
}

/// Numbers that look random, of mean 0 and variance about 1.
fn numbers(len: usize, seed: u32) -> Vec<f32> {
    let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(1);
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 23) as f32 - 1.0
    };
    (0..len).map(|_| next() + next() + next()).collect()
}

/// Calls a function with a place of the input, one of the result, and the kernel's place between them.
fn for_places(geometry: &Geometry, mut function: impl FnMut(usize, usize, usize)) {
    let [_, height, width] = geometry.axes;
    for place in 0..geometry.images * geometry.output_pixels() {
        let image = place / geometry.output_pixels();
        let (row, column) = (place / width.output % height.output, place % width.output);
        for tap in 0..9 {
            let y = row as i64 + tap as i64 / 3 - height.low;
            let x = column as i64 + tap as i64 % 3 - width.low;
            if (0..height.input as i64).contains(&y) && (0..width.input as i64).contains(&x) {
                function((image * height.input + y as usize) * width.input + x as usize, place, tap);
            }
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Product {
    Forward,
    InputGrad,
    WeightGrad,
}

/// Operands and the exact result. The weights are exchanged with the result's rows in memory before and after.
fn operands(product: Product, geometry: &Geometry) -> ([Vec<f32>; 2], Vec<f64>) {
    let Geometry { images, in_channels: c, out_channels: o, .. } = *geometry;
    let x = numbers(images * geometry.input_pixels() * c, 1);
    let y = numbers(images * geometry.output_pixels() * o, 2);
    let w = numbers(o * c * 9, 3);
    let weight = |tap: usize, channel: usize, out: usize| (out * c + channel) * 9 + tap;
    // `[tap, c, o]`, so that the inner loops are over neighbouring elements.
    let mut by_tap: Vec<f64> = vec![0.0; w.len()];
    if product != Product::WeightGrad {
        for (index, value) in by_tap.iter_mut().enumerate() {
            *value = f64::from(w[weight(index / (c * o), index / o % c, index % o)]);
        }
    }
    match product {
        Product::Forward => {
            let mut result = vec![0.0; y.len()];
            for_places(geometry, |from, to, tap| {
                for (channel, &x) in x[from * c..][..c].iter().enumerate() {
                    let w = &by_tap[(tap * c + channel) * o..][..o];
                    for (sum, w) in result[to * o..][..o].iter_mut().zip(w) {
                        *sum += f64::from(x) * w;
                    }
                }
            });
            ([x, w], result)
        }
        Product::InputGrad => {
            let mut result = vec![0.0; x.len()];
            for_places(geometry, |to, from, tap| {
                for (channel, sum) in result[to * c..][..c].iter_mut().enumerate() {
                    let w = &by_tap[(tap * c + channel) * o..][..o];
                    *sum += y[from * o..][..o].iter().zip(w).map(|(&y, w)| f64::from(y) * w).sum::<f64>();
                }
            });
            ([y, w], result)
        }
        Product::WeightGrad => {
            for_places(geometry, |from, to, tap| {
                for (channel, &x) in x[from * c..][..c].iter().enumerate() {
                    let sums = &mut by_tap[(tap * c + channel) * o..][..o];
                    for (sum, &y) in sums.iter_mut().zip(&y[to * o..][..o]) {
                        *sum += f64::from(x) * f64::from(y);
                    }
                }
            });
            let mut result = vec![0.0; w.len()];
            for (index, value) in by_tap.iter().enumerate() {
                result[weight(index / (c * o), index / o % c, index % o)] = *value;
            }
            ([x, y], result)
        }
    }
}

fn kernel(product: Product, factors: Factors, geometry: &Geometry) -> Box<dyn Kernel> {
    match product {
        Product::Forward => Box::new(Correlation::forward(factors, geometry)),
        Product::InputGrad => Box::new(Correlation::input_grad(factors, geometry)),
        Product::WeightGrad => Box::new(WeightGrad::new(factors, geometry)),
    }
}

/// Numbers on every instruction set, and pairs where there are any, with the errors that they may have: the root of the
/// mean square, and the greatest; three times, and for pairs twice, what was measured.
fn all_factors() -> Vec<(Factors, [f64; 2])> {
    let numbers = Isa::available().iter().map(|&isa| (Factors { isa, pairs: None }, [6e-6, 4e-5]));
    let pairs = Isa::available().iter().filter_map(|&isa| Some((isa, PairReduceLoops::new(isa)?)));
    let pairs = pairs.map(|(isa, loops)| (Factors { isa, pairs: Some(loops) }, [4e-2, 0.6]));
    numbers.chain(pairs).collect()
}

/// Counts how often each element is given.
struct Counts(Vec<AtomicUsize>);

impl Epilogue for Counts {
    fn region(&self, start: usize, rows: usize, row_stride: usize, cols: usize, worker: usize) {
        assert!(worker < 2);
        for row in 0..rows {
            for element in &self.0[start + row * row_stride..][..cols] {
                element.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

fn run(kernel: &dyn Kernel, operands: &[Vec<f32>; 2], len: usize, threads: usize) -> Vec<f32> {
    assert!(kernel.takes_epilogue());
    let pool = Pool::new(threads);
    let mut result = vec![f32::NAN; len];
    let counts = Counts((0..len).map(|_| AtomicUsize::new(0)).collect());
    let (_memory, scratch) = Scratch::for_test(kernel.scratch(), threads);
    let (inputs, outputs) = (operands.each_ref().map(|operand| operand.as_ptr().cast()), [result.as_mut_ptr().cast()]);
    // SAFETY: the arrays have the sizes that the kernel was made for.
    unsafe { kernel.run(&Run { inputs: &inputs, outputs: &outputs, scratch, pool: &pool, epilogue: Some(&counts) }) };
    assert!(counts.0.iter().all(|count| count.load(Ordering::Relaxed) == 1));
    result
}

#[test]
fn all_products_agree_with_exact_sums_for_any_number_of_threads() {
    for case in CASES {
        let geometry = geometry(case);
        for product in [Product::Forward, Product::InputGrad, Product::WeightGrad] {
            let (operands, exact) = operands(product, &geometry);
            let rms = (exact.iter().map(|value| value * value).sum::<f64>() / exact.len() as f64).sqrt();
            for (factors, [most, greatest]) in all_factors() {
                let kernel = kernel(product, factors, &geometry);
                let result = run(&*kernel, &operands, exact.len(), 1);
                let name = format!("{product:?} of {case:?}, {:?}, {} together", factors.isa, factors.together());
                assert_eq!(result, run(&*kernel, &operands, exact.len(), 2), "{name}");
                let errors =
                    || result.iter().zip(&exact).map(|(&result, exact)| (f64::from(result) - exact).abs() / rms);
                let mean = (errors().map(|error| error * error).sum::<f64>() / exact.len() as f64).sqrt();
                let worst = errors().fold(0.0, f64::max);
                assert!(mean < most && worst < greatest, "{name}: {mean:.1e}, at most {worst:.1e}");
            }
        }
    }
}

#[test]
fn it_is_chosen_where_it_is_faster() {
    let padded = |images, channels, size| geometry((images, [channels; 2], [size; 2], [1; 4]));
    for (images, channels, size) in [(4, 64, 128), (32, 64, 32), (32, 512, 4), (1, 64, 56), (1, 256, 14), (8, 512, 7)] {
        assert!(is_faster(&padded(images, channels, size), 1), "{images} {channels} {size}");
    }
    for (images, channels, size) in [(1, 512, 7), (1, 512, 4), (8, 16, 32)] {
        assert!(!is_faster(&padded(images, channels, size), 1), "{images} {channels} {size}");
    }
    let plain = padded(8, 64, 28);
    let with = |change: fn(&mut Geometry)| {
        let mut geometry = plain;
        change(&mut geometry);
        geometry
    };
    assert!(is_faster(&plain, 1));
    assert!(!is_faster(&with(|geometry| geometry.groups = 2), 1));
    assert!(!is_faster(&with(|geometry| geometry.axes[2].stride = 2), 1));
    assert!(!is_faster(&with(|geometry| geometry.axes[1].dilation = 2), 1));
    assert!(!is_faster(&with(|geometry| geometry.axes[1].kernel = 5), 1));
    assert!(!is_faster(&with(|geometry| (geometry.axes[0].input, geometry.axes[0].output) = (2, 2)), 1));
}
