//! Convolution and its gradients, as matrix products whose one operand is read from the input while it is packed.

mod as_product;
mod channel_lanes;
pub mod channels_last;
mod correlation;
mod few_channels;
pub mod forward;
mod geometry;
mod image_lanes;
pub mod input_grad;
mod padded;
mod paired;
mod patches;
#[cfg(test)]
mod tests;
pub mod weight_grad;
