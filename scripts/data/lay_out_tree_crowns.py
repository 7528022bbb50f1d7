#!/usr/bin/env python3
"""Lays out the annotated aerial photographs that come with DeepForest (MIT) as Pascal VOC.

    python scripts/data/lay_out_tree_crowns.py DEEPFOREST_DATA OUT

DEEPFOREST_DATA is the folder deepforest/data of its wheel. Photographs are cut into tiles of some 400 pixels that do
not overlap, and no photograph is in two of the splits:

    train  two places: 36 tiles and a photograph    val  a third place: 9 tiles    test  another forest: a photograph

All crowns are of the class Tree; one of the photographs tells dead from living ones, which is dropped. A crown at the
border of a tile belongs to it with the part that lies there, if that is at least 0.3 of its area.
"""
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from PIL import Image

TILE = 400
LEAST_PART = 0.3
SPLITS = {
    "train": ["2019_YELL_2_528000_4978000_image_crop2", "SOAP_061"],
    "val": ["2019_YELL_2_541000_4977000_image_crop"],
    "test": ["OSBS_029"],
}


def boxes_of(path):
    edges = ("xmin", "ymin", "xmax", "ymax")
    return [[float(box.find(edge).text) for edge in edges] for box in ElementTree.parse(path).iter("bndbox")]


def area(box):
    return max(box[2] - box[0], 0) * max(box[3] - box[1], 0)


def within(box, tile):
    """The part of a box that lies in a tile, in the tile's pixels; nothing if that is too little."""
    left, top, right, bottom = tile
    part = [max(box[0], left) - left, max(box[1], top) - top, min(box[2], right) - left, min(box[3], bottom) - top]
    return part if area(box) > 0 and part[2] > part[0] and area(part) >= LEAST_PART * area(box) else None


def write_annotation(path, size, boxes):
    root = ElementTree.Element("annotation")
    ElementTree.SubElement(root, "filename").text = f"{path.stem}.png"
    for name, value in zip(("width", "height", "depth"), (*size, 3)):
        parent = root.find("size")
        parent = ElementTree.SubElement(root, "size") if parent is None else parent
        ElementTree.SubElement(parent, name).text = str(value)
    for box in boxes:
        element = ElementTree.SubElement(root, "object")
        ElementTree.SubElement(element, "name").text = "Tree"
        edges = ElementTree.SubElement(element, "bndbox")
        for name, value in zip(("xmin", "ymin", "xmax", "ymax"), box):
            ElementTree.SubElement(edges, name).text = f"{value:g}"
    ElementTree.indent(root)
    ElementTree.ElementTree(root).write(path)


def cuts(length):
    """The ends of tiles along an axis, of nearly equal lengths."""
    count = max(round(length / TILE), 1)
    return [round(length * place / count) for place in range(count + 1)]


def main(source, out):
    for folder in ("JPEGImages", "Annotations", "ImageSets/Main"):
        (out / folder).mkdir(parents=True, exist_ok=True)
    for split, stems in SPLITS.items():
        names, count = [], 0
        for stem in stems:
            image = Image.open(source / f"{stem}.png").convert("RGB")
            boxes = boxes_of(source / f"{stem}.xml")
            xs, ys = cuts(image.width), cuts(image.height)
            for top, bottom in zip(ys, ys[1:]):
                for left, right in zip(xs, xs[1:]):
                    tile = (left, top, right, bottom)
                    parts = [part for part in (within(box, tile) for box in boxes) if part]
                    name = stem if image.size == (right - left, bottom - top) else f"{stem}_{left}_{top}"
                    image.crop(tile).save(out / f"JPEGImages/{name}.png")
                    write_annotation(out / f"Annotations/{name}.xml", (right - left, bottom - top), parts)
                    names.append(name)
                    count += len(parts)
        (out / f"ImageSets/Main/{split}.txt").write_text("".join(f"{name}\n" for name in names))
        print(f"{split}: {len(names)} images, {count} crowns")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
