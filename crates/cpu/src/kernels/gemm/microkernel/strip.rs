//! Products of a matrix with a vector.

use std::marker::PhantomData;

use super::{Number, Vector};
use crate::math::{MulAdd, Multiversion};

/// Some neighbouring elements of `y[i] = sum over k of matrix[i, k] * vector[k]`.
#[derive(Clone, Copy)]
pub(crate) struct Strip<T> {
    /// How many elements.
    pub(crate) len: usize,
    /// Over how many places is summed.
    pub(crate) depth: usize,
    /// The matrix: its rows are neighbouring elements for [`Dots`], its columns for [`Sums`].
    pub(crate) matrix: *const T,
    /// Distance between those.
    pub(crate) stride: isize,
    /// The vector.
    pub(crate) vector: *const T,
    /// Distance between its elements; 1 for [`Dots`].
    pub(crate) vector_stride: isize,
    /// The result.
    pub(crate) y: *mut T,
    /// Distance between its elements; 1 for [`Sums`].
    pub(crate) y_stride: isize,
    /// Whether to add to what it holds.
    pub(crate) add: bool,
}

/// By rows, each a sum of as many parts as a vector has lanes.
pub(super) struct Dots<V>(PhantomData<V>);

impl<V: Vector> Multiversion for Dots<V> {
    type Arguments = Strip<V::Element>;

    #[inline(always)]
    unsafe fn run<M: MulAdd>(strip: Strip<V::Element>) {
        let mut row = 0;
        // SAFETY: as the caller vouches: the rows lie within the matrix.
        unsafe {
            while row + 4 <= strip.len {
                Self::rows::<M, 4>(&strip, row);
                row += 4;
            }
            while row < strip.len {
                Self::rows::<M, 1>(&strip, row);
                row += 1;
            }
        }
    }
}

impl<V: Vector> Dots<V> {
    #[inline(always)]
    unsafe fn rows<M: MulAdd, const ROWS: usize>(strip: &Strip<V::Element>, first: usize) {
        // SAFETY: as the caller vouches: vectors lie within the rows, or only their first lanes are read; the
        // lanes fit into the array.
        unsafe {
            let matrix = strip.matrix.wrapping_offset(first as isize * strip.stride);
            let mut sums = [[V::splat(V::Element::default()); 2]; ROWS];
            let mut at = 0;
            while at + 2 * V::LANES <= strip.depth {
                let x = [V::load(strip.vector.add(at)), V::load(strip.vector.add(at + V::LANES))];
                for (row, sums) in sums.iter_mut().enumerate() {
                    let elements = matrix.offset(row as isize * strip.stride).add(at);
                    sums[0] = V::load(elements).mul_add::<M>(x[0], sums[0]);
                    sums[1] = V::load(elements.add(V::LANES)).mul_add::<M>(x[1], sums[1]);
                }
                at += 2 * V::LANES;
            }
            while at < strip.depth {
                let count = V::LANES.min(strip.depth - at);
                let x = V::load_first(strip.vector.add(at), count);
                for (row, sums) in sums.iter_mut().enumerate() {
                    let elements = matrix.offset(row as isize * strip.stride).add(at);
                    sums[0] = V::load_first(elements, count).mul_add::<M>(x, sums[0]);
                }
                at += count;
            }
            for (row, sums) in sums.iter().enumerate() {
                let mut lanes = [V::Element::default(); 16];
                sums[0].add(sums[1]).store(lanes.as_mut_ptr());
                let mut width = V::LANES / 2;
                while width > 0 {
                    for lane in 0..width {
                        lanes[lane] = lanes[lane].add(lanes[lane + width]);
                    }
                    width /= 2;
                }
                let y = strip.y.offset((first + row) as isize * strip.y_stride);
                *y = if strip.add { (*y).add(lanes[0]) } else { lanes[0] };
            }
        }
    }
}

/// By columns, summed in their order, several at a time: they are read from their beginnings to their ends, which is
/// what memory is fastest at.
pub(super) struct Sums<V>(PhantomData<V>);

impl<V: Vector> Multiversion for Sums<V> {
    type Arguments = Strip<V::Element>;

    #[inline(always)]
    unsafe fn run<M: MulAdd>(strip: Strip<V::Element>) {
        let mut depth = 0;
        // SAFETY: as the caller vouches: the columns lie within the matrix.
        unsafe {
            if strip.depth < 8 && !strip.add {
                Self::columns::<M, 0>(&strip, 0, false);
            }
            while depth + 8 <= strip.depth {
                Self::columns::<M, 8>(&strip, depth, strip.add || depth > 0);
                depth += 8;
            }
            while depth < strip.depth {
                Self::columns::<M, 1>(&strip, depth, true);
                depth += 1;
            }
        }
    }
}

impl<V: Vector> Sums<V> {
    #[inline(always)]
    unsafe fn columns<M: MulAdd, const COLUMNS: usize>(strip: &Strip<V::Element>, first: usize, add: bool) {
        // SAFETY: as the caller vouches: vectors lie within the columns, or only their first lanes are read and
        // written.
        unsafe {
            let mut columns = [(V::splat(V::Element::default()), strip.matrix); COLUMNS];
            for (index, (factor, column)) in columns.iter_mut().enumerate() {
                let place = (first + index) as isize;
                *factor = V::splat(*strip.vector.offset(place * strip.vector_stride));
                *column = strip.matrix.offset(place * strip.stride);
            }
            let mut at = 0;
            while at + V::LANES <= strip.len {
                let y = strip.y.add(at);
                let mut sum = if add { V::load(y) } else { V::splat(V::Element::default()) };
                for (factor, column) in columns {
                    sum = factor.mul_add::<M>(V::load(column.add(at)), sum);
                }
                sum.store(y);
                at += V::LANES;
            }
            if at < strip.len {
                let (y, count) = (strip.y.add(at), strip.len - at);
                let mut sum = if add { V::load_first(y, count) } else { V::splat(V::Element::default()) };
                for (factor, column) in columns {
                    sum = factor.mul_add::<M>(V::load_first(column.add(at), count), sum);
                }
                sum.store_first(y, count);
            }
        }
    }
}
