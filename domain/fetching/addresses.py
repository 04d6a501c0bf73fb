"""Files behind addresses that people gave: asked for through the guarded way out, and only what is whole is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from email.message import Message
from http import HTTPStatus
from pathlib import PurePosixPath
from typing import Final
from urllib.parse import unquote

from domain.assets import Content
from domain.egress import Egress, Forbidden, Incoming, Unanswered
from domain.fetching import arriving
from domain.refusals import FileRefused
from storage import blobs

_FALLBACK: Final = "file"


def fetch(
    way: Egress, store: blobs.BlobStore, address: str, most: int, tick: Callable[[], None] = lambda: None
) -> Content:
    """The file behind the address; `FileRefused` says why not, with FORBIDDEN where the hub does not go there."""
    try:
        with way.get(address) as incoming:
            length = _check(incoming, most)
            pieces = incoming.pieces if length is None else _whole(incoming.pieces, length)
            return arriving.bring(store, pieces, _name(incoming), most, tick)
    except Forbidden as forbidden:
        raise FileRefused(forbidden.sentence, "FORBIDDEN") from None
    except Unanswered as unanswered:
        raise FileRefused(unanswered.sentence, unanswered.code) from None


def _check(incoming: Incoming, most: int) -> int | None:
    """The length that was announced."""
    if incoming.status != HTTPStatus.OK:
        raise FileRefused(f"It answered with status {incoming.status}.", "STATUS")
    if incoming.headers.get("content-encoding", "identity").lower() != "identity":
        raise FileRefused("It answered in an encoding that was not asked for.", "ENCODED")
    told = incoming.headers.get("content-length", "")
    if not (told.isascii() and told.isdecimal()):
        return None
    if int(told) > most:
        raise FileRefused(f"The file has {int(told):,} bytes; this hub takes at most {most:,}.", "TOO_LARGE")
    return int(told)


def _whole(pieces: Iterator[bytes], length: int) -> Iterator[bytes]:
    count = 0
    for piece in pieces:
        count += len(piece)
        yield piece
    if count != length:
        raise FileRefused("It broke off before the end.", "BROKEN")


def _name(incoming: Incoming) -> str:
    """As the answer calls the file, else the last part of its address."""
    told = Message()
    told["Content-Disposition"] = incoming.headers.get("content-disposition", "")
    path = PurePosixPath(unquote(incoming.target.path.partition("?")[0], errors="replace"))
    return told.get_filename() or path.name or _FALLBACK
