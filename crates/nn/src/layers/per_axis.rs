//! One number for each spatial axis.

/// One number for each of `N` spatial axes, or one for all: `3` or `[3, 5]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PerAxis<const N: usize>(pub [usize; N]);

impl<const N: usize> From<usize> for PerAxis<N> {
    fn from(size: usize) -> Self {
        PerAxis([size; N])
    }
}

impl<const N: usize> From<[usize; N]> for PerAxis<N> {
    fn from(sizes: [usize; N]) -> Self {
        PerAxis(sizes)
    }
}
