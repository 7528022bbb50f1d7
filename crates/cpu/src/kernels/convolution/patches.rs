//! What each place of a kernel meets, as operands of products.

use std::marker::PhantomData;
use std::ops::Range;

use super::geometry::Geometry;
use super::padded::Padded;
use crate::kernels::gemm::microkernel::Vector;
use crate::kernels::gemm::number::{Number, VectorLoop};
use crate::kernels::gemm::pack::{Lines, Packed, Panels};
use crate::math::{MulAdd, Multiversion};

/// Padded images with the kernel's places on them.
#[derive(Clone, Copy)]
pub(super) struct Images<'a, T> {
    pub(super) from: *const T,
    pub(super) geometry: &'a Geometry,
    pub(super) padded: &'a Padded,
    /// Where each element of the kernels of a group meets the image, see [`Padded::taps`].
    pub(super) taps: &'a [usize],
}

// SAFETY: they are only read.
unsafe impl<T> Sync for Images<'_, T> {}

impl<T> Images<'_, T> {
    fn group(&self, image: usize, group: usize) -> *const T {
        let channel = group * self.geometry.in_channels * self.padded.channel_stride();
        self.from.wrapping_add(image * self.padded.image_len() + channel)
    }

    /// Calls `run(offset, len)` for the runs of neighbouring places in a range of them, with where they begin
    /// within a channel.
    fn runs(&self, places: Range<usize>, mut run: impl FnMut(usize, usize)) {
        let [_, height, width] = self.geometry.axes.map(|axis| axis.output);
        let (mut row, mut column) = (places.start / width, places.start % width);
        let mut rest = places.len();
        while rest > 0 {
            let len = rest.min(width - column);
            run(self.padded.row(row / height, row % height) + column, len);
            (row, column, rest) = (row + 1, 0, rest - len);
        }
    }
}

/// Neighbouring places: where they begin, in the image and in the panel, and how many they are.
#[derive(Clone, Copy, Default)]
pub(super) struct Piece {
    from: usize,
    to: usize,
    len: usize,
}

/// What [`Copy`] works on.
#[derive(Clone, Copy)]
pub(super) struct PatchArguments<T> {
    from: *const T,
    taps: *const usize,
    num_taps: usize,
    pieces: *const Piece,
    num_pieces: usize,
    /// Elements of a row of the panel, and how many of them are used.
    width: usize,
    count: usize,
    to: *mut T,
}

/// Packs patches as `[taps, places]`.
pub(super) struct ByTap<V>(PhantomData<V>);

impl<V: Vector> Multiversion for ByTap<V> {
    type Arguments = PatchArguments<V::Element>;

    #[inline(always)]
    unsafe fn run<M: MulAdd>(arguments: PatchArguments<V::Element>) {
        let PatchArguments { from, taps, num_taps, pieces, num_pieces, width, count, to } = arguments;
        // SAFETY: as `Panels::pack` was promised: what is written beyond a piece is written again with the next
        // one or with the next row, or is padding.
        unsafe {
            let pieces = std::slice::from_raw_parts(pieces, num_pieces);
            for tap in 0..num_taps {
                let (from, to) = (from.add(*taps.add(tap)), to.add(tap * width));
                if count < width {
                    for at in (0..width).step_by(V::LANES) {
                        V::splat(V::Element::default()).store(to.add(at));
                    }
                }
                for piece in pieces {
                    let (from, to) = (from.add(piece.from), to.add(piece.to));
                    let mut at = 0;
                    while at < piece.len {
                        V::load_first(from.add(at), V::LANES.min(piece.len - at)).store(to.add(at));
                        at += V::LANES;
                    }
                }
            }
        }
    }
}

/// Packs patches as `[places, taps]`.
pub(super) struct ByPlace<V>(PhantomData<V>);

impl<V: Vector> Multiversion for ByPlace<V> {
    type Arguments = PatchArguments<V::Element>;

    #[inline(always)]
    unsafe fn run<M: MulAdd>(arguments: PatchArguments<V::Element>) {
        let PatchArguments { from, taps, num_taps, pieces, num_pieces, width, to, .. } = arguments;
        // SAFETY: as for `ByTap`.
        unsafe {
            for piece in std::slice::from_raw_parts(pieces, num_pieces) {
                for at in (0..piece.len).step_by(V::LANES) {
                    let cols = V::LANES.min(piece.len - at);
                    for tap in (0..num_taps).step_by(V::LANES) {
                        let from = |row: usize| from.add(*taps.add(tap + row) + piece.from + at);
                        let to = to.add((piece.to + at) * width + tap);
                        V::transpose(from, V::LANES.min(num_taps - tap), cols, to, width);
                    }
                }
            }
        }
    }
}

