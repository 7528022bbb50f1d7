#!/usr/bin/env python3
"""Images a second from files to batches in PyTorch, on one core: what `cargo bench -p gyrus-data -- images` is set beside.

    python scripts/bench/torch_loading.py classes FOLDER SIZE     # shift(pixels=4),flip
    python scripts/bench/torch_loading.py boxes VOC_FOLDER SIZE   # affine(rotate=10,translate=0.1,scale=0.8..1.2),flip,jitter
"""
import sys
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import torch
import torchvision
from PIL import Image
from torchvision import tv_tensors
from torchvision.transforms import v2

torch.set_num_threads(1)
mode, folder, size = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])


class Boxes(torch.utils.data.Dataset):
    def __init__(self, root, transform):
        self.root, self.transform = root, transform
        self.names = (root / "ImageSets/Main/train.txt").read_text().split()

    def __len__(self):
        return len(self.names)

    def __getitem__(self, index):
        name = self.names[index]
        image = Image.open(self.root / f"JPEGImages/{name}.jpg").convert("RGB")
        tree = ElementTree.parse(self.root / f"Annotations/{name}.xml")
        edges = [[int(o.find(f"bndbox/{e}").text) for e in ("xmin", "ymin", "xmax", "ymax")] for o in tree.iter("object")]
        boxes = tv_tensors.BoundingBoxes(edges, format="XYXY", canvas_size=(image.height, image.width))
        return self.transform(image, boxes)


def pipeline(augmented):
    steps = [v2.ToImage(), v2.Resize((size, size), antialias=True)]
    if augmented and mode == "classes":
        steps += [v2.RandomCrop(size, padding=4), v2.RandomHorizontalFlip()]
    if augmented and mode == "boxes":
        steps += [
            v2.RandomAffine(10, translate=(0.1, 0.1), scale=(0.8, 1.2), interpolation=v2.InterpolationMode.BILINEAR),
            v2.RandomHorizontalFlip(),
            v2.ColorJitter(0.4, 0.4, 0.4, 0.1),
        ]
    steps += [v2.ToDtype(torch.float32, scale=True), v2.Normalize([0.5] * 3, [0.25] * 3)]
    return v2.Compose(steps)


for augmented in (False, True):
    if mode == "classes":
        data, collate = torchvision.datasets.ImageFolder(folder, pipeline(augmented)), None
    else:
        data = Boxes(folder, pipeline(augmented))
        collate = lambda samples: (torch.stack([image for image, _ in samples]), [boxes for _, boxes in samples])
    loader = torch.utils.data.DataLoader(data, batch_size=16, shuffle=True, collate_fn=collate)
    start, count = time.time(), 0
    while time.time() - start < 4:
        for images, _ in loader:
            count += len(images)
            if time.time() - start > 8:
                break
    print(f"{count / (time.time() - start):7.0f} images/s  {'augmented' if augmented else 'read and resize'}")
print(f"torch {torch.__version__}, torchvision {torchvision.__version__}")
