//! The greatest elements along an axis.

use std::marker::PhantomData;
use std::ops::Range;

use gyrus_graph::ops::indexing::TopK;
use gyrus_graph::{DType, Spec};

use super::super::elements::with_element;
use super::sort::{Entry, Ranked, around};
use crate::isa::Isa;
use crate::kernel::{Kernel, Run, Signature};
use crate::kernels::split::{Pointers, split_numbered};
use crate::math::{MulAdd, Multiversion, version_up_to_avx2};
use crate::pool::ScratchSize;

/// How many elements are compared with the least that may stay before any is looked at.
const BLOCK: usize = 64;
/// There is room for at least so many elements among which those that stay are chosen.
const MIN_ROOM: usize = 512;

/// The operand as `[outer, size, inner]`, the axis in the middle.
#[derive(Clone, Copy)]
struct Choice {
    k: usize,
    outer: usize,
    size: usize,
    inner: usize,
}

struct TopKKernel {
    choice: Choice,
    dtype: DType,
}

pub(crate) fn kernel(op: &TopK, signature: &Signature) -> Box<dyn Kernel> {
    let Spec { shape, dtype } = &signature.inputs[0];
    let [outer, size, inner] = around("top_k", shape, op.axis);
    Box::new(TopKKernel { choice: Choice { k: op.k, outer, size, inner }, dtype: *dtype })
}

impl Choice {
    /// For how many elements there is room: twice as many as stay, so that choosing takes a time in proportion to those
    /// that have come since.
    fn room(&self) -> usize {
        (2 * self.k).max(MIN_ROOM).min(self.size)
    }
}

impl Kernel for TopKKernel {
    fn scratch(&self) -> ScratchSize {
        let entry = with_element!(self.dtype, T => size_of::<<T as Ranked>::Entry>());
        ScratchSize { per_worker: self.choice.room() * entry, ..ScratchSize::default() }
    }

    unsafe fn run(&self, run: &Run) {
        let (pointers, scratch, choice) = (Pointers::of(run), run.scratch, self.choice);
        if choice.k == 0 {
            return;
        }
        split_numbered(run.pool, choice.outer * choice.inner, (1 << 12) / choice.size, |worker, columns| {
            let entries = scratch.worker::<u8>(worker, self.scratch().per_worker);
            // SAFETY: by this function's own contract; each range of columns is written by one thread, which alone has the
            // worker's scratch memory.
            with_element!(self.dtype, T => unsafe {
                let (x, y, positions) = (pointers.input::<T>(0), pointers.output(0), pointers.output(1));
                let entries = entries.cast();
                version_up_to_avx2::<Loop<T>>(Isa::get())(Arguments { choice, columns, x, y, positions, entries })
            })
        });
    }
}

struct Arguments<T: Ranked> {
    choice: Choice,
    columns: Range<usize>,
    x: *const T,
    y: *mut T,
    positions: *mut i64,
    entries: *mut T::Entry,
}

struct Loop<T>(PhantomData<T>);

/// An element's place in the order, the greatest first.
#[inline(always)]
fn order<T: Ranked>(x: T) -> u64 {
    T::LAST - x.rank().unwrap_or(0)
}

/// Brings the `k` first to the front, and returns the order of the last of them: what comes later must be before that.
#[inline(always)]
fn choose<E: Entry>(entries: &mut [E], k: usize) -> u64 {
    let (_, last, _) = entries.select_nth_unstable(k - 1);
    last.rank()
}

impl<T: Ranked + 'static> Multiversion for Loop<T> {
    type Arguments = Arguments<T>;

    #[inline(always)]
    unsafe fn run<M: MulAdd>(Arguments { choice, columns, x, y, positions, entries }: Arguments<T>) {
        let Choice { k, size, inner, .. } = choice;
        for column in columns {
            let (outer, within) = (column / inner, column % inner);
            // SAFETY: the elements at `i * inner` lie in the operand for `i` below `size`, in both results for `i` below `k`;
            // there is room for the entries.
            unsafe {
                let x = x.add(outer * size * inner + within);
                let entries = std::slice::from_raw_parts_mut(entries, choice.room());
                for (position, entry) in entries.iter_mut().enumerate() {
                    *entry = Entry::new(order(*x.add(position * inner)), position);
                }
                // Nothing that comes after `k` others is before them if it is the last of all.
                let (mut count, mut limit) = (entries.len(), u64::MAX);
                let mut start = count;
                while start < size {
                    let end = size.min(start + BLOCK);
                    let mut num_before = 0;
                    for position in start..end {
                        num_before += u64::from(order(*x.add(position * inner)) < limit);
                    }
                    if num_before > 0 {
                        for position in start..end {
                            let order = order(*x.add(position * inner));
                            if order >= limit {
                                continue;
                            }
                            if count == entries.len() {
                                limit = choose(entries, k);
                                count = k;
                            }
                            entries[count] = Entry::new(order, position);
                            count += 1;
                        }
                    }
                    start = end;
                }
                choose(&mut entries[..count], k);
                entries[..k].sort_unstable();
                for (index, entry) in entries[..k].iter().enumerate() {
                    let place = (outer * k + index) * inner + within;
                    *y.add(place) = *x.add(entry.position() * inner);
                    *positions.add(place) = entry.position() as i64;
                }
            }
        }
    }
}
