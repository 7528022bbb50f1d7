#!/usr/bin/env python3
"""Makes task_aligned.json with NumPy: task-aligned assignment, image by image and object by object.

    python scripts/goldens/task_aligned.py crates/tasks/tests/golden

Written from Feng et al., TOOD (2021), section 3.2, and from nothing else. Numbers start as single-precision ones. An
object that is smaller than two places of the finest map a side counts as that large where places are sought.
"""
import json
import pathlib
import platform
import sys

import numpy as np

STRIDES, HEIGHT, WIDTH, CLASSES = [8, 16], 48, 64, 3


def places():
    rows = []
    for stride in STRIDES:
        for y in range(HEIGHT // stride):
            for x in range(WIDTH // stride):
                rows.append(((x + 0.5) * stride, (y + 0.5) * stride, stride))
    return np.array(rows)


def overlap(a, b):
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    area = lambda box: (box[2] - box[0]) * (box[3] - box[1])
    return width * height / (area(a) + area(b) - width * height)


def is_near(place, box, least):
    for axis in (0, 1):
        middle = (box[axis] + box[axis + 2]) / 2
        half = max((box[axis + 2] - box[axis]) / 2, least)
        if abs(place[axis] - middle) >= half:
            return False
    return True


def assign(predicted, probabilities, objects, top_k, alpha, beta):
    where = places()
    count = len(where)
    owner, best = [-1] * count, [0.0] * count
    alignments = {}
    for number, (box, label, role) in enumerate(objects):
        if role != "wanted":
            continue
        of = {}
        for place in range(count):
            if is_near(where[place], box, min(STRIDES)):
                value = probabilities[place][label] ** alpha * overlap(box, predicted[place]) ** beta
                if value > 0:
                    of[place] = value
        chosen = sorted(of, key=lambda place: -of[place])[:top_k]
        alignments[number] = of
        for place in chosen:
            by = overlap(box, predicted[place])
            if owner[place] < 0 or by > best[place]:
                owner[place], best[place] = number, by
    scores = np.zeros((count, CLASSES))
    for number, (box, label, role) in enumerate(objects):
        own = [place for place in range(count) if owner[place] == number]
        if not own:
            continue
        most = max(alignments[number][place] for place in own)
        greatest = max(best[place] for place in own)
        for place in own:
            scores[place][label] = alignments[number][place] / most * greatest
    ignored = [
        owner[place] < 0
        and any(role == "ignored" and is_near(where[place], box, 0) for box, _, role in objects)
        for place in range(count)
    ]
    return owner, scores, ignored


def case(seed, top_k):
    rng = np.random.default_rng(seed)
    where = places()
    single = lambda values: np.asarray(values, np.float32).astype(float)
    images = []
    for _ in range(2):
        objects = []
        for number in range(4):
            corner = rng.uniform(0, [WIDTH - 20, HEIGHT - 20])
            size = rng.uniform(2, 5, 2) if number == 3 else rng.uniform(12, 36, 2)
            role = ["wanted", "wanted", "wanted" if rng.random() < 0.5 else "ignored", "wanted"][number]
            objects.append((single(np.concatenate([corner, corner + size])), int(rng.integers(CLASSES)), role))
        # Two that want the same places.
        objects[1] = (single(objects[0][0] + rng.uniform(-3, 3, 4)), objects[1][1], "wanted")
        sides = rng.uniform(0.2, 1.5, (len(where), 4)) * where[:, 2:3]
        predicted = single(np.concatenate([where[:, :2] - sides[:, :2], where[:, :2] + sides[:, 2:]], 1))
        probabilities = single(rng.uniform(0.01, 0.9, (len(where), CLASSES)))
        owner, scores, ignored = assign(predicted, probabilities, objects, top_k, 0.5, 6.0)
        images.append({
            "boxes": predicted.ravel().tolist(),
            "probabilities": probabilities.ravel().tolist(),
            "objects": [{"box": box.tolist(), "class": label, "role": role} for box, label, role in objects],
            "owner": owner,
            "scores": scores.ravel().tolist(),
            "ignored": ignored,
        })
    return {"top_k": top_k, "images": images}


def main():
    made = {
        "versions": {"python": platform.python_version(), "numpy": np.__version__},
        "strides": STRIDES,
        "size": [HEIGHT, WIDTH],
        "classes": CLASSES,
        "cases": [case(seed, top_k) for seed, top_k in [(0, 10), (1, 3), (2, 1)]],
    }
    folder = pathlib.Path(sys.argv[1])
    (folder / "task_aligned.json").write_text(json.dumps(made, separators=(",", ":")).replace('{"boxes"', '\n{"boxes"') + "\n")


if __name__ == "__main__":
    main()
