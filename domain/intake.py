"""Files on their way in: who sends what, how much of it is here, and when it is a blob.

An upload belongs to whoever began it; for anybody else it does not exist. It is COMPLETE exactly when its bytes are a
blob and an `upload.completed` event says so. Between the two stands no state that a crash could leave behind: bytes
that are all here but not yet a blob are settled when they are next asked for.
"""

from __future__ import annotations

import secrets
from datetime import timedelta

import sqlalchemy as sa

from domain import blobs as blob_rows
from domain import history, identity, looks
from domain.media_types import safe_file_name
from domain.permissions import Permission
from domain.refusals import Conflict, FileRefused, Gone, NotFound, StorageFull
from domain.work import Work
from storage import blobs, staging
from storage.tables import UploadRow

#: Who may bring bytes: they become an asset, or a version of one.
BRINGING = (Permission.ASSET_CREATE, Permission.ASSET_VERSION_ADD)

#: Seconds that bytes without an upload are left alone: their upload may be about to be committed.
STRAY_AFTER = 60 * 60
#: Uploads removed by one sweep: bounds its transaction.
SWEPT_AT_ONCE = 500
_ID_BYTES = 24


class Locked(Conflict):
    """Somebody is sending bytes of this upload at the moment."""

    code = "LOCKED"

    def __init__(self) -> None:
        super().__init__("This upload is being written to by another request: wait for it to end, then try again.")


def begin(
    work: Work,
    kept: staging.Staging,
    *,
    length: int,
    file_name: str,
    sha256: str | None = None,
) -> UploadRow:
    """An upload of `length` bytes, none of which is here yet; `sha256` is what they must have in the end.

    `FileRefused` for a file that is empty or larger than this hub takes.
    """
    refuse_size(length, work.limits.max_upload_bytes)
    if not any(map(work.viewer.holdings.anywhere, BRINGING)):
        raise identity.not_allowed(Permission.ASSET_CREATE)
    identity.count_upload(work)
    assert work.viewer.principal_id is not None, "somebody must own the upload"
    row = UploadRow(
        id=secrets.token_urlsafe(_ID_BYTES),
        org_id=work.viewer.org_id,
        principal_id=work.viewer.principal_id,
        state="OPEN",
        length=length,
        file_name=safe_file_name(file_name),
        expected_sha256=sha256,
        created_at=work.now,
        expires_at=work.now + timedelta(days=work.limits.upload_days),
    )
    work.session.add(row)
    work.session.flush()
    try:
        kept.create(row.id)
    except staging.Full:
        raise StorageFull from None
    return row


def refuse_size(length: int, most: int) -> None:
    """`FileRefused` for a file that is empty or has more than `most` bytes."""
    if length == 0:
        raise FileRefused("The file is empty: there is nothing to keep.", "EMPTY")
    if length > most:
        raise FileRefused(f"The file has {length:,} bytes; this hub takes at most {most:,}.", "TOO_LARGE")


def own(work: Work, upload_id: str) -> UploadRow:
    """The viewer's upload; `NotFound` for another's, `Gone` when its time is over."""
    row = work.session.get(UploadRow, upload_id) if upload_id.isprintable() else None  # PostgreSQL takes no NUL
    if row is None or row.principal_id != work.viewer.principal_id:
        raise NotFound("There is no upload with this id.", ("upload",))
    if row.expires_at <= work.now:
        raise Gone("This upload has expired: begin a new one.", ("upload",))
    return row


def completed(work: Work, upload_id: str) -> UploadRow:
    """The viewer's upload, all of it a blob; `Conflict` while bytes are missing."""
    row = own(work, upload_id)
    if row.state != "COMPLETE":
        raise Conflict(
            "This upload is not finished: send the rest of it, or ask for its offset, first.",
            ("upload",),
        )
    return row


def offset(row: UploadRow, kept: staging.Staging) -> int:
    """How many bytes are safely here; `Gone` if they are not on this machine, or `row` was completed meanwhile."""
    if row.state == "COMPLETE":
        return row.length
    try:
        return kept.offset(row.id)
    except staging.Missing:
        raise _no_bytes() from None


