//! Vectors of AVX-512, and the functions that its permutations make fast: a register looks up the coefficients of
//! sixteen polynomials at once, so that short ones do.

use std::arch::x86_64::*;
use std::f32::consts::LOG2_E;
use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI};
use std::ops::{Add, Div, Mul, Sub};

use super::Reals;
use super::exponential::{EXP, GREATEST_EXPONENT, LEAST_EXPONENT, LN2_HIGH, LN2_LOW, ROUNDER};
use super::gelu::DENSITY;

/// Sixteen `f32`. Made only where the processor has AVX-512, which all functions rely on.
#[derive(Clone, Copy)]
pub(crate) struct Sixteen(__m512);

impl Reals for Sixteen {
    const COUNT: usize = 16;
    type Truth = __mmask16;

    #[inline(always)]
    unsafe fn splat(x: f32) -> Self {
        // SAFETY: as the caller vouches.
        Sixteen(unsafe { _mm512_set1_ps(x) })
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: as the caller vouches.
        Sixteen(unsafe { _mm512_loadu_ps(from) })
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: as the caller vouches.
        unsafe { _mm512_storeu_ps(to, self.0) }
    }
    #[inline(always)]
    unsafe fn stream(self, to: *mut f32) {
        // SAFETY: as the caller vouches.
        unsafe { _mm512_stream_ps(to, self.0) }
    }
    #[inline(always)]
    fn le(self, other: Self) -> __mmask16 {
        // SAFETY: the processor has it.
        unsafe { _mm512_cmp_ps_mask::<_CMP_LE_OQ>(self.0, other.0) }
    }
    #[inline(always)]
    fn gt(self, other: Self) -> __mmask16 {
        // SAFETY: the processor has it.
        unsafe { _mm512_cmp_ps_mask::<_CMP_GT_OQ>(self.0, other.0) }
    }
    #[inline(always)]
    fn ge(self, other: Self) -> __mmask16 {
        // SAFETY: the processor has it.
        unsafe { _mm512_cmp_ps_mask::<_CMP_GE_OQ>(self.0, other.0) }
    }
    #[inline(always)]
    fn select(truth: __mmask16, a: Self, b: Self) -> Self {
        // SAFETY: the processor has it.
        Sixteen(unsafe { _mm512_mask_blend_ps(truth, b.0, a.0) })
    }
    #[inline(always)]
    fn total(self) -> f32 {
        // SAFETY: the processor has it.
        unsafe { _mm512_reduce_add_ps(self.0) }
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        // SAFETY: the processor has it.
        Sixteen(unsafe { _mm512_sqrt_ps(self.0) })
    }
    #[inline(always)]
    fn exp(self) -> Self {
        // SAFETY: the processor has the instructions; of two numbers, one of them NaN, the second is taken.
        unsafe {
            let x =
                _mm512_max_ps(_mm512_set1_ps(LEAST_EXPONENT), _mm512_min_ps(_mm512_set1_ps(GREATEST_EXPONENT), self.0));
            Sixteen(exp_bounded(x))
        }
    }
    #[inline(always)]
    fn logistic(self) -> Self {
        // SAFETY: as above.
        unsafe {
            let (one, sign) = (_mm512_set1_ps(1.0), _mm512_set1_ps(-0.0));
            let e = exp_bounded(_mm512_max_ps(_mm512_set1_ps(LEAST_EXPONENT), _mm512_or_ps(sign, self.0)));
            let numerator = _mm512_mask_blend_ps(_mm512_movepi32_mask(_mm512_castps_si512(self.0)), one, e);
            // n / (1 + e) = n - n e / (1 + e), which rounds less where e is small.
            let rest = _mm512_div_ps(e, _mm512_add_ps(one, e));
            Sixteen(_mm512_fnmadd_ps(numerator, rest, numerator))
        }
    }
    #[inline(always)]
    fn tanh(self) -> Self {
        TANH.quotient_by(self)
    }
    #[inline(always)]
    fn erf(self) -> Self {
        ERF.quotient_by(self)
    }
    #[inline(always)]
    fn gelu(self) -> Self {
        // SAFETY: the processor has the instructions.
        unsafe {
            // x (1 / 2 + y), where x y does not depend on the sign.
            let (size, half) = (self.size(), _mm512_set1_ps(0.5));
            Sixteen(_mm512_fmadd_ps(size, DISTRIBUTION.at(size), _mm512_mul_ps(half, self.0)))
        }
    }
    #[inline(always)]
    fn gelu_slope(self) -> Self {
        // SAFETY: as above.
        unsafe { Sixteen(_mm512_add_ps(_mm512_set1_ps(0.5), self.with_sign(GELU_SLOPE.at(self.size())))) }
    }
}

