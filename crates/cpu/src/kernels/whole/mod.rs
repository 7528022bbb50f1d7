//! Kernels of the whole operations.
//!
//! They compute in `f32` and `f64`; other element types are left to the decomposition. Work is divided
//! into rows, channels or blocks whose results do not depend on who computes them, and sums over many
//! rows run over fixed groups of them, so that the bits do not depend on the number of threads.

pub(crate) mod attention;
pub(crate) mod attention_grad;
mod axis;
pub(crate) mod batch_norm_channels_last;
pub(crate) mod batch_norm_grad;
pub(crate) mod batch_norm_training;
mod channels;
pub(crate) mod cross_entropy;
pub(crate) mod cross_entropy_grad;
pub(crate) mod cumsum;
mod few_classes;
#[cfg(test)]
mod goldens;
mod groups;
mod heads;
mod lanes;
pub(crate) mod layer_norm;
pub(crate) mod layer_norm_grad;
pub(crate) mod log_sum_exp;
pub(crate) mod recurrent;
pub(crate) mod rms_norm;
pub(crate) mod rms_norm_grad;
mod row_norm;
pub(crate) mod softmax;
pub(crate) mod softmax_grad;
#[cfg(test)]
mod tests;

pub(crate) use lanes::{LANES, with_float};
