"""Doing an operation, batch after batch: each is kept with what it changed, so that a killed worker goes on behind it.

Always true here:
- What is counted is what stands: the assets, their items and the operation's counts are one transaction.
- Assets are locked in the order of their ids, so that two operations do not lock each other out.
- Events of an operation carry its id as that of the request, and its reason.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import sqlalchemy as sa

from domain import assets, history, identity
from domain.assets import standing
from domain.bulk.edits import Edit
from domain.bulk.foreseeing import Outcome, around, foresee, foresee_return
from domain.global_ids import encode
from domain.refusals import NotFound, Refusal
from domain.work import Viewer, Work
from storage.tables import AssetRow, BulkItemRow, BulkOperationRow, TokenRow

#: Assets changed in one transaction.
BATCH: Final = 50


def batch(work: Work, operation_id: int, viewer: Viewer) -> tuple[int, int] | None:
    """Does the next assets as `viewer`: how many are done by now, of how many; None once nothing is left to do."""
    row = _held(work, operation_id)
    if row is None:
        return None
    theirs = replace(work, viewer=viewer, request_id=encode("BulkOperation", row.id), reason=row.reason)
    items = _next(work, row)
    if items:
        row.state = "RUNNING"
        _do(theirs, row, items)
        done = row.changed + row.unchanged + row.refused
        if done < row.total:
            work.session.flush()
            return done, row.total
    row.total = row.changed + row.unchanged + row.refused  # what was purged meanwhile has no item any more
    row.state, row.finished_at = "DONE", work.now
    work.session.flush()
    told = {"changed": row.changed, "unchanged": row.unchanged, "refused": row.refused}
    history.record(theirs, "bulk_operation.done", ("BulkOperation", row.id), told, org_id=row.org_id)
    return None


def fail(work: Work, operation_id: int, code: str, message: str) -> None:
    """Gives it up; what is done stays done, and can be taken back."""
    row = _held(work, operation_id)
    if row is not None:
        row.state, row.failure_code, row.failure_message = "FAILED", code, message
        row.finished_at = work.now
        work.session.flush()
        history.record(work, "bulk_operation.failed", ("BulkOperation", row.id), {"code": code}, org_id=row.org_id)


def owner(work: Work, operation_id: int) -> Viewer:
    """Whoever asked, with what they hold now."""
    row = work.session.get_one(BulkOperationRow, operation_id)
    token = None if row.token_id is None else work.session.get(TokenRow, row.token_id)
    networks = None if token is None else token.networks
    # One for some networks was shown from one of them when the operation was asked for; the hub is everywhere.
    address = None if not networks else str(ipaddress.ip_network(networks[0]).network_address)
    viewer, _ = identity.viewer_by(work, row.principal_id, row.token_id, address, lasting=True)
    return viewer


def _held(work: Work, operation_id: int) -> BulkOperationRow | None:
    """The operation, locked; None where it is over."""
    rows = sa.select(BulkOperationRow).where(BulkOperationRow.id == operation_id).with_for_update()
    row = work.session.scalars(rows.execution_options(populate_existing=True)).one()
    return row if row.state in {"QUEUED", "RUNNING"} else None


def _next(work: Work, row: BulkOperationRow) -> list[BulkItemRow]:
    rows = sa.select(BulkItemRow).where(BulkItemRow.operation_id == row.id, BulkItemRow.state == "WAITING")
    return list(work.session.scalars(rows.order_by(BulkItemRow.asset_id).limit(BATCH)))


def _do(work: Work, row: BulkOperationRow, items: Sequence[BulkItemRow]) -> None:
    held = _locked(work, [item.asset_id for item in items])
    before = standing.of(work, list(held.values()))
    foreseen = _foreseen(work, row, held, before, items)
    edit = None if row.changes is None else Edit.restored(row.changes)
    refused = {
        asset_id: refusal
        for asset_id, outcome in foreseen.items()
        if (refusal := outcome.refusal or _try(work, asset_id, outcome, edit)) is not None
    }
    work.session.flush()
    after = standing.of(work, list(_read_again(work, held)))
    for item in items:
        if item.asset_id in refused:
            _refuse(row, item, refused[item.asset_id])
        else:
            _tell(row, item, before[item.asset_id], after[item.asset_id])


def _foreseen(
    work: Work,
    row: BulkOperationRow,
    held: Mapping[int, AssetRow],
    before: Mapping[int, standing.Standing],
    items: Sequence[BulkItemRow],
) -> dict[int, Outcome]:
    unseen = Outcome(refusal=NotFound("There is no asset with this id.", ("assets",)))
    found = {item.asset_id: unseen for item in items}
    if row.changes is not None:
        edit = Edit.restored(row.changes)
        told = around(work, edit, list(held.values()))
        return found | {each: foresee(work, asset, before[each], edit, told) for each, asset in held.items()}
    undone = sa.select(BulkItemRow).where(
        BulkItemRow.operation_id == row.undoes_id, BulkItemRow.asset_id.in_(list(held))
    )
    for item in work.session.scalars(undone):
        assert item.before is not None
        assert item.after is not None
        found[item.asset_id] = foresee_return(before[item.asset_id], item.before, item.after)
    return found


def _try(work: Work, asset_id: int, outcome: Outcome, edit: Edit | None) -> Refusal | None:
    """Changes the asset, wholly or, where that is refused after all, not at all."""
    if not outcome.values:
        return None
    try:
        with work.session.begin_nested():
            if edit is None:
                standing.put_back(work, asset_id, outcome.values)
            else:
                _change(work, asset_id, outcome, edit)
    except Refusal as refusal:
        return refusal
    return None


def _change(work: Work, asset_id: int, outcome: Outcome, edit: Edit) -> None:
    moves = "lifecycle" in outcome.values
    if moves and edit.archived is False:
        assets.restore(work, asset_id, None)
    if outcome.values.keys() - {"lifecycle"}:
        assets.update(work, asset_id, edit.changes(), None)
    if moves and edit.archived is True:
        assets.archive(work, asset_id, None)


def _locked(work: Work, asset_ids: Sequence[int]) -> dict[int, AssetRow]:
    """Those that are seen, by id and in its order."""
    rows = sa.select(AssetRow).where(AssetRow.id.in_(asset_ids), identity.sees_asset(work)).order_by(AssetRow.id)
    held = rows.with_for_update(key_share=True).execution_options(populate_existing=True)
    return {row.id: row for row in work.session.scalars(held)}


def _read_again(work: Work, held: Mapping[int, AssetRow]) -> Sequence[AssetRow]:
    rows = sa.select(AssetRow).where(AssetRow.id.in_(list(held))).execution_options(populate_existing=True)
    return list(work.session.scalars(rows))


def _tell(row: BulkOperationRow, item: BulkItemRow, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    names = [name for name in sorted(before.keys() | after.keys()) if before.get(name) != after.get(name)]
    if not names:
        item.state = "UNCHANGED"
        row.unchanged += 1
        return
    item.before = {name: before.get(name) for name in names}
    item.after = {name: after.get(name) for name in names}
    item.state = "CHANGED"
    row.changed += 1


def _refuse(row: BulkOperationRow, item: BulkItemRow, refusal: Refusal) -> None:
    item.code, item.message, item.state = refusal.code, refusal.message, "REFUSED"
    row.refused += 1
