//! NumPy-like basic indexing: integers, ranges, steps, new axes.

use std::fmt;
use std::ops::{Range, RangeFrom, RangeFull, RangeInclusive, RangeTo, RangeToInclusive};

use gyrus_graph::{Shape, Value};

use crate::Tensor;
use crate::axes::resolve_axis;

mod sealed {
    pub trait Sealed {}
}

/// What [`Tensor::get`] takes for one axis.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub enum Item {
    /// One index; the axis disappears.
    At(isize),
    /// Several.
    Bounds(Bounds),
    /// An axis of size 1 that was not there.
    NewAxis,
    /// As many whole axes as are not named otherwise.
    Ellipsis,
}

/// A range of indices, negative ones counting from the end.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    start: Option<isize>,
    end: Option<isize>,
    step: usize,
}

/// Inserts an axis of size 1 at this place of an index.
#[derive(Clone, Copy, Debug)]
pub struct NewAxis;

/// Stands for as many whole axes as the other parts of an index leave: NumPy's `...`.
#[derive(Clone, Copy, Debug)]
pub struct Ellipsis;

/// Every so-many-th index of a range: `Step(1..7, 2)` is NumPy's `1:7:2`.
#[derive(Clone, Copy, Debug)]
pub struct Step<R>(pub R, pub usize);

/// A range of indices: `1..3`, `1..`, `..-1`, `0..=2`, `..`. Negative indices count from the end.
pub trait IndexRange: sealed::Sealed {
    /// The range.
    #[doc(hidden)]
    fn bounds(self) -> Bounds;
}

/// One part of an index: an integer, an [`IndexRange`], a [`Step`], [`NewAxis`] or [`Ellipsis`].
pub trait IndexItem: sealed::Sealed {
    /// The part.
    #[doc(hidden)]
    fn item(self) -> Item;
}

/// What [`Tensor::get`] takes: one [`IndexItem`], or a tuple of up to 6.
pub trait Index {
    /// The parts.
    #[doc(hidden)]
    fn items(self) -> Vec<Item>;
}

macro_rules! ranges {
    ($($type:ty, |$range:ident| $start:expr, $end:expr;)*) => {$(
        impl sealed::Sealed for $type {}

        impl IndexRange for $type {
            fn bounds(self) -> Bounds {
                let $range = self;
                Bounds { start: $start, end: $end, step: 1 }
            }
        }

        impl IndexItem for $type {
            fn item(self) -> Item {
                Item::Bounds(self.bounds())
            }
        }
    )*};
}

macro_rules! integers {
    ($($type:ty)*) => {$(
        impl sealed::Sealed for $type {}

        impl IndexItem for $type {
            fn item(self) -> Item {
                Item::At(self as isize)
            }
        }

        ranges! {
            Range<$type>, |range| Some(range.start as isize), Some(range.end as isize);
            RangeFrom<$type>, |range| Some(range.start as isize), None;
            RangeTo<$type>, |range| None, Some(range.end as isize);
            RangeInclusive<$type>, |range| Some(*range.start() as isize), after(*range.end() as isize);
            RangeToInclusive<$type>, |range| None, after(range.end as isize);
        }
    )*};
}

integers! { i32 isize usize }
ranges! { RangeFull, |_all| None, None; }

/// The end of a range that includes `last`.
fn after(last: isize) -> Option<isize> {
    (last != -1).then_some(last + 1)
}

impl<R: sealed::Sealed> sealed::Sealed for Step<R> {}

impl<R: IndexRange> IndexRange for Step<R> {
    fn bounds(self) -> Bounds {
        let bounds = self.0.bounds();
        Bounds { step: bounds.step * self.1, ..bounds }
    }
}

impl<R: IndexRange> IndexItem for Step<R> {
    fn item(self) -> Item {
        Item::Bounds(self.bounds())
    }
}

impl sealed::Sealed for NewAxis {}

impl IndexItem for NewAxis {
    fn item(self) -> Item {
        Item::NewAxis
    }
}

impl sealed::Sealed for Ellipsis {}

impl IndexItem for Ellipsis {
    fn item(self) -> Item {
        Item::Ellipsis
    }
}

impl<I: IndexItem> Index for I {
    fn items(self) -> Vec<Item> {
        vec![self.item()]
    }
}

macro_rules! tuples {
    ($(($($name:ident $place:tt),*))*) => {$(
        impl<$($name: IndexItem),*> Index for ($($name,)*) {
            fn items(self) -> Vec<Item> {
                vec![$(self.$place.item()),*]
            }
        }
    )*};
}

tuples! {
    (A 0) (A 0, B 1) (A 0, B 1, C 2) (A 0, B 1, C 2, D 3) (A 0, B 1, C 2, D 3, E 4) (A 0, B 1, C 2, D 3, E 4, F 5)
}

impl fmt::Display for Bounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |bound: Option<isize>| bound.map_or(String::new(), |index| index.to_string());
        write!(f, "{}..{}", text(self.start), text(self.end))
    }
}

impl Bounds {
    /// First index and end along an axis.
    #[track_caller]
    fn resolve(self, operation: &str, axis: usize, shape: &Shape) -> (usize, usize) {
        let size = shape[axis] as isize;
        let from_start = |index: isize| if index < 0 { index + size } else { index };
        let (start, end) = (self.start.map_or(0, from_start), self.end.map_or(size, from_start));
        assert!(
            0 <= start && start <= end && end <= size,
            "{operation}: range {self} of axis {axis} of shape {shape}: must lie within 0..{size}, the first \
         index before the end"
        );
        assert!(self.step > 0, "{operation}: range {self} of axis {axis} by 0: the step must be at least 1");
        (start as usize, end as usize)
    }
}

