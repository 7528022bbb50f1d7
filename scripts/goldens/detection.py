#!/usr/bin/env python3
"""Makes crates/metrics/tests/golden/detection.json with pycocotools and ChainerCV; prints it to standard output.

    python scripts/goldens/detection.py CHAINERCV > crates/metrics/tests/golden/detection.json

CHAINERCV is the unpacked source distribution of ChainerCV (`pip download --no-deps chainercv`): two of its files are
read by themselves, for as a whole it needs a numpy of its time.
"""
import contextlib
import importlib.util
import io
import json
import sys
import types
from importlib.metadata import version
from pathlib import Path

import numpy as np
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

SIDE = 200


def random_box(rng, step):
    size = rng.choice([8, 30, 60, 110])
    width, height = np.maximum(rng.uniform(0.5, 1.3, 2) * size, 2)
    left, top = rng.uniform(0, SIDE - 4, 2)
    return [round(float(value) / step) * step for value in (left, top, width, height)]


def moved(rng, box, by, step):
    changed = np.array(box) + rng.normal(size=4) * by * np.array([box[2], box[3], box[2], box[3]])
    changed[2:] = np.maximum(changed[2:], 2)
    return [round(float(value) / step) * step for value in changed]


def ellipse(box):
    """A mask within a box, as compressed runs."""
    left, top, width, height = box
    angles = np.arange(10) * 2 * np.pi / 10
    points = np.stack([left + width / 2 * (1 + np.cos(angles)), top + height / 2 * (1 + np.sin(angles))], axis=1)
    rle = coco_mask.frPyObjects([points.ravel().tolist()], SIDE, SIDE)[0]
    return {"size": rle["size"], "counts": rle["counts"].decode()}


def pictures(seed, num_pictures, num_classes, step, digits, most_truths, extra):
    """Truths and detections: found well and badly, twice, of another class, of nothing; crowds; empty pictures."""
    rng = np.random.default_rng(seed)
    truths, detections = [], []
    for picture in range(num_pictures):
        number = 0 if picture % 5 == 3 else int(rng.integers(1, most_truths + 1))
        for _ in range(number):
            box, label = random_box(rng, step), int(rng.integers(0, num_classes - 1))
            truths.append({
                "picture": picture,
                "class": label,
                "box": box,
                "area": round(box[2] * box[3] * float(rng.uniform(0.6, 1.0)), 2),
                "crowd": int(rng.uniform() < 0.15),
            })
            for _ in range(int(rng.choice([0, 1, 1, 2]))):
                detections.append({
                    "picture": picture,
                    "class": label if rng.uniform() < 0.85 else int(rng.integers(0, num_classes)),
                    "box": box if rng.uniform() < 0.1 else moved(rng, box, rng.choice([0.02, 0.06, 0.15]), step),
                    "score": round(float(rng.uniform(0.2, 1.0)), digits),
                })
        for _ in range(extra):
            detections.append({
                "picture": picture,
                "class": int(rng.integers(0, num_classes)),
                "box": random_box(rng, step),
                "score": round(float(rng.uniform(0, 0.7)), digits),
            })
    order = rng.permutation(len(detections))
    return truths, [detections[place] for place in order]


def coco_numbers(kind, num_pictures, num_classes, truths, detections):
    region = (lambda own: {"bbox": own["box"]}) if kind == "bbox" else (
        lambda own: {"segmentation": own["mask"], "bbox": own["box"]})
    images = [{"id": place + 1, "width": SIDE, "height": SIDE} for place in range(num_pictures)]
    annotations = [
        {"id": place + 1, "image_id": own["picture"] + 1, "category_id": own["class"] + 1, "area": own["area"],
         "iscrowd": own["crowd"], **region(own)}
        for place, own in enumerate(truths)
    ]
    results = [
        {"image_id": own["picture"] + 1, "category_id": own["class"] + 1, "score": own["score"],
         **({"bbox": own["box"]} if kind == "bbox" else {"segmentation": own["mask"]})}
        for own in detections
    ]
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = {"images": images, "annotations": annotations,
                        "categories": [{"id": place + 1} for place in range(num_classes)]}
        coco.createIndex()
        if results:
            found = coco.loadRes(results)
        else:
            # loadRes does not take an empty list.
            found = COCO()
            found.dataset = {"images": images, "annotations": [], "categories": coco.dataset["categories"]}
            found.createIndex()
        evaluation = COCOeval(coco, found, kind)
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    precision, recall = evaluation.eval["precision"], evaluation.eval["recall"]
    mean = lambda values: float(values[values > -1].mean()) if (values > -1).any() else None
    return {
        "scores": [None if value == -1 else float(value) for value in evaluation.stats],
        "class_ap": [mean(precision[:, :, label, 0, 2]) for label in range(num_classes)],
        "class_ap50": [mean(precision[0, :, label, 0, 2]) for label in range(num_classes)],
        "class_ap75": [mean(precision[5, :, label, 0, 2]) for label in range(num_classes)],
        "class_ar": [mean(recall[:, label, 0, 2]) for label in range(num_classes)],
        "precision_at_recalls_50": [
            None if (precision[0, :, label, 0, 2] == -1).all() else precision[0, ::10, label, 0, 2].tolist()
            for label in range(num_classes)
        ],
        "confidence_curves": [confidence_curve(evaluation, [label + 1]) for label in range(num_classes)],
        "micro_confidence_curve": confidence_curve(evaluation, list(range(1, num_classes + 1))),
    }


