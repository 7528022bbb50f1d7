//! Layers and losses against PyTorch's: values, gradients, names of parameters and buffers.

extern crate gyrus_nn as gyrus;

mod arrays;
mod detection_losses;
mod embedding;
mod layers;
mod losses;
mod recurrent_lengths;
