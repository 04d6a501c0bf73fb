"""Writing an export: batch after batch of lines, each kept before the next is read, then all of them as one file.

Always true here:
- Each batch is read with what whoever asked holds at that moment, by the token they asked with. Once that changes,
  everything is written anew: a file never mixes what two sets of rights show.
- The cursor is taken before the first line, so that the change feed from there tells of everything that changed while
  the lines were written.
- Of two workers who write the same export only one batch counts at each place.
"""

from __future__ import annotations

import ipaddress
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final

import sqlalchemy as sa

from domain import blobs, changes, history, identity
from domain.assets import filtering, listing
from domain.exports import conditions, lines
from domain.exports.lines import Line
from domain.permissions import Permission
from domain.refusals import NotAllowed
from domain.work import Viewer, Work
from storage.blobs import Stored
from storage.tables import (
    AssetRow,
    AssetVersionRow,
    BlobRow,
    BulkExportPartRow,
    BulkExportRow,
    LightboxRow,
    TagRow,
    TokenRow,
)

#: Things in one batch.
BATCH: Final = 500
KEPT_DAYS: Final = 7
#: Exports swept in one transaction.
SWEPT: Final = 20


@dataclass(frozen=True)
class Batch:
    """Lines of the subject in place `subject` behind `last_id`, and where the next batch begins."""

    number: int
    body: bytes
    lines: int
    subject: int
    last_id: int


def begin(work: Work, export_id: int) -> bool:
    """Whether there is anything to write; whatever was written with other rights than those of now is thrown away."""
    row = _held(work, export_id)
    if row is None:
        return False
    theirs = _theirs(work, row)
    held = changes.digest(theirs.viewer)
    if row.held != held:
        work.session.execute(sa.delete(BulkExportPartRow).where(BulkExportPartRow.export_id == row.id))
        row.held, row.cursor = held, changes.cursor_now(theirs, row.subjects)
        row.subject = row.last_id = row.parts = row.lines = 0
        row.total = sum(_count(theirs, row, subject) for subject in row.subjects)
    row.state = "RUNNING"
    return True


def batch(work: Work, export_id: int) -> Batch | None:
    """The next lines; None where the export is over, or has to be begun anew."""
    row = work.session.get_one(BulkExportRow, export_id)
    theirs = _theirs(work, row)
    if row.state != "RUNNING" or changes.digest(theirs.viewer) != row.held:
        return None
    subject = row.subjects[row.subject]
    rows = list(work.session.scalars(_listed(theirs, row, subject, row.last_id).limit(BATCH)))
    told = _SPELL[subject](theirs, rows, row.fields)
    over = len(rows) < BATCH
    is_last = over and row.subject + 1 == len(row.subjects)
    spelt = [lines.spelt(line) for line in told]
    if row.parts == 0:
        spelt.insert(0, lines.spelt(_head(row)))
    if is_last:
        spelt.append(lines.spelt({"type": "End", "lines": row.lines + len(told)}))
    subject_at, last_id = (row.subject + 1, 0) if over else (row.subject, rows[-1].id)
    return Batch(
        number=row.parts + 1,
        body=b"".join(spelt),
        lines=len(told),
        subject=subject_at,
        last_id=last_id,
    )


def keep(work: Work, export_id: int, written: Batch, stored: Stored) -> tuple[int, int] | None:
    """Keeps a batch: how many lines there are by now, of how many; None where it does not count any more."""
    row = _held(work, export_id)
    if row is None or row.state != "RUNNING" or row.parts + 1 != written.number:
        return None
    blobs.keep(work, stored.sha256, stored.size)
    work.session.add(BulkExportPartRow(export_id=row.id, number=written.number, sha256=stored.sha256))
    row.parts, row.lines = written.number, row.lines + written.lines
    row.subject, row.last_id = written.subject, written.last_id
    return row.lines, max(row.lines, row.total or 0)


def is_written(work: Work, export_id: int) -> bool:
    """Whether nothing is missing but the file."""
    row = work.session.get_one(BulkExportRow, export_id)
    return row.state == "RUNNING" and row.subject == len(row.subjects)


def parts(work: Work, export_id: int) -> Sequence[str]:
    """Digests of everything that is written, in order."""
    rows = sa.select(BulkExportPartRow.sha256).where(BulkExportPartRow.export_id == export_id)
    return list(work.session.scalars(rows.order_by(BulkExportPartRow.number)))


def finish(work: Work, export_id: int, stored: Stored) -> None:
    row = _held(work, export_id)
    if row is None or row.state != "RUNNING":
        return
    blobs.keep(work, stored.sha256, stored.size)
    row.sha256, row.byte_size, row.total = stored.sha256, stored.size, row.lines
    row.state, row.finished_at, row.expires_at = "DONE", work.now, work.now + timedelta(days=KEPT_DAYS)
    work.session.flush()
    history.record(work, "export.written", ("BulkExport", row.id), {"lines": row.lines}, org_id=row.org_id)


def fail(work: Work, export_id: int, code: str, message: str) -> None:
    row = _held(work, export_id)
    if row is not None:
        row.state, row.failure_code, row.failure_message = "FAILED", code, message
        row.finished_at = work.now
        work.session.flush()
        history.record(work, "export.failed", ("BulkExport", row.id), {"code": code}, org_id=row.org_id)


