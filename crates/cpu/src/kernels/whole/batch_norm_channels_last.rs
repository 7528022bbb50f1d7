//! Batch normalisation of images whose channels are neighbours in memory: rows of channels.
//!
//! Statistics are taken over fixed groups of rows, each by one thread, and merged in the groups' order, channels side by
//! side: of small images there are as many sums as elements in a few rows.

use std::marker::PhantomData;
use std::ops::Range;

use gyrus_graph::ops::whole::{BatchNormGrad, BatchNormTraining};

use super::groups::{Shared, groups};
use super::lanes::{Float, LANES, add_product, for_blocks, load, map, store, with_float, zip};
use crate::isa::Isa;
use crate::kernel::{Kernel, Run, Signature};
use crate::kernels::split::Pointers;
use crate::math::{MulAdd, Multiversion, version};
use crate::pool::{self, ScratchSize};

/// How many elements are finished before what follows on them: they stay in the first-level cache.
const FINISHED: usize = 4096;

/// The rows of an operand `[N, C, spatial..]`.
#[derive(Clone, Copy)]
struct Rows {
    groups: pool::Rows,
    count: usize,
    channels: usize,
}

impl Rows {
    fn new(shape: &[usize]) -> Self {
        let count = shape[0] * shape[2..].iter().product::<usize>();
        Rows { groups: groups(count), count, channels: shape[1] }
    }

    /// Two sums for each group, and three coefficients.
    fn scratch<T>(&self) -> ScratchSize {
        ScratchSize { shared: self.len() * size_of::<T>(), per_worker: 0 }
    }

    fn len(&self) -> usize {
        (2 * self.groups.parts + 3) * self.channels
    }
}

/// What the loops over rows work on. The sums of the group, of the coefficients three, are `[.., channels]`.
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

/// What stands between the loops: the sums of all groups, `[groups, 2, channels]`, and what is made of them.
struct Totals<T> {
    rows: Rows,
    eps: T,
    sums: *const T,
    /// Gamma, and beta or the variance.
    parameters: [*const T; 2],
    /// Mean and variance, or the gradients for gamma and beta.
    results: [*mut T; 2],
    coefficients: *mut T,
}

/// Batch normalisation, or its gradient.
struct BatchNormKernel<T, const GRADIENT: bool> {
    rows: Rows,
    eps: f64,
    sum: unsafe fn(Arguments<T>),
    merge: unsafe fn(Totals<T>),
    combine: unsafe fn(Arguments<T>),
}

pub(crate) fn training(op: &BatchNormTraining, signature: &Signature) -> Option<Box<dyn Kernel>> {
    let (x, eps, isa) = (&signature.inputs[0], op.eps.0, Isa::get());
    with_float!(x.dtype, T => Box::new(BatchNormKernel::<T, false> {
        rows: Rows::new(&x.shape),
        eps,
        sum: version::<Statistics<T>>(isa),
        merge: version::<MergedStatistics<T>>(isa),
        combine: version::<Combination<T, false>>(isa),
    }))
}

pub(crate) fn grad(op: &BatchNormGrad, signature: &Signature) -> Option<Box<dyn Kernel>> {
    let (x, eps, isa) = (&signature.inputs[0], op.of.eps.0, Isa::get());
    with_float!(x.dtype, T => Box::new(BatchNormKernel::<T, true> {
        rows: Rows::new(&x.shape),
        eps,
        sum: version::<Sums<T>>(isa),
        merge: version::<MergedSums<T>>(isa),
        combine: version::<Combination<T, true>>(isa),
    }))
}

impl<T: Float, const GRADIENT: bool> Kernel for BatchNormKernel<T, GRADIENT> {
    fn scratch(&self) -> ScratchSize {
        self.rows.scratch::<T>()
    }

    fn in_place(&self, input: usize, output: usize) -> bool {
        output == 0 && (input == 0 || GRADIENT && input == 4)
    }

    fn takes_epilogue(&self) -> bool {
        true
    }

