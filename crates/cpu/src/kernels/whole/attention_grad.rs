//! The gradient of attention, block by block.

use std::marker::PhantomData;

use gyrus_graph::ops::whole::AttentionGrad;

use super::heads::{Heads, KEYS, Rows, gathered};
use super::lanes::Tiled;
use super::lanes::{Float, LANES, load, map, store, with_float, zip};
use crate::isa::Isa;
use crate::kernel::{Kernel, RowsOf, Run, Signature, Strided};
use crate::kernels::gemm::ahead::Area;
use crate::kernels::gemm::product::{Operands, Product, Transpose};
use crate::kernels::split::Pointers;
use crate::math::{MulAdd, Multiversion, version};
use crate::pool::ScratchSize;

struct AttentionGradKernel<T> {
    heads: Heads,
    /// Of queries, keys and values, and of the result's gradient.
    inputs: [Rows; 4],
    /// Of the gradients of queries, keys and values.
    outputs: [Rows; 3],
    scale: f64,
    product: Product<T>,
    dscores: unsafe fn(Dscores<T>),
}

pub(crate) fn kernel(op: &AttentionGrad, signature: &Signature) -> Option<Box<dyn Kernel>> {
    let [q, k, v, _, dout, _, mask @ ..] = signature.inputs else { unreachable!("six or seven operands") };
    let heads = Heads::new(q, v, mask.first(), op.causal);
    let inputs = [q, k, v, dout].map(|spec| Rows::row_major(&spec.shape));
    let isa = Isa::get();
    with_float!(q.dtype, T => Box::new(AttentionGradKernel::<T> {
        heads,
        inputs,
        outputs: [inputs[0], inputs[1], inputs[2]],
        scale: op.scale.0,
        product: T::product(isa),
        dscores: version::<DscoresLoop<T>>(isa),
    }))
}

impl<T: Tiled> AttentionGradKernel<T> {
    /// Elements of working memory: all queries and the result's gradient, as they are and transposed by blocks,
    /// the keys of a block, and the scores of a block of queries with their gradient and what is added to them.
    fn num_scratch(&self) -> usize {
        let Heads { size, value_size, .. } = self.heads;
        2 * self.heads.num_blocks() * LANES * (size + value_size) + KEYS * (size + 3 * LANES)
    }

    /// What is read first after the keys before `key`: the next ones, or the next head's with its first queries.
    fn coming(&self, pointers: Pointers, head: usize, key: usize) -> [Area; 4] {
        let (heads, [q, k, v, dout]) = (&self.heads, self.inputs);
        let is_last = key == heads.keys;
        let (head, keys, queries) =
            if is_last { (head + 1, 0..heads.keys, 0..heads.queries) } else { (head, key..heads.keys, 0..0) };
        [
            heads.area::<T>(pointers, (1, k), head, keys.clone(), heads.size),
            heads.area::<T>(pointers, (2, v), head, keys, heads.value_size),
            heads.area::<T>(pointers, (0, q), head, queries.clone(), heads.size),
            heads.area::<T>(pointers, (4, dout), head, queries, heads.value_size),
        ]
    }

