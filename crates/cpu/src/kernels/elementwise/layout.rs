//! How a program's iteration space is walked, and how each operand lies in it.

use gyrus_graph::DType;

use super::functions::{Lane, Strided, is_direct, load};
use super::program::Program;
use crate::isa::Isa;

/// Rows of at least this many elements are walked one by one: operands that repeat along them are
/// scalars. Blocks span several shorter ones.
const MIN_ROW: usize = 512;

/// An operand with a period up to this many elements is written down once and read from there.
const MAX_PERIOD: usize = 2048;

/// The iteration space, with axes merged where every operand allows it.
#[derive(Clone, Debug)]
pub(super) struct Space {
    /// At least one axis.
    pub(super) shape: Vec<usize>,
    /// Whether no block crosses the end of a row.
    pub(super) by_rows: bool,
}

/// How the elements of an operand are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// One element for all places.
    Uniform,
    /// In the order of the places.
    Flat,
    /// By rows: in order along the row.
    RowVector,
    /// By rows: one element for the row.
    RowScalar,
    /// The first so many elements, again and again.
    Periodic(usize),
    /// By strides, into a register.
    Strided,
}

/// What is loaded: an input, or counts along an axis.
#[derive(Clone, Debug)]
pub(super) struct Source {
    pub(super) dtype: DType,
    /// `None` for counts.
    pub(super) input: Option<usize>,
    pub(super) strides: Vec<isize>,
    pub(super) offset: isize,
    pub(super) access: Access,
    pub(super) load: unsafe fn(Strided),
}

impl Source {
    /// Whether registers hold what is in memory.
    pub(super) fn is_direct(&self) -> bool {
        self.input.is_some() && is_direct(self.dtype)
    }

    pub(super) fn lane(&self) -> Lane {
        Lane::of(self.dtype)
    }
}

impl Space {
    /// Merges axes; `keep_apart` says whether an axis may not merge with another that follows it.
    pub(super) fn new(
        program: &Program,
        keep_apart: impl Fn(usize, usize) -> bool,
        isa: Isa,
    ) -> (Space, Vec<Source>, Vec<usize>) {
        let rank = program.shape.len();
        let inputs = program.inputs.iter().enumerate().map(|(index, operand)| {
            assert_eq!(operand.strides.len(), rank, "an operand has one stride for each axis");
            (operand.dtype, Some(index), operand.strides.clone(), operand.offset)
        });
        let counts = program.instructions.iter().filter_map(|instruction| match *instruction {
            super::Instruction::Iota { dst, axis } => {
                let strides = (0..rank).map(|other| isize::from(other == axis)).collect();
                Some((program.registers[dst as usize], None, strides, 0))
            }
            _ => None,
        });
        let mut sources: Vec<Source> = inputs
            .chain(counts)
            .map(|(dtype, input, strides, offset)| {
                let load = load(dtype, input.is_none(), isa);
                Source { dtype, input, strides, offset, access: Access::Flat, load }
            })
            .collect();
        let (shape, groups) = merge(&program.shape, &mut sources, keep_apart);
        let mut space = Space { shape, by_rows: false };
        let row = *space.shape.last().expect("at least one axis");
        let plain: Vec<Access> = sources.iter().map(|source| space.access(source)).collect();
        space.by_rows = row >= MIN_ROW && plain.contains(&Access::Strided);
        for source in &mut sources {
            source.access = space.access(source);
        }
        (space, sources, groups)
    }

    pub(super) fn num_elements(&self) -> usize {
        self.shape.iter().product()
    }

    pub(super) fn row(&self) -> usize {
        self.shape[self.shape.len() - 1]
    }

