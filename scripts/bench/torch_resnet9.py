#!/usr/bin/env python3
"""Trains resnet9-w32 with PyTorch as `docs/image_classification.md` does with gyrus, for comparison.

    python scripts/bench/torch_resnet9.py DATA [EPOCHS]    # 30, if not given

DATA holds train/CLASS/*.jpg and val/CLASS/*.jpg. Same network, initial distributions, batches of 128, optimizer,
schedule, label smoothing and kinds of augmentation; images are decoded once, before the clock starts. Accuracies are
those on val, the last line has that of the best epoch, which is what gyrus keeps, and that of the last.
"""
import pathlib
import sys
import time

import numpy
import torch
import torch.nn.functional as F
from PIL import Image
from torch import nn

WIDTH, BATCH, RATE = 32, 128, 0.1


def unit(start, end):
    conv = nn.Conv2d(start, end, 3, padding=1, bias=False)
    nn.init.kaiming_normal_(conv.weight, mode="fan_out", nonlinearity="relu")
    return nn.Sequential(conv, nn.BatchNorm2d(end), nn.ReLU())


class Residual(nn.Module):
    def __init__(self, start, end):
        super().__init__()
        self.first = nn.Sequential(unit(start, end), nn.MaxPool2d(2))
        self.body = nn.Sequential(unit(end, end), unit(end, end))

    def forward(self, x):
        x = self.first(x)
        return x + self.body(x)


class ResNet9(nn.Module):
    def __init__(self, w, num_classes):
        super().__init__()
        self.maps = nn.Sequential(
            unit(3, w), Residual(w, 2 * w), unit(2 * w, 4 * w), nn.MaxPool2d(2), Residual(4 * w, 8 * w)
        )
        self.linear = nn.Linear(8 * w, num_classes, bias=False)

    def forward(self, x):
        return self.linear(self.maps(x).amax((2, 3))) * 0.125


def read(folder):
    images, labels = [], []
    for label, name in enumerate(sorted(path.name for path in folder.iterdir())):
        for path in sorted((folder / name).iterdir()):
            images.append(numpy.asarray(Image.open(path).convert("RGB")))
            labels.append(label)
    return torch.from_numpy(numpy.stack(images)).permute(0, 3, 1, 2).float() / 255, torch.tensor(labels)


def augment(x):
    """Mirrors half of the images, and shifts each by up to an eighth of its size, beyond the border the border's pixels."""
    mirrored = torch.where(torch.rand(len(x)) < 0.5, -1.0, 1.0)
    theta = torch.zeros(len(x), 2, 3)
    theta[:, 0, 0], theta[:, 1, 1] = mirrored, 1
    theta[:, :, 2] = (torch.rand(len(x), 2) * 2 - 1) * 0.25
    grid = F.affine_grid(theta, x.shape, align_corners=False)
    return F.grid_sample(x, grid, padding_mode="border", align_corners=False)


def main(folder, epochs):
    torch.manual_seed(0)
    folder = pathlib.Path(folder)
    (x, y), (x_val, y_val) = read(folder / "train"), read(folder / "val")
    mean, std = x.mean((0, 2, 3), keepdim=True), x.std((0, 2, 3), keepdim=True)
    x_val = (x_val - mean) / std
    model = ResNet9(WIDTH, int(y.max()) + 1).to(memory_format=torch.channels_last)
    steps = epochs * -(-len(x) // BATCH)
    optimizer = torch.optim.SGD(model.parameters(), RATE, momentum=0.9, nesterov=True, weight_decay=5e-4)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, steps, cycle_momentum=False)
    begin, best = time.time(), (0.0, 0)
    for epoch in range(1, epochs + 1):
        model.train()
        for batch in torch.randperm(len(x)).split(BATCH):
            images = ((augment(x[batch]) - mean) / std).contiguous(memory_format=torch.channels_last)
            loss = F.cross_entropy(model(images), y[batch], label_smoothing=0.1)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
        model.eval()
        with torch.no_grad():
            right = sum((model(a).argmax(1) == b).sum().item() for a, b in zip(x_val.split(250), y_val.split(250)))
        accuracy = right / len(x_val)
        best = max(best, (accuracy, epoch))
        print(f"epoch {epoch}: accuracy {accuracy:.4f}, {time.time() - begin:.0f} s, "
              f"{time.process_time():.0f} s of processors", flush=True)
    print(f"best accuracy {best[0]:.4f} after epoch {best[1]}, last {accuracy:.4f}, {time.time() - begin:.0f} s, "
          f"torch {torch.__version__}")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 30)
