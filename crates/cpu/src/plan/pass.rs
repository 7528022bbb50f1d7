//! The program of one fused pass, while it is put together.

use std::collections::HashMap;

use gyrus_graph::{DType, GraphNode, Op, Port};

use super::order::Order;
use super::step::Read;
use super::view::View;
use crate::kernels::elementwise::{Instruction, Operand, Program, Register};

/// An element-wise program in the making, with what it reads and writes.
pub(super) struct Pass {
    pub(super) program: Program,
    pub(super) reads: Vec<Read>,
    pub(super) writes: Vec<usize>,
    /// In which order the places are walked and results lie in memory.
    pub(super) order: Order,
    registers: HashMap<Port, Register>,
}

impl Pass {
    /// A pass over a shape, in an order of its axes.
    pub(super) fn new(shape: &[usize], order: Order) -> Self {
        let program = Program { shape: order.sorted(shape), ..Program::default() };
        Pass { program, reads: vec![], writes: vec![], order, registers: HashMap::new() }
    }

    /// Where a value already is.
    pub(super) fn register(&self, port: Port) -> Option<Register> {
        self.registers.get(&port).copied()
    }

    fn new_register(&mut self, port: Port, dtype: DType) -> Register {
        let register = self.program.registers.len() as Register;
        self.program.registers.push(dtype);
        self.registers.insert(port, register);
        register
    }

    /// A value that costs nothing to make: a constant, or a count over the pass's own shape.
    pub(super) fn make(&mut self, port: Port, op: &Op) {
        match op {
            Op::Constant(constant) => {
                let dst = self.new_register(port, constant.scalar.dtype());
                self.program.instructions.push(Instruction::Constant { dst, scalar: constant.scalar });
            }
            Op::Iota(iota) => {
                let dst = self.new_register(port, iota.spec.dtype);
                self.program.instructions.push(Instruction::Iota { dst, axis: self.order.place(iota.axis) });
            }
            _ => unreachable!("only sources are made"),
        }
    }

    /// A value in memory.
    pub(super) fn load(&mut self, port: Port, dtype: DType, slot: usize, view: &View) {
        let view = self.order.apply(view);
        let dst = self.new_register(port, dtype);
        let input = self.program.inputs.len();
        self.program.inputs.push(Operand { dtype, strides: view.strides.clone(), offset: view.offset });
        self.reads.push(Read { slot, offset: 0, in_step: view.is_contiguous() });
        self.program.instructions.push(Instruction::Load { dst, input });
    }

    /// An element-wise operation whose operands are in registers.
    pub(super) fn compute(&mut self, index: usize, node: &GraphNode) {
        let port = Port { node: index, output: 0 };
        let operands: Vec<Register> = node.inputs.iter().map(|input| self.registers[input]).collect();
        let dst = self.new_register(port, node.outputs[0].dtype);
        let instruction = match (&node.op, &operands[..]) {
            (Op::Unary(function), &[src]) => Instruction::Unary { function: *function, dst, src },
            (Op::Binary(function), &[a, b]) => Instruction::Binary { function: *function, dst, a, b },
            (Op::Compare(op), &[a, b]) => Instruction::Compare { direction: op.direction, dst, a, b },
            (Op::Select(_), &[condition, a, b]) => Instruction::Select { dst, condition, a, b },
            (Op::Convert(_), &[src]) => Instruction::Convert { dst, src },
            (op, _) => unreachable!("{op:?} is not element-wise"),
        };
        self.program.instructions.push(instruction);
    }

    /// Writes a value to memory.
    pub(super) fn store(&mut self, port: Port, slot: usize) {
        let src = self.registers[&port];
        let output = self.program.outputs.len();
        self.program.outputs.push(self.program.registers[src as usize]);
        self.writes.push(slot);
        self.program.instructions.push(Instruction::Store { src, output });
    }
}
