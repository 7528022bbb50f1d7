//! Batch normalisation of images whose channels are neighbours in memory: rows of channels.
//!
//! Statistics are taken over fixed groups of rows, each by one thread, and merged in the groups' order.

use std::marker::PhantomData;
use std::ops::Range;

use gyrus_graph::ops::whole::{BatchNormGrad, BatchNormTraining};

use super::groups::{Groups, Shared, add_rows};
use super::lanes::{Float, LANES, add_product, for_blocks, load, store, with_float, zip};
use crate::isa::Isa;
use crate::kernel::{Kernel, Run, Signature};
use crate::kernels::split::Pointers;
use crate::math::{MulAdd, Multiversion, version};
use crate::pool::ScratchSize;

/// How many elements are finished before what follows on them: they stay in the first-level cache.
const FINISHED: usize = 4096;

/// The rows of an operand `[N, C, spatial..]`.
#[derive(Clone, Copy)]
struct Rows {
    groups: Groups,
    count: usize,
    channels: usize,
}

impl Rows {
    fn new(shape: &[usize]) -> Self {
        let count = shape[0] * shape[2..].iter().product::<usize>();
        Rows { groups: Groups::new(count), count, channels: shape[1] }
    }

    /// Two sums for each group, and three coefficients.
    fn scratch<T>(&self) -> ScratchSize {
        ScratchSize { shared: self.len() * size_of::<T>(), per_worker: 0 }
    }

    fn len(&self) -> usize {
        (2 * self.groups.count + 3) * self.channels
    }
}

/// What the loops work on. The sums of the group, of the coefficients three, are `[.., channels]`.
struct Arguments<T> {
    rows: Range<usize>,
    channels: usize,
    x: *const T,
    dy: *const T,
    mean: *const T,
    sums: [*mut T; 2],
    coefficients: *const T,
    result: *mut T,
}

struct TrainingKernel<T> {
    rows: Rows,
    eps: f64,
    statistics: unsafe fn(Arguments<T>),
    combine: unsafe fn(Arguments<T>),
}

struct GradKernel<T> {
    rows: Rows,
    eps: f64,
    sums: unsafe fn(Arguments<T>),
    combine: unsafe fn(Arguments<T>),
}

pub(crate) fn training(op: &BatchNormTraining, signature: &Signature) -> Option<Box<dyn Kernel>> {
    let (x, eps, isa) = (&signature.inputs[0], op.eps.0, Isa::get());
    with_float!(x.dtype, T => Box::new(TrainingKernel {
        rows: Rows::new(&x.shape),
        eps,
        statistics: version::<Statistics<T>>(isa),
        combine: version::<Combination<T, false>>(isa),
    }))
}

pub(crate) fn grad(op: &BatchNormGrad, signature: &Signature) -> Option<Box<dyn Kernel>> {
    let (x, eps, isa) = (&signature.inputs[0], op.eps.0, Isa::get());
    with_float!(x.dtype, T => Box::new(GradKernel {
        rows: Rows::new(&x.shape),
        eps,
        sums: version::<Sums<T>>(isa),
        combine: version::<Combination<T, true>>(isa),
    }))
}

impl<T: Float> Kernel for TrainingKernel<T> {
    fn scratch(&self) -> ScratchSize {
        self.rows.scratch::<T>()
    }

    fn in_place(&self, input: usize, output: usize) -> bool {
        (input, output) == (0, 0)
    }

    fn takes_epilogue(&self) -> bool {
        true
    }

