#!/usr/bin/env python3
"""Makes segmentation_models.json with the PyTorch U-Net of scripts/bench/torch_unet.py.

    python scripts/goldens/segmentation_models.py crates/models/tests/golden

Cases are as those of classification_models.py.
"""
import json
import pathlib
import platform
import sys

import torch
from classification_models import case

sys.path.append(str(pathlib.Path(__file__).parent.parent / "bench"))
from torch_unet import UNet


def main(folder):
    cases = [
        case("unet", UNet(3, 3, width=4, depth=2), (19, 22)),
        case("unet-deep", UNet(3, 2, width=3, depth=4), (16, 16)),
    ]
    for each in cases:
        each["logits"] = [float(f"{logit:.9g}") for logit in each["logits"]]
    versions = {"python": platform.python_version(), "torch": torch.__version__}
    path = pathlib.Path(folder) / "segmentation_models.json"
    text = json.dumps({"versions": versions, "cases": cases}, separators=(",", ":"))
    path.write_text(text.replace('{"model"', '\n{"model"') + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
