"""Writes images/*, small files of many formats, and image_goldens.json: their pixels as Pillow reads them.

    pip install pillow==13.0.0 && python make_image_goldens.py
"""

import json
import os

import PIL
import PIL.ImageOps
from PIL import Image

WIDTH, HEIGHT = 9, 6
here = os.path.dirname(os.path.abspath(__file__))
folder = os.path.join(here, "images")
os.makedirs(folder, exist_ok=True)

rgb = Image.new("RGB", (WIDTH, HEIGHT))
rgb.putdata([((x * 28) % 256, (y * 40) % 256, (x * y * 7) % 256) for y in range(HEIGHT) for x in range(WIDTH)])
alpha = Image.new("L", (WIDTH, HEIGHT))
alpha.putdata([(x * 30 + y * 5) % 256 for y in range(HEIGHT) for x in range(WIDTH)])
rgba = rgb.copy()
rgba.putalpha(alpha)
grey16 = Image.new("I;16", (WIDTH, HEIGHT))
grey16.putdata([(x * 7001 + y * 333) % 65536 for y in range(HEIGHT) for x in range(WIDTH)])
smooth = rgb.resize((32, 24), Image.Resampling.BICUBIC)
palette = rgb.quantize(7)
exif = Image.Exif()
exif[0x0112] = 6


def on_white(image):
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, (255, 255, 255, 255))
        return Image.alpha_composite(white, image).convert("RGB")
    return image.convert("RGB")


files = [
    ("cmyk.jpg", smooth.convert("CMYK"), {"quality": 95}, 3),
    ("progressive.jpg", smooth, {"quality": 95, "progressive": True}, 3),
    ("grey.jpg", smooth.convert("L"), {"quality": 95}, 3),
    ("turned.jpg", smooth, {"quality": 95, "exif": exif}, 3),
    ("palette.png", palette, {}, 0),
    ("transparent.png", rgba, {}, 1),
    ("grey_alpha.png", rgba.convert("LA"), {}, 1),
    ("bits.png", rgb.convert("1"), {}, 0),
    ("colour.bmp", rgb, {}, 0),
    ("palette.gif", palette, {}, 0),
    ("lossless.webp", rgb, {"lossless": True}, 0),
    ("deflate.tif", rgb, {"compression": "tiff_adobe_deflate"}, 0),
    ("lzw.tif", rgb.convert("L"), {"compression": "tiff_lzw"}, 0),
    ("colour.ppm", rgb, {}, 0),
]
cases = []
for name, image, options, tolerance in files:
    path = os.path.join(folder, name)
    image.save(path, **options)
    with Image.open(path) as read:
        pixels = on_white(PIL.ImageOps.exif_transpose(read)) if name == "turned.jpg" else on_white(read)
        cases.append({"name": name, "size": [pixels.height, pixels.width], "tolerance": tolerance,
                      "pixels": [list(p) for p in pixels.getdata()]})
deep = []
for name in ["deep.png", "deep.tif"]:
    grey16.save(os.path.join(folder, name))
    with Image.open(os.path.join(folder, name)) as read:
        deep.append({"name": name, "values": list(read.getdata())})
pages = [grey16, Image.new("I;16", (WIDTH, HEIGHT))]
pages[1].putdata([value // 2 for value in grey16.getdata()])
pages[0].save(os.path.join(folder, "pages.tif"), save_all=True, append_images=pages[1:])
labels = {"palette.png": list(Image.open(os.path.join(folder, "palette.png")).getdata()), "deep.png": deep[0]["values"],
          "bits.png": [value // 255 for value in Image.open(os.path.join(folder, "bits.png")).getdata()]}
with open(os.path.join(here, "image_goldens.json"), "w") as file:
    goldens = {"pillow": PIL.__version__, "cases": cases, "deep": deep, "pages": [list(page.getdata()) for page in pages],
               "labels": labels}
    json.dump(goldens, file, separators=(",", ":"))
