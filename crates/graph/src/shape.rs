//! Shapes, and what is known of a value before it is computed.

use std::fmt;
use std::ops::Deref;

use crate::DType;

/// The sizes of a tensor's axes, outermost first. A scalar has none.
#[derive(Clone, PartialEq, Eq, Hash, Default, PartialOrd, Ord)]
pub struct Shape(Vec<usize>);

impl Shape {
    /// A scalar's shape: no axes, one element.
    pub const fn scalar() -> Self {
        Shape(Vec::new())
    }

    /// The number of axes.
    pub fn rank(&self) -> usize {
        self.0.len()
    }

    /// The number of elements: the product of the sizes, 1 for a scalar.
    pub fn num_elements(&self) -> usize {
        self.0.iter().product()
    }

    /// Distances in elements between neighbours along each axis, row-major (last axis contiguous).
    pub fn strides(&self) -> Vec<usize> {
        let mut strides = vec![1; self.rank()];
        for axis in (1..self.rank()).rev() {
            strides[axis - 1] = strides[axis] * self.0[axis].max(1);
        }
        strides
    }

    /// The shape without the given axes.
    pub fn without(&self, axes: &[usize]) -> Shape {
        let kept = |(axis, &size): (usize, &usize)| (!axes.contains(&axis)).then_some(size);
        Shape(self.0.iter().enumerate().filter_map(kept).collect())
    }

    /// The shape that both broadcast to by NumPy's rule, aligned at the last axis: sizes are equal,
    /// or one of them is 1. `None` where they do not fit.
    ///
    /// ```
    /// use gyrus_graph::Shape;
    /// assert_eq!(Shape::from([3, 1]).broadcast(&Shape::from([4])), Some(Shape::from([3, 4])));
    /// ```
    pub fn broadcast(&self, other: &Shape) -> Option<Shape> {
        let rank = self.rank().max(other.rank());
        let size = |shape: &Shape, axis: usize| (axis + shape.rank()).checked_sub(rank).map_or(1, |axis| shape[axis]);
        let fit = |axis| match (size(self, axis), size(other, axis)) {
            (a, b) if a == b => Some(a),
            (1, b) => Some(b),
            (a, 1) => Some(a),
            _ => None,
        };
        (0..rank).map(fit).collect::<Option<Vec<_>>>().map(Shape)
    }
}

impl Deref for Shape {
    type Target = [usize];
    fn deref(&self) -> &[usize] {
        &self.0
    }
}

impl<const N: usize> From<[usize; N]> for Shape {
    fn from(sizes: [usize; N]) -> Self {
        Shape(sizes.to_vec())
    }
}

impl From<&[usize]> for Shape {
    fn from(sizes: &[usize]) -> Self {
        Shape(sizes.to_vec())
    }
}

impl From<Vec<usize>> for Shape {
    fn from(sizes: Vec<usize>) -> Self {
        Shape(sizes)
    }
}

impl From<&Shape> for Shape {
    fn from(shape: &Shape) -> Self {
        shape.clone()
    }
}

impl FromIterator<usize> for Shape {
    fn from_iter<I: IntoIterator<Item = usize>>(sizes: I) -> Self {
        Shape(sizes.into_iter().collect())
    }
}

impl fmt::Debug for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

/// What is known of a value before it is computed: its shape and element type.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Spec {
    /// The sizes of the axes.
    pub shape: Shape,
    /// The type of the elements.
    pub dtype: DType,
}

impl Spec {
    /// A value of this shape and element type.
    pub fn new(shape: impl Into<Shape>, dtype: DType) -> Self {
        Spec { shape: shape.into(), dtype }
    }

    /// The bytes such a value occupies.
    pub fn num_bytes(&self) -> usize {
        self.shape.num_elements() * self.dtype.size()
    }
}

impl fmt::Display for Spec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.dtype, self.shape)
    }
}