    unsafe fn run(&self, run: &Run) {
        let Rows { groups, channels, .. } = self.rows;
        let (pointers, shared) = (Pointers::of(run), Shared(run.scratch.shared::<T>(self.rows.len())));
        let of_group = |group: usize| [0, 1].map(|sum| shared.get().wrapping_add((2 * group + sum) * channels));
        let [coefficients, _] = of_group(groups.parts).map(Shared);
        let arguments = |rows: Range<usize>, group: usize| Arguments {
            rows,
            channels,
            x: pointers.input(0),
            dy: if GRADIENT { pointers.input(4) } else { std::ptr::null() },
            mean: if GRADIENT { pointers.input(2) } else { pointers.output(1) },
            sums: of_group(group),
            coefficients: coefficients.get(),
            result: pointers.output(0),
        };
        run.pool.run(groups.parts, &|group, _| {
            // SAFETY: the rows lie in the operands; each group's sums are written by one thread.
            unsafe { (self.sum)(arguments(groups.of(group), group)) }
        });
        // SAFETY: the sums of all groups are written, and lie apart from what is made of them.
        run.pool.run(1, &|_, _| unsafe {
            (self.merge)(Totals {
                rows: self.rows,
                eps: T::from_f64(self.eps),
                sums: shared.get(),
                parameters: [pointers.input(1), pointers.input(if GRADIENT { 3 } else { 2 })],
                results: [pointers.output(1), pointers.output(2)],
                coefficients: coefficients.get(),
            });
        });
        // Some rows at a time, and what follows on them.
        let (step, epilogue) = ((FINISHED / channels.max(1)).max(1), run.epilogue);
        run.pool.run(groups.parts, &|group, worker| {
            let rows = groups.of(group);
            for row in rows.clone().step_by(step) {
                let some = row..rows.end.min(row + step);
                let len = some.len() * channels;
                // SAFETY: the coefficients are computed; each row is written by one thread.
                unsafe { (self.combine)(arguments(some, group)) }
                if let Some(epilogue) = epilogue {
                    epilogue.region(row * channels, 1, len, len, worker);
                }
            }
        });
    }
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

/// Mean and variance of each channel from those of the groups; coefficients of the normalisation.
///
/// # Source
/// Chan, Golub, LeVeque, Updating Formulae and a Pairwise Algorithm for Computing Sample Variances (1979).
struct MergedStatistics<T>(PhantomData<T>);

impl<T: Float> Multiversion for MergedStatistics<T> {
    type Arguments = Totals<T>;

    #[inline(always)]
    unsafe fn run<M: MulAdd>(totals: Totals<T>) {
        let Totals { rows: Rows { groups, count, channels }, eps, sums, parameters, results, coefficients } = totals;
        for_blocks!(at in 0, channels => {
            let (mut center, mut deviations, mut before) = ([0.0; LANES], [0.0; LANES], 0.0);
            for group in 0..groups.parts {
                let added = groups.of(group).len() as f64;
                let total = before + added;
                let (share, weight) = (added / total, before * added / total);
                // SAFETY: as the caller vouches, these are the group's sums.
                let [mean, squares] =
                    [0, 1].map(|sum| unsafe { load(sums.add((2 * group + sum) * channels), at, channels, T::ZERO) });
                for lane in 0..LANES {
                    let delta = mean[lane].to_f64() - center[lane];
                    center[lane] += delta * share;
                    deviations[lane] += squares[lane].to_f64() + delta * delta * weight;
                }
                before = total;
            }
            let spread = deviations.map(|sum| T::from_f64(sum / count as f64));
            // SAFETY: as the caller vouches, the channels lie within parameters, statistics and coefficients.
            unsafe {
                let [gamma, beta] = parameters.map(|parameter| load(parameter, at, channels, T::ZERO));
                store(results[0], at, channels, center.map(T::from_f64));
                store(results[1], at, channels, spread);
                store(coefficients, at, channels, zip(spread, gamma, |spread, gamma| (spread + eps).rsqrt() * gamma));
                store(coefficients.add(channels), at, channels, beta);
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

/// The gradients for gamma and beta from the sums of all groups, and the coefficients of
/// `dx = b (x - mean) + c + a dy`.
struct MergedSums<T>(PhantomData<T>);

impl<T: Float> Multiversion for MergedSums<T> {
    type Arguments = Totals<T>;

    #[inline(always)]
    unsafe fn run<M: MulAdd>(totals: Totals<T>) {
        let Totals { rows: Rows { groups, count, channels }, eps, sums, parameters, results, coefficients } = totals;
        let share = T::from_f64(1.0 / count as f64);
        for_blocks!(at in 0, channels => {
            // SAFETY: as the caller vouches, the sums are those of all groups; the channels lie within parameters,
            // gradients and coefficients.
            unsafe {
                let (mut sum, mut sum_z) = ([T::ZERO; LANES], [T::ZERO; LANES]);
                for group in 0..groups.parts {
                    let of_group = sums.add(2 * group * channels);
                    sum = zip(sum, load(of_group, at, channels, T::ZERO), |a, b| a + b);
                    sum_z = zip(sum_z, load(of_group.add(channels), at, channels, T::ZERO), |a, b| a + b);
                }
                let [gamma, variance] = parameters.map(|parameter| load(parameter, at, channels, T::ONE));
                let rstd = map(variance, |variance| (variance + eps).rsqrt());
                let of_gamma = zip(sum_z, rstd, |a, b| a * b);
                let a = zip(gamma, rstd, |a, b| a * b);
                let b = zip(zip(a, of_gamma, |a, b| a * b), rstd, |a, b| -(a * b * share));
                store(results[0], at, channels, of_gamma);
                store(results[1], at, channels, sum);
                store(coefficients, at, channels, b);
                store(coefficients.add(channels), at, channels, zip(a, sum, |a, sum| -(a * sum * share)));
                store(coefficients.add(2 * channels), at, channels, a);
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
