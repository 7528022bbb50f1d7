//! How fast the machine is at best: what kernels are measured against.

use std::hint::black_box;
use std::time::{Duration, Instant};

use crate::isa::Isa;
use crate::kernels::split::split;
use crate::math::{MulAdd, Multiversion, version_of_baseline};
#[cfg(target_arch = "x86_64")]
use crate::math::{version_with_avx2, version_with_avx512};
use crate::pool::Pool;

/// How many rounds one task does; a round adds to each of its sums once.
const NUM_ROUNDS: usize = 1 << 16;

/// Multiplies and adds in registers. The sums fill twelve of them, enough to hide how long one addition takes.
struct Rounds<const NUM_SUMS: usize>;

impl<const NUM_SUMS: usize> Multiversion for Rounds<NUM_SUMS> {
    type Arguments = f32;

    #[inline(always)]
    unsafe fn run<M: MulAdd>(first: f32) {
        let (factor, mut sums) = (black_box(0.999), [first; NUM_SUMS]);
        for _ in 0..NUM_ROUNDS {
            sums.iter_mut().for_each(|sum| *sum = M::mul_add(*sum, factor, 1e-3));
        }
        black_box(sums);
    }
}

/// How many multiplications and additions of `f32` the pool's threads do in a second, on numbers in registers.
pub fn flops_per_second(pool: &Pool) -> f64 {
    let (task, num_sums) = match Isa::get() {
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512 => (version_with_avx512::<Rounds<192>>(), 192),
        #[cfg(target_arch = "x86_64")]
        Isa::Avx2 => (version_with_avx2::<Rounds<96>>(), 96),
        _ => (version_of_baseline::<Rounds<48>>(), 48),
    };
    // SAFETY: the processor has the instruction set.
    task_rate(pool, 2 * num_sums, &|| unsafe { task(1.0) })
}

/// As [`flops_per_second`], of products of pairs of `bf16` that are added to `f32`; `None` where the processor has
/// no instruction for that.
pub fn bf16_flops_per_second(pool: &Pool) -> Option<f64> {
    #[cfg(target_arch = "x86_64")]
    if Isa::get().has_bf16_products() {
        // SAFETY: the processor has the instructions.
        return Some(task_rate(pool, 4 * 16 * 12, &|| unsafe { rounds_of_bf16() }));
    }
    let _ = pool;
    None
}

/// As [`Rounds`], with two products for each sum.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bf16")]
fn rounds_of_bf16() {
    use std::arch::x86_64::*;
    let half = _mm512_set1_ps(0.5);
    let factor = black_box(_mm512_cvtne2ps_pbh(half, half));
    let mut sums = [half; 12];
    for _ in 0..NUM_ROUNDS {
        sums.iter_mut().for_each(|sum| *sum = _mm512_dpbf16_ps(*sum, factor, factor));
    }
    black_box(sums);
}

/// The rate of a task with `amount` in each round, carried out by all threads.
fn task_rate(pool: &Pool, amount: usize, task: &(dyn Fn() + Sync)) -> f64 {
    let num_tasks = pool.num_threads();
    best_rate(num_tasks * amount * NUM_ROUNDS, || pool.run(num_tasks, &|_, _| task()))
}

/// How many bytes the pool's threads read and write in a second when they copy what no cache holds.
pub fn bytes_per_second(pool: &Pool) -> f64 {
    const LEN: usize = 256 << 20;
    // Written, so that the system has given all of it.
    let (from, mut to) = (vec![1u8; LEN], vec![2u8; LEN]);
    let to = to.as_mut_ptr() as usize;
    best_rate(2 * LEN, || {
        split(pool, LEN, 1 << 20, |part| {
            // SAFETY: the parts lie within both arrays and do not overlap.
            unsafe { ((to + part.start) as *mut u8).copy_from_nonoverlapping(from[part.clone()].as_ptr(), part.len()) }
        });
    })
}

/// The highest rate among repetitions of a fifth of a second, at least five.
fn best_rate(amount: usize, run: impl Fn()) -> f64 {
    let (begin, mut best, mut count) = (Instant::now(), f64::INFINITY, 0);
    while count < 5 || begin.elapsed() < Duration::from_millis(200) {
        let start = Instant::now();
        run();
        best = best.min(start.elapsed().as_secs_f64());
        count += 1;
    }
    amount as f64 / best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_what_processors_can_have() {
        let pool = Pool::new(1);
        assert!((1e8..1e13).contains(&flops_per_second(&pool)));
        assert!(bf16_flops_per_second(&pool).is_none_or(|rate| (1e8..1e14).contains(&rate)));
        assert!((1e7..1e13).contains(&bytes_per_second(&pool)));
    }
}