    fn access(&self, source: &Source) -> Access {
        let strides = &source.strides;
        let mut contiguous = 1;
        // The number of innermost axes that are contiguous, and their elements.
        let mut axes = 0;
        for axis in (0..strides.len()).rev() {
            if strides[axis] != contiguous as isize {
                break;
            }
            contiguous *= self.shape[axis];
            axes += 1;
        }
        let repeats = strides[..strides.len() - axes].iter().all(|&stride| stride == 0);
        let inner = strides[strides.len() - 1];
        match () {
            () if axes == strides.len() => Access::Flat,
            () if strides.iter().all(|&stride| stride == 0) => Access::Uniform,
            () if self.by_rows && inner == 0 => Access::RowScalar,
            () if self.by_rows && inner == 1 => Access::RowVector,
            () if repeats && contiguous <= MAX_PERIOD => Access::Periodic(contiguous),
            () => Access::Strided,
        }
    }

    /// The place within an operand of the first element of a row.
    pub(super) fn row_offset(&self, source: &Source, row: usize) -> isize {
        let mut rest = row;
        let mut offset = source.offset;
        for axis in (0..self.shape.len() - 1).rev() {
            offset += (rest % self.shape[axis]) as isize * source.strides[axis];
            rest /= self.shape[axis];
        }
        offset
    }

    /// Brings `n` elements from the place `start` on together at `dst`, row by row.
    ///
    /// # Safety
    /// `base` is the array of the source, and `dst` is valid for `n` registers.
    pub(super) unsafe fn gather(&self, source: &Source, base: *const u8, start: usize, n: usize, mut dst: *mut u8) {
        let last = self.shape.len() - 1;
        let (columns, stride) = (self.shape[last], source.strides[last]);
        let (rows, row_stride) = if last == 0 { (1, 0) } else { (self.shape[last - 1], source.strides[last - 1]) };
        let size = source.lane().size();
        let (mut position, end) = (start, start + n);
        while position < end {
            let (row, column) = (position / columns, position % columns);
            let whole = ((end - position) / columns).min(rows - row % rows);
            let (rows, columns) =
                if column == 0 && whole > 0 { (whole, columns) } else { (1, (columns - column).min(end - position)) };
            let offset = self.row_offset(source, row) + column as isize * stride;
            // SAFETY: the places are within the iteration space, hence within the array.
            unsafe {
                (source.load)(Strided { dst, base, offset, rows, row_stride, columns, stride });
                dst = dst.add(rows * columns * size);
            }
            position += rows * columns;
        }
    }
}

/// Drops axes of one element and merges those that every source walks as one; returns the shape, and
/// for each of its axes one of the original axes that it is made of.
fn merge(
    shape: &[usize],
    sources: &mut [Source],
    keep_apart: impl Fn(usize, usize) -> bool,
) -> (Vec<usize>, Vec<usize>) {
    let axes: Vec<usize> = (0..shape.len()).filter(|&axis| shape[axis] != 1).collect();
    let mut merged: Vec<usize> = vec![];
    let mut groups: Vec<usize> = vec![];
    let mut strides: Vec<Vec<isize>> = vec![vec![]; sources.len()];
    for (index, &axis) in axes.iter().enumerate() {
        let continues = |source: &Source| {
            index > 0 && source.strides[axes[index - 1]] == source.strides[axis] * shape[axis] as isize
        };
        if index > 0 && !keep_apart(axes[index - 1], axis) && sources.iter().all(continues) {
            *merged.last_mut().expect("an axis before") *= shape[axis];
            strides.iter_mut().zip(&*sources).for_each(|(strides, source)| {
                *strides.last_mut().expect("an axis before") = source.strides[axis];
            });
        } else {
            merged.push(shape[axis]);
            groups.push(axis);
            strides.iter_mut().zip(&*sources).for_each(|(strides, source)| strides.push(source.strides[axis]));
        }
    }
    if merged.is_empty() {
        merged.push(1);
        groups.push(0);
        strides.iter_mut().for_each(|strides| strides.push(1));
    }
    sources.iter_mut().zip(strides).for_each(|(source, strides)| source.strides = strides);
    (merged, groups)
}
