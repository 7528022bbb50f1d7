//! Programs against the oracle.

use std::array::from_fn;

use gyrus_graph::ops::elementwise::{Binary, Direction, Unary};
use gyrus_graph::{DType, Scalar};
use proptest::prelude::*;

use super::functions::{CHAINS, Chain, MAX_OPERANDS, Pattern, chains_overwrite};
use super::reference::{Number, elements, evaluate, indices, is_rounded};
use super::{BoundProgram, CompiledProgram, Instruction, Operand, Program};
use crate::isa::Isa;
use crate::kernels::cache_line::MIN_STREAM;
use crate::kernels::gemm::Epilogue;
use crate::pool::{Pool, Scratch};

fn scratch_of(compiled: &CompiledProgram) -> (Vec<u64>, *mut u8) {
    let mut memory = vec![0x55u64; compiled.scratch_per_worker() / 8 + 16];
    let start = memory.as_mut_ptr().cast::<u8>();
    // SAFETY: there is room to align.
    let start = unsafe { start.add(start.align_offset(64)) };
    (memory, start)
}

/// The outputs of a run that is divided at the given places.
fn run(compiled: &CompiledProgram, program: &Program, inputs: &[&[u8]], cuts: &[usize]) -> Vec<Vec<u8>> {
    let total = compiled.num_elements();
    let mut outputs: Vec<Vec<u8>> = program.outputs.iter().map(|dtype| vec![0xee; total * dtype.size()]).collect();
    let input_pointers: Vec<*const u8> = inputs.iter().map(|input| input.as_ptr()).collect();
    let output_pointers: Vec<*mut u8> = outputs.iter_mut().map(|output| output.as_mut_ptr()).collect();
    let (_memory, scratch) = scratch_of(compiled);
    let mut bounds = vec![0];
    bounds.extend(cuts.iter().map(|cut| cut.min(&total)));
    bounds.push(total);
    bounds.sort_unstable();
    for pair in bounds.windows(2) {
        // SAFETY: the arrays have the sizes that the program states.
        unsafe { compiled.run_places(&input_pointers, &output_pointers, pair[0]..pair[1], scratch) }
    }
    outputs
}

/// Whether two arrays have the same bits, but for the sign and the payload of NaN: a loop's vectors and its last elements
/// may differ in those, as AArch64's subtraction of a product negates one of its factors, also if that is NaN.
fn are_same(dtype: DType, a: &[u8], b: &[u8]) -> bool {
    let mut pairs = a.chunks_exact(dtype.size()).zip(b.chunks_exact(dtype.size()));
    pairs.all(|(a, b)| a == b || [a, b].iter().all(|bytes| Number::read(dtype, bytes, 0).real().is_nan()))
}

/// Compares all outputs with the oracle, for each instruction set, whole and divided.
fn check(program: &Program, inputs: &[&[u8]], cuts: &[usize], tolerance: f64) {
    for &isa in Isa::available() {
        let compiled = program.clone().compile_for(isa);
        let outputs = run(&compiled, program, inputs, &[]);
        let divided = run(&compiled, program, inputs, cuts);
        for ((whole, divided), &dtype) in outputs.iter().zip(&divided).zip(&program.outputs) {
            assert!(are_same(dtype, whole, divided), "division changes bits: {program:?}");
        }
        for place in 0..compiled.num_elements() {
            let (_, stores) = evaluate(program, inputs, place);
            for (output, exact) in stores {
                let dtype = program.outputs[output];
                let got = Number::read(dtype, &outputs[output], place);
                let distance = got.distance(exact, dtype);
                assert!(distance <= tolerance, "{isa:?} {program:?} at {place}: {got:?}, not {exact:?}");
            }
        }
    }
}

fn contiguous(dtype: DType, shape: &[usize]) -> Operand {
    let mut strides = vec![1isize; shape.len()];
    for axis in (1..shape.len()).rev() {
        strides[axis - 1] = strides[axis] * shape[axis] as isize;
    }
    Operand { dtype, strides, offset: 0 }
}

