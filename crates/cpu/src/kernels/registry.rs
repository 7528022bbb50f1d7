//! Which kernel computes which operation.

use gyrus_graph::Op;

use super::{convolution, indexing, movement, random, reduction, whole, window};
use crate::kernel::{Kernel, Signature};

/// The kernel of an operation, if it has one; the others are decomposed, fused or views.
pub(crate) fn kernel_for(op: &Op, signature: &Signature) -> Option<Box<dyn Kernel>> {
    Some(match op {
        Op::Pad(op) => movement::pad::kernel(op, signature),
        Op::Concatenate(op) => movement::concatenate::kernel(op, signature),
        Op::ArgReduce(op) => reduction::arg_reduce::kernel(op, signature),
        Op::Gather(op) => indexing::gather::kernel(op, signature),
        Op::Scatter(op) => indexing::scatter::kernel(op, signature),
        Op::Sort(op) => indexing::sort::kernel(op, signature),
        Op::TopK(op) => indexing::top_k::kernel(op, signature),
        Op::DynamicSlice(op) => indexing::dynamic_slice::kernel(op, signature),
        Op::DynamicUpdateSlice(op) => indexing::dynamic_update_slice::kernel(op, signature),
        Op::RandomBits(op) => random::random_bits::kernel(op, signature),
        Op::Convolution(op) => convolution::forward::kernel(op, signature),
        Op::ConvolutionInputGrad(op) => convolution::input_grad::kernel(op, signature),
        Op::ConvolutionWeightGrad(op) => convolution::weight_grad::kernel(op, signature),
        Op::ReduceWindow(op) => window::reduce_window::kernel(op, signature),
        Op::ReduceWindowSelect(op) => window::reduce_window_select::kernel(op, signature),
        Op::ReduceWindowSelectGrad(op) => window::reduce_window_select_grad::kernel(op, signature),
        Op::ReduceWindowSumGrad(op) => window::reduce_window_sum_grad::kernel(op, signature),
        Op::Softmax(op) => whole::softmax::kernel(op, signature)?,
        Op::SoftmaxGrad(op) => whole::softmax_grad::kernel(op, signature)?,
        Op::Cumsum(op) => whole::cumsum::kernel(op, signature)?,
        Op::LogSumExp(op) => whole::log_sum_exp::kernel(op, signature)?,
        Op::CrossEntropy(op) => whole::cross_entropy::kernel(op, signature)?,
        Op::CrossEntropyGrad(op) => whole::cross_entropy_grad::kernel(op, signature)?,
        Op::LayerNorm(op) => whole::layer_norm::kernel(op, signature)?,
        Op::LayerNormGrad(op) => whole::layer_norm_grad::kernel(op, signature)?,
        Op::RmsNorm(op) => whole::rms_norm::kernel(op, signature)?,
        Op::RmsNormGrad(op) => whole::rms_norm_grad::kernel(op, signature)?,
        Op::BatchNormTraining(op) => whole::batch_norm_training::kernel(op, signature)?,
        Op::BatchNormGrad(op) => whole::batch_norm_grad::kernel(op, signature)?,
        Op::Attention(op) => whole::attention::kernel(op, signature)?,
        Op::AttentionGrad(op) => whole::attention_grad::kernel(op, signature)?,
        Op::LstmScan(op) => whole::recurrent::lstm_scan::kernel(op, signature)?,
        Op::LstmScanGrad(op) => whole::recurrent::lstm_scan_grad::kernel(op, signature)?,
        Op::GruScan(op) => whole::recurrent::gru_scan::kernel(op, signature)?,
        Op::GruScanGrad(op) => whole::recurrent::gru_scan_grad::kernel(op, signature)?,
        Op::RnnScan(op) => whole::recurrent::rnn_scan::kernel(op, signature)?,
        Op::RnnScanGrad(op) => whole::recurrent::rnn_scan_grad::kernel(op, signature)?,
        _ => return None,
    })
}

/// A kernel for images `[N, C, spatial..]` that lie in memory as `[N, spatial.., C]`. Other operands are row-major.
pub(crate) struct ChannelsLast {
    pub(crate) kernel: Box<dyn Kernel>,
    /// Which inputs and which outputs are images.
    pub(crate) inputs: Vec<usize>,
    pub(crate) outputs: &'static [usize],
    /// Whether it is worth while to bring images into this order for it.
    pub(crate) leads: bool,
}

/// The kernel of an operation for images whose channels are neighbours, if it has one.
pub(crate) fn channels_last_kernel_for(op: &Op, signature: &Signature) -> Option<ChannelsLast> {
    let leads = matches!(op, Op::Convolution(_) | Op::ConvolutionInputGrad(_) | Op::ConvolutionWeightGrad(_));
    let (inputs, outputs): (Vec<usize>, &[usize]) = match op {
        Op::ConvolutionWeightGrad(_) => (vec![0, 1], &[]),
        Op::ReduceWindowSelectGrad(_) => (vec![0, 1], &[0]),
        Op::BatchNormGrad(_) => (vec![0, 4], &[0]),
        Op::CrossEntropy(_) => (vec![0], &[]),
        Op::Concatenate(_) => ((0..signature.inputs.len()).collect(), &[0]),
        _ => (vec![0], &[0]),
    };
    let kernel = match op {
        Op::Convolution(op) => convolution::channels_last::forward(op, signature),
        Op::ConvolutionInputGrad(op) => convolution::channels_last::input_grad(op, signature),
        Op::ConvolutionWeightGrad(op) => convolution::channels_last::weight_grad(op, signature),
        Op::ReduceWindow(op) => window::channels_last::reduce(op, signature),
        Op::ReduceWindowSelectGrad(op) => window::channels_last::select_grad(op, signature),
        Op::ReduceWindowSumGrad(op) => window::channels_last::sum_grad(op, signature),
        Op::Concatenate(op) => movement::channels_last::concatenation(op, signature),
        Op::Pad(op) => movement::channels_last::padding(op, signature),
        Op::BatchNormTraining(op) => whole::batch_norm_channels_last::training(op, signature),
        Op::BatchNormGrad(op) => whole::batch_norm_channels_last::grad(op, signature),
        Op::CrossEntropy(op) => whole::cross_entropy::channels_last(op, signature),
        Op::CrossEntropyGrad(op) => whole::cross_entropy_grad::channels_last(op, signature),
        _ => None,
    };
    Some(ChannelsLast { kernel: kernel?, inputs, outputs, leads })
}
