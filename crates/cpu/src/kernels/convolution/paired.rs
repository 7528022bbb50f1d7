//! Kernels of precision `bf16`: pairs of their operands are made in working memory, and another kernel works on those.

use std::ops::Range;

use crate::kernel::{Kernel, Run};
use crate::kernels::gemm::microkernel::{PairReduceLoops, RoundArguments};
use crate::kernels::split::{Pointers, split};
use crate::pool::ScratchSize;

/// How many elements are worth a task.
const GRAIN: usize = 8 << 10;

/// Multiples of so many bytes keep what follows aligned.
const ALIGNMENT: usize = 64;

/// A kernel of two operands of which pairs are made before.
struct Paired {
    kernel: Box<dyn Kernel>,
    operands: [Operand; 2],
    pairing: unsafe fn(RoundArguments),
}

/// An operand `[outer, depth, inner]`.
#[derive(Clone, Copy)]
pub(super) struct Operand {
    depth: usize,
    inner: usize,
    /// How many pairs are made of it.
    len: usize,
}

impl Operand {
    /// Of which neighbours along the middle axis are pairs.
    pub(super) fn of_pairs([outer, depth, inner]: [usize; 3]) -> Operand {
        if inner == 1 && depth.is_multiple_of(2) {
            return Operand { depth: outer * depth, inner, len: outer * depth / 2 };
        }
        Operand { depth, inner, len: outer * depth.div_ceil(2) * inner }
    }

    /// Its bytes in working memory.
    fn num_bytes(&self) -> usize {
        (self.len * size_of::<f32>()).next_multiple_of(ALIGNMENT)
    }
}

/// A kernel that pairs elements of its operands and gives them to one that multiplies pairs.
pub(super) fn paired(loops: PairReduceLoops, operands: [Operand; 2], kernel: Box<dyn Kernel>) -> Box<dyn Kernel> {
    Box::new(Paired { kernel, operands, pairing: loops.pairing })
}

impl Kernel for Paired {
    fn scratch(&self) -> ScratchSize {
        let ScratchSize { shared, per_worker } = self.kernel.scratch();
        ScratchSize { shared: shared + self.operands.iter().map(Operand::num_bytes).sum::<usize>(), per_worker }
    }

    fn takes_epilogue(&self) -> bool {
        self.kernel.takes_epilogue()
    }

    fn is_shared(&self) -> bool {
        self.kernel.is_shared()
    }

    unsafe fn run(&self, run: &Run) {
        let start: *mut u8 = run.scratch.shared(self.scratch().shared);
        let pairs = [start, start.wrapping_add(self.operands[0].num_bytes())];
        for (index, Operand { depth, inner, len }) in self.operands.into_iter().enumerate() {
            let pointers = Pointers::of(&Run { outputs: &pairs, ..*run });
            split(run.pool, len, GRAIN, |Range { start, end }| {
                let (from, to) = (pointers.input(index), pointers.output(index));
                // SAFETY: by this function's own contract; the loop is compiled for this processor.
                unsafe {
                    (self.pairing)(RoundArguments { from, depth, inner, first: start, count: end - start, to });
                }
            });
        }
        let inputs = pairs.map(<*mut u8>::cast_const);
        let scratch = run.scratch.after(self.operands.iter().map(Operand::num_bytes).sum());
        // SAFETY: by this function's own contract; the operands are those that the kernel was made for.
        unsafe { self.kernel.run(&Run { inputs: &inputs, scratch, ..*run }) }
    }
}
