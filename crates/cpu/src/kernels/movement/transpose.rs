//! Copies in which rows become columns, in blocks that fit registers.

use std::marker::PhantomData;
use std::mem::MaybeUninit;

use gyrus_graph::DType;

use crate::isa::Isa;
use crate::kernel::{Kernel, Run};
use crate::kernels::cache_line::{LINE, MIN_STREAM, fence, prefetch};
use crate::kernels::gemm::microkernel::{MAX_LANES, Vector};
use crate::kernels::gemm::number::{Number, VectorLoop};
use crate::kernels::split::{Pointers, split};
use crate::math::{MulAdd, Multiversion};

/// How many elements are worth a task.
const TASK: usize = 32 << 10;
/// Bytes of a line of the operand that are read one after another: memory gives neighbours sooner than lines far apart.
const RUN: usize = 4 * LINE;
/// Columns of the result that are made one after another, of all its rows, where there are as many.
const COLUMNS: usize = 512;

/// The sizes `[batch, rows, columns]` of the result, whose element `[b, r, c]` is the operand's element
/// `b * batch_stride + r + c * column_stride`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Transposition {
    pub(crate) sizes: [usize; 3],
    pub(crate) batch_stride: usize,
    pub(crate) column_stride: usize,
}

struct TransposeKernel<T> {
    transposition: Transposition,
    /// The loop that writes as usual, and the one that writes whole vectors around the cache.
    functions: [unsafe fn(Block<T>); 2],
}

/// A part of one matrix of the result: some rows and columns.
#[derive(Clone, Copy)]
struct Block<T> {
    rows: usize,
    columns: usize,
    from: *const T,
    column_stride: usize,
    to: *mut T,
    row_stride: usize,
}

/// The kernel that copies so, for the types that have one.
pub(crate) fn kernel(dtype: DType, transposition: Transposition) -> Option<Box<dyn Kernel>> {
    match dtype {
        DType::F32 => Some(Box::new(TransposeKernel::<f32>::new(transposition))),
        DType::F64 => Some(Box::new(TransposeKernel::<f64>::new(transposition))),
        _ => None,
    }
}

impl<T: Number> TransposeKernel<T> {
    fn new(transposition: Transposition) -> Self {
        let isa = Isa::get();
        let functions = [T::vectorised::<Blocks<T, false>>(isa), T::vectorised::<Blocks<T, true>>(isa)];
        TransposeKernel { transposition, functions }
    }
}

impl<T: Number> Kernel for TransposeKernel<T> {
    unsafe fn run(&self, run: &Run) {
        let Transposition { sizes: [batch, rows, columns], batch_stride, column_stride } = self.transposition;
        let pointers = Pointers::of(run);
        let is_large = batch * rows * columns * size_of::<T>() >= MIN_STREAM;
        let are_lines = (columns * size_of::<T>()).is_multiple_of(LINE)
            && pointers.output::<T>(0).cast::<u8>().align_offset(LINE) == 0;
        // Lines that are written in two parts must stay in the first-level cache meanwhile: there may be few of them.
        let (height, width) = if are_lines { (RUN, COLUMNS.min(columns)) } else { (LINE, columns) };
        let (height, width) = (height / size_of::<T>(), width.max(1));
        let (down, across) = (rows.div_ceil(height), columns.div_ceil(width));
        split(run.pool, batch * across * down, (TASK / (height * width)).max(1), |range| {
            for index in range {
                let (matrix, part) = (index / (across * down), index % (across * down));
                let (column, row) = (part / down * width, part % down * height);
                let block = Block {
                    rows: height.min(rows - row),
                    columns: width.min(columns - column),
                    from: pointers.input::<T>(0).wrapping_add(matrix * batch_stride + row + column * column_stride),
                    column_stride,
                    to: pointers.output::<T>(0).wrapping_add((matrix * rows + row) * columns + column),
                    row_stride: columns,
                };
                // SAFETY: the block lies within the operand and the result; each is one task's.
                unsafe { self.functions[usize::from(is_large && are_lines)](block) }
            }
            if is_large {
                fence();
            }
        });
    }
}

