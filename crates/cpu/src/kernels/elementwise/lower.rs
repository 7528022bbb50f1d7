//! From a program to the loops that run for each block.

use gyrus_graph::ops::elementwise::{Binary, Direction, Unary};
use gyrus_graph::{DType, Scalar};

use super::functions::{self, BlockFunction, CHAINS, Lane, MAX_OPERANDS};
use super::layout::{Access, Source, Space};
use super::program::{Instruction, Program, Register};
use crate::isa::Isa;

/// How often a value changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Extent {
    /// One element for all places.
    Once,
    /// One element for each row.
    Row,
    /// One element for each place.
    Full,
}

/// A function of values.
#[derive(Clone, Copy, Debug)]
pub(super) enum Function {
    Unary(Unary),
    Binary(Binary),
    Compare(Direction),
    Select,
    Convert {
        from: DType,
    },
    /// Of [`CHAINS`], the one of this number.
    Chain(usize),
}

/// What a value is.
#[derive(Clone, Debug)]
pub(super) enum Definition {
    Constant(usize),
    Source(usize),
    Call { function: Function, operands: Vec<usize> },
}

/// A register between one definition and the next.
#[derive(Clone, Debug)]
pub(super) struct Value {
    pub(super) dtype: DType,
    pub(super) extent: Extent,
    pub(super) definition: Definition,
    pub(super) is_live: bool,
}

/// A program in which every value is defined once.
pub(super) struct Values {
    pub(super) values: Vec<Value>,
    /// Values written to outputs, in order.
    pub(super) stores: Vec<(usize, usize)>,
    pub(super) constants: Vec<u64>,
    /// What a reduction reads.
    pub(super) result: Option<usize>,
}

impl Values {
    pub(super) fn new(program: &Program, space: &Space, sources: &[Source], result: Option<Register>) -> Values {
        let mut values: Vec<Value> = vec![];
        let mut current = vec![usize::MAX; program.registers.len()];
        let mut of_source = vec![usize::MAX; sources.len()];
        let (mut stores, mut constants, mut counts) = (vec![], vec![], program.inputs.len());
        for instruction in &program.instructions {
            let read = |register: Register| {
                let value = current[register as usize];
                assert_ne!(value, usize::MAX, "register {register} is read before it is written");
                value
            };
            let (dst, definition) = match *instruction {
                Instruction::Load { dst, input } => (dst, Definition::Source(input)),
                Instruction::Iota { dst, .. } => {
                    counts += 1;
                    (dst, Definition::Source(counts - 1))
                }
                Instruction::Constant { dst, scalar } => {
                    constants.push(constant_bits(scalar));
                    (dst, Definition::Constant(constants.len() - 1))
                }
                Instruction::Unary { function, dst, src } => (dst, call(Function::Unary(function), &[read(src)])),
                Instruction::Binary { function, dst, a, b } => {
                    (dst, call(Function::Binary(function), &[read(a), read(b)]))
                }
                Instruction::Compare { direction, dst, a, b } => {
                    (dst, call(Function::Compare(direction), &[read(a), read(b)]))
                }
                Instruction::Select { dst, condition, a, b } => {
                    (dst, call(Function::Select, &[read(condition), read(a), read(b)]))
                }
                Instruction::Convert { dst, src } => {
                    let from = program.registers[src as usize];
                    (dst, call(Function::Convert { from }, &[read(src)]))
                }
                Instruction::Store { src, output } => {
                    stores.push((read(src), output));
                    continue;
                }
            };
            if let Definition::Source(source) = definition
                && of_source[source] != usize::MAX
            {
                current[dst as usize] = of_source[source];
                continue;
            }
            let extent = match &definition {
                Definition::Constant(_) => Extent::Once,
                Definition::Source(source) => {
                    of_source[*source] = values.len();
                    match sources[*source].access {
                        Access::Uniform => Extent::Once,
                        Access::RowScalar => Extent::Row,
                        _ => Extent::Full,
                    }
                }
                Definition::Call { operands, .. } => {
                    operands.iter().map(|&operand| values[operand].extent).max().unwrap_or(Extent::Once)
                }
            };
            debug_assert!(space.by_rows || extent != Extent::Row);
            current[dst as usize] = values.len();
            values.push(Value { dtype: program.registers[dst as usize], extent, definition, is_live: false });
        }
        let result = result.map(|register| current[register as usize]);
        for root in stores.iter().map(|&(value, _)| value).chain(result) {
            values[root].is_live = true;
        }
        for index in (0..values.len()).rev() {
            if let (true, Definition::Call { operands, .. }) = (values[index].is_live, values[index].definition.clone())
            {
                operands.iter().for_each(|&operand| values[operand].is_live = true);
            }
        }
        let mut values = Values { values, stores, constants, result };
        values.join();
        values
    }
}

