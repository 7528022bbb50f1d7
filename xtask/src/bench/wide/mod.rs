//! Kinds of models beyond those that the peers' scripts time: `scripts/bench/torch_wide.py` has the same ones.

mod atrous;
mod audio;
mod bag_of_words;
mod efficientnet;
mod gru;
mod lengths;
mod mobilenet;
mod new_lengths;
mod normalized;
mod odd_sizes;
mod recorded;
mod resnext;
mod shufflenet;
mod unet;
mod vision_transformer;
mod volume;
mod wavenet;

use super::{Entry, transformer};

/// What is timed, as in the table of the peers' workloads.
pub const WORKLOADS: &[Entry] = &[
    ("X1-gru-train-b32", gru::train),
    ("X1-gru-infer-b32", gru::infer),
    ("X2-mobilenet-train-b8", mobilenet::train),
    ("X2-mobilenet-infer-b1", mobilenet::infer),
    ("X3-unet-train-b4", unet::train),
    ("X3-unet-infer-b4", unet::infer),
    ("X4-vit-tiny-train-b4", vision_transformer::train),
    ("X4-vit-tiny-infer-b4", vision_transformer::infer),
    ("X5-audio-train-b8", audio::train),
    ("X5-audio-infer-b8", audio::infer),
    ("X6-conv3d-train-b2", volume::train),
    ("X6-conv3d-infer-b2", volume::infer),
    ("X7-mlp-odd-train-b1", odd_sizes::train_mlp::<1>),
    ("X7-mlp-odd-train-b7", odd_sizes::train_mlp::<7>),
    ("X7-mlp-odd-train-b33", odd_sizes::train_mlp::<33>),
    ("X7-mlp-odd-infer-b1", odd_sizes::infer_mlp::<1>),
    ("X7-mlp-odd-infer-b7", odd_sizes::infer_mlp::<7>),
    ("X7-mlp-odd-infer-b33", odd_sizes::infer_mlp::<33>),
    ("X8-conv-odd-train-b5", odd_sizes::train_convolutions),
    ("X8-conv-odd-infer-b5", odd_sizes::infer_convolutions),
    ("X9-transformer-odd-train-b5", odd_sizes::train_transformer),
    ("X9-transformer-odd-infer-b5", odd_sizes::infer_transformer),
    ("X10-words-sgd-train-b64", bag_of_words::train_by_sgd),
    ("X10-words-adam-train-b64", bag_of_words::train_by_adam),
    ("X10-words-infer-b64", bag_of_words::infer),
    ("X11-transformer-remat-train-b16", transformer::train_by_remat),
    ("X12-lstm-lengths-train-b32", lengths::train),
    ("X13-resnext-train-b4", resnext::train),
    ("X13-resnext-infer-b4", resnext::infer),
    ("X14-efficientnet-train-b8", efficientnet::train),
    ("X14-efficientnet-infer-b8", efficientnet::infer),
    ("X15-shufflenet-train-b8", shufflenet::train),
    ("X15-shufflenet-infer-b8", shufflenet::infer),
    ("X16-atrous-train-b2", atrous::train),
    ("X16-atrous-infer-b2", atrous::infer),
    ("X17-wavenet-train-b2", wavenet::train),
    ("X17-wavenet-infer-b1", wavenet::infer),
    ("X18-new-lengths-train-b2", new_lengths::train),
    ("X18-new-lengths-infer-b2", new_lengths::infer),
    ("X19-transformer-recorded-train-b16", recorded::train),
    ("X19-transformer-recorded-infer-b16", recorded::infer),
];
