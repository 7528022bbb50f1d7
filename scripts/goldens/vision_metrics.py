#!/usr/bin/env python3
"""Makes crates/metrics/tests/golden/vision_metrics.json with scikit-learn and torchmetrics; prints it.

    python scripts/goldens/vision_metrics.py > crates/metrics/tests/golden/vision_metrics.json

Scores are single-precision numbers written in full, so that both sides start from the same bits.
"""
import json
import sys
import warnings
from importlib.metadata import version

import numpy as np
import torch
from sklearn import metrics
from torchmetrics.classification import MulticlassCalibrationError, MulticlassJaccardIndex
from torchmetrics.detection import PanopticQuality


def singles(array):
    return np.asarray(array, dtype=np.float32).astype(np.float64).ravel().tolist()


def scores(targets, predicted, average, **options):
    triple = metrics.precision_recall_fscore_support(targets, predicted, average=average, zero_division=0, **options)
    return {name: float(value) for name, value in zip(("precision", "recall", "f1"), triple)}


def binary_case(seed, num_samples, digits):
    rng = np.random.default_rng(seed)
    positive = rng.uniform(size=num_samples) < 0.3
    # Few digits make equal scores.
    values = (rng.normal(size=num_samples) + positive).round(digits).astype(np.float32)
    precision, recall, thresholds = metrics.precision_recall_curve(positive, values)
    called = values.astype(np.float64)[:, None] >= thresholds
    f1 = [metrics.f1_score(positive, column) for column in called.T]
    return {
        "scores": singles(values),
        "positive": positive.astype(int).tolist(),
        "auroc": float(metrics.roc_auc_score(positive, values)),
        "average_precision": float(metrics.average_precision_score(positive, values)),
        # The reference begins with the lowest threshold, and ends with a point that has none.
        "thresholds": singles(thresholds[::-1]),
        "precision": precision[:-1][::-1].tolist(),
        "recall": recall[:-1][::-1].tolist(),
        "f1": f1[::-1],
    }


def classes_case(seed, num_samples, num_classes, sharpness, present):
    rng = np.random.default_rng(seed)
    targets = rng.choice(present, num_samples)
    logits = rng.normal(size=(num_samples, num_classes)) * sharpness
    logits[np.arange(num_samples), targets] += sharpness
    probabilities = np.exp(logits - logits.max(axis=1, keepdims=True))
    probabilities = (probabilities / probabilities.sum(axis=1, keepdims=True)).astype(np.float32)
    predicted = probabilities.argmax(axis=1)
    one_vs_rest = [float(metrics.roc_auc_score(targets == label, probabilities[:, label])) for label in present]
    if len(present) == num_classes:
        # roc_auc_score wants rows that sum to 1 in double precision, whose order is that of single precision.
        wide = probabilities.astype(np.float64)
        whole = metrics.roc_auc_score(targets, wide / wide.sum(axis=1, keepdims=True), multi_class="ovr")
        assert abs(whole - np.mean(one_vs_rest)) < 1e-6
    calibration = MulticlassCalibrationError(num_classes, n_bins=15, norm="l1")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        balanced = float(metrics.balanced_accuracy_score(targets, predicted))
    return {
        "num_classes": num_classes,
        "targets": targets.tolist(),
        "predicted": predicted.tolist(),
        "probabilities": singles(probabilities),
        "auroc_one_vs_rest": float(np.mean(one_vs_rest)),
        "balanced_accuracy": balanced,
        "cohen_kappa": float(metrics.cohen_kappa_score(targets, predicted)),
        "matthews_correlation": float(metrics.matthews_corrcoef(targets, predicted)),
        "calibration_error_15_single_precision": float(
            calibration(torch.from_numpy(probabilities), torch.from_numpy(targets))
        ),
    }


def multi_label_case(seed, num_samples, num_labels, never):
    rng = np.random.default_rng(seed)
    targets = rng.uniform(size=(num_samples, num_labels)) < rng.uniform(0.1, 0.6, num_labels)
    targets[:, never] = False
    values = (rng.normal(size=targets.shape) + 1.5 * targets - 0.5).round(2).astype(np.float32)
    predicted = values > 0
    predicted[:, never[:1]] = False
    with_positives = [label for label in range(num_labels) if label not in never]
    per_label = metrics.precision_recall_fscore_support(targets, predicted, average=None, zero_division=0)
    return {
        "num_labels": num_labels,
        "targets": targets.astype(int).ravel().tolist(),
        "predicted": predicted.astype(int).ravel().tolist(),
        "scores": singles(values),
        "subset_accuracy": float(metrics.accuracy_score(targets, predicted)),
        "per_label_f1": per_label[2].tolist(),
        **{average: scores(targets, predicted, average) for average in ("macro", "micro", "weighted")},
        "mean_average_precision": float(
            metrics.average_precision_score(targets[:, with_positives], values[:, with_positives], average="macro")
        ),
    }


