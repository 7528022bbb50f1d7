#!/usr/bin/env python3
"""Trains the U-Net of torch_unet.py on CamVid with PyTorch, to set beside `gyrus train` with the same settings.

    python scripts/bench/torch_unet_camvid.py CAMVID --width 16 --epochs 30 --batch 8 --size 180x240

CAMVID holds train.txt and val.txt, an image and its mask of classes a line (scripts/data/fetch.sh camvid lays it out).
AdamW; a cosine after a linear warm-up; cross-entropy plus Dice; half of the images mirrored, and a part of each stretched
over the frame, as `--augment "crop(area=A..1),flip"` does. The mean intersection over union is that of all validation
pixels at the size of the masks, over the classes before the ignored one. Files are decoded once, before the clock starts.
"""
import argparse
import math
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch_unet import UNet


def read(folder, split, size):
    """Images and masks in the size of the frame, and masks in their own."""
    images, labels, truth = [], [], []
    for line in (folder / f"{split}.txt").read_text().splitlines():
        image, mask = (folder / part for part in line.split())
        image, mask = Image.open(image).convert("RGB"), Image.open(mask)
        images.append(np.asarray(image.resize(size[::-1], Image.Resampling.BILINEAR)))
        labels.append(np.asarray(mask.resize(size[::-1], Image.Resampling.NEAREST)))
        truth.append(np.asarray(mask))
    stacked = [torch.from_numpy(np.stack(arrays)) for arrays in (images, labels, truth)]
    return stacked[0].permute(0, 3, 1, 2).float() / 255, stacked[1].long(), stacked[2].long()


def augment(images, labels, least_area):
    """A random part of each image, half of them mirrored: its area is a share of the whole, and the ratio of its sides
    that of the frame times 3/4 to 4/3."""
    count = len(images)
    area = torch.empty(count).uniform_(least_area, 1)
    aspect = torch.empty(count).uniform_(-math.log(4 / 3), math.log(4 / 3)).exp()
    size = torch.stack([(area * aspect).sqrt(), (area / aspect).sqrt()], 1).clamp(max=1)
    theta = torch.zeros(count, 2, 3)
    theta[:, 0, 0] = torch.where(torch.rand(count) < 0.5, -1.0, 1.0) * size[:, 0]
    theta[:, 1, 1] = size[:, 1]
    theta[:, :, 2] = (torch.rand(count, 2) * 2 - 1) * (1 - size)
    grid = F.affine_grid(theta, images.shape, align_corners=False)
    images = F.grid_sample(images, grid, padding_mode="border", align_corners=False)
    labels = F.grid_sample(labels[:, None].float(), grid, "nearest", padding_mode="border", align_corners=False)
    return images, labels[:, 0].long()


def dice_loss(logits, labels, ignored, smooth):
    """1 less the mean of `(2 sum(p t) + smooth) / (sum(p) + sum(t) + smooth)`, sums over the pixels of the batch, over the
    classes that it shows."""
    counts = (labels != ignored)[:, None]
    targets = F.one_hot(labels.masked_fill(labels == ignored, 0), logits.shape[1]).movedim(-1, 1) * counts
    probabilities = logits.softmax(1) * counts
    shared, predicted, true = (part.sum((0, 2, 3)) for part in (probabilities * targets, probabilities, targets))
    return 1 - ((2 * shared + smooth) / (predicted + true + smooth))[true > 0].mean()


def intersection_over_union(model, images, truth, num_classes, batch):
    """The mean over the classes that occur, and the share of pixels that are right."""
    confusion = torch.zeros(num_classes, num_classes)
    with torch.no_grad():
        for images, truth in zip(images.split(batch), truth.split(batch)):
            logits = model(images.contiguous(memory_format=torch.channels_last))
            answers = F.interpolate(logits, truth.shape[1:], mode="bilinear").argmax(1)
            counted = truth < num_classes
            places = truth[counted] * num_classes + answers[counted]
            confusion += torch.bincount(places, minlength=num_classes**2).view_as(confusion)
    right = confusion.diag()
    union = confusion.sum(0) + confusion.sum(1) - right
    return (right / union)[union > 0].mean().item(), (right.sum() / confusion.sum()).item()


def main(options):
    torch.manual_seed(options.seed)
    size = tuple(int(length) for length in options.size.split("x"))
    images, labels, _ = read(options.data, "train", size)
    images_val, _, truth = read(options.data, "val", size)
    mean, std = images.mean((0, 2, 3), keepdim=True), images.std((0, 2, 3), keepdim=True)
    images_val = (images_val - mean) / std
    ignored = options.classes
    model = UNet(3, options.classes, options.width).to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(model.parameters(), options.lr, weight_decay=options.weight_decay)
    steps_per_epoch = -(-len(images) // options.batch)
    warmup = int(options.warmup * steps_per_epoch)
    falling = max(options.epochs * steps_per_epoch - warmup, 1)

    def rate(step):
        return (step + 1) / warmup if step < warmup else (1 + math.cos(math.pi * (step - warmup) / falling)) / 2

    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, rate)
    begin, best = time.time(), (0.0, 0)
    for epoch in range(1, options.epochs + 1):
        model.train()
        for batch in torch.randperm(len(images)).split(options.batch):
            x, y = augment(images[batch], labels[batch], options.area)
            logits = model(((x - mean) / std).contiguous(memory_format=torch.channels_last))
            loss = F.cross_entropy(logits, y, ignore_index=ignored)
            loss = loss + options.dice * dice_loss(logits, y, ignored, options.smooth)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
        model.eval()
        miou, accuracy = intersection_over_union(model, images_val, truth, options.classes, options.batch)
        best = max(best, (miou, epoch))
        print(f"epoch {epoch}: loss {loss.item():.4f}, mIoU {miou:.4f}, pixel accuracy {accuracy:.4f}, "
              f"{time.time() - begin:.0f} s", flush=True)
    print(f"best mIoU {best[0]:.4f} after epoch {best[1]}, last {miou:.4f}, {time.time() - begin:.0f} s, "
          f"{sum(p.numel() for p in model.parameters())} parameters, torch {torch.__version__}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--size", default="180x240", help="height x width of what the network sees")
    parser.add_argument("--width", type=int, default=16, help="maps of the finest level: 64, 32 and 16 are usual")
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--weight-decay", type=float, default=0.01)
    parser.add_argument("--warmup", type=float, default=0.5, help="epochs")
    parser.add_argument("--area", type=float, default=0.3, help="the least share of an image that is seen")
    parser.add_argument("--dice", type=float, default=1.0, help="the weight of the Dice loss")
    parser.add_argument("--smooth", type=float, default=1.0, help="what is added above and below in the Dice loss")
    parser.add_argument("--classes", type=int, default=11, help="how many are learned; the value after them is ignored")
    parser.add_argument("--seed", type=int, default=0)
    main(parser.parse_args())