/// One function of contiguous operands, or with operand `scalar` a constant.
fn single(n: usize, from: &[DType], to: DType, scalar: Option<(usize, Scalar)>, apply: Instruction) -> Program {
    let mut instructions: Vec<Instruction> = (0..from.len())
        .map(|input| match scalar {
            Some((position, scalar)) if position == input => Instruction::Constant { dst: input as u16, scalar },
            _ => Instruction::Load { dst: input as u16, input },
        })
        .collect();
    let dst = from.len() as u16;
    instructions.extend([apply, Instruction::Store { src: dst, output: 0 }]);
    let mut registers = from.to_vec();
    registers.push(to);
    let inputs = from.iter().map(|&dtype| contiguous(dtype, &[n])).collect();
    Program { shape: vec![n], registers, inputs, outputs: vec![to], instructions }
}

#[test]
fn every_function_of_one_operand() {
    for dtype in DType::ALL {
        let input = elements(dtype, 333, dtype as u64);
        for &function in Unary::ALL {
            let to = if function == Unary::IsFinite { DType::Bool } else { dtype };
            let defined = match function {
                Unary::Not => !dtype.is_float(),
                Unary::Abs | Unary::Neg | Unary::Sign => dtype != DType::Bool,
                _ => dtype.is_float(),
            };
            if defined {
                let mut program = single(333, &[dtype], to, None, Instruction::Unary { function, dst: 1, src: 0 });
                if matches!(function, Unary::Gelu | Unary::GeluSlope) {
                    // Below 0 the error is far larger than the result: see the tests of the functions.
                    program.instructions.insert(1, Instruction::Unary { function: Unary::Abs, dst: 0, src: 0 });
                }
                check(&program, &[&input], &[7, 100], if is_rounded(function) { 0.0 } else { 4.0 });
            }
        }
        for to in DType::ALL.into_iter().filter(|&to| to != dtype) {
            let program = single(333, &[dtype], to, None, Instruction::Convert { dst: 1, src: 0 });
            check(&program, &[&input], &[50], 0.0);
        }
    }
}

#[test]
fn every_function_of_two_operands() {
    use Binary::{And, Atan2, Max, Min, Or, Pow, ShiftLeft, ShiftRightArithmetic, ShiftRightLogical, Xor};
    for dtype in DType::ALL {
        let (a, b) = (elements(dtype, 300, 1), elements(dtype, 300, 2));
        let constant = Scalar::from_f64(dtype, 3.0);
        for scalar in [None, Some((0, constant)), Some((1, constant))] {
            for &function in Binary::ALL {
                let defined = match function {
                    And | Or | Xor => !dtype.is_float(),
                    ShiftLeft | ShiftRightLogical | ShiftRightArithmetic => dtype.is_integer(),
                    Max | Min => true,
                    Atan2 => dtype.is_float(),
                    _ => dtype != DType::Bool,
                };
                if defined {
                    let apply = Instruction::Binary { function, dst: 2, a: 0, b: 1 };
                    let program = single(300, &[dtype, dtype], dtype, scalar, apply);
                    check(&program, &[&a, &b], &[19], if matches!(function, Pow | Atan2) { 2.0 } else { 0.0 });
                }
            }
            for direction in [Direction::Eq, Direction::Ne, Direction::Lt, Direction::Le, Direction::Gt, Direction::Ge]
            {
                let apply = Instruction::Compare { direction, dst: 2, a: 0, b: 1 };
                check(&single(300, &[dtype, dtype], DType::Bool, scalar, apply), &[&a, &b], &[19], 0.0);
            }
        }
        let condition = elements(DType::Bool, 300, 3);
        for position in 0..4 {
            let constant = Scalar::from_f64(if position == 0 { DType::Bool } else { dtype }, 1.0);
            let scalar = (position < 3).then_some((position, constant));
            let apply = Instruction::Select { dst: 3, condition: 0, a: 1, b: 2 };
            check(&single(300, &[DType::Bool, dtype, dtype], dtype, scalar, apply), &[&condition, &a, &b], &[19], 0.0);
        }
    }
}

/// What is computed on the way to a result, the result included, and in which register.
type Inner = Vec<(Pattern, u16)>;

