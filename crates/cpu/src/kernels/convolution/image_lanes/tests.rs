//! For each instruction set, against the formula.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::super::few_channels::Pointers;
use super::super::geometry::Axis;
use super::*;
use crate::kernel::{Kernel, Run};
use crate::kernels::gemm::Epilogue;
use crate::pool::{Pool, Scratch};

/// Input, kernel, stride, dilation, and padding before and behind.
const fn axis(input: usize, kernel: usize, stride: usize, dilation: usize, [low, high]: [i64; 2]) -> Axis {
    let output = (input as i64 + low + high - ((kernel - 1) * dilation) as i64 - 1) as usize / stride + 1;
    Axis { input, output, kernel, stride, dilation, low }
}

const ONE: Axis = axis(1, 1, 1, 1, [0, 0]);

const fn geometry(images: usize, groups: usize, [in_channels, out_channels]: [usize; 2], axes: [Axis; 3]) -> Geometry {
    Geometry { images, groups, in_channels, out_channels, axes }
}

const CASES: [Geometry; 14] = [
    geometry(16, 1, [6, 16], [ONE, axis(14, 5, 1, 1, [0, 0]), axis(14, 5, 1, 1, [0, 0])]),
    geometry(33, 1, [3, 6], [ONE, axis(9, 5, 1, 1, [4, 4]), axis(10, 5, 1, 1, [4, 4])]),
    geometry(3, 1, [2, 1], [ONE, axis(9, 3, 1, 1, [1, 1]), axis(7, 3, 1, 1, [1, 1])]),
    geometry(17, 1, [1, 2], [ONE, axis(6, 2, 1, 1, [0, 1]), axis(9, 4, 1, 1, [2, 1])]),
    geometry(5, 1, [2, 3], [ONE, axis(8, 3, 2, 1, [1, 1]), axis(9, 3, 2, 1, [1, 1])]),
    geometry(18, 2, [3, 5], [ONE, axis(9, 3, 1, 2, [2, 0]), axis(11, 3, 1, 2, [0, 3])]),
    geometry(8, 3, [1, 1], [ONE, axis(5, 3, 3, 2, [1, 3]), axis(15, 3, 3, 2, [2, 3])]),
    geometry(9, 1, [2, 7], [ONE, axis(9, 1, 1, 1, [-1, -1]), axis(10, 7, 1, 1, [-2, 5])]),
    geometry(4, 1, [2, 8], [ONE, axis(12, 3, 4, 1, [-2, 0]), axis(14, 6, 3, 1, [-1, -1])]),
    geometry(20, 1, [2, 9], [ONE, ONE, axis(40, 9, 1, 1, [4, 4])]),
    geometry(16, 1, [2, 17], [axis(4, 3, 1, 1, [1, 1]), axis(5, 2, 2, 1, [1, 0]), axis(6, 3, 1, 1, [1, 1])]),
    geometry(300, 1, [1, 4], [ONE, axis(4, 2, 1, 1, [0, 0]), axis(4, 2, 1, 1, [0, 0])]),
    geometry(16, 1, [1, 2], [ONE, axis(3, 2, 1, 1, [4, 4]), axis(4, 2, 1, 1, [6, 6])]),
    // Rows of the cotangent that do not all stay in the cache.
    geometry(16, 1, [1, 4], [ONE, axis(40, 3, 1, 1, [1, 1]), axis(40, 3, 1, 1, [1, 1])]),
];

/// Numbers that are multiples of 1/8, so that sums are exact in any order.
fn numbers(len: usize, seed: usize) -> Vec<f64> {
    (0..len).map(|index| ((index * 7919 + seed * 31) % 33 % 17) as f64 / 8.0 - 1.0).collect()
}

/// Calls `meet(y, w, x)` with the indices of elements that are multiplied.
fn products(geometry: &Geometry, mut meet: impl FnMut(usize, usize, usize)) {
    let Geometry { images, groups, in_channels, out_channels, axes } = *geometry;
    let [depth, height, width] = axes.map(|axis| axis.input);
    let kernel = axes.map(|axis| axis.kernel);
    let output = axes.map(|axis| axis.output);
    let places = |sizes: [usize; 3]| {
        let count: usize = sizes.iter().product();
        (0..count).map(move |at| [at / sizes[2] / sizes[1], at / sizes[2] % sizes[1], at % sizes[2]])
    };
    for image_channel in 0..images * groups * out_channels {
        let (image, channel) = (image_channel / (groups * out_channels), image_channel % (groups * out_channels));
        for (place, at) in places(output).enumerate() {
            for in_channel in 0..in_channels {
                for (tap, element) in places(kernel).enumerate() {
                    let source = [0, 1, 2].map(|axis| {
                        let Axis { stride, dilation, low, .. } = axes[axis];
                        (at[axis] * stride + element[axis] * dilation) as i64 - low
                    });
                    if (0..3).any(|axis| source[axis] < 0 || source[axis] >= axes[axis].input as i64) {
                        continue;
                    }
                    let [d, h, w] = source.map(|index| index as usize);
                    let input = (image * groups + channel / out_channels) * in_channels + in_channel;
                    let y = image_channel * geometry.output_pixels() + place;
                    let weight = (channel * in_channels + in_channel) * geometry.taps() + tap;
                    meet(y, weight, ((input * depth + d) * height + h) * width + w);
                }
            }
        }
    }
}