/// The function of these values.
pub(super) fn call(function: Function, operands: &[usize]) -> Definition {
    Definition::Call { function, operands: operands.to_vec() }
}

/// The constant as registers hold it.
fn constant_bits(scalar: Scalar) -> u64 {
    match scalar.dtype() {
        DType::F16 | DType::BF16 => (scalar.to_f64() as f32).to_bits() as u64,
        _ => scalar.bits(),
    }
}

/// Where a step reads or writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// A block in scratch memory, of so many bytes per element.
    Register(usize),
    /// One element in scratch memory.
    Cell,
    Constant(usize),
    /// The source's own memory, at the current block.
    Source(usize),
    /// The output's own memory, at the current block.
    Output(usize),
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Action {
    Call(BlockFunction),
    Load(usize),
}

/// One loop over a block, or over one element for an extent other than [`Extent::Full`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    pub(super) action: Action,
    pub(super) extent: Extent,
    /// Numbers of places.
    pub(super) dst: usize,
    pub(super) operands: [usize; MAX_OPERANDS],
    /// Whether `dst` may be the memory of an operand.
    pub(super) may_overwrite: bool,
}

/// No operand.
pub(super) const NONE: usize = usize::MAX;

/// One operand alone.
fn operands_of(place: usize) -> [usize; MAX_OPERANDS] {
    let mut operands = [NONE; MAX_OPERANDS];
    operands[0] = place;
    operands
}

/// The steps of a program, on numbered places.
#[derive(Clone, Debug, Default)]
pub(super) struct Lowered {
    pub(super) places: Vec<Place>,
    /// Before the first block.
    pub(super) prologue: Vec<Step>,
    /// For each block.
    pub(super) body: Vec<Step>,
    /// Where a reduction finds its operand.
    pub(super) result: usize,
}

/// How outputs are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Writing {
    /// By the step that computes them.
    Direct,
    /// Around the cache, from registers or blocks in it.
    Streaming,
    /// After all is read: outputs may be the memory of inputs in any way that programs allow.
    InPlace,
}

/// Chooses the steps.
pub(super) fn lower(program: &Values, sources: &[Source], outputs: &[DType], writing: Writing, isa: Isa) -> Lowered {
    let in_place = writing == Writing::InPlace;
    let count = program.values.len();
    let lowering = Lowering {
        program,
        sources,
        in_place,
        streams: writing == Writing::Streaming,
        isa,
        found: vec![NONE; count],
        spread: vec![NONE; count],
        lowered: Lowered { result: NONE, ..Lowered::default() },
    };
    lowering.run(outputs)
}

struct Lowering<'a> {
    program: &'a Values,
    sources: &'a [Source],
    in_place: bool,
    streams: bool,
    isa: Isa,
    /// The place of each value.
    found: Vec<usize>,
    /// The register in which a scalar value is repeated.
    spread: Vec<usize>,
    lowered: Lowered,
}

