//! Products over all steps of sequences that differ in length: only the steps that are there are multiplied.
//!
//! Their rows are brought together, and the product is made of as many. So that it can be made ready before the
//! lengths are known, their number is rounded up to one of a few, with rows of zeros.

use gyrus_graph::DType;

use super::{Arguments, CompiledGemm, Epilogue, Gemm, Operand};
use crate::kernel::{Kernel, Run};
use crate::kernels::split::{Shared, split, split_numbered};
use crate::pool::{Pool, ScratchSize};

/// How many sizes a product is made ready for.
const NUM_SIZES: usize = 64;
/// How many bytes a thread copies at least.
const MIN_COPY: usize = 16 << 10;

/// Which axis of a product the steps `[T, B]` or `[B, T]` of the sequences are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Steps {
    /// Rows of the left operand and the result; those that are not there are zeros in the result.
    Rows,
    /// What is summed over; those that are not there count as zeros.
    Depth,
}

/// A product with sequences as its operands, whose lengths `i64[B]` come after the two. A second result, if there is one, are the
/// sums of the left operand's rows: where it [can](SequenceProduct::sums_rows).
pub(crate) struct SequenceProduct {
    gemm: Gemm,
    steps: Steps,
    batch: usize,
    is_batch_first: bool,
    element_size: usize,
    whole: CompiledGemm,
    /// The product of `(index + 1) * granularity` steps that lie together.
    parts: Vec<CompiledGemm>,
    granularity: usize,
}

impl SequenceProduct {
    /// For sequences `[T, batch, ..]`, or with the batch first, where `compile` makes products ready; `None` where the
    /// numbers of a step do not lie together.
    pub(crate) fn new(
        gemm: Gemm,
        dtype: DType,
        steps: Steps,
        (batch, is_batch_first): (usize, bool),
        compile: impl Fn(&Gemm) -> CompiledGemm,
    ) -> Option<SequenceProduct> {
        let Gemm { m, n, k, a, b, .. } = gemm;
        let lies_together = match steps {
            Steps::Rows => k == 1 || a.col_stride == 1,
            Steps::Depth => (m == 1 || a.row_stride == 1) && (n == 1 || b.col_stride == 1),
        };
        let num_steps = if steps == Steps::Rows { m } else { k };
        if !lies_together || gemm.batch != 1 || num_steps == 0 {
            return None;
        }
        let granularity = num_steps.div_ceil(NUM_SIZES);
        let part = |count: usize| match steps {
            Steps::Rows => compile(&Gemm { m: count, a: Operand::contiguous(count, k), ..gemm }),
            Steps::Depth => {
                let (a, b) = (Operand::contiguous(count, m).transposed(), Operand::contiguous(count, n));
                compile(&Gemm { k: count, a, b, ..gemm })
            }
        };
        let parts = (1..=num_steps.div_ceil(granularity)).map(|index| part(index * granularity)).collect();
        let (whole, element_size) = (compile(&gemm), dtype.size());
        Some(SequenceProduct { gemm, steps, batch, is_batch_first, element_size, whole, parts, granularity })
    }

    /// Whether it can sum the left operand's rows, over the steps that are there.
    pub(crate) fn sums_rows(&self) -> bool {
        self.steps == Steps::Depth && self.parts.iter().chain([&self.whole]).all(CompiledGemm::sums_rows)
    }

    /// How many steps all sequences have together at most.
    fn num_steps(&self) -> usize {
        if self.steps == Steps::Rows { self.gemm.m } else { self.gemm.k }
    }

    /// Bytes for the numbers of the steps, and for each of the two arrays of which the steps are brought together.
    fn gathered_bytes(&self) -> [usize; 3] {
        let Gemm { m, n, k, .. } = self.gemm;
        let [first, second] = if self.steps == Steps::Rows { [k, n] } else { [m, n] };
        let num_rows = self.parts.len() * self.granularity;
        [num_rows * size_of::<usize>(), num_rows * first * self.element_size, num_rows * second * self.element_size]
            .map(|bytes| bytes.next_multiple_of(64))
    }
}

impl Kernel for SequenceProduct {
    fn scratch(&self) -> ScratchSize {
        let products = self.parts.iter().map(CompiledGemm::scratch).fold(self.whole.scratch(), ScratchSize::max);
        ScratchSize { shared: self.gathered_bytes().iter().sum::<usize>() + products.shared, ..products }
    }

    fn takes_epilogue(&self) -> bool {
        true
    }

    /// Lengths are read, and steps are numbered, outside runs.
    fn is_shared(&self) -> bool {
        false
    }

