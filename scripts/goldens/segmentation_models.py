#!/usr/bin/env python3
"""Makes segmentation_models.json with the PyTorch U-Net of scripts/bench/torch_unet.py, and a DeepLabV3+ from
torchvision's ResNet and PyTorch's layers.

    python scripts/goldens/segmentation_models.py crates/models/tests/golden

Cases are as those of classification_models.py; of logits that are many, each `step`-th is in the file.
"""
import json
import pathlib
import platform
import sys

import torch
import torch.nn.functional as F
import torchvision
from classification_models import case
from torch import nn

sys.path.append(str(pathlib.Path(__file__).parent.parent / "bench"))
from torch_unet import UNet


def conv_norm(inputs, outputs, kernel=1, dilation=1, groups=1):
    padding = dilation * (kernel // 2)
    conv = nn.Conv2d(inputs, outputs, kernel, padding=padding, dilation=dilation, groups=groups, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(outputs), nn.ReLU())


def separable(inputs, dilation=1):
    return nn.Sequential(conv_norm(inputs, inputs, 3, dilation, groups=inputs), conv_norm(inputs, 256))


class Pyramid(nn.Module):
    def __init__(self, inputs):
        super().__init__()
        self.point = conv_norm(inputs, 256)
        self.dilated = nn.ModuleList(separable(inputs, dilation) for dilation in (3, 6, 9))
        self.whole = nn.Sequential(nn.Conv2d(inputs, 256, 1), nn.ReLU())
        self.project = nn.Sequential(conv_norm(5 * 256, 256), nn.Dropout(0.1))

    def forward(self, x):
        branches = [self.point(x), *(branch(x) for branch in self.dilated)]
        branches.append(self.whole(F.adaptive_avg_pool2d(x, 1)).expand_as(branches[0]))
        return self.project(torch.cat(branches, 1))


class DeepLabV3Plus(nn.Module):
    """Chen et al. (2018), figure 2, with the deviations that gyrus names."""

    def __init__(self, classes):
        super().__init__()
        self.backbone = torchvision.models.resnet18(num_classes=1)
        self.pyramid = Pyramid(512)
        self.fine = conv_norm(64, 48)
        self.decoder = nn.Sequential(separable(256 + 48), separable(256))
        self.output = nn.Conv2d(256, classes, 1)

    def forward(self, images):
        body = self.backbone
        fine = body.layer1(body.maxpool(body.relu(body.bn1(body.conv1(images)))))
        coarse = self.pyramid(body.layer4(body.layer3(body.layer2(fine))))
        fine = self.fine(fine)
        x = torch.cat([F.interpolate(coarse, fine.shape[2:], mode="bilinear"), fine], 1)
        return F.interpolate(self.output(self.decoder(x)), images.shape[2:], mode="bilinear")


def main(folder):
    cases = [
        case("unet", UNet(3, 3, width=4, depth=2), (19, 22)),
        case("unet-deep", UNet(3, 2, width=3, depth=4), (16, 16)),
        # So large that each dilation meets the map.
        case("deeplab-resnet18", DeepLabV3Plus(2), (330, 352)),
    ]
    for each in cases:
        each["step"] = max(1, len(each["logits"]) // 2500)
        each["logits"] = [float(f"{logit:.9g}") for logit in each["logits"][:: each["step"]]]
    versions = {"python": platform.python_version(), "torch": torch.__version__, "torchvision": torchvision.__version__}
    path = pathlib.Path(folder) / "segmentation_models.json"
    text = json.dumps({"versions": versions, "cases": cases}, separators=(",", ":"))
    path.write_text(text.replace('{"model"', '\n{"model"') + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
