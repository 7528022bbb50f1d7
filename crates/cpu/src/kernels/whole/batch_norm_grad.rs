//! The gradient of batch normalisation.

use std::marker::PhantomData;
use std::ops::Range;

use gyrus_graph::ops::whole::BatchNormGrad;

use super::channels::Channels;
use super::lanes::{Float, LANES, add_product, for_blocks, load, store, with_float, zip};
use crate::isa::Isa;
use crate::kernel::{Kernel, Run, Signature};
use crate::kernels::split::{Pointers, split_numbered};
use crate::math::{MulAdd, Multiversion, version};

struct BatchNormGradKernel<T> {
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
    mean: *const T,
    variance: *const T,
    dy: *const T,
    dx: *mut T,
    dgamma: *mut T,
    dbeta: *mut T,
}

pub(crate) fn kernel(op: &BatchNormGrad, signature: &Signature) -> Option<Box<dyn Kernel>> {
    let x = &signature.inputs[0];
    let (channels, eps) = (Channels::new(&x.shape), op.of.eps.0);
    with_float!(x.dtype, T => {
        Box::new(BatchNormGradKernel { channels, eps, function: version::<Loop<T>>(Isa::get()) })
    })
}

impl<T: Float> Kernel for BatchNormGradKernel<T> {
    fn in_place(&self, input: usize, output: usize) -> bool {
        output == 0 && (input == 0 || input == 4)
    }

    fn takes_epilogue(&self) -> bool {
        true
    }

    unsafe fn run(&self, run: &Run) {
        let (pointers, epilogue) = (Pointers::of(run), run.epilogue);
        let (channels, eps) = (self.channels, T::from_f64(self.eps));
        split_numbered(run.pool, channels.num_tiles(), (1 << 13) / channels.count().max(1), |worker, tiles| {
            let arguments = |tile: usize| Arguments {
                channels,
                tiles: tile..tile + 1,
                eps,
                x: pointers.input(0),
                gamma: pointers.input(1),
                mean: pointers.input(2),
                variance: pointers.input(3),
                dy: pointers.input(4),
                dx: pointers.output(0),
                dgamma: pointers.output(1),
                dbeta: pointers.output(2),
            };
            for tile in tiles {
                // SAFETY: the pointers are as `Run` states; each channel is written by one thread.
                unsafe { (self.function)(arguments(tile)) }
                channels.tile(tile).finish(epilogue, worker);
            }
        });
    }
}

struct Loop<T>(PhantomData<T>);

impl<T: Float> Multiversion for Loop<T> {
    type Arguments = Arguments<T>;

    #[inline(always)]
    unsafe fn run<M: MulAdd>(arguments: Arguments<T>) {
        let Arguments { channels, tiles, eps, x, gamma, mean, variance, dy, dx, dgamma, dbeta } = arguments;
        let share = T::from_f64(1.0 / channels.count() as f64);
        for tile in tiles {
            let tile = channels.tile(tile);
            // SAFETY: the tile lies in the operands and the result, its channels in the parameters.
            unsafe {
                let center = tile.spread(|channel| *mean.add(tile.first + channel));
                let (mut sum, mut sum_z) = ([T::ZERO; LANES], [T::ZERO; LANES]);
                let (images, run) = tile.all();
                for image in images.clone() {
                    let (x, dy) = (x.add(tile.begin(image)), dy.add(tile.begin(image)));
                    for_blocks!(at in 0, run.end => {
                        let dy = load(dy, at, run.end, T::ZERO);
                        let centered = zip(load(x, at, run.end, T::ZERO), center, |x, center| x - center);
                        sum = zip(sum, dy, |a, b| a + b);
                        sum_z = add_product::<T, M>(sum_z, dy, centered);
                    });
                }
                let (sum, sum_z) = (tile.sums::<T, M>(sum), tile.sums::<T, M>(sum_z));
                // dx = a dy + b (x - mean) + c
                let (mut a, mut b, mut c) = ([T::ZERO; LANES], [T::ZERO; LANES], [T::ZERO; LANES]);
                for index in 0..tile.num_channels {
                    let channel = tile.first + index;
                    let rstd = (*variance.add(channel) + eps).rsqrt();
                    let of_gamma = sum_z[index] * rstd;
                    *dgamma.add(channel) = of_gamma;
                    *dbeta.add(channel) = sum[index];
                    a[index] = *gamma.add(channel) * rstd;
                    b[index] = -(a[index] * of_gamma * rstd * share);
                    c[index] = -(a[index] * sum[index] * share);
                }
                let [a, b, c] = [a, b, c].map(|values| tile.spread(|channel| values[channel]));
                for image in images {
                    let (x, dy, dx) = (x.add(tile.begin(image)), dy.add(tile.begin(image)), dx.add(tile.begin(image)));
                    for_blocks!(at in 0, run.end => {
                        let dy = load(dy, at, run.end, T::ZERO);
                        let centered = zip(load(x, at, run.end, T::ZERO), center, |x, center| x - center);
                        store(dx, at, run.end, add_product::<T, M>(add_product::<T, M>(c, centered, b), dy, a));
                    });
                }
            }
        }
    }
}
