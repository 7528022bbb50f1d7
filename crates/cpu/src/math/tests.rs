//! Errors against the standard library in `f64`, and special values.

use super::trigonometric::TRIGONOMETRIC_LIMIT;
use super::version::{Fused, Separate};
use super::{MulAdd, Multiversion, Real, Reals, version};
use crate::isa::Isa;

const INFINITY: f32 = f32::INFINITY;

/// The error of `got` in units in the last place of the `f32` nearest to `exact`.
fn ulps(got: f32, exact: f64) -> f64 {
    let rounded = exact as f32;
    if rounded.is_nan() || got.is_nan() {
        return if rounded.is_nan() && got.is_nan() { 0.0 } else { f64::INFINITY };
    }
    if rounded.is_infinite() || got.is_infinite() {
        return if rounded == got { 0.0 } else { f64::INFINITY };
    }
    let exponent = ((rounded.to_bits() >> 23) & 255).max(1) as i32 - 127;
    (got as f64 - exact).abs() / 2f64.powi(exponent - 23)
}

fn bit_patterns(step: usize) -> impl Iterator<Item = f32> {
    (0..=u32::MAX).step_by(step).map(f32::from_bits)
}

/// The largest error over every `step`th `f32`, NaN and infinities among them, and where it is.
fn largest_error(step: usize, fast: impl Fn(f32) -> f32, exact: impl Fn(f64) -> f64) -> (f64, f32) {
    let specials = [0.0, -0.0, 1.0, -1.0, INFINITY, -INFINITY, f32::NAN, f32::MAX, f32::MIN_POSITIVE, 1e-45, -1e-45];
    let mut largest = (0.0, 0.0);
    for x in specials.into_iter().chain(bit_patterns(step)) {
        let (got, exact) = (fast(x), exact(x as f64));
        let error = ulps(got, exact);
        if error > largest.0 {
            largest = (error, x);
        }
        if exact == 0.0 && x == 0.0 {
            assert_eq!(got.is_sign_negative(), exact.is_sign_negative(), "the sign of zero for {x:e}");
        }
    }
    largest
}

type Pair<'a> = (&'a str, fn(f32) -> f32, fn(f64) -> f64, f64);

fn table<M: MulAdd>() -> Vec<Pair<'static>> {
    fn in_range(x: f32, fast: f32, slow: fn(f32) -> f32) -> f32 {
        if x.in_trigonometric_range() { fast } else { slow(x) }
    }
    /// Zero where the result would be subnormal, or almost.
    fn of_normal(y: f64) -> f64 {
        if y < (-87.3f32 as f64).exp() { 0.0 } else { y }
    }
    // The product is 1 if it is rounded.
    let is_fused = M::mul_add(1.0 + f32::EPSILON, 1.0 - f32::EPSILON, -1.0) != 0.0;
    vec![
        ("exp", |x| Real::exp::<M>(x), f64::exp, 1.0),
        ("exp_of_nonpositive", |x| Real::exp_of_nonpositive::<M>(-x.abs()), |x| of_normal((-x.abs()).exp()), 1.0),
        ("expm1", |x| Real::expm1::<M>(x), f64::exp_m1, 1.5),
        ("log", |x| Real::log::<M>(x), f64::ln, 0.8),
        ("log1p", |x| Real::log1p::<M>(x), f64::ln_1p, 1.4),
        ("tanh", |x| Real::tanh::<M>(x), f64::tanh, 1.7),
        ("logistic", |x| Real::logistic::<M>(x), |x| 1.0 / (1.0 + (-x).exp()), 1.7),
        ("erf", |x| Real::erf::<M>(x), |x| Real::erf::<Separate>(x), if is_fused { 1.7 } else { 3.0 }),
        ("sin", |x| in_range(x, Real::sin::<M>(x), Real::slow_sin), f64::sin, 0.9),
        ("cos", |x| in_range(x, Real::cos::<M>(x), Real::slow_cos), f64::cos, 0.9),
        ("tan", |x| in_range(x, Real::tan::<M>(x), Real::slow_tan), f64::tan, 0.51),
        ("cbrt", |x| Real::cbrt::<M>(x), f64::cbrt, 0.51),
        ("sqrt", |x| Real::sqrt(x), f64::sqrt, 0.51),
        ("rsqrt", |x| Real::rsqrt(x), |x| 1.0 / x.sqrt(), 1.5),
        ("round", |x| Real::round(x), f64::round_ties_even, 0.0),
        ("floor", |x| Real::floor(x), f64::floor, 0.0),
        ("ceil", |x| Real::ceil(x), f64::ceil, 0.0),
        ("sign", |x| x.sign(), |x| if x == 0.0 || x.is_nan() { x } else { x.signum() }, 0.0),
    ]
}

