//! Sums of products.

pub mod convolution;
pub mod dot_general;
mod precision;

pub use convolution::{Convolution, ConvolutionInputGrad, ConvolutionWeightGrad, ConvolutionWindow};
pub use dot_general::DotGeneral;
pub use precision::Precision;

use super::{Operation, Vjp};