def segmentation_case(seed, side, num_classes, present, ignore):
    rng = np.random.default_rng(seed)
    targets = rng.choice(present, (side, side)).repeat(3, axis=0).repeat(3, axis=1)
    predicted = np.where(rng.uniform(size=targets.shape) < 0.7, targets, rng.choice(present, targets.shape))
    if ignore is not None:
        targets[rng.uniform(size=targets.shape) < 0.15] = ignore
    kept = targets != (-1 if ignore is None else ignore)
    truth, found = targets[kept], predicted[kept]
    labels = np.unique(np.concatenate([truth, found]))
    jaccard = metrics.jaccard_score(truth, found, labels=list(range(num_classes)), average=None, zero_division=0)
    options = {} if ignore is None else {"ignore_index": ignore}
    torch_jaccard = MulticlassJaccardIndex(num_classes, average="none", **options)(
        torch.from_numpy(predicted), torch.from_numpy(targets)).numpy()
    assert np.allclose(torch_jaccard, jaccard, atol=1e-6), (torch_jaccard, jaccard)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        mean_class_accuracy = float(metrics.balanced_accuracy_score(truth, found))
    return {
        "num_classes": num_classes,
        "ignore": ignore,
        "present": labels.tolist(),
        "targets": targets.ravel().tolist(),
        "predicted": predicted.ravel().tolist(),
        "intersection_over_union": jaccard.tolist(),
        "mean_intersection_over_union": float(metrics.jaccard_score(truth, found, average="macro")),
        "mean_dice": float(metrics.f1_score(truth, found, average="macro")),
        "pixel_accuracy": float(metrics.accuracy_score(truth, found)),
        "mean_class_accuracy": mean_class_accuracy,
    }


def instances(rng, side, num_instances):
    """A label image of rectangles, and the class of each label; 0 is the background, of class 0."""
    labels = np.zeros((side, side), dtype=np.int64)
    for label in range(1, num_instances + 1):
        left, top = rng.integers(0, side - 3, 2)
        labels[top:top + rng.integers(3, 8), left:left + rng.integers(3, 8)] = label
    return labels, np.concatenate([[0], rng.integers(1, 3, num_instances)])


def panoptic_case(seed, num_pictures, side):
    rng = np.random.default_rng(seed)
    # Class 3 occurs nowhere.
    metric = PanopticQuality(things={1, 2, 3}, stuffs={0}, return_sq_and_rq=True, return_per_class=True)
    whole = PanopticQuality(things={1, 2, 3}, stuffs={0})
    pictures = []
    for _ in range(num_pictures):
        truth, truth_classes = instances(rng, side, 6)
        found, found_classes = np.roll(truth, rng.integers(0, 2, 2), axis=(0, 1)), truth_classes.copy()
        found[found == 1] = 0
        found[(found == 2) & (rng.uniform(size=found.shape) < 0.3)] = 0
        extra, _ = instances(rng, side, 1)
        found[extra > 0] = 7
        found_classes = np.append(found_classes, 1)
        found_classes[3] = 3 - found_classes[3]
        pair = [torch.from_numpy(np.stack([classes[labels], labels], axis=-1))[None]
                for labels, classes in ((found, found_classes), (truth, truth_classes))]
        metric.update(*pair)
        whole.update(*pair)
        pictures.append({
            "truth": truth.ravel().tolist(), "truth_classes": truth_classes.tolist(),
            "found": found.ravel().tolist(), "found_classes": found_classes.tolist(),
        })
    # Rows are of the things, then of the stuff.
    rows = metric.compute().tolist()
    counts = list(zip(*(getattr(metric, name).tolist()
                        for name in ("true_positives", "false_positives", "false_negatives"))))
    reorder = lambda values: [values[3], *values[:3]]
    return {"side": side, "pictures": pictures, "quality": reorder(rows), "counts": reorder(counts),
            "mean": float(whole.compute())}


def main():
    names = ("numpy", "scikit-learn", "torch", "torchmetrics")
    versions = {"python": sys.version.split()[0], **{name: version(name) for name in names}}
    golden = {
        "made_by": "scripts/goldens/vision_metrics.py",
        "versions": versions,
        "binary": [binary_case(0, 60, 1), binary_case(1, 40, 6), binary_case(2, 50, 0)],
        "classes": [
            classes_case(3, 60, 3, 1.0, [0, 1, 2]),
            classes_case(4, 50, 5, 0.5, [0, 1, 3]),
            classes_case(5, 60, 4, 3.0, [0, 1, 2, 3]),
        ],
        "multi_label": [multi_label_case(6, 40, 5, []), multi_label_case(7, 30, 6, [2, 4])],
        "segmentation": [
            segmentation_case(8, 8, 4, [0, 1, 2, 3], 255),
            segmentation_case(9, 6, 5, [0, 2, 4], None),
            segmentation_case(10, 6, 3, [0, 1, 2], 0),
        ],
        "panoptic": [panoptic_case(11, 4, 20), panoptic_case(12, 3, 16)],
    }
    json.dump(golden, sys.stdout)
    print()


if __name__ == "__main__":
    main()
