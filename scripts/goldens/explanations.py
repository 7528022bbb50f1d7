#!/usr/bin/env python3
"""Makes crates/tasks/tests/golden/explanations.json with captum, PyTorch and SciPy; prints it to standard output.

    python scripts/goldens/explanations.py > crates/tasks/tests/golden/explanations.json

A small network in double precision, with its weights, and what each method says of one of its classes. Numbers start
as single-precision ones, so that both sides start from the same bits.
"""
import json
import platform
import sys

import captum
import scipy
import torch
from captum.attr import IntegratedGradients, LayerGradCam, Occlusion, Saliency
from scipy.stats import spearmanr
from torch import nn

CLASS = 1
SIDE = 12


def real(generator, *shape):
    return (torch.rand(shape, generator=generator, dtype=torch.float32) * 2 - 1).to(torch.float64)


def array(tensor, digits=9):
    values = [float(f"{value:.{digits}g}") for value in tensor.detach().flatten().tolist()]
    return {"shape": list(tensor.shape), "data": values}


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(2, 4, 3, padding=1)
        self.conv2 = nn.Conv2d(4, 5, 3, padding=1, stride=2)
        self.relu = nn.ReLU()
        self.output = nn.Linear(5, 3)

    def forward(self, images):
        # Softplus instead of a second relu, so that gradients differ from place to place.
        features = self.relu(self.conv2(nn.functional.softplus(self.conv1(images))))
        return self.output((features**2).mean((2, 3)))


def main():
    generator = torch.Generator().manual_seed(5)
    network = Network().double()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(real(generator, *parameter.shape) * 0.5)
    image = real(generator, 1, 2, SIDE, SIDE)
    baseline = torch.full_like(image, -0.75)
    noise = real(generator, 3, 2, SIDE, SIDE) * 0.25

    integrated, gap = IntegratedGradients(network).attribute(
        image, baseline, target=CLASS, method="riemann_middle", n_steps=4, return_convergence_delta=True
    )
    occluded = Occlusion(network).attribute(
        image, sliding_window_shapes=(2, 5, 4), strides=(2, 3, 2), baselines=baseline, target=CLASS
    )
    smooth = torch.zeros_like(image)
    for one in noise:
        noisy = (image + one).requires_grad_()
        network(noisy)[0, CLASS].backward()
        smooth += noisy.grad / len(noise)
    correlations = [
        ([1.0, 2.0, 3.0, 4.0, 5.0], [5.0, 6.0, 7.0, 8.0, 7.0]),
        ([0.5, 0.5, 0.5, 2.0, -1.0, 3.0], [1.0, 0.0, 0.0, 7.0, 7.0, 2.0]),
        (real(generator, 20).tolist(), real(generator, 20).tolist()),
    ]
    golden = {
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "captum": captum.__version__,
            "scipy": scipy.__version__,
        },
        "class": CLASS,
        "weights": {name: array(parameter) for name, parameter in network.named_parameters()},
        "image": array(image),
        "baseline": array(baseline),
        "noise": array(noise),
        "scores": array(network(image)),
        "saliency": array(Saliency(network).attribute(image, target=CLASS, abs=False)),
        "smoothgrad": array(smooth),
        "integrated_gradients": array(integrated),
        "completeness_gap": gap.item(),
        "occlusion": array(occluded[0, 0]),
        "gradcam": array(
            LayerGradCam(network, network.relu).attribute(image, target=CLASS, relu_attributions=True)[0, 0]
        ),
        "rank_correlations": [
            {"a": a, "b": b, "value": spearmanr(a, b).statistic.item()} for a, b in correlations
        ],
    }
    json.dump(golden, sys.stdout)
    print()


main()
