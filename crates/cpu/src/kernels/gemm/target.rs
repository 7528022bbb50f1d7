//! Where results go.

use super::number::{Number, Stored};

/// Where the result goes.
#[derive(Clone, Copy)]
pub(crate) struct Target<T> {
    /// The first element.
    pub(crate) c: *mut u8,
    /// Distances in elements.
    pub(crate) batch_stride: isize,
    pub(crate) row_stride: isize,
    pub(crate) col_stride: isize,
    /// Whether to add to what is there.
    pub(crate) accumulate: bool,
    /// Writes a row that was computed apart.
    pub(crate) write: unsafe fn(Row<T>),
    /// Bytes of an element of the result.
    pub(crate) element_size: usize,
}

// SAFETY: tasks write to disjoint elements.
unsafe impl<T> Sync for Target<T> {}

/// Some neighbouring elements of a row of the result.
#[derive(Clone, Copy)]
pub(crate) struct Row<T> {
    pub(super) from: *const T,
    pub(super) len: usize,
    pub(super) c: *mut u8,
    pub(super) stride: isize,
    pub(super) accumulate: bool,
}

/// Writes a row of elements of type `S`.
pub(crate) unsafe fn write_row<S: Stored<T>, T: Number>(row: Row<T>) {
    let c = row.c.cast::<S>();
    // SAFETY: as the caller vouches, `len` elements lie at both places.
    unsafe {
        if row.stride == 1 && !row.accumulate {
            let from = std::slice::from_raw_parts(row.from, row.len);
            return S::write_all(from, std::slice::from_raw_parts_mut(c, row.len));
        }
        for index in 0..row.len {
            let c = c.offset(index as isize * row.stride);
            let sum = *row.from.add(index);
            *c = S::write(if row.accumulate { (*c).read().add(sum) } else { sum });
        }
    }
}

impl<T: Number> Target<T> {
    /// # Safety
    /// `len` elements from `column` on lie within the result.
    pub(super) unsafe fn write_row(&self, from: *const T, len: usize, batch: usize, row: usize, column: usize) {
        let [batch, row, column] = [batch, row, column].map(|index| index as isize);
        let place = batch * self.batch_stride + row * self.row_stride + column * self.col_stride;
        let c = self.c.wrapping_offset(place * self.element_size as isize);
        let stride = self.col_stride;
        // SAFETY: as the caller vouches.
        unsafe { (self.write)(Row { from, len, c, stride, accumulate: self.accumulate }) }
    }
}
