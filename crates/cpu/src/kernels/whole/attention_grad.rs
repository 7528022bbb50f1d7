//! The gradient of attention, block by block.

use std::marker::PhantomData;

use gyrus_graph::ops::whole::AttentionGrad;

use super::heads::{Heads, KEYS};
use super::lanes::{Float, LANES, load, map, store, transpose, with_float, zip};
use super::product::{Operands, Product, Tiled};
use crate::isa::Isa;
use crate::kernel::{Kernel, Run, Signature};
use crate::kernels::split::{Pointers, split_numbered};
use crate::math::{MulAdd, Multiversion, version};
use crate::pool::ScratchSize;

struct AttentionGradKernel<T> {
    heads: Heads,
    scale: f64,
    product: Product<T>,
    dscores: unsafe fn(Dscores<T>),
}

pub(crate) fn kernel(op: &AttentionGrad, signature: &Signature) -> Option<Box<dyn Kernel>> {
    let [q, _, v, _, _, _, mask @ ..] = signature.inputs else { unreachable!("six or seven operands") };
    let heads = Heads::new(q, v, mask.first(), op.causal);
    let isa = Isa::get();
    with_float!(q.dtype, T => {
        let (product, dscores) = (T::product(isa), version::<DscoresLoop<T>>(isa));
        Box::new(AttentionGradKernel { heads, scale: op.scale.0, product, dscores })
    })
}

impl<T: Tiled> AttentionGradKernel<T> {
    /// Elements of working memory: all queries and the result's gradient, transposed by blocks, and the scores
    /// of a block of queries with their gradient.
    fn num_scratch(&self) -> usize {
        let heads = &self.heads;
        (heads.num_blocks() * (heads.size + heads.value_size) + 2 * KEYS) * LANES
    }

    /// # Safety
    /// The pointers are as [`Run`] states, `memory` to working memory.
    unsafe fn head(&self, pointers: Pointers, memory: *mut T, head: usize) {
        let heads = &self.heads;
        let Heads { queries, keys, size, value_size, .. } = *heads;
        // SAFETY: the head lies within the operands and the results.
        unsafe {
            let input = |index: usize, count: usize| pointers.input::<T>(index).add(head * count);
            let output = |index: usize, count: usize| pointers.output::<T>(index).add(head * count);
            let (q, k, v) = (input(0, queries * size), input(1, keys * size), input(2, keys * value_size));
            let (lse, dout, delta) = (input(3, queries), input(4, queries * value_size), input(5, queries));
            let (dq, dk, dv) = (output(0, queries * size), output(1, keys * size), output(2, keys * value_size));
            let mask = heads.mask_of(|| pointers.input::<T>(6), head);
            for (start, count) in [(dq, queries * size), (dk, keys * size), (dv, keys * value_size)] {
                std::slice::from_raw_parts_mut(start, count).fill(T::ZERO);
            }
            let q_columns = memory;
            let dout_columns = q_columns.add(heads.num_blocks() * size * LANES);
            let scores = dout_columns.add(heads.num_blocks() * value_size * LANES);
            let dscores = scores.add(KEYS * LANES);
            std::slice::from_raw_parts_mut(scores, 2 * KEYS * LANES).fill(T::ZERO);
            for block in 0..heads.num_blocks() {
                let (query, num_queries) = heads.block(block);
                let columns = (q_columns.add(block * size * LANES), dout_columns.add(block * value_size * LANES));
                transpose(q.add(query * size), num_queries, size, T::from_f64(self.scale), columns.0);
                transpose(dout.add(query * value_size), num_queries, value_size, T::ONE, columns.1);
            }
            for key in (0..keys).step_by(KEYS) {
                for block in 0..heads.num_blocks() {
                    let (query, num_queries) = heads.block(block);
                    let num_keys = KEYS.min(keys - key);
                    let num_lanes = num_queries.next_multiple_of(self.product.width);
                    if heads.causal && query + num_queries <= key {
                        continue;
                    }
                    let scored = |a: *const T, depth: usize, b: *const T, c: *mut T| {
                        let operands = Operands {
                            rows: num_keys,
                            columns: num_lanes,
                            depth,
                            a: a.add(key * depth),
                            a_row_stride: depth,
                            a_column_stride: 1,
                            b: b.add(block * depth * LANES),
                            b_row_stride: LANES,
                            c,
                            c_row_stride: LANES,
                            add: false,
                        };
                        self.product.run(operands);
                    };
                    scored(k, size, q_columns, scores);
                    scored(v, value_size, dout_columns, dscores);
                    heads.hide(scores, mask, (query, num_queries), (key, num_keys));
                    (self.dscores)(Dscores {
                        scores,
                        dscores,
                        num_keys,
                        num_queries,
                        lse: lse.add(query),
                        delta: delta.add(query),
                        scale: T::from_f64(self.scale),
                    });
                    let of_keys = |a: *const T, b: *const T, size: usize, c: *mut T| {
                        let operands = Operands {
                            rows: num_keys,
                            columns: size,
                            depth: num_queries,
                            a,
                            a_row_stride: LANES,
                            a_column_stride: 1,
                            b: b.add(query * size),
                            b_row_stride: size,
                            c: c.add(key * size),
                            c_row_stride: size,
                            add: true,
                        };
                        self.product.run(operands);
                    };
                    of_keys(scores, dout, value_size, dv);
                    of_keys(dscores, q, size, dk);
                    self.product.run(Operands {
                        rows: num_queries,
                        columns: size,
                        depth: num_keys,
                        a: dscores,
                        a_row_stride: 1,
                        a_column_stride: LANES,
                        b: k.add(key * size),
                        b_row_stride: size,
                        c: dq.add(query * size),
                        c_row_stride: size,
                        add: true,
                    });
                }
            }
        }
    }
}

