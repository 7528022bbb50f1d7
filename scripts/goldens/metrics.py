#!/usr/bin/env python3
"""Makes crates/metrics/tests/golden/metrics.json with scikit-learn; prints it to standard output.

    python scripts/goldens/metrics.py > crates/metrics/tests/golden/metrics.json

Inputs are single-precision numbers written in full, so that both sides start from the same bits.
"""
import json
import sys

import numpy as np
import sklearn
from sklearn import metrics

BINS = 15


def expected_calibration_error(probabilities, targets):
    """Guo et al. 2017, equation 3, written from its text: scikit-learn has no such metric."""
    confidence = probabilities.max(axis=1).astype(np.float64)
    right = probabilities.argmax(axis=1) == targets
    total = 0.0
    for lower in range(BINS):
        inside = (confidence > lower / BINS) & (confidence <= (lower + 1) / BINS)
        if inside.any():
            total += inside.mean() * abs(right[inside].mean() - confidence[inside].mean())
    return total


def scores(triple):
    return {name: float(value) for name, value in zip(("precision", "recall", "f1"), triple)}


def case(seed, num_samples, num_classes, sharpness, present):
    rng = np.random.default_rng(seed)
    targets = rng.choice(present, num_samples)
    logits = rng.normal(size=(num_samples, num_classes)) * sharpness
    logits[np.arange(num_samples), targets] += sharpness
    probabilities = np.exp(logits - logits.max(axis=1, keepdims=True))
    probabilities = (probabilities / probabilities.sum(axis=1, keepdims=True)).astype(np.float32)
    predicted = probabilities.argmax(axis=1)
    labels = list(range(num_classes))
    values = rng.normal(3, 2, num_samples).astype(np.float32)
    value_targets = rng.normal(3, 2, num_samples).astype(np.float32)
    matrix = metrics.confusion_matrix(targets, predicted, labels=labels)
    per_class = metrics.precision_recall_fscore_support(targets, predicted, labels=labels, zero_division=0)
    averaged = {
        average: scores(
            metrics.precision_recall_fscore_support(targets, predicted, average=average, zero_division=0)[:3]
        )
        for average in ("macro", "micro", "weighted")
    }
    return {
        "num_classes": num_classes,
        "targets": targets.tolist(),
        "predicted": predicted.tolist(),
        "probabilities": probabilities.astype(np.float64).ravel().tolist(),
        "values": values.astype(np.float64).tolist(),
        "value_targets": value_targets.astype(np.float64).tolist(),
        "accuracy": float(metrics.accuracy_score(targets, predicted)),
        "top_1_accuracy": float(metrics.top_k_accuracy_score(targets, probabilities, k=1, labels=labels)),
        "top_2_accuracy": float(metrics.top_k_accuracy_score(targets, probabilities, k=2, labels=labels)),
        "confusion_matrix": {str(label): row for label, row in enumerate(matrix.tolist())},
        "per_class": [scores(triple) for triple in zip(*per_class[:3])],
        **averaged,
        "cross_entropy": cross_entropy(probabilities, targets, labels),
        "expected_calibration_error_15": float(expected_calibration_error(probabilities, targets)),
        "mean_squared_error": float(
            metrics.mean_squared_error(value_targets.astype(np.float64), values.astype(np.float64))
        ),
        "mean": float(values.astype(np.float64).mean()),
        "variance": float(values.astype(np.float64).var()),
    }


def cross_entropy(probabilities, targets, labels):
    """log_loss in double precision of probabilities clipped as log_loss clips single-precision ones."""
    eps = float(np.finfo(np.float32).eps)
    clipped = np.clip(probabilities.astype(np.float64), eps, 1 - eps)
    # log_loss would warn of rows that no longer sum to 1 and normalise nothing; it takes them as they are.
    loss = float(metrics.log_loss(targets, clipped, labels=labels))
    single = float(metrics.log_loss(targets, probabilities, labels=labels))
    assert abs(loss - single) < 1e-5, (loss, single)
    return loss


def main():
    versions = {"python": sys.version.split()[0], "scikit-learn": sklearn.__version__, "numpy": np.__version__}
    cases = [
        case(0, 60, 3, 1.0, [0, 1, 2]),
        case(1, 80, 5, 0.5, [0, 1, 3]),
        case(2, 100, 10, 2.0, list(range(10))),
        case(3, 40, 4, 12.0, [1, 2]),
    ]
    json.dump({"made_by": "scripts/goldens/metrics.py", "versions": versions, "cases": cases}, sys.stdout)
    print()


if __name__ == "__main__":
    main()
