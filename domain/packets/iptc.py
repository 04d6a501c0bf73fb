"""A statement as an IPTC-IIM record: what older programs, and the picture desks that run them, read.

Texts are UTF-8, said so in the envelope, and cut at the octets that the standard gives each field (IIM 4.2), never
inside a letter.
"""

from __future__ import annotations

import struct
from typing import Any

from domain.statements import MetadataPolicy, Statement

_UTF_8 = b"\x1b%G"
_VERSION = struct.pack(">H", 4)
#: Name → (data set of record 2, most octets).
_FIELDS = {
    "title": (5, 64),
    "keywords": (25, 64),
    "starts": (30, 8),
    "expires": (37, 8),
    "terms": (40, 256),
    "creator": (80, 32),
    "credit": (110, 32),
    "notice": (116, 128),
    "description": (120, 2000),
}
_DATES = frozenset({"starts", "expires"})
_RESOURCE = 0x0404
_PHOTOSHOP = b"Photoshop 3.0\0"


def record(statement: Statement | None, policy: MetadataPolicy) -> bytes:
    """Empty where the policy writes nothing, or nothing that IIM has a field for."""
    said = statement.written(policy) if statement else {}
    sets = [_data_set(2, number, text) for number, text in _texts(said)]
    if not sets:
        return b""
    return _data_set(1, 90, _UTF_8) + _data_set(2, 0, _VERSION) + b"".join(sets)


def photoshop_resource(iim: bytes) -> bytes:
    """The record as a Photoshop image resource block, with the mark that JPEG's APP13 begins with."""
    name, padding = b"\0\0", b"\0" * (len(iim) % 2)
    return _PHOTOSHOP + b"8BIM" + struct.pack(">H", _RESOURCE) + name + struct.pack(">I", len(iim)) + iim + padding


def _texts(said: dict[str, Any]) -> list[tuple[int, bytes]]:
    found = []
    for name, (number, most) in _FIELDS.items():
        value = said.get(name, [])
        for text in value if isinstance(value, list) else [value]:
            plain = text.replace("-", "") if name in _DATES else text
            found.append((number, plain.encode()[:most].decode(errors="ignore").encode()))
    return sorted(found, key=lambda pair: pair[0])


def _data_set(record_number: int, number: int, content: bytes) -> bytes:
    return struct.pack(">BBBH", 0x1C, record_number, number, len(content)) + content
