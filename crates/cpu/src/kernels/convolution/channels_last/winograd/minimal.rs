//! Winograd's minimal filtering F(4, 3): four neighbouring results of a kernel of three from six inputs by six
//! multiplications, where a direct computation takes twelve.
//!
//! Kernel and results are polynomials whose product is known by its values at six points: 0, ±[`A`], ±[`B`] and
//! infinity. The transforms take both factors to these values, and the product's values back (Toom and Cook); what is
//! computed here are their transposes. Of points whose constants are short, these lose the least accuracy: half as
//! much as 0, ±1, ±2 and infinity, which are common.

use crate::kernels::gemm::microkernel::Vector;
use crate::math::MulAdd;

/// Results of a tile along an axis.
pub(super) const OUTPUTS: usize = 4;
/// Places of the kernel along an axis.
pub(super) const TAPS: usize = 3;
/// Points, and the places that a tile meets, along an axis.
pub(super) const POINTS: usize = OUTPUTS + TAPS - 1;

const A: f32 = 0.625;
const B: f32 = 1.5;
const A2: f32 = A * A;
const B2: f32 = B * B;
/// The differences from a point to the others, multiplied.
const NORM_0: f32 = A2 * B2;
const NORM_A: f32 = 2.0 * A2 * (A2 - B2);
const NORM_B: f32 = 2.0 * B2 * (B2 - A2);

/// A linear map, applied to vectors lane by lane.
pub(super) trait Transform<const FROM: usize, const TO: usize>: 'static {
    /// The image.
    unsafe fn apply<V: Vector<Element = f32>, M: MulAdd>(from: [V; FROM]) -> [V; TO];
}

/// `c + factor * a`.
#[inline(always)]
unsafe fn add_scaled<V: Vector<Element = f32>, M: MulAdd>(c: V, factor: f32, a: V) -> V {
    // SAFETY: as the caller vouches, the processor has the instructions.
    unsafe { V::splat(factor).mul_add::<M>(a, c) }
}

/// `factor * a`.
#[inline(always)]
unsafe fn scaled<V: Vector<Element = f32>, M: MulAdd>(factor: f32, a: V) -> V {
    // SAFETY: as the caller vouches.
    unsafe { add_scaled::<V, M>(V::splat(0.0), factor, a) }
}

/// Of what a tile meets.
pub(super) struct Input;

impl Transform<POINTS, POINTS> for Input {
    #[inline(always)]
    unsafe fn apply<V: Vector<Element = f32>, M: MulAdd>([d0, d1, d2, d3, d4, d5]: [V; POINTS]) -> [V; POINTS] {
        // SAFETY: as the caller vouches.
        unsafe {
            let zero = add_scaled::<V, M>(add_scaled::<V, M>(d4, A2 * B2, d0), -A2 - B2, d2);
            let (even_a, odd_a) = (add_scaled::<V, M>(d4, -B2, d2), add_scaled::<V, M>(d3, -B2, d1));
            let (even_b, odd_b) = (add_scaled::<V, M>(d4, -A2, d2), add_scaled::<V, M>(d3, -A2, d1));
            let infinity = add_scaled::<V, M>(add_scaled::<V, M>(d5, A2 * B2, d1), -A2 - B2, d3);
            [
                zero,
                add_scaled::<V, M>(even_a, A, odd_a),
                add_scaled::<V, M>(even_a, -A, odd_a),
                add_scaled::<V, M>(even_b, B, odd_b),
                add_scaled::<V, M>(even_b, -B, odd_b),
                infinity,
            ]
        }
    }
}

/// Of the kernel.
pub(super) struct Kernel;

