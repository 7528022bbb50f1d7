//! Many rows of few classes: a vector holds one class of many rows, where one of a row's classes would be mostly empty.

use super::lanes::{Float, LANES, Lanes, larger, zip};
use crate::math::MulAdd;

/// How many classes are few, and how many are too many: then rows have whole vectors of them.
pub(super) const FEW: usize = 16;
pub(super) const MOST: usize = 64;

/// The loop for an axis of classes: over columns, if these have neighbours; else over the classes of many rows, where there are
/// at most [`FEW`] or fewer than [`MOST`], or over rows.
macro_rules! version_for {
    ($axis:expr, $few:ty, $more:ty, $rows:ty, $columns:ty) => {
        match ($axis.inner, $axis.size) {
            (1, 1..=few_classes::FEW) if $axis.num_groups() >= LANES => version::<$few>(Isa::get()),
            (1, 1..few_classes::MOST) if $axis.num_groups() >= LANES => version::<$more>(Isa::get()),
            (1, _) => version::<$rows>(Isa::get()),
            _ => version::<$columns>(Isa::get()),
        }
    };
}

pub(super) use version_for;

/// Up to [`LANES`] rows of logits, by their classes.
pub(super) struct Rows<T, const MOST: usize> {
    classes: [Lanes<T>; MOST],
    num_classes: usize,
}

impl<T: Float, const MOST: usize> Rows<T, MOST> {
    /// # Safety
    /// `logits` points to `count` rows, `LANES` at most, of `num_classes` logits, `MOST` at most.
    #[inline(always)]
    pub(super) unsafe fn load(logits: *const T, count: usize, num_classes: usize) -> Self {
        let mut classes = [[T::ZERO; LANES]; MOST];
        for (class, lanes) in classes.iter_mut().enumerate().take(num_classes) {
            for (row, lane) in lanes.iter_mut().enumerate().take(count) {
                // SAFETY: as the caller vouches.
                *lane = unsafe { *logits.add(row * num_classes + class) };
            }
        }
        Rows { classes, num_classes }
    }

    /// Takes each row's maximum from it, and returns the sums of the exponentials of what is left.
    #[inline(always)]
    pub(super) fn shift<M: MulAdd>(&mut self) -> Lanes<T> {
        let classes = &mut self.classes[..self.num_classes];
        let most = classes.iter().fold([T::LOWEST; LANES], |most, &x| zip(x, most, larger));
        classes.iter_mut().for_each(|x| *x = zip(*x, most, |x, most| x - most));
        classes.iter().fold([T::ZERO; LANES], |sum, &x| zip(sum, x, |sum, x| sum + x.exp::<M>()))
    }

    /// The sums of the rows.
    #[inline(always)]
    pub(super) fn total(&self) -> Lanes<T> {
        let classes = &self.classes[..self.num_classes];
        classes.iter().fold([T::ZERO; LANES], |sum, &x| zip(sum, x, |sum, x| sum + x))
    }

    /// One element.
    #[inline(always)]
    pub(super) fn get(&self, row: usize, class: usize) -> T {
        self.classes[class][row]
    }

    /// A function of each element and of a number of its row.
    #[inline(always)]
    pub(super) fn zip(&mut self, of_rows: Lanes<T>, function: impl Fn(T, T) -> T) {
        self.classes[..self.num_classes].iter_mut().for_each(|x| *x = zip(*x, of_rows, &function));
    }

    /// Writes a row's elements.
    #[inline(always)]
    pub(super) fn store(&self, row: usize, to: &mut [T]) {
        to.iter_mut().zip(&self.classes).for_each(|(to, lanes)| *to = lanes[row]);
    }
}
