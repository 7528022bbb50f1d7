//! Products summed over several pieces, with both operands where they are.

use std::marker::PhantomData;

use super::{Vector, ask_ahead, read_again, rows_read_twice};
use crate::math::{MulAdd, Multiversion};

/// The most rows of a tile, where there are 32 registers.
const HIGHEST: usize = 12;
/// How many rows are read through one address, so that those stay in registers as well.
const ROWS_PER_ADDRESS: usize = 3;
/// How many depths are multiplied before addresses move on, where they are neighbours.
const TOGETHER: usize = 4;

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
    /// Columns of a tile.
    pub(crate) width: usize,
}

impl<T> BatchReduceKernel<T> {
    /// Of the loops for each height from 1 on.
    pub(super) fn new(of_heights: &[OfHeight<T>], width: usize) -> Self {
        let highest = of_heights.len();
        BatchReduceKernel {
            of_heights: std::array::from_fn(|index| of_heights[index.min(highest - 1)]),
            highest,
            width,
        }
    }

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
    if HIGH {
        return BatchReduceKernel::new(&of_heights!(1 2 3 4 5 6 7 8 9 10 11 12), 2 * V::LANES);
    }
    BatchReduceKernel::new(&of_heights!(1 2 3 4 5 6), 2 * V::LANES)
}

/// A tile of `HEIGHT` rows and one or two vectors, which are perhaps not whole.
struct Tile<V, const HEIGHT: usize, const VECTORS: usize, const PARTIAL: bool>(PhantomData<V>);

impl<V: Vector, const HEIGHT: usize, const VECTORS: usize, const PARTIAL: bool> Multiversion
    for Tile<V, HEIGHT, VECTORS, PARTIAL>
{
    type Arguments = BatchReduce<V::Element>;

    #[inline(always)]
    unsafe fn run<M: MulAdd>(tile: BatchReduce<V::Element>) {
        let lanes = |vector| Self::lanes(&tile, vector);
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
                let mut left = tile.depth;
                if tile.a_depth == 1 {
                    while left >= TOGETHER {
                        // None is found from another one: instructions that also add a distance do not multiply at once.
                        let mut again = a;
                        for (a, again) in a.iter_mut().zip(&mut again) {
                            *a = read_again(*a);
                            *again = read_again(*a);
                        }
                        macro_rules! depths {
                            ($($depth:literal)*) => {$(
                                Self::add_products::<M>(&tile, &mut sums, [&a, &again], $depth, b);
                                b = b.wrapping_add(tile.b_depth);
                            )*};
                        }
                        depths!(0 1 2 3);
                        for a in &mut a {
                            *a = a.wrapping_add(TOGETHER);
                        }
                        left -= TOGETHER;
                    }
                }
                for _ in 0..left {
                    Self::add_products::<M>(&tile, &mut sums, [&a, &a], 0, b);
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

impl<V: Vector, const HEIGHT: usize, const VECTORS: usize, const PARTIAL: bool> Tile<V, HEIGHT, VECTORS, PARTIAL> {
    /// How many of a depth's rows are read twice at most: only rows that an address is kept of can be.
    const READ_TWICE: usize = rows_read_twice::<V>(HEIGHT, VECTORS);

    /// Adds the products of a depth; its numbers are read through two addresses for some rows each, which are the same.
    ///
    /// # Safety
    /// As [`BatchReduceKernel::run`]; called on a processor with the instruction set.
    #[inline(always)]
    unsafe fn add_products<M: MulAdd>(
        tile: &BatchReduce<V::Element>,
        sums: &mut [[V; VECTORS]; HEIGHT],
        a: [&[*const V::Element; HIGHEST / ROWS_PER_ADDRESS]; 2],
        depth: usize,
        b: *const V::Element,
    ) {
        // SAFETY: as the caller vouches.
        unsafe {
            ask_ahead::<V, VECTORS>(b, tile.b_depth);
            let mut vectors = [V::splat(V::Element::default()); VECTORS];
            for (index, vector) in vectors.iter_mut().enumerate() {
                let b = b.wrapping_add(index * V::LANES);
                *vector = if PARTIAL { V::load_first(b, Self::lanes(tile, index)) } else { V::load(b) };
            }
            // No loop, which the compiler would not always unroll: the sums have to stay in registers.
            macro_rules! rows {
                ($($row:literal)*) => {$(
                    if $row < HEIGHT {
                        let (address, distance) = ($row / ROWS_PER_ADDRESS, $row % ROWS_PER_ADDRESS * tile.a_row);
                        let is_read_twice = $row % ROWS_PER_ADDRESS == 0 && address < Self::READ_TWICE;
                        for (index, vector) in vectors.into_iter().enumerate() {
                            let a = a[if is_read_twice { index % 2 } else { 0 }][address];
                            let sum = &mut sums[$row][index];
                            *sum = V::splat(*a.add(depth + distance)).mul_add::<M>(vector, *sum);
                        }
                    }
                )*};
            }
            rows!(0 1 2 3 4 5 6 7 8 9 10 11);
        }
    }

    /// How many lanes of a vector are read and written.
    #[inline(always)]
    fn lanes(tile: &BatchReduce<V::Element>, vector: usize) -> usize {
        if PARTIAL { tile.cols.saturating_sub(vector * V::LANES).min(V::LANES) } else { V::LANES }
    }
}
