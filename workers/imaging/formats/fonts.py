"""Fonts: a specimen, and what the font says of itself; by FreeType, which Pillow brings along."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image, ImageColor, ImageDraw, ImageFont

from domain.recipes import FailureCode, Recipe
from workers.imaging import failures, opening
from workers.imaging.embedded import letters
from workers.imaging.formats.still import Known, Still, enlargement
from workers.imaging.limits import Limits

MEDIA_TYPES = frozenset({"font/ttf", "font/otf", "font/collection", "font/woff", "font/woff2"})

_WIDTH, _HEIGHT = 800, 500
_MARGIN = 40
_INK = "#1a1a1a"
#: A sign that no font has: what is drawn for it stands for everything that is missing.
_MISSING = "\U0010fffe"
#: Large letters and lines per script; the first script that a font has is shown, Latin before the others.
_SAMPLES = (
    ("Ag", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz", "0123456789 &@€?!.,;:"),
    ("Жф", "АБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩ", "абвгдежзийклмнопрстуфхцчшщ", "0123456789 №?!.,;:"),
    ("Ωγ", "ΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩ", "αβγδεζηθικλμνξοπρστυφχψω", "0123456789 ?!.,;:"),
    ("永あ", "春夏秋冬山川花鳥風月", "あいうえおかきくけこ", "アイウエオ 0123456789"),
    ("한글", "가나다라마바사아자차카타파하", "대한민국", "0123456789"),
    ("ع", "ابجدهوز", "حطيكلمن", "٠١٢٣٤٥٦٧٨٩"),
    ("א", "אבגדהוזחט", "יכלמנסעפצ", "0123456789"),
    ("अ", "अआइईउऊएऐओऔ", "कखगघङचछजझञ", "०१२३४५६७८९"),
)
#: Numbers of the OpenType table `name` worth keeping.
_NAMES = {0: "Copyright", 5: "Version", 8: "Manufacturer", 9: "Designer", 13: "License", 14: "LicenseUrl"}
_WINDOWS, _MACINTOSH = 3, 1
_MOST_TABLES = 200


def still(source: Path, _media_type: str, recipes: Sequence[Recipe], limits: Limits) -> Still:
    scale = enlargement(recipes, _WIDTH, _HEIGHT)
    width, height = max(1, round(_WIDTH * scale)), max(1, round(_HEIGHT * scale))
    opening.check_size(width, height, limits)
    picture = Image.new("RGB", (width, height), ImageColor.getrgb(recipes[0].background))
    large, *lines = _sample(_font(source, 40))
    draw = ImageDraw.Draw(picture)
    _write(draw, source, large, 200 * scale, (_MARGIN * scale, 20 * scale), width)
    for number, line in enumerate(lines):
        _write(draw, source, line, 44 * scale, (_MARGIN * scale, (290 + 64 * number) * scale), width)
    return Still(picture, width, height, natural=(_WIDTH, _HEIGHT))


def known(source: Path, _media_type: str, limits: Limits) -> Known:
    font = _font(source, 40)
    family, style = (letters.clean(name or "", limits) for name in font.getname())
    said: dict[str, Any] = {"Family": family, "Style": style, **_names(source, limits)}
    if axes := _axes(font):
        said["Axes"] = axes
    return Known(
        entries=tuple(("font", name, value) for name, value in said.items() if value),
        title=f"{family} {style}".strip(),
        creator=str(said.get("Designer") or ""),
        rights=str(said.get("Copyright") or ""),
    )


def _font(source: Path, size: float) -> ImageFont.FreeTypeFont:
    if source.stat().st_size == 0:
        raise failures.refused(FailureCode.EMPTY)
    # The simple layout: shaping runs programs that stand in the font.
    return ImageFont.truetype(str(source), max(1.0, size), layout_engine=ImageFont.Layout.BASIC)


def _sample(font: ImageFont.FreeTypeFont) -> tuple[str, ...]:
    """Of the first script that the font has, and of that only the signs that it has."""
    missing = bytes(font.getmask(_MISSING))
    for sample in _SAMPLES:
        held = tuple("".join(sign for sign in line if bytes(font.getmask(sign)) != missing) for line in sample)
        if held[0] == sample[0]:
            return held
    return _SAMPLES[0]


def _write(
    draw: ImageDraw.ImageDraw, source: Path, text: str, size: float, at: tuple[float, float], width: int
) -> None:
    """Made smaller where the line would leave the picture."""
    font = _font(source, size)
    room = width - 2 * at[0]
    if (needed := font.getlength(text)) > room > 0:
        font = _font(source, size * room / needed)
    draw.text(at, text, font=font, fill=_INK)


def _axes(font: ImageFont.FreeTypeFont) -> list[str]:
    try:
        return [axis["name"].decode("utf-8", "replace") for axis in font.get_variation_axes() if axis["name"]]
    except (OSError, NotImplementedError):  # what Pillow raises of a font without axes, and where FreeType is too old
        return []


def _names(source: Path, limits: Limits) -> dict[str, str]:
    """Of fonts whose tables stand as they are: web fonts are packed, and only FreeType looks into those."""
    with source.open("rb") as file:
        head = file.read(16)
        # A collection lists where its fonts begin; the first one speaks for all.
        file.seek(int.from_bytes(head[12:], "big") if head[:4] == b"ttcf" else 0)
        try:
            (tables,) = struct.unpack(">4xH6x", file.read(12))
            for _ in range(min(tables, _MOST_TABLES)):
                name, offset, length = struct.unpack(">4s4xII", file.read(16))
                if name == b"name":
                    file.seek(offset)
                    return _of_table(file.read(min(length, limits.xmp_bytes)), limits)
        except struct.error:
            return {}
    return {}


def _of_table(table: bytes, limits: Limits) -> dict[str, str]:
    _, count, texts = struct.unpack_from(">HHH", table)
    found: dict[str, str] = {}
    for number in range(count):
        platform, _, _, name, length, offset = struct.unpack_from(">6H", table, 6 + 12 * number)
        raw = table[texts + offset : texts + offset + length]
        if name in _NAMES and platform in {_WINDOWS, _MACINTOSH}:
            text = raw.decode("utf-16-be" if platform == _WINDOWS else "mac-roman", "replace")
            if platform == _WINDOWS or _NAMES[name] not in found:
                found[_NAMES[name]] = letters.clean(text, limits)
    return found
