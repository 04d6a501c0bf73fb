"""Pictures as sensors see them, and others that are told by TIFF fields, made from nothing.

Negatives in three layouts: bare rows as simple cameras write them, tiles packed without loss as most do, and one that
is no TIFF.
"""

from __future__ import annotations

import io
import struct
from typing import Any, Final

import numpy as np
from PIL import Image

#: A TIFF field: tag, type, values.
Field = tuple[int, int, Any]
#: What takes XYZ to the camera's own colours: here sRGB's primaries, so that the camera sees sRGB.
SRGB: Final = (3.2406, -1.5372, -0.4986, -0.9689, 1.8758, 0.0415, 0.0557, -0.2040, 1.0570)
#: What a sensor of fourteen bits says of darkness, and of more light than it holds.
_BLACK, _WHITE, _BITS = 512, 16_383, 14
#: What it says of white light: half as much red as green.
_NEUTRAL: Final = (0.5, 1.0, 0.7)
_TILE = 64


def negative(
    width: int = 64, height: int = 48, *, preview: bytes = b"", light: tuple[float, float, float] = (0.6, 0.3, 0.1)
) -> bytes:
    """A digital negative (DNG 1.1): a plain area of light as a Bayer sensor sees it, 12 bits in 16, RGGB.

    With a `preview`, a JPEG, the sensor's picture stands in a directory below it, as cameras do it.
    """
    sensor = np.empty((height, width), np.uint16)
    red, green, blue = (round(part * 4095) for part in light)
    sensor[0::2, 0::2], sensor[0::2, 1::2], sensor[1::2, 0::2], sensor[1::2, 1::2] = red, green, green, blue
    data = sensor.astype("<u2").tobytes()
    raw: list[Field] = [
        (254, 4, (0,)),
        (256, 4, (width,)),
        (257, 4, (height,)),
        (258, 3, (16,)),
        (259, 3, (1,)),
        (262, 3, (32803,)),
        (273, 4, (0,)),  # its place, filled in below
        (277, 3, (1,)),
        (278, 4, (height,)),
        (279, 4, (len(data),)),
        (33421, 3, (2, 2)),
        (33422, 1, (0, 1, 1, 2)),
        (50717, 4, (4095,)),
    ]
    camera: list[Field] = [
        (271, 2, b"Imprimatur\0"),
        (272, 2, b"Test camera\0"),
        (274, 3, (1,)),
        (50706, 1, (1, 1, 0, 0)),
        (50708, 2, b"Imprimatur Test\0"),
        (50721, 10, SRGB),
        (50728, 5, (1.0, 1.0, 1.0)),
        (50778, 3, (21,)),
    ]
    if not preview:
        return _tiff([sorted([*raw, *camera])], [[data]])
    with Image.open(io.BytesIO(preview)) as opened:
        size = opened.size
    small: list[Field] = [
        (254, 4, (1,)),
        (256, 4, (size[0],)),
        (257, 4, (size[1],)),
        (258, 3, (8, 8, 8)),
        (259, 3, (7,)),
        (262, 3, (6,)),
        (273, 4, (0,)),
        (277, 3, (3,)),
        (278, 4, (size[1],)),
        (279, 4, (len(preview),)),
        (330, 4, (0,)),  # the directory of the sensor's picture, likewise
    ]
    return _tiff([sorted([*small, *camera]), raw], [[preview], [data]])


