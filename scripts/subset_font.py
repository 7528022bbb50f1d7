"""Makes crates/draw/font/DejaVuSans.ttf: the letters that labels need, out of the font that matplotlib ships.

    pip install matplotlib fonttools
    python scripts/subset_font.py

Made with matplotlib 3.11.2 (DejaVu Sans 2.37) and fonttools 4.68.0.
"""

import pathlib
import shutil

import matplotlib
from fontTools import subset

# Latin, Greek, Cyrillic, punctuation, signs of currencies, arrows, comparisons.
LETTERS = (
    "U+0020-007E,U+00A0-017F,U+0192,U+0218-021B,U+0370-03FF,U+0400-045F,U+0490-0491,U+2010-2027,U+2030-203A,U+20AC,"
    "U+2116,U+2122,U+2190-2193,U+2212,U+221E,U+2260,U+2264-2265,U+FFFD"
)

fonts = pathlib.Path(matplotlib.get_data_path()) / "fonts/ttf"
folder = pathlib.Path(__file__).parent.parent / "crates/draw/font"
shutil.copyfile(fonts / "LICENSE_DEJAVU", folder / "LICENSE")
subset.main([
    str(fonts / "DejaVuSans.ttf"),
    f"--unicodes={LETTERS}",
    f"--output-file={folder / 'DejaVuSans.ttf'}",
    "--no-hinting",
    "--legacy-kern",
    "--drop-tables+=GDEF,GPOS,GSUB,MATH,FFTM",
])
