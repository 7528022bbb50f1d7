"""Writes resize_goldens.json: images resized by Pillow, which `resize` must match.

    pip install pillow==12.0.0 && python make_resize_goldens.py > resize_goldens.json
"""

import json
import PIL
from PIL import Image

cases = []
for (height, width), (new_height, new_width) in [
    ((5, 7), (3, 4)),
    ((4, 4), (9, 6)),
    ((28, 28), (20, 20)),
    ((13, 3), (2, 11)),
    ((1, 6), (4, 1)),
]:
    pixels = [((31 * i * i + 17 * i) % 101) / 50 - 0.5 for i in range(height * width)]
    image = Image.new("F", (width, height))
    image.putdata(pixels)
    resized = image.resize((new_width, new_height), Image.Resampling.BILINEAR)
    cases.append({"from": [height, width], "to": [new_height, new_width], "pixels": [round(p, 7) for p in resized.getdata()]})
print(json.dumps({"pillow": PIL.__version__, "cases": cases}, indent=1).replace(",\n    ", ", ").replace("[\n    ", "["))