def packed_negative(picture: Image.Image) -> bytes:
    """`picture` as most cameras and converters write it (DNG 1.4): held upright, so that the sensor lay on its side;
    BGGR, fourteen bits above a black level, white balance of its own, tiles of lossless JPEG.
    """
    seen = np.asarray(picture.convert("RGB").transpose(Image.Transpose.ROTATE_90), np.float64) / 255
    light = np.where(seen <= 0.04045, seen / 12.92, ((seen + 0.055) / 1.055) ** 2.4) * np.array(_NEUTRAL)
    told = np.round(_BLACK + light * (_WHITE - _BLACK)).astype(np.uint16)
    sensor = told[..., 1].copy()
    sensor[0::2, 0::2], sensor[1::2, 1::2] = told[0::2, 0::2, 2], told[1::2, 1::2, 0]
    height, width = sensor.shape
    whole = np.pad(sensor, ((0, -height % _TILE), (0, -width % _TILE)), mode="edge")
    tiles = [
        lossless_jpeg(whole[top : top + _TILE, left : left + _TILE])
        for top in range(0, height, _TILE)
        for left in range(0, width, _TILE)
    ]
    matrix = tuple(value * _NEUTRAL[place // 3] for place, value in enumerate(SRGB))
    fields: list[Field] = [
        (254, 4, (0,)),
        (256, 4, (width,)),
        (257, 4, (height,)),
        (258, 3, (16,)),
        (259, 3, (7,)),
        (262, 3, (32803,)),
        (271, 2, b"Imprimatur\0"),
        (272, 2, b"Second camera\0"),
        (274, 3, (6,)),
        (277, 3, (1,)),
        (322, 4, (_TILE,)),
        (323, 4, (_TILE,)),
        (324, 4, (0,) * len(tiles)),  # their places, filled in below
        (325, 4, tuple(map(len, tiles))),
        (33421, 3, (2, 2)),
        (33422, 1, (2, 1, 1, 0)),
        (50706, 1, (1, 4, 0, 0)),
        (50708, 2, b"Imprimatur Second\0"),
        (50714, 3, (_BLACK,)),
        (50717, 4, (_WHITE,)),
        (50721, 10, matrix),
        (50728, 5, _NEUTRAL),
        (50778, 3, (21,)),
    ]
    return _tiff([fields], [tiles])


def minolta_negative(picture: Image.Image) -> bytes:
    """`picture` as Minolta's cameras wrote it, which is no TIFF: blocks with names, then twelve bits in sixteen, RGGB.
    How that camera sees colours the reader knows itself.
    """
    seen = np.asarray(picture.convert("RGB"), np.float64) / 255
    light = np.where(seen <= 0.04045, seen / 12.92, ((seen + 0.055) / 1.055) ** 2.4)
    told = np.round(light * 4000).astype(">u2")
    sensor = told[..., 1].copy()
    sensor[0::2, 0::2], sensor[1::2, 1::2] = told[0::2, 0::2, 0], told[1::2, 1::2, 2]
    size = (picture.height, picture.width)
    blocks = {
        b"\0PRD": b"27730001" + struct.pack(">HHHHBBHHH", *size, *size, 16, 12, 0x59, 0, 1),
        b"\0TTW": _camera(b"Minolta Co., Ltd.\0", b"DYNAX 5D\0"),
        b"\0WBG": b"\2\2\2\2" + struct.pack(">HHHH", 256, 256, 256, 256),
    }
    head = b"".join(name + struct.pack(">I", len(block)) + block for name, block in blocks.items())
    return b"\0MRM" + struct.pack(">I", len(head)) + head + sensor.tobytes()


def lossless_jpeg(values: Any) -> bytes:
    """One component of `_BITS` bits, each value told by its difference from its left neighbour (T.81, annex H). Each of
    sixteen lengths of differences has a code of five bits.
    """
    height, width = values.shape
    told = values.astype(np.int64)
    before = np.empty_like(told)
    before[:, 1:], before[1:, 0], before[0, 0] = told[:, :-1], told[:-1, 0], 1 << (_BITS - 1)
    bits = []
    for difference in (told - before).ravel().tolist():
        length = abs(difference).bit_length()
        rest = difference if difference >= 0 else difference + (1 << length) - 1
        bits.append(f"{length:05b}" + (f"{rest:0{length}b}" if length else ""))
    whole = "".join(bits)
    whole += "1" * (-len(whole) % 8)
    data = int(whole, 2).to_bytes(len(whole) // 8, "big").replace(b"\xff", b"\xff\0")
    codes = bytes([0, 0, 0, 0, 16, *[0] * 11, *range(16)])
    return (
        b"\xff\xd8"
        + _segment(0xC4, b"\0" + codes)
        + _segment(0xC3, struct.pack(">BHHB3B", _BITS, height, width, 1, 0, 0x11, 0))
        + _segment(0xDA, bytes([1, 0, 0, 1, 0, 0]))
        + data
        + b"\xff\xd9"
    )


def deep_tiff(picture: Image.Image) -> bytes:
    """`picture` in sixteen bits for each of its colours."""
    pixels = np.asarray(picture.convert("RGB")).astype(np.uint16) * 257
    data = pixels.astype("<u2").tobytes()
    fields: list[Field] = [
        (256, 4, (picture.width,)),
        (257, 4, (picture.height,)),
        (258, 3, (16, 16, 16)),
        (259, 3, (1,)),
        (262, 3, (2,)),
        (273, 4, (0,)),
        (277, 3, (3,)),
        (278, 4, (picture.height,)),
        (279, 4, (len(data),)),
    ]
    return _tiff([fields], [[data]])


def _camera(maker: bytes, model: bytes) -> bytes:
    """A big-endian TIFF that names the camera, and holds nothing else."""
    beyond = 8 + 2 + 12 * 2 + 4
    head = b"MM\0*" + struct.pack(">IH", 8, 2)
    head += struct.pack(">HHII", 271, 2, len(maker), beyond)
    head += struct.pack(">HHII", 272, 2, len(model), beyond + len(maker))
    return head + struct.pack(">I", 0) + maker + model


def _segment(marker: int, content: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content


def _tiff(directories: list[list[Field]], pictures: list[list[bytes]]) -> bytes:
    """Little-endian; the first directory names the second as its sub-directory, each the parts of its own picture."""
    starts, at = [], 8
    for entries in directories:
        starts.append(at)
        at += 6 + 12 * len(entries) + sum(_room(_values(kind, values)) for _, kind, values in entries)
    places: list[list[int]] = []
    for parts in pictures:
        places.append([])
        for part in parts:
            places[-1].append(at)
            at += len(part) + len(part) % 2
    body = b""
    for number, entries in enumerate(directories):
        filled = {273: places[number], 324: places[number], 330: starts[-1:]}
        body += _directory(entries, starts[number], filled)
    padded = b"".join(part + b"\0" * (len(part) % 2) for parts in pictures for part in parts)
    return b"II*\0\x08\0\0\0" + body + padded


def _directory(entries: list[Field], at: int, filled: dict[int, list[int]]) -> bytes:
    """What is longer than four bytes stands behind the entries."""
    fields, behind = b"", b""
    beyond = at + 6 + 12 * len(entries)
    for tag, kind, values in entries:
        content = _values(kind, filled.get(tag, values))
        if _room(content):
            fields += struct.pack("<HHII", tag, kind, len(values), beyond + len(behind))
            behind += content + b"\0" * (len(content) % 2)
        else:
            fields += struct.pack("<HHI", tag, kind, len(values)) + content.ljust(4, b"\0")
    return struct.pack("<H", len(entries)) + fields + b"\0\0\0\0" + behind


def _room(content: bytes) -> int:
    return len(content) + len(content) % 2 if len(content) > 4 else 0


def _values(kind: int, values: Any) -> bytes:
    if kind == 2:
        return bytes(values)
    if kind in {5, 10}:
        return b"".join(struct.pack("<II" if kind == 5 else "<ii", round(value * 10_000), 10_000) for value in values)
    return struct.pack(f"<{len(values)}{ {1: 'B', 3: 'H', 4: 'I'}[kind] }", *values)