/// Counts how often each element is given.
struct Counts(Vec<AtomicUsize>);

impl Counts {
    fn new(len: usize) -> Counts {
        Counts((0..len).map(|_| AtomicUsize::new(0)).collect())
    }
}

impl Epilogue for Counts {
    fn region(&self, start: usize, rows: usize, row_stride: usize, cols: usize, _worker: usize) {
        for row in 0..rows {
            for col in 0..cols {
                self.0[start + row * row_stride + col].fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

fn check<T: Number>(number: impl Fn(f64) -> T + Copy, value: impl Fn(T) -> f64 + Copy) {
    for (geometry, &isa) in CASES.iter().flat_map(|geometry| Isa::available().iter().map(move |isa| (geometry, isa))) {
        let Geometry { images, groups, in_channels, out_channels, .. } = *geometry;
        let sizes = [
            images * groups * in_channels * geometry.input_pixels(),
            groups * out_channels * geometry.depth(),
            images * groups * out_channels * geometry.output_pixels(),
        ];
        let [x, w, dy] = [0, 1, 2].map(|operand| numbers(sizes[operand], operand));
        let (mut y, mut dw) = (vec![0.0; sizes[2]], vec![0.0; sizes[1]]);
        products(geometry, |place, tap, source| {
            y[place] += w[tap] * x[source];
            dw[tap] += dy[place] * x[source];
        });
        let [x, w, dy] = [x, w, dy].map(|values| values.into_iter().map(number).collect::<Vec<T>>());
        let correlation = ImageLanes::<T>::of(isa, geometry).expect("enough columns");
        let weight_sums = WeightSums::<T>::of(isa, geometry).expect("something to sum");
        for num_threads in [1, 2, 5] {
            let pool = Pool::new(num_threads);
            let check = |result: &[T], counts: Counts, expected: &[f64]| {
                let result: Vec<f64> = result.iter().copied().map(value).collect();
                assert!(result == expected, "{geometry:?}, {isa:?}, {num_threads} threads");
                assert!(counts.0.iter().all(|count| count.load(Ordering::Relaxed) == 1), "{geometry:?}, {isa:?}");
            };
            let (mut result, counts) = (vec![T::default(); sizes[2]], Counts::new(sizes[2]));
            let size = correlation.scratch();
            let (_memory, scratch) = Scratch::for_test(size, num_threads);
            let pointers = Pointers { x: x.as_ptr(), w: w.as_ptr(), y: result.as_mut_ptr() };
            let packed = scratch.shared(size.shared / size_of::<T>());
            // SAFETY: the arrays have the sizes of the geometry.
            unsafe { correlation.run(pointers, packed, &scratch, &pool, Some(&counts)) };
            check(&result, counts, &y);
            let (mut result, counts) = (vec![T::default(); sizes[1]], Counts::new(sizes[1]));
            let (_memory, scratch) = Scratch::for_test(weight_sums.scratch(), num_threads);
            let (read, write) = ([x.as_ptr().cast(), dy.as_ptr().cast()], [result.as_mut_ptr().cast()]);
            let run = Run { inputs: &read, outputs: &write, scratch, pool: &pool, epilogue: Some(&counts) };
            // SAFETY: likewise.
            unsafe { weight_sums.run(&run) };
            check(&result, counts, &dw);
        }
    }
}

#[test]
fn all_sums_are_those_of_the_formula() {
    check(|number| number as f32, f64::from);
    check(|number: f64| number, |number| number);
}

#[test]
fn only_many_small_images_are_suitable() {
    let many = CASES[0];
    let suits = |geometry: &Geometry| {
        let is_input = geometry.axes.iter().all(Axis::is_unpadded);
        let correlation = ImageLanes::<f32>::new(Isa::Portable, geometry, [1; 3], is_input);
        [correlation.is_some(), WeightSums::<f32>::new(Isa::Portable, geometry).is_some()]
    };
    // In vectors of 4. Without padding others are faster.
    let of_images = |images| suits(&Geometry { images, ..many })[1];
    assert_eq!([0, 1, 2, 3, 4, 5, 9].map(of_images), [false, false, false, true, true, false, true]);
    assert_eq!(suits(&many), [false, true]);
    let padded = |size: usize| [ONE, axis(size, 5, 1, 1, [4, 4]), axis(size, 5, 1, 1, [4, 4])];
    let of_size = |size, channels| suits(&Geometry { axes: padded(size), in_channels: channels, ..many });
    assert_eq!(of_size(10, 6), [true, true]);
    // Not worth it, too large, and too many sums.
    assert_eq!(of_size(10, 1), [false, true]);
    assert_eq!(of_size(90, 6), [false, false]);
    assert_eq!(of_size(2, 300), [true, false]);
    assert!(ImageLanes::<f32>::new(Isa::Portable, &Geometry { axes: padded(10), ..many }, [1, 1, 2], false).is_none());
}
