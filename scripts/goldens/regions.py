#!/usr/bin/env python3
"""Golden values for gyrus-geometry's distance transform, connected regions and watershed: SciPy's and scikit-image's.

    pip install numpy scipy scikit-image
    python scripts/goldens/regions.py > crates/geometry/tests/golden/regions.json
"""
import json
import sys
from importlib.metadata import version

import numpy as np
from scipy import ndimage
from skimage.segmentation import watershed


def blobs(seed, width, height, smoothness, share):
    """Smooth noise, and where it is high."""
    noise = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=(height, width)), smoothness)
    noise = (noise / noise.std()).astype(np.float32)
    return noise, noise > np.quantile(noise, 1 - share)


def own_distances(labels):
    """Of each object by itself: the distance to the nearest pixel that is not of it."""
    distances = np.zeros(labels.shape)
    for label in np.unique(labels[labels > 0]):
        of_object = labels == label
        distances += np.where(of_object, ndimage.distance_transform_edt(of_object), 0)
    return distances


def case(seed, width, height, smoothness, share):
    noise, mask = blobs(seed, width, height, smoothness, share)
    regions, _ = ndimage.label(mask)
    seeds, _ = ndimage.label(noise > np.quantile(noise, 1 - share / 3))
    levels = (-noise).round(3)
    basins = watershed(levels, seeds, mask=mask)
    distances = own_distances(basins)
    return {
        "width": width,
        "height": height,
        "levels": [round(float(level), 3) for level in levels.flatten()],
        "mask": "".join(map(str, mask.astype(int).flatten())),
        "distance": [float(f"{x:.12g}") for x in ndimage.distance_transform_edt(mask).flatten() ** 2],
        "regions": regions.flatten().tolist(),
        "seeds": seeds.flatten().tolist(),
        "basins": basins.flatten().tolist(),
        "own_distance": [float(f"{x:.12g}") for x in distances.flatten() ** 2],
    }


def main():
    versions = {"python": sys.version.split()[0], **{name: version(name) for name in ("numpy", "scipy", "scikit-image")}}
    cases = [case(0, 40, 30, 2.0, 0.4), case(1, 23, 37, 1.2, 0.6), case(2, 1, 25, 1.0, 0.5), case(3, 31, 20, 3.0, 0.8)]
    json.dump({"made_by": "scripts/goldens/regions.py", "versions": versions, "cases": cases}, sys.stdout, separators=(",", ":"))
    print()


if __name__ == "__main__":
    main()
