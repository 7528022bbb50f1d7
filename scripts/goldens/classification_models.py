#!/usr/bin/env python3
"""Makes classification_models.json with torchvision, timm and efficientnet-lite-pytorch.

    python scripts/goldens/classification_models.py crates/models/tests/golden

Each case is the logits of one model for two images, in evaluation and in double precision. Weights and images are no
part of the file: both sides make them, in single precision, from names and indices by the formula in `numbers`.
"""
import json
import math
import pathlib
import platform
import sys

import timm
import torch
import torchvision
from efficientnet_lite_pytorch import EfficientNet
from torch import nn

NUM_CLASSES = 10


def fnv1a(name):
    state = 0x811C9DC5
    for byte in name.encode():
        state = (state ^ byte) * 0x01000193 % 2**32
    return state


def numbers(name, shape):
    """Numbers in [-1, 1) that look random: a hash of the name, then one of that plus the index."""
    x = torch.arange(math.prod(shape), dtype=torch.int64) * 0x9E3779B9 + fnv1a(name)
    x = x % 2**32
    x = (x ^ (x >> 16)) * 0x85EBCA6B % 2**32
    x = (x ^ (x >> 13)) * 0xC2B2AE35 % 2**32
    x = x ^ (x >> 16)
    return (x.to(torch.float64) / 2**31 - 1).reshape(shape)


def weights(name, shape):
    u = numbers(name, shape)
    if name.endswith("running_mean"):
        x = 0.1 * u
    elif name.endswith("running_var"):
        x = 1 + 0.3 * u
    elif len(shape) == 1 and name.endswith("weight"):  # of normalisations
        x = 1 + 0.2 * u
    elif len(shape) == 1:
        x = 0.1 * u
    elif "_embed" in name and "proj" not in name or name == "cls_token":
        x = 0.5 * u
    else:
        x = math.sqrt(6 / math.prod(shape[1:])) * u
    return x.to(torch.float32).to(torch.float64)


def small_stem(model):
    model.conv1 = nn.Conv2d(3, 64, 3, padding=1, bias=False)
    model.maxpool = nn.Identity()
    return model


def case(name, model, size):
    model = model.double().eval()
    with torch.no_grad():
        for tensor_name, tensor in model.state_dict().items():
            if tensor.is_floating_point():
                tensor.copy_(weights(tensor_name, tensor.shape))
        images = numbers("images", [2, 3, *size]).to(torch.float32).to(torch.float64)
        logits = model(images)
    tensors = {key: list(tensor.shape) for key, tensor in model.state_dict().items()}
    names = "\n".join(f"{key} {shape}" for key, shape in sorted(tensors.items()))
    return {
        "model": name,
        "size": list(size),
        "num_tensors": len(tensors),
        "names_fnv1a": fnv1a(names),
        "logits": logits.flatten().tolist(),
    }


def main(folder):
    resnets = torchvision.models
    lite0 = EfficientNet.from_name("efficientnet-lite0", num_classes=NUM_CLASSES, image_size=[75, 64])
    vit = timm.models.vision_transformer.VisionTransformer(
        img_size=(64, 80), patch_size=16, embed_dim=192, depth=12, num_heads=3, num_classes=NUM_CLASSES
    )
    cases = [
        case("resnet18", resnets.resnet18(num_classes=NUM_CLASSES), (97, 80)),
        case("resnet18-small", small_stem(resnets.resnet18(num_classes=NUM_CLASSES)), (32, 28)),
        case("resnet34", resnets.resnet34(num_classes=NUM_CLASSES), (70, 80)),
        case("resnet50", resnets.resnet50(num_classes=NUM_CLASSES), (97, 80)),
        case("mobilenet-v2", resnets.mobilenet_v2(num_classes=NUM_CLASSES), (75, 64)),
        case("efficientnet-lite0", lite0, (75, 64)),
        case("vit-tiny", vit, (64, 80)),
    ]
    versions = {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "torchvision": torchvision.__version__,
        "timm": timm.__version__,
        "efficientnet-lite-pytorch": "0.1.0",
    }
    path = pathlib.Path(folder) / "classification_models.json"
    path.write_text(json.dumps({"versions": versions, "cases": cases}, indent=1) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
