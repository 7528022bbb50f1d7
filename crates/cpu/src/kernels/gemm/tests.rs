//! Products against the formula.

use std::sync::atomic::{AtomicUsize, Ordering};

use gyrus_graph::{DType, Scalar, bf16, f16};
use proptest::prelude::*;

use super::microkernel::{BatchReduce, PackArguments, Piece};
use super::number::Number;
use super::pack::PANEL_PADDING;
use super::{Addend, Arguments, CompiledGemm, Epilogue, Gemm, Operand};
use crate::isa::Isa;
use crate::pool::{Pool, Scratch};

/// An operand in memory of its own, with as many elements before the first as negative strides need.
struct Memory {
    bytes: Vec<u8>,
    first: usize,
    values: Vec<f64>,
}

fn write(dtype: DType, value: f64, to: &mut [u8]) {
    match dtype {
        DType::U8 => to[0] = value as i64 as u8,
        DType::I32 => to.copy_from_slice(&(value as i32).to_ne_bytes()),
        DType::I64 => to.copy_from_slice(&(value as i64).to_ne_bytes()),
        DType::F16 => to.copy_from_slice(&f16::from_f64(value).to_ne_bytes()),
        DType::BF16 => to.copy_from_slice(&bf16::from_f64(value).to_ne_bytes()),
        DType::F32 => to.copy_from_slice(&(value as f32).to_ne_bytes()),
        _ => to.copy_from_slice(&value.to_ne_bytes()),
    }
}

fn read(dtype: DType, from: &[u8]) -> f64 {
    match dtype {
        DType::U8 => from[0] as f64,
        DType::I32 => i32::from_ne_bytes(from.try_into().unwrap()) as f64,
        DType::I64 => i64::from_ne_bytes(from.try_into().unwrap()) as f64,
        DType::F16 => f16::from_ne_bytes(from.try_into().unwrap()).to_f64(),
        DType::BF16 => bf16::from_ne_bytes(from.try_into().unwrap()).to_f64(),
        DType::F32 => f32::from_ne_bytes(from.try_into().unwrap()) as f64,
        _ => f64::from_ne_bytes(from.try_into().unwrap()),
    }
}

impl Memory {
    fn new(dtype: DType, sizes: [usize; 3], layout: Operand, seed: u64) -> Memory {
        let strides = [layout.batch_stride, layout.row_stride, layout.col_stride];
        let reach = |sign: isize| -> usize {
            sizes.iter().zip(strides).map(|(&n, s)| (s * sign).max(0) as usize * n.saturating_sub(1)).sum()
        };
        let (first, len) = (reach(-1), reach(-1) + reach(1) + 1);
        let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
        let mut values: Vec<f64> = vec![];
        let mut bytes = vec![0; len * dtype.size()];
        for element in bytes.chunks_exact_mut(dtype.size()) {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let value = if dtype.is_float() {
                Scalar::from_f64(dtype, (state >> 40) as f64 / (1 << 23) as f64 - 1.0).to_f64()
            } else {
                ((state >> 40) % 5) as f64
            };
            write(dtype, value, element);
            values.push(value);
        }
        Memory { bytes, first, values }
    }

    fn place(&self, layout: Operand, [batch, row, col]: [usize; 3]) -> usize {
        let offset =
            batch as isize * layout.batch_stride + row as isize * layout.row_stride + col as isize * layout.col_stride;
        (self.first as isize + offset) as usize
    }
}

/// Counts how often each element is given.
struct Counts(Vec<AtomicUsize>);