impl Sixteen {
    /// Without its sign.
    ///
    /// # Safety
    /// The processor has the instructions.
    #[inline(always)]
    unsafe fn size(self) -> __m512 {
        // SAFETY: as the caller vouches.
        unsafe { _mm512_andnot_ps(_mm512_set1_ps(-0.0), self.0) }
    }

    /// What is not below 0, with its sign.
    ///
    /// # Safety
    /// The processor has the instructions.
    #[inline(always)]
    unsafe fn with_sign(self, size: __m512) -> __m512 {
        // SAFETY: as the caller vouches.
        unsafe { _mm512_or_ps(size, _mm512_and_ps(_mm512_set1_ps(-0.0), self.0)) }
    }
}

macro_rules! operators {
    ($($trait:ident $function:ident $instruction:ident;)*) => {$(
        impl $trait for Sixteen {
            type Output = Self;

            #[inline(always)]
            fn $function(self, other: Self) -> Self {
                // SAFETY: the processor has it.
                Sixteen(unsafe { $instruction(self.0, other.0) })
            }
        }
    )*};
}

operators! {
    Add add _mm512_add_ps;
    Sub sub _mm512_sub_ps;
    Mul mul _mm512_mul_ps;
    Div div _mm512_div_ps;
}

/// `e^x` where `x` is between the bounds of exponents, or NaN.
///
/// # Safety
/// The processor has the instructions.
#[inline(always)]
unsafe fn exp_bounded(x: __m512) -> __m512 {
    // SAFETY: as the caller vouches.
    unsafe {
        let rounder = _mm512_set1_ps(ROUNDER);
        let k = _mm512_sub_ps(_mm512_fmadd_ps(x, _mm512_set1_ps(LOG2_E), rounder), rounder);
        let r = _mm512_fnmadd_ps(k, _mm512_set1_ps(LN2_LOW), _mm512_fnmadd_ps(k, _mm512_set1_ps(LN2_HIGH), x));
        let mut y = _mm512_set1_ps(EXP[EXP.len() - 1]);
        let mut power = EXP.len() - 1;
        while power > 0 {
            power -= 1;
            y = _mm512_fmadd_ps(y, r, _mm512_set1_ps(EXP[power]));
        }
        let y = _mm512_add_ps(_mm512_fmadd_ps(y, _mm512_mul_ps(r, r), r), _mm512_set1_ps(1.0));
        _mm512_scalef_ps(y, k)
    }
}

/// How many places a table has: as many numbers as two registers.
const NUM_PLACES: usize = 32;

/// A function of what is not below 0 that ends at a constant: polynomials around evenly spaced places.
struct Table<const N: usize> {
    /// A power of two.
    spacing: f32,
    /// From here on the function is taken as what it ends at: the least number of the last place, and the only one.
    end: f32,
    coefficients: [[f32; NUM_PLACES]; N],
}

impl<const N: usize> Table<N> {
    /// From the function's Taylor series around each place before the last.
    const fn new<const M: usize>(spacing: f32, last: usize, limit: f32, series: [[f64; M]; NUM_PLACES]) -> Self {
        assert!(M > N && last < NUM_PLACES && spacing.to_bits() << 9 == 0);
        let mut coefficients = [[0.0; NUM_PLACES]; N];
        let mut place = 0;
        while place < last {
            let shorter = economized(series[place], N, spacing as f64 / 2.0);
            let mut n = 0;
            while n < N {
                coefficients[n][place] = shorter[n] as f32;
                n += 1;
            }
            place += 1;
        }
        coefficients[0][last] = limit;
        Table { spacing, end: Self::end(spacing, last), coefficients }
    }

    /// The same of an odd function that rises to 1, divided by `x`.
    ///
    /// The quotient changes little, so that its constant is most of it, and products with `x` round little beside the last one.
    const fn quotient<const M: usize>(spacing: f32, last: usize, series: [[f64; M]; NUM_PLACES]) -> Self {
        let mut quotients = [[0.0; M]; NUM_PLACES];
        let mut place = 0;
        while place < last {
            // (x + d) q(d) = a(d), of which each power gives a coefficient.
            let (x, a) = (place as f64 * spacing as f64, series[place]);
            let q = &mut quotients[place];
            let mut n = 0;
            while n < M - 1 {
                q[n] = if place == 0 { a[n + 1] } else { (a[n] - if n == 0 { 0.0 } else { q[n - 1] }) / x };
                n += 1;
            }
            place += 1;
        }
        let end = Self::end(spacing, last);
        assert!(end * (1.0 / end) == 1.0, "the function must reach 1");
        Self::new(spacing, last, 1.0 / end, quotients)
    }

