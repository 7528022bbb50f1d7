//! Layers. Parameters have the names that PyTorch gives them, so that checkpoints fit.

mod activation;
mod adaptive_avg_pool;
mod avg_pool;
mod batch_norm;
mod conv;
mod dropout;
mod flatten;
mod global_avg_pool;
mod layer_norm;
mod linear;
mod max_pool;
mod padding;
mod per_axis;
mod residual;
mod sequential;

pub use activation::Activation;
pub use adaptive_avg_pool::{AdaptiveAvgPool, AdaptiveAvgPool1d, AdaptiveAvgPool2d, AdaptiveAvgPool3d};
pub use avg_pool::{AvgPool, AvgPool1d, AvgPool2d, AvgPool3d};
pub use batch_norm::BatchNorm;
pub use conv::{Conv, Conv1d, Conv2d, Conv3d, ConvBuilder};
pub use dropout::Dropout;
pub use flatten::Flatten;
pub use global_avg_pool::GlobalAvgPool;
pub use layer_norm::LayerNorm;
pub use linear::{Linear, LinearBuilder};
pub use max_pool::{MaxPool, MaxPool1d, MaxPool2d, MaxPool3d};
pub use padding::Padding;
pub use per_axis::PerAxis;
pub use residual::Residual;
pub use sequential::Sequential;
