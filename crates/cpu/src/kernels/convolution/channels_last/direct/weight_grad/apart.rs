//! Images of many small groups of channels, copied so that groups are apart: the pixels of one are then neighbours, where they
//! had been as far from each other as all channels.

use crate::kernels::convolution::geometry::Geometry;
use crate::kernels::split::{Shared, split};
use crate::pool::Pool;

/// How many pixels are copied at a time, so that what is read stays in the first-level cache.
const COPIED_PIXELS: usize = 16;

/// Whether copies of both operands pay.
pub(super) fn pays(geometry: &Geometry) -> bool {
    geometry.groups > 1
        && [geometry.in_channels, geometry.out_channels].iter().all(|channels| [4, 8, 16].contains(channels))
}

/// The sizes of an operand.
#[derive(Clone, Copy)]
pub(super) struct Sizes {
    pub(super) pixels: usize,
    pub(super) groups: usize,
    /// Of a group: 4, 8 or 16.
    pub(super) channels: usize,
}

impl Sizes {
    /// The number of elements.
    pub(super) fn len(&self) -> usize {
        self.pixels * self.groups * self.channels
    }

    /// Copies `[pixels, groups, channels]` into `[groups, pixels, channels]`.
    ///
    /// # Safety
    /// The pointers are to as many elements, which do not overlap.
    pub(super) unsafe fn copy<T: Copy>(&self, from: *const T, to: *mut T, pool: &Pool) {
        // SAFETY: as the caller vouches.
        unsafe {
            match self.channels {
                4 => self.copy_groups::<[T; 4]>(from.cast(), to.cast(), pool),
                8 => self.copy_groups::<[T; 8]>(from.cast(), to.cast(), pool),
                16 => self.copy_groups::<[T; 16]>(from.cast(), to.cast(), pool),
                channels => unreachable!("groups of {channels} channels"),
            }
        }
    }

    /// As [`Sizes::copy`], of the groups of channels as they are.
    unsafe fn copy_groups<G: Copy>(&self, from: *const G, to: *mut G, pool: &Pool) {
        let (from, to) = (Shared(from.cast_mut()), Shared(to));
        split(pool, self.pixels, COPIED_PIXELS, |pixels| {
            for first in pixels.clone().step_by(COPIED_PIXELS) {
                for group in 0..self.groups {
                    for pixel in first..pixels.end.min(first + COPIED_PIXELS) {
                        // SAFETY: as the caller vouches; the pixels are the thread's own.
                        unsafe {
                            let piece = *from.get().add(pixel * self.groups + group);
                            *to.get().add(group * self.pixels + pixel) = piece;
                        }
                    }
                }
            }
        });
    }
}
