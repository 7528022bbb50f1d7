//! Scaled dot-product attention, block by block.

use std::marker::PhantomData;

use gyrus_graph::ops::whole::Attention;

use super::heads::{Heads, KEYS, Rows, gathered};
use super::lanes::Tiled;
use super::lanes::{Float, LANES, Lanes, for_blocks, larger, load, map, store, with_float, zip};
use crate::isa::Isa;
use crate::kernel::{Kernel, RowsOf, Run, Signature, Strided};
use crate::kernels::gemm::ahead::Area;
use crate::kernels::gemm::product::{Operands, Product, Transpose};
use crate::kernels::split::Pointers;
use crate::math::{MulAdd, Multiversion, version};
use crate::pool::ScratchSize;

struct AttentionKernel<T> {
    heads: Heads,
    /// Of queries, keys and values.
    inputs: [Rows; 3],
    out: Rows,
    scale: f64,
    product: Product<T>,
    softmax: unsafe fn(Softmax<T>),
    finish: unsafe fn(Finish<T>),
}

pub(crate) fn kernel(op: &Attention, signature: &Signature) -> Option<Box<dyn Kernel>> {
    let [q, k, v, mask @ ..] = signature.inputs else { unreachable!("three or four operands") };
    let heads = Heads::new(q, v, mask.first(), op.causal);
    let inputs = [q, k, v].map(|spec| Rows::row_major(&spec.shape));
    let out = Rows::row_major(&signature.outputs[0].shape);
    let isa = Isa::get();
    with_float!(q.dtype, T => Box::new(AttentionKernel::<T> {
        heads,
        inputs,
        out,
        scale: op.scale.0,
        product: T::product(isa),
        softmax: version::<SoftmaxLoop<T>>(isa),
        finish: version::<FinishLoop<T>>(isa),
    }))
}

impl<T: Tiled> AttentionKernel<T> {
    /// Elements of working memory: the block of queries, transposed, its scores, what is added to them, and a
    /// block of values.
    fn num_scratch(&self) -> usize {
        let Heads { size, value_size, .. } = self.heads;
        (size + 2 * KEYS) * LANES + KEYS * value_size
    }

    /// What is read after the keys before `key`, of which a block sees those before `end`: its next keys and values, or the
    /// next block's queries and, if they are not in the cache, its first keys and values.
    fn coming(&self, pointers: Pointers, (head, block): (usize, usize), key: usize, end: usize) -> [Area; 3] {
        let (heads, [q, k, v]) = (&self.heads, self.inputs);
        let next = head * heads.num_blocks() + block + 1;
        let (next_head, (query, num_queries)) = (next / heads.num_blocks(), heads.block(next % heads.num_blocks()));
        let (keys_head, keys) = if key < end {
            (head, key..end.min(key + KEYS))
        } else {
            (next_head, 0..if next_head > head || heads.keys > KEYS { KEYS.min(heads.keys) } else { 0 })
        };
        [
            heads.area::<T>(pointers, (1, k), keys_head, keys.clone(), heads.size),
            heads.area::<T>(pointers, (2, v), keys_head, keys, heads.value_size),
            heads.area::<T>(pointers, (0, q), next_head, query..query + num_queries, heads.size),
        ]
    }

