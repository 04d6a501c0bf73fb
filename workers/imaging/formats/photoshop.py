"""Photoshop files that Pillow does not open: the large format (PSB), and 16 or 32 bits a channel.

Only the finished composite is read, which Photoshop stores beside the layers; layers are never rendered.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from PIL import Image

from domain.recipes import FailureCode, Recipe
from workers.imaging import failures, opening
from workers.imaging.formats.still import Known, Still
from workers.imaging.limits import Limits

MEDIA_TYPE = "image/vnd.adobe.photoshop"

_LARGE = 2
_PILLOW_DEPTHS = frozenset({1, 8})
_MODES = {1: ("L", 1), 3: ("RGB", 3), 4: ("CMYK", 4), 8: ("L", 1), 9: ("LAB", 3)}
_RAW, _PACKED = 0, 1
_PROFILE, _XMP = 1039, 1060
_MOST_RESOURCES = 10_000
_WHITE = 255

Plane = np.ndarray[Any, np.dtype[np.uint8]]


@dataclass(frozen=True)
class Header:
    """What the first 26 bytes say."""

    version: int
    channels: int
    width: int
    height: int
    bits: int
    mode: int

    @property
    def is_for_pillow(self) -> bool:
        return self.version != _LARGE and self.bits in _PILLOW_DEPTHS


def header(source: Path) -> Header | None:
    """None where the file does not begin as Photoshop's do."""
    with source.open("rb") as file:
        head = file.read(26)
    if len(head) < 26 or head[:4] != b"8BPS":  # noqa: PLR2004 - the header's length
        return None
    version, channels, height, width, bits, mode = struct.unpack(">H6xHIIHH", head[4:])
    return Header(version, channels, width, height, bits, mode)


def still(source: Path, _media_type: str, _recipes: Sequence[Recipe], limits: Limits) -> Still:
    found = _checked(source, limits)
    picture = _composite(source, found, limits)
    return Still(picture, *picture.size, profile=picture.info.get("icc_profile"))


def known(source: Path, _media_type: str, limits: Limits) -> Known:
    found = _checked(source, limits)
    with source.open("rb") as file:
        said = _resources_at(file, limits)
    mode, _ = _MODES[found.mode]
    return Known(
        width=found.width,
        height=found.height,
        mode=mode,
        profile=said.get("icc_profile"),
        bit_depth=found.bits,
        xmp=said.get("xmp", b""),
    )


def _checked(source: Path, limits: Limits) -> Header:
    found = header(source)
    if found is None or found.mode not in _MODES or found.bits not in {8, 16, 32}:
        raise failures.refused(FailureCode.UNSUPPORTED_FORMAT, "This kind of Photoshop file cannot be shown.")
    opening.check_size(found.width, found.height, limits.of_canvases)
    return found


def _composite(source: Path, found: Header, limits: Limits) -> Image.Image:
    """With 8 bits a channel, the profile in its `info`."""
    with source.open("rb") as file:
        resources = _resources_at(file, limits)
        wide = "Q" if found.version == _LARGE else "I"
        file.seek(_number(file, wide), io.SEEK_CUR)
        picture = _picture(file, found, wide)
    picture.info.update(resources)
    return picture


def _resources_at(file: BinaryIO, limits: Limits) -> dict[str, Any]:
    """Profile (`icc_profile`) and XMP (`xmp`), where there are any."""
    file.seek(26)
    file.seek(_number(file, "I"), io.SEEK_CUR)
    return _resources(file, limits)


def _resources(file: BinaryIO, limits: Limits) -> dict[str, Any]:
    end = _number(file, "I") + file.tell()
    found: dict[str, Any] = {}
    for _ in range(_MOST_RESOURCES):
        if file.tell() >= end or file.read(4) != b"8BIM":
            break
        number = _number(file, "H")
        name = file.read(1)[0]
        file.seek(name + (name + 1) % 2, io.SEEK_CUR)
        length = _number(file, "I")
        if number == _PROFILE:
            found["icc_profile"] = file.read(length)
        elif number == _XMP and length <= limits.xmp_bytes:
            found["xmp"] = file.read(length)
        else:
            file.seek(length, io.SEEK_CUR)
        file.seek(length % 2, io.SEEK_CUR)
    file.seek(end)
    return found


def _picture(file: BinaryIO, found: Header, wide: str) -> Image.Image:
    mode, colours = _MODES[found.mode]
    if found.channels < colours:
        raise failures.refused(FailureCode.DAMAGED)
    compression = _number(file, "H")
    if compression == _PACKED:
        planes = _packed(file, found, colours, wide)
    elif compression == _RAW:
        planes = [_read(file, found.width * found.height * found.bits // 8) for _ in range(colours)]
    else:
        raise failures.refused(FailureCode.UNSUPPORTED_FORMAT, "This Photoshop file is compressed in a rare way.")
    bands = [Image.fromarray(_narrow(plane, found)) for plane in planes]
    picture = Image.merge(mode, bands) if colours > 1 else bands[0]
    return Image.eval(picture, lambda ink: _WHITE - ink) if mode == "CMYK" else picture


def _packed(file: BinaryIO, found: Header, colours: int, wide: str) -> list[bytes]:
    """Every row is packed for itself; how long each is stands in a table before them all."""
    count = "I" if wide == "Q" else "H"
    rows = found.channels * found.height
    lengths = struct.unpack(f">{rows}{count}", _read(file, rows * struct.calcsize(count)))
    across = found.width * found.bits // 8
    planes = []
    for number in range(colours):
        packed = _read(file, sum(lengths[number * found.height : (number + 1) * found.height]))
        planes.append(Image.frombytes("L", (across, found.height), packed, "packbits", "L").tobytes())
    return planes


def _narrow(plane: bytes, found: Header) -> Plane:
    if found.bits == 8:  # noqa: PLR2004 - bits
        return np.frombuffer(plane, np.uint8).reshape(found.height, found.width)
    if found.bits == 16:  # noqa: PLR2004 - bits
        # The upper byte, rounded: 65,535 is 255 and nothing overflows.
        values = np.frombuffer(plane, ">u2").reshape(found.height, found.width)
        upper: Plane = ((values - (values >> 8) + 128) >> 8).astype(np.uint8)
        return upper
    # 32 bits are light, not ink: linear from 0 to 1, shown through sRGB's curve.
    light = np.clip(np.nan_to_num(np.frombuffer(plane, ">f4")), 0, 1).reshape(found.height, found.width)
    shown = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)  # noqa: PLR2004 - IEC 61966-2-1
    seen: Plane = np.rint(shown * _WHITE).astype(np.uint8)
    return seen


def _number(file: BinaryIO, kind: str) -> int:
    (number,) = struct.unpack(">" + kind, _read(file, struct.calcsize(kind)))
    return int(number)


def _read(file: BinaryIO, length: int) -> bytes:
    """Exactly so many bytes: a file that has fewer is not asked to give memory for them."""
    at = file.tell()
    if length > file.seek(0, io.SEEK_END) - at:
        raise failures.refused(FailureCode.TRUNCATED)
    file.seek(at)
    return file.read(length)