/// The loop over the columns of a block; whole vectors are written around the cache if it `STREAMS`, of which they are lines.
struct Blocks<V, const STREAMS: bool>(PhantomData<V>);

impl<T: Number, const STREAMS: bool> VectorLoop<T> for Blocks<T, STREAMS> {
    type Arguments = Block<T>;
    type Of<V: Vector<Element = T>> = Blocks<V, STREAMS>;
}

impl<V: Vector, const STREAMS: bool> Multiversion for Blocks<V, STREAMS> {
    type Arguments = Block<V::Element>;

    #[inline(always)]
    unsafe fn run<M: MulAdd>(block: Block<V::Element>) {
        let Block { rows, columns, from, column_stride, to, row_stride } = block;
        let line = LINE / size_of::<V::Element>();
        let streams = STREAMS && V::LANES == line;
        // Apart, because the compiler then finds addresses by addition.
        if rows <= V::LANES && !streams {
            for column in (0..columns).step_by(V::LANES) {
                let (count, to) = (V::LANES.min(columns - column), to.wrapping_add(column));
                // SAFETY: as the caller vouches: `count` columns of `rows` elements lie within both.
                unsafe { V::transpose(|index| from.add((column + index) * column_stride), count, rows, to, row_stride) }
            }
            return;
        }
        for column in (0..columns).step_by(V::LANES) {
            let count = V::LANES.min(columns - column);
            for next in (column + V::LANES..columns).take(V::LANES) {
                for row in (0..rows).step_by(line) {
                    prefetch(from.wrapping_add(next * column_stride + row));
                }
            }
            for row in (0..rows).step_by(V::LANES) {
                let height = V::LANES.min(rows - row);
                // SAFETY: as the caller vouches: `count` columns of `height` elements lie within both; a tile has room for
                // them, and lines of the result are aligned.
                unsafe {
                    let (from, to) = (from.add(row + column * column_stride), to.add(row * row_stride + column));
                    if streams && count == V::LANES && height == V::LANES {
                        let mut tile = [const { MaybeUninit::<V>::uninit() }; MAX_LANES];
                        let lines = tile.as_mut_ptr().cast::<V::Element>();
                        V::transpose(|index| from.add(index * column_stride), V::LANES, V::LANES, lines, V::LANES);
                        for (row, vector) in tile.iter().take(V::LANES).enumerate() {
                            vector.assume_init().store_around(to.add(row * row_stride));
                        }
                    } else {
                        V::transpose(|index| from.add(index * column_stride), count, height, to, row_stride);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pool::{Pool, Scratch};

    #[test]
    fn rows_become_columns() {
        let large = [2, 4 << 10 | 5, 1 << 10];
        for sizes @ [batch, rows, columns] in
            [[1, 1, 1], [2, 3, 5], [1, 16, 16], [3, 33, 70], [2, 100, 7], [1, 150, 1100], large]
        {
            let (batch_stride, column_stride) = (rows * columns + 4, rows);
            let kernel = kernel(DType::F32, Transposition { sizes, batch_stride, column_stride }).expect("of f32");
            let from: Vec<f32> = (0..batch * batch_stride).map(|index| index as f32).collect();
            let mut memory = vec![0.0f32; batch * rows * columns + 16];
            // Only whole lines of the cache are written around it.
            let start = memory.as_ptr().align_offset(LINE);
            let to = &mut memory[start..][..batch * rows * columns];
            let (_memory, scratch) = Scratch::for_test(kernel.scratch(), 2);
            let (inputs, outputs) = ([from.as_ptr().cast()], [to.as_mut_ptr().cast()]);
            let run = Run { inputs: &inputs, outputs: &outputs, scratch, pool: &Pool::new(2), epilogue: None };
            // SAFETY: the arrays have the sizes that the kernel was made for.
            unsafe { kernel.run(&run) };
            for (place, &found) in to.iter().enumerate() {
                let (matrix, row, column) = (place / columns / rows, place / columns % rows, place % columns);
                assert!(found == from[matrix * batch_stride + row + column * column_stride], "{sizes:?}, {place}");
            }
        }
    }
}
