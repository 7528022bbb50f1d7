//! Reductions against the oracle.

use gyrus_graph::DType;
use gyrus_graph::ops::elementwise::Binary;
use gyrus_graph::ops::reduction::Reduction;
use proptest::prelude::*;

use super::{CompiledReduce, ReduceProgram};
use crate::isa::Isa;
use crate::kernels::elementwise::reference::{Number, binary, elements, evaluate, indices};
use crate::kernels::elementwise::{Instruction, Operand, Program};
use crate::pool::{Pool, Scratch};

fn combine(reduction: Reduction, a: Number, b: Number, dtype: DType) -> Number {
    let function = match reduction {
        Reduction::Sum => Binary::Add,
        Reduction::Product => Binary::Mul,
        Reduction::Max => Binary::Max,
        Reduction::Min => Binary::Min,
        Reduction::And => Binary::And,
        Reduction::Or => Binary::Or,
    };
    let sum = binary(function, a, b, dtype);
    if dtype.is_float() { sum } else { sum.rounded(dtype) }
}

/// The result and outputs of a run on a number of threads.
fn run(compiled: &CompiledReduce, of: &ReduceProgram, inputs: &[Vec<u8>], threads: usize) -> (Vec<u8>, Vec<Vec<u8>>) {
    let shape = &of.program.shape;
    let total: usize = shape.iter().product();
    let kept: usize = shape.iter().zip(&of.reduced).filter(|&(_, &reduced)| !reduced).map(|(&size, _)| size).product();
    let mut result = vec![0xee; kept * of.dtype.size()];
    let mut outputs: Vec<Vec<u8>> = of.program.outputs.iter().map(|dtype| vec![0; total * dtype.size()]).collect();
    let input_pointers: Vec<*const u8> = inputs.iter().map(|input| input.as_ptr()).collect();
    let output_pointers: Vec<*mut u8> = outputs.iter_mut().map(|output| output.as_mut_ptr()).collect();
    let (_memory, scratch) = Scratch::for_test(compiled.scratch(), threads);
    let pool = Pool::new(threads);
    // SAFETY: the arrays have the sizes that the program states.
    unsafe { compiled.run(&input_pointers, &output_pointers, result.as_mut_ptr(), &scratch, &pool) };
    (result, outputs)
}

/// Compares with the oracle, for each instruction set and several numbers of threads.
fn check(of: &ReduceProgram, inputs: &[Vec<u8>]) {
    let Program { shape, outputs: output_types, registers, .. } = &of.program;
    let slices: Vec<&[u8]> = inputs.iter().map(Vec::as_slice).collect();
    let dtype = registers[of.source as usize];
    let kept_shape: Vec<usize> =
        shape.iter().zip(&of.reduced).filter(|&(_, &reduced)| !reduced).map(|(&size, _)| size).collect();
    let kept: usize = kept_shape.iter().product();
    let mut sums = vec![Number::of(of.reduction.identity(dtype)); kept];
    let mut sizes = vec![0.0; kept];
    let total: usize = shape.iter().product();
    let mut stored = vec![vec![]; output_types.len()];
    for place in 0..total {
        let (values, stores) = evaluate(&of.program, &slices, place);
        stores.into_iter().for_each(|(output, value)| stored[output].push(value));
        let index = indices(shape, place);
        let at = index.iter().zip(shape).zip(&of.reduced).filter(|&(_, &reduced)| !reduced);
        let at = at.fold(0, |at, ((&index, &size), _)| at * size + index);
        let value = values[of.source as usize];
        sums[at] = combine(of.reduction, sums[at], value, dtype);
        sizes[at] += value.real().abs();
    }
    for &isa in Isa::available() {
        let compiled = of.clone().compile_for(isa);
        let (result, outputs) = run(&compiled, of, inputs, 1);
        assert!((result.clone(), outputs.clone()) == run(&compiled, of, inputs, 3), "threads change bits: {of:?}");
        for (place, &exact) in sums.iter().enumerate() {
            let got = Number::read(of.dtype, &result, place);
            let rounded = exact.rounded(of.dtype);
            let is_close = match of.reduction {
                // Relative to the sum of the absolute values.
                Reduction::Sum if dtype.is_float() => {
                    let precision = if dtype == DType::F64 { 1e-14 } else { 1e-6 };
                    let error = (got.real() - exact.real()).abs();
                    let own = 2.0 * Number::R(exact.real().abs()).rounded(of.dtype).real() * epsilon(of.dtype);
                    got.distance(rounded, of.dtype) <= 1.0 || error <= precision * sizes[place] + own
                }
                Reduction::Product if dtype.is_float() => {
                    let lost = exact.real().abs() < 1e-30 || exact.real().abs() > 1e30 || !exact.real().is_finite();
                    lost || got.distance(rounded, of.dtype) <= 64.0
                }
                _ => got.distance(rounded, of.dtype) == 0.0,
            };
            assert!(is_close, "{isa:?} {of:?} at {place}: {got:?}, not {exact:?}");
        }
        for ((output, exact), &dtype) in outputs.iter().zip(&stored).zip(output_types) {
            for (place, &exact) in exact.iter().enumerate() {
                assert!(Number::read(dtype, output, place).distance(exact, dtype) == 0.0, "stored at {place}: {of:?}");
            }
        }
    }
}

