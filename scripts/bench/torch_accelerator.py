#!/usr/bin/env python3
"""The accelerator workloads of `xtask bench A` in PyTorch.

    python scripts/bench/torch_accelerator.py [FILTER] [--device cuda] [--mode eager|compile] [--precision f32|tf32|bf16]

FILTER is a list of names or parts of names, separated by commas. Prints one JSON object a line, in the form of
`xtask bench --json`, for `xtask bench-table`. Products are computed in full `f32`, as gyrus does, with `--precision tf32`
in TF32, which is PyTorch's default for convolutions alone, and with `--precision bf16` by autocast.
"""
import argparse

import torch
import torch.nn.functional as F
from torch import nn

import timing


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("filter", nargs="?", default="")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--mode", default="eager", choices=["eager", "compile"])
    parser.add_argument("--precision", default="f32", choices=["f32", "tf32", "bf16"])
    parser.add_argument("--seconds", type=float, default=4.0)
    return parser.parse_args()


def normalised(i, o, size, stride):
    return [nn.Conv2d(i, o, size, stride, size // 2, bias=False), nn.BatchNorm2d(o)]


class Block(nn.Module):
    def __init__(self, i, o, stride):
        super().__init__()
        self.body = nn.Sequential(*normalised(i, o, 3, stride), nn.ReLU(), *normalised(o, o, 3, 1))
        self.shortcut = nn.Identity() if i == o else nn.Sequential(*normalised(i, o, 1, stride))

    def forward(self, x):
        return F.relu(self.body(x) + self.shortcut(x))


def resnet18():
    layers = [*normalised(3, 64, 3, 1), nn.ReLU()]
    for i, o, stride in [(64, 64, 1), (64, 128, 2), (128, 256, 2), (256, 512, 2)]:
        layers += [Block(i, o, stride), Block(o, o, 1)]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, 10))


def lenet():
    layers = []
    for i, o in [(1, 6), (6, 16)]:
        layers += [nn.Conv2d(i, o, 5), nn.AvgPool2d(2), nn.Tanh()]
    layers += [nn.Conv2d(16, 120, 5), nn.Tanh(), nn.Flatten()]
    return nn.Sequential(*layers, nn.Linear(120, 84), nn.Tanh(), nn.Linear(84, 10))


class PerStep(nn.Module):
    """The logits of all steps, one row each."""

    def __init__(self, inner, features, classes):
        super().__init__()
        self.inner, self.output = inner, nn.Linear(features, classes)

    def forward(self, x):
        y = self.inner(x)
        y = y[0] if isinstance(y, tuple) else y
        return self.output(y).flatten(0, 1)


def lstm():
    return PerStep(nn.LSTM(128, 256, 2, batch_first=True), 256, 100)


def transformer():
    layer = nn.TransformerEncoderLayer(256, 4, 1024, dropout=0.0, activation="gelu", batch_first=True)
    return PerStep(nn.TransformerEncoder(layer, 4, enable_nested_tensor=False), 256, 1000)


def sgd(parameters):
    return torch.optim.SGD(parameters, lr=0.01, momentum=0.9)


def adam(parameters):
    return torch.optim.Adam(parameters, lr=1e-3, fused=True)


def adamw(parameters):
    return torch.optim.AdamW(parameters, lr=1e-3, fused=True)


# Model, optimizer, shape of the input, number of labels, number of classes.
TRAINING = {
    "A1-lenet-train-b64": (lenet, sgd, (64, 1, 32, 32), 64, 10),
    "A2-resnet18-cifar-train-b256": (resnet18, sgd, (256, 3, 32, 32), 256, 10),
    "A3-lstm-train-b32": (lstm, adam, (32, 64, 128), 32 * 64, 100),
    "A4-transformer-train-b16": (transformer, adamw, (16, 128, 256), 16 * 128, 1000),
}


def training(build, optimizer, shape, num_labels, num_classes):
    """Forward, backward and update on one batch; reads the loss."""
    model = build().to(ARGUMENTS.device).train()
    optimizer = optimizer(model.parameters())
    x = torch.randn(shape, device=ARGUMENTS.device)
    labels = torch.randint(0, num_classes, (num_labels,), device=ARGUMENTS.device)
    if x.dim() == 4:
        model, x = model.to(memory_format=torch.channels_last), x.contiguous(memory_format=torch.channels_last)
    forward = torch.compile(model) if ARGUMENTS.mode == "compile" else model
    is_bf16 = ARGUMENTS.precision == "bf16"

    def step():
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast(torch.device(ARGUMENTS.device).type, torch.bfloat16, enabled=is_bf16):
            loss = F.cross_entropy(forward(x), labels)
        loss.backward()
        optimizer.step()
        assert loss.item() == loss.item()

    return step


def product():
    """A square product of `f32` that is computed at the precision."""
    a, b = (torch.randn(SIZE, SIZE, device=ARGUMENTS.device) for _ in range(2))
    if ARGUMENTS.precision == "bf16":
        return lambda: (a.bfloat16() @ b.bfloat16())[0, 0].item()
    return lambda: (a @ b)[0, 0].item()


SIZE = 8192


def main():
    torch.manual_seed(0)
    is_tf32 = ARGUMENTS.precision == "tf32"
    torch.set_float32_matmul_precision("high" if is_tf32 else "highest")
    torch.backends.cudnn.allow_tf32 = is_tf32
    torch.backends.cudnn.benchmark = True
    workloads = {f"A0-mm{SIZE}": product} | {name: lambda given=given: training(*given) for name, given in TRAINING.items()}
    timing.run(workloads, ARGUMENTS, f"torch-{ARGUMENTS.mode}", f"{ARGUMENTS.device}, PyTorch {torch.__version__}")


if __name__ == "__main__":
    ARGUMENTS = arguments()
    main()
