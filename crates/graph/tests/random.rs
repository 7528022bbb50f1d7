//! Random numbers: their distributions, and what they depend on.

mod reference;

use gyrus_graph::{DType, Graph, Value};
use reference::{Array, run_captured};

fn evaluated(values: &[Value]) -> Vec<Vec<f64>> {
    let outputs = run_captured(&Graph::capture(&[], values), &[]);
    outputs.iter().map(|Array { elements, .. }| elements.iter().map(|element| element.real()).collect()).collect()
}

fn key(seed: i64, counter: i64) -> Value {
    Value::from_elements([2], &[seed, counter])
}

/// The mean of `f` over the elements.
fn mean(x: &[f64], f: impl Fn(f64) -> f64) -> f64 {
    x.iter().map(|&x| f(x)).sum::<f64>() / x.len() as f64
}

#[test]
fn uniform_numbers_have_the_moments_of_their_distribution() {
    for dtype in [DType::F16, DType::BF16, DType::F32, DType::F64] {
        let [x] =
            <[_; 1]>::try_from(evaluated(&[Value::random_bits(&key(1, 2), 3, [40_000]).uniform_from_bits(dtype)]))
                .expect("one");
        assert!(x.iter().all(|x| (0.0..1.0).contains(x)));
        // Multiples of 2^-8 lie on average 2^-9 too low. Five standard errors.
        let bias = if dtype == DType::BF16 { 1.0 / 512.0 } else { 0.0 };
        assert!((mean(&x, |x| x) - 0.5 + bias).abs() < 5.0 * (1.0f64 / 12.0 / 40_000.0).sqrt());
        assert!((mean(&x, |x| (x - 0.5 + bias).powi(2)) - 1.0 / 12.0).abs() < 5.0 * (1.0f64 / 180.0 / 40_000.0).sqrt());
        // Neighbours are independent.
        let products: Vec<f64> = x.windows(2).map(|pair| (pair[0] - 0.5) * (pair[1] - 0.5)).collect();
        assert!(mean(&products, |x| x).abs() < 5.0 / 12.0 / 200.0);
    }
}

#[test]
fn uniform_numbers_never_reach_one() {
    for dtype in [DType::F16, DType::BF16, DType::F32, DType::F64] {
        let extremes = Value::from_elements([3], &[-1i32, 0, i32::MIN]).uniform_from_bits(dtype);
        let found = evaluated(&[extremes])[0].clone();
        assert!(found[0] < 1.0 && found[0] > 0.99 && found[1] == 0.0 && found[2] == 0.5, "{dtype}: {found:?}");
    }
}

#[test]
fn normal_numbers_have_the_moments_of_their_distribution() {
    let count = 40_000.0;
    let x = evaluated(&[Value::random_bits(&key(4, 5), 6, [2, 20_000]).normal_from_bits(DType::F64)])[0].clone();
    for (power, moment, variance) in [(1, 0.0, 1.0), (2, 1.0, 2.0), (3, 0.0, 15.0), (4, 3.0, 96.0)] {
        let found = mean(&x, |x| x.powi(power));
        assert!((found - moment).abs() < 5.0 * f64::sqrt(variance / count), "moment {power}: {found}");
    }
    let products: Vec<f64> = x[..20_000].iter().zip(&x[20_000..]).map(|(a, b)| a * b).collect();
    assert!(mean(&products, |x| x).abs() < 5.0 / f64::sqrt(20_000.0), "the two of a pair are independent");
}

#[test]
fn every_part_of_the_key_matters_and_the_shape_does_not() {
    let bits = |seed, counter, stream| Value::random_bits(&key(seed, counter), stream, [9]);
    let high = 1 << 40;
    let draws =
        [bits(7, 7, 7), bits(8, 7, 7), bits(7 + high, 7, 7), bits(7, 8, 7), bits(7, 7 + high, 7), bits(7, 7, 8)];
    let found = evaluated(&[&draws[..], &[bits(7, 7, 7 + (1 << 40))]].concat());
    for (index, words) in found.iter().enumerate() {
        assert!(found[..index].iter().all(|other| other.iter().zip(words).all(|(a, b)| a != b)), "draw {index}");
    }
    let longer = evaluated(&[Value::random_bits(&key(7, 7), 7, [5, 4])])[0].clone();
    assert_eq!(longer[..9], found[0][..]);
}
