//! Windows of two by two, side by side: each element lies in one at most.

use std::marker::PhantomData;

use super::element::{Order, Pooled};
use crate::math::{MulAdd, Multiversion};

/// How the elements of a window combine.
pub(super) trait Combine: 'static {
    /// What nothing combines to.
    fn identity<T: Pooled>() -> T::Wide;
    fn combine<T: Pooled>(a: T::Wide, b: T::Wide) -> T::Wide;
}

/// The first in an order, NaN before all.
pub(super) struct First<O>(PhantomData<O>);

/// The sum.
pub(super) struct Sum;

impl<O: Order> Combine for First<O> {
    #[inline(always)]
    fn identity<T: Pooled>() -> T::Wide {
        O::last::<T>()
    }
    #[inline(always)]
    fn combine<T: Pooled>(a: T::Wide, b: T::Wide) -> T::Wide {
        O::first(a, b)
    }
}

impl Combine for Sum {
    #[inline(always)]
    fn identity<T: Pooled>() -> T::Wide {
        T::Wide::default()
    }
    #[inline(always)]
    fn combine<T: Pooled>(a: T::Wide, b: T::Wide) -> T::Wide {
        use super::super::elements::Arithmetic;
        a.add(b)
    }
}

/// Planes of tiles.
#[derive(Clone, Copy)]
pub(super) struct Planes<T> {
    pub(super) count: usize,
    /// Sizes of a plane of `x`; those of `y` are half as large.
    pub(super) height: usize,
    pub(super) width: usize,
    pub(super) x: *const T,
    /// The result of [`Reduce`], the cotangent for [`SelectGrad`].
    pub(super) y: *mut T,
    /// The result of [`SelectGrad`].
    pub(super) dx: *mut T,
}

/// A loop over tiles.
pub(super) type TilesFunction<T> = unsafe fn(Planes<T>);

/// Combines the elements of each tile.
pub(super) struct Reduce<T, C>(PhantomData<(T, C)>);

impl<T: Pooled, C: Combine> Multiversion for Reduce<T, C> {
    type Arguments = Planes<T>;

    #[inline(always)]
    unsafe fn run<M: MulAdd>(planes: Planes<T>) {
        let Planes { count, height, width, x, y, .. } = planes;
        let (rows, columns) = (height / 2, width / 2);
        for index in 0..count * rows {
            let (plane, row) = (index / rows, index % rows);
            // SAFETY: the two rows lie within the plane of `x`, the one within that of `y`.
            let (upper, lower, y) = unsafe {
                let x = x.add((plane * height + 2 * row) * width);
                (
                    std::slice::from_raw_parts(x.cast::<[T; 2]>(), columns),
                    std::slice::from_raw_parts(x.add(width).cast::<[T; 2]>(), columns),
                    std::slice::from_raw_parts_mut(y.add(index * columns), columns),
                )
            };
            for ((y, upper), lower) in y.iter_mut().zip(upper).zip(lower) {
                let [a, b, c, d] = [upper[0], upper[1], lower[0], lower[1]].map(T::widen);
                *y = T::narrow(C::combine::<T>(C::combine::<T>(a, b), C::combine::<T>(c, d)));
            }
        }
    }
}

/// Gives each tile's cotangent to its first element in an order, and 0 to the others.
pub(super) struct SelectGrad<T, O>(PhantomData<(T, O)>);

impl<T: Pooled, O: Order> Multiversion for SelectGrad<T, O> {
    type Arguments = Planes<T>;

    #[inline(always)]
    unsafe fn run<M: MulAdd>(planes: Planes<T>) {
        use super::super::elements::Arithmetic;
        let Planes { count, height, width, x, y, dx } = planes;
        let (rows, columns) = (height / 2, width / 2);
        let zero = T::narrow(T::Wide::default());
        for index in 0..count * rows {
            let (plane, row) = (index / rows, index % rows);
            // SAFETY: the two rows lie within the plane of `x` and `dx`, the one within that of `y`.
            let (upper, lower, y, dx_upper, dx_lower) = unsafe {
                let start = (plane * height + 2 * row) * width;
                let (x, dx) = (x.add(start), dx.add(start));
                if width % 2 == 1 {
                    *dx.add(width - 1) = zero;
                    *dx.add(2 * width - 1) = zero;
                }
                if height % 2 == 1 && row == rows - 1 {
                    std::slice::from_raw_parts_mut(dx.add(2 * width), width).fill(zero);
                }
                (
                    std::slice::from_raw_parts(x.cast::<[T; 2]>(), columns),
                    std::slice::from_raw_parts(x.add(width).cast::<[T; 2]>(), columns),
                    std::slice::from_raw_parts(y.add(index * columns), columns),
                    std::slice::from_raw_parts_mut(dx.cast::<[T; 2]>(), columns),
                    std::slice::from_raw_parts_mut(dx.add(width).cast::<[T; 2]>(), columns),
                )
            };
            let x = upper.iter().zip(lower);
            let dx = dx_upper.iter_mut().zip(dx_lower);
            for (((upper, lower), (dx_upper, dx_lower)), &y) in x.zip(dx).zip(y) {
                let [a, b, c, d] = [upper[0], upper[1], lower[0], lower[1]].map(T::widen);
                let first = O::first(O::first(a, b), O::first(c, d));
                // If there is a NaN, the first of them is meant, and no number equals it.
                let [a, b, c, d] = [a, b, c, d].map(|x| (x == first) | x.is_nan());
                let given = |is_given: bool| if is_given { y } else { zero };
                *dx_upper = [given(a), given(b & !a)];
                *dx_lower = [given(c & !(a | b)), given(d & !(a | b | c))];
            }
        }
    }
}

/// Gives each tile's cotangent to all of its elements.
pub(super) struct SumGrad<T>(PhantomData<T>);

impl<T: Pooled> Multiversion for SumGrad<T> {
    type Arguments = Planes<T>;

    #[inline(always)]
    unsafe fn run<M: MulAdd>(planes: Planes<T>) {
        let Planes { count, height, width, y, dx, .. } = planes;
        let (rows, columns) = (height / 2, width / 2);
        let zero = T::narrow(T::Wide::default());
        for index in 0..count * rows {
            let (plane, row) = (index / rows, index % rows);
            // SAFETY: the two rows lie within the plane of `dx`, the one within that of `y`.
            let (y, dx, both) = unsafe {
                let dx = dx.add((plane * height + 2 * row) * width);
                if height % 2 == 1 && row == rows - 1 {
                    std::slice::from_raw_parts_mut(dx.add(2 * width), width).fill(zero);
                }
                let y = std::slice::from_raw_parts(y.add(index * columns), columns);
                (y, std::slice::from_raw_parts_mut(dx.cast::<[T; 2]>(), columns), dx)
            };
            dx.iter_mut().zip(y).for_each(|(dx, &y)| *dx = [y, y]);
            // SAFETY: as above; the second row is a copy of the first.
            unsafe {
                if width % 2 == 1 {
                    *both.add(width - 1) = zero;
                }
                both.copy_to_nonoverlapping(both.add(width), width);
            }
        }
    }
}
