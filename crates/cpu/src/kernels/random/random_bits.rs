//! Random bits.

use std::ops::Range;

use gyrus_graph::ops::random::RandomBits;
use gyrus_graph::ops::random::random_bits::{KEY_STEPS, MULTIPLIERS, ROUNDS};

use crate::kernel::{Kernel, Run, Signature};
use crate::kernels::split::{Pointers, split};

struct RandomBitsKernel {
    stream: u64,
    count: usize,
}

pub(crate) fn kernel(op: &RandomBits, _: &Signature) -> Box<dyn Kernel> {
    Box::new(RandomBitsKernel { stream: op.stream, count: op.shape.num_elements() })
}

/// How many blocks of four words are computed together, in vector registers.
const WIDTH: usize = 16;

/// Words of 32 bits, each in the lower half of its lane; what is in the upper half does not matter.
type Lanes = [u64; WIDTH];

fn halves(value: u64) -> [u32; 2] {
    [value as u32, (value >> 32) as u32]
}

fn lanes(word: u32) -> Lanes {
    [word as u64; WIDTH]
}

/// Philox4x32-10 of `WIDTH` counters with one key.
#[inline(always)]
fn philox(mut counter: [Lanes; 4], mut key: [u32; 2]) -> [Lanes; 4] {
    for _ in 0..ROUNDS {
        let mut next = counter;
        for lane in 0..WIDTH {
            let product_0 = (counter[0][lane] as u32 as u64) * MULTIPLIERS[0] as u64;
            let product_1 = (counter[2][lane] as u32 as u64) * MULTIPLIERS[1] as u64;
            next[0][lane] = (product_1 >> 32) ^ counter[1][lane] ^ key[0] as u64;
            next[1][lane] = product_1;
            next[2][lane] = (product_0 >> 32) ^ counter[3][lane] ^ key[1] as u64;
            next[3][lane] = product_0;
        }
        counter = next;
        key = [key[0].wrapping_add(KEY_STEPS[0]), key[1].wrapping_add(KEY_STEPS[1])];
    }
    counter
}

/// The words of the blocks that begin at block `first` of a sequence.
#[inline(always)]
fn fill(words: &mut [u32], first: u64, counter: u64, key: [u32; 2]) {
    let counter = halves(counter).map(lanes);
    for (group, words) in words.chunks_mut(4 * WIDTH).enumerate() {
        let mut block = [first + (group * WIDTH) as u64; WIDTH];
        block.iter_mut().zip(0..).for_each(|(block, lane)| *block += lane);
        let high = block.map(|block| block >> 32);
        let found = philox([block, high, counter[0], counter[1]], key);
        let mut blocks = [[0; 4]; WIDTH];
        for (lane, block) in blocks.iter_mut().enumerate() {
            *block = [0, 1, 2, 3].map(|word| found[word][lane] as u32);
        }
        words.copy_from_slice(&blocks.as_flattened()[..words.len()]);
    }
}

/// [`fill`], compiled for AVX2.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn fill_avx2(words: &mut [u32], first: u64, counter: u64, key: [u32; 2]) {
    fill(words, first, counter, key)
}

/// [`fill`], compiled for AVX-512.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512dq,avx512vl,avx512bw")]
fn fill_avx512(words: &mut [u32], first: u64, counter: u64, key: [u32; 2]) {
    fill(words, first, counter, key)
}

fn fill_best(words: &mut [u32], first: u64, counter: u64, key: [u32; 2]) {
    #[cfg(target_arch = "x86_64")]
    {
        let has_avx512 = is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512dq");
        if has_avx512 && is_x86_feature_detected!("avx512vl") && is_x86_feature_detected!("avx512bw") {
            // SAFETY: the processor has all that the function was compiled for.
            return unsafe { fill_avx512(words, first, counter, key) };
        }
        if is_x86_feature_detected!("avx2") {
            // SAFETY: the processor has AVX2.
            return unsafe { fill_avx2(words, first, counter, key) };
        }
    }
    fill(words, first, counter, key)
}

/// The key of a stream.
fn stream_key(seed: u64, stream: u64) -> [u32; 2] {
    let [low, high] = halves(stream).map(lanes);
    let words = philox([low, high, lanes(0), lanes(0)], halves(seed));
    [words[0][0] as u32, words[1][0] as u32]
}

impl Kernel for RandomBitsKernel {
    unsafe fn run(&self, run: &Run) {
        let pointers = Pointers::of(run);
        split(run.pool, self.count.div_ceil(4), 1 << 10, |blocks: Range<usize>| {
            // SAFETY: the key has two elements.
            let (seed, counter) = unsafe { (*pointers.input::<u64>(0), *pointers.input::<u64>(0).add(1)) };
            let key = stream_key(seed, self.stream);
            let (start, end) = (blocks.start * 4, (blocks.end * 4).min(self.count));
            // SAFETY: the words lie in the result, and no other range has them.
            let words = unsafe { std::slice::from_raw_parts_mut(pointers.output::<u32>(0).add(start), end - start) };
            fill_best(words, blocks.start as u64, counter, key);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `kat_vectors` of Random123, the authors' library: counter, key, result.
    #[test]
    fn philox_gives_the_published_answers() {
        let known: [([u32; 4], [u32; 2], [u32; 4]); 3] = [
            ([0; 4], [0; 2], [0x6627_E8D5, 0xE169_C58D, 0xBC57_AC4C, 0x9B00_DBD8]),
            ([u32::MAX; 4], [u32::MAX; 2], [0x408F_276D, 0x41C8_3B0E, 0xA20B_C7C6, 0x6D54_51FD]),
            (
                [0x243F_6A88, 0x85A3_08D3, 0x1319_8A2E, 0x0370_7344],
                [0xA409_3822, 0x299F_31D0],
                [0xD16C_FE09, 0x94FD_CCEB, 0x5001_E420, 0x2412_6EA1],
            ),
        ];
        for (counter, key, result) in known {
            let found = philox(counter.map(lanes), key).map(|words| words.map(|word| word as u32));
            assert_eq!(found, result.map(|word| [word; WIDTH]));
        }
    }

    #[test]
    fn vector_instructions_change_nothing() {
        let (mut plain, mut best) = ([0; 333], [0; 333]);
        fill(&mut plain, u32::MAX as u64 - 20, 0x0123_4567_89AB_CDEF, [1, 2]);
        fill_best(&mut best, u32::MAX as u64 - 20, 0x0123_4567_89AB_CDEF, [1, 2]);
        assert_eq!(plain, best);
    }
}