    /// # Safety
    /// The pointers are as [`Run`] states, `memory` to working memory.
    unsafe fn block(&self, pointers: Pointers, memory: *mut T, head: usize, block: usize) {
        let (heads, [q_rows, k_rows, v_rows]) = (&self.heads, self.inputs);
        let Heads { queries, size, value_size, .. } = *heads;
        let (query, num_queries) = heads.block(block);
        // SAFETY: the head and the block lie within the operands and the results.
        unsafe {
            let input = |index: usize, rows: Rows| pointers.input::<T>(index).add(heads.start(rows, head));
            let (q, k, v) = (input(0, q_rows).add(query * q_rows.stride), input(1, k_rows), input(2, v_rows));
            let mask = heads.mask_of(|| pointers.input::<T>(3), head);
            let out = pointers.output::<T>(0).add(heads.start(self.out, head) + query * self.out.stride);
            let columns = memory;
            let scores = columns.add(size * LANES);
            let shift = scores.add(KEYS * LANES);
            let v_copy = shift.add(KEYS * LANES);
            let factor = Some(T::from_f64(self.scale));
            let row_stride = q_rows.stride;
            self.product.transpose(Transpose { rows: q, count: num_queries, row_stride, size, factor, columns });
            let num_lanes = num_queries.next_multiple_of(self.product.width).min(LANES);
            if num_lanes < LANES {
                std::slice::from_raw_parts_mut(scores, KEYS * LANES).fill(T::ZERO);
            }
            let (mut most, mut sum) = ([T::LOWEST; LANES], [T::ZERO; LANES]);
            let mut result = Finish {
                most: &raw mut most,
                sum: &raw mut sum,
                num_queries,
                out,
                out_stride: self.out.stride,
                value_size,
                is_empty: true,
                lse: pointers.output::<T>(1).add(head * queries + query),
            };
            let end = heads.seen_by(query + num_queries);
            for key in (0..end).step_by(KEYS) {
                let num_keys = KEYS.min(end - key);
                let coming = self.coming(pointers, (head, block), key + num_keys, end);
                // Of the keys each row is read once, of the values again and again.
                let v = gathered(v.add(key * v_rows.stride), v_rows.stride, num_keys, value_size, v_copy);
                self.product.run(Operands {
                    rows: num_keys,
                    columns: num_lanes,
                    depth: size,
                    a: k.add(key * k_rows.stride),
                    a_row_stride: k_rows.stride,
                    a_column_stride: 1,
                    b: columns,
                    b_row_stride: LANES,
                    c: scores,
                    c_row_stride: LANES,
                    add: false,
                });
                let shift = heads.shift(&self.product, mask, (query, num_queries), (key, num_keys), shift);
                (self.softmax)(Softmax { scores, shift, num_keys, coming, result });
                self.product.run(Operands {
                    rows: num_queries,
                    columns: value_size,
                    depth: num_keys,
                    a: scores,
                    a_row_stride: 1,
                    a_column_stride: LANES,
                    b: v,
                    b_row_stride: value_size,
                    c: out,
                    c_row_stride: self.out.stride,
                    add: !result.is_empty,
                });
                result.is_empty = false;
            }
            (self.finish)(result);
        }
    }
}

impl<T: Tiled> Kernel for AttentionKernel<T> {
    fn scratch(&self) -> ScratchSize {
        ScratchSize { per_worker: self.num_scratch() * size_of::<T>(), ..ScratchSize::default() }
    }

    fn read_strided(&mut self, input: &Strided) -> bool {
        let rows = Rows::strided(input).filter(|_| input.operand < 3);
        rows.inspect(|&rows| self.inputs[input.operand] = rows).is_some()
    }

    fn write_strided(&mut self, outputs: &[Strided]) -> bool {
        let [out @ Strided { operand: 0, .. }] = outputs else { return false };
        Rows::strided(out).inspect(|&rows| self.out = rows).is_some()
    }

    fn rows_read(&self, input: usize) -> Option<RowsOf> {
        let Heads { queries, keys, size, value_size, .. } = self.heads;
        let (count, size) = [(queries, size), (keys, size), (keys, value_size)].get(input).copied()?;
        Some(self.heads.images::<T>(self.inputs[input], count, size, false))
    }

    fn rows_written(&self, output: usize) -> Option<RowsOf> {
        let Heads { queries, value_size, .. } = self.heads;
        Some(match output {
            0 => self.heads.images::<T>(self.out, queries, value_size, true),
            _ => self.heads.images_of_queries::<T>(),
        })
    }

    unsafe fn run(&self, run: &Run) {
        let (pointers, scratch, num_blocks) = (Pointers::of(run), &run.scratch, self.heads.num_blocks());
        run.pool.run_by_rows(self.heads.division(num_blocks), &|task, worker| {
            let memory = scratch.worker::<T>(worker, self.num_scratch());
            // SAFETY: by this function's own contract; each block is written by one thread.
            unsafe { self.block(pointers, memory, task / num_blocks, task % num_blocks) }
        });
    }
}

/// What is subtracted before the exponential: the maximum, unless no key is seen.
#[inline(always)]
fn shift_of<T: Float>(most: T) -> T {
    if most == T::LOWEST { T::ZERO } else { most }
}

