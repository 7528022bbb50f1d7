//! What the planner knows of a kernel.

use gyrus_graph::Spec;

use crate::kernels::gemm::Epilogue;
use crate::pool::{Pool, Scratch, ScratchSize};

/// What a kernel runs on. All arrays are contiguous, row-major (images channels last, if the kernel was made for
/// that), aligned to 64 bytes, and of the shapes and element types that the kernel was made for, but those that it
/// took strided; outputs overlap nothing but what [`Kernel::in_place`] allows.
pub struct Run<'a> {
    /// The operands, in the operation's order; after them the one that was [prepared](Kernel::prepare), if one was.
    pub inputs: &'a [*const u8],
    /// The results.
    pub outputs: &'a [*mut u8],
    /// Memory of the size that [`Kernel::scratch`] asked for.
    pub scratch: Scratch,
    /// The threads to run on.
    pub pool: &'a Pool,
    /// What to do to each finished region of the first output; given only to kernels that say
    /// [`Kernel::takes_epilogue`].
    pub epilogue: Option<&'a dyn Epilogue>,
}

/// How an operand or a result lies in a block of memory.
pub struct Strided {
    /// Which one.
    pub operand: usize,
    /// The place of the first element.
    pub offset: usize,
    /// Distances between neighbours along each axis.
    pub strides: Vec<isize>,
}

/// The rows, in bytes, that an array is divided into where a kernel goes through it by rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowsOf {
    /// How many there are.
    pub count: usize,
    /// How far apart they are.
    pub stride: usize,
    /// How long a row is.
    pub len: usize,
}

impl RowsOf {
    /// Rows without gaps.
    pub(crate) fn contiguous(count: usize, len: usize) -> RowsOf {
        RowsOf { count, stride: len, len }
    }
}

/// What a kernel can make of an operand before it runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prepared {
    /// Of which operand.
    pub operand: usize,
    /// How many bytes it takes.
    pub bytes: usize,
    /// All that its bytes depend on besides the operand's: kernels that name the same form can share it.
    pub form: String,
}

/// One operation, made ready for operands of given shapes and element types. It never allocates, and
/// gives the same bits for any number of threads.
pub trait Kernel: Send + Sync {
    /// The working memory it needs.
    fn scratch(&self) -> ScratchSize {
        ScratchSize::default()
    }

    /// Whether output `output` may share the memory of input `input`.
    fn in_place(&self, _input: usize, _output: usize) -> bool {
        false
    }

    /// Whether all of the pool's threads may call [`Kernel::run`] together, as a step of a [`Walk`](crate::pool::Walk): if
    /// outside the pool's runs it neither reads nor writes operands, results or working memory, as the tests of all kernels
    /// check.
    fn is_shared(&self) -> bool {
        true
    }

    /// The rows of an operand, if the kernel reads it in its run [by rows](Pool::run_by_rows) alone, of which it then has one,
    /// and each task its own.
    fn rows_read(&self, _input: usize) -> Option<RowsOf> {
        None
    }

    /// The same for a result that is written, also in a run [along rows](Pool::run_along). The rows of an epilogue's operands
    /// and results are those of the first result.
    fn rows_written(&self, _output: usize) -> Option<RowsOf> {
        None
    }

    /// Whether [`Run::epilogue`] is honoured.
    fn takes_epilogue(&self) -> bool {
        false
    }

    /// Lets an operand lie strided in memory, if the kernel can read it so; whether it can. The address that it is
    /// given is that of the first element.
    fn read_strided(&mut self, _input: &Strided) -> bool {
        false
    }

    /// Lets results lie strided in memory, if the kernel can write all of them so; whether it can. The addresses that
    /// it is given are those of the blocks.
    fn write_strided(&mut self, _outputs: &[Strided]) -> bool {
        false
    }

    /// What can be prepared for many runs in which an operand stays the same, such as weights that are packed.
    fn prepared(&self) -> Option<Prepared> {
        None
    }

    /// Prepares the operand that [`Kernel::prepared`] names.
    ///
    /// # Safety
    /// `operand` is as in [`Run`], and there is room at `to`, which is aligned to 64 bytes.
    unsafe fn prepare(&self, _operand: *const u8, _to: *mut u8, _pool: &Pool) {}

    /// Computes the outputs.
    ///
    /// # Safety
    /// The pointers and the scratch memory are as [`Run`] states.
    unsafe fn run(&self, run: &Run);
}

/// The specifications a kernel is made from.
pub struct Signature<'a> {
    /// Of the operands.
    pub inputs: &'a [Spec],
    /// Of the results.
    pub outputs: &'a [Spec],
}
