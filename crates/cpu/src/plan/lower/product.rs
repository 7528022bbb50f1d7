//! General products as products of matrices.

use gyrus_graph::ops::contraction::{DotGeneral, Precision};
use gyrus_graph::{DType, Port, Spec};

use super::super::order::Order;
use super::super::step::{Origin, Product, Read, Step};
use super::super::view::View;
use super::{Lowering, Place, Storage};
use crate::kernels::gemm::{Gemm, Operand};

/// Batches of matrices in memory.
struct Matrix {
    read: Read,
    strides: [isize; 3],
}

impl Lowering<'_> {
    /// The step of a product.
    pub(super) fn product(&mut self, origin: Origin, op: &DotGeneral, lhs: Port, rhs: Port, result: &Spec) -> Step {
        let [lhs_free, rhs_free] =
            [op.lhs_free(self.graph.spec(lhs).shape.rank()), op.rhs_free(self.graph.spec(rhs).shape.rank())];
        let (a, [batch, m, k]) = self.matrix(lhs, [&op.lhs_batch, &lhs_free, &op.lhs_contract]);
        let (b, [_, n, _]) = self.matrix(rhs, [&op.rhs_batch, &rhs_free, &op.rhs_contract]);
        let operand =
            |[batch, row, column]: [isize; 3]| Operand { batch_stride: batch, row_stride: row, col_stride: column };
        let gemm = Gemm {
            batch,
            m,
            n,
            k,
            a: operand(a.strides),
            b: operand([b.strides[0], b.strides[2], b.strides[1]]),
            c: operand([(m * n) as isize, n as isize, 1]),
            accumulate: false,
        };
        let is_rounded = op.precision == Precision::Bf16 && result.dtype == DType::F32;
        let gemm = if is_rounded { gemm.compile_rounded() } else { gemm.compile(result.dtype) };
        let kernel = Product { gemm };
        Step::new(origin, Box::new(kernel), vec![a.read, b.read], vec![])
    }

    /// An operand of a product as batches of matrices: where it begins, the three strides and sizes. A copy
    /// is made where axes that belong together are not evenly spaced.
    fn matrix(&mut self, port: Port, axes: [&[usize]; 3]) -> (Matrix, [usize; 3]) {
        let spec = self.graph.spec(port).clone();
        let merged =
            |view: &View| -> Option<Vec<(usize, isize)>> { axes.iter().map(|axes| view.merged(axes)).collect() };
        let Place { mut slot, mut view } = self.place(port);
        // A row-major copy serves all products of the operand, if it serves.
        let plain = View::contiguous(&spec.shape);
        if merged(&view).is_none() && merged(&plain).is_some() {
            (slot, view) = (self.contiguous(port), plain);
        }
        if let Some(merged) = merged(&view) {
            let size = spec.dtype.size();
            let offset = if spec.shape.num_elements() == 0 { 0 } else { view.offset as usize * size };
            let read = Read { slot, offset, in_step: false };
            return (Matrix { read, strides: [0, 1, 2].map(|i| merged[i].1) }, [0, 1, 2].map(|i| merged[i].0));
        }
        let view = view.transpose(&axes.concat());
        let ordered = Spec::new(&view.shape[..], spec.dtype);
        let slot = self.copy(&Place { slot, view }, &ordered, &Order::row_major(ordered.shape.rank()), Storage::Arena);
        let sizes = axes.map(|axes| axes.iter().map(|&axis| spec.shape[axis]).product::<usize>());
        let strides = [(sizes[1] * sizes[2]) as isize, sizes[2] as isize, 1];
        (Matrix { read: Read { slot, offset: 0, in_step: false }, strides }, sizes)
    }
}