fn check(step: usize, rows: Vec<Pair>) {
    for (name, fast, exact, limit) in rows {
        let (error, at) = largest_error(step, fast, exact);
        println!("{name}: {error:.3} ulp at {at:e}");
        assert!(error <= limit, "{name}: {error} ulp at {at:e}");
    }
}

#[test]
fn errors_are_within_the_stated_limits() {
    check(1999, table::<Fused>());
    check(7993, table::<Separate>());
}

/// Half a minute: `cargo test --release -- --ignored every_97th`.
#[test]
#[ignore = "long"]
fn every_97th_f32_is_within_the_stated_limits() {
    check(97, table::<Fused>());
}

#[test]
fn dense_around_the_places_where_formulas_change() {
    let near = |center: f32| (0..200_000).map(move |i| center * (0.9 + i as f32 * 1e-6));
    for (name, fast, exact, limit) in table::<Fused>().into_iter().chain(table::<Separate>()) {
        let mut largest = (0.0, 0.0);
        for center in [0.35f32, 0.6, 0.925, 1.0, 2.0, 4.0, 9.0, 17.5, 88.7, 103.5, 1e-7, 3e4] {
            for x in near(center).chain(near(-center)) {
                let error = ulps(fast(x), exact(x as f64));
                largest = if error > largest.0 { (error, x) } else { largest };
            }
        }
        println!("{name}: {:.3} ulp at {:e}", largest.0, largest.1);
        assert!(largest.0 <= limit, "{name}: {} ulp at {:e}", largest.0, largest.1);
    }
}

/// The functions of vectors.
struct OfVectors;

impl Multiversion for OfVectors {
    type Arguments = (f32, *mut [[f32; 16]; 6]);

    #[inline(always)]
    unsafe fn run<M: MulAdd>((x, results): Self::Arguments) {
        // SAFETY: the caller vouches for the processor and the results.
        unsafe {
            let (x, [tanh, erf, exp, logistic, gelu, gelu_slope]) = (M::Reals::splat(x), &mut *results);
            for at in (0..16).step_by(M::Reals::COUNT) {
                x.tanh().store(&mut tanh[at]);
                x.erf().store(&mut erf[at]);
                x.exp().store(&mut exp[at]);
                x.logistic().store(&mut logistic[at]);
                x.gelu().store(&mut gelu[at]);
                x.gelu_slope().store(&mut gelu_slope[at]);
            }
        }
    }
}

/// Of [`OfVectors`] the function of this number.
fn of_vector(isa: Isa, function: usize, x: f32) -> f32 {
    let mut results = [[0.0; 16]; 6];
    // SAFETY: the instruction set is available.
    unsafe { version::<OfVectors>(isa)((x, &mut results)) };
    let result = results[function];
    assert!(result.iter().all(|y| y.to_bits() == result[0].to_bits()), "{isa:?}: {x:e}: {result:?}");
    result[0]
}

/// Where the distribution function is near 0, 1 is lost beside it: the errors are in last places of the operand, and of 1.
#[test]
fn gaussian_error_linear_units() {
    let exact: [fn(f64) -> f64; 2] = [Real::gelu::<Separate>, Real::gelu_slope::<Separate>];
    for &isa in Isa::available() {
        let mut largest = [0f64; 2];
        for x in bit_patterns(1999).chain((-90_000..90_000).map(|i| i as f32 * 1e-4)).filter(|x| x.is_finite()) {
            for (function, largest) in largest.iter_mut().enumerate() {
                let error = (of_vector(isa, 4 + function, x) as f64 - exact[function](x as f64)).abs();
                let size = if function == 0 { x.abs() as f64 } else { 1.0 };
                *largest = largest.max(error / (size.max(f32::MIN_POSITIVE as f64) * f32::EPSILON as f64));
            }
        }
        println!("{isa:?}: gelu {:.3}, gelu_slope {:.3}", largest[0], largest[1]);
        assert!(largest[0] <= 1.3 && largest[1] <= 1.3, "{isa:?}: {largest:?}");
        let slopes = [INFINITY, -INFINITY, f32::MAX, f32::NAN, 0.0].map(|x| of_vector(isa, 5, x));
        assert!(slopes[..3] == [1.0, 0.0, 1.0] && slopes[3].is_nan() && slopes[4] == 0.5, "{isa:?}: {slopes:?}");
        assert!(of_vector(isa, 4, f32::NAN).is_nan() && of_vector(isa, 4, f32::MAX) == f32::MAX);
    }
}