impl<T: Tiled> Kernel for AttentionGradKernel<T> {
    fn scratch(&self) -> ScratchSize {
        ScratchSize { per_worker: self.num_scratch() * size_of::<T>(), ..ScratchSize::default() }
    }

    unsafe fn run(&self, run: &Run) {
        let pointers = Pointers::of(run);
        let scratch = &run.scratch;
        split_numbered(run.pool, self.heads.count(), 1, |part, range| {
            let memory = scratch.worker::<T>(part, self.num_scratch());
            for head in range {
                // SAFETY: by this function's own contract; each head is written by one thread.
                unsafe { self.head(pointers, memory, head) }
            }
        });
    }
}

/// Scores become probabilities, and the probabilities' gradient that of the unscaled products.
struct Dscores<T> {
    /// `[num_keys, LANES]`.
    scores: *mut T,
    /// `[num_keys, LANES]`.
    dscores: *mut T,
    num_keys: usize,
    num_queries: usize,
    lse: *const T,
    delta: *const T,
    scale: T,
}

struct DscoresLoop<T>(PhantomData<T>);

impl<T: Float> Multiversion for DscoresLoop<T> {
    type Arguments = Dscores<T>;

    #[inline(always)]
    unsafe fn run<M: MulAdd>(arguments: Dscores<T>) {
        let Dscores { scores, dscores, num_keys, num_queries, lse, delta, scale } = arguments;
        // SAFETY: the block has this many queries.
        let (lse, delta) = unsafe { (load(lse, 0, num_queries, T::ZERO), load(delta, 0, num_queries, T::ZERO)) };
        // A query that sees no key.
        let shift = map(lse, |lse| if lse == T::LOWEST { T::ZERO } else { lse });
        for row in 0..num_keys {
            // SAFETY: a row of the scores and of their gradient.
            unsafe {
                let (scores, dscores) = (scores.add(row * LANES), dscores.add(row * LANES));
                let score = load(scores, 0, LANES, T::ZERO);
                let p = zip(score, shift, |score, shift| (score - shift).exp::<M>());
                let dp = zip(load(dscores, 0, LANES, T::ZERO), delta, |dp, delta| (dp - delta) * scale);
                store(scores, 0, LANES, p);
                store(dscores, 0, LANES, zip(p, dp, |p, dp| p * dp));
            }
        }
    }
}