def confidence_curve(evaluation, labels):
    """Threshold, precision, recall, F1 at IoU 0.5, from pycocotools' matches: only some points, and the best."""
    everything = [own for own in evaluation.evalImgs
                  if own is not None and own["category_id"] in labels and own["aRng"] == [0, 1e10]]
    num_truths = sum(int((np.array(own["gtIgnore"]) == 0).sum()) for own in everything)
    triples = [
        (score, own["dtMatches"][0][place] > 0)
        for own in everything
        for place, score in enumerate(own["dtScores"])
        if not own["dtIgnore"][0][place]
    ]
    points = []
    for threshold in sorted({score for score, _ in triples}, reverse=True):
        called = [right for score, right in triples if score >= threshold]
        right = sum(called)
        precision = right / len(called)
        recall = right / num_truths if num_truths else None
        points.append([threshold, precision, recall, 2 * right / (len(called) + num_truths)])
    best = max(points, key=lambda point: point[3]) if points else None
    return {"num_points": len(points), "every_fifth": points[::5], "best": best}


def coco_case(kind, seed, num_pictures, num_classes, step, digits, most_truths, extra, detected=True):
    truths, detections = pictures(seed, num_pictures, num_classes, step, digits, most_truths, extra)
    if not detected:
        detections = []
    if kind == "segm":
        for own in truths + detections:
            own["mask"] = ellipse(own["box"])
        for own in truths:
            own["area"] = float(coco_mask.area(own["mask"]))
    return coco_case_of(kind, num_pictures, num_classes, truths, detections)


def coco_case_of(kind, num_pictures, num_classes, truths, detections):
    numbers = coco_numbers(kind, num_pictures, num_classes, truths, detections)
    place = (lambda own: own["box"]) if kind == "bbox" else (lambda own: own["mask"]["counts"])
    return {
        "num_pictures": num_pictures,
        "num_classes": num_classes,
        "side": SIDE,
        "truths": [[own["picture"], own["class"], own["crowd"], own["area"], place(own)] for own in truths],
        "detections": [[own["picture"], own["class"], own["score"], place(own)] for own in detections],
        **numbers,
    }


def chainercv(folder):
    """ChainerCV's evaluation by itself: of chainer it needs to know which module holds arrays."""
    def load(name, path):
        spec = importlib.util.spec_from_file_location(name, path)
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
        return module

    backends = types.ModuleType("chainer.backends")
    backends.cuda = types.SimpleNamespace(get_array_module=lambda *arrays: np)
    sys.modules.update({"chainer": types.ModuleType("chainer"), "chainer.backends": backends})
    for package in ("chainercv", "chainercv.utils", "chainercv.utils.bbox"):
        sys.modules[package] = types.ModuleType(package)
    load("chainercv.utils.bbox.bbox_iou", folder / "chainercv/utils/bbox/bbox_iou.py")
    return load("voc", folder / "chainercv/evaluations/eval_detection_voc.py")


def voc_case(voc, seed, num_pictures, num_classes, threshold):
    # ChainerCV's order of equal scores is that of an unstable sort: whole coordinates, but different scores.
    return voc_case_of(voc, num_pictures, num_classes, threshold, *pictures(seed, num_pictures, num_classes, 1, 9, 6, 3))


