#!/usr/bin/env python3
"""Makes crates/cpu/tests/golden/<operation>.json with PyTorch.

    python scripts/goldens/whole_ops.py crates/cpu/tests/golden

Each case is one use of an operation: its attributes, its inputs, the outputs PyTorch computes in double
precision, cotangents for them, and the gradients of the real inputs (null for the others). Inputs are
single-precision numbers written in full, so that both sides start from the same bits.
"""
import json
import math
import pathlib
import platform
import sys

import torch
import torch.nn.functional as F

DOUBLE = torch.float64


def real(generator, *shape, low=-1.0, high=1.0):
    x = torch.rand(shape, generator=generator, dtype=torch.float32) * (high - low) + low
    return x.to(DOUBLE)


def array(x):
    data = [value if math.isfinite(value) else repr(value) for value in x.detach().flatten().tolist()]
    return {"shape": list(x.shape), "data": data}


def case(generator, op, attributes, inputs, function):
    leaves = [x.requires_grad_() if x.is_floating_point() else x for x in inputs]
    outputs = function(*leaves)
    outputs = list(outputs) if isinstance(outputs, (tuple, list)) else [outputs]
    cotangents = [real(generator, *y.shape) for y in outputs]
    wanted = [x for x in leaves if x.requires_grad]
    found = iter(torch.autograd.grad(outputs, wanted, cotangents, allow_unused=True))
    gradients = [next(found) if x.requires_grad else None for x in leaves]
    return {
        "op": op,
        "attributes": attributes,
        "inputs": [array(x) for x in leaves],
        "outputs": [array(y) for y in outputs],
        "cotangents": [array(c) for c in cotangents],
        "gradients": [None if g is None else array(g) for g in gradients],
    }


def softmax(g):
    for shape, axis in [((3, 7), 1), ((2, 5, 3), 1), ((4, 70), 1)]:
        yield case(g, "softmax", {"axis": axis}, [real(g, *shape, low=-3, high=3)], lambda x: F.softmax(x, axis))


def log_sum_exp(g):
    for shape, axis in [((3, 7), 1), ((2, 5, 3), 1), ((4, 70), 1)]:
        x = [real(g, *shape, low=-3, high=3)]
        yield case(g, "log_sum_exp", {"axis": axis}, x, lambda x: torch.logsumexp(x, axis))


def log_softmax(g):
    yield case(g, "log_softmax", {"axis": 1}, [real(g, 3, 7, low=-3, high=3)], lambda x: F.log_softmax(x, 1))


def cross_entropy(g):
    for shape, smoothing, ignore in [((5, 7), 0.0, None), ((6, 3), 0.1, 1), ((4, 70), 0.3, None), ((5, 4), 0.0, -100)]:
        targets = torch.randint(0, shape[1], shape[:1], generator=g)
        if ignore is not None:
            targets[2] = ignore
        options = {"reduction": "none", "label_smoothing": smoothing}
        if ignore is not None:
            options["ignore_index"] = ignore
        attributes = {"label_smoothing": smoothing, "ignore_index": ignore}
        inputs = [real(g, *shape, low=-3, high=3), targets]
        yield case(g, "cross_entropy", attributes, inputs, lambda x, t: F.cross_entropy(x, t, **options))


def layer_norm(g):
    for shape, eps in [((3, 7), 1e-5), ((2, 3, 70), 1e-2)]:
        size = shape[-1:]
        inputs = [real(g, *shape, high=2), real(g, *size, low=0.5, high=1.5), real(g, *size)]

        def function(x, gamma, beta):
            y, mean, rstd = torch.native_layer_norm(x, size, gamma, beta, eps)
            # The statistics themselves by formulas: PyTorch's have no gradient.
            variance = x.var(-1, correction=0)
            return y, x.mean(-1), (variance + eps).rsqrt()

        yield case(g, "layer_norm", {"eps": eps}, inputs, function)


def rms_norm(g):
    for shape, eps in [((3, 7), 1e-5), ((2, 3, 70), 1e-2)]:
        size = shape[-1:]
        inputs = [real(g, *shape, high=2), real(g, *size, low=0.5, high=1.5)]

        def function(x, gamma):
            return F.rms_norm(x, size, gamma, eps), (x.square().mean(-1) + eps).rsqrt()

        yield case(g, "rms_norm", {"eps": eps}, inputs, function)


def batch_norm_training(g):
    for shape, eps in [((6, 3), 1e-5), ((3, 2, 5, 7), 1e-2), ((2, 3, 70), 1e-5)]:
        channels = shape[1:2]
        inputs = [real(g, *shape, high=2), real(g, *channels, low=0.5, high=1.5), real(g, *channels)]

        def function(x, gamma, beta):
            axes = [axis for axis in range(x.ndim) if axis != 1]
            y = F.batch_norm(x, None, None, gamma, beta, training=True, eps=eps)
            return y, x.mean(axes), x.var(axes, correction=0)

        yield case(g, "batch_norm_training", {"eps": eps}, inputs, function)


def batch_norm_inference(g):
    inputs = [real(g, 2, 3, 4, 5, high=2), real(g, 3, low=0.5, high=1.5), real(g, 3), real(g, 3), real(g, 3, low=0.5, high=1.5)]

    def function(x, gamma, beta, mean, variance):
        shape = [1, 3, 1, 1]
        mean, variance, gamma, beta = (p.reshape(shape) for p in (mean, variance, gamma, beta))
        return (x - mean) / (variance + 1e-3).sqrt() * gamma + beta

    yield case(g, "batch_norm_inference", {"eps": 1e-3}, inputs, function)


