//! General products as products of matrices.

use gyrus_graph::ops::contraction::{DotGeneral, Precision};
use gyrus_graph::ops::elementwise::Binary;
use gyrus_graph::ops::reduction::{Reduce, Reduction};
use gyrus_graph::{DType, Graph, Op, Port, Spec};

use super::super::fuse::{Group, Role, root};
use super::super::order::Order;
use super::super::step::{Origin, Product, Read, Step};
use super::super::view::View;
use super::{Lowering, Place, Storage};
use crate::kernels::gemm::sequences::{SequenceProduct, Steps};
use crate::kernels::gemm::{CompiledGemm, Gemm, Operand};

/// How many matrices a product adds to its result at most.
const MAX_ADDED: usize = 2;

/// Batches of matrices in memory.
struct Matrix {
    read: Read,
    strides: [isize; 3],
}

impl Lowering<'_> {
    /// The step of a product, and which values it computes in which orders: the product, or the sum that its group makes
    /// of it first, and what is to be computed beside it, if it can; then which of the group's operations it does.
    pub(super) fn product(
        &mut self,
        origin: Origin,
        op: &DotGeneral,
        node: usize,
        group: &Group,
    ) -> (Step, Vec<(Port, Order)>, Vec<usize>) {
        let product = Port { node, output: 0 };
        let (lhs, rhs) = (self.graph.nodes[node].inputs[0], self.graph.nodes[node].inputs[1]);
        let result = self.graph.spec(product).clone();
        let graph = self.graph;
        let row_major = |port: Port| (port, Order::row_major(graph.spec(port).shape.rank()));
        let [lhs_axes, rhs_axes] = axes_of(self.graph, op, node);
        let (a, [batch, m, k]) = self.matrix(lhs, &lhs_axes);
        let (b, [_, n, _]) = self.matrix(rhs, &rhs_axes);
        let gemm = of_strides([batch, m, n, k], a.strides, b.strides);
        let compile = |gemm: &Gemm| compile(gemm, op, result.dtype);
        if let Some((steps, Lengths { port, is_batch_first })) = self.lengths(op, node) {
            let batch = self.graph.spec(port).shape[0];
            if let Some(kernel) = SequenceProduct::new(gemm, result.dtype, steps, (batch, is_batch_first), compile) {
                let lengths = Read { slot: self.contiguous(port), offset: 0, in_step: false };
                // The sums are those of all steps where those that are not there are zeros.
                let beside = group.beside.filter(|_| kernel.sums_rows() && of_scan(graph, lhs).is_some());
                let beside = beside.map(|node| Port { node, output: 0 });
                let results = [product].into_iter().chain(beside).map(row_major).collect();
                return (Step::new(origin, Box::new(kernel), vec![a.read, b.read, lengths], vec![]), results, vec![]);
            }
        }
        let gemm = compile(&gemm);
        let beside = group.beside.filter(|_| gemm.sums_rows()).map(|node| Port { node, output: 0 });
        let axes = (lhs_axes[0].len() + lhs_axes[1].len(), result.shape.rank());
        let (added, sums) = if gemm.adds() { self.sum(product, group, axes) } else { (vec![], vec![]) };
        let result = sums.last().map_or(product, |&node| Port { node, output: 0 });
        let (more, added): (Vec<Read>, Vec<isize>) = added.into_iter().unzip();
        let reads = [a.read, b.read].into_iter().chain(more).collect();
        let kernel = Product { gemm, added, sums_rows: beside.is_some() };
        let results = [result].into_iter().chain(beside).map(row_major).collect();
        (Step::new(origin, Box::new(kernel), reads, vec![]), results, sums)
    }

    /// What a group adds to its product before it does anything else, each with the distance of rows, and its operations that
    /// do. Of the result's axes the first ones are rows.
    fn sum(&mut self, product: Port, group: &Group, (rows, rank): (usize, usize)) -> (Vec<(Read, isize)>, Vec<usize>) {
        let (graph, elementwise) = (self.graph, &group.elementwise);
        let (row_axes, column_axes): (Vec<usize>, Vec<usize>) = ((0..rows).collect(), (rows..rank).collect());
        let (mut sum, mut added, mut sums) = (product, vec![], vec![]);
        while added.len() < MAX_ADDED && !self.stored.contains(&sum) {
            let reads = |&&node: &&usize| graph.nodes[node].inputs.iter().any(|&port| root(graph, port) == sum);
            let mut readers = elementwise.iter().filter(reads);
            let (Some(&node), None) = (readers.next(), readers.next()) else { break };
            let (&[a, b], Op::Binary(Binary::Add)) = (&graph.nodes[node].inputs[..], &graph.nodes[node].op) else {
                break;
            };
            let Some(other) = [a, b].into_iter().find(|&port| port != sum).filter(|_| a == sum || b == sum) else {
                break;
            };
            let source = root(graph, other);
            let is_in_memory = match Role::of(self.op(source)) {
                Role::Elementwise => self.stored.contains(&source),
                Role::Source => self.places.contains_key(&source),
                _ => source != product,
            };
            if elementwise.contains(&source.node) || !is_in_memory {
                break;
            }
            let Place { slot, view } = self.place(other);
            let (Some((_, row_stride)), Some((columns, stride))) = (view.merged(&row_axes), view.merged(&column_axes))
            else {
                break;
            };
            if columns > 1 && stride != 1 {
                break;
            }
            let offset = view.offset as usize * graph.spec(other).dtype.size();
            added.push((Read { slot, offset, in_step: view.is_contiguous() }, row_stride));
            sums.push(node);
            sum = Port { node, output: 0 };
        }
        (added, sums)
    }

    /// The lengths of the sequences that a product is of, if no one needs the steps that are not there: because they
    /// are zeros, or because only scans read the result.
    fn lengths(&self, op: &DotGeneral, node: usize) -> Option<(Steps, Lengths)> {
        let &[lhs, rhs] = &self.graph.nodes[node].inputs[..] else { return None };
        let is_of_steps = |port: Port, axes: &[usize]| self.graph.spec(port).shape.rank() == 3 && axes == [0, 1];
        if !op.lhs_batch.is_empty() || !is_of_steps(lhs, &[0, 1]) {
            return None;
        }
        let (steps, lengths) = match op.lhs_contract[..] {
            [2] => (Steps::Rows, of_scan(self.graph, lhs).or_else(|| of_readers(self.graph, node))?),
            [0, 1] if is_of_steps(rhs, &op.rhs_contract) => {
                (Steps::Depth, of_scan(self.graph, lhs).or_else(|| of_scan(self.graph, rhs))?)
            }
            _ => return None,
        };
        // What is to be computed later cannot be read now.
        self.places.contains_key(&root(self.graph, lengths.port)).then_some((steps, lengths))
    }

    /// An operand of a product as batches of matrices: where it begins, the three strides and sizes. A copy
    /// is made where axes that belong together are not evenly spaced.
    fn matrix(&mut self, port: Port, axes: &Axes) -> (Matrix, [usize; 3]) {
        let spec = self.graph.spec(port).clone();
        let merged = |view: &View| merged(view, axes);
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
        let sizes = axes.each_ref().map(|axes| axes.iter().map(|&axis| spec.shape[axis]).product::<usize>());
        let strides = [(sizes[1] * sizes[2]) as isize, sizes[2] as isize, 1];
        (Matrix { read: Read { slot, offset: 0, in_step: false }, strides }, sizes)
    }
}

