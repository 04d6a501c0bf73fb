"""What a file is, judged by its first bytes; its name decides only between kinds that cannot harm.

The same head and the same name always give the same answer, whatever a client or a header claimed. Nothing is
decoded and nothing is unpacked. 8 KiB of head suffice, fewer are never an error.
"""

from __future__ import annotations

from domain.media_types import containers, signatures, texts
from domain.media_types.catalogue import (
    CATALOGUE,
    NAMED_APART,
    Kind,
    MediaType,
    claimed_by,
    extension_of,
    other,
    unknown,
)
from domain.media_types.names import safe_file_name

__all__ = ["HEAD_BYTES", "Kind", "MediaType", "mismatch", "safe_file_name", "sniff"]

#: As much of a file's beginning as `sniff` ever looks at.
HEAD_BYTES = 8192

_WORDS = {
    Kind.IMAGE: "a picture",
    Kind.VIDEO: "a video",
    Kind.AUDIO: "a sound recording",
    Kind.DOCUMENT: "a document",
    Kind.TEMPLATE: "a layout template",
    Kind.FONT: "a font",
    Kind.ARCHIVE: "an archive",
    Kind.DATASET: "data",
}
_CHECKED = (Kind.IMAGE, Kind.VIDEO, Kind.AUDIO)
_MOVING = frozenset({Kind.VIDEO, Kind.AUDIO})


def sniff(head: bytes, file_name: str) -> MediaType:
    """The media type of a file that begins with `head`; `application/octet-stream` when nothing fits.

    `file_name` chooses among relatives that share their first bytes (a Nikon raw picture and a TIFF, a Word
    document and a ZIP, a table and plain text), never across a border that matters to safety.
    """
    head = head[:HEAD_BYTES]
    extension = extension_of(file_name)
    found = (
        signatures.recognise(head)
        or containers.recognise(head, extension)
        or texts.recognise(head, extension)
        or signatures.recognise_frames(head)
    )
    if found is not None:
        return CATALOGUE[NAMED_APART.get((found, extension), found)]
    return other(head) or unknown(extension)


def mismatch(file_name: str, sniffed: MediaType) -> str | None:
    """A sentence for a person when a name claims a picture, video, sound or PDF and the bytes are none.

    A PNG named `.jpg` is no lie worth refusing: the bytes win and `sniffed` says what they are.
    """
    claim = claimed_by(extension_of(file_name))
    if claim is None or _is_kept(claim, sniffed):
        return None
    promised = "a PDF" if claim.type == "application/pdf" else _WORDS[claim.kind]
    return (
        f"The name “{safe_file_name(file_name)}” promises {promised}, "
        f"but what the file holds is {_described(sniffed)}: nothing was taken."
    )


def _is_kept(claim: MediaType, sniffed: MediaType) -> bool:
    if claim.type == "application/pdf":
        return sniffed.type == claim.type
    if claim.kind in _MOVING:
        return sniffed.kind in _MOVING
    return claim.kind not in _CHECKED or sniffed.kind is claim.kind


def _described(sniffed: MediaType) -> str:
    if sniffed.type == "application/octet-stream":
        return "of no kind we know"
    if sniffed.type.startswith("text/"):
        return f"text ({sniffed.type})"
    return f"{_WORDS[sniffed.kind]} ({sniffed.type})"
