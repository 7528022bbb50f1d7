//! What most programs need: `use gyrus::prelude::*`.
//!
//! It has no name that the standard prelude has, and none of `std::path`.

pub use crate::data::{
    Augment, Batch, Batches, DataError, Dataset, HoldOut, Loader, LoaderConfig, Preprocess, Split, Tensors, shipped,
};
pub use crate::models::{LeNet5, LinearClassifier, Mlp};
pub use crate::nn::layers::{
    Activation, AdaptiveAvgPool2d, AvgPool2d, BatchNorm, Conv1d, Conv2d, Conv3d, Dropout, Embedding, Flatten,
    GlobalAvgPool, GroupNorm, Gru, InstanceNorm, LayerNorm, Linear, Lstm, MaxPool2d, MultiheadAttention, Padding,
    Remat, Residual, Rnn, Sequential, TransformerEncoderLayer,
};
pub use crate::nn::losses::{CrossEntropy, cross_entropy, mse_loss};
pub use crate::optim::{
    Adam, AdamConfig, AdamW, AdamWConfig, Optimizer, Schedule, Sgd, SgdConfig, clip_by_global_norm,
};
pub use crate::{
    Buffer, Context, DType, Device, Gradients, Keepdim, Layer, Module, Precision, Rng, Shape, Tensor, compile, grad,
};
