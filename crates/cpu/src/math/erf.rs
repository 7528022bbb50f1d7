//! The error function.

use super::exponential::exp2_normal;
use super::{MulAdd, polynomial, polynomial_f64};

/// `erf(x) / x - 1` in `x^2`, to 0.95.
const SMALL: [f32; 7] =
    [0.128_379_166, -0.376_126_323, 0.112_836_725, -0.026_858_104_3, 0.005_197_797_15, -8.105_965e-4, 8.215_423_26e-5];
/// `log2(1 - erf(x)) / x`, from 0.9 to 4.
const LARGE: [f32; 8] = [
    -1.628_146_13,
    -0.917_058_512,
    -0.151_775_722,
    0.032_622_237_2,
    -0.004_172_709_78,
    5.203_108_84e-5,
    6.954_099_05e-5,
    -7.431_138_99e-6,
];
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

/// The error function.
#[inline(always)]
pub(super) fn erf<M: MulAdd>(x: f32) -> f32 {
    let square = x * x;
    let small = M::mul_add(polynomial::<M, 7>(square, SMALL), x, x);
    let size = x.abs();
    let bounded = if size < 4.0 { size } else { 4.0 };
    let complement = exp2_normal::<M>(polynomial::<M, 8>(bounded, LARGE) * bounded);
    let large = (1.0 - complement).copysign(x);
    // NaN is not large.
    if size >= 0.925 { large } else { small }
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