/// Writes down what a pattern computes, with sums and products turned round if they are to be swapped. Returns the
/// register of the result. What comes twice is computed once.
fn write_down(pattern: &Pattern, swapped: bool, instructions: &mut Vec<Instruction>, inner: &mut Inner) -> u16 {
    if let Some(&(_, known)) = inner.iter().find(|(known, _)| known == pattern) {
        return known;
    }
    let (dst, instruction) = match *pattern {
        Pattern::Block(operand) | Pattern::Scalar(operand) => return operand as u16,
        Pattern::Unary(function, x) => {
            let src = write_down(x, swapped, instructions, inner);
            let dst = (MAX_OPERANDS + inner.len()) as u16;
            (dst, Instruction::Unary { function, dst, src })
        }
        Pattern::Binary(function, a, b) => {
            let [a, b] = [a, b].map(|operand| write_down(operand, swapped, instructions, inner));
            let is_swapped = swapped && matches!(function, Binary::Add | Binary::Mul);
            let (a, b) = if is_swapped { (b, a) } else { (a, b) };
            let dst = (MAX_OPERANDS + inner.len()) as u16;
            (dst, Instruction::Binary { function, dst, a, b })
        }
        Pattern::Compare(direction, a, b) => {
            let [a, b] = [a, b].map(|operand| write_down(operand, swapped, instructions, inner));
            let dst = (MAX_OPERANDS + inner.len()) as u16;
            (dst, Instruction::Compare { direction, dst, a, b })
        }
        Pattern::Select(condition, a, b) => {
            let [condition, a, b] = [condition, a, b].map(|operand| write_down(operand, swapped, instructions, inner));
            let dst = (MAX_OPERANDS + inner.len()) as u16;
            (dst, Instruction::Select { dst, condition, a, b })
        }
    };
    instructions.push(instruction);
    inner.push((*pattern, dst));
    dst
}

/// Whether an operand of a pattern is a scalar.
fn is_scalar(pattern: &Pattern, operand: usize) -> bool {
    match *pattern {
        Pattern::Block(_) => false,
        Pattern::Scalar(found) => found == operand,
        Pattern::Unary(_, x) => is_scalar(x, operand),
        Pattern::Binary(_, a, b) | Pattern::Compare(_, a, b) => is_scalar(a, operand) || is_scalar(b, operand),
        Pattern::Select(condition, a, b) => [condition, a, b].into_iter().any(|x| is_scalar(x, operand)),
    }
}

/// A chain as a program; each step's result is an output of its own if they are to be kept apart. Operands that are
/// scalars of the pattern are constants, unless one of them is to be a block.
fn program_of(pattern: &Pattern, dtype: DType, swapped: bool, is_apart: bool, block: Option<usize>) -> Program {
    let n = 1000;
    let operand = |input: usize| {
        let dst = input as u16;
        match is_scalar(pattern, input) && block != Some(input) {
            true => Instruction::Constant { dst, scalar: Scalar::from_f64(dtype, 0.7 - input as f64) },
            false => Instruction::Load { dst, input },
        }
    };
    let mut instructions: Vec<Instruction> = (0..MAX_OPERANDS).map(operand).collect();
    let mut inner = vec![];
    write_down(pattern, swapped, &mut instructions, &mut inner);
    let type_of = |pattern: &Pattern| if matches!(pattern, Pattern::Compare(..)) { DType::Bool } else { dtype };
    let mut registers = vec![dtype; 32];
    inner.iter().for_each(|(pattern, register)| registers[*register as usize] = type_of(pattern));
    inner.reverse();
    inner.truncate(if is_apart { inner.len() } else { 1 });
    instructions.extend(inner.iter().enumerate().map(|(output, &(_, src))| Instruction::Store { src, output }));
    let outputs = inner.iter().map(|(pattern, _)| type_of(pattern)).collect();
    Program { shape: vec![n], registers, inputs: vec![contiguous(dtype, &[n]); MAX_OPERANDS], outputs, instructions }
}

