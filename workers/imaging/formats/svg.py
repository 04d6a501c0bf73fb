"""Drawings in SVG, by librsvg (the extra `vips`), drawn as large as asked.

Nothing outside the drawing is read: neither files nor addresses that it names, and scripts are never run.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from PIL import Image

from domain.recipes import FailureCode, Recipe
from workers.imaging import depth, failures, opening
from workers.imaging.embedded import letters
from workers.imaging.formats.still import Known, Still, enlargement, library
from workers.imaging.limits import Limits

MEDIA_TYPES = frozenset({"image/svg+xml"})

#: One pixel of a drawing's own is one of its natural size.
_POINTS_PER_INCH = 72
_SPOKEN = frozenset({"title", "desc", "text"})


def still(source: Path, _media_type: str, recipes: Sequence[Recipe], limits: Limits) -> Still:
    content = _content(source, limits)
    vips = _library()
    natural = _loaded(vips, content, 1.0)
    opening.check_size(natural.width, natural.height, limits.of_canvases)
    scale = enlargement(recipes, natural.width, natural.height)
    opening.check_size(max(1, round(natural.width * scale)), max(1, round(natural.height * scale)), limits.of_canvases)
    drawn = _loaded(vips, content, scale)
    picture = Image.frombytes("RGBA", (drawn.width, drawn.height), drawn.write_to_memory())
    return Still(depth.resizable(picture), *picture.size, natural=(natural.width, natural.height))


def known(source: Path, _media_type: str, limits: Limits) -> Known:
    content = _content(source, limits)
    drawing = _loaded(_library(), content, 1.0)
    opening.check_size(drawing.width, drawing.height, limits.of_canvases)
    said = list(_words(content, limits))
    titles = [text for name, text in said if name == "title"]
    return Known(
        width=drawing.width,
        height=drawing.height,
        mode="RGBA",
        bit_depth=8,
        has_alpha=True,
        title=titles[0] if titles else "",
        text="\n".join(text for _, text in said)[: limits.text_letters],
    )


def _library() -> Any:
    os.environ["VIPS_CONCURRENCY"] = "1"  # read when the library is loaded
    vips = library("pyvips", "vips")
    vips.cache_set_max(0)
    return vips


def _content(source: Path, limits: Limits) -> bytes:
    size = source.stat().st_size
    if size == 0:
        raise failures.refused(FailureCode.EMPTY)
    if size > limits.drawing_bytes:
        raise failures.refused(FailureCode.TOO_MANY_PIXELS, "The drawing is longer than this hub takes.")
    return source.read_bytes()


def _loaded(vips: Any, content: bytes, scale: float) -> Any:
    try:
        return vips.Image.svgload_buffer(content, dpi=_POINTS_PER_INCH, scale=scale)
    except vips.Error as error:
        if "dimensions" in str(error):
            raise failures.refused(
                FailureCode.ABSURD_DIMENSIONS, "The drawing does not say how large it is."
            ) from error
        raise failures.refused(FailureCode.DAMAGED) from error


def _words(content: bytes, limits: Limits) -> Iterator[tuple[str, str]]:
    """What can be read in the drawing, as far as it is well-formed."""
    try:
        # In the sandbox, and expat bounds what entities may grow to.
        for _, element in ET.iterparse(io.BytesIO(content)):  # noqa: S314 - see above
            name = element.tag.rpartition("}")[2]
            if name in _SPOKEN and (text := letters.clean("".join(element.itertext()), limits)):
                yield name, text
    except ET.ParseError:
        return
