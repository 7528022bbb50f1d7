//! Products with few rows of which all lines lie as they are summed, which nothing is packed for.

use std::marker::PhantomData;

use super::{Number, Vector};
use crate::math::{MulAdd, Multiversion};

/// Some columns of `c[i, j] = sum over k of a[i, k] * b[k, j]`, where elements along `k` are neighbours in both.
#[derive(Clone, Copy)]
pub(crate) struct DotTiles<T> {
    /// Over how many places is summed.
    pub(crate) depth: usize,
    /// The left operand, and the distance between its rows.
    pub(crate) a: *const T,
    pub(crate) a_stride: isize,
    /// The right operand, and the distance between its columns.
    pub(crate) b: *const T,
    pub(crate) b_stride: isize,
    /// The result, and the distances between its rows and its columns.
    pub(crate) c: *mut T,
    pub(crate) c_strides: [isize; 2],
    /// How many rows and columns.
    pub(crate) rows: usize,
    pub(crate) cols: usize,
    /// Whether to add to what the result holds.
    pub(crate) add: bool,
}

/// Tiles of four rows and `COLUMNS` columns, each element a sum of as many parts as a vector has lanes.
pub(super) struct Dots<V, const COLUMNS: usize>(PhantomData<V>);

/// Rows of a tile.
const ROWS: usize = 4;
/// The most lanes of a vector, and the most elements of a tile.
const MOST: usize = 16;

impl<V: Vector, const COLUMNS: usize> Multiversion for Dots<V, COLUMNS> {
    type Arguments = DotTiles<V::Element>;

    #[inline(always)]
    unsafe fn run<M: MulAdd>(tiles: DotTiles<V::Element>) {
        let mut col = 0;
        // SAFETY: as the caller vouches: rows and columns lie within the operands.
        unsafe {
            while col + COLUMNS <= tiles.cols {
                Self::column::<M, COLUMNS>(&tiles, col);
                col += COLUMNS;
            }
            while col < tiles.cols {
                Self::column::<M, 1>(&tiles, col);
                col += 1;
            }
        }
    }
}

impl<V: Vector, const COLUMNS: usize> Dots<V, COLUMNS> {
    #[inline(always)]
    unsafe fn column<M: MulAdd, const WIDTH: usize>(tiles: &DotTiles<V::Element>, col: usize) {
        let mut row = 0;
        // SAFETY: as the caller vouches.
        unsafe {
            while row + ROWS <= tiles.rows {
                Self::tile::<M, ROWS, WIDTH>(tiles, row, col);
                row += ROWS;
            }
            while row < tiles.rows {
                Self::tile::<M, 1, WIDTH>(tiles, row, col);
                row += 1;
            }
        }
    }

    #[inline(always)]
    unsafe fn tile<M: MulAdd, const HEIGHT: usize, const WIDTH: usize>(
        tiles: &DotTiles<V::Element>,
        row: usize,
        col: usize,
    ) {
        let zero = V::Element::default();
        // SAFETY: as the caller vouches: vectors lie within the lines, or only their first lanes are read; the tile's
        // vectors fit into the arrays.
        unsafe {
            let a = tiles.a.wrapping_offset(row as isize * tiles.a_stride);
            let b = tiles.b.wrapping_offset(col as isize * tiles.b_stride);
            let mut sums = [[V::splat(zero); WIDTH]; HEIGHT];
            let mut at = 0;
            while at < tiles.depth {
                let count = V::LANES.min(tiles.depth - at);
                let load = |line: *const V::Element| {
                    let from = line.wrapping_add(at);
                    if count == V::LANES { V::load(from) } else { V::load_first(from, count) }
                };
                let mut columns = [V::splat(zero); WIDTH];
                for (index, column) in columns.iter_mut().enumerate() {
                    *column = load(b.wrapping_offset(index as isize * tiles.b_stride));
                }
                for (index, sums) in sums.iter_mut().enumerate() {
                    let row = load(a.wrapping_offset(index as isize * tiles.a_stride));
                    for (sum, column) in sums.iter_mut().zip(columns) {
                        *sum = row.mul_add::<M>(column, *sum);
                    }
                }
                at += V::LANES;
            }
            // The lanes of one sum become one lane of several vectors, so that the sums are added together.
            let (mut parts, mut turned) = ([zero; MOST * MOST], [zero; MOST * MOST]);
            for (index, sum) in sums.as_flattened().iter().enumerate() {
                sum.store(parts.as_mut_ptr().add(index * V::LANES));
            }
            let mut totals = [zero; MOST * 2];
            for first in (0..HEIGHT * WIDTH).step_by(V::LANES) {
                let part = |index: usize| parts.as_ptr().add((first + index) * V::LANES);
                let count = V::LANES.min(HEIGHT * WIDTH - first);
                V::transpose(part, count, V::LANES, turned.as_mut_ptr(), V::LANES);
                let mut lanes = [V::splat(zero); MOST];
                for (index, lane) in lanes[..V::LANES].iter_mut().enumerate() {
                    *lane = V::load(turned.as_ptr().add(index * V::LANES));
                }
                let mut half = V::LANES / 2;
                while half > 0 {
                    for index in 0..half {
                        lanes[index] = lanes[index].add(lanes[index + half]);
                    }
                    half /= 2;
                }
                lanes[0].store(totals.as_mut_ptr().add(first));
            }
            for (index, &total) in totals[..HEIGHT * WIDTH].iter().enumerate() {
                let [row, col] = [row + index / WIDTH, col + index % WIDTH].map(|index| index as isize);
                let c = tiles.c.offset(row * tiles.c_strides[0] + col * tiles.c_strides[1]);
                *c = if tiles.add { (*c).add(total) } else { total };
            }
        }
    }
}
