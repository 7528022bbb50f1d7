//! Layers and losses against PyTorch's: values, gradients, names of parameters and buffers.

mod arrays;
mod detection_losses;
mod embedding;
mod layers;
mod losses;
