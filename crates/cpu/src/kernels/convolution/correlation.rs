//! Weights times what they meet: the product that the convolution and the gradient for its input have in common.

use super::channel_lanes::ChannelLanes;
use super::few_channels::{FewChannels, Pointers};
use super::geometry::Geometry;
use super::image_lanes::ImageLanes;
use super::padded::Padded;
use super::patches::{ByTap, Images, PatchArguments, Patches};
use crate::isa::Isa;
use crate::kernels::gemm::blocking::{Blocking, Operands, Sizes};
use crate::kernels::gemm::microkernel::Packing;
use crate::kernels::gemm::number::{Number, Stored};
use crate::kernels::gemm::pack::Strided;
use crate::kernels::gemm::target::{Target, write_row};
use crate::kernels::gemm::{Epilogue, Operand};
use crate::pool::{Pool, Scratch, ScratchSize};

/// `y[n, g, o, p] = sum over c, k of w[g, o, c, k] * x[n, g, c, place p + k]`.
pub(super) struct Correlation<T> {
    geometry: Geometry,
    padded: Padded,
    taps: Vec<usize>,
    /// How many images are prepared at a time.
    chunk: usize,
    /// Used in place of the method, if there is one; it reads the images as they are.
    image_lanes: Option<ImageLanes<T>>,
    method: Method<T>,
    packing: Packing<T>,
    pack: unsafe fn(PatchArguments<T>),
}

/// How it is computed.
enum Method<T> {
    FewChannels(FewChannels<T>),
    ChannelLanes(ChannelLanes<T>),
    Blocking(Blocking<T>),
}

impl<T: Number> Correlation<T> {
    /// Of images of this geometry with `spread` between their elements; see [`Padded::new`].
    pub(super) fn new<S: Stored<T>>(isa: Isa, geometry: Geometry, spread: [usize; 3]) -> Self {
        let padded = Padded::new(&geometry, spread, S::IS_SAME);
        let chunk = padded.chunk(geometry.images);
        let sizes = Sizes {
            batch: chunk * geometry.groups,
            m: geometry.out_channels,
            n: geometry.output_pixels(),
            k: geometry.depth(),
            is_left_shared: geometry.groups == 1,
            is_left_transposed: false,
            is_right_transposed: false,
            is_direct: S::IS_SAME,
        };
        Correlation {
            geometry,
            padded,
            taps: padded.taps(geometry.in_channels),
            chunk,
            image_lanes: if S::IS_SAME { ImageLanes::new(isa, &geometry, spread, padded.is_input) } else { None },
            method: if S::IS_SAME { Method::direct(isa, &geometry, &padded) } else { None }
                .unwrap_or_else(|| Method::Blocking(Blocking::new(isa, sizes))),
            packing: T::packing(isa),
            pack: T::vectorised::<ByTap<T>>(isa),
        }
    }

    pub(super) fn scratch(&self) -> ScratchSize {
        if let Some(lanes) = &self.image_lanes {
            return lanes.scratch();
        }
        let weights = |elements: usize| ScratchSize { shared: elements * size_of::<T>(), per_worker: 0 };
        let ScratchSize { shared, per_worker } = match &self.method {
            Method::FewChannels(few) => weights(few.weights_len(self.geometry.groups)),
            Method::ChannelLanes(lanes) => weights(lanes.weights_len(self.geometry.groups)),
            Method::Blocking(blocking) => blocking.scratch(),
        };
        ScratchSize { shared: shared + self.padded.len(self.chunk) * size_of::<T>(), per_worker }
    }

    /// Computes it. The weights are of type `W`.
    ///
    /// # Safety
    /// The operands are as the geometry says, `shared` and the workers' memory as [`Correlation::scratch`] does.
    #[allow(clippy::too_many_arguments, reason = "the operands and what it runs on")]
    pub(super) unsafe fn run<S: Stored<T>, W: Stored<T>>(
        &self,
        x: *const S,
        w: *const W,
        y: *mut S,
        shared: *mut T,
        scratch: &Scratch,
        pool: &Pool,
        epilogue: Option<&dyn Epilogue>,
    ) {
        if let Some(lanes) = &self.image_lanes {
            // The direct methods are for elements of the type that is computed in.
            let pointers = Pointers { x: x.cast::<T>(), w: w.cast::<T>(), y: y.cast::<T>() };
            // SAFETY: as the caller vouches.
            return unsafe { lanes.run(pointers, shared, scratch, pool, epilogue) };
        }
        let Geometry { images, groups, in_channels, out_channels, .. } = self.geometry;
        let (pixels, depth) = (self.geometry.output_pixels(), self.geometry.depth());
        let a = Strided::rows(w, Operand::contiguous(out_channels, depth), self.packing).repeated(groups);
        let rest = shared.wrapping_add(self.padded.len(self.chunk));
        let mut first = 0;
        while first < images {
            let count = self.chunk.min(images - first);
            let from = x.wrapping_add(first * groups * in_channels * self.geometry.input_pixels());
            let start = first * groups * out_channels * pixels;
            let c = Operand::contiguous(out_channels, pixels);
            let target = Target {
                c: y.wrapping_add(start).cast(),
                batch_stride: c.batch_stride,
                row_stride: c.row_stride,
                col_stride: c.col_stride,
                accumulate: false,
                write: write_row::<S, T>,
                element_size: size_of::<S>(),
            };
            // SAFETY: as the caller vouches.
            unsafe {
                let from = if self.padded.is_input {
                    from.cast::<T>()
                } else {
                    self.padded.prepare(from, count, shared, pool);
                    shared.cast_const()
                };
                // The direct methods are for elements of the type that is computed in.
                let pointers = Pointers { x: from, w: w.cast::<T>(), y: target.c.cast::<T>() };
                let sizes = [count, groups, in_channels * self.padded.channel_stride()];
                let finished = |place: usize, len: usize, worker: usize| {
                    if let Some(epilogue) = epilogue {
                        epilogue.region(start + place, 1, len, len, worker);
                    }
                };
                match &self.method {
                    Method::FewChannels(few) => few.run(sizes, pointers, rest, pool, &finished),
                    Method::ChannelLanes(lanes) => lanes.run(sizes, pointers, rest, pool, &finished),
                    Method::Blocking(blocking) => {
                        let (geometry, padded) = (&self.geometry, &self.padded);
                        let b =
                            Patches { images: Images { from, geometry, padded, taps: &self.taps }, pack: self.pack };
                        let operands = Operands::new(&a, &b, target, epilogue, start);
                        blocking.of_batch(count * groups).run(&operands, rest, scratch, pool);
                    }
                }
            }
            first += count;
        }
    }
}

impl<T: Number> Method<T> {
    /// Straight from the images, where that is faster.
    fn direct(isa: Isa, geometry: &Geometry, padded: &Padded) -> Option<Self> {
        let few = || FewChannels::new(isa, geometry, padded).map(Method::FewChannels);
        few().or_else(|| ChannelLanes::new(isa, geometry, padded).map(Method::ChannelLanes))
    }
}
