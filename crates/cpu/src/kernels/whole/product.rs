//! Products of small matrices by one thread, within kernels that work on what they make at once.

use std::marker::PhantomData;

use super::lanes::Float;
use crate::isa::Isa;
use crate::math::{MulAdd, Multiversion, version};

/// `c = a b`, or `c + a b` if `add`; `a` is `[rows, depth]` with any strides, `b` `[depth, columns]` and `c`
/// `[rows, columns]` have neighbouring columns. Each element is summed in the order of `depth`, whatever the
/// sizes.
#[derive(Clone, Copy)]
pub(super) struct Operands<T> {
    pub(super) rows: usize,
    pub(super) columns: usize,
    pub(super) depth: usize,
    pub(super) a: *const T,
    pub(super) a_row_stride: usize,
    pub(super) a_column_stride: usize,
    pub(super) b: *const T,
    pub(super) b_row_stride: usize,
    pub(super) c: *mut T,
    pub(super) c_row_stride: usize,
    pub(super) add: bool,
}

/// The product compiled for this processor.
#[derive(Clone, Copy)]
pub(super) struct Product<T> {
    function: unsafe fn(Operands<T>),
    /// How many columns are computed at once: multiples of it are fast.
    pub(super) width: usize,
}

/// Two vectors wide, and as high as the registers allow.
pub(super) trait Tiled: Float {
    /// The product for an instruction set.
    fn product(isa: Isa) -> Product<Self>;
}

impl Tiled for f32 {
    fn product(isa: Isa) -> Product<f32> {
        match isa {
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 => Product { function: version::<Tile<f32, 8, 32>>(isa), width: 32 },
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => Product { function: version::<Tile<f32, 4, 16>>(isa), width: 16 },
            _ => Product { function: version::<Tile<f32, 4, 8>>(isa), width: 8 },
        }
    }
}

impl Tiled for f64 {
    fn product(isa: Isa) -> Product<f64> {
        Product { function: version::<Tile<f64, 4, 8>>(isa), width: 8 }
    }
}

impl<T> Product<T> {
    /// Computes it.
    ///
    /// # Safety
    /// The pointers are valid for the sizes and strides; `c` overlaps neither `a` nor `b`.
    #[inline]
    pub(super) unsafe fn run(&self, operands: Operands<T>) {
        // SAFETY: as the caller vouches; the function is compiled for this processor.
        unsafe { (self.function)(operands) }
    }
}

struct Tile<T, const ROWS: usize, const WIDTH: usize>(PhantomData<T>);

impl<T: Float, const ROWS: usize, const WIDTH: usize> Multiversion for Tile<T, ROWS, WIDTH> {
    type Arguments = Operands<T>;

    #[inline(always)]
    unsafe fn run<M: MulAdd>(operands: Operands<T>) {
        let Operands { rows, columns, .. } = operands;
        for column in (0..columns).step_by(WIDTH) {
            let mut row = 0;
            // SAFETY: as the caller vouches: the tiles lie within the matrices.
            unsafe {
                while row + ROWS <= rows {
                    tile::<T, M, ROWS, WIDTH>(&operands, row, column);
                    row += ROWS;
                }
                while row < rows {
                    tile::<T, M, 1, WIDTH>(&operands, row, column);
                    row += 1;
                }
            }
        }
    }
}

