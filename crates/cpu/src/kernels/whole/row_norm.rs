//! Normalisation of rows: what layer and root-mean-square normalisation share.

use std::marker::PhantomData;
use std::ops::Range;

use super::groups::{Shared, add_rows, groups};
use super::lanes::{Float, LANES, add_product, for_blocks, load, map, store, zip};
use crate::isa::Isa;
use crate::kernel::{Kernel, RowsOf, Run};
use crate::kernels::split::{Pointers, split_rows};
use crate::math::{MulAdd, Multiversion, version};
use crate::pool::{Rows, ScratchSize};

/// `y = (x - mean) rstd gamma + beta`; unless `CENTERED` without `mean` and `beta`.
pub(super) struct RowNorm<T, const CENTERED: bool> {
    pub(super) num_rows: usize,
    pub(super) size: usize,
    pub(super) eps: f64,
    pub(super) function: unsafe fn(Arguments<T>),
}

pub(super) struct Arguments<T> {
    x: *const T,
    gamma: *const T,
    beta: *const T,
    y: *mut T,
    mean: *mut T,
    rstd: *mut T,
    rows: Range<usize>,
    size: usize,
    eps: T,
}

impl<T: Float, const CENTERED: bool> RowNorm<T, CENTERED> {
    /// For an operand whose last axis is normalised.
    pub(super) fn new(shape: &[usize], eps: f64) -> Self {
        let (size, num_rows) = (shape[shape.len() - 1], shape[..shape.len() - 1].iter().product());
        RowNorm { num_rows, size, eps, function: version::<Loop<T, CENTERED>>(Isa::get()) }
    }
}

impl<T: Float, const CENTERED: bool> Kernel for RowNorm<T, CENTERED> {
    fn in_place(&self, input: usize, output: usize) -> bool {
        (input, output) == (0, 0)
    }

    fn rows_read(&self, input: usize) -> Option<RowsOf> {
        (input == 0).then(|| RowsOf::contiguous(self.num_rows, self.size * size_of::<T>()))
    }

    fn rows_written(&self, output: usize) -> Option<RowsOf> {
        let len = if output == 0 { self.size } else { 1 };
        Some(RowsOf::contiguous(self.num_rows, len * size_of::<T>()))
    }

    unsafe fn run(&self, run: &Run) {
        let pointers = Pointers::of(run);
        let size = self.size;
        split_rows(run.pool, self.num_rows, (1 << 13) / size.max(1), |rows| {
            let (x, gamma, y) = (pointers.input(0), pointers.input(1), pointers.output(0));
            let (beta, mean, rstd) = match CENTERED {
                true => (pointers.input(2), pointers.output(1), pointers.output(2)),
                false => (std::ptr::null(), std::ptr::null_mut(), pointers.output(1)),
            };
            let arguments = Arguments { x, gamma, beta, y, mean, rstd, rows, size, eps: T::from_f64(self.eps) };
            // SAFETY: the pointers are as `Run` states, and null where they are not used; each row is written by
            // one thread.
            unsafe { (self.function)(arguments) }
        });
    }
}

struct Loop<T, const CENTERED: bool>(PhantomData<T>);

impl<T: Float, const CENTERED: bool> Multiversion for Loop<T, CENTERED> {
    type Arguments = Arguments<T>;

    #[inline(always)]
    unsafe fn run<M: MulAdd>(arguments: Arguments<T>) {
        let Arguments { x, gamma, beta, y, mean, rstd, rows, size, eps } = arguments;
        let share = T::from_f64(1.0 / size as f64);
        for row in rows {
            // SAFETY: row `row` lies in the operand and the results, a row's elements in the parameters.
            unsafe {
                let (x, y) = (x.add(row * size), y.add(row * size));
                let mut center = T::ZERO;
                if CENTERED {
                    let mut sum = [T::ZERO; LANES];
                    for_blocks!(at in 0, size => {
                        sum = zip(sum, load(x, at, size, T::ZERO), |a, b| a + b);
                    });
                    center = T::total_of::<M>(sum) * share;
                }
                let (mut rest, mut squares) = ([T::ZERO; LANES], [T::ZERO; LANES]);
                for_blocks!(at in 0, size => {
                    let centered = map(load(x, at, size, center), |x| x - center);
                    squares = add_product::<T, M>(squares, centered, centered);
                    if CENTERED {
                        rest = zip(rest, centered, |a, b| a + b);
                    }
                });
                let mut sum_of_squares = T::total_of::<M>(squares);
                if CENTERED {
                    // The mean's rounding error, found with the deviations, is undone.
                    let rest = T::total_of::<M>(rest);
                    let correction = rest * share;
                    center += correction;
                    sum_of_squares = sum_of_squares - correction * rest;
                    *mean.add(row) = center;
                }
                let factor = (sum_of_squares * share + eps).rsqrt();
                *rstd.add(row) = factor;
                for_blocks!(at in 0, size => {
                    let z = map(load(x, at, size, T::ZERO), |x| (x - center) * factor);
                    let gamma = load(gamma, at, size, T::ZERO);
                    let start = if CENTERED { load(beta, at, size, T::ZERO) } else { [T::ZERO; LANES] };
                    store(y, at, size, add_product::<T, M>(start, z, gamma));
                });
            }
        }
    }
}

/// The gradient of [`RowNorm`].
pub(super) struct RowNormGrad<T, const CENTERED: bool> {
    groups: Rows,
    size: usize,
    function: unsafe fn(GradArguments<T>),
}