impl Epilogue for Counts {
    fn region(&self, start: usize, rows: usize, row_stride: usize, cols: usize, worker: usize) {
        assert!(worker < 3);
        for row in 0..rows {
            for col in 0..cols {
                self.0[start + row * row_stride + col].fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

fn check(gemm: &Gemm, dtype: DType, isa: Isa) {
    let Gemm { batch, m, n, k, a, b, c, accumulate } = *gemm;
    let left = Memory::new(dtype, [batch, m, k], a, 1);
    let right = Memory::new(dtype, [batch, k, n], b, 2);
    let start = Memory::new(dtype, [batch, m, n], c, 3);
    let is_contiguous = c == Operand::contiguous(m, n);
    let compiled = gemm.compile_for(isa, dtype);
    let compute = |num_threads: usize, is_packed: bool| {
        let pool = Pool::new(num_threads);
        let (_memory, scratch) = Scratch::for_test(compiled.scratch(), num_threads);
        let mut packed = vec![0xA5u8; compiled.packed().filter(|_| is_packed).map_or(0, |(bytes, _)| bytes)];
        let counts = Counts((0..batch * m * n).map(|_| AtomicUsize::new(0)).collect());
        let mut result = start.bytes.clone();
        let size = dtype.size();
        // SAFETY: the operands have the sizes of the product.
        unsafe {
            let mut arguments = Arguments::new(
                left.bytes.as_ptr().add(left.first * size),
                right.bytes.as_ptr().add(right.first * size),
                result.as_mut_ptr().add(start.first * size),
            );
            if !packed.is_empty() {
                compiled.pack(arguments.b, packed.as_mut_ptr(), &pool);
                arguments.packed = packed.as_ptr();
            }
            compiled.run(&arguments, &scratch, &pool, is_contiguous.then_some(&counts));
        }
        if is_contiguous {
            assert!(counts.0.iter().all(|count| count.load(Ordering::Relaxed) == 1), "{gemm:?}");
        }
        result
    };
    let result = compute(1, false);
    for num_threads in [2, 3] {
        assert!(compute(num_threads, false) == result, "threads change {gemm:?} {dtype} {isa:?}");
    }
    assert!(compute(2, true) == result, "packed before, {gemm:?} {dtype} {isa:?}");
    let tolerance = match dtype {
        DType::F64 => 1e-14,
        DType::F32 => 1e-6,
        DType::F16 => 1e-3,
        DType::BF16 => 8e-3,
        _ => 0.0,
    };
    let mut expected = start.values.clone();
    let mut bound = vec![0.0; expected.len()];
    for index in 0..batch * m * n {
        let (i, row, col) = (index / (m * n), index / n % m, index % n);
        let place = start.place(c, [i, row, col]);
        let (mut sum, mut size) = if accumulate { (expected[place], expected[place].abs()) } else { (0.0, 0.0) };
        let (mut at_left, mut at_right) = (left.place(a, [i, row, 0]) as isize, right.place(b, [i, 0, col]) as isize);
        for _ in 0..k {
            let product = left.values[at_left as usize] * right.values[at_right as usize];
            (at_left, at_right) = (at_left + a.col_stride, at_right + b.row_stride);
            sum += product;
            size += product.abs();
        }
        expected[place] = if dtype == DType::U8 { (sum as i64 as u8) as f64 } else { sum };
        bound[place] = tolerance * (size + 1e-3) * 2.0;
    }
    for (place, found) in result.chunks_exact(dtype.size()).enumerate() {
        let (found, expected) = (read(dtype, found), expected[place]);
        // What lies between the elements stays as it is.
        assert!(
            (found - expected).abs() <= bound[place],
            "{gemm:?} {dtype} {isa:?}: element {place}: {found}, not {expected}"
        );
    }
}

const TYPES: [DType; 7] = [DType::F32, DType::F64, DType::F16, DType::BF16, DType::U8, DType::I32, DType::I64];

fn plain(batch: usize, m: usize, n: usize, k: usize) -> Gemm {
    let [a, b, c] = [Operand::contiguous(m, k), Operand::contiguous(k, n), Operand::contiguous(m, n)];
    Gemm { batch, m, n, k, a, b, c, accumulate: false }
}

#[test]
fn products_of_known_sizes() {
    let sizes = [
        (1, 64, 120, 400),
        (1, 64, 84, 120),
        (1, 64, 10, 84),
        (1, 120, 400, 64),
        (1, 10, 84, 64),
        (1, 200, 300, 300),
        (1, 29, 65, 5000),
        (1, 6, 25, 4500),
        (3, 100, 40, 30),
        (2, 300, 130, 120),
        (1, 1, 300, 200),
        (2, 7, 300, 333),
        (1, 90, 5, 400),
        (1, 300, 1, 200),
        (2, 1, 1, 777),
        (1, 1, 1, 5000),
        (0, 3, 4, 5),
        (1, 0, 4, 5),
        (1, 3, 0, 5),
        (2, 3, 4, 0),
    ];
    for (batch, m, n, k) in sizes {
        for accumulate in [false, true] {
            let gemm = Gemm { accumulate, ..plain(batch, m, n, k) };
            for &isa in Isa::available() {
                check(&gemm, DType::F32, isa);
                check(&gemm, DType::F64, isa);
            }
            for dtype in if m * n * k > 2_000_000 { &TYPES[..3] } else { &TYPES[..] } {
                let dtype = *dtype;
                check(&Gemm { b: Operand::contiguous(n, k).transposed(), ..gemm }, dtype, Isa::get());
                check(&Gemm { a: Operand::contiguous(k, m).transposed(), ..gemm }, dtype, Isa::get());
                check(&Gemm { a: Operand { batch_stride: 0, ..gemm.a }, ..gemm }, dtype, Isa::get());
                check(&Gemm { b: Operand { batch_stride: 0, ..gemm.b }, ..gemm }, dtype, Isa::get());
                check(&Gemm { c: Operand::contiguous(n, m).transposed(), ..gemm }, dtype, Isa::get());
            }
        }
    }
}

/// Products too small to be packed, many to a task and a few; tall ones of few columns, of several tasks.
#[test]
fn small_and_tall_products() {
    for (batch, m, n, k) in [(3000, 4, 4, 4), (70, 9, 70, 11), (20, 33, 65, 40), (5, 2, 3, 1), (1, 1900, 7, 30)] {
        for accumulate in [false, true] {
            let gemm = Gemm { accumulate, ..plain(batch, m, n, k) };
            for dtype in [DType::F32, DType::F64] {
                Isa::available().iter().for_each(|&isa| check(&gemm, dtype, isa));
                check(&Gemm { b: Operand::contiguous(n, k).transposed(), ..gemm }, dtype, Isa::get());
                check(&Gemm { a: Operand::contiguous(k, m).transposed(), ..gemm }, dtype, Isa::get());
                check(&Gemm { c: Operand::contiguous(n, m).transposed(), ..gemm }, dtype, Isa::get());
            }
        }
    }
}

/// Tiles are multiplied with all of a right operand that is near, one after another, and in groups with one that is not.
#[test]
fn right_operands_are_near_and_far() {
    for n in [70, 1300] {
        let gemm = plain(1, 150, n, 520);
        check(&gemm, DType::F32, Isa::get());
        check(&Gemm { b: Operand::contiguous(n, 520).transposed(), ..gemm }, DType::F32, Isa::get());
    }
}

/// Rows of the left operand are neighbours, and of several steps of depth, so that those of one take the place of those before.
#[test]
fn tiles_take_the_place_of_others() {
    for (m, n, k) in [(130, 40, 1100), (57, 70, 1030), (113, 33, 1536), (15, 32, 1100)] {
        let gemm = Gemm { a: Operand::contiguous(k, m).transposed(), ..plain(1, m, n, k) };
        for &isa in Isa::available() {
            check(&gemm, DType::F32, isa);
            check(&gemm, DType::F64, isa);
        }
    }
}

/// Strides of a matrix of `rows` by `cols`: in either order, with gaps, negative or 0.
fn layout(rows: usize, cols: usize, choice: usize, repeats: bool) -> Operand {
    let gap = choice / 8 % 3;
    let (rows, cols) = (rows.max(1) as isize, cols.max(1) as isize);
    let (row_stride, col_stride) = match choice % 4 {
        0 | 1 => (cols + gap as isize, 1),
        2 => (1, rows + gap as isize),
        _ => (2 * cols + 1 + gap as isize, 2),
    };
    let batch_stride = (2 * cols + 5) * rows + (2 * rows + 5) * cols;
    let (row_stride, col_stride) = match choice / 4 % 2 {
        0 => (row_stride, col_stride),
        _ => (-row_stride, col_stride),
    };
    match choice / 24 % 4 {
        1 => Operand { batch_stride: -batch_stride, row_stride, col_stride: -col_stride },
        2 if repeats => Operand { batch_stride: 0, row_stride, col_stride },
        3 if repeats => Operand { batch_stride, row_stride: 0, col_stride },
        _ => Operand { batch_stride, row_stride, col_stride },
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    #[test]
    fn products_of_any_strides(
        batch in 1usize..4, m in 0usize..70, n in 0usize..100, k in 0usize..90,
        a in 0usize..96, b in 0usize..96, c in 0usize..96, accumulate: bool, dtype in 0usize..7, isa in 0usize..4,
    ) {
        let gemm = Gemm {
            batch, m, n, k, a: layout(m, k, a, true), b: layout(k, n, b, true), c: layout(m, n, c, false), accumulate,
        };
        check(&gemm, TYPES[dtype], Isa::available()[isa % Isa::available().len()]);
    }

    #[test]
    fn contiguous_products(
        batch in 1usize..4, m in 1usize..200, n in 1usize..200, k in 0usize..300, dtype in 0usize..4, isa in 0usize..4,
    ) {
        check(&plain(batch, m, n, k), TYPES[dtype], Isa::available()[isa % Isa::available().len()]);
    }
}

/// Rows of images as pieces, channels as rows: both operands in place, the result added to.
#[test]
fn sums_over_pieces_agree_with_the_formula() {
    fn check<T: Number>(
        isa: Isa,
        [height, cols, depth]: [usize; 3],
        add: bool,
        to_f64: fn(T) -> f64,
        of: fn(f64) -> T,
    ) {
        let kernel = T::batch_reduce(isa);
        let cols = cols.min(kernel.width);
        let number = |seed: usize, index: usize| of(((index * 7919 + seed * 31) % 17) as f64 / 8.0 - 1.0);
        let (a_row, a_depth, b_depth, c_row) = (3, 40, kernel.width + 5, cols + 2);
        let pieces = [Piece { a: 7, b: 0 }, Piece { a: 0, b: 3 }];
        let a: Vec<T> = (0..7 + height * a_row + depth * a_depth).map(|index| number(1, index)).collect();
        let b: Vec<T> = (0..3 + (depth + 1) * b_depth).map(|index| number(2, index)).collect();
        let start: Vec<T> = (0..height * c_row).map(|index| number(3, index)).collect();
        let mut c = start.clone();
        // SAFETY: the operands are large enough for the strides.
        unsafe {
            kernel.run(
                height,
                BatchReduce {
                    pieces: pieces.as_ptr(),
                    num_pieces: 2,
                    depth,
                    a: a.as_ptr(),
                    a_row,
                    a_depth,
                    b: b.as_ptr(),
                    b_depth,
                    c: c.as_mut_ptr(),
                    c_row,
                    cols,
                    add,
                },
            );
        }
        for (place, &found) in c.iter().enumerate() {
            let (row, col) = (place / c_row, place % c_row);
            let mut expected = if add || col >= cols { to_f64(start[place]) } else { 0.0 };
            for piece in pieces.iter().filter(|_| col < cols) {
                for step in 0..depth {
                    let a = to_f64(a[piece.a + row * a_row + step * a_depth]);
                    expected += a * to_f64(b[piece.b + step * b_depth + col]);
                }
            }
            assert!(
                (to_f64(found) - expected).abs() < 1e-4,
                "{isa:?}, {height} by {cols}: {} {expected}",
                to_f64(found)
            );
        }
    }
    for &isa in Isa::available() {
        for height in 1..=f32::batch_reduce(isa).highest {
            for (cols, depth, add) in [(99, 13, false), (3, 5, true), (17, 1, true), (31, 0, false)] {
                check::<f32>(isa, [height, cols, depth], add, |x| x.into(), |x| x as f32);
                check::<f64>(isa, [height, cols, depth], add, |x| x, |x| x);
            }
        }
    }
}

/// A row that is added to all rows, and a matrix that is the result's own memory, over depths of one step and of several.
#[test]
fn matrices_are_added() {
    fn check(gemm: Gemm, compiled: CompiledGemm, isa: Isa, dtype: DType) {
        let Gemm { m, n, k, .. } = gemm;
        assert!(compiled.adds(), "{gemm:?} {dtype} {isa:?}");
        let (layout, size) = (Operand::contiguous(m, n), dtype.size());
        let [left, right] = [(gemm.a, [1, m, k], 4), (gemm.b, [1, k, n], 5)]
            .map(|(layout, sizes, seed)| Memory::new(dtype, sizes, layout, seed));
        let (bias, start) = (Memory::new(dtype, [1, 1, n], layout, 6), Memory::new(dtype, [1, m, n], layout, 7));
        let compute = |is_added: bool, num_threads: usize| {
            let (_memory, scratch) = Scratch::for_test(compiled.scratch(), num_threads);
            let mut result = start.bytes.clone();
            let c = result.as_mut_ptr();
            let added = [(bias.bytes.as_ptr(), 0), (c.cast_const(), n as isize)];
            let added =
                added.map(|(from, row_stride)| if is_added { Addend { from, row_stride } } else { Addend::NOTHING });
            // SAFETY: the operands have the sizes of the product.
            unsafe {
                let arguments = Arguments::new(left.bytes.as_ptr(), right.bytes.as_ptr(), c);
                compiled.run(&Arguments { added, ..arguments }, &scratch, &Pool::new(num_threads), None);
            }
            result
        };
        let (product, sum) = (compute(false, 1), compute(true, 1));
        assert!(compute(true, 3) == sum, "threads change {gemm:?}");
        let tolerance = if dtype == DType::F64 { 1e-14 } else { 1e-5 };
        for (place, (product, sum)) in product.chunks_exact(size).zip(sum.chunks_exact(size)).enumerate() {
            let expected = read(dtype, product) + bias.values[place % n] + start.values[place];
            let found = read(dtype, sum);
            assert!((found - expected).abs() <= tolerance * k as f64, "{gemm:?} {dtype}: {found}, not {expected}");
        }
    }
    for &isa in Isa::available() {
        for sizes in [[37, 70, 33], [150, 130, 1300], [20, 9, 40]] {
            let gemm = plain(1, sizes[0], sizes[1], sizes[2]);
            check(gemm, gemm.compile_for(isa, DType::F32), isa, DType::F32);
            check(gemm, gemm.compile_for(isa, DType::F64), isa, DType::F64);
            if let Some(rounded) = gemm.compile_rounded_for(isa).filter(CompiledGemm::adds) {
                check(gemm, rounded, isa, DType::F32);
            }
        }
    }
}

/// Over depths of one step and of several, of operands that tasks share and that they do not, as they lie and transposed.
#[test]
fn rows_of_the_left_operand_are_summed() {
    fn check(gemm: Gemm, dtype: DType, isa: Isa) {
        let Gemm { m, n, k, .. } = gemm;
        let compiled = gemm.compile_for(isa, dtype);
        assert!(compiled.sums_rows(), "{gemm:?} {dtype} {isa:?}");
        let [left, right] = [(gemm.a, [1, m, k], 4), (gemm.b, [1, k, n], 5)]
            .map(|(layout, sizes, seed)| Memory::new(dtype, sizes, layout, seed));
        let compute = |num_threads: usize| {
            let (_memory, scratch) = Scratch::for_test(compiled.scratch(), num_threads);
            let (mut c, mut sums) = (vec![0; m * n * dtype.size()], vec![0xA5; m * dtype.size()]);
            // SAFETY: the operands have the sizes of the product.
            unsafe {
                let arguments = Arguments::new(left.bytes.as_ptr(), right.bytes.as_ptr(), c.as_mut_ptr());
                let arguments = Arguments { row_sums: sums.as_mut_ptr(), ..arguments };
                compiled.run(&arguments, &scratch, &Pool::new(num_threads), None);
            }
            sums
        };
        let sums = compute(1);
        assert!(compute(3) == sums, "threads change {gemm:?}");
        let tolerance = if dtype == DType::F64 { 1e-14 } else { 1e-6 };
        for (row, sum) in sums.chunks_exact(dtype.size()).enumerate() {
            let expected: f64 = (0..k).map(|place| left.values[left.place(gemm.a, [0, row, place])]).sum();
            let found = read(dtype, sum);
            assert!((found - expected).abs() <= tolerance * k as f64, "{gemm:?} {dtype}: {found}, not {expected}");
        }
    }
    for &isa in Isa::available() {
        for [m, n, k] in [[37, 70, 33], [150, 130, 1300], [20, 9, 40], [300, 40, 700], [61, 900, 2100]] {
            for dtype in [DType::F32, DType::F64] {
                let gemm = plain(1, m, n, k);
                check(gemm, dtype, isa);
                check(Gemm { a: Operand::contiguous(k, m).transposed(), ..gemm }, dtype, isa);
            }
        }
    }
}

/// The same as of operands that were rounded before.
#[test]
fn operands_are_rounded() {
    let pool = Pool::new(2);
    let rounded = |x: f32| bf16::from_f32(x).to_f32();
    for (m, n, k) in [(1, 1, 1), (5, 7, 3), (16, 40, 64), (33, 70, 129), (130, 65, 301)] {
        for (is_a_transposed, is_b_transposed) in [(false, false), (false, true), (true, false), (true, true)] {
            let of = |rows: usize, cols: usize, is_transposed: bool| {
                if is_transposed {
                    Operand::contiguous(cols, rows).transposed()
                } else {
                    Operand::contiguous(rows, cols)
                }
            };
            let (layout_a, layout_b) = (of(m, k, is_a_transposed), of(k, n, is_b_transposed));
            let gemm =
                Gemm { batch: 1, m, n, k, a: layout_a, b: layout_b, c: Operand::contiguous(m, n), accumulate: false };
            let numbers = |len: usize| (0..len).map(|index| ((index * 7919 % 1013) as f32).sin()).collect::<Vec<f32>>();
            let (a, b) = (numbers(m * k), numbers(k * n));
            for (isa, product) in Isa::available().iter().filter_map(|&isa| Some((isa, gemm.compile_rounded_for(isa)?)))
            {
                let (_memory, scratch) = Scratch::for_test(product.scratch(), 2);
                let mut c = vec![f32::NAN; m * n];
                let pointers = (a.as_ptr().cast(), b.as_ptr().cast(), c.as_mut_ptr().cast());
                // SAFETY: the operands have the sizes of the product.
                unsafe { product.run(&Arguments::new(pointers.0, pointers.1, pointers.2), &scratch, &pool, None) };
                for (place, found) in c.iter().enumerate() {
                    let (i, j) = (place / n, place % n);
                    let term = |p: usize| {
                        let a = a[i * layout_a.row_stride as usize + p * layout_a.col_stride as usize];
                        let b = b[p * layout_b.row_stride as usize + j * layout_b.col_stride as usize];
                        f64::from(rounded(a)) * f64::from(rounded(b))
                    };
                    let expected: f64 = (0..k).map(term).sum();
                    let error = (f64::from(*found) - expected).abs();
                    assert!(error < 1e-5 * (1.0 + k as f64).sqrt(), "{isa:?} {m} {n} {k}: {found}, not {expected}");
                }
            }
        }
    }
}

/// Panels hold each line's elements below one another, and zeros where a panel has no line.
#[test]
fn lines_are_packed_in_panels() {
    const WIDTH: usize = 14;
    for (&isa, depth, count) in Isa::available().iter().flat_map(|isa| {
        [1usize, 3, 8, 16, 21, 70]
            .into_iter()
            .flat_map(move |depth| [1usize, 7, 8, 14, 16, 30].map(|count| (isa, depth, count)))
    }) {
        for (across, along) in [(1, 31), (71, 1), (71 * 2, 2)] {
            let from: Vec<f32> = (0..31 * 142).map(|index| index as f32 + 1.0).collect();
            let panels = count.div_ceil(WIDTH);
            let stride = WIDTH * depth + PANEL_PADDING;
            let mut packed = vec![0f32; panels * stride];
            let (to, stride_of_lines) = (packed.as_mut_ptr(), across as isize);
            let arguments = PackArguments {
                from: from.as_ptr(),
                across: stride_of_lines,
                along: along as isize,
                count,
                width: WIDTH,
                depth,
                to,
                stride,
            };
            // SAFETY: the lines lie within `from`, the panels with their padding within `packed`.
            unsafe { f32::packing(isa)(arguments) }
            for (line, step) in (0..panels * WIDTH).flat_map(|line| (0..depth).map(move |step| (line, step))) {
                let expected = if line < count { from[line * across + step * along] } else { 0.0 };
                let found = packed[line / WIDTH * stride + step * WIDTH + line % WIDTH];
                assert_eq!(found, expected, "{isa:?}, {count} lines {across} apart, {depth} deep: {line}, {step}");
            }
        }
    }
}
