//! The operations: one file each, with its formula, shape rule, gradient and test cases.
//!
//! The primitives match StableHLO's operations one to one. The operations under [`whole`] compose
//! primitives, but stay whole because their speed matters in both directions; each has its
//! decomposition beside it.

pub mod collective;
pub mod contraction;
pub mod control;
pub mod elementwise;
pub mod indexing;
pub mod movement;
pub mod random;
pub mod reduction;
pub mod source;
pub mod whole;
pub mod window;

use std::fmt::Debug;
use std::hash::Hash;

use crate::conformance::Case;
use crate::{Graph, Spec, Value};

/// What an operation's gradient rule sees.
pub struct Vjp<'a> {
    /// What the operation read.
    pub inputs: &'a [Value],
    /// What it made.
    pub outputs: &'a [Value],
    /// The gradient that arrives at each output; `None` where none does.
    pub cotangents: &'a [Option<Value>],
    /// Which inputs' gradients are wanted; others may be left out.
    pub needs: &'a [bool],
}

impl Vjp<'_> {
    /// The cotangent of the only (or first) output.
    pub fn cotangent(&self) -> Value {
        self.cotangents[0].clone().expect("a rule is asked only where a gradient arrives")
    }

    /// The cotangent of an output, zeros where none arrives.
    pub fn cotangent_or_zeros(&self, output: usize) -> Value {
        self.cotangents[output].clone().unwrap_or_else(|| self.outputs[output].full_like(0.0))
    }
}

/// What every operation states about itself.
pub trait Operation: Clone + Debug + Eq + Hash {
    /// The name, as in StableHLO where it has one.
    fn name(&self) -> &'static str;

    /// The outputs' specifications, or the rule that the inputs break.
    ///
    /// # Errors
    /// The rule in words, with the sizes that break it.
    fn infer(&self, inputs: &[Spec]) -> Result<Vec<Spec>, String>;

    /// For each input the product of the cotangents with the operation's Jacobian; `None` for an
    /// input that has no gradient or whose gradient nobody needs.
    ///
    /// An operation with a decomposition is by default differentiated through it.
    fn vjp(&self, context: &Vjp) -> Vec<Option<Value>> {
        vjp_by_decomposition(self, context)
    }

    /// The same outputs from primitives, for operations that compose them: documentation, oracle of
    /// the tests, and fallback of devices without a kernel.
    fn decompose(&self, _inputs: &[Value]) -> Option<Vec<Value>> {
        None
    }

    /// How many multiplications and additions its products have, two for each term of a sum: what its speed
    /// is judged by. Element-wise arithmetic is not counted.
    ///
    /// An operation with a decomposition has by default those of its decomposition.
    fn num_flops(&self, inputs: &[Spec]) -> u64 {
        let operands: Vec<Value> = inputs.iter().cloned().map(Value::placeholder).collect();
        let outputs = self.decompose(&operands);
        outputs.map_or(0, |outputs| Graph::capture(&operands, &outputs).graph.num_flops())
    }
}

/// The gradient of an operation's decomposition.
fn vjp_by_decomposition(op: &impl Operation, context: &Vjp) -> Vec<Option<Value>> {
    let Some(outputs) = op.decompose(context.inputs) else {
        panic!("{}: has no gradient", op.name());
    };
    let (mut reached, mut cotangents) = (vec![], vec![]);
    for (output, cotangent) in outputs.into_iter().zip(context.cotangents) {
        if let Some(cotangent) = cotangent {
            reached.push(output);
            cotangents.push(cotangent.clone());
        }
    }
    crate::grad::partial_gradients(&reached, &cotangents, context.inputs)
}

