#!/usr/bin/env python3
"""Makes layers.json and embedding.json with PyTorch.

    python scripts/goldens/layers.py crates/nn/tests/golden

Each case is one use of a layer in double precision: its options, its state, an input, the output, a
cotangent for it, the gradients of input and parameters, and the state after the pass. Numbers start as
single-precision ones, written in full, so that both sides start from the same bits.
"""
import json
import pathlib
import platform
import sys

import torch
from torch import nn


def real(generator, *shape, low=-1.0, high=1.0):
    x = torch.rand(shape, generator=generator, dtype=torch.float32) * (high - low) + low
    return x.to(torch.float64)


def array(x):
    return {"shape": list(x.shape), "data": x.detach().flatten().tolist()}


def state(module):
    return {name: array(x) for name, x in module.state_dict().items()}


def case(generator, layer, options, module, shape, training=True):
    module = module.double().train(training)
    for name, x in module.state_dict().items():
        if x.is_floating_point():
            low, high = (0.5, 1.5) if name.endswith("var") else (-1.0, 1.0)
            x.copy_(real(generator, *x.shape, low=low, high=high))
    before = state(module)
    x = real(generator, *shape, low=-2.0, high=2.0).requires_grad_()
    y = module(x)
    if isinstance(y, tuple):  # of a recurrent layer, with its last state
        y = y[0]
    cotangent = real(generator, *y.shape)
    names = [name for name, _ in module.named_parameters()]
    gradients = torch.autograd.grad(y, [x, *module.parameters()], cotangent)
    return {
        "layer": layer,
        "options": options,
        "training": training,
        "state": before,
        "input": array(x),
        "output": array(y),
        "cotangent": array(cotangent),
        "input_gradient": array(gradients[0]),
        "gradients": {name: array(g) for name, g in zip(names, gradients[1:])},
        "state_after": state(module),
    }


class ScaledTanh(nn.Module):
    def forward(self, x):
        return 1.7159 * torch.tanh(2 / 3 * x)


class Residual(nn.Module):
    def __init__(self, body, shortcut=None):
        super().__init__()
        self.body = body
        if shortcut is not None:
            self.shortcut = shortcut

    def forward(self, x):
        return self.body(x) + (self.shortcut(x) if hasattr(self, "shortcut") else x)


class SelfAttention(nn.MultiheadAttention):
    def __init__(self, causal, **options):
        super().__init__(**options, batch_first=True)
        self.causal = causal

    def forward(self, x):
        mask = torch.ones(x.shape[1], x.shape[1], dtype=torch.bool).triu(1) if self.causal else None
        return super().forward(x, x, x, attn_mask=mask, need_weights=False)[0]


class EncoderLayer(nn.TransformerEncoderLayer):
    def __init__(self, causal, **options):
        super().__init__(**options, dropout=0.0, activation="gelu", batch_first=True)
        self.causal = causal

    def forward(self, x):
        mask = torch.ones(x.shape[1], x.shape[1], dtype=torch.bool).triu(1) if self.causal else None
        return super().forward(x, src_mask=mask)