def writer(row: UploadRow, kept: staging.Staging, *, checked: bool = False) -> staging.Writer:
    """The one who may append now; `Locked` while somebody else does. Raises `Gone` like `offset`."""
    try:
        return kept.writer(row.id, checked=checked)
    except staging.Busy:
        raise Locked from None
    except staging.Missing:
        raise _no_bytes() from None


def store(kept: blobs.BlobStore, row: UploadRow, at: staging.Writer) -> str:
    """Puts the bytes of an upload that are all here into the blob store; their SHA-256.

    May last minutes, so it stands outside every transaction: `complete` or, after `FileRefused`, `reject` must
    follow. `FileRefused` says that another digest was announced; after `StorageFull` all stands as it did. Repeating
    is safe.
    """
    assert at.size == row.length, "only a full upload is stored"
    digest = at.digest()
    if row.expected_sha256 not in {None, digest}:
        raise FileRefused(
            f"The file that arrived has the SHA-256 {digest}, but {row.expected_sha256} was announced: "
            "it was thrown away, begin again.",
            "DIGEST_MISMATCH",
        )
    try:
        kept.adopt(at.path, digest, verified=True)
    except blobs.StoreFull:
        raise StorageFull from None
    return digest


def complete(work: Work, row: UploadRow, digest: str) -> None:
    """The upload turns COMPLETE once, however often this is repeated; its staged bytes may go after the commit."""
    blob_rows.keep(work, digest, row.length)
    turned = (
        sa.update(UploadRow)
        .where(UploadRow.id == row.id, UploadRow.state == "OPEN")
        .values(state="COMPLETE", sha256=digest)
        .returning(UploadRow.id)
    )
    if work.session.execute(turned).one_or_none() is not None:
        story = {"upload": row.id, "sha256": digest, "byteSize": row.length}
        history.record(work, "upload.completed", ("Principal", row.principal_id), story, org_id=row.org_id)
        looks.ask(work, digest)


def reject(work: Work, row: UploadRow) -> None:
    """The upload is no more; its staged bytes may go after the commit."""
    gone = sa.delete(UploadRow).where(UploadRow.id == row.id).returning(UploadRow.id)
    if work.session.execute(gone).one_or_none() is not None:
        story = {"upload": row.id}
        history.record(work, "upload.discarded", ("Principal", row.principal_id), story, org_id=row.org_id)


def discard(work: Work, kept: staging.Staging, upload_id: str) -> None:
    """Forgets the viewer's upload; what was made of it stays. `Locked` while bytes are coming in."""
    _forget(work, kept, own(work, upload_id))


def expire(work: Work, kept: staging.Staging) -> int:
    """Forgets uploads whose time is over and bytes that belong to none; how many. Never one that is written to.

    The bytes go before the rows. Should the transaction fail, the rows stay until the next sweep: an expired upload
    has no use for its bytes.
    """
    late = sa.select(UploadRow).where(UploadRow.expires_at <= work.now).limit(SWEPT_AT_ONCE)
    swept = 0
    for row in work.session.scalars(late).all():
        try:
            _forget(work, kept, row)
            swept += 1
        except Locked:
            continue
    return swept + _sweep_strays(work, kept)


def _forget(work: Work, kept: staging.Staging, row: UploadRow) -> None:
    try:
        kept.remove(row.id)
    except staging.Busy:
        raise Locked from None
    reject(work, row)


def _sweep_strays(work: Work, kept: staging.Staging) -> int:
    old = list(kept.untouched_for(STRAY_AFTER))[:SWEPT_AT_ONCE]
    known = set(work.session.scalars(sa.select(UploadRow.id).where(UploadRow.id.in_(old), UploadRow.state == "OPEN")))
    swept = 0
    for upload_id in set(old) - known:
        try:
            kept.remove(upload_id)
            swept += 1
        except staging.Busy:
            continue
    return swept


def _no_bytes() -> Gone:
    return Gone("The bytes of this upload are no longer on this machine: begin a new one.", ("upload",))
