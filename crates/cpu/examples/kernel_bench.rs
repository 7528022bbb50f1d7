//! Times of contractions and windows: the best of many runs, and the rate of arithmetic.
//!
//! `cargo run --release -p gyrus-cpu --example kernel_bench [-- filter [threads]]`

use std::time::{Duration, Instant};

use gyrus_cpu::kernels::gemm::{Gemm, Operand};
use gyrus_cpu::pool::{Pool, Scratch, ScratchSize};
use gyrus_graph::DType;

/// How long each is repeated.
const PATIENCE: Duration = Duration::from_millis(300);

struct Bench {
    filter: String,
    pool: Pool,
}

fn floats(len: usize) -> Vec<f32> {
    (0..len).map(|index| ((index * 7919) % 1009) as f32 / 504.5 - 1.0).collect()
}

fn memory(size: &ScratchSize, pool: &Pool) -> (Vec<u8>, Scratch) {
    let mut memory = vec![0; size.total(pool.num_threads())];
    let scratch = Scratch::new(memory.as_mut_ptr(), size);
    (memory, scratch)
}

impl Bench {
    fn report(&self, name: &str, flops: usize, run: &mut dyn FnMut()) {
        let start = Instant::now();
        let mut best = Duration::MAX;
        while start.elapsed() < PATIENCE {
            let start = Instant::now();
            run();
            best = best.min(start.elapsed());
        }
        let rate = flops as f64 / best.as_secs_f64() / 1e9;
        println!("{name:<48} {:>10.1} us {rate:>8.1} GFLOP/s", best.as_secs_f64() * 1e6);
    }

    fn gemm(&self, name: &str, [m, n, k]: [usize; 3], is_a_transposed: bool, is_b_transposed: bool) {
        if !name.contains(&self.filter) {
            return;
        }
        let of = |rows: usize, cols: usize, is_transposed: bool| {
            if is_transposed { Operand::contiguous(cols, rows).transposed() } else { Operand::contiguous(rows, cols) }
        };
        let (a, b) = (of(m, k, is_a_transposed), of(k, n, is_b_transposed));
        let gemm = Gemm { batch: 1, m, n, k, a, b, c: Operand::contiguous(m, n), accumulate: false };
        let compiled = gemm.compile(DType::F32);
        let (_memory, scratch) = memory(&compiled.scratch(), &self.pool);
        let (a, b, mut c) = (floats(m * k), floats(k * n), floats(m * n));
        self.report(name, 2 * m * n * k, &mut || {
            // SAFETY: the operands have the sizes of the product.
            unsafe {
                let (a, b, c) = (a.as_ptr().cast(), b.as_ptr().cast(), c.as_mut_ptr().cast());
                compiled.run(a, b, c, &scratch, &self.pool, None);
            }
        });
    }
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let filter = arguments.next().unwrap_or_default();
    let threads = arguments.next().map_or(2, |threads| threads.parse().expect("a number of threads"));
    let bench = Bench { filter, pool: Pool::new(threads) };
    for size in [256, 512, 1024, 2048] {
        bench.gemm(&format!("gemm {size}^3"), [size; 3], false, false);
    }
    bench.gemm("gemm 1024^3, b transposed", [1024; 3], false, true);
    bench.gemm("gemm 1024^3, a transposed", [1024; 3], true, false);
    for [n, k] in [[120, 400], [84, 120], [10, 84]] {
        bench.gemm(&format!("gemm linear [64, {k}] to [64, {n}]"), [64, n, k], false, true);
        bench.gemm(&format!("gemm linear [64, {k}] to [64, {n}], input's gradient"), [64, k, n], false, false);
        bench.gemm(&format!("gemm linear [64, {k}] to [64, {n}], weight's gradient"), [n, k, 64], true, false);
    }
    bench.gemm("gemm 4096 by vector", [4096, 1, 4096], false, false);
    bench.gemm("gemm vector by 4096", [1, 4096, 4096], false, false);
    bench.gemm("gemm vector by 256", [1, 256, 256], false, false);
}
