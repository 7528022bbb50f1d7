//! What a fused element-wise pass computes.

use gyrus_graph::ops::elementwise::{Binary, Direction, Unary};
use gyrus_graph::{DType, Scalar};

/// A virtual register: one element of each place of the iteration space.
pub type Register = u16;

/// One step, done for every place of the iteration space. Registers of type `f16` and `bf16` are
/// computed in `f32` and rounded after each step, so that a fused pass gives the bits of separate ones.
#[derive(Clone, Debug, PartialEq)]
pub enum Instruction {
    /// The element of an input.
    Load {
        /// Where it goes.
        dst: Register,
        /// Which of [`Program::inputs`].
        input: usize,
    },
    /// The same element everywhere.
    Constant {
        /// Where it goes.
        dst: Register,
        /// The element.
        scalar: Scalar,
    },
    /// The place's index along an axis.
    Iota {
        /// Where it goes.
        dst: Register,
        /// The axis of [`Program::shape`].
        axis: usize,
    },
    /// A function of one register.
    Unary {
        /// The function.
        function: Unary,
        /// Where the result goes.
        dst: Register,
        /// The operand.
        src: Register,
    },
    /// A function of two registers.
    Binary {
        /// The function.
        function: Binary,
        /// Where the result goes.
        dst: Register,
        /// The first operand.
        a: Register,
        /// The second operand.
        b: Register,
    },
    /// A relation of two registers.
    Compare {
        /// The relation.
        direction: Direction,
        /// Where the result, a `bool`, goes.
        dst: Register,
        /// The first operand.
        a: Register,
        /// The second operand.
        b: Register,
    },
    /// `if condition { a } else { b }`.
    Select {
        /// Where the result goes.
        dst: Register,
        /// A `bool`.
        condition: Register,
        /// Taken where the condition is true.
        a: Register,
        /// Taken where it is false.
        b: Register,
    },
    /// The same number as another type, that of `dst`.
    Convert {
        /// Where the result goes.
        dst: Register,
        /// The operand.
        src: Register,
    },
    /// Writes a register to an output of the same type.
    Store {
        /// What is written.
        src: Register,
        /// Which of [`Program::outputs`].
        output: usize,
    },
}

/// How an input is laid out over the iteration space.
#[derive(Clone, Debug, PartialEq)]
pub struct Operand {
    /// The element type.
    pub dtype: DType,
    /// Distances in elements between neighbours along each axis: 0 repeats, negative ones reverse.
    pub strides: Vec<isize>,
    /// The element of the first place, counted from the start of the input.
    pub offset: isize,
}

/// A chain of element-wise operations over one iteration space. Outputs are row-major arrays of its
/// shape. Every register is of one type; its last definition before a use counts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Program {
    /// The sizes of the axes of the iteration space.
    pub shape: Vec<usize>,
    /// The type of each register.
    pub registers: Vec<DType>,
    /// The layout of each input.
    pub inputs: Vec<Operand>,
    /// The type of each output.
    pub outputs: Vec<DType>,
    /// The steps in order.
    pub instructions: Vec<Instruction>,
}