    /// The least number that is nearest to the last place, half way from the one before: of two equally near places the even
    /// one is found.
    const fn end(spacing: f32, last: usize) -> f32 {
        let half_way = (last as f32 - 0.5) * spacing;
        f32::from_bits(half_way.to_bits() + last as u32 % 2)
    }

    /// The function of what is not below 0.
    ///
    /// # Safety
    /// The processor has the instructions.
    #[inline(always)]
    unsafe fn at(&'static self, size: __m512) -> __m512 {
        // SAFETY: as the caller vouches.
        unsafe {
            let (_, distance, place) = self.locate(size);
            _mm512_fmadd_ps(self.slope(distance, place), distance, self.coefficient(0, place))
        }
    }

    /// An odd function, of whose quotient by `x` this is the table.
    #[inline(always)]
    fn quotient_by(&'static self, x: Sixteen) -> Sixteen {
        // SAFETY: the processor has the instructions.
        unsafe {
            let (size, distance, place) = self.locate(x.size());
            let change = _mm512_mul_ps(self.slope(distance, place), _mm512_mul_ps(size, distance));
            Sixteen(x.with_sign(_mm512_fmadd_ps(size, self.coefficient(0, place), change)))
        }
    }

    /// What is not beyond the end, its distance from its place, and that one.
    ///
    /// # Safety
    /// The processor has the instructions.
    #[inline(always)]
    unsafe fn locate(&'static self, size: __m512) -> (__m512, __m512, __m512i) {
        // SAFETY: as the caller vouches.
        unsafe {
            // NaN is not above.
            let size = _mm512_min_ps(_mm512_set1_ps(self.end), size);
            // Added to a number it leaves the number's nearest multiple of the spacing in the low bits.
            let rounder = _mm512_set1_ps(ROUNDER * self.spacing);
            let sum = _mm512_add_ps(size, rounder);
            (size, _mm512_sub_ps(size, _mm512_sub_ps(sum, rounder)), _mm512_castps_si512(sum))
        }
    }

    /// The polynomial without its constant, divided by the distance.
    ///
    /// # Safety
    /// The processor has the instructions.
    #[inline(always)]
    unsafe fn slope(&'static self, distance: __m512, place: __m512i) -> __m512 {
        // SAFETY: as the caller vouches.
        unsafe {
            let mut slope = self.coefficient(N - 1, place);
            let mut power = N - 1;
            while power > 1 {
                power -= 1;
                slope = _mm512_fmadd_ps(slope, distance, self.coefficient(power, place));
            }
            slope
        }
    }

    /// # Safety
    /// The processor has the instructions.
    #[inline(always)]
    unsafe fn coefficient(&'static self, power: usize, place: __m512i) -> __m512 {
        let row = self.coefficients[power].as_ptr();
        // SAFETY: as the caller vouches; a row fills two registers.
        unsafe { _mm512_permutex2var_ps(_mm512_loadu_ps(row), place, _mm512_loadu_ps(row.add(NUM_PLACES / 2))) }
    }
}

/// A polynomial's first `degree` terms, changed so that what they miss of the next one, too, is least for arguments of up to
/// `reach`: without a multiple of Chebyshev's polynomial of this degree.
const fn economized<const M: usize>(polynomial: [f64; M], degree: usize, reach: f64) -> [f64; M] {
    let (mut before, mut chebyshev) = ([0.0; M], [0.0; M]);
    (before[0], chebyshev[1]) = (1.0, 1.0);
    let mut n = 1;
    while n < degree {
        let mut next = [0.0; M];
        let mut power = 0;
        while power < M {
            next[power] = if power == 0 { 0.0 } else { 2.0 * chebyshev[power - 1] } - before[power];
            power += 1;
        }
        (before, chebyshev) = (chebyshev, next);
        n += 1;
    }
    let (mut shorter, mut scale, mut power) = (polynomial, polynomial[degree] / chebyshev[degree], degree);
    while power > 0 {
        power -= 1;
        scale *= reach;
        shorter[power] -= scale * chebyshev[power];
    }
    shorter
}

/// The error function. Around `x` its series `a` has `a[1] = 2 / sqrt(pi) e^(-x^2)`, and, because the second derivative
/// is `-2 x` times the first, `(n + 2) (n + 1) a[n + 2] = -2 (x (n + 1) a[n + 1] + n a[n])`.
static ERF: Table<5> = {
    const SPACING: f32 = 0.125;
    let mut series = [[0.0; 7]; NUM_PLACES];
    let mut place = 0;
    while place < NUM_PLACES {
        let x = place as f64 * SPACING as f64;
        let (mut a, mut next, mut n) = (erf(x), FRAC_2_SQRT_PI * exp(-x * x), 0);
        while n < 7 {
            series[place][n] = a;
            let k = n as f64;
            (a, next) = (next, -2.0 * (x * (k + 1.0) * next + k * a) / ((k + 2.0) * (k + 1.0)));
            n += 1;
        }
        place += 1;
    }
    Table::quotient(SPACING, NUM_PLACES - 1, series)
};

