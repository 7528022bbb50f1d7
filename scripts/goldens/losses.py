#!/usr/bin/env python3
"""Makes losses.json with PyTorch.

    python scripts/goldens/losses.py crates/nn/tests/golden

Each case is one use of a loss in double precision: its options, predictions and targets, the loss, and the
gradient of the predictions. Numbers start as single-precision ones, written in full, so that both sides
start from the same bits.
"""
import json
import pathlib
import platform
import sys

import torch
import torch.nn.functional as F


def real(generator, *shape, low=-3.0, high=3.0):
    x = torch.rand(shape, generator=generator, dtype=torch.float32) * (high - low) + low
    return x.to(torch.float64)


def array(x):
    return {"shape": list(x.shape), "data": x.detach().flatten().tolist()}


def case(loss, options, predictions, targets, function):
    predictions.requires_grad_()
    value = function(predictions, targets, **options)
    (gradient,) = torch.autograd.grad(value, [predictions])
    return {
        "loss": loss,
        "options": options,
        "predictions": array(predictions),
        "targets": array(targets),
        "value": value.item(),
        "gradient": array(gradient),
    }


def cases(g):
    for shape, options in [
        ((5, 7), {}),
        ((4, 3), {"label_smoothing": 0.1}),
        ((6, 3), {"ignore_index": -100}),
        ((6, 4), {"ignore_index": 2, "label_smoothing": 0.2}),
        ((2, 3, 4, 5), {}),
        ((2, 3, 4), {"ignore_index": 1, "label_smoothing": 0.1}),
    ]:
        targets = torch.randint(0, shape[1], shape[:1] + shape[2:], generator=g)
        if "ignore_index" in options:
            targets.view(-1)[1] = options["ignore_index"]
        yield case("cross_entropy", options, real(g, *shape), targets, F.cross_entropy)
    for shape in [(5,), (2, 3, 4)]:
        yield case("mse_loss", {}, real(g, *shape), real(g, *shape), F.mse_loss)


def main():
    versions = {"python": platform.python_version(), "torch": torch.__version__}
    made = {"versions": versions, "cases": list(cases(torch.Generator().manual_seed(0)))}
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "losses.json").write_text(json.dumps(made, separators=(",", ":")).replace('{"loss"', '\n{"loss"') + "\n")


if __name__ == "__main__":
    main()
