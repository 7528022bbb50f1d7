"""Writes images/*, small files of many formats, and image_goldens.json: their pixels as Pillow reads them.

    pip install pillow==13.0.0 && python make_image_goldens.py
"""

import json
import os
import struct
import zlib

import PIL
import PIL.GifImagePlugin
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


def turned(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    return {"exif": exif}


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
    ("turned.jpg", smooth, {"quality": 95, **turned(6)}, 3),
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
# Those without an image are written by hand below.
files += [
    ("deep_colour.png", None, None, 1),
    ("interlaced.png", None, None, 0),
    ("bits.bmp", rgb.convert("1"), {}, 0),
    ("palette.bmp", palette, {}, 0),
    ("alpha.bmp", rgba, {}, 1),
    ("unused_byte.bmp", None, None, 0),
    ("top_down.bmp", None, None, 0),
    ("fields.bmp", None, None, 4.5),
    ("alpha_fields.bmp", None, None, 1),
    ("run_lengths.bmp", None, None, 0),
    ("half_bytes.bmp", None, None, 0),
    ("frames.gif", None, None, 0),
    ("alpha.webp", rgba, {"lossless": True}, 1),
    ("lossy.webp", smooth, {"quality": 90}, 3),
    ("bits.tif", rgb.convert("1"), {}, 0),
    ("fax.tif", rgb.convert("1"), {"compression": "group4"}, 0),
    ("jpeg.tif", smooth.convert("L"), {"compression": "jpeg", "quality": 95}, 3),
    ("ink.tif", rgb.convert("CMYK"), {}, 1),
    ("planes.tif", None, None, 0),
    ("bits.pbm", rgb.convert("1"), {}, 0),
    ("grey.pgm", rgb.convert("L"), {}, 0),
    ("letters.pbm", None, None, 0),
    ("letters.pgm", None, None, 0.5),
    ("letters.ppm", None, None, 0),
    ("map.pam", None, None, 0),
]
files += [(f"turned_{orientation}.png", rgb, turned(orientation), 0) for orientation in range(2, 9)]
files += [("turned.webp", rgb, {"lossless": True, **turned(6)}, 0), ("turned.tif", rgb, {"tiffinfo": {0x0112: 8}}, 0)]


def bmp(bits, data, top_down=False, compression=0, palette=b"", masks=b"", length=40):
    """A BMP file of WIDTH x HEIGHT pixels; a header longer than 40 bytes has the masks in it."""
    offset = 14 + 40 + len(masks) + len(palette)
    header = struct.pack("<IiiHHIIiiII", length, WIDTH, -HEIGHT if top_down else HEIGHT, 1, bits, compression, len(data),
                         0, 0, len(palette) // 4, 0)
    return b"BM" + struct.pack("<IHHI", offset + len(data), 0, 0, offset) + header + masks + palette + data


def png(bits, color, passes):
    """A PNG file of WIDTH x HEIGHT pixels, of one pass or of seven."""
    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, bits, color, 0, 0, len(passes) > 1)
    rows = b"".join(b"\0" + row for rows in passes for row in rows if row)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def tiff_of_planes():
    """A TIFF file with a plane for each channel (PlanarConfiguration 2)."""
    planes = [bytes(channel.getdata()) for channel in rgb.split()]
    size = WIDTH * HEIGHT
    # Short numbers that fit stand in the entry, others behind the directory.
    entries = [(256, 3, 1, WIDTH), (257, 3, 1, HEIGHT), (258, 3, 3, 200), (259, 3, 1, 1), (262, 3, 1, 2), (273, 4, 3, 206),
               (277, 3, 1, 3), (278, 3, 1, HEIGHT), (279, 4, 3, 218), (284, 3, 1, 2)]
    directory = struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", *entry) for entry in entries)
    head = (b"II*\0" + struct.pack("<I", 8) + directory + struct.pack("<I", 0)).ljust(200, b"\0")
    head += struct.pack("<HHH", 8, 8, 8) + struct.pack("<III", *[230 + i * size for i in range(3)])
    return head + struct.pack("<III", size, size, size) + b"".join(planes)


colours = list(rgb.getdata())
rows = [colours[y * WIDTH:(y + 1) * WIDTH] for y in range(HEIGHT)]
alphas = [list(alpha.getdata())[y * WIDTH:(y + 1) * WIDTH] for y in range(HEIGHT)]
indices = list(palette.getdata())
index_rows = [indices[y * WIDTH:(y + 1) * WIDTH] for y in range(HEIGHT)]
bgr0 = [b"".join(bytes([b, g, r, 0]) for r, g, b in row) for row in rows]
fields = [b"".join(struct.pack("<H", r >> 3 << 11 | g >> 2 << 5 | b >> 3) for r, g, b in row) + b"\0\0" for row in rows]
runs = b"".join(b"".join(bytes([1, index]) for index in row) + b"\0\0" for row in index_rows[::-1]) + b"\0\1"
pad = [row + [0] * (len(row) % 2) for row in index_rows]
half_bytes = b"".join(bytes([0, WIDTH]) + bytes(a << 4 | b for a, b in zip(row[::2], row[1::2])).ljust(6, b"\0") + b"\0\0"
                      for row in pad[::-1]) + b"\0\1"
argb = [b"".join(struct.pack("<I", a << 24 | r << 16 | g << 8 | b) for (r, g, b), a in zip(rows[y], alphas[y]))
        for y in range(HEIGHT)]
quads = b"".join(bytes([b, g, r, 0]) for r, g, b in zip(*[iter(palette.getpalette()[:21])] * 3))
passes = [[b"".join(bytes(rows[y][x]) for x in range(x0, WIDTH, dx)) for y in range(y0, HEIGHT, dy)] for x0, y0, dx, dy in
          [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]]
deep_rows = [b"".join(struct.pack(">HHH", r * 256 + 17, g * 256 + 200, b * 257) for r, g, b in row) for row in rows]
grey_rows = [[(r + g + b) % 16 for r, g, b in row] for row in rows]
letters = "\n".join(" ".join(map(str, row)) for row in grey_rows)
by_hand = {
    "deep_colour.png": png(16, 2, [deep_rows]),
    "interlaced.png": png(8, 2, passes),
    "unused_byte.bmp": bmp(32, b"".join(bgr0[::-1])),
    "top_down.bmp": bmp(32, b"".join(bgr0), top_down=True),
    "fields.bmp": bmp(16, b"".join(fields[::-1]), compression=3, masks=struct.pack("<III", 31 << 11, 63 << 5, 31)),
    "run_lengths.bmp": bmp(8, runs, compression=1, palette=quads),
    "half_bytes.bmp": bmp(4, half_bytes, compression=2, palette=quads),
    "alpha_fields.bmp": bmp(32, b"".join(argb[::-1]), compression=3, length=56,
                            masks=struct.pack("<IIII", 255 << 16, 255 << 8, 255, 255 << 24)),
    "planes.tif": tiff_of_planes(),
    "letters.pbm": f"P1\n# bits\n{WIDTH} {HEIGHT}\n" + "\n".join("".join(str(v % 2) for v in row) for row in grey_rows),
    "letters.pgm": f"P2 {WIDTH} {HEIGHT} # size\n15\n{letters}\n",
    "letters.ppm": f"P3\n{WIDTH} {HEIGHT}\n255\n" + "\n".join(f"{r} {g} {b}" for r, g, b in colours),
    "map.pam": f"P7\nWIDTH {WIDTH}\nHEIGHT {HEIGHT}\nDEPTH 3\nMAXVAL 255\nTUPLTYPE RGB\nENDHDR\n".encode()
    + bytes(value for pixel in colours for value in pixel),
}
for name, data in by_hand.items():
    with open(os.path.join(folder, name), "wb") as file:
        file.write(data.encode() if isinstance(data, str) else data)
small = palette.crop((2, 1, 6, 5))
with open(os.path.join(folder, "frames.gif"), "wb") as file:
    # The first frame covers a part of the screen only.
    frame = PIL.GifImagePlugin.getdata(small, (3, 2))
    for part in PIL.GifImagePlugin.getheader(palette)[0]:
        file.write(part)
    for part in [*frame, b";"]:
        file.write(part)
cases = []
for name, image, options, tolerance in files:
    path = os.path.join(folder, name)
    if image is not None:
        image.save(path, **options)
    if name == "map.pam":  # Pillow does not read it.
        pixels = rgb
    elif name == "frames.gif":  # Pillow paints the rest of the screen; browsers leave it transparent.
        pixels = Image.new("RGB", (WIDTH, HEIGHT), (255, 255, 255))
        pixels.paste(small.convert("RGB"), (3, 2))
    else:
        with Image.open(path) as read:
            pixels = on_white(PIL.ImageOps.exif_transpose(read))
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
