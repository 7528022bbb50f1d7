#!/usr/bin/env python3
"""Makes losses.json with PyTorch, and Dice with segmentation-models-pytorch.

    python scripts/goldens/losses.py crates/nn/tests/golden

Each case is one use of a loss in double precision: its options, predictions and targets, the loss, and the
gradient of the predictions. Numbers start as single-precision ones, written in full, so that both sides
start from the same bits.
"""
import json
import pathlib
import platform
import sys

import segmentation_models_pytorch
import torch
import torch.nn.functional as F
from segmentation_models_pytorch.losses import DiceLoss


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


def weighted_cross_entropy(logits, targets, weight, **options):
    return F.cross_entropy(logits, targets, weight=torch.tensor(weight, dtype=torch.float64), **options)


def dice(logits, targets, smooth, ignore_index=None):
    """The mean over the classes that there are. The package adds `smooth` to half of what is above and below the line."""
    there = [label for label in targets.unique().tolist() if label != ignore_index]
    loss = DiceLoss("multiclass", classes=there, ignore_index=ignore_index, eps=0.0, smooth=smooth / 2)
    return loss(logits, targets)


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

    # With numbers of their own, so that they and the cases above do not depend on each other.
    g = torch.Generator().manual_seed(1)
    for shape, options in [
        ((5, 3), {"weight": [0.5, 2.0, 1.25]}),
        ((2, 3, 4, 2), {"weight": [0.5, 2.0, 1.25], "ignore_index": -1}),
        ((2, 3, 4), {"weight": [0.5, 0.25, 1.25], "ignore_index": 1, "label_smoothing": 0.1}),
    ]:
        targets = torch.randint(0, shape[1], shape[:1] + shape[2:], generator=g)
        if "ignore_index" in options:
            targets.view(-1)[1] = options["ignore_index"]
        yield case("cross_entropy", options, real(g, *shape), targets, weighted_cross_entropy)
    for shape, options, num_there in [
        ((2, 3, 4, 5), {"smooth": 0.0}, 3),
        ((2, 4, 3, 3), {"smooth": 1.0}, 3),
        ((2, 4, 3, 3), {"smooth": 1.0, "ignore_index": -1}, 2),
        ((2, 4, 3, 3), {"smooth": 0.5, "ignore_index": 1}, 4),
    ]:
        targets = torch.randint(0, num_there, shape[:1] + shape[2:], generator=g)
        if "ignore_index" in options:
            targets.view(-1)[1:4] = options["ignore_index"]
        yield case("dice", options, real(g, *shape), targets, dice)


def main():
    versions = {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "segmentation-models-pytorch": segmentation_models_pytorch.__version__,
    }
    made = {"versions": versions, "cases": list(cases(torch.Generator().manual_seed(0)))}
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "losses.json").write_text(json.dumps(made, separators=(",", ":")).replace('{"loss"', '\n{"loss"') + "\n")


if __name__ == "__main__":
    main()
