//! Sums of products.

pub mod convolution;
pub mod dot_general;

pub use convolution::{Convolution, ConvolutionInputGrad, ConvolutionWeightGrad, ConvolutionWindow};
pub use dot_general::DotGeneral;

use super::{Operation, Vjp};
