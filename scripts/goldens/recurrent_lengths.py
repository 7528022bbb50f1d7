#!/usr/bin/env python3
"""Makes recurrent_lengths.json with PyTorch.

    python scripts/goldens/recurrent_lengths.py crates/nn/tests/golden

Each case is one use of a recurrent layer on packed sequences of different lengths, in double precision: its options,
weights, input, lengths and initial states, the output and the last states, cotangents for them, and the gradients of
input, initial states and weights. Numbers start as single-precision ones, written in full; what is computed has twelve
digits.
"""
import json
import pathlib
import platform
import sys

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

INPUT_SIZE, HIDDEN_SIZE = 2, 3


def real(generator, *shape):
    return (torch.rand(shape, generator=generator, dtype=torch.float32) * 2 - 1).to(torch.float64)


def array(x, digits=None):
    data = x.detach().flatten().tolist()
    return {"shape": list(x.shape), "data": data if digits is None else [float(f"{value:.{digits}g}") for value in data]}


def case(generator, layer, module, options, lengths, num_steps):
    module = module(INPUT_SIZE, HIDDEN_SIZE, **options, batch_first=True).double()
    for x in module.parameters():
        x.data.copy_(real(generator, *x.shape))
    batch, directions = len(lengths), 2 if options["bidirectional"] else 1
    x = real(generator, batch, num_steps, INPUT_SIZE).requires_grad_()
    states = ["h", "c"] if layer == "lstm" else ["h"]
    shape = (options["num_layers"] * directions, batch, HIDDEN_SIZE)
    initial = [real(generator, *shape).requires_grad_() for _ in states]
    packed = pack_padded_sequence(x, torch.tensor(lengths), batch_first=True, enforce_sorted=False)
    y, last = module(packed, tuple(initial) if layer == "lstm" else initial[0])
    y, _ = pad_packed_sequence(y, batch_first=True, total_length=num_steps)
    made = [y, *(last if layer == "lstm" else [last])]
    cotangents = [real(generator, *x.shape) for x in made]
    leaves = {"input": x, **{f"initial {name}": x for name, x in zip(states, initial)}, **dict(module.named_parameters())}
    gradients = torch.autograd.grad(made, list(leaves.values()), cotangents)
    return {
        "layer": layer,
        "options": options,
        "lengths": {"shape": [batch], "data": lengths},
        "leaves": {name: array(x) for name, x in leaves.items()},
        "outputs": [array(x, 12) for x in made],
        "cotangents": [array(x) for x in cotangents],
        "gradients": {name: array(x, 12) for name, x in zip(leaves, gradients)},
    }


def cases():
    generator = torch.Generator().manual_seed(0)
    for num_layers, bidirectional, lengths, num_steps in [
        (1, False, [2, 4, 1], 4),
        # None as long as the input.
        (2, True, [3, 1, 4, 3], 5),
    ]:
        options = {"num_layers": num_layers, "bidirectional": bidirectional}
        for layer, module in [("lstm", nn.LSTM), ("gru", nn.GRU), ("rnn", nn.RNN)]:
            yield case(generator, layer, module, options, lengths, num_steps)
    options = {"num_layers": 1, "bidirectional": True, "nonlinearity": "relu"}
    yield case(generator, "rnn", nn.RNN, options, [1, 3, 2], 3)


def main():
    versions = {"python": platform.python_version(), "torch": torch.__version__}
    text = json.dumps({"versions": versions, "cases": list(cases())}, separators=(",", ":"))
    text = text.replace('{"layer"', '\n{"layer"') + "\n"
    (pathlib.Path(sys.argv[1]) / "recurrent_lengths.json").write_text(text)


if __name__ == "__main__":
    main()