#[test]
fn functions_of_vectors() {
    for &isa in Isa::available() {
        let of_vector = |function: usize, x: f32| of_vector(isa, function, x);
        let limits = if isa == Isa::Avx512 { [1.2, 1.42, 1.0, 1.7] } else { [1.7, 3.0, 1.0, 1.7] };
        let exact: [fn(f64) -> f64; 4] = [f64::tanh, Real::erf::<Separate>, f64::exp, |x| 1.0 / (1.0 + (-x).exp())];
        for (function, name) in ["tanh", "erf", "exp", "logistic"].into_iter().enumerate() {
            let (error, at) = largest_error(1999, |x| of_vector(function, x), exact[function]);
            println!("{isa:?}: {name}: {error:.3} ulp at {at:e}");
            assert!(error <= limits[function], "{isa:?}: {name}: {error} ulp at {at:e}");
        }
        for (function, name) in ["tanh", "erf"].into_iter().enumerate() {
            // GELU adds 1 to it.
            let above = (0..1 << 20).map(|i| 1.0 + i as f32 * 1e-5).find(|&x| of_vector(function, x) > 1.0);
            assert_eq!(above, None, "{isa:?}: {name} is above 1");
            for x in [9.1f32, 20.0, 800.0, f32::MAX, INFINITY] {
                assert_eq!([of_vector(function, x), of_vector(function, -x)], [1.0, -1.0], "{isa:?}: {name} of {x}");
            }
        }
    }
}

#[test]
fn functions_of_two_operands() {
    let specials =
        [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.0, -2.0, 3.0, -3.0, 1e-40, 1e30, -1e30, INFINITY, -INFINITY, f32::NAN];
    let (mut pow, mut atan2) = (0f64, 0f64);
    let mut check = |a: f32, b: f32| {
        for got in [a.pow::<Fused>(b), a.pow::<Separate>(b)] {
            let error = ulps(got, (a as f64).powf(b as f64));
            assert!(error <= 0.51, "pow({a:e}, {b:e}) = {got:e}: {error} ulp");
            pow = pow.max(error);
        }
        for got in [Real::atan2::<Fused>(a, b), Real::atan2::<Separate>(a, b)] {
            let exact = (a as f64).atan2(b as f64);
            let error = ulps(got, exact);
            assert!(
                error <= 0.51 && (got.is_nan() || got.is_sign_negative() == exact.is_sign_negative()),
                "atan2({a:e}, {b:e})"
            );
            atan2 = atan2.max(error);
        }
    };
    for a in specials {
        for b in specials {
            check(a, b);
        }
    }
    let some: Vec<f32> = bit_patterns(6_000_011).collect();
    for &a in &some {
        some.iter().for_each(|&b| check(a, b));
        (-300..300).for_each(|i| check(a.abs(), i as f32 * 0.037));
    }
    println!("pow: {pow:.3} ulp, atan2: {atan2:.3} ulp");
}

#[test]
fn not_a_number_with_any_payload_stays_not_a_number() {
    for bits in (0x7f80_0001u32..0x7fff_ffff).step_by(4099).chain((0xff80_0001u32..0xffff_ffff).step_by(4099)) {
        let nan = f32::from_bits(bits);
        for (name, fast, ..) in table::<Fused>() {
            assert!(fast(nan).is_nan(), "{name} of {bits:#x}");
        }
        assert!(nan.pow::<Fused>(2.0).is_nan() && 2f32.pow::<Fused>(nan).is_nan());
    }
}

/// Values by mpmath 1.3.
#[test]
fn erf_in_double_precision() {
    let golden = [
        (1e-10, 1.1283791670955126e-10),
        (0.1, 0.1124629160182849),
        (0.5, 0.5204998778130465),
        (0.99, 0.8385080695553698),
        (1.0, 0.8427007929497149),
        (1.5, 0.9661051464753108),
        (2.5, 0.999593047982555),
        (4.0, 0.9999999845827421),
        (5.9, 0.9999999999999999),
        (7.0, 1.0),
    ];
    for (x, exact) in golden {
        for (x, exact) in [(x, exact), (-x, -exact)] {
            let got = Real::erf::<Fused>(x);
            assert!((got - exact).abs() <= 1e-15 * f64::abs(exact), "erf({x}) = {got}, not {exact}");
        }
    }
    assert!(Real::erf::<Fused>(f64::NAN).is_nan());
    assert_eq!(Real::erf::<Fused>(f64::NEG_INFINITY), -1.0);
}

#[test]
fn the_trigonometric_range_is_where_the_fast_functions_are_right() {
    assert!(TRIGONOMETRIC_LIMIT.in_trigonometric_range() && !(TRIGONOMETRIC_LIMIT * 1.1).in_trigonometric_range());
    assert!(!INFINITY.in_trigonometric_range() && !f32::NAN.in_trigonometric_range());
}