/// The normal distribution function, less 1 / 2.
static DISTRIBUTION: Table<5> = {
    let mut series = [[0.0; 6]; NUM_PLACES];
    let mut place = 0;
    while place < NUM_PLACES {
        let x = place as f64 * NORMAL_SPACING as f64;
        let density = density_around::<5>(x);
        series[place][0] = erf(x * FRAC_1_SQRT_2) / 2.0;
        let mut n = 0;
        while n < 5 {
            series[place][n + 1] = density[n] / (n + 1) as f64;
            n += 1;
        }
        place += 1;
    }
    Table::new(NORMAL_SPACING, 24, 0.5, series)
};

/// The derivative of the Gaussian error linear unit, less 1 / 2: `erf(x / sqrt(2)) / 2 + x φ(x)` with the density `φ`, whose own
/// derivative is `(2 - x^2) φ(x)`.
static GELU_SLOPE: Table<6> = {
    let mut series = [[0.0; 7]; NUM_PLACES];
    let mut place = 0;
    while place < NUM_PLACES {
        let x = place as f64 * NORMAL_SPACING as f64;
        let density = density_around::<6>(x);
        series[place][0] = erf(x * FRAC_1_SQRT_2) / 2.0 + x * density[0];
        let (mut before, mut two_before, mut n) = (0.0, 0.0, 0);
        while n < 6 {
            let derivative = (2.0 - x * x) * density[n] - 2.0 * x * before - two_before;
            series[place][n + 1] = derivative / (n + 1) as f64;
            (before, two_before) = (density[n], before);
            n += 1;
        }
        place += 1;
    }
    Table::new(NORMAL_SPACING, 26, 0.5, series)
};

/// The spacing of tables that are made of the normal distribution.
const NORMAL_SPACING: f32 = 0.25;

/// The Taylor series of the density of the normal distribution around `x`, `e^(-x^2 / 2) / sqrt(2 pi)` times that of which
/// `(n + 1) g[n + 1] = -x g[n] - g[n - 1]`.
const fn density_around<const N: usize>(x: f64) -> [f64; N] {
    let mut series = [0.0; N];
    let (mut now, mut before, mut n) = (DENSITY * exp(-x * x / 2.0), 0.0, 0);
    while n < N {
        series[n] = now;
        (now, before) = (-(x * now + before) / (n + 1) as f64, now);
        n += 1;
    }
    series
}

/// The hyperbolic tangent. Because its derivative is 1 less its square, `(n + 1) a[n + 1]` of its series is the
/// coefficient of `1 - a^2`.
static TANH: Table<8> = {
    const SPACING: f32 = 0.5;
    let mut series = [[0.0; 10]; NUM_PLACES];
    let mut place = 0;
    while place < NUM_PLACES {
        let e = exp(-2.0 * place as f64 * SPACING as f64);
        let mut a = [0.0; 10];
        a[0] = (1.0 - e) / (1.0 + e);
        let mut n = 0;
        while n < 9 {
            let (mut derivative, mut i) = (if n == 0 { 1.0 } else { 0.0 }, 0);
            while i <= n {
                derivative -= a[i] * a[n - i];
                i += 1;
            }
            a[n + 1] = derivative / (n + 1) as f64;
            n += 1;
        }
        series[place] = a;
        place += 1;
    }
    Table::quotient(SPACING, 18, series)
};

/// The error function while this is compiled, for `0 <= x < 5.6`: `2 / sqrt(pi) e^(-x^2)` times the sum of
/// `2^n x^(2n + 1) / (2n + 1)!!`.
const fn erf(x: f64) -> f64 {
    let (mut sum, mut term, mut n) = (0.0, x, 0);
    while n < 100 {
        sum += term;
        n += 1;
        term *= 2.0 * x * x / (2 * n + 1) as f64;
    }
    FRAC_2_SQRT_PI * exp(-x * x) * sum
}

/// `e^x` while this is compiled, for `-32 < x <= 0`.
const fn exp(x: f64) -> f64 {
    // The series of e^(x / 64), six times squared.
    let (mut sum, mut term, mut n) = (0.0, 1.0, 0);
    while n < 20 {
        sum += term;
        n += 1;
        term *= x / 64.0 / n as f64;
    }
    let mut squarings = 0;
    while squarings < 6 {
        sum *= sum;
        squarings += 1;
    }
    sum
}
