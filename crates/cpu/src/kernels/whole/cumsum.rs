//! Sums of all elements up to each.
//!
//! A row is summed in fixed chunks: what goes before a chunk is the sum of the totals of those before it, each summed from
//! zero. So threads can share one long row, and the bits are those of one that goes through it alone.

use std::marker::PhantomData;
use std::ops::Range;

use gyrus_graph::DType;
use gyrus_graph::ops::whole::Cumsum;

use super::super::elements::Arithmetic;
use super::axis::Axis;
use super::lanes::{LANES, Lanes, load, store};
use crate::isa::Isa;
use crate::kernel::{Kernel, Run, Signature};
use crate::kernels::split::{Pointers, Shared, split};
use crate::math::{MulAdd, Multiversion, version};
use crate::pool::ScratchSize;

/// How many elements of a row are summed from zero.
const CHUNK: usize = 1 << 12;

/// How many groups of columns are gone through side by side: as many as the first-level cache holds.
const MAX_GROUPS: usize = 32;

/// How many lanes sums run through at once: one vector of AVX-512 in `f32`.
const WIDTH: usize = 16;

struct CumsumKernel<T> {
    axis: Axis,
    function: unsafe fn(Arguments<T>),
}

struct Arguments<T> {
    axis: Axis,
    task: Task,
    x: *const T,
    y: *mut T,
    /// The total of each chunk of each row.
    totals: *mut T,
}

/// What is done to a range: of the chunks of all rows, in the order in which they are summed, or of groups of columns.
enum Task {
    Totals(Range<usize>),
    Chunks(Range<usize>),
    Columns(Range<usize>),
}

pub(crate) fn kernel(op: &Cumsum, signature: &Signature) -> Option<Box<dyn Kernel>> {
    let spec = &signature.inputs[0];
    let axis = Axis::new(&spec.shape, op.axis);
    Some(match spec.dtype {
        DType::F32 => of::<f32>(axis, op.reverse),
        DType::F64 => of::<f64>(axis, op.reverse),
        DType::I64 => of::<i64>(axis, op.reverse),
        _ => return None,
    })
}

fn of<T: Arithmetic + Default + 'static>(axis: Axis, reverse: bool) -> Box<dyn Kernel> {
    let isa = Isa::get();
    let function = if reverse { version::<Loop<T, true>>(isa) } else { version::<Loop<T, false>>(isa) };
    Box::new(CumsumKernel { axis, function })
}

impl<T: Arithmetic + Default> Kernel for CumsumKernel<T> {
    fn in_place(&self, _input: usize, _output: usize) -> bool {
        true
    }

    fn scratch(&self) -> ScratchSize {
        let num_totals = if self.axis.inner == 1 { self.axis.outer * self.axis.size.div_ceil(CHUNK) } else { 0 };
        ScratchSize { shared: num_totals * size_of::<T>(), ..ScratchSize::default() }
    }

    unsafe fn run(&self, run: &Run) {
        let Axis { outer, size, inner } = self.axis;
        let pointers = Pointers::of(run);
        let totals = Shared(run.scratch.shared::<T>(self.scratch().shared / size_of::<T>()));
        let call = |task: Task| {
            let (x, y) = (pointers.input(0), pointers.output(0));
            // SAFETY: the pointers are as `Run` states, and there is room for the totals; each chunk and each column is
            // written by one thread, after all totals that it needs.
            unsafe { (self.function)(Arguments { axis: self.axis, task, x, y, totals: totals.get() }) }
        };
        if inner != 1 {
            return split(run.pool, self.axis.num_groups(), self.axis.grain(), |groups| call(Task::Columns(groups)));
        }
        let chunks = size.div_ceil(CHUNK);
        if chunks > 1 && outer < 4 * run.pool.num_threads() {
            split(run.pool, outer * chunks, 2, |range| call(Task::Totals(range)));
            split(run.pool, outer * chunks, 2, |range| call(Task::Chunks(range)));
        } else {
            let grain = (1 << 13) / size.max(1);
            split(run.pool, outer, grain, |rows| call(Task::Chunks(rows.start * chunks..rows.end * chunks)));
        }
    }
}

struct Loop<T, const REVERSE: bool>(PhantomData<T>);

impl<T: Arithmetic + Default + 'static, const REVERSE: bool> Multiversion for Loop<T, REVERSE> {
    type Arguments = Arguments<T>;

    #[inline(always)]
    unsafe fn run<M: MulAdd>(Arguments { axis, task, x, y, totals }: Arguments<T>) {
        let chunks = axis.size.div_ceil(CHUNK);
        // SAFETY: chunk or group `index` lies in the operand, and so in the result; there is a total for each chunk.
        unsafe {
            match task {
                Task::Totals(range) => {
                    for index in range {
                        let (row, elements) = place::<REVERSE>(axis, index);
                        *totals.add(index) = total::<T, REVERSE>(x.add(row), elements);
                    }
                }
                Task::Chunks(range) => {
                    let first_of_row = range.start.checked_div(chunks).unwrap_or(0) * chunks;
                    let mut before = T::default();
                    for index in first_of_row..range.start {
                        before = before.add(*totals.add(index));
                    }
                    for index in range {
                        if index % chunks == 0 {
                            before = T::default();
                        }
                        let (row, elements) = place::<REVERSE>(axis, index);
                        before = before.add(chunk::<T, REVERSE>(x.add(row), y.add(row), elements, before));
                    }
                }
                Task::Columns(range) => columns::<T, REVERSE>(axis, range, x, y),
            }
        }
    }
}