fn epsilon(dtype: DType) -> f64 {
    match dtype {
        DType::F16 => 1e-3,
        DType::BF16 => 8e-3,
        DType::F32 => 1.2e-7,
        _ => 2.3e-16,
    }
}

fn contiguous(dtype: DType, shape: &[usize]) -> Operand {
    let mut strides = vec![1isize; shape.len()];
    for axis in (1..shape.len()).rev() {
        strides[axis - 1] = strides[axis] * shape[axis].max(1) as isize;
    }
    Operand { dtype, strides, offset: 0 }
}

/// The reduction of `a`, or of `a * b` (of truth values `a or b`) which is stored as well, where `b`
/// repeats along an axis.
fn reduce_of(
    shape: &[usize],
    dtype: DType,
    reduction: Reduction,
    reduced: &[bool],
    chained: bool,
) -> (ReduceProgram, Vec<Vec<u8>>) {
    let total: usize = shape.iter().product();
    let mut other = contiguous(dtype, shape);
    if let Some(stride) = other.strides.first_mut() {
        *stride = 0;
    }
    let mut inputs = vec![elements(dtype, total, 11), elements(dtype, total, 12)];
    if reduction == Reduction::Product || reduction == Reduction::Sum {
        inputs = inputs.into_iter().map(|bytes| tame(dtype, &bytes, reduction)).collect();
    }
    let (function, other_function) =
        if dtype == DType::Bool { (Binary::Or, Binary::And) } else { (Binary::Max, Binary::Min) };
    let mut instructions = vec![Instruction::Load { dst: 0, input: 0 }];
    if chained {
        instructions
            .extend([Instruction::Load { dst: 1, input: 1 }, Instruction::Binary { function, dst: 2, a: 0, b: 1 }]);
        // What is reduced may be stored as well.
        let stored = if total.is_multiple_of(2) { 2 } else { 3 };
        // More steps, which must not take the memory of what is reduced.
        let steps = [(3, 2, 1), (4, 3, 0), (5, 4, 1), (6, 5, 0)];
        instructions.extend(steps.map(|(dst, a, b)| Instruction::Binary { function: other_function, dst, a, b }));
        instructions.push(Instruction::Store { src: stored, output: 0 });
        instructions.push(Instruction::Store { src: 6, output: 1 });
    }
    let program = Program {
        shape: shape.to_vec(),
        registers: vec![dtype; 7],
        inputs: vec![contiguous(dtype, shape), other],
        outputs: if chained { vec![dtype; 2] } else { vec![] },
        instructions,
    };
    let source = if chained { 2 } else { 0 };
    (ReduceProgram { program, source, reduction, reduced: reduced.to_vec(), dtype }, inputs)
}