def sweep(work: Work) -> list[str]:
    """Forgets the parts of what is over, and files whose time is: digests of bytes that nobody points at any more, to
    be removed after the commit.
    """
    over = sa.select(BulkExportRow).where(
        BulkExportRow.state.not_in(("QUEUED", "RUNNING")),
        sa.or_(
            sa.and_(BulkExportRow.expires_at <= work.now, BulkExportRow.sha256.is_not(None)),
            BulkExportRow.id.in_(sa.select(BulkExportPartRow.export_id)),
        ),
    )
    freed: set[str] = set()
    for row in work.session.scalars(over.order_by(BulkExportRow.id).limit(SWEPT).with_for_update()):
        freed.update(parts(work, row.id))
        work.session.execute(sa.delete(BulkExportPartRow).where(BulkExportPartRow.export_id == row.id))
        if row.sha256 is not None and row.expires_at is not None and row.expires_at <= work.now:
            freed.add(row.sha256)
            row.sha256 = None
    work.session.flush()
    return [sha256 for sha256 in sorted(freed) if _is_free(work, sha256)]


def _held(work: Work, export_id: int) -> BulkExportRow | None:
    """The export, locked; None where it is over."""
    rows = sa.select(BulkExportRow).where(BulkExportRow.id == export_id).with_for_update()
    row = work.session.scalars(rows.execution_options(populate_existing=True)).one()
    return row if row.state in {"QUEUED", "RUNNING"} else None


def _theirs(work: Work, row: BulkExportRow) -> Work:
    """As whoever asked, with what they hold now; `NotAllowed` where that is nothing."""
    viewer = owner_of(work, row)
    if not viewer.holdings.anywhere(Permission.ASSET_DOWNLOAD):
        permission = Permission.ASSET_DOWNLOAD.value
        raise NotAllowed("Whoever asked for this export may not take anything away any more.", permission)
    return replace(work, viewer=viewer)


def owner_of(work: Work, row: BulkExportRow) -> Viewer:
    """A token for some networks was shown from one of them when the export was asked for; the hub is everywhere."""
    token = None if row.token_id is None else work.session.get(TokenRow, row.token_id)
    networks = None if token is None else token.networks
    address = None if not networks else str(ipaddress.ip_network(networks[0]).network_address)
    viewer, _ = identity.viewer_by(work, row.principal_id, row.token_id, address, lasting=True)
    return viewer


def _head(row: BulkExportRow) -> Line:
    """The first line. The random mark makes each file's bytes its own."""
    return {
        "type": "Export",
        "format": 1,
        "subjects": row.subjects,
        "cursor": row.cursor,
        "mark": secrets.token_hex(16),
    }


def _count(work: Work, row: BulkExportRow, subject: str) -> int:
    listed = _listed(work, row, subject, 0).order_by(None).subquery()
    return work.session.scalar(sa.select(sa.func.count()).select_from(listed)) or 0


def _listed(work: Work, row: BulkExportRow, subject: str, beyond: int) -> sa.Select[Any]:
    return _LIST[subject](work, row, beyond)


def _assets(work: Work, row: BulkExportRow, beyond: int) -> sa.Select[AssetRow]:
    """As the list of assets has them: without a word about the lifecycle, archived ones are left out."""
    asked = listing.effective(None if row.condition is None else conditions.restored(row.condition))
    rows = sa.select(AssetRow).where(AssetRow.id > beyond, identity.sees_asset(work))
    if filtering.needs_version(asked):
        rows = rows.outerjoin(AssetVersionRow, AssetVersionRow.id == identity.shown_version_id(work))
    return rows.where(filtering.sql_of(asked, listing.shown(work, asked))).order_by(AssetRow.id)


def _lightboxes(work: Work, _row: BulkExportRow, beyond: int) -> sa.Select[LightboxRow]:
    rows = sa.select(LightboxRow).where(LightboxRow.id > beyond, LightboxRow.archived_at.is_(None))
    return rows.where(identity.sees_lightbox(work)).order_by(LightboxRow.id)


def _tags(work: Work, _row: BulkExportRow, beyond: int) -> sa.Select[TagRow]:
    """For whoever sees the whole vocabulary; to others tags come with their assets."""
    whole = sa.true() if changes.sees_vocabulary(work.viewer) else sa.false()
    return sa.select(TagRow).where(TagRow.id > beyond, TagRow.merged_into_id.is_(None), whole).order_by(TagRow.id)


def _is_free(work: Work, sha256: str) -> bool:
    """Whether the row of these bytes could go, for nothing points at it."""
    try:
        with work.session.begin_nested():
            work.session.execute(sa.delete(BlobRow).where(BlobRow.sha256 == sha256))
    except sa.exc.IntegrityError:
        return False
    return True


_LIST: Final[dict[str, Callable[[Work, BulkExportRow, int], sa.Select[Any]]]] = {
    "ASSET": _assets,
    "LIGHTBOX": _lightboxes,
    "TAG": _tags,
}
_SPELL: Final[dict[str, Callable[[Work, Any, Sequence[str] | None], list[Line]]]] = {
    "ASSET": lines.of_assets,
    "LIGHTBOX": lines.of_lightboxes,
    "TAG": lines.of_tags,
}
