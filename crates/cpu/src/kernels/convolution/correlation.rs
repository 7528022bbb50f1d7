//! Weights times what they meet: the product that the convolution and the gradient for its input have in common.

use super::geometry::Geometry;
use super::padded::Padded;
use super::patches::{ByTap, Images, PatchArguments, Patches};
use crate::isa::Isa;
use crate::kernels::gemm::Operand;
use crate::kernels::gemm::blocking::{Blocking, Operands, Sizes, Target, write_row};
use crate::kernels::gemm::microkernel::Packing;
use crate::kernels::gemm::number::{Number, Stored};
use crate::kernels::gemm::pack::Strided;
use crate::kernels::gemm::Epilogue;
use crate::pool::{Pool, Scratch, ScratchSize};

/// `y[n, g, o, p] = sum over c, k of w[g, o, c, k] * x[n, g, c, place p + k]`.
pub(super) struct Correlation<T> {
    geometry: Geometry,
    padded: Padded,
    taps: Vec<usize>,
    /// How many images are prepared at a time.
    chunk: usize,
    blocking: Blocking<T>,
    packing: Packing<T>,
    pack: unsafe fn(PatchArguments<T>),
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
            is_direct: S::IS_SAME,
        };
        Correlation {
            geometry,
            padded,
            taps: padded.taps(geometry.in_channels),
            chunk,
            blocking: Blocking::new(isa, sizes),
            packing: T::packing(isa),
            pack: T::vectorised::<ByTap<T>>(isa),
        }
    }

    pub(super) fn scratch(&self) -> ScratchSize {
        let ScratchSize { shared, per_worker } = self.blocking.scratch();
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
                let (geometry, padded) = (&self.geometry, &self.padded);
                let b = Patches { images: Images { from, geometry, padded, taps: &self.taps }, pack: self.pack };
                let operands = Operands { a: &a, b: &b, target, epilogue, first: start };
                self.blocking.of_batch(count * groups).run(&operands, rest, scratch, pool);
            }
            first += count;
        }
    }
}
