#!/usr/bin/env python3
"""The U-Net of crates/models/src/segmentation/unet.rs in PyTorch: the same layers, names and initial values."""
import torch
import torch.nn.functional as F
from torch import nn


def double_conv(in_channels, out_channels):
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, 3, padding=1, bias=False),
        nn.BatchNorm2d(out_channels),
        nn.ReLU(),
        nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False),
        nn.BatchNorm2d(out_channels),
        nn.ReLU(),
    )


class UNet(nn.Module):
    """[N, in_channels, H, W] to [N, out_channels, H, W]; width 64 as published, 32 for unet-small, 16 for unet-tiny."""

    def __init__(self, in_channels, out_channels, width=64, depth=4):
        super().__init__()
        channels = [width << level for level in range(depth + 1)]
        ins = [in_channels, *channels]
        self.down = nn.ModuleList(double_conv(ins[level], channels[level]) for level in range(depth + 1))
        self.up = nn.ModuleList(
            double_conv(channels[level + 1] + channels[level], channels[level]) for level in reversed(range(depth))
        )
        self.output = nn.Conv2d(width, out_channels, 1)

    def forward(self, x):
        height, width = x.shape[2:]
        unit = 2 ** len(self.up)
        x = F.pad(x, (0, -width % unit, 0, -height % unit))
        passed = []
        for level, block in enumerate(self.down):
            if level > 0:
                passed.append(x)
                x = F.max_pool2d(x, 2)
            x = block(x)
        for block in self.up:
            x = F.interpolate(x, scale_factor=2, mode="nearest")
            x = block(torch.cat([x, passed.pop()], 1))
        return self.output(x)[:, :, :height, :width]