#[test]
fn chains_give_the_bits_of_separate_steps() {
    for dtype in [DType::F32, DType::BF16, DType::F64] {
        let arrays: [_; MAX_OPERANDS] = from_fn(|operand| elements(dtype, 1000, 1 + operand as u64));
        let inputs: Vec<&[u8]> = arrays.iter().map(Vec::as_slice).collect();
        for (Chain { pattern, num_operands, .. }, swapped) in
            CHAINS.iter().flat_map(|chain| [(chain, false), (chain, true)])
        {
            for block in (0..*num_operands).map(Some).chain([None]) {
                let [joined, apart] = [false, true].map(|is_apart| {
                    let program = program_of(pattern, dtype, swapped, is_apart, block);
                    let run = |isa| run(&program.clone().compile_for(isa), &program, &inputs, &[333]).swap_remove(0);
                    Isa::available().iter().copied().map(run).collect::<Vec<_>>()
                });
                for (joined, apart) in joined.iter().zip(&apart) {
                    assert!(are_same(dtype, joined, apart), "{dtype} {pattern:?}, swapped {swapped}, block {block:?}");
                }
            }
        }
    }
}

#[test]
fn chains_are_one_step() {
    for Chain { pattern, .. } in &CHAINS {
        for swapped in [false, true] {
            let steps = |dtype, is_apart| program_of(pattern, dtype, swapped, is_apart, None).compile().num_steps();
            assert_eq!(steps(DType::F32, false), 1, "{pattern:?}, swapped {swapped}");
            let is_long = !matches!(
                pattern,
                Pattern::Unary(_, Pattern::Block(_))
                    | Pattern::Binary(_, Pattern::Block(_), Pattern::Block(_) | Pattern::Scalar(_))
            );
            assert_eq!(steps(DType::F32, true) > 1, is_long, "{pattern:?}, swapped {swapped}");
            assert_eq!(steps(DType::F64, false) > 1, is_long, "{pattern:?}, swapped {swapped}");
        }
    }
}

/// A layout of an input over a shape: some axes repeat, some are reversed, some are slices, in any order
/// in memory. Also returns the size of the array.
fn layout(shape: &[usize], dtype: DType, choices: &[u8]) -> (Operand, usize) {
    let choice = |index: usize| choices[index % choices.len()] as usize;
    let mut order: Vec<usize> = (0..shape.len()).collect();
    if choice(0) % 3 == 0 {
        order.rotate_left(choice(1) % shape.len().max(1));
    }
    let mut operand = Operand { dtype, strides: vec![0; shape.len()], offset: 0 };
    let mut size = 1;
    for &axis in order.iter().rev() {
        match choice(axis + 2) % 8 {
            0 | 1 => continue,
            2 => {
                operand.strides[axis] = -(size as isize);
                operand.offset += ((shape[axis].max(1) - 1) * size) as isize;
            }
            3 => {
                operand.strides[axis] = 2 * size as isize;
                operand.offset += size as isize;
                size *= 2;
            }
            _ => operand.strides[axis] = size as isize,
        }
        size *= shape[axis].max(1);
    }
    (operand, size)
}

fn shapes() -> impl Strategy<Value = Vec<usize>> {
    let small = prop::collection::vec(prop_oneof![1 => Just(0usize), 3 => Just(1), 9 => 2..9usize], 0..4);
    let long = (small.clone(), 500..700usize).prop_map(|(mut shape, last)| {
        shape.truncate(2);
        shape.push(last);
        shape
    });
    prop_oneof![3 => small, 1 => long]
}