impl Lowering<'_> {
    fn run(mut self, outputs: &[DType]) -> Lowered {
        let mut pending: Vec<(usize, usize)> = self.program.stores.clone();
        for index in 0..self.program.values.len() {
            let value = &self.program.values[index];
            if !value.is_live {
                continue;
            }
            if let Definition::Call { function, operands } = &value.definition {
                let direct = pending.iter().position(|&(stored, output)| {
                    stored == index
                        && !self.in_place
                        && (!self.streams || self.streaming(*function).is_some() && !self.is_read(index))
                        && value.extent == Extent::Full
                        && functions::is_direct(outputs[output])
                });
                let output = direct.map(|position| pending.remove(position).1);
                self.call(index, *function, operands, output);
            }
            if !self.in_place {
                let ready: Vec<_> = pending.extract_if(.., |&mut (stored, _)| stored == index).collect();
                ready.into_iter().for_each(|(stored, output)| self.store(stored, output, outputs[output]));
            }
        }
        // What is stored as it was loaded must be read before anything is written.
        pending.iter().for_each(|&(stored, _)| {
            self.block(stored);
        });
        pending.into_iter().for_each(|(stored, output)| self.store(stored, output, outputs[output]));
        if let Some(result) = self.program.result {
            self.lowered.result = self.block(result);
        }
        self.lowered
    }

    fn place(&mut self, place: Place) -> usize {
        self.lowered.places.push(place);
        self.lowered.places.len() - 1
    }

    fn push(&mut self, extent: Extent, action: Action, dst: usize, operands: [usize; MAX_OPERANDS]) {
        self.push_step(extent, Step { action, extent, dst, operands, may_overwrite: false });
    }

    /// A step for each block, or before the first one if what it makes stays the same.
    fn push_step(&mut self, changes: Extent, step: Step) {
        let steps = if changes == Extent::Once { &mut self.lowered.prologue } else { &mut self.lowered.body };
        steps.push(step);
    }

    /// The place of a value, which is loaded if it has not been.
    fn operand(&mut self, value: usize) -> usize {
        if self.found[value] != NONE {
            return self.found[value];
        }
        let Value { extent, definition, .. } = self.program.values[value].clone();
        self.found[value] = match definition {
            Definition::Constant(constant) => self.place(Place::Constant(constant)),
            Definition::Source(source) => self.source(source, extent, value),
            Definition::Call { .. } => unreachable!("calls come in order"),
        };
        self.found[value]
    }

    fn source(&mut self, index: usize, extent: Extent, value: usize) -> usize {
        let source = &self.sources[index];
        let lane = source.lane();
        if matches!(source.access, Access::Periodic(_)) {
            return self.place(Place::Source(index));
        }
        let is_stored = self.in_place && self.program.stores.iter().any(|&(stored, _)| stored == value);
        if source.is_direct() && source.access != Access::Strided && !is_stored {
            return self.place(Place::Source(index));
        }
        let place = if extent == Extent::Full { Place::Register(lane.size()) } else { Place::Cell };
        let dst = self.place(place);
        self.push(extent, Action::Load(index), dst, [NONE; MAX_OPERANDS]);
        dst
    }

    /// The place of a value as a block of elements.
    fn block(&mut self, value: usize) -> usize {
        let scalar = self.operand(value);
        let Value { dtype, extent, .. } = self.program.values[value];
        if extent == Extent::Full {
            return scalar;
        }
        if self.spread[value] == NONE {
            let lane = Lane::of(dtype);
            let dst = self.place(Place::Register(lane.size()));
            let action = Action::Call(functions::fill(lane, self.isa));
            let (operands, may_overwrite) = (operands_of(scalar), false);
            let step = Step { action, extent: Extent::Full, dst, operands, may_overwrite };
            self.push_step(extent, step);
            self.spread[value] = dst;
        }
        self.spread[value]
    }

    fn call(&mut self, index: usize, function: Function, operands: &[usize], output: Option<usize>) {
        let Value { dtype, extent, .. } = self.program.values[index];
        let of_operand = self.program.values[operands[0]].dtype;
        let is_scalar =
            |operand: &usize| extent == Extent::Full && self.program.values[*operand].extent != Extent::Full;
        let mut scalars = [false; MAX_OPERANDS];
        operands.iter().zip(&mut scalars).for_each(|(operand, scalar)| *scalar = is_scalar(operand));
        let (mut function, mut operands) = (function, operands.to_vec());
        if let (Function::Compare(direction), [true, false, ..]) = (function, scalars) {
            function = Function::Compare(flipped(direction));
            operands.swap(0, 1);
            scalars[..2].reverse();
        }
        let isa = self.isa;
        let streaming = output.filter(|_| self.streams).and_then(|_| self.streaming(function));
        let chosen = match function {
            _ if streaming.is_some() => streaming,
            Function::Unary(function) => Some(functions::unary(function, of_operand, isa)),
            Function::Convert { from } => Some(functions::convert(from, dtype, isa)),
            Function::Binary(function) => functions::binary(function, of_operand, [scalars[0], scalars[1]], isa),
            Function::Compare(direction) => Some(functions::compare(direction, Lane::of(of_operand), scalars[1], isa)),
            Function::Chain(chain) => Some((CHAINS[chain].function)(isa)),
            Function::Select => {
                let taken = [scalars[1], scalars[2]];
                (!scalars[0]).then(|| functions::select(Lane::of(dtype), taken, isa))
            }
        };
        let action = chosen.unwrap_or_else(|| {
            scalars = [false; MAX_OPERANDS];
            match function {
                Function::Binary(function) => {
                    functions::binary(function, of_operand, [false; 2], isa).expect("there is one of blocks")
                }
                _ => functions::select(Lane::of(dtype), [false; 2], isa),
            }
        });
        let mut places = [NONE; MAX_OPERANDS];
        for ((&operand, &scalar), place) in operands.iter().zip(&scalars).zip(&mut places) {
            *place = if scalar || extent != Extent::Full { self.operand(operand) } else { self.block(operand) };
        }
        let place = match output {
            Some(output) => Place::Output(output),
            None if extent == Extent::Full => Place::Register(Lane::of(dtype).size()),
            None => Place::Cell,
        };
        let dst = self.place(place);
        let may_overwrite = matches!(function, Function::Chain(_)) && functions::chains_overwrite(self.isa);
        self.push_step(extent, Step { action: Action::Call(action), extent, dst, operands: places, may_overwrite });
        if let (false, Some(round)) = (is_exact(function), functions::round(dtype, isa)) {
            self.push(extent, Action::Call(round), dst, operands_of(dst));
        }
        self.found[index] = dst;
    }

    /// Whether a value is an operand: what is written around the cache is far from who reads it.
    fn is_read(&self, value: usize) -> bool {
        let reads = |other: &Value| {
            other.is_live && matches!(&other.definition, Definition::Call { operands, .. } if operands.contains(&value))
        };
        self.program.result == Some(value) || self.program.values.iter().any(reads)
    }

    /// The loop that writes the function's results around the cache, if there is one.
    fn streaming(&self, function: Function) -> Option<BlockFunction> {
        match function {
            Function::Chain(chain) => (CHAINS[chain].streaming)(self.isa),
            _ => None,
        }
    }

    /// The source that a value is, if its elements are still to be brought together, which may be done where they are stored.
    fn brought_together(&self, value: usize, stored: DType) -> Option<usize> {
        let Value { extent, ref definition, .. } = self.program.values[value];
        let Definition::Source(source) = *definition else { return None };
        let is_strided = extent == Extent::Full && self.sources[source].access == Access::Strided;
        let is_new = self.found[value] == NONE && !self.in_place && !self.streams;
        (is_strided && is_new && functions::is_direct(stored)).then_some(source)
    }

    fn store(&mut self, value: usize, output: usize, dtype: DType) {
        if let Some(source) = self.brought_together(value, dtype) {
            let dst = self.place(Place::Output(output));
            self.found[value] = dst;
            return self.push(Extent::Full, Action::Load(source), dst, [NONE; MAX_OPERANDS]);
        }
        let from = self.block(value);
        let dst = self.place(Place::Output(output));
        let function = match self.streams && functions::is_direct(dtype) {
            true => functions::stream(Lane::of(dtype), self.isa),
            false => functions::store(dtype, self.isa),
        };
        let step = Action::Call(function);
        self.push(Extent::Full, step, dst, operands_of(from));
    }
}

/// Whether the result for operands of a type is of that type without rounding.
fn is_exact(function: Function) -> bool {
    match function {
        Function::Unary(function) => {
            matches!(function, Unary::Abs | Unary::Neg | Unary::Sign | Unary::Floor | Unary::Ceil | Unary::Round)
        }
        Function::Binary(function) => matches!(function, Binary::Max | Binary::Min),
        // Conversion rounds by itself; chains are of `f32`.
        Function::Compare(_) | Function::Select | Function::Convert { .. } | Function::Chain(_) => true,
    }
}

/// The relation of `b` and `a` that a relation of `a` and `b` is.
fn flipped(direction: Direction) -> Direction {
    match direction {
        Direction::Lt => Direction::Gt,
        Direction::Le => Direction::Ge,
        Direction::Gt => Direction::Lt,
        Direction::Ge => Direction::Le,
        same => same,
    }
}
