"""JPEG XL pictures, by libjxl (the extra `jxl`). The reader turns them upright itself."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from domain.recipes import FailureCode, Recipe
from workers.imaging import depth, failures, opening
from workers.imaging.formats.still import Known, Still, library
from workers.imaging.limits import Limits

MEDIA_TYPES = frozenset({"image/jxl"})

_MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}


def still(source: Path, _media_type: str, _recipes: Sequence[Recipe], limits: Limits) -> Still:
    codec = library("pylibjxl", "jxl")
    content = source.read_bytes()
    _probed(codec, content, limits)
    with codec.JXL(threads=1, pool_size=1) as reader:
        pixels, told = reader.decode(content, metadata=True)
    mode = _MODES[pixels.shape[2]]
    picture = Image.frombuffer(mode, pixels.shape[1::-1], pixels.tobytes(), "raw", mode, 0, 1)
    return Still(depth.resizable(picture), *picture.size, profile=told.get("icc") or None)


def known(source: Path, _media_type: str, limits: Limits) -> Known:
    codec = library("pylibjxl", "jxl")
    said = _probed(codec, source.read_bytes(), limits)
    return Known(
        width=said["width"],
        height=said["height"],
        mode=_MODES.get(said["channels"], "RGB"),
        bit_depth=said["bits_per_sample"],
        has_alpha=bool(said["has_alpha"]),
        entries=(("file", "animated", True),) if said["have_animation"] else (),
    )


def _probed(codec: Any, content: bytes, limits: Limits) -> dict[str, Any]:
    if not content:
        raise failures.refused(FailureCode.EMPTY)
    said: dict[str, Any] = codec.probe(content)
    opening.check_size(said["width"], said["height"], limits.of_canvases)
    return said
