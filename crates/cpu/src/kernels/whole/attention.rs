//! Scaled dot-product attention, block by block.

use std::marker::PhantomData;

use gyrus_graph::ops::whole::Attention;

use super::heads::{Heads, KEYS};
use super::lanes::{Float, LANES, Lanes, larger, load, map, store, transpose, with_float, zip};
use super::product::{Operands, Product, Tiled};
use crate::isa::Isa;
use crate::kernel::{Kernel, Run, Signature};
use crate::kernels::split::{Pointers, split_numbered};
use crate::math::{MulAdd, Multiversion, version};
use crate::pool::ScratchSize;

struct AttentionKernel<T> {
    heads: Heads,
    scale: f64,
    product: Product<T>,
    softmax: unsafe fn(Softmax<T>),
}

pub(crate) fn kernel(op: &Attention, signature: &Signature) -> Option<Box<dyn Kernel>> {
    let [q, _, v, mask @ ..] = signature.inputs else { unreachable!("three or four operands") };
    let heads = Heads::new(q, v, mask.first(), op.causal);
    let isa = Isa::get();
    with_float!(q.dtype, T => {
        let (product, softmax) = (T::product(isa), version::<SoftmaxLoop<T>>(isa));
        Box::new(AttentionKernel { heads, scale: op.scale.0, product, softmax })
    })
}

impl<T: Tiled> AttentionKernel<T> {
    /// Elements of working memory: the block of queries, transposed, its scores, and its transposed result.
    fn num_scratch(&self) -> usize {
        (self.heads.size + KEYS + self.heads.value_size) * LANES
    }

    /// # Safety
    /// The pointers are as [`Run`] states, `memory` to working memory.
    unsafe fn block(&self, pointers: Pointers, memory: *mut T, head: usize, block: usize) {
        let heads = &self.heads;
        let Heads { queries, keys, size, value_size, .. } = *heads;
        let (query, num_queries) = heads.block(block);
        // SAFETY: the head and the block lie within the operands and the results.
        unsafe {
            let q = pointers.input::<T>(0).add((head * queries + query) * size);
            let k = pointers.input::<T>(1).add(head * keys * size);
            let v = pointers.input::<T>(2).add(head * keys * value_size);
            let mask = heads.mask_of(|| pointers.input::<T>(3), head);
            let columns = memory;
            let scores = columns.add(size * LANES);
            let result = scores.add(KEYS * LANES);
            transpose(q, num_queries, size, T::from_f64(self.scale), columns);
            std::slice::from_raw_parts_mut(scores, (KEYS + value_size) * LANES).fill(T::ZERO);
            let num_lanes = num_queries.next_multiple_of(self.product.width);
            let (mut most, mut sum) = ([T::LOWEST; LANES], [T::ZERO; LANES]);
            let end = heads.seen_by(query + num_queries);
            for key in (0..end).step_by(KEYS) {
                let num_keys = KEYS.min(end - key);
                self.product.run(Operands {
                    rows: num_keys,
                    columns: num_lanes,
                    depth: size,
                    a: k.add(key * size),
                    a_row_stride: size,
                    a_column_stride: 1,
                    b: columns,
                    b_row_stride: LANES,
                    c: scores,
                    c_row_stride: LANES,
                    add: false,
                });
                heads.hide(scores, mask, (query, num_queries), (key, num_keys));
                let (most, sum) = (&raw mut most, &raw mut sum);
                (self.softmax)(Softmax { scores, num_keys, most, sum, result, value_size });
                self.product.run(Operands {
                    rows: value_size,
                    columns: num_lanes,
                    depth: num_keys,
                    a: v.add(key * value_size),
                    a_row_stride: 1,
                    a_column_stride: value_size,
                    b: scores,
                    b_row_stride: LANES,
                    c: result,
                    c_row_stride: LANES,
                    add: true,
                });
            }
            let out = pointers.output::<T>(0).add((head * queries + query) * value_size);
            let lse = pointers.output::<T>(1).add(head * queries + query);
            for lane in 0..num_queries {
                let factor = if sum[lane] == T::ZERO { T::ZERO } else { T::ONE / sum[lane] };
                for element in 0..value_size {
                    *out.add(lane * value_size + element) = *result.add(element * LANES + lane) * factor;
                }
                *lse.add(lane) = T::from_f64(shift_of(most[lane]).to_f64() + sum[lane].to_f64().ln());
            }
        }
    }
}

impl<T: Tiled> Kernel for AttentionKernel<T> {
    fn scratch(&self) -> ScratchSize {
        ScratchSize { per_worker: self.num_scratch() * size_of::<T>(), ..ScratchSize::default() }
    }

    unsafe fn run(&self, run: &Run) {
        let (pointers, num_blocks) = (Pointers::of(run), self.heads.num_blocks());
        let scratch = &run.scratch;
        split_numbered(run.pool, self.heads.count() * num_blocks, 1, |part, range| {
            let memory = scratch.worker::<T>(part, self.num_scratch());
            for index in range {
                // Early and late blocks take turns: causal, the late ones see more keys.
                let (head, turn) = (index / num_blocks, index % num_blocks);
                let block = if turn % 2 == 0 { turn / 2 } else { num_blocks - 1 - turn / 2 };
                // SAFETY: by this function's own contract; each block is written by one thread.
                unsafe { self.block(pointers, memory, head, block) }
            }
        });
    }
}

/// What is subtracted before the exponential: the maximum, unless no key is seen.
#[inline(always)]
fn shift_of<T: Float>(most: T) -> T {
    if most == T::LOWEST { T::ZERO } else { most }
}

/// A step of the online softmax: scores become exponentials, and what was summed before is scaled to the new
/// maximum.
struct Softmax<T> {
    /// `[num_keys, LANES]`.
    scores: *mut T,
    num_keys: usize,
    most: *mut Lanes<T>,
    sum: *mut Lanes<T>,
    /// `[value_size, LANES]`.
    result: *mut T,
    value_size: usize,
}

struct SoftmaxLoop<T>(PhantomData<T>);

impl<T: Float> Multiversion for SoftmaxLoop<T> {
    type Arguments = Softmax<T>;

    #[inline(always)]
    unsafe fn run<M: MulAdd>(arguments: Softmax<T>) {
        let Softmax { scores, num_keys, most, sum, result, value_size } = arguments;
        // SAFETY: the caller's own, which nothing else refers to.
        let (most, sum) = unsafe { (&mut *most, &mut *sum) };
        let mut next = *most;
        for row in 0..num_keys {
            // SAFETY: a row of the scores.
            next = zip(unsafe { load(scores.add(row * LANES), 0, LANES, T::ZERO) }, next, larger);
        }
        let shift = map(next, shift_of);
        let factor = zip(*most, shift, |most, shift| (most - shift).exp::<M>());
        let mut total = zip(*sum, factor, |sum, factor| sum * factor);
        for row in 0..num_keys {
            // SAFETY: as above.
            unsafe {
                let row = scores.add(row * LANES);
                let e = zip(load(row, 0, LANES, T::ZERO), shift, |score, shift| (score - shift).exp::<M>());
                total = zip(total, e, |a, b| a + b);
                store(row, 0, LANES, e);
            }
        }
        for row in 0..value_size {
            // SAFETY: a row of the result.
            unsafe {
                let row = result.add(row * LANES);
                store(row, 0, LANES, zip(load(row, 0, LANES, T::ZERO), factor, |a, factor| a * factor));
            }
        }
        (*most, *sum) = (next, total);
    }
}
