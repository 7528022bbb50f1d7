//! Products of small matrices by one thread, of which nothing is packed.

use std::marker::PhantomData;

use super::microkernel::Vector;
use super::number::{Number, VectorLoop};
use crate::isa::Isa;
use crate::kernels::whole::LANES;
use crate::math::{MulAdd, Multiversion};

/// `c = a b`, or `c + a b` if `add`; `a` is `[rows, depth]` with any strides, `b` `[depth, columns]` and `c`
/// `[rows, columns]` have neighbouring columns. Each element is summed in the order of `depth`, whatever the
/// sizes.
#[derive(Clone, Copy)]
pub(crate) struct Operands<T> {
    pub(crate) rows: usize,
    pub(crate) columns: usize,
    pub(crate) depth: usize,
    pub(crate) a: *const T,
    pub(crate) a_row_stride: usize,
    pub(crate) a_column_stride: usize,
    pub(crate) b: *const T,
    pub(crate) b_row_stride: usize,
    pub(crate) c: *mut T,
    pub(crate) c_row_stride: usize,
    pub(crate) add: bool,
}

/// Rows to be written as columns of `[size, LANES]`; further columns become zero.
#[derive(Clone, Copy)]
pub(crate) struct Transpose<T> {
    pub(crate) rows: *const T,
    /// At most [`LANES`].
    pub(crate) count: usize,
    pub(crate) row_stride: usize,
    pub(crate) size: usize,
    /// What each element is multiplied by, if not 1.
    pub(crate) factor: Option<T>,
    pub(crate) columns: *mut T,
}

/// The product, and what it wants of its operands, compiled for this processor.
#[derive(Clone, Copy)]
pub(crate) struct Product<T> {
    function: unsafe fn(Operands<T>),
    transpose: unsafe fn(Transpose<T>),
    /// How many columns are computed at once: multiples of it are fast.
    pub(crate) width: usize,
    /// How many columns a tile has where there are as many: rows of a packed `b` are best so long.
    pub(crate) tile_width: usize,
}

impl<T: Number> Product<T> {
    /// For an instruction set.
    pub(crate) fn new(isa: Isa) -> Self {
        let width = T::lanes(isa);
        Product {
            function: T::vectorised::<Tiles<T>>(isa),
            transpose: T::vectorised::<Columns<T>>(isa),
            width,
            tile_width: if width * size_of::<T>() == 64 { 4 } else { 2 } * width,
        }
    }
}

impl<T> Product<T> {
    /// Computes it.
    ///
    /// # Safety
    /// The pointers are valid for the sizes and strides; `c` overlaps neither `a` nor `b`.
    #[inline]
    pub(crate) unsafe fn run(&self, operands: Operands<T>) {
        // SAFETY: as the caller vouches; the function is compiled for this processor.
        unsafe { (self.function)(operands) }
    }

    /// Brings rows into the form of `b`.
    ///
    /// # Safety
    /// The pointers are valid for the sizes, and do not overlap.
    #[inline]
    pub(crate) unsafe fn transpose(&self, transpose: Transpose<T>) {
        // SAFETY: as the caller vouches; the function is compiled for this processor.
        unsafe { (self.transpose)(transpose) }
    }
}

/// The loops over tiles: six rows of as many vectors as leave room in the registers, four of 512 bits or two of
/// others, for a vector of `b` each and one of `a`.
struct Tiles<V>(PhantomData<V>);

impl<T: Number> VectorLoop<T> for Tiles<T> {
    type Arguments = Operands<T>;
    type Of<V: Vector<Element = T>> = Tiles<V>;
}

impl<V: Vector> Multiversion for Tiles<V> {
    type Arguments = Operands<V::Element>;

    #[inline(always)]
    unsafe fn run<M: MulAdd>(operands: Operands<V::Element>) {
        let mut column = 0;
        // SAFETY: as the caller vouches: the columns lie within the matrices.
        unsafe {
            while size_of::<V>() == 64 && operands.columns - column >= 4 * V::LANES {
                columns::<V, M, 4>(&operands, column);
                column += 4 * V::LANES;
            }
            while operands.columns - column >= 2 * V::LANES {
                columns::<V, M, 2>(&operands, column);
                column += 2 * V::LANES;
            }
            while operands.columns > column {
                columns::<V, M, 1>(&operands, column);
                column += V::LANES;
            }
        }
    }
}

/// All rows of some vectors of columns, the last of which may be only begun if it is the only one.
///
/// # Safety
/// As [`Product::run`]; the columns lie within `c`.
#[inline(always)]
unsafe fn columns<V: Vector, M: MulAdd, const WIDTH: usize>(operands: &Operands<V::Element>, column: usize) {
    let (rows, mut row) = (operands.rows, 0);
    // SAFETY: as the caller vouches: the tiles lie within the matrices.
    unsafe {
        while row + 6 <= rows {
            tile::<V, M, 6, WIDTH>(operands, row, column);
            row += 6;
        }
        if row + 4 <= rows {
            tile::<V, M, 4, WIDTH>(operands, row, column);
            row += 4;
        }
        if row + 2 <= rows {
            tile::<V, M, 2, WIDTH>(operands, row, column);
            row += 2;
        }
        if row < rows {
            tile::<V, M, 1, WIDTH>(operands, row, column);
        }
    }
}