/// A chain over three inputs in the layouts chosen, with constants, counts, selection and two outputs.
fn chain(shape: &[usize], dtype: DType, choices: &[u8]) -> (Program, Vec<Vec<u8>>) {
    let laid: Vec<(Operand, usize)> = (0..3).map(|input| layout(shape, dtype, &choices[input * 5..])).collect();
    let inputs = laid.iter().enumerate().map(|(seed, &(_, size))| elements(dtype, size, seed as u64)).collect();
    let constant = |dst, value| Instruction::Constant { dst, scalar: Scalar::from_f64(dtype, value) };
    let binary = |function, dst, a, b| Instruction::Binary { function, dst, a, b };
    let mut instructions: Vec<Instruction> = (0..3).map(|i| Instruction::Load { dst: i as u16, input: i }).collect();
    instructions.extend([
        constant(3, 3.0),
        binary(Binary::Mul, 4, 0, 3),
        binary(Binary::Add, 5, 4, 1),
        Instruction::Store { src: 5, output: 0 },
        Instruction::Compare { direction: Direction::Lt, dst: 6, a: 5, b: 2 },
        Instruction::Select { dst: 7, condition: 6, a: 3, b: 5 },
        binary(Binary::Max, 8, 7, 2),
        // A register is used again, and a value of scalars only.
        binary(Binary::Sub, 4, 3, 3),
        binary(Binary::Sub, 8, 8, 4),
        binary(Binary::Mul, 9, 2, 2),
        binary(Binary::Sub, 8, 8, 9),
    ]);
    if !shape.is_empty() {
        let axis = choices[0] as usize % shape.len();
        instructions.extend([Instruction::Iota { dst: 9, axis }, binary(Binary::Add, 8, 8, 9)]);
    }
    instructions.extend([
        Instruction::Store { src: 8, output: 1 },
        Instruction::Store { src: 6, output: 2 },
        Instruction::Store { src: 2, output: 3 },
    ]);
    let mut registers = vec![dtype; 10];
    registers[6] = DType::Bool;
    let outputs = vec![dtype, dtype, DType::Bool, dtype];
    let operands = laid.into_iter().map(|(operand, _)| operand).collect();
    (Program { shape: shape.to_vec(), registers, inputs: operands, outputs, instructions }, inputs)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_layout(
        shape in shapes(),
        dtype in prop::sample::select(vec![DType::F32, DType::F64, DType::BF16, DType::F16, DType::I32, DType::I64, DType::U8]),
        choices in prop::collection::vec(any::<u8>(), 20),
        cuts in prop::collection::vec(0..3000usize, 0..3),
    ) {
        let (program, inputs) = chain(&shape, dtype, &choices);
        let inputs: Vec<&[u8]> = inputs.iter().map(Vec::as_slice).collect();
        check(&program, &inputs, &cuts, 0.0);
    }
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    let shape = [4, 31, 1000];
    let (program, inputs) = chain(&shape, DType::F32, &[5, 4, 4, 1, 4, 5, 4, 0, 4, 0, 7, 5, 5, 5, 5, 5, 5, 5, 5, 5]);
    let compiled = program.clone().compile();
    let pointers: Vec<*const u8> = inputs.iter().map(|input| input.as_ptr()).collect();
    let results = [1, 2, 3].map(|threads| {
        let pool = Pool::new(threads);
        let (_memory, scratch) = Scratch::for_test(compiled.scratch(), threads);
        let mut outputs: Vec<Vec<u8>> =
            program.outputs.iter().map(|dtype| vec![0; compiled.num_elements() * dtype.size()]).collect();
        let output_pointers: Vec<*mut u8> = outputs.iter_mut().map(|output| output.as_mut_ptr()).collect();
        // SAFETY: the arrays have the sizes that the program states.
        unsafe { compiled.run(&pointers, &output_pointers, &scratch, &pool) };
        outputs
    });
    assert!(results[0] == results[1] && results[1] == results[2]);
    let inputs: Vec<&[u8]> = inputs.iter().map(Vec::as_slice).collect();
    assert!(results[0] == run(&compiled, &program, &inputs, &[]));
}

/// `v = 0.9 v + g; p = p - rate v`, where outputs are `v` and `p`.
fn momentum(n: usize, dtype: DType) -> Program {
    let binary = |function, dst, a, b| Instruction::Binary { function, dst, a, b };
    let rate = Operand { dtype, strides: vec![0], offset: 0 };
    let mut inputs = vec![contiguous(dtype, &[n]); 3];
    inputs.push(rate);
    let mut instructions: Vec<Instruction> = (0..4).map(|i| Instruction::Load { dst: i as u16, input: i }).collect();
    instructions.extend([
        Instruction::Constant { dst: 4, scalar: Scalar::from_f64(dtype, 0.875) },
        binary(Binary::Mul, 5, 1, 4),
        binary(Binary::Add, 6, 5, 2),
        Instruction::Store { src: 6, output: 0 },
        binary(Binary::Mul, 7, 6, 3),
        binary(Binary::Sub, 8, 0, 7),
        Instruction::Store { src: 8, output: 1 },
    ]);
    Program { shape: vec![n], registers: vec![dtype; 9], inputs, outputs: vec![dtype; 2], instructions }
}

