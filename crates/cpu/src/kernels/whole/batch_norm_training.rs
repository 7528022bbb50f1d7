//! Batch normalisation by the statistics of the batch.

use std::marker::PhantomData;
use std::ops::Range;

use gyrus_graph::ops::whole::BatchNormTraining;

use super::channels::{Channels, Tile};
use super::lanes::{Float, LANES, Lanes, add_product, for_blocks, load, store, with_float, zip};
use crate::isa::Isa;
use crate::kernel::{Kernel, Run, Signature};
use crate::kernels::split::{Pointers, split_numbered};
use crate::math::{MulAdd, Multiversion, version};

struct BatchNormKernel<T> {
    channels: Channels,
    eps: f64,
    function: unsafe fn(Arguments<T>),
}

struct Arguments<T> {
    channels: Channels,
    tiles: Range<usize>,
    eps: T,
    x: *const T,
    gamma: *const T,
    beta: *const T,
    y: *mut T,
    mean: *mut T,
    variance: *mut T,
}

pub(crate) fn kernel(op: &BatchNormTraining, signature: &Signature) -> Option<Box<dyn Kernel>> {
    let x = &signature.inputs[0];
    let (channels, eps) = (Channels::new(&x.shape), op.eps.0);
    with_float!(x.dtype, T => {
        Box::new(BatchNormKernel { channels, eps, function: version::<Loop<T>>(Isa::get()) })
    })
}

impl<T: Float> Kernel for BatchNormKernel<T> {
    fn in_place(&self, input: usize, output: usize) -> bool {
        (input, output) == (0, 0)
    }

    fn takes_epilogue(&self) -> bool {
        true
    }

    unsafe fn run(&self, run: &Run) {
        let (pointers, epilogue) = (Pointers::of(run), run.epilogue);
        let (channels, eps) = (self.channels, T::from_f64(self.eps));
        split_numbered(run.pool, channels.num_tiles(), (1 << 13) / channels.count().max(1), |worker, tiles| {
            let (x, gamma, beta) = (pointers.input(0), pointers.input(1), pointers.input(2));
            let (y, mean, variance) = (pointers.output(0), pointers.output(1), pointers.output(2));
            for tile in tiles {
                let tiles = tile..tile + 1;
                // SAFETY: the pointers are as `Run` states; each channel is written by one thread.
                unsafe { (self.function)(Arguments { channels, tiles, eps, x, gamma, beta, y, mean, variance }) }
                channels.tile(tile).finish(epilogue, worker);
            }
        });
    }
}

/// Mean and sum of squared deviations of each channel of a tile, merged chunk by chunk.
///
/// # Source
/// Chan, Golub, LeVeque, Updating Formulae and a Pairwise Algorithm for Computing Sample Variances (1979).
///
/// # Safety
/// `x` points to the operand.
#[inline(always)]
unsafe fn statistics<T: Float, M: MulAdd>(x: *const T, tile: Tile) -> (Lanes<T>, Lanes<T>) {
    let (mut mean, mut deviations) = ([T::ZERO; LANES], [T::ZERO; LANES]);
    let mut count = 0;
    for (images, piece) in tile.chunks() {
        let added = tile.count_in(&images, &piece);
        let mut sum = [T::ZERO; LANES];
        for image in images.clone() {
            for_blocks!(at in piece.start, piece.end => {
                // SAFETY: the runs of the tile lie in the operand.
                let block = unsafe { load(x.add(tile.begin(image)), at, piece.end, T::ZERO) };
                sum = zip(sum, block, |a, b| a + b);
            });
        }
        let share = T::from_f64(1.0 / added as f64);
        let sums = tile.sums::<T, M>(sum);
        let center = tile.spread(|channel| sums[channel] * share);
        // Its rounding error is found, and undone, with the deviations.
        let (mut rest, mut squares) = ([T::ZERO; LANES], [T::ZERO; LANES]);
        for image in images {
            for_blocks!(at in piece.start, piece.end => {
                // SAFETY: as above.
                let block = unsafe { load(x.add(tile.begin(image)), at, piece.end, T::ZERO) };
                let mut centered = zip(block, center, |x, center| x - center);
                if piece.end - at < LANES {
                    centered[piece.end - at..].fill(T::ZERO);
                }
                rest = zip(rest, centered, |a, b| a + b);
                squares = add_product::<T, M>(squares, centered, centered);
            });
        }
        let (rest, squares) = (tile.sums::<T, M>(rest), tile.sums::<T, M>(squares));
        let new_count = count + added;
        let weight = T::from_f64(added as f64 / new_count as f64);
        for channel in 0..tile.num_channels {
            let correction = rest[channel] * share;
            let delta = sums[channel] * share - mean[channel] + correction;
            mean[channel] += delta * weight;
            deviations[channel] +=
                squares[channel] - rest[channel] * correction + delta * delta * weight * T::from_f64(count as f64);
        }
        count = new_count;
    }
    (mean, deviations)
}

struct Loop<T>(PhantomData<T>);

impl<T: Float> Multiversion for Loop<T> {
    type Arguments = Arguments<T>;

    #[inline(always)]
    unsafe fn run<M: MulAdd>(arguments: Arguments<T>) {
        let Arguments { channels, tiles, eps, x, gamma, beta, y, mean, variance } = arguments;
        let share = T::from_f64(1.0 / channels.count() as f64);
        for tile in tiles {
            let tile = channels.tile(tile);
            // SAFETY: the tile lies in the operand and the result, its channels in the parameters and statistics.
            unsafe {
                let (center, deviations) = statistics::<T, M>(x, tile);
                let mut factors = [T::ZERO; LANES];
                for channel in 0..tile.num_channels {
                    let spread = deviations[channel] * share;
                    *mean.add(tile.first + channel) = if channels.count() == 0 { T::NAN } else { center[channel] };
                    *variance.add(tile.first + channel) = spread;
                    factors[channel] = (spread + eps).rsqrt() * *gamma.add(tile.first + channel);
                }
                let center = tile.spread(|channel| center[channel]);
                let factor = tile.spread(|channel| factors[channel]);
                let start = tile.spread(|channel| *beta.add(tile.first + channel));
                let (images, run) = tile.all();
                for image in images {
                    let (x, y) = (x.add(tile.begin(image)), y.add(tile.begin(image)));
                    for_blocks!(at in 0, run.end => {
                        let centered = zip(load(x, at, run.end, T::ZERO), center, |x, center| x - center);
                        store(y, at, run.end, add_product::<T, M>(start, centered, factor));
                    });
                }
            }
        }
    }
}
