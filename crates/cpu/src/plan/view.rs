//! Strided views: how operations that only move elements are computed, by not computing.

use gyrus_graph::ops::movement::Slice;

use crate::kernels::movement::transpose::Transposition;

/// Elements of a buffer seen in some shape: element `i` is at `offset + sum of i[axis] *
/// strides[axis]`, counted in elements.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct View {
    pub(crate) shape: Vec<usize>,
    pub(crate) strides: Vec<isize>,
    pub(crate) offset: isize,
}

impl View {
    /// The whole of a row-major array.
    pub(crate) fn contiguous(shape: &[usize]) -> View {
        let mut strides = vec![1isize; shape.len()];
        for axis in (1..shape.len()).rev() {
            strides[axis - 1] = strides[axis] * shape[axis].max(1) as isize;
        }
        View { shape: shape.to_vec(), strides, offset: 0 }
    }

    /// Whether the elements stand in the buffer's order from its start, without gaps.
    pub(crate) fn is_contiguous(&self) -> bool {
        let plain = View::contiguous(&self.shape);
        let same = |axis: usize| self.shape[axis] == 1 || self.strides[axis] == plain.strides[axis];
        self.offset == 0 && (0..self.shape.len()).all(same)
    }

    pub(crate) fn transpose(&self, permutation: &[usize]) -> View {
        View {
            shape: permutation.iter().map(|&axis| self.shape[axis]).collect(),
            strides: permutation.iter().map(|&axis| self.strides[axis]).collect(),
            offset: self.offset,
        }
    }

    pub(crate) fn broadcast(&self, shape: &[usize], axes: &[usize]) -> View {
        let mut strides = vec![0; shape.len()];
        for (from, &to) in axes.iter().enumerate() {
            strides[to] = if self.shape[from] == shape[to] { self.strides[from] } else { 0 };
        }
        View { shape: shape.to_vec(), strides, offset: self.offset }
    }

    pub(crate) fn slice(&self, slice: &Slice, shape: &[usize]) -> View {
        let axes = || self.strides.iter().enumerate();
        let start: isize = axes().map(|(axis, stride)| stride * slice.start[axis] as isize).sum();
        let strides = axes().map(|(axis, stride)| stride * slice.step[axis] as isize).collect();
        let offset = if shape.contains(&0) { self.offset } else { self.offset + start };
        View { shape: shape.to_vec(), strides, offset }
    }

    pub(crate) fn reverse(&self, axes: &[usize]) -> View {
        let mut view = self.clone();
        for &axis in axes {
            view.offset += view.strides[axis] * (view.shape[axis] as isize - 1).max(0);
            view.strides[axis] = -view.strides[axis];
        }
        view
    }

    /// The same elements in another shape, where that needs no copy: each run of axes that is split
    /// or merged must be evenly spaced.
    pub(crate) fn reshape(&self, shape: &[usize]) -> Option<View> {
        if shape.contains(&0) {
            return Some(View { offset: self.offset, ..View::contiguous(shape) });
        }
        let old: Vec<(usize, isize)> =
            self.shape.iter().copied().zip(self.strides.iter().copied()).filter(|&(size, _)| size != 1).collect();
        let mut strides = vec![0; shape.len()];
        let (mut i, mut j) = (0, 0);
        while i < old.len() && j < shape.len() {
            // The shortest runs of old axes i..i_end and new axes j..j_end of equal element counts.
            let (mut i_end, mut j_end) = (i + 1, j + 1);
            let (mut old_count, mut new_count) = (old[i].0, shape[j]);
            while old_count != new_count {
                if old_count < new_count {
                    old_count *= old[i_end].0;
                    i_end += 1;
                } else {
                    new_count *= shape[j_end];
                    j_end += 1;
                }
            }
            let evenly = old[i..i_end].windows(2).all(|pair| pair[0].1 == pair[1].1 * pair[1].0 as isize);
            if !evenly {
                return None;
            }
            let mut stride = old[i_end - 1].1;
            for axis in (j..j_end).rev() {
                strides[axis] = stride;
                stride *= shape[axis] as isize;
            }
            (i, j) = (i_end, j_end);
        }
        Some(View { shape: shape.to_vec(), strides, offset: self.offset })
    }