/// The most pieces that are packed in one call.
const MAX_PIECES: usize = 32;

/// The right operand of a convolution: lines are places, depths elements of the kernel. Of a batch, groups are
/// neighbours.
pub(super) struct Patches<'a, T> {
    pub(super) images: Images<'a, T>,
    pub(super) pack: unsafe fn(PatchArguments<T>),
}

impl<T: Number> Panels<T> for Patches<'_, T> {
    unsafe fn pack(&self, lines: &Lines, panels: Packed<T>) {
        for (lines, to) in panels.of(lines) {
            // SAFETY: as the caller vouches.
            unsafe { self.pack_panel(lines, panels.width, to) }
        }
    }
}

impl<T: Number> Patches<'_, T> {
    /// Packs one panel.
    ///
    /// # Safety
    /// As [`Panels::pack`].
    unsafe fn pack_panel(&self, Lines { batch, first, count, depth }: Lines, width: usize, to: *mut T) {
        let groups = self.images.geometry.groups;
        let mut pieces = [Piece::default(); MAX_PIECES];
        let (mut num_pieces, mut end) = (0, 0);
        self.images.runs(first..first + count, |from, len| {
            pieces[num_pieces] = Piece { from, to: end, len };
            (num_pieces, end) = (num_pieces + 1, end + len);
        });
        // SAFETY: as the caller vouches; places and taps lie within the images.
        unsafe {
            (self.pack)(PatchArguments {
                from: self.images.group(batch / groups, batch % groups),
                taps: self.images.taps[depth.clone()].as_ptr(),
                num_taps: depth.len(),
                pieces: pieces.as_ptr(),
                num_pieces,
                width,
                count,
                to,
            });
        }
    }
}

/// The right operand of the gradient with respect to the weights: lines are elements of the kernel, depths places
/// on one image after the other. Of a batch, each product is a group's.
pub(super) struct TransposedPatches<'a, T> {
    pub(super) images: Images<'a, T>,
    pub(super) pack: unsafe fn(PatchArguments<T>),
}

impl<T: Number> Panels<T> for TransposedPatches<'_, T> {
    unsafe fn pack(&self, lines: &Lines, panels: Packed<T>) {
        for (lines, to) in panels.of(lines) {
            // SAFETY: as the caller vouches.
            unsafe { self.pack_panel(lines, panels.width, to) }
        }
    }
}

impl<T: Number> TransposedPatches<'_, T> {
    /// Packs one panel.
    ///
    /// # Safety
    /// As [`Panels::pack`].
    unsafe fn pack_panel(&self, Lines { batch, first, count, depth }: Lines, width: usize, to: *mut T) {
        let places = self.images.geometry.output_pixels();
        if count < width {
            for step in 0..depth.len() {
                // SAFETY: the row lies within the panel.
                unsafe { std::slice::from_raw_parts_mut(to.add(step * width), width).fill(T::default()) }
            }
        }
        let mut at = depth.start;
        while at < depth.end {
            let (image, place) = (at / places, at % places);
            let end = places.min(place + depth.end - at);
            let mut pieces = [Piece::default(); MAX_PIECES];
            let mut num_pieces = 0;
            let mut step = at - depth.start;
            let pack = |pieces: &[Piece]| {
                // SAFETY: as the caller vouches; places and taps lie within the images.
                unsafe {
                    (self.pack)(PatchArguments {
                        from: self.images.group(image, batch),
                        taps: self.images.taps[first..first + count].as_ptr(),
                        num_taps: count,
                        pieces: pieces.as_ptr(),
                        num_pieces: pieces.len(),
                        width,
                        count,
                        to,
                    });
                }
            };
            self.images.runs(place..end, |from, len| {
                pieces[num_pieces] = Piece { from, to: step, len };
                (num_pieces, step) = (num_pieces + 1, step + len);
                if num_pieces == MAX_PIECES {
                    pack(&pieces);
                    num_pieces = 0;
                }
            });
            pack(&pieces[..num_pieces]);
            at += end - place;
        }
    }
}

impl<T: Number> VectorLoop<T> for ByTap<T> {
    type Arguments = PatchArguments<T>;
    type Of<V: Vector<Element = T>> = ByTap<V>;
}

impl<T: Number> VectorLoop<T> for ByPlace<T> {
    type Arguments = PatchArguments<T>;
    type Of<V: Vector<Element = T>> = ByPlace<V>;
}