#[test]
fn updates_in_place() {
    for dtype in [DType::F32, DType::BF16, DType::F16, DType::F64] {
        let n = 5000;
        let program = momentum(n, dtype);
        let arrays: Vec<Vec<u8>> = (0..4).map(|seed| elements(dtype, if seed == 3 { 1 } else { n }, seed)).collect();
        for &isa in Isa::available() {
            let compiled = program.clone().compile_for(isa);
            let overwrites = compiled.overwrites(0, 1) && compiled.overwrites(1, 0);
            assert!(dtype != DType::F32 || overwrites == chains_overwrite(isa), "{isa:?}");
            let inputs: Vec<&[u8]> = arrays.iter().map(Vec::as_slice).collect();
            let apart = run(&compiled, &program, &inputs, &[]);
            let mut arrays = arrays.clone();
            let [p, v, g, rate] = [0, 1, 2, 3].map(|index: usize| arrays[index].as_mut_ptr());
            let (_memory, scratch) = scratch_of(&compiled);
            // The outputs are the memory of `v` and `p`, then, in a second check, exchanged.
            // SAFETY: the arrays have the sizes that the program states.
            unsafe { compiled.run_places(&[p, v, g, rate].map(<*mut u8>::cast_const), &[v, p], 0..n, scratch) };
            assert!(arrays[1] == apart[0] && arrays[0] == apart[1], "{dtype}");
        }
    }
}

#[test]
fn outputs_may_exchange_their_inputs() {
    for dtype in [DType::F32, DType::F16, DType::Bool] {
        let n = 3000;
        let mut registers = vec![dtype; 3];
        registers[2] = DType::F32;
        let instructions = vec![
            Instruction::Load { dst: 0, input: 0 },
            Instruction::Load { dst: 1, input: 1 },
            Instruction::Store { src: 1, output: 0 },
            Instruction::Store { src: 0, output: 1 },
        ];
        let inputs = vec![contiguous(dtype, &[n]); 2];
        let compiled = Program { shape: vec![n], registers, inputs, outputs: vec![dtype; 2], instructions }.compile();
        let (first, second) = (elements(dtype, n, 1), elements(dtype, n, 2));
        let (mut a, mut b) = (first.clone(), second.clone());
        let (_memory, scratch) = scratch_of(&compiled);
        let (pa, pb) = (a.as_mut_ptr(), b.as_mut_ptr());
        // SAFETY: the arrays have the sizes that the program states.
        unsafe { compiled.run_places(&[pa.cast_const(), pb.cast_const()], &[pa, pb], 0..n, scratch) };
        assert!(a == second && b == first, "{dtype}");
    }
}

#[test]
fn an_epilogue_covers_the_regions_it_is_given() {
    let shape = [40, 96];
    let (program, inputs) = chain(&shape, DType::F32, &[1, 4, 4, 4, 4, 4, 4, 1, 4, 4, 4, 4, 4, 4, 1, 4, 4, 4, 4, 4]);
    let compiled = program.clone().compile();
    let slices: Vec<&[u8]> = inputs.iter().map(Vec::as_slice).collect();
    let expected = run(&compiled, &program, &slices, &[]);
    let pointers: Vec<*const u8> = inputs.iter().map(|input| input.as_ptr()).collect();
    let mut outputs: Vec<Vec<u8>> = expected.iter().map(|output| vec![0; output.len()]).collect();
    let output_pointers: Vec<*mut u8> = outputs.iter_mut().map(|output| output.as_mut_ptr()).collect();
    let (_memory, scratch) = Scratch::for_test(compiled.scratch(), 2);
    // SAFETY: the arrays have the sizes that the program states.
    let bound = unsafe { BoundProgram::new(&compiled, &pointers, &output_pointers, scratch) };
    bound.region(0, 24, 96, 96, 0);
    bound.region(24 * 96, 16, 96, 33, 1);
    bound.region(24 * 96 + 33, 16, 96, 63, 0);
    assert!(outputs == expected);
    assert_eq!(indices(&shape, 97), [1, 1]);
}