    /// The view as matrices whose columns are contiguous in memory, if it is that.
    pub(crate) fn transposition(&self) -> Option<Transposition> {
        let axes: Vec<usize> = (0..self.shape.len()).collect();
        for rows in 0..axes.len() {
            for columns in rows + 1..axes.len() {
                let parts = [&axes[..rows], &axes[rows..columns], &axes[columns..]];
                let [batch, rows, columns] = parts.map(|axes| self.merged(axes));
                let (Some(batch), Some(rows), Some(columns)) = (batch, rows, columns) else { continue };
                let is_forward = batch.1 >= 0 && columns.1 > 1;
                if rows.1 == 1 && rows.0 > 1 && columns.0 > 1 && is_forward {
                    let sizes = [batch.0, rows.0, columns.0];
                    let (batch_stride, column_stride) = (batch.1 as usize, columns.1 as usize);
                    return Some(Transposition { sizes, batch_stride, column_stride });
                }
            }
        }
        None
    }

    /// Some axes of the view as one axis: its size and stride, where they are evenly spaced.
    pub(crate) fn merged(&self, axes: &[usize]) -> Option<(usize, isize)> {
        let mut merged = (1, 0);
        for &axis in axes.iter().filter(|&&axis| self.shape[axis] != 1) {
            let (size, stride) = (self.shape[axis], self.strides[axis]);
            if merged.0 != 1 && merged.1 != stride * size as isize {
                return None;
            }
            merged = (merged.0 * size, stride);
        }
        Some(merged)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reshape_without_copy_where_spacing_allows() {
        let view = View::contiguous(&[2, 3, 4]);
        assert_eq!(view.reshape(&[6, 4]).unwrap().strides, [4, 1]);
        assert_eq!(view.reshape(&[2, 1, 12]).unwrap().strides[2], 1);
        let transposed = view.transpose(&[1, 0, 2]);
        assert_eq!(transposed.reshape(&[3, 2, 2, 2]).unwrap().strides, [4, 12, 2, 1]);
        assert_eq!(transposed.reshape(&[6, 4]), None);
        assert_eq!(View::contiguous(&[]).reshape(&[1, 1]).unwrap().shape, [1, 1]);
    }

    #[test]
    fn images_are_transposed_as_matrices() {
        let transposition = |view: View| view.transposition();
        let channels_last = View::contiguous(&[2, 3, 4, 5]).transpose(&[0, 2, 3, 1]);
        let expected = Transposition { sizes: [2, 20, 3], batch_stride: 60, column_stride: 20 };
        assert_eq!(transposition(channels_last), Some(expected));
        assert_eq!(transposition(View::contiguous(&[2, 3, 4]).transpose(&[1, 0, 2])), None);
        assert_eq!(transposition(View::contiguous(&[6])), None);
    }

    #[test]
    fn merged_axes_must_be_evenly_spaced() {
        let view = View::contiguous(&[2, 3, 4]);
        assert_eq!(view.merged(&[0, 1]), Some((6, 4)));
        assert_eq!(view.merged(&[0, 2]), None);
        assert_eq!(view.merged(&[]), Some((1, 0)));
    }

    #[test]
    fn reversed_slices_start_at_the_end() {
        let view = View::contiguous(&[5]).reverse(&[0]);
        assert_eq!((view.offset, view.strides[0]), (4, -1));
        let op = Slice { start: vec![1], limit: vec![5], step: vec![2] };
        let view = view.slice(&op, &[2]);
        assert_eq!((view.offset, view.strides[0]), (3, -2));
    }
}
