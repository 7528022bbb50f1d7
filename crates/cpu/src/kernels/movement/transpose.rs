//! Copies in which rows become columns, in blocks that fit registers.

use std::marker::PhantomData;

use gyrus_graph::DType;

use crate::isa::Isa;
use crate::kernel::{Kernel, Run};
use crate::kernels::gemm::microkernel::Vector;
use crate::kernels::gemm::number::{Number, VectorLoop};
use crate::kernels::split::{Pointers, split};
use crate::math::{MulAdd, Multiversion};

/// How many elements are worth a task.
const TASK: usize = 32 << 10;

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
    /// Rows of the result that are made together.
    lanes: usize,
    function: unsafe fn(Block<T>),
}

/// Some rows of one matrix of the result.
#[derive(Clone, Copy)]
struct Block<T> {
    rows: usize,
    columns: usize,
    from: *const T,
    column_stride: usize,
    to: *mut T,
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
        TransposeKernel { transposition, lanes: T::lanes(isa), function: T::vectorised::<Blocks<T>>(isa) }
    }
}

impl<T: Number> Kernel for TransposeKernel<T> {
    unsafe fn run(&self, run: &Run) {
        let Transposition { sizes: [batch, rows, columns], batch_stride, column_stride } = self.transposition;
        let (pointers, blocks) = (Pointers::of(run), rows.div_ceil(self.lanes));
        split(run.pool, batch * blocks, (TASK / (self.lanes * columns).max(1)).max(1), |range| {
            for index in range {
                let (matrix, row) = (index / blocks, index % blocks * self.lanes);
                let block = Block {
                    rows: self.lanes.min(rows - row),
                    columns,
                    from: pointers.input::<T>(0).wrapping_add(matrix * batch_stride + row),
                    column_stride,
                    to: pointers.output::<T>(0).wrapping_add((matrix * rows + row) * columns),
                };
                // SAFETY: the block lies within the operand and the result; each is one task's.
                unsafe { (self.function)(block) }
            }
        });
    }
}

/// The loop over the columns of a block.
struct Blocks<V>(PhantomData<V>);

impl<T: Number> VectorLoop<T> for Blocks<T> {
    type Arguments = Block<T>;
    type Of<V: Vector<Element = T>> = Blocks<V>;
}

impl<V: Vector> Multiversion for Blocks<V> {
    type Arguments = Block<V::Element>;

    #[inline(always)]
    unsafe fn run<M: MulAdd>(block: Block<V::Element>) {
        let Block { rows, columns, from, column_stride, to } = block;
        for column in (0..columns).step_by(V::LANES) {
            let count = V::LANES.min(columns - column);
            // SAFETY: as the caller vouches: `count` columns of `rows` elements lie within both.
            unsafe {
                V::transpose(|index| from.add((column + index) * column_stride), count, rows, to.add(column), columns)
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
        for sizes @ [batch, rows, columns] in [[1, 1, 1], [2, 3, 5], [1, 16, 16], [3, 33, 70], [2, 100, 7]] {
            let (batch_stride, column_stride) = (rows * columns + 4, rows);
            let kernel = kernel(DType::F32, Transposition { sizes, batch_stride, column_stride }).expect("of f32");
            let from: Vec<f32> = (0..batch * batch_stride).map(|index| index as f32).collect();
            let mut to = vec![0.0f32; batch * rows * columns];
            let (_memory, scratch) = Scratch::for_test(kernel.scratch(), 2);
            let (inputs, outputs) = ([from.as_ptr().cast()], [to.as_mut_ptr().cast()]);
            let run = Run { inputs: &inputs, outputs: &outputs, scratch, pool: &Pool::new(2), epilogue: None };
            // SAFETY: the arrays have the sizes that the kernel was made for.
            unsafe { kernel.run(&run) };
            for (place, &found) in to.iter().enumerate() {
                let (matrix, row, column) = (place / columns / rows, place / columns % rows, place % columns);
                assert_eq!(found, from[matrix * batch_stride + row + column * column_stride], "{sizes:?}, {place}");
            }
        }
    }
}