def voc_case_of(voc, num_pictures, num_classes, threshold, truths, detections):
    def arrays(owns, value, shape=(0,)):
        rows = [[value(own) for own in owns if own["picture"] == picture] for picture in range(num_pictures)]
        return [np.array(row) if row else np.zeros(shape) for row in rows]

    # Rows are top, left, bottom, right, and the last pixel's place, which ChainerCV adds 1 to.
    corners = lambda own: [own["box"][1], own["box"][0], own["box"][1] + own["box"][3] - 1.0,
                           own["box"][0] + own["box"][2] - 1.0]
    arguments = (
        arrays(detections, corners, (0, 4)), arrays(detections, lambda own: own["class"]),
        arrays(detections, lambda own: own["score"]), arrays(truths, corners, (0, 4)),
        arrays(truths, lambda own: own["class"]), arrays(truths, lambda own: bool(own["crowd"])),
    )
    arguments = (*arguments[:5], [own.astype(bool) for own in arguments[5]])
    with np.errstate(invalid="ignore"):
        all_points = voc.eval_detection_voc(*arguments, iou_thresh=threshold)
        eleven_points = voc.eval_detection_voc(*arguments, iou_thresh=threshold, use_07_metric=True)
    numbers = lambda values: [None if np.isnan(value) else float(value) for value in values]
    return {
        "num_pictures": num_pictures,
        "num_classes": num_classes,
        "threshold": threshold,
        "truths": [[own["picture"], own["class"], own["crowd"], own["area"], own["box"]] for own in truths],
        "detections": [[own["picture"], own["class"], own["score"], own["box"]] for own in detections],
        "all_points": numbers(all_points["ap"]),
        "all_points_mean": float(all_points["map"]),
        "eleven_points": numbers(eleven_points["ap"]),
        "eleven_points_mean": float(eleven_points["map"]),
    }


def edge_cases():
    """What chance leaves out: equal overlaps, an overlap that is the threshold, areas and recalls on a border."""
    def truth(label, box):
        return {"picture": 0, "class": label, "box": box, "area": box[2] * box[3], "crowd": 0}

    def detection(label, score, box):
        return {"picture": 0, "class": label, "box": box, "score": score}

    # Which of two equally near truths the first detection takes decides whether the second finds one.
    left, right, between = [0.0, 0.0, 12.0, 10.0], [8.0, 0.0, 12.0, 10.0], [4.0, 0.0, 12.0, 10.0]
    truths = [truth(0, left), truth(0, right), truth(1, right), truth(1, left)]
    detections = [detection(label, score, box) for label in (0, 1) for score, box in ((0.9, between), (0.8, left))]
    # Ten truths on a border of area, of which three are found before the first mistake.
    side = 32.0
    for place in range(10):
        box = [place * 40.0, 50.0, side, side] if place % 2 else [place * 40.0, 90.0, 3 * side, 3 * side]
        truths.append(truth(2, box))
        if place < 5:
            detections.append(detection(2, 0.9 - place / 100, box))
    detections.append(detection(2, 0.875, [0.0, 500.0, side, side]))
    detections.append(detection(2, 0.874, [0.0, 600.0, 3 * side, 3 * side]))
    return truths, detections


def main():
    voc = chainercv(Path(sys.argv[1]))
    names = ("numpy", "pycocotools")
    versions = {"python": sys.version.split()[0], **{name: version(name) for name in names},
                "chainercv": Path(sys.argv[1]).name.rpartition("-")[2]}
    golden = {
        "made_by": "scripts/goldens/detection.py",
        "versions": versions,
        "coco_boxes": [
            coco_case("bbox", 0, 25, 4, 0.25, 2, 6, 2),
            # Coarse boxes and scores: ties everywhere.
            coco_case("bbox", 1, 20, 3, 4, 1, 8, 3),
            coco_case("bbox", 2, 2, 2, 1, 2, 4, 240),
            coco_case("bbox", 3, 6, 3, 1, 2, 4, 0, detected=False),
            coco_case("bbox", 4, 4, 2, 1, 3, 1, 1),
            coco_case_of("bbox", 1, 3, *edge_cases()),
        ],
        "coco_masks": [
            coco_case("segm", 5, 20, 3, 1, 2, 6, 1),
            coco_case("segm", 6, 12, 2, 4, 1, 8, 2),
        ],
        "pascal_voc": [
            voc_case(voc, 7, 20, 4, 0.5),
            voc_case(voc, 8, 12, 2, 0.3),
            voc_case_of(voc, 1, 3, 0.5, *edge_cases()),
        ],
    }
    json.dump(golden, sys.stdout)
    print()


if __name__ == "__main__":
    main()
