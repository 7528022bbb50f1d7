//! What a reshape takes for the new sizes.

use gyrus_graph::Shape;

mod sealed {
    pub trait Sealed {}
}

/// Sizes of axes, of which one may be -1: "whatever remains". Arrays and slices of integers, and shapes.
pub trait Sizes: sealed::Sealed {
    /// The sizes.
    #[doc(hidden)]
    fn sizes(self) -> Vec<isize>;
}

macro_rules! sizes {
    ($($type:ty)*) => {$(
        impl<const N: usize> sealed::Sealed for [$type; N] {}

        impl<const N: usize> Sizes for [$type; N] {
            fn sizes(self) -> Vec<isize> {
                self.iter().map(|&size| size as isize).collect()
            }
        }

        impl sealed::Sealed for &[$type] {}

        impl Sizes for &[$type] {
            fn sizes(self) -> Vec<isize> {
                self.iter().map(|&size| size as isize).collect()
            }
        }

        impl sealed::Sealed for Vec<$type> {}

        impl Sizes for Vec<$type> {
            fn sizes(self) -> Vec<isize> {
                self.as_slice().sizes()
            }
        }
    )*};
}

sizes! { i32 isize usize }

impl sealed::Sealed for Shape {}

impl Sizes for Shape {
    fn sizes(self) -> Vec<isize> {
        self[..].sizes()
    }
}

impl sealed::Sealed for &Shape {}

impl Sizes for &Shape {
    fn sizes(self) -> Vec<isize> {
        self[..].sizes()
    }
}
