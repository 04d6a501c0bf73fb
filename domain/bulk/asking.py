"""Asking for an operation, for one that takes it back, looking at them, and giving one up."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final

import sqlalchemy as sa

from domain import asking, assets, history, identity
from domain.assets import filtering
from domain.bulk.edits import Input, read
from domain.bulk.running import batch
from domain.nested import counts_of, pages_of
from domain.pages import Key, Paging, Slice, read_slice
from domain.permissions import Permission
from domain.refusals import Conflict, Invalid, NotFound
from domain.texts import MAX_NOTE, paragraphs
from domain.work import Work
from storage.index.conditions import Condition
from storage.tables import BulkItemRow, BulkOperationRow, JobRow, OrganisationRow

#: Assets of one operation, and of those how many may be named one by one.
MAX_ASSETS: Final = 10_000
MAX_NAMED: Final = 500
#: So many are changed at once; more are a job's work.
AT_ONCE: Final = 25
#: Operations of one organisation that may be under way at the same time.
MOST_AT_ONCE: Final = 5
ACTIVE: Final = ("QUEUED", "RUNNING")


@dataclass(frozen=True)
class RunBulkOperation:
    """Do what is left of an operation."""

    kind: ClassVar[str] = "run_bulk_operation"
    queue: ClassVar[str] = "default"
    priority: ClassVar[int] = 0
    max_attempts: ClassVar[int] = 5

    operation_id: int

    def unique_key(self) -> str:
        return f"run_bulk_operation:{self.operation_id}"


@dataclass(frozen=True)
class Selection:
    """Assets by their ids, or all of the list that the viewer is shown under a filter. `expected`: how many there were
    when the viewer looked.
    """

    asset_ids: Sequence[int] | None = None
    condition: Condition | None = None
    expected: int | None = None


def ask(work: Work, selection: Selection, given: Input, reason: str | None = None) -> BulkOperationRow:
    """Changes these assets: few of them at once, many by a job. Refused as a whole: an asset named that the viewer does
    not see, another number than expected, and what no asset at all would take.
    """
    ids = selected(work, selection)
    identity.require_anywhere(work, Permission.ASSET_UPDATE)
    edit = read(work, given)
    row = _operation(work, len(ids), paragraphs(reason, MAX_NOTE, ("reason",)))
    row.changes = edit.plain()
    return _begun(work, row, ids)


def undo(work: Work, operation_id: int, reason: str | None = None) -> BulkOperationRow:
    """An operation that takes another one back: what it changed and nobody changed since. `Conflict` while that one is
    under way, and where it was taken back already.
    """
    found = by_id(work, [operation_id]).get(operation_id)
    if found is None:
        raise NotFound("There is no operation with this id.", ("operation",))
    held = sa.select(BulkOperationRow).where(BulkOperationRow.id == operation_id).with_for_update()
    undone = work.session.scalars(held.execution_options(populate_existing=True)).one()
    if undone.state in ACTIVE:
        raise Conflict("This operation is under way: cancel it first, or wait for it.", ("operation",))
    if undoings_of(work, [operation_id]):
        raise Conflict("This operation was taken back already.", ("operation",))
    changed = sa.select(BulkItemRow.asset_id).where(
        BulkItemRow.operation_id == operation_id, BulkItemRow.state == "CHANGED"
    )
    ids = list(work.session.scalars(changed.order_by(BulkItemRow.asset_id)))
    if not ids:
        raise Conflict("This operation changed nothing.", ("operation",))
    row = _operation(work, len(ids), paragraphs(reason, MAX_NOTE, ("reason",)))
    row.undoes_id = operation_id
    return _begun(work, row, ids)


def cancel(work: Work, operation_id: int) -> BulkOperationRow:
    """Gives up what is left of it; what is done stays done, and can be taken back. `Conflict` where it is over."""
    if operation_id not in by_id(work, [operation_id]):
        raise NotFound("There is no operation with this id.", ("operation",))
    held = sa.select(BulkOperationRow).where(BulkOperationRow.id == operation_id).with_for_update()
    row = work.session.scalars(held.execution_options(populate_existing=True)).one()
    if row.state not in ACTIVE:
        raise Conflict(f"This operation is {row.state}: there is nothing to cancel.", ("operation",))
    row.state, row.finished_at = "CANCELLED", work.now
    work.session.flush()
    history.record(work, "bulk_operation.cancelled", ("BulkOperation", row.id), org_id=row.org_id)
    return row


def selected(work: Work, selection: Selection) -> list[int]:
    """The ids of these assets, ascending."""
    if (selection.asset_ids is None) == (selection.condition is None):
        raise Invalid("Name the assets, or say what they are like: one of both.", ("assets",), "required")
    ids = _listed(work, selection.condition) if selection.asset_ids is None else _named(work, selection.asset_ids)
    if selection.expected is not None and len(ids) != selection.expected:
        raise Conflict(f"There are {len(ids)} such assets now, not {selection.expected}: look again.", ("expected",))
    return ids


def by_id(work: Work, ids: Iterable[int]) -> dict[int, BulkOperationRow]:
    return {row.id: row for row in work.session.scalars(_seen(work).where(BulkOperationRow.id.in_(set(ids))))}


def page(work: Work, wanted: Paging) -> Slice[BulkOperationRow]:
    """Newest first."""
    return read_slice(work, _seen(work), [Key(BulkOperationRow.id, True)], wanted)


def count(work: Work) -> int:
    return work.session.scalar(sa.select(sa.func.count()).select_from(_seen(work).subquery())) or 0


def items_of(
    work: Work, operation_ids: Iterable[int], wanted: Paging, state: str | None = None
) -> dict[int, Slice[BulkItemRow]]:
    """Per operation, which the viewer sees, a page of its assets in the order of their ids."""
    ids = set(operation_ids)
    keys = [Key(BulkItemRow.asset_id, False)]
    return pages_of(work, _items(state), BulkItemRow.operation_id, keys, ids, wanted)


def items_count(work: Work, operation_ids: Iterable[int], state: str | None = None) -> dict[int, int]:
    return counts_of(work, _items(state), BulkItemRow.operation_id, set(operation_ids))


def undoings_of(work: Work, operation_ids: Iterable[int]) -> dict[int, BulkOperationRow]:
    """Per operation the one that takes it back, unless that failed or was given up."""
    rows = sa.select(BulkOperationRow).where(
        BulkOperationRow.undoes_id.in_(set(operation_ids)), BulkOperationRow.state.not_in(("FAILED", "CANCELLED"))
    )
    return {row.undoes_id: row for row in work.session.scalars(rows) if row.undoes_id is not None}


def jobs_of(work: Work, operations: Iterable[BulkOperationRow]) -> dict[BulkOperationRow, JobRow]:
    """The job of each, as far as it is still known; whose operation it is may know of its job."""
    rows = {row.job_id: row for row in operations if row.job_id is not None}
    found = sa.select(JobRow).where(JobRow.id.in_(list(rows)))
    return {rows[job.id]: job for job in work.session.scalars(found)}


def _seen(work: Work) -> sa.Select[BulkOperationRow]:
    """The viewer's own; all, for whoever watches jobs and sees every asset: counts tell of assets."""
    rows = sa.select(BulkOperationRow)
    held = work.viewer.holdings
    if held.reach(Permission.JOB_VIEW).is_everywhere and identity.sees_everything(work.viewer):
        return rows
    return rows.where(BulkOperationRow.principal_id == work.viewer.principal_id)


