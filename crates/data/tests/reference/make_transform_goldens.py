"""Writes transform_goldens.json: changes of an image by torchvision, which those of this crate must match.

    pip install torch==2.15.0 torchvision==0.29.2 && python make_transform_goldens.py > transform_goldens.json
"""

import json

import torch
import torchvision
from torchvision.transforms import v2
from torchvision.transforms.v2 import InterpolationMode
from torchvision.transforms.v2 import functional as F

HEIGHT, WIDTH = 8, 9


def picture(height, width):
    count = 3 * height * width
    values = torch.tensor([((31 * i * i + 17 * i) % 101) / 100 for i in range(count)], dtype=torch.float32)
    return values.reshape(3, height, width)


def smooth(height, width):
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    planes = [torch.sin(x / 5 + k) * torch.cos(y / 7 - k) / 2 + 0.5 for k in range(3)]
    return torch.stack(planes).float()


def numbers(image):
    return [round(float(value), 5) for value in image.flatten()]


image = picture(HEIGHT, WIDTH)
tones = {
    "brightness 1.4": F.adjust_brightness(image, 1.4),
    "brightness 0.3": F.adjust_brightness(image, 0.3),
    "contrast 1.7": F.adjust_contrast(image, 1.7),
    "contrast 0.2": F.adjust_contrast(image, 0.2),
    "saturation 1.9": F.adjust_saturation(image, 1.9),
    "saturation 0": F.adjust_saturation(image, 0.0),
    "hue 0.2": F.adjust_hue(image, 0.2),
    "hue -0.45": F.adjust_hue(image, -0.45),
    "sharpness 1.8": F.adjust_sharpness(image, 1.8),
    "posterize 3": F.posterize(image, 3),
    "solarize 0.6": F.solarize(image, 0.6),
    "auto_contrast": F.autocontrast(0.2 + 0.5 * image),
    "gaussian 1.3": F.gaussian_blur(F.pad(image, [4, 4, 4, 4], padding_mode="edge"), 9, 1.3)[:, 4:-4, 4:-4],
}
source = smooth(24, 30)
bilinear = {"interpolation": InterpolationMode.BILINEAR}
warps = {
    "rotate": F.affine(source, angle=20, translate=[2, -1], scale=1.2, shear=[0, 0], **bilinear),
    "perspective": F.perspective(source, [[0, 0], [29, 0], [29, 23], [0, 23]], [[3, 2], [27, 1], [26, 22], [1, 20]], **bilinear),
    "crop": F.resized_crop(source, 4, 6, 16, 20, [8, 15], antialias=True, **bilinear),
}
bytes_of = F.to_dtype(source, torch.uint8, scale=True)
warps["equalize"] = F.to_dtype(F.equalize(bytes_of), torch.float32, scale=True)
print(json.dumps({
    "torch": torch.__version__, "torchvision": torchvision.__version__,
    "tones": {name: numbers(value) for name, value in tones.items()},
    "warps": {name: {"size": list(value.shape[1:]), "pixels": numbers(value)} for name, value in warps.items()},
}, separators=(",", ":")))