/// A block of queries' results so far.
#[derive(Clone, Copy)]
struct Finish<T> {
    /// The greatest score of each query.
    most: *mut Lanes<T>,
    /// The sum of the exponentials.
    sum: *mut Lanes<T>,
    num_queries: usize,
    /// Rows of `value_size` elements.
    out: *mut T,
    out_stride: usize,
    value_size: usize,
    /// Whether the rows have not been written yet.
    is_empty: bool,
    lse: *mut T,
}

impl<T: Float> Finish<T> {
    /// Multiplies each row by its factor.
    ///
    /// # Safety
    /// The rows have been written.
    #[inline(always)]
    unsafe fn scale(&self, factors: &Lanes<T>) {
        for (lane, &factor) in factors[..self.num_queries].iter().enumerate() {
            // SAFETY: the row has `value_size` elements.
            unsafe {
                let row = self.out.add(lane * self.out_stride);
                for_blocks!(at in 0, self.value_size => {
                    store(row, at, self.value_size, map(load(row, at, self.value_size, T::ZERO), |x| x * factor));
                });
            }
        }
    }
}

/// A step of the online softmax: scores become exponentials, and what was summed before is scaled to the new
/// maximum.
struct Softmax<T> {
    /// `[num_keys, LANES]`.
    scores: *mut T,
    /// What is added to them.
    shift: Option<*const T>,
    num_keys: usize,
    /// What is read after this.
    coming: [Area; 3],
    result: Finish<T>,
}

struct SoftmaxLoop<T>(PhantomData<T>);

impl<T: Float> Multiversion for SoftmaxLoop<T> {
    type Arguments = Softmax<T>;

    #[inline(always)]
    unsafe fn run<M: MulAdd>(arguments: Softmax<T>) {
        let Softmax { scores, shift, num_keys, coming, result } = arguments;
        // SAFETY: the caller's own, which nothing else refers to.
        let (most, sum) = unsafe { (&mut *result.most, &mut *result.sum) };
        let mut next = *most;
        for row in 0..num_keys {
            // SAFETY: a row of the scores, and of what is added to them.
            unsafe {
                let row_scores = scores.add(row * LANES);
                let mut lanes = load(row_scores, 0, LANES, T::ZERO);
                if let Some(shift) = shift {
                    lanes = zip(lanes, load(shift.add(row * LANES), 0, LANES, T::ZERO), |a, b| a + b);
                    store(row_scores, 0, LANES, lanes);
                }
                next = zip(lanes, next, larger);
            }
        }
        let shift = map(next, shift_of);
        let factor = zip(*most, shift, |most, shift| (most - shift).exp_of_nonpositive::<M>());
        let mut total = zip(*sum, factor, |sum, factor| sum * factor);
        for row in 0..num_keys {
            coming.iter().for_each(|area| area.ask(row));
            // SAFETY: as above.
            unsafe {
                let row = scores.add(row * LANES);
                let lanes = load(row, 0, LANES, T::ZERO);
                let e = zip(lanes, shift, |score, shift| (score - shift).exp_of_nonpositive::<M>());
                total = zip(total, e, |a, b| a + b);
                store(row, 0, LANES, e);
            }
        }
        if !result.is_empty {
            // SAFETY: the rows have been written.
            unsafe { result.scale(&factor) }
        }
        (*most, *sum) = (next, total);
    }
}

/// The end of the online softmax: results are divided by the sums.
struct FinishLoop<T>(PhantomData<T>);

impl<T: Float> Multiversion for FinishLoop<T> {
    type Arguments = Finish<T>;

    #[inline(always)]
    unsafe fn run<M: MulAdd>(result: Finish<T>) {
        // SAFETY: the caller's own; the block has as many rows and sums.
        unsafe {
            let (most, sum) = (*result.most, *result.sum);
            if result.is_empty {
                for lane in 0..result.num_queries {
                    let row = result.out.add(lane * result.out_stride);
                    std::slice::from_raw_parts_mut(row, result.value_size).fill(T::ZERO);
                }
            } else {
                result.scale(&map(sum, |sum| if sum == T::ZERO { T::ZERO } else { T::ONE / sum }));
            }
            let lse = zip(map(most, shift_of), map(sum, |sum| sum.log::<M>()), |shift, log| shift + log);
            store(result.lse, 0, result.num_queries, lse);
        }
    }
}