#[test]
fn an_epilogue_names_each_array_that_lies_like_the_result_once() {
    let compiled = momentum(600, DType::F32).compile();
    let [p, v, g, rate, new_v, new_p] = [0, 1, 2, 3, 4, 5].map(|array: usize| (4096 * (array + 1)) as *mut u8);
    let inputs = [p, v, g, rate].map(<*mut u8>::cast_const);
    let names = |outputs: [*mut u8; 2]| {
        let (_memory, scratch) = Scratch::for_test(compiled.scratch(), 1);
        // SAFETY: nothing is run.
        let bound = unsafe { BoundProgram::new(&compiled, &inputs, &outputs, scratch) };
        (0..).map_while(|index| bound.array(index)).collect::<Vec<_>>()
    };
    let of = |arrays: &[*mut u8]| arrays.iter().map(|array| (array.cast_const(), 4)).collect::<Vec<_>>();
    assert_eq!(names([v, p]), of(&[p, v, g]));
    assert_eq!(names([new_v, new_p]), of(&[p, v, g, new_v, new_p]));
}

/// A result that is an operand as well is computed where it is near, and written around the cache from there.
#[test]
fn what_is_read_again_is_not_read_from_beyond_the_cache() {
    let n = MIN_STREAM / DType::F32.size();
    let program = Program {
        shape: vec![n],
        registers: vec![DType::F32; 4],
        inputs: vec![contiguous(DType::F32, &[n]); 2],
        outputs: vec![DType::F32; 2],
        instructions: vec![
            Instruction::Load { dst: 0, input: 0 },
            Instruction::Load { dst: 1, input: 1 },
            Instruction::Unary { function: Unary::Exp, dst: 2, src: 0 },
            Instruction::Binary { function: Binary::Mul, dst: 3, a: 2, b: 1 },
            Instruction::Store { src: 2, output: 0 },
            Instruction::Store { src: 3, output: 1 },
        ],
    };
    for &isa in Isa::available() {
        // Where vectors are written around the cache, the product is.
        let steps = if chains_overwrite(isa) { 3 } else { 4 };
        assert_eq!(program.clone().compile_for(isa).num_steps(), steps, "{isa:?}");
    }
}

/// Results that do not fit the cache are written around it, from any place on and to any place.
/// From blocks, and by chains from vectors, whose lines begin elsewhere than parts of a run do.
#[test]
fn large_outputs_are_written_whole() {
    let n = (8 << 20) + 5;
    let negation = Instruction::Unary { function: Unary::Neg, dst: 1, src: 0 };
    let sum = Instruction::Binary { function: Binary::Add, dst: 2, a: 0, b: 1 };
    let half = Some((1, Scalar::from_f64(DType::F32, 0.5)));
    let programs = [
        (single(n, &[DType::F32], DType::F32, None, negation), (|x| -x) as fn(f32) -> f32),
        (single(n, &[DType::F32; 2], DType::F32, half, sum), |x| x + 0.5),
    ];
    let input: Vec<u8> = (0..n).flat_map(|index| (index as f32).to_le_bytes()).collect();
    for (program, expected) in programs {
        let inputs = vec![&input[..]; program.inputs.len()];
        for &isa in Isa::available() {
            let outputs = run(&program.clone().compile_for(isa), &program, &inputs, &[1, 70_003]);
            let numbers =
                outputs[0].chunks_exact(4).map(|bytes| f32::from_le_bytes(bytes.try_into().expect("four bytes")));
            assert!(numbers.enumerate().all(|(index, y)| y == expected(index as f32)), "{isa:?}");
        }
    }
}
