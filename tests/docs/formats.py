"""The picture of docs/formats.md, made by the hub's own renderer where all extras and LibreOffice are installed:
`uv run python -m tests.docs.formats`.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Final

from PIL import Image, ImageDraw, ImageFont

from domain.recipes import Fit, Format, Recipe
from tests.docs.pictures import HERE
from tests.formats import made_files
from tests.imaging import made
from workers.imaging import safely

TARGET: Final = HERE / "formats.webp"
CELL: Final = (200, 150)
GAP, LABEL, ACROSS = 16, 22, 7
PAPER, INK = "#9ba0a6", "white"
#: Of these the upper part is shown, so that it can be read.
PAGES: Final = frozenset({"a.zip", "a.docx", "a.odt"})
#: They have no picture.
SILENT: Final = frozenset({"a.txt", "a.csv"})


def files() -> dict[str, tuple[str, bytes]]:
    whole = {**made.every_format(), **made_files.every_kind()}
    whole["a.zip"] = ("application/zip", made_files.zipped({"shoot/beach.tif": bytes(120_000), "read me.txt": b"1"}))
    whole["coffee.heic"] = ("image/heic", made.photograph("coffee.heic").read_bytes())
    whole["cmyk.tif"] = ("image/tiff", made.in_cmyk((0, 180, 180, 0), "TIFF", with_profile=True))
    whole["deep16.png"] = ("image/png", made.sixteen_bit_png(made.sixteen_bit_ramp()))
    return {name: file for name, file in whole.items() if name not in SILENT}


def shown(name: str, kind: str, content: bytes) -> Image.Image:
    fit = {"fit": Fit.COVER, "focal": (0.5, 0.0)} if name in PAGES else {}
    recipe = Recipe("shown", Format.PNG, *CELL, **fit)  # type: ignore[arg-type]  # as `fit` says
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        rendered = safely.rendered(made.kept(folder, name, content), kind, [recipe], folder)
        assert not rendered.failed, (name, rendered.failed)
        with Image.open(folder / rendered.made[0].file_name) as picture:
            return picture.convert("RGBA")


def sheet() -> Image.Image:
    pictures = {name: shown(name, *file) for name, file in files().items()}
    down = -(-len(pictures) // ACROSS)
    wide, high = CELL[0] + GAP, CELL[1] + LABEL + GAP
    whole = Image.new("RGB", (ACROSS * wide, down * high), PAPER)
    draw, font = ImageDraw.Draw(whole), ImageFont.load_default(13)
    for number, (name, picture) in enumerate(pictures.items()):
        left, top = number % ACROSS * wide + GAP // 2, number // ACROSS * high + GAP // 2
        draw.text((left, top), name, font=font, fill=INK)
        whole.paste(picture, (left, top + LABEL), picture)
    return whole


if __name__ == "__main__":
    sheet().save(TARGET, "WEBP", quality=88, method=6)
    sys.stdout.write(f"{TARGET}\n")
