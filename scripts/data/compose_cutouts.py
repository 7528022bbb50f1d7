#!/usr/bin/env python3
"""Composes pictures whose objects are known exactly: cut-outs pasted over photographs.

    scripts/data/fetch.sh stamps STAMPS && scripts/data/fetch.sh photographs PHOTOGRAPHS
    python scripts/data/compose_cutouts.py --stamps STAMPS --photographs PHOTOGRAPHS --out OUT --kind detection

Kinds: `detection` has 1 to 6 objects in a picture, `localization` one, both as COCO with boxes and masks
(train/_annotations.coco.json beside the pictures); `classification` has one, in a folder of its class.

Half of the cut-outs are mirrored, all are turned by up to 15 degrees, and their longest side is 0.2 to 0.55 of the
picture's shorter one (0.35 to 0.9 where there is one object). A mask is where a cut-out covers at least half of a pixel
and no later one does; a box bounds the mask. At most a fifth of an object is hidden. No cut-out, and no photograph, is in
both splits, so that validation asks for birds that were not seen, in places that were not; with `--same-stamps` only the
photographs, scales and turns are others. Every picture follows from the seed.

Needs numpy and Pillow. Licences: stamps GPL-2, photographs see their folder `copyright`; pictures made of them are bound
by both.
"""
import argparse
import json
from pathlib import Path

import numpy as np
from PIL import Image, ImageEnhance

# Of each class the folders that have photographs of it. Cartoons are left out, and so are drawings among the photographs,
# what is not of the class, and what is there a second time, mirrored.
CLASSES = {
    "bird": ["animals/birds"],
    "fish": ["animals/fish"],
    "flower": ["plants/flowers"],
    "fruit": ["food/fruit"],
    "instrument": ["hobbies/music"],
    "mammal": ["animals/mammals", "animals/marsupials"],
    "tool": ["household/tools", "household/arttools"],
    "vehicle": ["vehicles", "military/vehicles"],
}
OTHERS = {
    "7spoke256", "bee", "dumper_mirror", "bradley_mirror", "chuvanna_plastic_poo", "edward_bear", "hedgehog", "echidna",
    "lobster", "measuring_tape_mirror", "cementmixer", "pen_dryerase", "highlighter", "sedan_police",
    "sedan_police_mirror", "shrimp", "wheel_tractor", "whale",
}  # fmt: skip
# Photographs that show objects of the classes, which nobody has labelled.
SHOWING_OBJECTS = {
    "EveningGlow", "FreshFlower", "Garden", "Kite", "Kleiber_by_Lukas_Baubkus", "LadyBird", "Picture_0B_by_freespace",
    "TwoWings", "YellowFlower", "flower", "free_by_Peter_Nerlich", "friends_by_Aitzol_Berasategi",
    "seeding_by_Clements_Engelhardt", "tmshre_riaphotographs_srgb8", "u76c0g_bliznaca_srgb8",
}  # fmt: skip
HELD_OUT = 0.2
MOST_HIDDEN = 0.2


def splits_of(members, rng):
    """Members of the training and of the validation split; at least two are for validation."""
    order = rng.permutation(len(members))
    count = max(round(len(members) * HELD_OUT), 2)
    return {"val": [members[place] for place in order[:count]], "train": [members[place] for place in order[count:]]}


def stamps_of(root):
    """The files of the cut-outs of each class."""
    files = {}
    for name, folders in CLASSES.items():
        found = [path for folder in folders for path in (root / folder).rglob("*.png")]
        files[name] = sorted(path for path in found if path.stem not in OTHERS and "cartoon" not in path.parts)
        if len(files[name]) < 4:
            raise SystemExit(f"{root} has {len(files[name])} cut-outs of the class {name}: 4 are needed")
    return files


def cut_out(path):
    """A cut-out without its clear borders."""
    image = Image.open(path).convert("RGBA")
    return image.crop(image.getchannel("A").point(lambda alpha: 255 * (alpha >= 128)).getbbox())


def background(photograph, size, rng):
    """A crop of a photograph at any scale."""
    width, height = size
    most = min(photograph.width / width, photograph.height / height)
    scale = np.exp(rng.uniform(np.log(min(1.0, most)), np.log(most)))
    left = rng.uniform(0, photograph.width - width * scale)
    top = rng.uniform(0, photograph.height - height * scale)
    part = (left, top, left + width * scale, top + height * scale)
    crop = photograph.resize(size, Image.Resampling.BILINEAR, part, reducing_gap=3.0)
    return crop.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if rng.random() < 0.5 else crop


def varied(stamp, longest, rng):
    """A cut-out as it is pasted."""
    scale = longest / max(stamp.size)
    stamp = stamp.resize([max(round(length * scale), 4) for length in stamp.size], Image.Resampling.LANCZOS)
    if rng.random() < 0.5:
        stamp = stamp.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    stamp = stamp.rotate(rng.uniform(-15, 15), Image.Resampling.BICUBIC, expand=True)
    return ImageEnhance.Brightness(stamp).enhance(rng.uniform(0.8, 1.2))