/// The place of the `index`-th of `count` in the order of summing.
#[inline(always)]
fn directed<const REVERSE: bool>(index: usize, count: usize) -> usize {
    if REVERSE { count - 1 - index } else { index }
}

/// Where the row of a chunk begins, and which elements of the row it has.
#[inline(always)]
fn place<const REVERSE: bool>(axis: Axis, index: usize) -> (usize, Range<usize>) {
    let chunks = axis.size.div_ceil(CHUNK);
    let (row, chunk) = (index / chunks, directed::<REVERSE>(index % chunks, chunks));
    (row * axis.size, chunk * CHUNK..axis.size.min((chunk + 1) * CHUNK))
}

/// Adds to each lane the one `DISTANCE` before it.
#[inline(always)]
fn round<T: Arithmetic + Default, const REVERSE: bool, const DISTANCE: usize>(lanes: [T; WIDTH]) -> [T; WIDTH] {
    let mut sums = lanes;
    for lane in 0..WIDTH - DISTANCE {
        let (from, to) = if REVERSE { (lane + DISTANCE, lane) } else { (lane, lane + DISTANCE) };
        sums[to] = lanes[from].add(lanes[to]);
    }
    sums
}

/// The sums of neighbouring lanes up to each, and of all, each with `before` added.
#[inline(always)]
fn sums<T: Arithmetic + Default, const REVERSE: bool>(lanes: &mut Lanes<T>, mut before: T) -> T {
    for group in 0..LANES / WIDTH {
        let start = directed::<REVERSE>(group, LANES / WIDTH) * WIDTH;
        let mut sums = [T::default(); WIDTH];
        sums.copy_from_slice(&lanes[start..start + WIDTH]);
        sums = round::<T, REVERSE, 1>(sums);
        sums = round::<T, REVERSE, 2>(sums);
        sums = round::<T, REVERSE, 4>(sums);
        sums = round::<T, REVERSE, 8>(sums);
        for lane in 0..WIDTH {
            lanes[start + lane] = before.add(sums[lane]);
        }
        before = before.add(sums[directed::<REVERSE>(WIDTH - 1, WIDTH)]);
    }
    before
}

/// Where the block of [`LANES`] lies that is the `index`-th to be summed of those of a chunk.
#[inline(always)]
fn block<const REVERSE: bool>(elements: &Range<usize>, index: usize) -> usize {
    elements.start + directed::<REVERSE>(index, elements.len().div_ceil(LANES)) * LANES
}

/// The sum of a chunk, by the same additions as in [`chunk`].
///
/// # Safety
/// `x` points to a row that has these elements.
#[inline(always)]
unsafe fn total<T: Arithmetic + Default, const REVERSE: bool>(x: *const T, elements: Range<usize>) -> T {
    let mut sum = T::default();
    for index in 0..elements.len().div_ceil(LANES) {
        // SAFETY: as the caller vouches.
        let mut lanes = unsafe { load(x, block::<REVERSE>(&elements, index), elements.end, T::default()) };
        sum = sums::<T, REVERSE>(&mut lanes, sum);
    }
    sum
}

/// Writes the sums up to each element of a chunk, with `before` added, and returns its own sum.
///
/// # Safety
/// Both point to rows that have these elements.
#[inline(always)]
unsafe fn chunk<T: Arithmetic + Default, const REVERSE: bool>(
    x: *const T,
    y: *mut T,
    elements: Range<usize>,
    before: T,
) -> T {
    let mut sum = T::default();
    for index in 0..elements.len().div_ceil(LANES) {
        let at = block::<REVERSE>(&elements, index);
        // SAFETY: as the caller vouches.
        unsafe {
            let mut lanes = load(x, at, elements.end, T::default());
            sum = sums::<T, REVERSE>(&mut lanes, sum);
            for lane in &mut lanes {
                *lane = before.add(*lane);
            }
            store(y, at, elements.end, lanes);
        }
    }
    sum
}

/// Adds row to row, over some groups of columns.
///
/// # Safety
/// Both point to the elements of the axis, which has these groups.
#[inline(always)]
unsafe fn columns<T: Arithmetic + Default, const REVERSE: bool>(
    axis: Axis,
    range: Range<usize>,
    x: *const T,
    y: *mut T,
) {
    let Axis { size, inner, .. } = axis;
    let groups = inner.div_ceil(LANES);
    let mut index = range.start;
    while index < range.end {
        let (outer, first) = (index / groups, index % groups);
        let count = (range.end - index).min(groups - first).min(MAX_GROUPS);
        let end = inner.min((first + count) * LANES);
        for step in 0..size {
            let row = (outer * size + directed::<REVERSE>(step, size)) * inner;
            let before = if REVERSE { row + inner } else { row.wrapping_sub(inner) };
            for group in first..first + count {
                let at = group * LANES;
                // SAFETY: as the caller vouches.
                unsafe {
                    let mut lanes = load(x.add(row), at, end, T::default());
                    if step > 0 {
                        let before = load(y.add(before), at, end, T::default());
                        for lane in 0..LANES {
                            lanes[lane] = before[lane].add(lanes[lane]);
                        }
                    }
                    store(y.add(row), at, end, lanes);
                }
            }
        }
        index += count;
    }
}