/// Declares [`Op`], the closed set of operations, from their types and test cases.
macro_rules! operations {
    ($($(#[$doc:meta])* $variant:ident($type:path) $(cases $cases:path)?,)*) => {
        /// Any operation.
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        pub enum Op { $($(#[$doc])* $variant($type),)* }

        impl Operation for Op {
            fn name(&self) -> &'static str {
                match self { $(Op::$variant(op) => op.name(),)* }
            }
            fn infer(&self, inputs: &[Spec]) -> Result<Vec<Spec>, String> {
                match self { $(Op::$variant(op) => op.infer(inputs),)* }
            }
            fn vjp(&self, context: &Vjp) -> Vec<Option<Value>> {
                match self { $(Op::$variant(op) => op.vjp(context),)* }
            }
            fn decompose(&self, inputs: &[Value]) -> Option<Vec<Value>> {
                match self { $(Op::$variant(op) => op.decompose(inputs),)* }
            }
            fn num_flops(&self, inputs: &[Spec]) -> u64 {
                match self { $(Op::$variant(op) => op.num_flops(inputs),)* }
            }
        }

        $(impl From<$type> for Op {
            fn from(op: $type) -> Op { Op::$variant(op) }
        })*

        /// The test cases of every operation.
        pub fn cases() -> Vec<Case> {
            let mut all = vec![];
            $($(all.extend($cases());)?)*
            all
        }
    };
}

operations! {
    /// A value given from outside.
    Leaf(source::Leaf),
    /// One element repeated over a shape.
    Constant(source::Constant) cases source::cases,
    /// Counts along an axis.
    Iota(source::Iota),
    /// An element-wise function of one operand.
    Unary(elementwise::Unary) cases elementwise::unary_cases,
    /// An element-wise function of two operands.
    Binary(elementwise::Binary) cases elementwise::binary_cases,
    /// An element-wise comparison.
    Compare(elementwise::Compare) cases elementwise::compare::cases,
    /// Picks elements from two operands.
    Select(elementwise::Select) cases elementwise::select::cases,
    /// Changes the element type.
    Convert(elementwise::Convert) cases elementwise::convert::cases,
    /// The same elements, in order, in another shape.
    Reshape(movement::Reshape) cases movement::reshape::cases,
    /// Permutes axes.
    Transpose(movement::Transpose) cases movement::transpose::cases,
    /// Repeats along new or size-1 axes.
    Broadcast(movement::Broadcast) cases movement::broadcast::cases,
    /// A box of elements at regular steps.
    Slice(movement::Slice) cases movement::slice::cases,
    /// Pads at the edges and between elements.
    Pad(movement::Pad) cases movement::pad::cases,
    /// Operands one after another along an axis.
    Concatenate(movement::Concatenate) cases movement::concatenate::cases,
    /// Reverses axes.
    Reverse(movement::Reverse) cases movement::reverse::cases,
    /// Combines elements along axes.
    Reduce(reduction::Reduce) cases reduction::reduce::cases,
    /// Where along an axis the extremum is.
    ArgReduce(reduction::ArgReduce) cases reduction::arg_reduce::cases,
    /// The general product of two tensors.
    DotGeneral(contraction::DotGeneral) cases contraction::dot_general::cases,
    /// Convolution.
    Convolution(contraction::Convolution) cases contraction::convolution::cases,
    /// The gradient of a convolution with respect to its input.
    ConvolutionInputGrad(contraction::ConvolutionInputGrad),
    /// The gradient of a convolution with respect to its weights.
    ConvolutionWeightGrad(contraction::ConvolutionWeightGrad),
    /// Combines the elements under a moving window.
    ReduceWindow(window::ReduceWindow) cases window::reduce_window::cases,
    /// The gradient of the sum under a moving window.
    ReduceWindowSumGrad(window::ReduceWindowSumGrad) cases window::reduce_window_sum_grad::cases,
    /// The gradient of the extremum under a moving window.
    ReduceWindowSelectGrad(window::ReduceWindowSelectGrad) cases window::reduce_window_select_grad::cases,
    /// Picks elements where another tensor has its extremum under a moving window.
    ReduceWindowSelect(window::ReduceWindowSelect) cases window::reduce_window_select::cases,
    /// Windows of an operand at places given as data.
    Gather(indexing::Gather) cases indexing::gather::cases,
    /// Updates of an operand at places given as data.
    Scatter(indexing::Scatter) cases indexing::scatter::cases,
    /// Order along an axis.
    Sort(indexing::Sort) cases indexing::sort::cases,
    /// The greatest elements along an axis.
    TopK(indexing::TopK) cases indexing::top_k::cases,
    /// A box of elements at a place given as data.
    DynamicSlice(indexing::DynamicSlice) cases indexing::dynamic_slice::cases,
    /// Replacement of a box of elements at a place given as data.
    DynamicUpdateSlice(indexing::DynamicUpdateSlice) cases indexing::dynamic_update_slice::cases,
    /// Random words that are a function of a key.
    RandomBits(random::RandomBits) cases random::random_bits::cases,
    /// A loop that runs while a condition holds.
    WhileLoop(control::WhileLoop) cases control::while_loop::cases,
    /// A loop over the leading axis.
    Scan(control::Scan) cases control::scan::cases,
    /// A value that simplification does not look through.
    OptimizationBarrier(control::OptimizationBarrier) cases control::optimization_barrier::cases,
    /// A graph that is computed a second time for its gradient.
    Remat(control::Remat) cases control::remat::cases,
    /// The mean over the replicas of a program.
    AllReduce(collective::AllReduce) cases collective::all_reduce::cases,
    /// Softmax.
    Softmax(whole::Softmax) cases whole::softmax::cases,
    /// The gradient of softmax.
    SoftmaxGrad(whole::SoftmaxGrad) cases whole::softmax_grad::cases,
    /// The logarithm of the sum of exponentials.
    LogSumExp(whole::LogSumExp) cases whole::log_sum_exp::cases,
    /// Sums of all elements up to each.
    Cumsum(whole::Cumsum) cases whole::cumsum::cases,
    /// Cross-entropy with class labels.
    CrossEntropy(whole::CrossEntropy) cases whole::cross_entropy::cases,
    /// The gradient of the cross-entropy with class labels.
    CrossEntropyGrad(whole::CrossEntropyGrad) cases whole::cross_entropy_grad::cases,
    /// Layer normalisation.
    LayerNorm(whole::LayerNorm) cases whole::layer_norm::cases,
    /// The gradient of layer normalisation.
    LayerNormGrad(whole::LayerNormGrad) cases whole::layer_norm_grad::cases,
    /// Root-mean-square normalisation.
    RmsNorm(whole::RmsNorm) cases whole::rms_norm::cases,
    /// The gradient of root-mean-square normalisation.
    RmsNormGrad(whole::RmsNormGrad) cases whole::rms_norm_grad::cases,
    /// Batch normalisation by the statistics of the batch.
    BatchNormTraining(whole::BatchNormTraining) cases whole::batch_norm_training::cases,
    /// The gradient of batch normalisation.
    BatchNormGrad(whole::BatchNormGrad) cases whole::batch_norm_grad::cases,
    /// Scaled dot-product attention.
    Attention(whole::Attention) cases whole::attention::cases,
    /// The gradient of attention.
    AttentionGrad(whole::AttentionGrad) cases whole::attention_grad::cases,
    /// Long short-term memory.
    LstmScan(whole::recurrent::LstmScan) cases whole::recurrent::lstm_scan::cases,
    /// The gradient of long short-term memory.
    LstmScanGrad(whole::recurrent::LstmScanGrad) cases whole::recurrent::lstm_scan_grad::cases,
    /// Gated recurrent unit.
    GruScan(whole::recurrent::GruScan) cases whole::recurrent::gru_scan::cases,
    /// The gradient of the gated recurrent unit.
    GruScanGrad(whole::recurrent::GruScanGrad) cases whole::recurrent::gru_scan_grad::cases,
    /// The plain recurrent network.
    RnnScan(whole::recurrent::RnnScan) cases whole::recurrent::rnn_scan::cases,
    /// The gradient of the plain recurrent network.
    RnnScanGrad(whole::recurrent::RnnScanGrad) cases whole::recurrent::rnn_scan_grad::cases,
}

impl Op {
    /// Whether the result has the operand's elements, some or all of them, at other places.
    pub fn is_view(&self) -> bool {
        matches!(self, Op::Reshape(_) | Op::Transpose(_) | Op::Broadcast(_) | Op::Slice(_) | Op::Reverse(_))
            || matches!(self, Op::OptimizationBarrier(_))
    }

    /// Whether the result is made of nothing that was computed.
    pub fn is_source(&self) -> bool {
        matches!(self, Op::Leaf(_) | Op::Constant(_) | Op::Iota(_))
    }
}
