"""Asking for an export, looking at one's own, and giving one up."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

import sqlalchemy as sa

from domain import asking, changes, history, identity
from domain.assets import filtering
from domain.exports import conditions
from domain.exports.lines import ASSET_FIELDS
from domain.pages import Key, Paging, Slice, read_slice
from domain.permissions import Permission
from domain.refusals import Conflict, Invalid, NotFound
from domain.work import Work
from storage.index.conditions import Condition
from storage.tables import BulkExportRow, JobRow, OrganisationRow

#: Exports of one organisation that may wait or be written at the same time.
MOST_AT_ONCE: Final = 3
ACTIVE: Final = ("QUEUED", "RUNNING")


@dataclass(frozen=True)
class WriteExport:
    """Write the lines of an export into a file."""

    kind: ClassVar[str] = "write_export"
    queue: ClassVar[str] = "upkeep"
    priority: ClassVar[int] = 10
    max_attempts: ClassVar[int] = 5

    export_id: int

    def unique_key(self) -> str:
        return f"write_export:{self.export_id}"


def run(
    work: Work,
    subjects: Sequence[str] = ("ASSET",),
    condition: Condition | None = None,
    fields: Sequence[str] | None = None,
) -> BulkExportRow:
    """Asks for everything of these subjects that the viewer is shown, assets only as far as the filter says and with
    these fields. Needs ASSET_DOWNLOAD somewhere; `Conflict` while the organisation has as many under way as it may.
    """
    identity.require_anywhere(work, Permission.ASSET_DOWNLOAD)
    assert work.viewer.principal_id is not None, "an export is somebody's"
    chosen = [name for name in changes.SUBJECTS if name in subjects]
    if not chosen or set(subjects) - set(chosen):
        raise Invalid(f"Name what to export: {', '.join(changes.SUBJECTS)}.", ("what",), "subject")
    if fields is not None and (not fields or set(fields) - set(ASSET_FIELDS)):
        raise Invalid(f"Choose among {', '.join(ASSET_FIELDS)}.", ("fields",), "field")
    if (condition is not None or fields is not None) and "ASSET" not in chosen:
        raise Invalid("A filter and fields are of assets: export these, too.", ("where",), "subject")
    if condition is not None and filtering.is_restricted(condition):
        raise Invalid("An export is not filtered by a field that needs a permission.", ("where",), "permission")
    _check_room(work)
    row = BulkExportRow(
        org_id=work.viewer.org_id,
        principal_id=work.viewer.principal_id,
        token_id=None if work.viewer.by_session else work.viewer.token_id,
        subjects=chosen,
        fields=None if fields is None else [name for name in ASSET_FIELDS if name in fields],
        state="QUEUED",
        created_at=work.now,
    )
    if condition is not None:
        row.condition = conditions.kept(filtering.checked(condition))
    work.session.add(row)
    work.session.flush()
    row.job_id = asking.ask(work, WriteExport(row.id))
    work.session.flush()
    history.record(work, "export.asked", ("BulkExport", row.id), {"subjects": chosen}, org_id=row.org_id)
    return row


def cancel(work: Work, export_id: int) -> BulkExportRow:
    """Whatever of it is written is thrown away. `Conflict` where it is over."""
    row = work.session.scalars(_own(work).where(BulkExportRow.id == export_id).with_for_update()).one_or_none()
    if row is None:
        raise NotFound("There is no export with this id.", ("export",))
    if row.state not in ACTIVE:
        raise Conflict(f"This export is {row.state}: there is nothing to cancel.", ("export",))
    row.state, row.finished_at = "CANCELLED", work.now
    work.session.flush()
    history.record(work, "export.cancelled", ("BulkExport", row.id), org_id=row.org_id)
    return row


def by_id(work: Work, ids: Iterable[int]) -> dict[int, BulkExportRow]:
    return {row.id: row for row in work.session.scalars(_own(work).where(BulkExportRow.id.in_(set(ids))))}


def page(work: Work, wanted: Paging) -> Slice[BulkExportRow]:
    """The viewer's own, newest first."""
    return read_slice(work, _own(work), [Key(BulkExportRow.id, True)], wanted)


def count(work: Work) -> int:
    return work.session.scalar(sa.select(sa.func.count()).select_from(_own(work).subquery())) or 0


def jobs_of(work: Work, exports: Iterable[BulkExportRow]) -> dict[BulkExportRow, JobRow]:
    """The job of each, as far as it is still known; whose export it is may know of its job."""
    rows = {row.job_id: row for row in exports if row.job_id is not None}
    found = sa.select(JobRow).where(JobRow.id.in_(list(rows)))
    return {rows[job.id]: job for job in work.session.scalars(found)}


def _own(work: Work) -> sa.Select[BulkExportRow]:
    return sa.select(BulkExportRow).where(BulkExportRow.principal_id == work.viewer.principal_id)


def _check_room(work: Work) -> None:
    """Counted under a lock, so that several who ask at once take turns."""
    mine = sa.select(OrganisationRow.id).where(OrganisationRow.id == work.viewer.org_id)
    work.session.execute(mine.with_for_update(key_share=True))
    under_way = sa.select(sa.func.count()).where(
        BulkExportRow.org_id == work.viewer.org_id, BulkExportRow.state.in_(ACTIVE)
    )
    if (work.session.scalar(under_way) or 0) >= MOST_AT_ONCE:
        raise Conflict(f"{MOST_AT_ONCE} exports of your organisation are under way: wait for one, or cancel it.")
