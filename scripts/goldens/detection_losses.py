#!/usr/bin/env python3
"""Makes detection_losses.json with torchvision, and with PyTorch what torchvision lacks.

    python scripts/goldens/detection_losses.py crates/nn/tests/golden

Each case is one use of a loss in double precision: its options, predictions and targets, the losses element by element,
and the gradient of their sum weighed by 1, 2, 3, ... Numbers start as single-precision ones, written in full.
"""
import json
import pathlib
import platform
import sys

import torch
import torch.nn.functional as F
import torchvision
from torchvision.ops import (
    complete_box_iou_loss,
    distance_box_iou_loss,
    generalized_box_iou_loss,
    sigmoid_focal_loss,
)


def cross_entropies(logits, targets):
    return F.binary_cross_entropy_with_logits(logits, targets, reduction="none")


def focal(logits, targets, alpha, gamma):
    return sigmoid_focal_loss(logits, targets, -1 if alpha is None else alpha, gamma)


def quality_focal(logits, targets, beta):
    """Generalized Focal Loss (2020), equation 1."""
    return (targets - logits.sigmoid()).abs() ** beta * cross_entropies(logits, targets)


def varifocal(logits, targets, alpha, gamma):
    """VarifocalNet (2021), equation 2."""
    with torch.no_grad():
        weight = torch.where(targets > 0, targets, alpha * logits.sigmoid() ** gamma)
    return weight * cross_entropies(logits, targets)


def array(x):
    return {"shape": list(x.shape), "data": x.detach().flatten().tolist()}


def case(loss, options, predictions, targets, function):
    predictions.requires_grad_()
    losses = function(predictions, targets, **options)
    weights = torch.arange(1, losses.numel() + 1, dtype=torch.float64).view(losses.shape)
    (gradient,) = torch.autograd.grad((losses * weights).sum(), [predictions])
    return {
        "loss": loss,
        "options": options,
        "predictions": array(predictions),
        "targets": array(targets),
        "losses": array(losses),
        "gradient": array(gradient),
    }


def boxes(generator, count):
    corner = torch.rand((count, 2), generator=generator) * 40
    size = torch.rand((count, 2), generator=generator) * 30 + 1
    return torch.cat([corner, corner + size], 1).to(torch.float64)


def cases(g):
    logits = lambda: (torch.rand((4, 5), generator=g) * 8 - 4).to(torch.float64)
    hard = torch.randint(0, 2, (4, 5), generator=g).to(torch.float64)
    soft = torch.rand((4, 5), generator=g).to(torch.float64) * hard
    for alpha, gamma in [(0.25, 2.0), (None, 1.5), (0.75, 0.0)]:
        yield case("sigmoid_focal_loss", {"alpha": alpha, "gamma": gamma}, logits(), hard, focal)
    for beta in [2.0, 1.0, 0.0]:
        yield case("quality_focal_loss", {"beta": beta}, logits(), soft, quality_focal)
    yield case("varifocal_loss", {"alpha": 0.75, "gamma": 2.0}, logits(), soft, varifocal)
    for name, function in [
        ("generalised_box_iou_loss", generalized_box_iou_loss),
        ("distance_box_iou_loss", distance_box_iou_loss),
        ("complete_box_iou_loss", complete_box_iou_loss),
    ]:
        truths = boxes(g, 12)
        near = truths + (torch.rand((12, 4), generator=g) * 6 - 3).to(torch.float64)
        near[6:] = boxes(g, 6)
        near[:, 2:] = torch.maximum(near[:, 2:], near[:, :2] + 1)
        yield case(name, {}, near.detach(), truths, function)


def main():
    versions = {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "torchvision": torchvision.__version__,
    }
    made = {"versions": versions, "cases": list(cases(torch.Generator().manual_seed(0)))}
    folder = pathlib.Path(sys.argv[1])
    text = json.dumps(made, separators=(",", ":")).replace('{"loss"', '\n{"loss"') + "\n"
    (folder / "detection_losses.json").write_text(text)


if __name__ == "__main__":
    main()
