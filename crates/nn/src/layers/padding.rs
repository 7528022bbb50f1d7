//! What surrounds the spatial axes.

use super::PerAxis;

/// How many elements surround each of `N` spatial axes: `2`, `[2, 1]`, `[(2, 2), (0, 1)]` or
/// [`Padding::Same`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Padding<const N: usize> {
    /// As many before and after each axis.
    Explicit([(usize, usize); N]),
    /// As many as it takes for the result to have the input's size, where the stride is 1; the odd one
    /// comes after.
    Same,
}

impl<const N: usize> Padding<N> {
    /// The elements before and after each axis.
    ///
    /// # Panics
    /// If the padding is to keep the size, and the stride is not 1.
    #[track_caller]
    pub(super) fn resolve(self, kernel_size: PerAxis<N>, stride: PerAxis<N>, dilation: PerAxis<N>) -> Vec<(i64, i64)> {
        match self {
            Padding::Explicit(sides) => sides.map(|(before, after)| (before as i64, after as i64)).to_vec(),
            Padding::Same => {
                let stride = stride.0;
                assert!(stride == [1; N], "padding: same, with stride {stride:?}: the size is kept by stride 1 only");
                let total = |axis: usize| (dilation.0[axis] * (kernel_size.0[axis] - 1)) as i64;
                (0..N).map(|axis| (total(axis) / 2, total(axis) - total(axis) / 2)).collect()
            }
        }
    }
}

impl<const N: usize> From<usize> for Padding<N> {
    fn from(size: usize) -> Self {
        Padding::Explicit([(size, size); N])
    }
}

impl<const N: usize> From<[usize; N]> for Padding<N> {
    fn from(sizes: [usize; N]) -> Self {
        Padding::Explicit(sizes.map(|size| (size, size)))
    }
}

impl<const N: usize> From<[(usize, usize); N]> for Padding<N> {
    fn from(sides: [(usize, usize); N]) -> Self {
        Padding::Explicit(sides)
    }
}