    unsafe fn run(&self, run: &Run) {
        let Run { scratch, pool, epilogue, .. } = *run;
        let (&[a, b, lengths], c) = (run.inputs, run.outputs[0]) else { unreachable!("three operands") };
        let row_sums = run.outputs.get(1).copied().unwrap_or(std::ptr::null_mut());
        // SAFETY: there is a length for each sequence.
        let lengths = unsafe { std::slice::from_raw_parts(lengths.cast::<i64>(), self.batch) };
        let (num_steps, sizes) = (self.num_steps(), self.gathered_bytes());
        let arrays = [sizes[0], sizes[0] + sizes[1]].map(|bytes| scratch.after(bytes).shared::<u8>(0));
        // SAFETY: as many numbers were asked for.
        let rows = unsafe { std::slice::from_raw_parts_mut(scratch.shared::<usize>(num_steps), num_steps) };
        // Those that are there come first.
        let (mut count, mut end) = (0, num_steps);
        let length = num_steps / self.batch;
        for row in 0..num_steps {
            let (sequence, time) =
                if self.is_batch_first { (row / length, row % length) } else { (row % self.batch, row / self.batch) };
            if (time as i64) < lengths[sequence] {
                rows[count] = row;
                count += 1;
            } else {
                end -= 1;
                rows[end] = row;
            }
        }
        let scratch = &scratch.after(sizes.iter().sum());
        if count == num_steps {
            // SAFETY: as the caller vouches.
            return unsafe {
                self.whole.run(&Arguments { row_sums, ..Arguments::new(a, b, c) }, scratch, pool, epilogue)
            };
        }
        let (present, absent) = rows.split_at(count);
        let part = count.div_ceil(self.granularity).max(1);
        let (product, padded) = (&self.parts[part - 1], part * self.granularity);
        let Gemm { m, n, k, .. } = self.gemm;
        let gather = |from: *const u8, stride: isize, width: usize, to: *mut u8| {
            let (size, width) = (self.element_size as isize, width * self.element_size);
            // SAFETY: the rows lie within the operand and the memory for them.
            unsafe { gather(pool, present, padded, (from, stride * size), width, to) }
        };
        match self.steps {
            Steps::Rows => {
                gather(a, self.gemm.a.row_stride, k, arrays[0]);
                let size = self.element_size;
                let scatter = Scatter { rows: present, columns: n, size, from: arrays[1], to: c, epilogue };
                split_numbered(pool, absent.len(), MIN_COPY.div_ceil((n * size).max(1)), |worker, range| {
                    absent[range].iter().for_each(|&row| scatter.clear(row, worker));
                });
                // SAFETY: as the caller vouches, with operands and a result that lie together.
                unsafe { product.run(&Arguments::new(arrays[0], b, arrays[1]), scratch, pool, Some(&scatter)) }
            }
            Steps::Depth => {
                gather(a, self.gemm.a.col_stride, m, arrays[0]);
                gather(b, self.gemm.b.row_stride, n, arrays[1]);
                let arguments = Arguments { row_sums, ..Arguments::new(arrays[0], arrays[1], c) };
                // SAFETY: as above.
                unsafe { product.run(&arguments, scratch, pool, epilogue) }
            }
        }
    }
}

/// Copies rows of `width` bytes, `stride` bytes apart, to where they lie together, and adds rows of zeros.
///
/// # Safety
/// The rows lie at `from`, and there is room for `padded` rows.
unsafe fn gather(
    pool: &Pool,
    rows: &[usize],
    padded: usize,
    (from, stride): (*const u8, isize),
    width: usize,
    to: *mut u8,
) {
    let (from, to) = (Shared(from.cast_mut()), Shared(to));
    split(pool, padded, MIN_COPY.div_ceil(width.max(1)), |range| {
        for index in range {
            let to = to.get().wrapping_add(index * width);
            // SAFETY: as the caller vouches; each row is written by one thread.
            unsafe {
                match rows.get(index) {
                    Some(&row) => to.copy_from_nonoverlapping(from.get().offset(row as isize * stride), width),
                    None => to.write_bytes(0, width),
                }
            }
        }
    });
}

/// Takes finished rows to where they belong.
struct Scatter<'a> {
    rows: &'a [usize],
    columns: usize,
    /// Of an element.
    size: usize,
    from: *const u8,
    to: *mut u8,
    epilogue: Option<&'a dyn Epilogue>,
}

// SAFETY: each element is written by one thread.
unsafe impl Sync for Scatter<'_> {}

impl Scatter<'_> {
    /// Makes a row zeros.
    fn clear(&self, row: usize, worker: usize) {
        // SAFETY: the row lies within the result.
        unsafe { self.to.add(row * self.columns * self.size).write_bytes(0, self.columns * self.size) }
        self.finish(row * self.columns, self.columns, worker);
    }

    fn finish(&self, start: usize, count: usize, worker: usize) {
        if let Some(epilogue) = self.epilogue {
            epilogue.region(start, 1, count, count, worker);
        }
    }
}

impl Epilogue for Scatter<'_> {
    fn region(&self, start: usize, rows: usize, row_stride: usize, cols: usize, worker: usize) {
        for row in 0..rows {
            let (mut at, end) = (start + row * row_stride, start + row * row_stride + cols);
            while at < end {
                // A region of a single column goes on into the next row.
                let (index, column) = (at / self.columns, at % self.columns);
                let count = (end - at).min(self.columns - column);
                if let Some(&row) = self.rows.get(index) {
                    let place = row * self.columns + column;
                    // SAFETY: the elements lie within the result and the memory of what is computed.
                    unsafe {
                        let to = self.to.add(place * self.size);
                        to.copy_from_nonoverlapping(self.from.add(at * self.size), count * self.size);
                    }
                    self.finish(place, count, worker);
                }
                at += count;
            }
        }
    }
}