impl Transform<TAPS, POINTS> for Kernel {
    #[inline(always)]
    unsafe fn apply<V: Vector<Element = f32>, M: MulAdd>([g0, g1, g2]: [V; TAPS]) -> [V; POINTS] {
        // SAFETY: as the caller vouches.
        unsafe {
            let even_a = add_scaled::<V, M>(scaled::<V, M>(1.0 / NORM_A, g0), A2 / NORM_A, g2);
            let even_b = add_scaled::<V, M>(scaled::<V, M>(1.0 / NORM_B, g0), B2 / NORM_B, g2);
            [
                scaled::<V, M>(1.0 / NORM_0, g0),
                add_scaled::<V, M>(even_a, A / NORM_A, g1),
                add_scaled::<V, M>(even_a, -A / NORM_A, g1),
                add_scaled::<V, M>(even_b, B / NORM_B, g1),
                add_scaled::<V, M>(even_b, -B / NORM_B, g1),
                g2,
            ]
        }
    }
}

/// From products at the points to results.
pub(super) struct Output;

impl Transform<POINTS, OUTPUTS> for Output {
    #[inline(always)]
    unsafe fn apply<V: Vector<Element = f32>, M: MulAdd>([m0, m1, m2, m3, m4, m5]: [V; POINTS]) -> [V; OUTPUTS] {
        // SAFETY: as the caller vouches.
        unsafe {
            let (sum_a, difference_a) = (m1.add(m2), add_scaled::<V, M>(m1, -1.0, m2));
            let (sum_b, difference_b) = (m3.add(m4), add_scaled::<V, M>(m3, -1.0, m4));
            [
                m0.add(sum_a).add(sum_b),
                add_scaled::<V, M>(scaled::<V, M>(A, difference_a), B, difference_b),
                add_scaled::<V, M>(scaled::<V, M>(A2, sum_a), B2, sum_b),
                add_scaled::<V, M>(add_scaled::<V, M>(m5, A2 * A, difference_a), B2 * B, difference_b),
            ]
        }
    }
}

/// From gradients for results to gradients for products: the transpose of [`Output`].
pub(super) struct OutputGrad;

impl Transform<OUTPUTS, POINTS> for OutputGrad {
    #[inline(always)]
    unsafe fn apply<V: Vector<Element = f32>, M: MulAdd>([y0, y1, y2, y3]: [V; OUTPUTS]) -> [V; POINTS] {
        // SAFETY: as the caller vouches.
        unsafe {
            let (even_a, odd_a) = (add_scaled::<V, M>(y0, A2, y2), add_scaled::<V, M>(y1, A2, y3));
            let (even_b, odd_b) = (add_scaled::<V, M>(y0, B2, y2), add_scaled::<V, M>(y1, B2, y3));
            [
                y0,
                add_scaled::<V, M>(even_a, A, odd_a),
                add_scaled::<V, M>(even_a, -A, odd_a),
                add_scaled::<V, M>(even_b, B, odd_b),
                add_scaled::<V, M>(even_b, -B, odd_b),
                y3,
            ]
        }
    }
}

/// From gradients for the transformed kernel to those for the kernel: the transpose of [`Kernel`].
pub(super) struct KernelGrad;

impl Transform<POINTS, TAPS> for KernelGrad {
    #[inline(always)]
    unsafe fn apply<V: Vector<Element = f32>, M: MulAdd>([u0, u1, u2, u3, u4, u5]: [V; POINTS]) -> [V; TAPS] {
        // SAFETY: as the caller vouches.
        unsafe {
            let (sum_a, difference_a) = (u1.add(u2), add_scaled::<V, M>(u1, -1.0, u2));
            let (sum_b, difference_b) = (u3.add(u4), add_scaled::<V, M>(u3, -1.0, u4));
            let g0 = add_scaled::<V, M>(scaled::<V, M>(1.0 / NORM_0, u0), 1.0 / NORM_A, sum_a);
            [
                add_scaled::<V, M>(g0, 1.0 / NORM_B, sum_b),
                add_scaled::<V, M>(scaled::<V, M>(A / NORM_A, difference_a), B / NORM_B, difference_b),
                add_scaled::<V, M>(add_scaled::<V, M>(u5, A2 / NORM_A, sum_a), B2 / NORM_B, sum_b),
            ]
        }
    }
}