/// The place of an index that may be negative.
#[track_caller]
fn resolve_index(operation: &str, index: isize, axis: usize, shape: &Shape) -> usize {
    let size = shape[axis] as isize;
    assert!(
        (-size..size).contains(&index),
        "{operation}: index {index} of axis {axis} of shape {shape}: must lie in {}..{size}",
        -size
    );
    index.rem_euclid(size) as usize
}

impl Tensor {
    /// The elements that an index addresses, NumPy's `x[…]`: for each axis an integer, which takes the axis
    /// away, or a range. Negative integers count from the end; axes not named are taken whole. Unlike in
    /// NumPy a range must lie within its axis. Clippy takes the literal `1..-1` for an empty range: allow
    /// `clippy::reversed_empty_ranges` where you write it.
    ///
    /// | NumPy | here |
    /// | --- | --- |
    /// | `x[2]`, `x[-1]` | `x.get(2)`, `x.get(-1)` |
    /// | `x[0, 1:3]` | `x.get((0, 1..3))` |
    /// | `x[:, :-1]` | `x.get((.., ..-1))` |
    /// | `x[..., 0]` | `x.get((Ellipsis, 0))` |
    /// | `x[:, None]` | `x.get((.., NewAxis))` |
    /// | `x[::2]`, `x[1:7:3]` | `x.get(Step(.., 2))`, `x.get(Step(1..7, 3))` |
    /// | `x[::-1]` | `x.flip(0)` |
    /// | `x[indices]` | `x.take(0, &indices)` |
    ///
    /// # Panics
    /// If there are more parts than axes, or an index or a range leaves its axis.
    ///
    /// ```
    /// use gyrus_tensor::{DType, Ellipsis, Step, Tensor};
    ///
    /// let x = Tensor::arange(12, DType::I64).reshape([3, 4]);
    /// assert_eq!(x.get((-1, 1..3)).to_vec::<i64>(), [9, 10]);
    /// assert_eq!(x.get((Ellipsis, 0)).to_vec::<i64>(), [0, 4, 8]);
    /// assert_eq!(x.get((0, Step(.., 2))).to_vec::<i64>(), [0, 2]);
    /// ```
    #[track_caller]
    pub fn get(&self, index: impl Index) -> Tensor {
        let (shape, mut items) = (self.shape(), index.items());
        let num_named = items.iter().filter(|item| matches!(item, Item::At(_) | Item::Bounds(_))).count();
        let num_ellipses = items.iter().filter(|item| matches!(item, Item::Ellipsis)).count();
        assert!(
            num_named <= shape.rank() && num_ellipses <= 1,
            "get: an index of {num_named} parts and {num_ellipses} ellipses into shape {shape}: must have at most \
             {} parts and one ellipsis",
            shape.rank()
        );
        let whole = Item::Bounds((..).bounds());
        let num_whole = shape.rank() - num_named;
        let place = items.iter().position(|item| matches!(item, Item::Ellipsis)).unwrap_or(items.len());
        items.splice(place..(place + num_ellipses), std::iter::repeat_n(whole, num_whole));
        let (mut start, mut limit, mut step) = (vec![], vec![], vec![]);
        let mut sizes = vec![];
        for item in items {
            let axis = start.len();
            let (first, end, every) = match item {
                Item::At(index) => {
                    let place = resolve_index("get", index, axis, shape);
                    (place, place + 1, 1)
                }
                Item::Bounds(bounds) => {
                    let (first, end) = bounds.resolve("get", axis, shape);
                    sizes.push((end - first).div_ceil(bounds.step));
                    (first, end, bounds.step)
                }
                Item::NewAxis | Item::Ellipsis => {
                    sizes.push(1);
                    continue;
                }
            };
            start.push(first);
            limit.push(end);
            step.push(every);
        }
        self.slice_by(&start, &limit, &step).reshape(sizes).into()
    }

    /// The elements in `range` along one axis, all along the others.
    ///
    /// # Panics
    /// If there is no such axis, or the range leaves it.
    ///
    /// ```
    /// use gyrus_tensor::{DType, Tensor};
    ///
    /// let x = Tensor::zeros([2, 9], DType::F32);
    /// assert_eq!(x.narrow(-1, 2..-2).shape()[..], [2, 5]);
    /// ```
    #[track_caller]
    pub fn narrow(&self, axis: isize, range: impl IndexRange) -> Tensor {
        let (shape, bounds) = (self.shape(), range.bounds());
        let axis = resolve_axis("narrow", axis, shape);
        let (mut start, mut limit, mut step) = (vec![0; shape.rank()], shape.to_vec(), vec![1; shape.rank()]);
        (start[axis], limit[axis]) = bounds.resolve("narrow", axis, shape);
        step[axis] = bounds.step;
        self.slice_by(&start, &limit, &step).into()
    }

    /// The elements at one index along an axis, which disappears.
    ///
    /// # Panics
    /// If there is no such axis or index.
    #[track_caller]
    pub fn index_axis(&self, axis: isize, index: isize) -> Tensor {
        let axis = resolve_axis("index_axis", axis, self.shape());
        self.value().index_axis(axis, resolve_index("index_axis", index, axis, self.shape())).into()
    }

    /// A slice; everything is no operation.
    #[track_caller]
    fn slice_by(&self, start: &[usize], limit: &[usize], step: &[usize]) -> Value {
        let is_all = *limit == self.shape()[..] && start.iter().all(|&i| i == 0) && step.iter().all(|&i| i == 1);
        if is_all { self.value().clone() } else { self.value().slice(start, limit, step) }
    }
}