/// Which axes of an operand are the batch, the rows or columns, and the depth.
type Axes = [Vec<usize>; 3];

fn axes_of(graph: &Graph, op: &DotGeneral, node: usize) -> [Axes; 2] {
    let rank = |operand: usize| graph.spec(graph.nodes[node].inputs[operand]).shape.rank();
    [
        [op.lhs_batch.clone(), op.lhs_free(rank(0)), op.lhs_contract.clone()],
        [op.rhs_batch.clone(), op.rhs_free(rank(1)), op.rhs_contract.clone()],
    ]
}

/// An operand as batches of matrices, if it is that as it lies: sizes and strides.
fn merged(view: &View, axes: &Axes) -> Option<Vec<(usize, isize)>> {
    axes.iter().map(|axes| view.merged(axes)).collect()
}

/// The product of operands of which the strides of the batch, of rows or columns, and of the depth are known.
fn of_strides([batch, m, n, k]: [usize; 4], a: [isize; 3], b: [isize; 3]) -> Gemm {
    let operand =
        |[batch, row, column]: [isize; 3]| Operand { batch_stride: batch, row_stride: row, col_stride: column };
    let c = Operand::contiguous(m, n);
    Gemm { batch, m, n, k, a: operand(a), b: operand([b[0], b[2], b[1]]), c, accumulate: false }
}