def compose(stamps, photographs, size, most_objects, rng):
    """A picture, with the class and the mask of each of its objects."""
    canvas = background(photographs[rng.integers(len(photographs))], size, rng).convert("RGBA")
    shares = (0.35, 0.9) if most_objects == 1 else (0.2, 0.55)
    objects, uncovered = [], []
    for _ in range(rng.integers(1, most_objects + 1)):
        for _ in range(20):
            number = int(rng.integers(len(stamps)))
            stamp = varied(stamps[number][rng.integers(len(stamps[number]))], rng.uniform(*shares) * min(size), rng)
            room = [length - taken for length, taken in zip(size, stamp.size)]
            if min(room) < 0:
                continue
            layer = Image.new("RGBA", size)
            layer.paste(stamp, tuple(int(rng.integers(length + 1)) for length in room))
            mask = np.asarray(layer.getchannel("A")) >= 128
            left = [(seen & ~mask).sum() for _, seen in objects]
            if mask.any() and all(count >= (1 - MOST_HIDDEN) * whole for count, whole in zip(left, uncovered)):
                canvas = Image.alpha_composite(canvas, layer)
                objects = [(other, seen & ~mask) for other, seen in objects] + [(number, mask)]
                uncovered.append(mask.sum())
                break
    return canvas.convert("RGB"), objects


def run_lengths(mask):
    """COCO's run lengths, not compressed: of the columns one after the other, beginning with zeros."""
    pixels = np.concatenate([[0], mask.T.ravel().astype(np.int8), [0]])
    places = np.flatnonzero(np.diff(pixels))
    counts = np.diff(np.concatenate([[0], places, [mask.size]])).tolist()
    return {"counts": counts if counts[-1] else counts[:-1], "size": list(mask.shape)}


def annotation(number, image, category, mask):
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    left, top = int(columns[0]), int(rows[0])
    box = [left, top, int(columns[-1]) + 1 - left, int(rows[-1]) + 1 - top]
    numbers = {"id": number, "image_id": image, "category_id": category, "iscrowd": 0}
    return numbers | {"bbox": box, "area": int(mask.sum()), "segmentation": run_lengths(mask)}


def main(options):
    rng = np.random.default_rng(options.seed)
    size = tuple(int(length) for length in options.size.split("x"))
    names = list(CLASSES)
    stamps = {name: splits_of(files, rng) for name, files in stamps_of(options.stamps).items()}
    if options.same_stamps:
        stamps = {name: dict.fromkeys(parts, parts["train"] + parts["val"]) for name, parts in stamps.items()}
    files = sorted(path for path in options.photographs.iterdir() if path.suffix in (".jpg", ".png"))
    photographs = splits_of([path for path in files if path.stem not in SHOWING_OBJECTS], rng)
    for split, count in (("train", options.train), ("val", options.val)):
        cut_outs = [[cut_out(path) for path in stamps[name][split]] for name in names]
        behind = [Image.open(path).convert("RGB") for path in photographs[split]]
        folder = options.out / split
        folder.mkdir(parents=True, exist_ok=True)
        images, annotations = [], []
        for place in range(count):
            most_objects = 6 if options.kind == "detection" else 1
            picture, objects = compose(cut_outs, behind, size, most_objects, rng)
            name = f"{place:05}.jpg"
            if options.kind == "classification":
                name = f"{names[objects[0][0]]}/{name}"
                (folder / name).parent.mkdir(exist_ok=True)
            picture.save(folder / name, quality=92)
            images.append({"id": place + 1, "file_name": name, "width": size[0], "height": size[1]})
            for number, mask in objects:
                annotations.append(annotation(len(annotations) + 1, place + 1, number + 1, mask))
        if options.kind != "classification":
            categories = [{"id": number + 1, "name": name} for number, name in enumerate(names)]
            coco = {"images": images, "annotations": annotations, "categories": categories}
            (folder / "_annotations.coco.json").write_text(json.dumps(coco, separators=(",", ":")))
        parts = ", ".join(f"{len(members)} {name}" for name, members in zip(names, cut_outs))
        print(f"{split}: {count} pictures, {len(annotations)} objects; {len(behind)} photographs; cut-outs: {parts}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stamps", type=Path, required=True)
    parser.add_argument("--photographs", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--kind", choices=["detection", "localization", "classification"], required=True)
    parser.add_argument("--same-stamps", action="store_true", help="both splits have all cut-outs, else none is in both")
    parser.add_argument("--size", default="256x256", help="width x height of the pictures")
    parser.add_argument("--train", type=int, default=1500)
    parser.add_argument("--val", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    main(parser.parse_args())