/// # Safety
/// As [`Product::run`]; `ROWS` rows from `row` on and column `column` lie within `c`.
#[inline(always)]
unsafe fn tile<T: Float, M: MulAdd, const ROWS: usize, const WIDTH: usize>(o: &Operands<T>, row: usize, column: usize) {
    // The last columns are computed together with some before them, which are not written again.
    let known = if column + WIDTH <= o.columns { 0 } else { WIDTH.min(o.columns) - (o.columns - column) };
    let first = column - known;
    // SAFETY: the rows lie within `a` and `c`; of the columns `WIDTH` do, or where there are fewer, all.
    unsafe {
        let (a, b) = (o.a.add(row * o.a_row_stride), o.b.add(first));
        let c = o.c.add(row * o.c_row_stride + first);
        let mut sums = [[T::ZERO; WIDTH]; ROWS];
        if o.columns >= WIDTH {
            if o.add {
                for (index, sum) in sums.iter_mut().enumerate() {
                    *sum = c.add(index * o.c_row_stride).cast::<[T; WIDTH]>().read_unaligned();
                }
            }
            for step in 0..o.depth {
                let b = b.add(step * o.b_row_stride).cast::<[T; WIDTH]>().read_unaligned();
                let a = a.add(step * o.a_column_stride);
                for (index, sum) in sums.iter_mut().enumerate() {
                    let factor = *a.add(index * o.a_row_stride);
                    for lane in 0..WIDTH {
                        sum[lane] = factor.mul_add::<M>(b[lane], sum[lane]);
                    }
                }
            }
            for (index, sum) in sums.iter().enumerate() {
                let c = c.add(index * o.c_row_stride);
                if known == 0 {
                    c.cast::<[T; WIDTH]>().write_unaligned(*sum);
                } else {
                    std::ptr::copy_nonoverlapping(sum.as_ptr().add(known), c.add(known), WIDTH - known);
                }
            }
            return;
        }
        for index in 0..ROWS {
            for lane in 0..o.columns {
                let c = c.add(index * o.c_row_stride + lane);
                let mut sum = if o.add { *c } else { T::ZERO };
                for step in 0..o.depth {
                    let factor = *a.add(index * o.a_row_stride + step * o.a_column_stride);
                    sum = factor.mul_add::<M>(*b.add(step * o.b_row_stride + lane), sum);
                }
                *c = sum;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<T: Tiled>(rows: usize, columns: usize, depth: usize, add: bool, transposed: bool, tolerance: f64) {
        let number = |seed: usize, index: usize| T::from_f64(((index * 7919 + seed * 31) % 17) as f64 / 8.0 - 1.0);
        let a: Vec<T> = (0..rows * depth).map(|index| number(1, index)).collect();
        let b: Vec<T> = (0..depth * columns).map(|index| number(2, index)).collect();
        // Two more elements in a row, which stay what they are.
        let start: Vec<T> = (0..rows * (columns + 2)).map(|index| number(3, index)).collect();
        let (a_row_stride, a_column_stride) = if transposed { (1, rows) } else { (depth, 1) };
        let mut c = start.clone();
        // SAFETY: the matrices have the stated sizes.
        unsafe {
            T::product(Isa::get()).run(Operands {
                rows,
                columns,
                depth,
                a: a.as_ptr(),
                a_row_stride,
                a_column_stride,
                b: b.as_ptr(),
                b_row_stride: columns,
                c: c.as_mut_ptr(),
                c_row_stride: columns + 2,
                add,
            });
        }
        for row in 0..rows {
            for column in 0..columns + 2 {
                let place = row * (columns + 2) + column;
                let mut expected = if add || column >= columns { start[place].to_f64() } else { 0.0 };
                for step in 0..if column < columns { depth } else { 0 } {
                    let factor = a[row * a_row_stride + step * a_column_stride].to_f64();
                    expected += factor * b[step * columns + column].to_f64();
                }
                let found = c[place].to_f64();
                assert!((found - expected).abs() <= tolerance, "{rows}x{columns}x{depth}: {found}, not {expected}");
            }
        }
    }

    #[test]
    fn products_agree_with_the_formula() {
        for (rows, columns, depth) in
            [(1, 1, 1), (8, 32, 5), (17, 70, 9), (3, 31, 4), (9, 33, 1), (5, 8, 0), (16, 64, 64)]
        {
            for add in [false, true] {
                for transposed in [false, true] {
                    check::<f32>(rows, columns, depth, add, transposed, 1e-5);
                    check::<f64>(rows, columns, depth, add, transposed, 1e-13);
                }
            }
        }
    }
}