fn compile(gemm: &Gemm, op: &DotGeneral, dtype: DType) -> CompiledGemm {
    let is_rounded = op.precision == Precision::Bf16 && dtype == DType::F32;
    if is_rounded { gemm.compile_rounded() } else { gemm.compile(dtype) }
}

/// Whether a reduction gives the sums of the rows of a product's left operand, and the product will have a kernel that
/// computes them as well: as long as its operands lie as they are expected to.
pub(in super::super) fn sums_rows(graph: &Graph, product: usize, reduction: usize) -> bool {
    let (node, reduced) = (&graph.nodes[product], &graph.nodes[reduction]);
    let (Op::DotGeneral(op), Op::Reduce(Reduce { reduction: Reduction::Sum, axes })) = (&node.op, &reduced.op) else {
        return false;
    };
    let is_depth = op.lhs_contract.len() == axes.len() && op.lhs_contract.iter().all(|axis| axes.contains(axis));
    if node.inputs[0] != reduced.inputs[0] || !op.lhs_batch.is_empty() || !is_depth {
        return false;
    }
    let matrices = |operand: usize, axes: &Axes| {
        let merged = merged(&View::contiguous(&graph.spec(node.inputs[operand]).shape), axes)?;
        Some(([0, 1, 2].map(|i| merged[i].0), [0, 1, 2].map(|i| merged[i].1)))
    };
    let [lhs, rhs] = axes_of(graph, op, product);
    let (Some(([batch, m, k], a)), Some(([_, n, _], b))) = (matrices(0, &lhs), matrices(1, &rhs)) else { return false };
    compile(&of_strides([batch, m, n, k], a, b), op, node.outputs[0].dtype).sums_rows()
}

/// The lengths of sequences, and whether these are `[B, T, ..]`, not `[T, B, ..]`.
#[derive(Clone, Copy, PartialEq)]
struct Lengths {
    port: Port,
    is_batch_first: bool,
}

impl Lengths {
    fn transposed(self) -> Lengths {
        Lengths { is_batch_first: !self.is_batch_first, ..self }
    }
}

/// The lengths of the sequences of a scan, or its gradient.
fn lengths_of(graph: &Graph, node: usize) -> Option<Lengths> {
    let node = &graph.nodes[node];
    let is_scan = matches!(
        node.op,
        Op::RnnScan(_)
            | Op::RnnScanGrad(_)
            | Op::GruScan(_)
            | Op::GruScanGrad(_)
            | Op::LstmScan(_)
            | Op::LstmScanGrad(_)
    );
    let last = node.inputs.last().copied().filter(|&last| is_scan && graph.spec(last).dtype == DType::I64)?;
    Some(Lengths { port: last, is_batch_first: false })
}

/// Whether an operation swaps steps and sequences.
fn is_transpose(op: &Op) -> bool {
    matches!(op, Op::Transpose(op) if op.permutation[..] == [1, 0, 2])
}

/// The lengths of the sequences that a scan made, of which it made all other steps zeros.
fn of_scan(graph: &Graph, port: Port) -> Option<Lengths> {
    let node = &graph.nodes[port.node];
    if is_transpose(&node.op) {
        return of_scan(graph, node.inputs[0]).map(Lengths::transposed);
    }
    lengths_of(graph, port.node).filter(|_| graph.spec(port).shape.rank() == 3)
}

/// The lengths of the sequences that are all that scans read of a result.
fn of_readers(graph: &Graph, node: usize) -> Option<Lengths> {
    if graph.outputs.iter().any(|port| port.node == node) {
        return None;
    }
    let is_read = |reader: &usize| graph.nodes[*reader].inputs.iter().any(|port| port.node == node);
    let mut lengths = (0..graph.nodes.len()).filter(is_read).map(|reader| match &graph.nodes[reader].op {
        op if is_transpose(op) => of_readers(graph, reader).map(Lengths::transposed),
        _ => lengths_of(graph, reader),
    });
    let first = lengths.next()??;
    lengths.all(|other| other == Some(first)).then_some(first)
}