def attention(g):
    for sizes, causal, mask in [
        ((2, 3, 5, 7, 4, 3), False, None),
        ((2, 2, 6, 6, 8, 8), True, None),
        ((2, 3, 4, 5, 3, 2), False, (2, 1)),
        ((1, 1, 70, 67, 3, 2), True, None),
    ]:
        b, h, t, s, d, e = sizes
        inputs = [real(g, b, h, t, d), real(g, b, h, s, d), real(g, b, h, s, e)]
        if mask:
            inputs.append(real(g, *mask, t, s))

        def function(q, k, v, mask=None):
            out = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, is_causal=causal, scale=0.7)
            scores = 0.7 * q @ k.transpose(-1, -2)
            if mask is not None:
                scores = scores + mask
            if causal:
                scores = scores.masked_fill(~torch.ones(t, s, dtype=torch.bool).tril(), -math.inf)
            return out, scores.logsumexp(-1)

        yield case(g, "attention", {"scale": 0.7, "causal": causal}, inputs, function)


def recurrent(module, x_gates, h0, w_hh, biases, reverse, extra=()):
    """Runs PyTorch's own cell with input weights that are the identity: its inputs are the gates."""
    steps, batch, width = x_gates.shape
    parameters = {"weight_ih_l0": torch.eye(width, dtype=DOUBLE), "weight_hh_l0": w_hh, "bias_ih_l0": biases[0], "bias_hh_l0": biases[1]}
    x = x_gates.flip(0) if reverse else x_gates
    state = (h0[None], *(c[None] for c in extra))
    out, state = torch.func.functional_call(module, parameters, (x, state if extra else state[0]))
    return (out.flip(0) if reverse else out), state


def lstm_scan(g):
    for (steps, batch, size), reverse in [((4, 2, 3), False), ((3, 1, 5), True), ((2, 3, 9), False)]:
        module = torch.nn.LSTM(4 * size, size, dtype=DOUBLE)
        zeros = torch.zeros(4 * size, dtype=DOUBLE)
        # PyTorch returns only the last c: its gradient is asked for as that of all of cs but zeros elsewhere.
        inputs = [real(g, steps, batch, 4 * size), real(g, batch, size), real(g, batch, size), real(g, 4 * size, size)]

        def function(x, h0, c0, w_hh):
            hs, (_, c) = recurrent(module, x, h0, w_hh, (zeros, zeros), reverse, (c0,))
            return hs, c[0]

        yield case(g, "lstm_scan", {"reverse": reverse, "outputs": ["hs", "last c"]}, inputs, function)


def gru_scan(g):
    for (steps, batch, size), reverse in [((4, 2, 3), False), ((3, 1, 5), True), ((2, 3, 9), False)]:
        module = torch.nn.GRU(3 * size, size, dtype=DOUBLE)
        zeros = torch.zeros(3 * size, dtype=DOUBLE)
        inputs = [real(g, steps, batch, 3 * size), real(g, batch, size), real(g, 3 * size, size), real(g, size)]

        def function(x, h0, w_hh, b_hn):
            biases = (zeros, torch.cat([zeros[: 2 * size], b_hn]))
            return recurrent(module, x, h0, w_hh, biases, reverse)[0]

        yield case(g, "gru_scan", {"reverse": reverse}, inputs, function)


def rnn_scan(g):
    for (steps, batch, size), activation, reverse in [((4, 2, 3), "tanh", False), ((3, 1, 5), "relu", True)]:
        module = torch.nn.RNN(size, size, nonlinearity=activation, dtype=DOUBLE)
        zeros = torch.zeros(size, dtype=DOUBLE)
        inputs = [real(g, steps, batch, size), real(g, batch, size), real(g, size, size)]

        def function(x, h0, w_hh):
            return recurrent(module, x, h0, w_hh, (zeros, zeros), reverse)[0]

        yield case(g, "rnn_scan", {"activation": activation, "reverse": reverse}, inputs, function)


OPERATIONS = [
    softmax, log_sum_exp, log_softmax, cross_entropy, layer_norm, rms_norm, batch_norm_training, batch_norm_inference,
    attention, lstm_scan, gru_scan, rnn_scan,
]


def rounded(tree):
    """Twelve digits for what was computed; inputs are exact."""
    if isinstance(tree, float):
        return float(f"{tree:.12g}")
    if isinstance(tree, list):
        return [rounded(x) for x in tree]
    if isinstance(tree, dict):
        return {key: value if key == "inputs" or key == "cotangents" else rounded(value) for key, value in tree.items()}
    return tree


def main():
    folder = pathlib.Path(sys.argv[1])
    versions = {"python": platform.python_version(), "torch": torch.__version__}
    for index, operation in enumerate(OPERATIONS):
        generator = torch.Generator().manual_seed(index)
        document = {"versions": versions, "cases": [rounded(case) for case in operation(generator)]}
        text = json.dumps(document, separators=(",", ":")).replace('{"op"', '\n{"op"')
        (folder / f"{operation.__name__}.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