    /// # Safety
    /// The pointers are as [`Run`] states, `memory` to working memory.
    unsafe fn head(&self, pointers: Pointers, memory: *mut T, head: usize) {
        let (heads, [q_rows, k_rows, v_rows, dout_rows]) = (&self.heads, self.inputs);
        let Heads { queries, keys, size, value_size, .. } = *heads;
        let (num_blocks, width) = (heads.num_blocks(), self.product.width);
        // SAFETY: the head lies within the operands and the results.
        unsafe {
            let input = |index: usize, rows: Rows| pointers.input::<T>(index).add(heads.start(rows, head));
            let (q, k, v, dout) = (input(0, q_rows), input(1, k_rows), input(2, v_rows), input(4, dout_rows));
            let (lse, delta) = (pointers.input::<T>(3).add(head * queries), pointers.input::<T>(5).add(head * queries));
            let output = |index: usize| {
                let rows = self.outputs[index];
                (pointers.output::<T>(index).add(heads.start(rows, head)), rows.stride)
            };
            let [dq, dk, dv] = [0, 1, 2].map(output);
            let mask = heads.mask_of(|| pointers.input::<T>(6), head);
            let q_columns = memory;
            let dout_columns = q_columns.add(num_blocks * size * LANES);
            let q_copy = dout_columns.add(num_blocks * value_size * LANES);
            let dout_copy = q_copy.add(num_blocks * size * LANES);
            let k_copy = dout_copy.add(num_blocks * value_size * LANES);
            let scores = k_copy.add(KEYS * size);
            let dscores = scores.add(KEYS * LANES);
            let shift = dscores.add(KEYS * LANES);
            if !queries.is_multiple_of(LANES) {
                std::slice::from_raw_parts_mut(scores, 2 * KEYS * LANES).fill(T::ZERO);
            }
            for block in 0..num_blocks {
                let (query, count) = heads.block(block);
                let transpose = |rows: *const T, row_stride: usize, size: usize, factor: Option<T>, columns: *mut T| {
                    let (rows, columns) = (rows.add(query * row_stride), columns.add(block * size * LANES));
                    self.product.transpose(Transpose { rows, count, row_stride, size, factor, columns });
                };
                transpose(q, q_rows.stride, size, Some(T::from_f64(self.scale)), q_columns);
                transpose(dout, dout_rows.stride, value_size, None, dout_columns);
            }
            let q = gathered(q, q_rows.stride, queries, size, q_copy);
            let dout = gathered(dout, dout_rows.stride, queries, value_size, dout_copy);
            for key in (0..keys).step_by(KEYS) {
                let num_keys = KEYS.min(keys - key);
                let k = gathered(k.add(key * k_rows.stride), k_rows.stride, num_keys, size, k_copy);
                // Causal, the queries before the keys do not see them.
                let first = if heads.causal { (key / LANES).min(num_blocks) } else { 0 };
                if first == num_blocks {
                    clear(dk.0.add(key * dk.1), dk.1, num_keys, size);
                    clear(dv.0.add(key * dv.1), dv.1, num_keys, value_size);
                }
                for block in first..num_blocks {
                    let coming = if block + 1 < num_blocks {
                        [Area::EMPTY; 4]
                    } else {
                        self.coming(pointers, head, key + num_keys)
                    };
                    let (query, num_queries) = heads.block(block);
                    let scored = |(a, a_row_stride): (*const T, usize), depth: usize, b: *const T, c: *mut T| {
                        self.product.run(Operands {
                            rows: num_keys,
                            columns: num_queries.next_multiple_of(width).min(LANES),
                            depth,
                            a,
                            a_row_stride,
                            a_column_stride: 1,
                            b: b.add(block * depth * LANES),
                            b_row_stride: LANES,
                            c,
                            c_row_stride: LANES,
                            add: false,
                        });
                    };
                    scored((k, size), size, q_columns, scores);
                    scored((v.add(key * v_rows.stride), v_rows.stride), value_size, dout_columns, dscores);
                    let shift = heads.shift(&self.product, mask, (query, num_queries), (key, num_keys), shift);
                    (self.dscores)(Dscores {
                        scores,
                        dscores,
                        shift,
                        num_keys,
                        num_queries,
                        coming,
                        lse: lse.add(query),
                        delta: delta.add(query),
                        scale: T::from_f64(self.scale),
                    });
                    let of_keys = |a: *const T, b: *const T, size: usize, (c, c_row_stride): (*mut T, usize)| {
                        self.product.run(Operands {
                            rows: num_keys,
                            columns: size,
                            depth: num_queries,
                            a,
                            a_row_stride: LANES,
                            a_column_stride: 1,
                            b: b.add(query * size),
                            b_row_stride: size,
                            c: c.add(key * c_row_stride),
                            c_row_stride,
                            add: block > first,
                        });
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
                        b: k,
                        b_row_stride: size,
                        c: dq.0.add(query * dq.1),
                        c_row_stride: dq.1,
                        add: key > 0,
                    });
                }
            }
            if keys == 0 {
                clear(dq.0, dq.1, queries, size);
            }
        }
    }
}

/// Makes rows zero.
///
/// # Safety
/// `rows` points to `count` rows of `size` elements.
unsafe fn clear<T: Float>(rows: *mut T, stride: usize, count: usize, size: usize) {
    for row in 0..count {
        // SAFETY: as the caller vouches.
        unsafe { std::slice::from_raw_parts_mut(rows.add(row * stride), size).fill(T::ZERO) }
    }
}

