#!/usr/bin/env python3
"""Makes crates/geometry/tests/golden/geometry.json with pycocotools and torchvision; prints it to standard output.

    python scripts/goldens/geometry.py > crates/geometry/tests/golden/geometry.json
"""
import json
import sys
from importlib.metadata import version

import numpy as np
import torch
from pycocotools import mask as coco_mask
from torchvision import ops


def numbers(array):
    return np.asarray(array, dtype=np.float64).ravel().tolist()


def random_xyxy(rng, count, digits):
    corner = rng.uniform(-5, 60, (count, 2))
    boxes = np.hstack([corner, corner + rng.uniform(0, 40, (count, 2))])
    # Whole numbers make ties and boxes of no area.
    return boxes.round(digits)


def boxes_case(seed, digits):
    rng = np.random.default_rng(seed)
    a, b = random_xyxy(rng, 7, digits), random_xyxy(rng, 6, digits)
    b[0] = a[0]
    xywh_a = numbers(ops.box_convert(torch.from_numpy(a), "xyxy", "xywh"))
    xywh_b = ops.box_convert(torch.from_numpy(b), "xyxy", "xywh").numpy()
    crowd = [int(place % 2) for place in range(len(b))]
    rows_a = np.array(xywh_a).reshape(-1, 4)
    return {
        "a": numbers(a),
        "b": numbers(b),
        "a_xywh": xywh_a,
        "a_cxcywh": numbers(ops.box_convert(torch.from_numpy(a), "xyxy", "cxcywh")),
        "clipped_to_40_by_30": numbers(ops.clip_boxes_to_image(torch.from_numpy(a), (30, 40))),
        "iou": numbers(ops.box_iou(torch.from_numpy(a), torch.from_numpy(b))),
        "giou": numbers(ops.generalized_box_iou(torch.from_numpy(a), torch.from_numpy(b))),
        "b_xywh": numbers(xywh_b),
        "crowd": crowd,
        "coco_iou": numbers(coco_mask.iou(rows_a, xywh_b, crowd)),
    }


def suppression_case(seed, count, digits, threshold):
    rng = np.random.default_rng(seed)
    boxes = torch.from_numpy(random_xyxy(rng, count, digits))
    scores = torch.from_numpy(rng.uniform(0, 1, count).round(2 if digits else 1))
    classes = torch.from_numpy(rng.integers(0, 3, count))
    by_class = torch.cat(
        [(classes == label).nonzero().ravel()[ops.nms(boxes[classes == label], scores[classes == label], threshold)]
         for label in range(3)]
    ).sort().values
    by_class = by_class[scores[by_class].sort(descending=True, stable=True).indices]
    assert sorted(by_class.tolist()) == sorted(ops.batched_nms(boxes, scores, classes, threshold).tolist())
    return {
        "boxes": numbers(boxes),
        "scores": numbers(scores),
        "classes": classes.tolist(),
        "threshold": threshold,
        "kept": ops.nms(boxes, scores, threshold).tolist(),
        "kept_by_class": by_class.tolist(),
    }


def described(rle):
    return {
        "compressed": rle["counts"].decode(),
        "area": float(coco_mask.area(rle)),
        "xywh": numbers(coco_mask.toBbox(rle)),
    }


def polygons_case(seed, width, height):
    rng = np.random.default_rng(seed)
    polygons = []
    for place in range(14):
        corners = int(rng.integers(3, 9))
        center = rng.uniform(0, [width, height])
        angles = np.sort(rng.uniform(0, 2 * np.pi, corners)) if place % 3 else rng.uniform(0, 2 * np.pi, corners)
        radius = rng.uniform(0.5, max(width, height) * (0.3 if place % 2 else 0.9))
        points = center + radius * np.stack([np.cos(angles), np.sin(angles)], axis=1)
        points = points.round(int(rng.integers(0, 4)))
        if place % 5 == 0:
            # Closed outlines repeat their first corner: an edge of no length.
            points = np.vstack([points, points[:1]])
        polygons.append(numbers(points))
    polygons.append([1.0, 1.0, 1.0, 1.0, 1.0, 1.0])
    polygons.append([0.0, 0.0, float(width), 0.0, float(width), float(height), 0.0, float(height)])
    polygons.append([0.5, 0.5, width - 0.5, 0.5, width - 0.5, height - 0.5, 0.5, height - 0.5])
    rles = [coco_mask.frPyObjects([polygon], height, width)[0] for polygon in polygons]
    merged = coco_mask.merge(rles[:3])
    return {
        "width": width,
        "height": height,
        "polygons": polygons,
        "masks": [described(rle) for rle in rles],
        "first_three": described(merged),
        "crowd": [int(place % 2) for place in range(5)],
        "iou": numbers(coco_mask.iou(rles, rles[:5], [int(place % 2) for place in range(5)])),
    }


def mask_case(seed, width, height, density):
    rng = np.random.default_rng(seed)
    pixels = (rng.uniform(size=(height, width)) < density).astype(np.uint8)
    rle = coco_mask.encode(np.asfortranarray(pixels))
    return {
        "width": width,
        "height": height,
        "rows": ["".join(map(str, row)) for row in pixels.tolist()],
        **described(rle),
    }


def main():
    names = ("numpy", "torch", "torchvision", "pycocotools")
    versions = {"python": sys.version.split()[0], **{name: version(name) for name in names}}
    golden = {
        "made_by": "scripts/goldens/geometry.py",
        "versions": versions,
        "boxes": [boxes_case(0, 2), boxes_case(1, 0)],
        "suppression": [
            suppression_case(2, 60, 2, 0.5),
            suppression_case(3, 60, 0, 0.2),
            suppression_case(4, 0, 0, 0.5),
        ],
        "polygons": [polygons_case(5, 50, 37), polygons_case(6, 9, 120), polygons_case(7, 300, 200)],
        "masks": [
            mask_case(8, 11, 7, 0.5),
            mask_case(9, 40, 60, 0.03),
            mask_case(10, 5, 4, 0.0),
            mask_case(11, 5, 4, 1.0),
            mask_case(12, 1, 90, 0.9),
        ],
    }
    json.dump(golden, sys.stdout)
    print()


if __name__ == "__main__":
    main()
