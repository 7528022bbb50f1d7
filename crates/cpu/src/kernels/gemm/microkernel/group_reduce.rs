//! Products of groups that share a vector, summed over several pieces.

use std::array::from_fn;
use std::marker::PhantomData;

use super::batch_reduce::{BatchReduce, BatchReduceKernel, Piece};
use super::{MAX_LANES, Vector, ask_ahead};
use crate::math::{MulAdd, Multiversion};

/// How many depths a group may have.
pub(crate) const GROUP_DEPTHS: [usize; 2] = [4, 8];

/// How many neighbouring pieces are summed over together.
const TOGETHER: usize = 3;

/// The loops for an instruction set that sum as [`BatchReduce`] says, but that the columns are those of groups, `depth` each,
/// which have depths of their own: `c[row, col] = sum over pieces p and depths d of
/// a[p.a + row * a_row + col / depth * depth + d] * b[p.b + d * b_depth + col]`. There are as many columns as lanes, and
/// [`GROUP_DEPTHS`]. With 32 registers (`HIGH`) tiles are higher.
pub(super) fn kernel<V: Vector, const HIGH: bool>() -> BatchReduceKernel<V::Element> {
    macro_rules! of_heights {
        ($($height:literal)*) => { [$([V::version::<Tile<V, $height>>(); 3]),*] };
    }
    if HIGH {
        return BatchReduceKernel::new(&of_heights!(1 2 3 4 5 6 7 8 9 10 11 12), V::LANES);
    }
    BatchReduceKernel::new(&of_heights!(1 2 3 4 5 6 7 8), V::LANES)
}

/// For each depth, the lane in which the group of each lane has it.
const fn lanes_of<const DEPTH: usize>() -> [[u32; MAX_LANES]; DEPTH] {
    let mut lanes = [[0; MAX_LANES]; DEPTH];
    let mut depth = 0;
    while depth < DEPTH {
        let mut lane = 0;
        while lane < MAX_LANES {
            lanes[depth][lane] = (lane / DEPTH * DEPTH + depth) as u32;
            lane += 1;
        }
        depth += 1;
    }
    lanes
}

/// A tile of `HEIGHT` rows and a vector.
struct Tile<V, const HEIGHT: usize>(PhantomData<V>);

impl<V: Vector, const HEIGHT: usize> Multiversion for Tile<V, HEIGHT> {
    type Arguments = BatchReduce<V::Element>;

    #[inline(always)]
    unsafe fn run<M: MulAdd>(tile: BatchReduce<V::Element>) {
        static LANES: ([[u32; MAX_LANES]; 4], [[u32; MAX_LANES]; 8]) = (lanes_of(), lanes_of());
        let lanes: &[[u32; MAX_LANES]] = if tile.depth == LANES.0.len() { &LANES.0 } else { &LANES.1 };
        // SAFETY: as the caller vouches: the rows lie within the operands.
        unsafe {
            let mut sums = [V::splat(V::Element::default()); HEIGHT];
            if tile.add {
                sums = from_fn(|row| V::load(tile.c.add(row * tile.c_row)));
            }
            let mut pieces = std::slice::from_raw_parts(tile.pieces, tile.num_pieces);
            while let [piece, others @ ..] = pieces {
                // What pieces have that are a row apart is brought to its lanes once for all of them.
                let is_next = |index: usize, next: &Piece| next.a == piece.a + (index + 1) * tile.a_row;
                let next = others.iter().take(TOGETHER - 1).enumerate();
                if next.filter(|(index, next)| is_next(*index, next)).count() == TOGETHER - 1 {
                    Self::add_pieces::<M, TOGETHER>(&tile, lanes, pieces, &mut sums);
                    pieces = &pieces[TOGETHER..];
                } else {
                    Self::add_pieces::<M, 1>(&tile, lanes, pieces, &mut sums);
                    pieces = others;
                }
            }
            for (row, sum) in sums.iter().enumerate() {
                sum.store(tile.c.add(row * tile.c_row));
            }
        }
    }
}

impl<V: Vector, const HEIGHT: usize> Tile<V, HEIGHT> {
    /// Adds what the first pieces have, which are a row apart.
    ///
    /// # Safety
    /// As [`BatchReduceKernel::run`]; called on a processor with the instruction set.
    #[inline(always)]
    unsafe fn add_pieces<M: MulAdd, const PIECES: usize>(
        tile: &BatchReduce<V::Element>,
        lanes: &[[u32; MAX_LANES]],
        pieces: &[Piece],
        sums: &mut [V; HEIGHT],
    ) {
        for (depth, lanes) in lanes.iter().enumerate() {
            // SAFETY: as the caller vouches.
            unsafe {
                let mut weights = [V::splat(V::Element::default()); PIECES];
                for (weight, piece) in weights.iter_mut().zip(pieces) {
                    let b = tile.b.add(piece.b + depth * tile.b_depth);
                    ask_ahead::<V, 1>(b, tile.b_depth);
                    *weight = V::load(b);
                }
                let a = tile.a.add(pieces[0].a);
                for row in 0..HEIGHT + PIECES - 1 {
                    let numbers = V::load(a.add(row * tile.a_row)).permute(lanes.as_ptr());
                    for (piece, weight) in weights.iter().enumerate() {
                        if row >= piece && row - piece < HEIGHT {
                            sums[row - piece] = numbers.mul_add::<M>(*weight, sums[row - piece]);
                        }
                    }
                }
            }
        }
    }
}