impl<T: Tiled> Kernel for AttentionGradKernel<T> {
    fn scratch(&self) -> ScratchSize {
        ScratchSize { per_worker: self.num_scratch() * size_of::<T>(), ..ScratchSize::default() }
    }

    fn read_strided(&mut self, input: &Strided) -> bool {
        let operands = [0, 1, 2, 4];
        let index = operands.iter().position(|&operand| operand == input.operand);
        let found = index.zip(Rows::strided(input));
        found.inspect(|&(index, rows)| self.inputs[index] = rows).is_some()
    }

    fn write_strided(&mut self, outputs: &[Strided]) -> bool {
        let Some(rows) = outputs.iter().map(Rows::strided).collect::<Option<Vec<_>>>() else { return false };
        outputs.iter().zip(rows).for_each(|(output, rows)| self.outputs[output.operand] = rows);
        true
    }

    fn rows_read(&self, input: usize) -> Option<RowsOf> {
        let Heads { queries, keys, size, value_size, .. } = self.heads;
        let rows = |index: usize, count, size| self.heads.images::<T>(self.inputs[index], count, size, false);
        match input {
            0 => Some(rows(0, queries, size)),
            1 => Some(rows(1, keys, size)),
            2 => Some(rows(2, keys, value_size)),
            4 => Some(rows(3, queries, value_size)),
            3 | 5 => Some(self.heads.images_of_queries::<T>()),
            _ => None,
        }
    }

    fn rows_written(&self, output: usize) -> Option<RowsOf> {
        let Heads { queries, keys, size, value_size, .. } = self.heads;
        let (count, size) = [(queries, size), (keys, size), (keys, value_size)][output];
        Some(self.heads.images::<T>(self.outputs[output], count, size, true))
    }

    unsafe fn run(&self, run: &Run) {
        let (pointers, scratch) = (Pointers::of(run), &run.scratch);
        run.pool.run_by_rows(self.heads.division(1), &|head, worker| {
            let memory = scratch.worker::<T>(worker, self.num_scratch());
            // SAFETY: by this function's own contract; each head is written by one thread.
            unsafe { self.head(pointers, memory, head) }
        });
    }
}

/// Scores become probabilities, and the probabilities' gradient that of the unscaled products.
struct Dscores<T> {
    /// `[num_keys, LANES]`.
    scores: *mut T,
    /// `[num_keys, LANES]`.
    dscores: *mut T,
    /// What is added to the scores.
    shift: Option<*const T>,
    num_keys: usize,
    num_queries: usize,
    /// What is read after this.
    coming: [Area; 4],
    lse: *const T,
    delta: *const T,
    scale: T,
}

struct DscoresLoop<T>(PhantomData<T>);

impl<T: Float> Multiversion for DscoresLoop<T> {
    type Arguments = Dscores<T>;

    #[inline(always)]
    unsafe fn run<M: MulAdd>(arguments: Dscores<T>) {
        let Dscores { scores, dscores, shift: added, num_keys, num_queries, coming, lse, delta, scale } = arguments;
        // SAFETY: the block has this many queries.
        let (lse, delta) = unsafe { (load(lse, 0, num_queries, T::ZERO), load(delta, 0, num_queries, T::ZERO)) };
        // A query that sees no key.
        let shift = map(lse, |lse| if lse == T::LOWEST { T::ZERO } else { lse });
        for row in 0..num_keys {
            coming.iter().for_each(|area| area.ask(row));
            // SAFETY: a row of the scores, of their gradient and of what is added to them.
            unsafe {
                let (scores, dscores) = (scores.add(row * LANES), dscores.add(row * LANES));
                let mut score = load(scores, 0, LANES, T::ZERO);
                if let Some(added) = added {
                    score = zip(score, load(added.add(row * LANES), 0, LANES, T::ZERO), |a, b| a + b);
                }
                let p = zip(score, shift, |score, shift| (score - shift).exp_of_nonpositive::<M>());
                let dp = zip(load(dscores, 0, LANES, T::ZERO), delta, |dp, delta| (dp - delta) * scale);
                store(scores, 0, LANES, p);
                store(dscores, 0, LANES, zip(p, dp, |p, dp| p * dp));
            }
        }
    }
}
