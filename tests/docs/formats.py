"""The picture of docs/formats.md, made by the hub's own renderer where all extras and LibreOffice are installed:
`uv run python -m tests.docs.formats`.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Final

from PIL import Image, ImageDraw, ImageFont, ImageSequence

from domain.recipes import Fit, Format, Recipe
from tests.docs.pictures import HERE
from tests.formats import made_files, made_office
from tests.imaging import made
from workers.imaging import safely

TARGET: Final = HERE / "formats.webp"
CELL: Final = (180, 135)
GAP, LABEL, ACROSS = 14, 22, 8
PAPER, INK = "#9ba0a6", "white"
#: Of these the upper part is shown, so that it can be read.
PAGES: Final = frozenset({"a.zip", "a.docx", "a.odt", "a.ods", "a.rtf", "a.xlsx"})
#: Of these every page or frame is shown, one beside the other.
MANY: Final = {"pages.tif": 3, "moving.gif": 3, "moving.webp": 3, "two.pptx": 2}
#: They have no picture.
SILENT: Final = frozenset({"a.txt", "a.csv", "a.pptx"})


def files() -> dict[str, tuple[str, bytes]]:
    whole = {**made.every_format(), **made_files.every_kind()}
    whole["two.pptx"] = (whole["a.pptx"][0], made_office.slides("Spring campaign", "Summer"))
    whole["a.ods"] = ("application/vnd.oasis.opendocument.spreadsheet", made_office.open_sheet("Four prices"))
    whole["a.odp"] = ("application/vnd.oasis.opendocument.presentation", made_office.open_slide("Four prices"))
    whole["a.rtf"] = ("application/rtf", rb"{\rtf1 Dear printer, please print.}")
    whole["a.zip"] = ("application/zip", made_office.zipped({"shoot/beach.tif": bytes(120_000), "read me.txt": b"1"}))
    whole["coffee.heic"] = ("image/heic", made.photograph("coffee.heic").read_bytes())
    whole["cmyk.tif"] = ("image/tiff", made.in_cmyk((0, 180, 180, 0), "TIFF", with_profile=True))
    whole["deep16.png"] = ("image/png", made.sixteen_bit_png(made.sixteen_bit_ramp()))
    return {name: file for name, file in whole.items() if name not in SILENT}


def shown(name: str, kind: str, content: bytes) -> Image.Image:
    if name not in MANY:
        fit = {"fit": Fit.COVER, "focal": (0.5, 0.0)} if name in PAGES else {}
        return rendered(name, kind, content, Recipe("shown", Format.PNG, *CELL, **fit))[0]  # type: ignore[arg-type]  # as `fit` says
    size = (CELL[0] // MANY[name] - 4, CELL[1])
    if name.startswith("moving"):
        format_ = Format.GIF if name.endswith(".gif") else Format.WEBP
        frames = rendered(name, kind, content, Recipe("shown", format_, *size, animated=True))
    else:
        pages = [Recipe("shown", Format.PNG, *size, page=number) for number in range(MANY[name])]
        frames = [rendered(name, kind, content, page)[0] for page in pages]
    assert len(frames) == MANY[name], name
    strip = Image.new("RGBA", (CELL[0], max(frame.height for frame in frames)))
    for number, frame in enumerate(frames):
        strip.paste(frame, (number * (size[0] + 4), 0))
    return strip


def rendered(name: str, kind: str, content: bytes, recipe: Recipe) -> list[Image.Image]:
    """Every frame of what the hub makes."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        result = safely.rendered(made.kept(folder, name, content), kind, [recipe], folder)
        assert not result.failed, (name, result.failed)
        with Image.open(folder / result.made[0].file_name) as picture:
            return [frame.convert("RGBA") for frame in ImageSequence.Iterator(picture)]


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
