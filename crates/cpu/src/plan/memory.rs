//! Where each intermediate result lives: one arena, in which results share memory when their lifetimes
//! do not overlap.

/// When a block of memory is in use, in numbers of steps, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lifetime {
    pub(crate) bytes: usize,
    pub(crate) first: usize,
    pub(crate) last: usize,
}

const ALIGNMENT: usize = 64;

/// Places blocks in an arena; returns each one's offset, and the arena's size.
///
/// Greedy by size, each at the lowest offset that is free throughout its lifetime. (Pisarchyk and Lee,
/// Efficient Memory Management for Deep Neural Net Inference, 2020, section 5.2.)
pub(crate) fn arrange(blocks: &[Lifetime]) -> (Vec<usize>, usize) {
    let mut by_size: Vec<usize> = (0..blocks.len()).collect();
    by_size.sort_by_key(|&index| (std::cmp::Reverse(blocks[index].bytes), blocks[index].first));
    let mut offsets = vec![0; blocks.len()];
    let mut placed: Vec<usize> = vec![];
    let mut arena = 0;
    for index in by_size {
        let block = blocks[index];
        let bytes = block.bytes.next_multiple_of(ALIGNMENT);
        let overlaps = |&&other: &&usize| blocks[other].first <= block.last && block.first <= blocks[other].last;
        let mut offset = 0;
        // `placed` is in the order of offsets.
        for &other in placed.iter().filter(overlaps) {
            if offset + bytes <= offsets[other] {
                break;
            }
            offset = offset.max(offsets[other] + blocks[other].bytes.next_multiple_of(ALIGNMENT));
        }
        offsets[index] = offset;
        arena = arena.max(offset + bytes);
        let position = placed.partition_point(|&other| offsets[other] <= offset);
        placed.insert(position, index);
    }
    (offsets, arena)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_alive_together_never_overlap() {
        let mut state = 1u64;
        let mut random = |n: u64| {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            ((state >> 33) % n) as usize
        };
        let blocks: Vec<Lifetime> = (0..200)
            .map(|_| {
                let first = random(50);
                Lifetime { bytes: random(1000) + 1, first, last: first + random(10) }
            })
            .collect();
        let (offsets, arena) = arrange(&blocks);
        for (i, a) in blocks.iter().enumerate() {
            assert!(offsets[i] + a.bytes <= arena && offsets[i] % ALIGNMENT == 0);
            for (j, b) in blocks.iter().enumerate().skip(i + 1) {
                let together = a.first <= b.last && b.first <= a.last;
                let apart = offsets[i] + a.bytes <= offsets[j] || offsets[j] + b.bytes <= offsets[i];
                assert!(!together || apart, "blocks {i} and {j}");
            }
        }
        let total: usize = blocks.iter().map(|block| block.bytes.next_multiple_of(ALIGNMENT)).sum();
        assert!(arena < total / 2, "memory is shared");
    }
}
