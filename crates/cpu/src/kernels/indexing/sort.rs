//! Order along an axis.

use std::ops::Range;

use gyrus_graph::ops::indexing::Sort;
use gyrus_graph::{DType, bf16, f16};

use super::super::elements::with_element;
use crate::kernel::{Kernel, Run, Signature};
use crate::kernels::split::{Pointers, split_numbered};
use crate::pool::ScratchSize;

/// The operand as `[outer, size, inner]`, the sorted axis in the middle.
struct SortKernel {
    descending: bool,
    dtype: DType,
    outer: usize,
    size: usize,
    inner: usize,
}

pub(crate) fn kernel(op: &Sort, signature: &Signature) -> Box<dyn Kernel> {
    let [outer, size, inner] = around("sort", &signature.inputs[0].shape, op.axis);
    Box::new(SortKernel { descending: op.descending, dtype: signature.inputs[0].dtype, outer, size, inner })
}

/// The sizes `[outer, size, inner]` of a shape, `size` along an axis in the middle.
///
/// # Panics
/// If there are more elements along it than entries count.
pub(super) fn around(name: &str, shape: &[usize], axis: usize) -> [usize; 3] {
    let size = shape[axis];
    assert!(u32::try_from(size).is_ok(), "{name}: {size} elements along an axis are more than 32 bits count");
    [shape[..axis].iter().product(), size, shape[axis + 1..].iter().product()]
}

/// An element's place in the order, and its position after it, as one number.
pub(super) trait Entry: Copy + Ord {
    fn new(rank: u64, position: usize) -> Self;
    fn rank(self) -> u64;
    fn position(self) -> usize;
}

impl Entry for u64 {
    fn new(rank: u64, position: usize) -> u64 {
        (rank << 32) | position as u64
    }
    fn rank(self) -> u64 {
        self >> 32
    }
    fn position(self) -> usize {
        self as u32 as usize
    }
}

impl Entry for u128 {
    fn new(rank: u64, position: usize) -> u128 {
        ((rank as u128) << 64) | position as u128
    }
    fn rank(self) -> u64 {
        (self >> 64) as u64
    }
    fn position(self) -> usize {
        self as u64 as usize
    }
}

/// An element type whose order is that of numbers.
pub(super) trait Ranked: Copy {
    /// Wide enough for the number and a position.
    type Entry: Entry;
    /// A number that is greater for greater elements, below `LAST`; `None` for NaN.
    fn rank(self) -> Option<u64>;
    /// Where NaN comes.
    const LAST: u64;
}

macro_rules! ranked {
    ($($type:ty, $entry:ty, $last:expr, |$x:ident| $rank:expr;)*) => {$(
        impl Ranked for $type {
            type Entry = $entry;
            const LAST: u64 = $last;
            #[inline(always)]
            fn rank(self) -> Option<u64> { let $x = self; $rank }
        }
    )*};
}

ranked! {
    u8, u64, u32::MAX as u64, |x| Some(x as u64);
    i32, u64, u32::MAX as u64, |x| Some((x as u32 ^ 1 << 31) as u64);
    i64, u128, u64::MAX, |x| Some(x as u64 ^ 1 << 63);
    f16, u64, u32::MAX as u64, |x| x.to_f32().rank();
    bf16, u64, u32::MAX as u64, |x| x.to_f32().rank();
    f32, u64, u32::MAX as u64, |x| {
        // Adding 0 makes -0 its equal.
        let bits = (x + 0.0).to_bits();
        (!x.is_nan()).then_some((if bits >> 31 == 1 { !bits } else { bits | 1 << 31 }) as u64)
    };
    f64, u128, u64::MAX, |x| {
        let bits = (x + 0.0).to_bits();
        (!x.is_nan()).then_some(if bits >> 63 == 1 { !bits } else { bits | 1 << 63 })
    };
}

impl SortKernel {
    /// # Safety
    /// The pointers are as [`Run`] states, of elements of type `T`; `entries` has room for as many as are
    /// along the axis, and nobody else uses it.
    unsafe fn columns<T: Ranked>(&self, pointers: Pointers, columns: Range<usize>, entries: *mut u8) {
        for column in columns {
            let first = column / self.inner * self.size * self.inner + column % self.inner;
            // SAFETY: the elements `first + i * inner` for `i` in `0..size` lie in the operand and both results.
            unsafe {
                let entries = std::slice::from_raw_parts_mut(entries.cast::<T::Entry>(), self.size);
                let operand = pointers.input::<T>(0).add(first);
                for (position, entry) in entries.iter_mut().enumerate() {
                    let rank = (*operand.add(position * self.inner)).rank();
                    let ordered = |rank| if self.descending { T::LAST - rank } else { rank };
                    *entry = Entry::new(rank.map_or(T::LAST, ordered), position);
                }
                entries.sort_unstable();
                for (index, entry) in entries.iter().enumerate() {
                    let place = first + index * self.inner;
                    let element = *operand.add(entry.position() * self.inner);
                    *pointers.output::<T>(0).add(place) = element;
                    *pointers.output::<i64>(1).add(place) = entry.position() as i64;
                }
            }
        }
    }
}

impl Kernel for SortKernel {
    fn scratch(&self) -> ScratchSize {
        let entry = with_element!(self.dtype, T => size_of::<<T as Ranked>::Entry>());
        ScratchSize { per_worker: self.size * entry, ..ScratchSize::default() }
    }

    unsafe fn run(&self, run: &Run) {
        let (pointers, scratch) = (Pointers::of(run), run.scratch);
        split_numbered(run.pool, self.outer * self.inner, (1 << 10) / self.size.max(1), |worker, columns| {
            let entries = scratch.worker::<u8>(worker, self.scratch().per_worker);
            // SAFETY: by this function's own contract; each range of columns is written by one thread, which
            // alone has the worker's scratch memory.
            with_element!(self.dtype, T => unsafe { self.columns::<T>(pointers, columns, entries) })
        });
    }
}
