"""Why a picture cannot be made, said to a person; and how the many errors of the codecs map to those words."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal

from domain import media_types
from domain.recipes import FailureCode, RenderFailure

_SENTENCES = {
    FailureCode.UNSUPPORTED_FORMAT: "This kind of file cannot be shown as a picture.",
    FailureCode.NOT_INSTALLED: "This hub runs without the library that reads this kind of file.",
    FailureCode.TRUNCATED: "The file ends too early: it was probably not uploaded or exported completely.",
    FailureCode.DAMAGED: "The file is damaged and cannot be read.",
    FailureCode.TOO_MANY_PIXELS: "The picture has more pixels than this hub takes.",
    FailureCode.ABSURD_DIMENSIONS: "The picture's width and height make no sense for a picture.",
    FailureCode.ENCRYPTED: "The document is protected by a password.",
    FailureCode.EMPTY: "There is nothing in the file.",
    FailureCode.OUT_OF_RANGE: "What was asked for lies outside the picture.",
    FailureCode.TIMEOUT: "Reading the file took too long and was stopped.",
    FailureCode.OUT_OF_MEMORY: "Reading the file needed more memory than there is.",
    FailureCode.CRASHED: "Reading the file broke off unexpectedly.",
}

_TAIL = 4096
_RIFF_HEADER = 8


class PictureError(Exception):
    """Nothing at all can be made of the file; `failure` says why."""

    def __init__(self, failure: RenderFailure) -> None:
        super().__init__(failure.sentence)
        self.failure = failure


def failure(code: FailureCode, sentence: str | None = None) -> RenderFailure:
    return RenderFailure(code, sentence or _SENTENCES[code])


def refused(code: FailureCode, sentence: str | None = None) -> PictureError:
    return PictureError(failure(code, sentence))


def translated(error: Exception, source: Path, media_type: str) -> PictureError:
    """What an exception from a codec says about `source`; a `PictureError` stays what it is."""
    if isinstance(error, PictureError):
        return error
    if isinstance(error, MemoryError):
        return refused(FailureCode.OUT_OF_MEMORY)
    if "encrypt" in str(error).lower() or "password" in str(error).lower():
        return refused(FailureCode.ENCRYPTED)
    return refused(FailureCode.TRUNCATED if ends_early(source, media_type) else FailureCode.DAMAGED)


def ends_early(source: Path, media_type: str) -> bool:
    """Whether the container itself says that there should be more; False where it does not say, or is none."""
    size = source.stat().st_size
    with source.open("rb") as file:
        head = file.read(_TAIL)
        file.seek(max(0, size - _TAIL))
        tail = file.read(_TAIL)
    if media_types.sniff(head, source.name).type != media_type:
        return False
    if media_type in _END_MARKS:
        return _END_MARKS[media_type] not in tail
    check = _BY_LENGTH.get(media_type)
    return check is not None and check(source, head, size)


#: Formats that finish with a mark of their own.
_END_MARKS = {
    "image/jpeg": b"\xff\xd9",
    "image/png": b"IEND",
    "application/pdf": b"%%EOF",
}


def _riff_is_short(_source: Path, head: bytes, size: int) -> bool:
    return int.from_bytes(head[4:8], "little") + _RIFF_HEADER > size


def _gif_is_short(source: Path, _head: bytes, size: int) -> bool:
    """A trailer ends the file; some writers pad it with zeros."""
    with source.open("rb") as file:
        file.seek(max(0, size - _TAIL))
        return not file.read().rstrip(b"\0").endswith(b";")


def _bmp_is_short(_source: Path, head: bytes, size: int) -> bool:
    return int.from_bytes(head[2:6], "little") > size


def _boxes_are_short(source: Path, _head: bytes, size: int) -> bool:
    """ISO base media: every top-level box says how long it is."""
    at = 0
    with source.open("rb") as file:
        while at + 8 <= size:
            file.seek(at)
            length = int.from_bytes(file.read(4), "big")
            if length == 1:
                length = int.from_bytes(file.read(12)[4:], "big")
            if length < 8:  # noqa: PLR2004 - zero means to the end of the file; less than its own header is damage
                return False
            at += length
    return at != size


def _tiff_is_short(_source: Path, head: bytes, size: int) -> bool:
    """Where the directory stands behind the pixels; when it stands before them, nothing is known."""
    order: Literal["little", "big"] = "little" if head[:2] == b"II" else "big"
    return int.from_bytes(head[4:8], order) >= size


_BY_LENGTH: dict[str, Callable[[Path, bytes, int], bool]] = {
    "image/gif": _gif_is_short,
    "image/webp": _riff_is_short,
    "image/bmp": _bmp_is_short,
    "image/avif": _boxes_are_short,
    "image/heic": _boxes_are_short,
    "image/heif": _boxes_are_short,
    "image/tiff": _tiff_is_short,
}