def cases(g):
    for bias, shape in [(True, (3, 5)), (False, (2, 3, 5)), (True, (5,))]:
        options = {"in_features": 5, "out_features": 4, "bias": bias}
        yield case(g, "linear", options, nn.Linear(**options), shape)

    convolutions = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}
    for num_axes, options, shape in [
        (1, {"in_channels": 3, "out_channels": 4, "kernel_size": [3], "stride": [2], "padding": [1]}, (2, 3, 8)),
        (2, {"in_channels": 1, "out_channels": 6, "kernel_size": [5, 5]}, (2, 1, 9, 8)),
        (2, {"in_channels": 2, "out_channels": 3, "kernel_size": [3, 2], "stride": [2, 1], "padding": [1, 0]}, (2, 2, 6, 7)),
        (2, {"in_channels": 4, "out_channels": 6, "kernel_size": [3, 3], "groups": 2, "bias": False}, (1, 4, 5, 6)),
        (2, {"in_channels": 2, "out_channels": 2, "kernel_size": [3, 3], "dilation": [2, 1]}, (2, 2, 7, 5)),
        (2, {"in_channels": 2, "out_channels": 3, "kernel_size": [4, 3], "padding": "same", "dilation": [1, 2]}, (1, 2, 6, 7)),
        (3, {"in_channels": 2, "out_channels": 3, "kernel_size": [2, 3, 2], "stride": [1, 2, 1]}, (1, 2, 4, 5, 4)),
    ]:
        yield case(g, f"conv{num_axes}d", options, convolutions[num_axes](**options), shape)

    for layer, module, options, shape in [
        ("max_pool2d", nn.MaxPool2d, {"kernel_size": [2, 2]}, (2, 3, 6, 5)),
        ("max_pool2d", nn.MaxPool2d, {"kernel_size": [3, 2], "stride": [2, 1], "padding": [1, 0]}, (1, 2, 6, 5)),
        ("max_pool2d", nn.MaxPool2d, {"kernel_size": [2, 2], "stride": [1, 1], "dilation": [2, 1]}, (1, 2, 6, 5)),
        ("avg_pool2d", nn.AvgPool2d, {"kernel_size": [2, 2]}, (2, 3, 6, 5)),
        ("avg_pool2d", nn.AvgPool2d, {"kernel_size": [3, 2], "stride": [2, 1], "padding": [1, 0]}, (1, 2, 6, 5)),
        ("adaptive_avg_pool2d", nn.AdaptiveAvgPool2d, {"output_size": [3, 2]}, (2, 3, 6, 4)),
        ("adaptive_avg_pool2d", nn.AdaptiveAvgPool2d, {"output_size": [3, 4]}, (2, 2, 7, 5)),
        ("flatten", nn.Flatten, {}, (2, 3, 2, 2)),
    ]:
        yield case(g, layer, options, module(**options), shape)
    yield case(g, "global_avg_pool", {}, nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()), (2, 3, 4, 5))

    for training in [True, False]:
        yield case(g, "batch_norm", {"num_features": 3}, nn.BatchNorm2d(3), (2, 3, 4, 3), training)
        options = {"num_features": 4, "momentum": 0.3, "eps": 0.01}
        yield case(g, "batch_norm", options, nn.BatchNorm1d(**options), (5, 4), training)
    yield case(g, "layer_norm", {"normalized_shape": [6]}, nn.LayerNorm([6]), (2, 3, 6))
    options = {"normalized_shape": [3, 4], "eps": 0.1}
    yield case(g, "layer_norm", options, nn.LayerNorm(**options), (2, 3, 4))
    yield case(g, "dropout", {}, nn.Dropout(0.5), (3, 4), training=False)

    for name, module in [
        ("identity", nn.Identity()),
        ("relu", nn.ReLU()),
        ("leaky_relu", nn.LeakyReLU(0.2)),
        ("elu", nn.ELU(0.7)),
        ("gelu", nn.GELU()),
        ("gelu_tanh", nn.GELU(approximate="tanh")),
        ("silu", nn.SiLU()),
        ("sigmoid", nn.Sigmoid()),
        ("tanh", nn.Tanh()),
        ("scaled_tanh", ScaledTanh()),
        ("softplus", nn.Softplus()),
    ]:
        yield case(g, name, {}, module, (4, 5))

    yield case(g, "sequential", {}, nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2)), (5, 3))
    yield case(g, "residual", {}, Residual(nn.Sequential(nn.Linear(3, 3), nn.Tanh())), (4, 3))
    yield case(g, "residual_shortcut", {}, Residual(nn.Linear(3, 2), nn.Linear(3, 2, bias=False)), (4, 3))

    for causal in [False, True]:
        options = {"embed_dim": 6, "num_heads": 2}
        module = SelfAttention(causal, **options)
        yield case(g, "multihead_attention", {**options, "causal": causal}, module, (2, 5, 6))
    for norm_first, causal in [(False, False), (True, False), (True, True)]:
        options = {"d_model": 6, "nhead": 3, "dim_feedforward": 5, "norm_first": norm_first}
        module = EncoderLayer(causal, **options)
        yield case(g, "transformer_encoder_layer", {**options, "causal": causal}, module, (2, 4, 6))

    # With numbers of their own, so that they and the cases above do not depend on each other.
    g = torch.Generator().manual_seed(1)
    for layer, module in [("lstm", nn.LSTM), ("gru", nn.GRU)]:
        for num_layers, bidirectional in [(1, False), (2, False), (2, True)]:
            options = {"input_size": 3, "hidden_size": 4, "num_layers": num_layers, "bidirectional": bidirectional}
            yield case(g, layer, options, module(**options, batch_first=True), (2, 5, 3))

    g = torch.Generator().manual_seed(2)
    for mode in ["nearest", "bilinear"]:
        for size, shape in [([6, 4], (2, 2, 3, 4)), ([5, 7], (1, 2, 3, 4)), ([2, 3], (1, 2, 4, 5)), ([4, 3], (1, 1, 1, 3))]:
            yield case(g, "upsample", {"size": size, "mode": mode}, nn.Upsample(size, mode=mode), shape)
        factor = [3, 2]
        module = nn.Upsample(scale_factor=tuple(factor), mode=mode)
        yield case(g, "upsample_by", {"scale_factor": factor, "mode": mode}, module, (1, 2, 2, 3))

    g = torch.Generator().manual_seed(3)
    for options, shape in [
        ({"num_groups": 2, "num_channels": 6}, (2, 6, 3, 2)),
        ({"num_groups": 3, "num_channels": 3, "eps": 0.1}, (1, 3, 5)),
        ({"num_groups": 1, "num_channels": 4}, (3, 4)),
    ]:
        yield case(g, "group_norm", options, nn.GroupNorm(**options), shape)
    for affine in [False, True]:
        options = {"num_features": 3, "affine": affine}
        yield case(g, "instance_norm", options, nn.InstanceNorm2d(**options), (2, 3, 2, 4))


def embedding(g, padding_idx, shape):
    """An embedding takes indices, which have no gradient."""
    module = nn.Embedding(7, 3, padding_idx=padding_idx).double()
    with torch.no_grad():
        module.weight.copy_(real(g, 7, 3))
        if padding_idx is not None:
            module.weight[padding_idx] = 0
    x = torch.randint(0, 7, shape, generator=g)
    y = module(x)
    cotangent = real(g, *y.shape)
    (gradient,) = torch.autograd.grad(y, [module.weight], cotangent)
    return {
        "layer": "embedding",
        "options": {"num_embeddings": 7, "embedding_dim": 3, "padding_idx": padding_idx},
        "state": state(module),
        "input": array(x),
        "output": array(y),
        "cotangent": array(cotangent),
        "gradients": {"weight": array(gradient)},
    }


def embeddings(g):
    yield embedding(g, None, (2, 5))
    yield embedding(g, 2, (4, 6))
    yield embedding(g, None, ())


def main():
    versions = {"python": platform.python_version(), "torch": torch.__version__}
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, make in [("layers", cases), ("embedding", embeddings)]:
        made = {"versions": versions, "cases": list(make(torch.Generator().manual_seed(0)))}
        text = json.dumps(made, separators=(",", ":")).replace('{"layer"', '\n{"layer"') + "\n"
        (folder / f"{name}.json").write_text(text)


if __name__ == "__main__":
    main()