pub(super) struct GradArguments<T> {
    x: *const T,
    gamma: *const T,
    mean: *const T,
    rstd: *const T,
    dy: *const T,
    dx: *mut T,
    /// The group's sums.
    dgamma: *mut T,
    dbeta: *mut T,
    rows: Range<usize>,
    size: usize,
}

impl<T: Float, const CENTERED: bool> RowNormGrad<T, CENTERED> {
    /// For an operand whose last axis is normalised.
    pub(super) fn new(shape: &[usize]) -> Self {
        let (size, num_rows) = (shape[shape.len() - 1], shape[..shape.len() - 1].iter().product());
        RowNormGrad { groups: groups(num_rows), size, function: version::<GradLoop<T, CENTERED>>(Isa::get()) }
    }

    /// The elements of the groups' sums of one parameter.
    fn num_sums(&self) -> usize {
        self.groups.parts * self.size
    }
}

impl<T: Float, const CENTERED: bool> Kernel for RowNormGrad<T, CENTERED> {
    fn scratch(&self) -> ScratchSize {
        ScratchSize { shared: 2 * self.num_sums() * size_of::<T>(), ..ScratchSize::default() }
    }

    fn in_place(&self, input: usize, output: usize) -> bool {
        // The operand or, last, the gradient.
        output == 0 && (input == 0 || input == if CENTERED { 4 } else { 3 })
    }

    fn rows_read(&self, input: usize) -> Option<RowsOf> {
        let len = if input == 0 || self.in_place(input, 0) { self.size } else { 1 };
        (input != 1).then(|| RowsOf::contiguous(self.groups.count, len * size_of::<T>()))
    }

    fn rows_written(&self, output: usize) -> Option<RowsOf> {
        (output == 0).then(|| RowsOf::contiguous(self.groups.count, self.size * size_of::<T>()))
    }

    unsafe fn run(&self, run: &Run) {
        let (pointers, size) = (Pointers::of(run), self.size);
        let sums = Shared(run.scratch.shared::<T>(2 * self.num_sums()));
        run.pool.run_by_rows(self.groups, &|group, _| {
            let (x, gamma, dx) = (pointers.input(0), pointers.input(1), pointers.output(0));
            let (mean, rstd, dy) = match CENTERED {
                true => (pointers.input(2), pointers.input(3), pointers.input(4)),
                false => (std::ptr::null(), pointers.input(2), pointers.input(3)),
            };
            let rows = self.groups.of(group);
            // SAFETY: the pointers are as `Run` states, and null where they are not used; each row, and each
            // group's sums, are written by one thread.
            unsafe {
                let dgamma = sums.get().add(group * size);
                let dbeta = dgamma.add(self.num_sums());
                (self.function)(GradArguments { x, gamma, mean, rstd, dy, dx, dgamma, dbeta, rows, size });
            }
        });
        // SAFETY: all groups have written their sums.
        run.pool.run(1, &|_, _| unsafe {
            add_rows(sums.get(), self.groups.parts, size, pointers.output(1));
            if CENTERED {
                add_rows(sums.get().add(self.num_sums()), self.groups.parts, size, pointers.output(2));
            }
        });
    }
}

struct GradLoop<T, const CENTERED: bool>(PhantomData<T>);

impl<T: Float, const CENTERED: bool> Multiversion for GradLoop<T, CENTERED> {
    type Arguments = GradArguments<T>;

    #[inline(always)]
    unsafe fn run<M: MulAdd>(arguments: GradArguments<T>) {
        let GradArguments { x, gamma, mean, rstd, dy, dx, dgamma, dbeta, rows, size } = arguments;
        let share = T::from_f64(1.0 / size as f64);
        // SAFETY: the group's sums have `size` elements each; row `row` lies in the operands and the result.
        unsafe {
            std::slice::from_raw_parts_mut(dgamma, size).fill(T::ZERO);
            std::slice::from_raw_parts_mut(dbeta, size).fill(T::ZERO);
            for row in rows {
                let (x, dy, dx) = (x.add(row * size), dy.add(row * size), dx.add(row * size));
                let center = if CENTERED { *mean.add(row) } else { T::ZERO };
                let rstd = *rstd.add(row);
                let (mut sum, mut sum_z) = ([T::ZERO; LANES], [T::ZERO; LANES]);
                for_blocks!(at in 0, size => {
                    let dy = load(dy, at, size, T::ZERO);
                    let z = map(load(x, at, size, center), |x| (x - center) * rstd);
                    store(dgamma, at, size, add_product::<T, M>(load(dgamma, at, size, T::ZERO), dy, z));
                    let dz = zip(dy, load(gamma, at, size, T::ZERO), |a, b| a * b);
                    sum_z = add_product::<T, M>(sum_z, dz, z);
                    if CENTERED {
                        store(dbeta, at, size, zip(load(dbeta, at, size, T::ZERO), dy, |a, b| a + b));
                        sum = zip(sum, dz, |a, b| a + b);
                    }
                });
                let (mean_dz, mean_dzz) = (T::total_of::<M>(sum) * share, T::total_of::<M>(sum_z) * share);
                for_blocks!(at in 0, size => {
                    let dz = zip(load(dy, at, size, T::ZERO), load(gamma, at, size, T::ZERO), |a, b| a * b);
                    let z = map(load(x, at, size, center), |x| (x - center) * rstd);
                    let rest = zip(dz, z, |dz, z| (dz - mean_dz - z * mean_dzz) * rstd);
                    store(dx, at, size, rest);
                });
            }
        }
    }
}
