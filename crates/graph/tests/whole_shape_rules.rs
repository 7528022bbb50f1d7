//! What the whole operations refuse, and what they say.

use gyrus_graph::ops::contraction::Precision;
use gyrus_graph::ops::whole::recurrent::{GruScan, LstmScan, LstmScanGrad, RnnActivation, RnnScan};
use gyrus_graph::ops::whole::{
    Attention, BatchNormTraining, CrossEntropy, Cumsum, LayerNorm, LogSumExp, Softmax, SoftmaxGrad,
};
use gyrus_graph::{DType, Op, Operation, Real, Spec};

fn refuses(op: impl Into<Op>, inputs: &[Spec], because: &str) {
    let op = op.into();
    let rule = op.infer(inputs).expect_err(op.name());
    assert!(rule.contains(because), "{}: {rule:?} does not say {because:?}", op.name());
}

fn real(shape: &[usize]) -> Spec {
    Spec::new(shape, DType::F32)
}

#[test]
fn shapes_and_types_that_do_not_fit_are_refused() {
    let whole = |shape: &[usize]| Spec::new(shape, DType::I64);
    refuses(Softmax { axis: 2 }, &[real(&[2, 3])], "axis 2 must be less than the rank, 2");
    refuses(Softmax { axis: 0 }, &[whole(&[2, 3])], "floating-point");
    refuses(SoftmaxGrad { axis: 0 }, &[real(&[2]), real(&[3])], "must be equal");
    refuses(LogSumExp { axis: 0 }, &[real(&[])], "axis 0 must be less than the rank, 0");
    let cumsum = Cumsum { axis: 1, reverse: false };
    refuses(cumsum, &[real(&[2])], "axis 1 must be less than the rank, 1");
    refuses(cumsum, &[Spec::new([2, 3], DType::Bool)], "not defined for bool");
    let cross_entropy = CrossEntropy { label_smoothing: Real(0.0), ignore_index: None };
    refuses(cross_entropy, &[real(&[2, 3]), real(&[2])], "targets must be i64[N, spatial..]");
    refuses(cross_entropy, &[real(&[2, 3]), whole(&[3])], "targets [3] must have shape [2]");
    refuses(cross_entropy, &[real(&[2, 3, 4]), whole(&[2])], "targets [2] must have shape [2, 4]");
    let eps = Real(1e-5);
    refuses(LayerNorm { eps }, &[real(&[]), real(&[1]), real(&[1])], "must have an axis");
    refuses(LayerNorm { eps }, &[real(&[2, 3]), real(&[3]), real(&[2])], "beta [2] must have shape [3]");
    refuses(
        BatchNormTraining { eps, is_of_all_shares: true },
        &[real(&[2]), real(&[1]), real(&[1])],
        "[N, C, spatial..]",
    );
    refuses(
        BatchNormTraining { eps, is_of_all_shares: true },
        &[real(&[2, 3]), real(&[2]), real(&[3])],
        "gamma [2] must have shape [3]",
    );
}

#[test]
fn attention_refuses_operands_that_do_not_fit() {
    let op = Attention { scale: Real(1.0), causal: false, precision: Precision::Full };
    let (q, k, v) = (real(&[2, 3, 4, 5]), real(&[2, 3, 6, 5]), real(&[2, 3, 6, 7]));
    let fits = op.infer(&[q.clone(), k.clone(), v.clone(), real(&[1, 3, 4, 6])]).expect("fits");
    assert_eq!(fits, [real(&[2, 3, 4, 7]), real(&[2, 3, 4])]);
    refuses(op, &[real(&[3, 4, 5]), k.clone(), v.clone()], "[B, H, T, D]");
    refuses(op, &[q.clone(), real(&[2, 3, 6, 4]), v.clone()], "k [2, 3, 6, 4] must have shape [2, 3, 6, 5]");
    refuses(op, &[q.clone(), k.clone(), real(&[2, 3, 5, 7])], "v [2, 3, 5, 7] must have shape [2, 3, 6, 7]");
    refuses(op, &[q.clone(), k.clone(), v.clone(), real(&[3, 3, 4, 6])], "must have shape [2 or 1, 3 or 1, 4, 6]");
    refuses(op, &[q, k, v, Spec::new([1, 1, 4, 6], DType::F64)], "element types must be equal");
}

#[test]
fn scans_refuse_operands_that_do_not_fit() {
    let state = real(&[3, 4]);
    let w = |gates: usize| real(&[gates * 4, 4]);
    let lstm = LstmScan { reverse: false };
    let lstm_operands = |gates: usize, c0: &Spec, w: Spec, bias: usize| {
        [real(&[2, 3, gates]), state.clone(), c0.clone(), w, real(&[bias])]
    };
    refuses(lstm, &lstm_operands(15, &state, w(4), 16), "[T, B, 4 H]");
    refuses(lstm, &lstm_operands(16, &real(&[3, 5]), w(4), 16), "c0 [3, 5] must have shape [3, 4]");
    refuses(lstm, &lstm_operands(16, &state, w(3), 16), "w_hh [12, 4] must have shape [16, 4]");
    refuses(lstm, &lstm_operands(16, &state, w(4), 12), "bias [12] must have shape [16]");
    let (states, gates) = (real(&[2, 3, 4]), real(&[2, 3, 16]));
    let operands = [states.clone(), gates, states.clone(), state.clone(), w(4), real(&[2, 3, 3])];
    refuses(LstmScanGrad { reverse: true }, &operands, "dcs [2, 3, 3] must have shape [2, 3, 4]");
    let gru = GruScan { reverse: false };
    refuses(gru, &[real(&[2, 3, 12]), state.clone(), w(3), real(&[12])], "bias [12] must have shape [16]");
    let rnn = RnnScan { activation: RnnActivation::Relu, reverse: false };
    refuses(rnn, &[states.clone(), real(&[4, 4]), w(1), real(&[4])], "h0 [4, 4] must have shape [3, 4]");
    let with_lengths = |lengths: Spec| [states.clone(), state.clone(), w(1), real(&[4]), lengths];
    refuses(rnn, &with_lengths(Spec::new([2], DType::I64)), "lengths [2] must have shape [3]");
    refuses(rnn, &with_lengths(Spec::new([3], DType::I32)), "those of lengths i64");
    let [x, h0, w_hh, _, lengths] = with_lengths(Spec::new([4], DType::I64));
    refuses(rnn, &[x, h0, w_hh, lengths], "floating-point");
    assert!(rnn.infer(&with_lengths(Spec::new([3], DType::I64))).is_ok());
}
