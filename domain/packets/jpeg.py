"""What is said of a picture, put into a JPEG that is finished already: its pixels and all else stay byte for byte.

Segments stand directly behind the file's first two bytes, where readers look for them (ITU T.81, B.1.1.3).
"""

from __future__ import annotations

from typing import Final

from domain.packets import iptc, xmp
from domain.statements import MetadataPolicy, Statement

#: The mark that every JPEG begins with.
START: Final = b"\xff\xd8"
APP13: Final = b"\xff\xed"

_APP1: Final = b"\xff\xe1"
_XMP: Final = b"http://ns.adobe.com/xap/1.0/\0"


def head(statement: Statement | None, policy: MetadataPolicy) -> bytes:
    """What takes the place of `START` in a JPEG so that it says this; `START` itself where nothing is to be said."""
    packet, record = xmp.packet(statement, policy), iptc.record(statement, policy)
    said = segment(_APP1, _XMP + packet) if packet else b""
    return START + said + (segment(APP13, iptc.photoshop_resource(record)) if record else b"")


def segment(marker: bytes, content: bytes) -> bytes:
    """One segment; its content has at most 65,533 bytes, or this is an `OverflowError`."""
    return marker + (len(content) + 2).to_bytes(2, "big") + content
