//! Products of integers, by plain loops; sums wrap.

use super::Gemm;
use crate::kernels::split::split;
use crate::pool::Pool;

/// An integer whose sums and products wrap.
pub(super) trait Wrapping: Copy + Default + Send + Sync + 'static {
    /// `self * b + c`.
    fn mul_add(self, b: Self, c: Self) -> Self;
    /// `self + other`.
    fn add(self, other: Self) -> Self;
}

macro_rules! wrapping {
    ($($type:ty)*) => {$(
        impl Wrapping for $type {
            #[inline(always)]
            fn mul_add(self, b: Self, c: Self) -> Self {
                self.wrapping_mul(b).wrapping_add(c)
            }
            #[inline(always)]
            fn add(self, other: Self) -> Self {
                self.wrapping_add(other)
            }
        }
    )*};
}

wrapping!(u8 i32 i64);

/// The operands' first elements.
#[derive(Clone, Copy)]
struct Pointers<T>(*const T, *const T, *mut T);

// SAFETY: threads write to disjoint rows.
unsafe impl<T> Sync for Pointers<T> {}

/// How many neighbouring elements are summed together.
const WIDTH: usize = 64;

/// Computes the product.
///
/// # Safety
/// As `CompiledGemm::run`, of elements of type `T`.
pub(super) unsafe fn run<T: Wrapping>(gemm: &Gemm, a: *const u8, b: *const u8, c: *mut u8, pool: &Pool) {
    let pointers = Pointers::<T>(a.cast(), b.cast(), c.cast());
    let grain = (16 << 10) / (gemm.n * gemm.k).max(1);
    split(pool, gemm.batch * gemm.m, grain.max(1), |rows| {
        for row in rows {
            // SAFETY: as the caller vouches; each row is one thread's.
            unsafe { self::row(gemm, pointers, row / gemm.m, row % gemm.m) }
        }
    });
}

unsafe fn row<T: Wrapping>(gemm: &Gemm, pointers: Pointers<T>, batch: usize, row: usize) {
    let Gemm { a, b, c, n, k, accumulate, .. } = *gemm;
    let (batch, row) = (batch as isize, row as isize);
    let from = pointers.0.wrapping_offset(batch * a.batch_stride + row * a.row_stride);
    let right = pointers.1.wrapping_offset(batch * b.batch_stride);
    let to = pointers.2.wrapping_offset(batch * c.batch_stride + row * c.row_stride);
    for column in (0..n).step_by(WIDTH) {
        let count = WIDTH.min(n - column);
        let right = right.wrapping_offset(column as isize * b.col_stride);
        let to = to.wrapping_offset(column as isize * c.col_stride);
        let mut sums = [T::default(); WIDTH];
        // SAFETY: as the caller vouches, the elements lie within the operands.
        unsafe {
            for step in 0..k as isize {
                let factor = *from.offset(step * a.col_stride);
                let right = right.wrapping_offset(step * b.row_stride);
                if b.col_stride == 1 {
                    let right = std::slice::from_raw_parts(right, count);
                    for (sum, &element) in sums.iter_mut().zip(right) {
                        *sum = factor.mul_add(element, *sum);
                    }
                    continue;
                }
                for (index, sum) in sums[..count].iter_mut().enumerate() {
                    *sum = factor.mul_add(*right.offset(index as isize * b.col_stride), *sum);
                }
            }
            for (index, &sum) in sums[..count].iter().enumerate() {
                let to = to.offset(index as isize * c.col_stride);
                *to = if accumulate { sum.add(*to) } else { sum };
            }
        }
    }
}
