"""What bytes are that have just arrived, and which are not taken."""

from __future__ import annotations

from dataclasses import dataclass

from domain import intake, media_types
from domain.refusals import FileRefused
from domain.work import Work
from storage import blobs


@dataclass(frozen=True)
class Content:
    """Bytes that stand in the blob store, and what they are."""

    sha256: str
    byte_size: int
    file_name: str
    media_type: str
    kind: str


def of_upload(work: Work, upload_id: str) -> Content:
    """What a finished upload of the viewer brought."""
    row = intake.completed(work, upload_id)
    assert row.sha256 is not None
    return recognise(work.blobs, row.sha256, row.length, row.file_name)


def recognise(store: blobs.BlobStore, sha256: str, byte_size: int, file_name: str) -> Content:
    """Judges stored bytes by their beginning; a name that claims something else is refused."""
    with store.open(sha256, 0, media_types.HEAD_BYTES) as stream:
        return judge(stream.read(media_types.HEAD_BYTES), sha256, byte_size, file_name)


def judge(head: bytes, sha256: str, byte_size: int, file_name: str) -> Content:
    if byte_size == 0:
        raise FileRefused("The file is empty: there is nothing to keep.", "EMPTY")
    name = media_types.safe_file_name(file_name)
    found = media_types.sniff(head, name)
    claim = media_types.mismatch(name, found)
    if claim is not None:
        raise FileRefused(claim, "NOT_WHAT_IT_CLAIMS")
    return Content(sha256, byte_size, name, found.type, found.kind.value)
