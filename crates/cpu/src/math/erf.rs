//! The error function.

use super::exponential::ROUNDER;
use super::{MulAdd, polynomial_f64};

/// `log2(1 - erf(x)) / x`, to 4.
const LOG2_ERFC: [f32; 9] = [
    -1.627_907_04,
    -0.918_447_625,
    -0.148_277_066,
    0.027_632_027_4,
    2.314_085_85e-4,
    -0.002_405_018_7,
    9.129_943_58e-4,
    -1.697_215_98e-4,
    1.335_41e-5,
];
/// `(2^r - 1) / r`, relative to `2^r - 1`.
const EXP2M1: [f32; 6] =
    [0.693_147_181, 0.240_226_498, 0.055_503_699_1, 0.009_618_252_15, 0.001_338_664_83, 1.539_646_68e-4];
/// `erf(x) / x` in `x^2`, to 1.
const SMALL_F64: [f64; 13] = [
    1.1283791670955126,
    -0.37612638903183748,
    0.11283791670954884,
    -0.02686617064507787,
    0.0052239776248283865,
    -8.548326981423464e-4,
    1.2055331132894641e-4,
    -1.4925595771018418e-5,
    1.646100846349231e-6,
    -1.6350396111693993e-7,
    1.4660328216030265e-8,
    -1.1374954602978203e-9,
    5.9606846616929665e-11,
];
/// `(1 - erf(x)) e^(x^2)` in `(x - 2) / (x + 2)`, from 1 to 6.
const LARGE_F64: [f64; 17] = [
    0.25539567631050574,
    -0.42718584741395848,
    0.24165819424246606,
    -0.078978581015706719,
    0.0037328924043715922,
    0.0069974617370289773,
    -8.4714325176003811e-4,
    -9.8197694376902242e-4,
    4.3555559556927606e-5,
    1.7435953966674526e-4,
    2.7527476581109278e-5,
    -2.7563070895726827e-5,
    -1.3999734106710314e-5,
    1.3115235599257945e-6,
    4.0123990130610555e-6,
    1.2579155451374703e-6,
    -1.1236812611619929e-6,
];

/// The error function, as `1 - 2^q`. With `q = k + r` for an integer `k` that is `(1 - 2^k) - 2^k (2^r - 1)`,
/// which is as precise for small operands, where `k` is 0, as for large ones.
#[inline(always)]
pub(super) fn erf<M: MulAdd>(x: f32) -> f32 {
    let size = x.abs();
    // NaN is not above.
    let size = if size > 4.0 { 4.0 } else { size };
    let q = short_polynomial_9::<M>(size, LOG2_ERFC);
    let rounded = q + ROUNDER;
    let r = q - (rounded - ROUNDER);
    let scale = f32::from_bits((rounded.to_bits() << 23).wrapping_add(1f32.to_bits()));
    M::mul_add(-scale, short_polynomial_6::<M>(r, EXP2M1), 1.0 - scale).copysign(x)
}

/// `x` times the polynomial with these coefficients. Its terms are summed in pairs: what waits for what is
/// half as long as in Horner's scheme, for three more products.
#[inline(always)]
fn short_polynomial_9<M: MulAdd>(x: f32, c: [f32; 9]) -> f32 {
    let square = x * x;
    let low = M::mul_add(M::mul_add(c[4], x, c[3]), square, M::mul_add(c[2], x, c[1]));
    let high = M::mul_add(M::mul_add(c[8], x, c[7]), square, M::mul_add(c[6], x, c[5]));
    M::mul_add(c[0], x, M::mul_add(high, square * square, low) * square)
}

/// As [`short_polynomial_9`].
#[inline(always)]
fn short_polynomial_6<M: MulAdd>(x: f32, c: [f32; 6]) -> f32 {
    let square = x * x;
    let high = M::mul_add(M::mul_add(c[5], square, M::mul_add(c[4], x, c[3])), square, M::mul_add(c[2], x, c[1]));
    M::mul_add(c[0], x, high * square)
}

/// The error function.
pub(super) fn erf_f64(x: f64) -> f64 {
    let (size, square) = (x.abs(), x * x);
    if size < 1.0 {
        x * polynomial_f64::<super::version::Separate, 13>(square, SMALL_F64)
    } else if size < 6.0 {
        let u = (size - 2.0) / (size + 2.0);
        let complement = (-square).exp() * polynomial_f64::<super::version::Separate, 17>(u, LARGE_F64);
        (1.0 - complement).copysign(x)
    } else if x.is_nan() {
        x
    } else {
        1f64.copysign(x)
    }
}