/// # Safety
/// As [`columns`]; `HEIGHT` rows from `row` on lie within `c`.
#[inline(always)]
unsafe fn tile<V: Vector, M: MulAdd, const HEIGHT: usize, const WIDTH: usize>(
    o: &Operands<V::Element>,
    row: usize,
    column: usize,
) {
    let begun = o.columns - column;
    // SAFETY: as the caller vouches; of a vector that is only begun no more is touched.
    unsafe {
        let c = o.c.add(row * o.c_row_stride + column);
        let load = |from: *const V::Element| if WIDTH == 1 { V::load_first(from, begun) } else { V::load(from) };
        let mut sums = [[V::splat(V::Element::default()); WIDTH]; HEIGHT];
        if o.add {
            for (index, sums) in sums.iter_mut().enumerate() {
                for (vector, sum) in sums.iter_mut().enumerate() {
                    *sum = load(c.add(index * o.c_row_stride + vector * V::LANES));
                }
            }
        }
        // Two addresses for six rows: the others are one or two strides away.
        let (mut low, mut b) = (o.a.add(row * o.a_row_stride), o.b.add(column));
        let mut high = low.wrapping_add(3 * o.a_row_stride);
        for _ in 0..o.depth {
            let mut vectors = [V::splat(V::Element::default()); WIDTH];
            for (index, vector) in vectors.iter_mut().enumerate() {
                *vector = load(b.add(index * V::LANES));
            }
            for (index, sums) in sums.iter_mut().enumerate() {
                let a = if index < 3 { low } else { high };
                let factor = V::splat(*a.add(index % 3 * o.a_row_stride));
                for (sum, vector) in sums.iter_mut().zip(vectors) {
                    *sum = factor.mul_add::<M>(vector, *sum);
                }
            }
            low = low.wrapping_add(o.a_column_stride);
            high = high.wrapping_add(o.a_column_stride);
            b = b.wrapping_add(o.b_row_stride);
        }
        for (index, sums) in sums.iter().enumerate() {
            for (vector, sum) in sums.iter().enumerate() {
                let c = c.add(index * o.c_row_stride + vector * V::LANES);
                if WIDTH == 1 { sum.store_first(c, begun) } else { sum.store(c) }
            }
        }
    }
}

/// The loop of [`Product::transpose`].
struct Columns<V>(PhantomData<V>);

impl<T: Number> VectorLoop<T> for Columns<T> {
    type Arguments = Transpose<T>;
    type Of<V: Vector<Element = T>> = Columns<V>;
}

impl<V: Vector> Multiversion for Columns<V> {
    type Arguments = Transpose<V::Element>;

    #[inline(always)]
    unsafe fn run<M: MulAdd>(arguments: Transpose<V::Element>) {
        let Transpose { rows, count, row_stride, size, factor, columns } = arguments;
        // SAFETY: as the caller vouches: blocks lie within the rows and the columns.
        unsafe {
            for first in (0..size).step_by(V::LANES) {
                for row in (0..count).step_by(V::LANES) {
                    let from = |index: usize| rows.add((row + index) * row_stride + first);
                    let (num_rows, num_columns) = (V::LANES.min(count - row), V::LANES.min(size - first));
                    V::transpose(from, num_rows, num_columns, columns.add(first * LANES + row), LANES);
                }
            }
            if factor.is_none() && count == LANES {
                return;
            }
            let zero = V::splat(V::Element::default());
            for column in 0..size {
                for row in (0..LANES).step_by(V::LANES) {
                    let to = columns.add(column * LANES + row);
                    let vector = V::load_first(to, count.saturating_sub(row));
                    factor.map_or(vector, |factor| vector.mul_add::<M>(V::splat(factor), zero)).store(to);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use gyrus_graph::Element;

    use super::*;
    use crate::math::Real;

    fn check<T: Real + Element + Number>(
        rows: usize,
        columns: usize,
        depth: usize,
        add: bool,
        transposed: bool,
        tolerance: f64,
    ) {
        let number = |seed: usize, index: usize| T::from_f64(((index * 7919 + seed * 31) % 17) as f64 / 8.0 - 1.0);
        let a: Vec<T> = (0..rows * depth).map(|index| number(1, index)).collect();
        let b: Vec<T> = (0..depth * columns).map(|index| number(2, index)).collect();
        // Two more elements in a row, which stay what they are.
        let start: Vec<T> = (0..rows * (columns + 2)).map(|index| number(3, index)).collect();
        let (a_row_stride, a_column_stride) = if transposed { (1, rows) } else { (depth, 1) };
        let mut c = start.clone();
        // SAFETY: the matrices have the stated sizes.
        unsafe {
            Product::<T>::new(Isa::get()).run(Operands {
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
