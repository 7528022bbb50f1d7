//! Naming axes: negative ones count from the last.

use std::ops::RangeFull;

use gyrus_graph::Shape;

mod sealed {
    pub trait Sealed {}
}

/// One axis or several: `1`, `-1`, `[0, -1]`, a slice, or `..` for all of them. A negative axis counts from
/// the last, which is -1.
pub trait Axes: sealed::Sealed {
    /// The axes that are named; `None` for all of them.
    #[doc(hidden)]
    fn named(&self) -> Option<&[isize]>;
}

/// Axes that a reduction leaves in place, with size 1, so that the result broadcasts against the operand.
///
/// ```
/// use gyrus_tensor::{Keepdim, Tensor};
///
/// let x = Tensor::from([[1.0, 3.0], [2.0, 6.0]]);
/// let centred = &x - x.mean(Keepdim(-1));
/// assert_eq!(centred.to_vec::<f64>(), [-1.0, 1.0, -2.0, 2.0]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Keepdim<A>(pub A);

/// What reductions take: [`Axes`], which disappear, or [`Keepdim`] of them.
pub trait ReductionAxes: sealed::Sealed {
    /// The axes that are named; `None` for all of them.
    #[doc(hidden)]
    fn reduced(&self) -> Option<&[isize]>;

    /// Whether they stay, with size 1.
    #[doc(hidden)]
    fn stay(&self) -> bool;
}

impl<A: Axes> ReductionAxes for A {
    fn reduced(&self) -> Option<&[isize]> {
        self.named()
    }

    fn stay(&self) -> bool {
        false
    }
}

impl<A: Axes> sealed::Sealed for Keepdim<A> {}

impl<A: Axes> ReductionAxes for Keepdim<A> {
    fn reduced(&self) -> Option<&[isize]> {
        self.0.named()
    }

    fn stay(&self) -> bool {
        true
    }
}

macro_rules! axes {
    ($([$($generics:tt)*] $type:ty, |$axes:ident| $named:expr;)*) => {$(
        impl<$($generics)*> sealed::Sealed for $type {}

        impl<$($generics)*> Axes for $type {
            fn named(&self) -> Option<&[isize]> {
                let $axes = self;
                $named
            }
        }
    )*};
}

axes! {
    [] RangeFull, |_all| None;
    [] isize, |axis| Some(std::slice::from_ref(axis));
    [const N: usize] [isize; N], |axes| Some(axes);
    [const N: usize] &[isize; N], |axes| Some(*axes);
    [] &[isize], |axes| Some(axes);
    [] Vec<isize>, |axes| Some(axes);
    [] &Vec<isize>, |axes| Some(axes);
}

/// The place of an axis that may be negative.
#[track_caller]
pub(crate) fn resolve_axis(operation: &str, axis: isize, shape: &Shape) -> usize {
    let rank = shape.rank() as isize;
    assert!(
        (-rank..rank).contains(&axis),
        "{operation}: axis {axis} of shape {shape}: must lie in {}..{rank}, the rank being {rank}",
        -rank
    );
    axis.rem_euclid(rank) as usize
}

/// The places of axes in the order in which they are named, each once.
#[track_caller]
pub(crate) fn resolve_in_order(operation: &str, named: Option<&[isize]>, shape: &Shape) -> Vec<usize> {
    let Some(named) = named else { return (0..shape.rank()).collect() };
    let mut places = Vec::with_capacity(named.len());
    for &axis in named {
        let place = resolve_axis(operation, axis, shape);
        assert!(!places.contains(&place), "{operation}: axes {named:?} of shape {shape}: must name each axis once");
        places.push(place);
    }
    places
}

/// The places of axes, increasing.
#[track_caller]
pub(crate) fn resolve_axes(operation: &str, named: Option<&[isize]>, shape: &Shape) -> Vec<usize> {
    let mut places = resolve_in_order(operation, named, shape);
    places.sort_unstable();
    places
}
