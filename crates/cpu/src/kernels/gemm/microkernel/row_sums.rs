//! Sums of the rows of packed tiles.

use std::marker::PhantomData;

use super::Vector;
use crate::kernels::gemm::pack::PANEL_PADDING;
use crate::math::{MulAdd, Multiversion};

/// A packed tile of which each row is summed.
#[derive(Clone, Copy)]
pub(crate) struct RowSums<T> {
    /// `[depth, height]`, and what follows it.
    pub(crate) tile: *const T,
    pub(crate) depth: usize,
    pub(crate) height: usize,
    /// How many rows there are.
    pub(crate) rows: usize,
    /// Where the sums go.
    pub(crate) to: *mut T,
    /// Whether they are added to what is there.
    pub(crate) add: bool,
}

/// How many sums of a row are begun at the same time: an addition takes as many cycles.
const ABREAST: usize = 4;

pub(super) struct SumRows<V>(PhantomData<V>);

impl<V: Vector> Multiversion for SumRows<V> {
    type Arguments = RowSums<V::Element>;

    #[inline(always)]
    unsafe fn run<M: MulAdd>(arguments: RowSums<V::Element>) {
        let RowSums { tile, depth, height, rows, to, add } = arguments;
        const { assert!(V::LANES <= PANEL_PADDING, "what is read after a tile is its padding") };
        // SAFETY: as the caller vouches; only the sums of rows that are there are written.
        unsafe {
            for row in (0..rows).step_by(V::LANES) {
                // No closure, which might not be inlined.
                macro_rules! load {
                    ($step:expr) => {
                        V::load(tile.add($step * height + row))
                    };
                }
                let mut sums = [V::splat(V::Element::default()); ABREAST];
                let whole = depth / ABREAST * ABREAST;
                for step in (0..whole).step_by(ABREAST) {
                    for (index, sum) in sums.iter_mut().enumerate() {
                        *sum = sum.add(load!(step + index));
                    }
                }
                for step in whole..depth {
                    sums[0] = sums[0].add(load!(step));
                }
                let mut sum = sums[0].add(sums[1]).add(sums[2].add(sums[3]));
                let (to, count) = (to.add(row), rows - row);
                if add {
                    sum = sum.add(V::load_first(to, count));
                }
                sum.store_first(to, count);
            }
        }
    }
}