    unsafe fn run(&self, run: &Run) {
        let Rows { groups, count, channels } = self.rows;
        let (pointers, shared) = (Pointers::of(run), Shared(run.scratch.shared::<T>(self.rows.len())));
        let of_group = |group: usize| [0, 1].map(|sum| shared.get().wrapping_add((2 * group + sum) * channels));
        let coefficients = of_group(groups.count)[0];
        let arguments = |rows: Range<usize>, sums| Arguments {
            rows,
            channels,
            x: pointers.input(0),
            dy: std::ptr::null(),
            mean: pointers.output(1),
            sums,
            coefficients: shared.get().wrapping_add(2 * groups.count * channels),
            result: pointers.output(0),
        };
        run.pool.run(groups.count, &|group, _| {
            // SAFETY: the rows lie in the operand; each group's sums are written by one thread.
            unsafe { (self.statistics)(arguments(groups.rows(group), of_group(group))) }
        });
        let (gamma, beta) = (pointers.input::<T>(1), pointers.input::<T>(2));
        let (mean, variance) = (pointers.output::<T>(1), pointers.output::<T>(2));
        for channel in 0..channels {
            let (mut center, mut deviations, mut before) = (0.0, 0.0, 0.0);
            for group in 0..groups.count {
                let added = groups.rows(group).len() as f64;
                // SAFETY: the channel's sums, which are written.
                let [of_group, squares] = of_group(group).map(|sums| unsafe { (*sums.add(channel)).to_f64() });
                let (total, delta) = (before + added, of_group - center);
                center += delta * added / total;
                deviations += squares + delta * delta * before * added / total;
                before = total;
            }
            let spread = deviations / count as f64;
            // SAFETY: the channel lies within the parameters, the statistics and the coefficients.
            unsafe {
                *mean.add(channel) = T::from_f64(center);
                *variance.add(channel) = T::from_f64(spread);
                *coefficients.add(channel) =
                    (T::from_f64(spread) + T::from_f64(self.eps)).rsqrt() * *gamma.add(channel);
                *coefficients.add(channels + channel) = *beta.add(channel);
            }
        }
        // SAFETY: the coefficients are computed.
        unsafe { finish(run, self.rows, self.combine, |rows| arguments(rows, of_group(0))) }
    }
}

impl<T: Float> Kernel for GradKernel<T> {
    fn scratch(&self) -> ScratchSize {
        self.rows.scratch::<T>()
    }

    fn in_place(&self, input: usize, output: usize) -> bool {
        output == 0 && (input == 0 || input == 4)
    }

    fn takes_epilogue(&self) -> bool {
        true
    }

    unsafe fn run(&self, run: &Run) {
        let Rows { groups, count, channels } = self.rows;
        let (pointers, shared) = (Pointers::of(run), Shared(run.scratch.shared::<T>(self.rows.len())));
        // The sums of `dy` of all groups, then those of `dy (x - mean)`.
        let of_group =
            |group: usize| [0, 1].map(|sum| shared.get().wrapping_add((sum * groups.count + group) * channels));
        let coefficients = shared.get().wrapping_add(2 * groups.count * channels);
        let arguments = |rows: Range<usize>, sums| Arguments {
            rows,
            channels,
            x: pointers.input(0),
            dy: pointers.input(4),
            mean: pointers.input(2),
            sums,
            coefficients: shared.get().wrapping_add(2 * groups.count * channels),
            result: pointers.output(0),
        };
        run.pool.run(groups.count, &|group, _| {
            // SAFETY: the rows lie in the operands; each group's sums are written by one thread.
            unsafe { (self.sums)(arguments(groups.rows(group), of_group(group))) }
        });
        let (gamma, variance) = (pointers.input::<T>(1), pointers.input::<T>(3));
        let (dgamma, dbeta) = (pointers.output::<T>(1), pointers.output::<T>(2));
        let share = T::from_f64(1.0 / count as f64);
        // SAFETY: the sums are written, and lie apart from the results; channels lie within parameters,
        // coefficients and results.
        unsafe {
            let [sums, sums_z] = of_group(0);
            add_rows(sums, groups.count, channels, dbeta);
            add_rows(sums_z, groups.count, channels, dgamma);
            for channel in 0..channels {
                // dx = b (x - mean) + c + a dy
                let rstd = (*variance.add(channel) + T::from_f64(self.eps)).rsqrt();
                let of_gamma = *dgamma.add(channel) * rstd;
                *dgamma.add(channel) = of_gamma;
                let a = *gamma.add(channel) * rstd;
                *coefficients.add(channel) = -(a * of_gamma * rstd * share);
                *coefficients.add(channels + channel) = -(a * *dbeta.add(channel) * share);
                *coefficients.add(2 * channels + channel) = a;
            }
            finish(run, self.rows, self.combine, |rows| arguments(rows, of_group(0)));
        }
    }
}

/// Computes the result, some rows at a time, and what follows on it.
///
/// # Safety
/// The arguments are valid for the loop.
unsafe fn finish<T>(
    run: &Run,
    rows: Rows,
    combine: unsafe fn(Arguments<T>),
    arguments: impl Fn(Range<usize>) -> Arguments<T> + Sync,
) {
    let Rows { groups, channels, .. } = rows;
    let (step, epilogue) = ((FINISHED / channels.max(1)).max(1), run.epilogue);
    run.pool.run(groups.count, &|group, worker| {
        let rows = groups.rows(group);
        for row in rows.clone().step_by(step) {
            let some = row..rows.end.min(row + step);
            // SAFETY: as the caller vouches; each row is written by one thread.
            unsafe { combine(arguments(some.clone())) }
            if let Some(epilogue) = epilogue {
                epilogue.region(row * channels, 1, some.len() * channels, some.len() * channels, worker);
            }
        }
    });
}

