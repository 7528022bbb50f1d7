#!/usr/bin/env python3
"""Images a second of training from JPEG files in PyTorch, to set beside `samples_per_second` of `gyrus train`.

    python scripts/data/compose_cutouts.py --stamps STAMPS --photographs PHOTOGRAPHS --out PHOTOS \\
        --kind classification --size 500x375 --train 600 --val 40 --seed 1
    python scripts/bench/torch_dataloader.py PHOTOS
    gyrus train PHOTOS --model resnet18 --epochs 3 --batch 32 --set image_size=128 --set baseline=false --set test=0 \\
        --augment "crop(area=0.3..1),flip,jitter" --json

PHOTOS holds train/CLASS/*.jpg. Decoding, a random part of each image stretched over 128x128, mirroring, jitter of the
colours, normalisation, and a step of ResNet-18 with AdamW on batches of 32 (`--model none` leaves the step out, to
measure the loading alone). Tried are 0, 1 and 2 workers, and three ways to read: `pil` as ImageFolder does, `draft` with
PIL decoding at a smaller scale where that does, `tensor` with torchvision's decoder and transforms of tensors. The first
epoch, which starts the workers, is not counted, while that of gyrus is; of the others the best counts.
"""
import argparse
import time
from pathlib import Path

import torch
import torch.nn.functional as F
import torchvision
from PIL import Image
from torchvision.io import ImageReadMode, decode_image
from torchvision.transforms import v2

BATCH, SIZE = 32, 128


def draft(path):
    image = Image.open(path)
    # A part of 0.3 of the area is to have as many pixels as the frame.
    image.draft("RGB", (2 * SIZE, 2 * SIZE))
    return image.convert("RGB")


READERS = {
    "pil": torchvision.datasets.folder.pil_loader,
    "draft": draft,
    "tensor": lambda path: decode_image(path, ImageReadMode.RGB),
}


def transform(reading):
    steps = [v2.RandomResizedCrop(SIZE, scale=(0.3, 1), antialias=True), v2.RandomHorizontalFlip()]
    steps += [v2.ColorJitter(0.4, 0.4, 0.4, 0.1)]
    steps += [v2.ToDtype(torch.float32, scale=True), v2.Normalize([0.5] * 3, [0.25] * 3)]
    if reading != "tensor":
        steps.insert(3, v2.ToImage())
    return v2.Compose(steps)


def training_step(name, num_classes):
    """What is done with a batch."""
    if name == "none":
        return lambda images, labels: None
    model = torchvision.models.get_model(name, weights=None, num_classes=num_classes)
    model = model.to(memory_format=torch.channels_last).train()
    optimizer = torch.optim.AdamW(model.parameters(), 2e-3)

    def step(images, labels):
        loss = F.cross_entropy(model(images.contiguous(memory_format=torch.channels_last)), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def measure(folder, reading, num_workers, model, epochs):
    """Images a second of each epoch, the first left out."""
    data = torchvision.datasets.ImageFolder(folder, transform(reading), loader=READERS[reading])
    loader = torch.utils.data.DataLoader(
        data, BATCH, shuffle=True, num_workers=num_workers, persistent_workers=num_workers > 0
    )
    step = training_step(model, len(data.classes))
    rates = []
    for _ in range(epochs + 1):
        begin = time.perf_counter()
        for images, labels in loader:
            step(images, labels)
        rates.append(len(data) / (time.perf_counter() - begin))
    return rates[1:]


def main(options):
    torch.manual_seed(0)
    best = (0.0, "")
    for reading in options.reading.split(","):
        for num_workers in map(int, options.workers.split(",")):
            rates = measure(options.data / "train", reading, num_workers, options.model, options.epochs)
            best = max(best, (max(rates), f"{reading}, {num_workers} workers"))
            listed = " ".join(f"{rate:.1f}" for rate in rates)
            print(f"{reading:6} {num_workers} workers: {listed} images/s", flush=True)
    print(f"best: {best[0]:.1f} images/s ({best[1]}), {options.model}, torch {torch.__version__}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--model", default="resnet18", help="a classification model of torchvision, or none")
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--workers", default="0,1,2")
    parser.add_argument("--reading", default="pil,draft,tensor")
    main(parser.parse_args())
