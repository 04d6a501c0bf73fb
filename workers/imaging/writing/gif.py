"""XMP in a GIF: an application extension, which Pillow does not write (XMP specification part 3, 1.1.2)."""

from __future__ import annotations

_NAME = b"!\xff\x0bXMP DataXMP"
#: Readers that take the packet for sub-blocks of some length land in this slide, whichever it is, and leave it at 0.
_TRAILER = b"\x01" + bytes(range(255, -1, -1)) + b"\x00"
_HEADER, _HAS_TABLE = 13, 0x80


def with_xmp(content: bytes, packet: bytes) -> bytes:
    """The same GIF with the packet behind its global colour table."""
    flags = content[10]
    at = _HEADER + (3 << ((flags & 7) + 1) if flags & _HAS_TABLE else 0)
    # The extension came with version 89a.
    return b"GIF89a" + content[6:at] + _NAME + packet + _TRAILER + content[at:]