/// Replaces what makes sums infinite, and for products what makes them vanish.
fn tame(dtype: DType, bytes: &[u8], reduction: Reduction) -> Vec<u8> {
    if !dtype.is_float() {
        return bytes.to_vec();
    }
    let count = bytes.len() / dtype.size();
    let tame = |index| {
        let x = Number::read(dtype, bytes, index).real();
        let x = if x.is_finite() && x.abs() < 100.0 { x } else { 0.75 };
        let x = if reduction == Reduction::Product { 1.0 + x / 100.0 } else { x };
        let scalar = gyrus_graph::Scalar::from_f64(dtype, x);
        scalar.bits().to_le_bytes()[..dtype.size()].to_vec()
    };
    (0..count).flat_map(tame).collect()
}

fn reductions(dtype: DType) -> Vec<Reduction> {
    match dtype {
        DType::Bool => vec![Reduction::And, Reduction::Or],
        _ => vec![Reduction::Sum, Reduction::Product, Reduction::Max, Reduction::Min],
    }
}

#[test]
fn every_type_and_pattern() {
    let shapes: [&[usize]; 8] = [&[], &[7], &[3, 50], &[50, 3], &[4, 5, 6], &[2, 3, 4, 5], &[1, 40, 1, 3], &[3, 0, 2]];
    for dtype in DType::ALL {
        for reduction in reductions(dtype) {
            for shape in shapes {
                for pattern in 0..1usize << shape.len() {
                    let reduced: Vec<bool> = (0..shape.len()).map(|axis| pattern >> axis & 1 == 1).collect();
                    let (of, inputs) = reduce_of(shape, dtype, reduction, &reduced, pattern % 2 == 0);
                    check(&of, &inputs);
                }
            }
        }
    }
}

#[test]
fn large_enough_to_be_divided() {
    let cases: [(&[usize], &[bool]); 9] = [
        (&[200_000], &[true]),
        (&[3, 40_000], &[false, true]),
        (&[40_000, 3], &[true, false]),
        (&[300, 500], &[true, false]),
        (&[20, 9000], &[true, false]),
        (&[5000, 20], &[false, true]),
        (&[12, 16, 900], &[true, false, true]),
        (&[3, 300, 130], &[false, true, false]),
        (&[6, 7, 50, 60], &[true, false, true, false]),
    ];
    for (shape, reduced) in cases {
        for dtype in [DType::F32, DType::I32, DType::BF16] {
            for reduction in [Reduction::Sum, Reduction::Max] {
                let (of, inputs) = reduce_of(shape, dtype, reduction, reduced, false);
                check(&of, &inputs);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn any_shape(
        axes in prop::collection::vec((prop_oneof![4 => 1..12usize, 1 => 30..80usize], any::<bool>()), 1..4),
        chained: bool,
    ) {
        let (shape, reduced): (Vec<usize>, Vec<bool>) = axes.into_iter().unzip();
        for (dtype, reduction) in [(DType::F32, Reduction::Sum), (DType::F32, Reduction::Min), (DType::U8, Reduction::Sum)] {
            let (of, inputs) = reduce_of(&shape, dtype, reduction, &reduced, chained);
            check(&of, &inputs);
        }
    }
}

#[test]
fn the_error_of_a_sum_does_not_grow_with_its_length() {
    for n in [1 << 12, 1 << 16, 1 << 20, 1 << 23] {
        let x: Vec<f32> = (0..n).map(|i| ((i as u64 * 2_654_435_761 % 1_000_003) as f32) * 1e-6).collect();
        let exact: f64 = x.iter().map(|&x| x as f64).sum();
        let bytes: Vec<u8> = x.iter().flat_map(|x| x.to_le_bytes()).collect();
        let (mut of, _) = reduce_of(&[n], DType::F32, Reduction::Sum, &[true], false);
        of.program.inputs.truncate(1);
        let (result, _) = run(&of.clone().compile(), &of, &[bytes], 2);
        let got = Number::read(DType::F32, &result, 0).real();
        assert!((got - exact).abs() <= exact * 2e-7, "{n}: {got}, not {exact}");
    }
}
