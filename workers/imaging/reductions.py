"""What was decoded of a JPEG, laid by for whoever wants another part of it: pixels in a file that is mapped, not read.

Most of what a small picture of a large photograph costs is reading the whole of it, at whatever size. Only sandboxes
write these files and only sandboxes look into them. A picture is the same, byte for byte, whether it was made from what
was decoded or from the original. Beside that lie its halves, averaged: what is made of those is the same to the eye.
"""

from __future__ import annotations

import base64
import binascii
import json
import mmap
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO, Final

from PIL import Image

from domain.recipes import Recipe
from workers.imaging import geometry

#: JPEG's own reductions, the coarsest first.
FACTORS: Final = (8, 4, 2)
#: Bytes of the largest that is laid by.
MOST_BYTES: Final = 64 << 20
#: How a mode is written so that it can be mapped.
_MAPPED: Final = {"RGB": "RGBX", "L": "L", "CMYK": "CMYK"}
_PAGE: Final = mmap.PAGESIZE
#: JPEG's own reductions, and how many times the largest picture must then still be left for a real filter: halving is
#: as good as averaging, but by four and by eight leaves traces (0.003 to 0.004 of SSIM where 1.25 times is left).
_MARGINS: Final = ((8, 2.0), (4, 2.0), (2, 1.25))
#: Rows that are written at a time.
_STRIP: Final = 16


@dataclass(frozen=True)
class Shelf:
    """Where reductions of one original lie, `kept` and the factor being the name of each, and the folder where a new
    one may be laid, by its factor.
    """

    kept: Path
    fresh: Path

    def place(self, factor: int) -> Path:
        return self.kept.with_name(f"{self.kept.name}-{factor}")


@dataclass(frozen=True)
class Reduction:
    """The stored picture at a fraction of its size; `width` × `height` are the displayed original's."""

    picture: Image.Image
    width: int
    height: int
    profile: bytes | None
    orientation: int


def factor(recipes: Sequence[Recipe], width: int, height: int) -> int:
    """How much smaller the displayed original of this size may be decoded for all of these; 1 for not at all."""
    scales = []
    for recipe in recipes:
        try:
            scales.append(geometry.framing(recipe, width, height).scale)
        except ValueError:  # its region lies outside: it asks for nothing
            continue
    scale = min(max(scales, default=1.0), 1.0)
    for each, margin in _MARGINS:
        if all(int(side * scale * margin) <= side // each for side in (width, height)):
            return each
    return 1


def find(shelf: Shelf, recipes: Sequence[Recipe]) -> Reduction | None:
    """The smallest that all these can be made of; that it was of use is told to whoever sweeps."""
    for each in FACTORS:
        try:
            with shelf.place(each).open("rb") as file:
                told = json.loads(file.readline(MOST_BYTES))
                if each <= factor(recipes, told["width"], told["height"]):
                    found = _read(file.fileno(), told)
                    os.utime(file.fileno())
                    return found
        except (OSError, ValueError, KeyError, TypeError, binascii.Error):  # there is none, or somebody spoilt it
            continue
    return None


def lay(shelf: Shelf, decoded: int, reduction: Reduction) -> None:
    """Writes what was `decoded` reduced by this, and what it comes to by further halves, where they are fresh; what
    cannot be mapped or written, or is too large, is left: no picture is worse for it.
    """
    picture = reduction.picture
    mapped = _MAPPED.get(picture.mode)
    if mapped is None:
        return
    for each in sorted(each for each in FACTORS if each >= decoded):
        if each > decoded:
            picture = picture.reduce(2)
        if picture.width * picture.height * len(mapped) <= MOST_BYTES and not shelf.place(each).exists():
            _try_to_write(shelf.fresh / str(each), mapped, replace(reduction, picture=picture))


def plain(picture: Image.Image) -> Image.Image:
    """In a mode that others know."""
    return picture.convert("RGB") if picture.mode == "RGBX" else picture


def _try_to_write(target: Path, mapped: str, reduction: Reduction) -> None:
    """Leaves nothing half-written."""
    try:
        with target.open("xb") as file:
            _write(file, mapped, reduction)
    except FileExistsError:  # somebody else's
        return
    except OSError:
        target.unlink(missing_ok=True)


def _write(file: BinaryIO, mapped: str, reduction: Reduction) -> None:
    picture = reduction.picture
    told = {
        "mode": mapped,
        "size": picture.size,
        "width": reduction.width,
        "height": reduction.height,
        "profile": None if reduction.profile is None else base64.b64encode(reduction.profile).decode(),
        "orientation": reduction.orientation,
    }
    head = json.dumps(told).encode()
    file.write(head.ljust(-(len(head) + 1) % _PAGE + len(head)) + b"\n")
    for top in range(0, picture.height, _STRIP):  # in the same memory again and again
        strip = picture.crop((0, top, picture.width, min(top + _STRIP, picture.height)))
        file.write(strip.tobytes("raw", mapped))


def _read(file: int, told: dict[str, Any]) -> Reduction:
    mode, (width, height) = told["mode"], told["size"]
    mapped = memoryview(mmap.mmap(file, 0, access=mmap.ACCESS_READ))
    pixels: Any = mapped[len(mapped) - width * height * len(mode) :]
    profile = None if told["profile"] is None else base64.b64decode(told["profile"])
    picture = Image.frombuffer(mode, (width, height), pixels, "raw", mode, 0, 1)
    return Reduction(picture, told["width"], told["height"], profile, told["orientation"])
