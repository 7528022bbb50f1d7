#!/usr/bin/env python3
"""Makes made-up truths and results of COCO's size, and times pycocotools on them, as
`cargo run --release -p gyrus-metrics --example coco_evaluation` does ours.

    python scripts/bench/coco_evaluation.py FOLDER bbox    # or segm
    cargo run --release -p gyrus-metrics --example coco_evaluation -- FOLDER/truths.json FOLDER/results.json bbox
"""
import contextlib
import io
import json
import sys
import time
from pathlib import Path

import numpy as np
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

NUM_IMAGES, NUM_CLASSES, WIDTH, HEIGHT = 5000, 80, 640, 480


def ellipse(box):
    left, top, width, height = box
    angles = np.arange(12) * 2 * np.pi / 12
    points = np.stack([left + width / 2 * (1 + np.cos(angles)), top + height / 2 * (1 + np.sin(angles))], axis=1)
    rle = coco_mask.frPyObjects([points.ravel().tolist()], HEIGHT, WIDTH)[0]
    return {"size": rle["size"], "counts": rle["counts"].decode()}


def make(folder, kind):
    rng = np.random.default_rng(0)
    truths, results = [], []
    for image in range(1, NUM_IMAGES + 1):
        for _ in range(rng.poisson(7.2)):
            size = np.exp(rng.normal(4, 0.9, 2))
            corner = rng.uniform(0, [WIDTH, HEIGHT])
            box = np.concatenate([corner, np.minimum(size, 400)]).round(2)
            label = int(rng.integers(1, NUM_CLASSES + 1))
            truths.append({"id": len(truths) + 1, "image_id": image, "category_id": label, "bbox": box.tolist(),
                           "area": float((box[2] * box[3] * 0.7).round(2)), "iscrowd": int(rng.uniform() < 0.01)})
            for _ in range(rng.poisson(3.5)):
                moved = box + rng.normal(size=4) * 0.15 * np.tile(box[2:], 2)
                moved[2:] = np.maximum(moved[2:], 2)
                found = label if rng.uniform() < 0.8 else int(rng.integers(1, NUM_CLASSES + 1))
                results.append({"image_id": image, "category_id": found, "bbox": moved.round(2).tolist(),
                                "score": round(float(rng.uniform()), 3)})
        for _ in range(rng.poisson(15)):
            box = np.concatenate([rng.uniform(0, [WIDTH, HEIGHT]), np.exp(rng.normal(4, 0.9, 2))])
            results.append({"image_id": image, "category_id": int(rng.integers(1, NUM_CLASSES + 1)),
                            "bbox": box.round(2).tolist(), "score": round(float(rng.uniform() ** 2), 3)})
    if kind == "segm":
        for own in truths + results:
            own["segmentation"] = ellipse(own["bbox"])
        for own in results:
            del own["bbox"]
    dataset = {"images": [{"id": image, "width": WIDTH, "height": HEIGHT} for image in range(1, NUM_IMAGES + 1)],
               "annotations": truths, "categories": [{"id": label + 1} for label in range(NUM_CLASSES)]}
    (folder / "truths.json").write_text(json.dumps(dataset))
    (folder / "results.json").write_text(json.dumps(results))
    print(f"{NUM_IMAGES} images, {len(truths)} truths, {len(results)} detections")


def main():
    folder, kind = Path(sys.argv[1]), sys.argv[2]
    folder.mkdir(parents=True, exist_ok=True)
    make(folder, kind)
    with contextlib.redirect_stdout(io.StringIO()):
        truths = COCO(str(folder / "truths.json"))
        results = truths.loadRes(str(folder / "results.json"))
        begin = time.process_time()
        evaluation = COCOeval(truths, results, kind)
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
        seconds = time.process_time() - begin
    print(" ".join(f"{value:.9f}" for value in evaluation.stats))
    print(f"pycocotools: {seconds:.2f} s of one core")


if __name__ == "__main__":
    main()
