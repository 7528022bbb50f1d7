//! The error function, for which StableHLO has no word.

use gyrus_graph::Value;

/// `erf(x) / x` by `x^2`, up to [`MIDDLE`]: numerator and denominator, the highest power first.
const SMALL: [[f64; 5]; 2] = [
    [
        0.185_777_706_184_603_15,
        3.161_123_743_870_565_5,
        113.864_154_151_050_16,
        377.485_237_685_302,
        3_209.377_589_138_469_4,
    ],
    [1.0, 23.601_290_952_344_122, 244.024_637_934_444_17, 1_282.616_526_077_372_3, 2_844.236_833_439_171],
];
/// `(1 - erf(x)) e^(x^2)` by `x`, from [`MIDDLE`] on.
const LARGE: [[f64; 9]; 2] = [
    [
        2.153_115_354_744_038_3e-08,
        0.564_188_496_988_670_1,
        8.883_149_794_388_377,
        66.119_190_637_141_63,
        298.635_138_197_400_1,
        881.952_221_241_769,
        1_712.047_612_634_070_7,
        2_051.078_377_826_071_6,
        1_230.339_354_797_997_2,
    ],
    [
        1.0,
        15.744_926_110_709_835,
        117.693_950_891_312_5,
        537.181_101_862_009_9,
        1_621.389_574_566_690_3,
        3_290.799_235_733_459_7,
        4_362.619_090_143_247,
        3_439.367_674_143_721_6,
        1_230.339_354_803_749_5,
    ],
];
/// Where one approximation follows the other.
const MIDDLE: f64 = 0.46875;
/// From here on the nearest `f64` is 1.
const END: f64 = 6.0;

/// By rational functions: `x r(x^2)` for small operands, `1 - e^(-x^2) r(x)` for large ones. Beyond 4 the latter
/// loses digits of `1 - erf(x)`, of which `erf(x)` has none left.
///
/// # Source
/// Cody, Rational Chebyshev Approximations for the Error Function, Mathematics of Computation 23 (1969).
pub(super) fn erf(x: &Value) -> Value {
    let size = x.abs().min(&x.full_like(END));
    let square = size.mul(&size);
    let small = x.mul(&rational(&square, &SMALL));
    let large = x.sign().mul(&x.full_like(1.0).sub(&square.neg().exp().mul(&rational(&size, &LARGE))));
    size.le(&size.full_like(MIDDLE)).select(&small, &large)
}

/// The quotient of two polynomials.
fn rational<const N: usize>(x: &Value, [numerator, denominator]: &[[f64; N]; 2]) -> Value {
    polynomial(x, numerator).div(&polynomial(x, denominator))
}

/// By Horner's scheme.
fn polynomial(x: &Value, coefficients: &[f64]) -> Value {
    let next = |sum: Value, &coefficient: &f64| sum.mul(x).add(&x.full_like(coefficient));
    coefficients[1..].iter().fold(x.full_like(coefficients[0]), next)
}
