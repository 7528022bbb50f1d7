//! Products summed over several pieces, with both operands where they are.

use std::marker::PhantomData;

use super::{Vector, ask_ahead};
use crate::math::{MulAdd, Multiversion};

/// The most rows of a tile, where there are 32 registers.
const HIGHEST: usize = 12;
/// How many rows are read through one address, so that those stay in registers as well.
const ROWS_PER_ADDRESS: usize = 3;

/// A tile of `c[row, col] = sum over pieces p and depths d of
/// a[p.a + row * a_row + d * a_depth] * b[p.b + d * b_depth + col]`, or `c + ..` if `add`.
///
/// A convolution in channels-last order is such a sum: its pieces are the places of the kernel, the depths the
/// channels, the rows neighbouring places of the image. So is the gradient of its weights: there the pieces are rows
/// of images, the depths the places in them, and the rows channels. Nothing is copied for either.
#[derive(Clone, Copy)]
pub(crate) struct BatchReduce<T> {
    /// Where the pieces begin.
    pub(crate) pieces: *const Piece,
    pub(crate) num_pieces: usize,
    /// Over how many places is summed in each.
    pub(crate) depth: usize,
    pub(crate) a: *const T,
    /// Distance between its rows.
    pub(crate) a_row: usize,
    /// Distance between its depths.
    pub(crate) a_depth: usize,
    /// Of each depth, `cols` elements are read.
    pub(crate) b: *const T,
    /// Distance between its depths.
    pub(crate) b_depth: usize,
    pub(crate) c: *mut T,
    /// Distance between its rows.
    pub(crate) c_row: usize,
    /// How many columns of the result are written, at most the tile's width.
    pub(crate) cols: usize,
    /// Whether to add to what the result holds.
    pub(crate) add: bool,
}

/// Where a piece begins in both operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) a: usize,
    pub(crate) b: usize,
}

/// The loops for tiles of a height.
type OfHeight<T> = [unsafe fn(BatchReduce<T>); 3];

/// The loops for tiles of every height.
#[derive(Clone, Copy)]
pub(crate) struct BatchReduceKernel<T> {
    /// By height, from 1 on: whole tiles, those with fewer columns, and those with at most a vector of them.
    of_heights: [OfHeight<T>; HIGHEST],
    /// The most rows of a tile.
    pub(crate) highest: usize,
    /// Columns of a tile: two vectors.
    pub(crate) width: usize,
}

impl<T> BatchReduceKernel<T> {
    /// The height of tiles that divide `rows` rows most evenly.
    pub(crate) fn height(&self, rows: usize) -> usize {
        rows.div_ceil(rows.div_ceil(self.highest).max(1)).max(1)
    }

    /// Computes a tile of `height` rows.
    ///
    /// # Safety
    /// The pointers are valid for the sizes and strides; `c` overlaps neither `a` nor `b`.
    #[inline]
    pub(crate) unsafe fn run(&self, height: usize, tile: BatchReduce<T>) {
        let missing = usize::from(tile.cols < self.width) + usize::from(tile.cols <= self.width / 2);
        // SAFETY: as the caller vouches; the function is compiled for this processor.
        unsafe { (self.of_heights[height - 1][missing])(tile) }
    }
}

/// The loops for an instruction set; with 32 registers (`HIGH`) tiles are higher.
pub(super) fn kernel<V: Vector, const HIGH: bool>() -> BatchReduceKernel<V::Element> {
    macro_rules! of_heights {
        ($($height:literal)*) => {
            [$([
                V::version::<Tile<V, $height, 2, false>>(),
                V::version::<Tile<V, $height, 2, true>>(),
                V::version::<Tile<V, $height, 1, true>>(),
            ]),*]
        };
    }
    let width = 2 * V::LANES;
    if HIGH {
        let of_heights = of_heights!(1 2 3 4 5 6 7 8 9 10 11 12);
        return BatchReduceKernel { of_heights, highest: HIGHEST, width };
    }
    let lower = of_heights!(1 2 3 4 5 6);
    BatchReduceKernel { of_heights: std::array::from_fn(|index| lower[index.min(5)]), highest: lower.len(), width }
}

/// A tile of `HEIGHT` rows and one or two vectors, which are perhaps not whole.
struct Tile<V, const HEIGHT: usize, const VECTORS: usize, const PARTIAL: bool>(PhantomData<V>);

impl<V: Vector, const HEIGHT: usize, const VECTORS: usize, const PARTIAL: bool> Multiversion
    for Tile<V, HEIGHT, VECTORS, PARTIAL>
{
    type Arguments = BatchReduce<V::Element>;

    #[inline(always)]
    unsafe fn run<M: MulAdd>(tile: BatchReduce<V::Element>) {
        let lanes =
            |vector: usize| if PARTIAL { tile.cols.saturating_sub(vector * V::LANES).min(V::LANES) } else { V::LANES };
        // SAFETY: as the caller vouches: the rows lie within the operands; of `b` and the result only `cols` columns
        // are read and written.
        unsafe {
            let mut sums = [[V::splat(V::Element::default()); VECTORS]; HEIGHT];
            if tile.add {
                for (row, sums) in sums.iter_mut().enumerate() {
                    for (index, sum) in sums.iter_mut().enumerate() {
                        let c = tile.c.add(row * tile.c_row + index * V::LANES);
                        *sum = if PARTIAL { V::load_first(c, lanes(index)) } else { V::load(c) };
                    }
                }
            }
            for piece in std::slice::from_raw_parts(tile.pieces, tile.num_pieces) {
                let (mut a, mut b) = ([tile.a.add(piece.a); HIGHEST / ROWS_PER_ADDRESS], tile.b.add(piece.b));
                for (index, a) in a.iter_mut().enumerate() {
                    *a = a.wrapping_add(index * ROWS_PER_ADDRESS * tile.a_row);
                }
                for _ in 0..tile.depth {
                    ask_ahead::<V, VECTORS>(b, tile.b_depth);
                    let mut vectors = [V::splat(V::Element::default()); VECTORS];
                    for (index, vector) in vectors.iter_mut().enumerate() {
                        let b = b.wrapping_add(index * V::LANES);
                        *vector = if PARTIAL { V::load_first(b, lanes(index)) } else { V::load(b) };
                    }
                    for (row, sums) in sums.iter_mut().enumerate() {
                        let factor = V::splat(*a[row / ROWS_PER_ADDRESS].add(row % ROWS_PER_ADDRESS * tile.a_row));
                        for (sum, vector) in sums.iter_mut().zip(vectors) {
                            *sum = factor.mul_add::<M>(vector, *sum);
                        }
                    }
                    for a in &mut a {
                        *a = a.wrapping_add(tile.a_depth);
                    }
                    b = b.wrapping_add(tile.b_depth);
                }
            }
            for (row, sums) in sums.iter().enumerate() {
                for (index, sum) in sums.iter().enumerate() {
                    let c = tile.c.wrapping_add(row * tile.c_row + index * V::LANES);
                    if PARTIAL { sum.store_first(c, lanes(index)) } else { sum.store(c) }
                }
            }
        }
    }
}