def _items(state: str | None) -> sa.Select[Any]:
    rows = sa.select(BulkItemRow)
    return rows if state is None else rows.where(BulkItemRow.state == state)


def _named(work: Work, asset_ids: Sequence[int]) -> list[int]:
    ids = set(asset_ids)
    if not 1 <= len(ids) <= MAX_NAMED:
        raise Invalid(f"Name 1 to {MAX_NAMED} assets; more are found by a filter.", ("assets",), "length")
    if ids - assets.by_id(work, ids).keys():
        raise NotFound("There is no asset with this id.", ("assets",))
    return sorted(ids)


def _listed(work: Work, condition: Condition | None) -> list[int]:
    if condition is not None:
        filtering.checked(condition)
    rows, _ = assets.statement(work, condition, ())
    ids = list(work.session.scalars(rows.with_only_columns(assets.ID).order_by(assets.ID).limit(MAX_ASSETS + 1)))
    if len(ids) > MAX_ASSETS:
        raise Invalid(f"One operation is about at most {MAX_ASSETS} assets: narrow the filter.", ("where",), "length")
    return ids


def _operation(work: Work, total: int, reason: str | None) -> BulkOperationRow:
    assert work.viewer.principal_id is not None, "an operation is somebody's"
    _check_room(work)
    return BulkOperationRow(
        org_id=work.viewer.org_id,
        principal_id=work.viewer.principal_id,
        token_id=None if work.viewer.by_session else work.viewer.token_id,
        reason=reason,
        state="QUEUED",
        total=total,
        created_at=work.now,
    )


def _begun(work: Work, row: BulkOperationRow, ids: Sequence[int]) -> BulkOperationRow:
    work.session.add(row)
    work.session.flush()
    if ids:
        items = [{"operation_id": row.id, "asset_id": each, "state": "WAITING"} for each in ids]
        work.session.execute(sa.insert(BulkItemRow), items)
    told = {"total": row.total} | ({} if row.undoes_id is None else {"undoes": row.undoes_id})
    history.record(work, "bulk_operation.asked", ("BulkOperation", row.id), told, org_id=row.org_id, reason=row.reason)
    if len(ids) <= AT_ONCE:
        while batch(work, row.id, work.viewer) is not None:
            pass
    else:
        row.job_id = asking.ask(work, RunBulkOperation(row.id))
    work.session.flush()
    return row


def _check_room(work: Work) -> None:
    """Counted under a lock, so that several who ask at once take turns."""
    mine = sa.select(OrganisationRow.id).where(OrganisationRow.id == work.viewer.org_id)
    work.session.execute(mine.with_for_update(key_share=True))
    under_way = sa.select(sa.func.count()).where(
        BulkOperationRow.org_id == work.viewer.org_id, BulkOperationRow.state.in_(ACTIVE)
    )
    if (work.session.scalar(under_way) or 0) >= MOST_AT_ONCE:
        raise Conflict(f"{MOST_AT_ONCE} operations of your organisation are under way: wait for one, or cancel it.")