/// The mean of each channel, and the sum of squared deviations from it.
struct Statistics<T>(PhantomData<T>);

impl<T: Float> Multiversion for Statistics<T> {
    type Arguments = Arguments<T>;

    #[inline(always)]
    unsafe fn run<M: MulAdd>(arguments: Arguments<T>) {
        let Arguments { rows, channels, x, sums: [means, squares], .. } = arguments;
        let share = T::from_f64(1.0 / rows.len() as f64);
        for_blocks!(at in 0, channels => {
            // SAFETY: as the caller vouches, the rows lie in the operand, the channels within the sums.
            unsafe {
                let mut sum = [T::ZERO; LANES];
                for row in rows.clone() {
                    sum = zip(sum, load(x.add(row * channels), at, channels, T::ZERO), |a, b| a + b);
                }
                let center = zip(sum, [share; LANES], |sum, share| sum * share);
                // Its rounding error is found, and undone, with the deviations.
                let (mut rest, mut square) = ([T::ZERO; LANES], [T::ZERO; LANES]);
                for row in rows.clone() {
                    let x = load(x.add(row * channels), at, channels, T::ZERO);
                    let centered = zip(x, center, |x, center| x - center);
                    rest = zip(rest, centered, |a, b| a + b);
                    square = add_product::<T, M>(square, centered, centered);
                }
                let correction = zip(rest, [share; LANES], |rest, share| rest * share);
                store(means, at, channels, zip(center, correction, |a, b| a + b));
                let corrected = zip(rest, correction, |a, b| a * b);
                store(squares, at, channels, zip(square, corrected, |a, b| a - b));
            }
        });
    }
}

/// The sums of `dy` and of `dy (x - mean)` of each channel.
struct Sums<T>(PhantomData<T>);

impl<T: Float> Multiversion for Sums<T> {
    type Arguments = Arguments<T>;

    #[inline(always)]
    unsafe fn run<M: MulAdd>(arguments: Arguments<T>) {
        let Arguments { rows, channels, x, dy, mean, sums, .. } = arguments;
        for_blocks!(at in 0, channels => {
            // SAFETY: as the caller vouches, the rows lie in the operands, the channels within the sums.
            unsafe {
                let center = load(mean, at, channels, T::ZERO);
                let (mut sum, mut sum_z) = ([T::ZERO; LANES], [T::ZERO; LANES]);
                for row in rows.clone() {
                    let dy = load(dy.add(row * channels), at, channels, T::ZERO);
                    let x = load(x.add(row * channels), at, channels, T::ZERO);
                    sum = zip(sum, dy, |a, b| a + b);
                    sum_z = add_product::<T, M>(sum_z, dy, zip(x, center, |x, center| x - center));
                }
                store(sums[0], at, channels, sum);
                store(sums[1], at, channels, sum_z);
            }
        });
    }
}

/// `coefficients[0] (x - mean) + coefficients[1]`, and with a gradient `+ coefficients[2] dy`.
struct Combination<T, const GRADIENT: bool>(PhantomData<T>);

impl<T: Float, const GRADIENT: bool> Multiversion for Combination<T, GRADIENT> {
    type Arguments = Arguments<T>;

    #[inline(always)]
    unsafe fn run<M: MulAdd>(arguments: Arguments<T>) {
        let Arguments { rows, channels, x, dy, mean, coefficients, result, .. } = arguments;
        for_blocks!(at in 0, channels => {
            // SAFETY: as the caller vouches, the rows lie in the operands, the channels within the coefficients.
            unsafe {
                let center = load(mean, at, channels, T::ZERO);
                let factor = load(coefficients, at, channels, T::ZERO);
                let start = load(coefficients.add(channels), at, channels, T::ZERO);
                let of_dy = if GRADIENT { load(coefficients.add(2 * channels), at, channels, T::ZERO) } else { center };
                for row in rows.clone() {
                    let x = load(x.add(row * channels), at, channels, T::ZERO);
                    let centered = zip(x, center, |x, center| x - center);
                    let mut y = add_product::<T, M>(start, centered, factor);
                    if GRADIENT {
                        y = add_product::<T, M>(y, load(dy.add(row * channels), at, channels, T::ZERO), of_dy);
                    }
                    store(result.add(row * channels), at, channels, y);
                }
            }
        });
    }
}
