"""Takedowns: from the moment one is opened nothing of the asset leaves, whatever its licences say, until it is lifted.

OPEN → ENFORCED → LIFTED, or straight from OPEN to LIFTED. Enforced says that somebody saw to what was out already: it
changes nothing of what the hub itself lets out, which is nothing from the first moment on.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final

import sqlalchemy as sa

from domain import history, identity, reads
from domain.licensing import owning
from domain.licensing.codes import TakedownStatus
from domain.pages import Key
from domain.permissions import Permission
from domain.reads import Below, By, Ordered
from domain.refusals import Conflict, NotFound, StaleRevision
from domain.texts import MAX_TITLE, line
from domain.work import Work
from storage.tables import TAKEDOWN_STANDS, AssetRow, TakedownRow

#: Takedowns of one asset that stand at the same time: one for each who complained.
MAX_TAKEDOWNS: Final = 50
#: What `of_assets` answers, as a read.
OF_ASSETS: Final = Below(
    sa.select(TakedownRow).where(TAKEDOWN_STANDS),
    TakedownRow.asset_id,
    (TakedownRow.id,),
)


def open_(work: Work, asset_id: int, reason: str, legal_ref: str | None = None) -> TakedownRow:
    """Needs TAKEDOWN_MANAGE for the asset."""
    asset = owning.asset(work, asset_id, Permission.TAKEDOWN_MANAGE)
    why = owning.why(reason)
    if len(of_assets(work, [asset.id]).get(asset.id, ())) >= MAX_TAKEDOWNS:
        raise Conflict(f"At most {MAX_TAKEDOWNS} takedowns of an asset stand at once.", ("asset",))
    row = TakedownRow(
        org_id=asset.org_id,
        asset_id=asset.id,
        status=TakedownStatus.OPEN.value,
        legal_ref=None if legal_ref is None else line(legal_ref, MAX_TITLE, ("legalRef",)),
        opened_at=work.now,
        opened_by=owning.principal(work),
    )
    work.session.add(row)
    return _recorded(work, "takedown.opened", row, why)


def enforce(work: Work, takedown_id: int, expected_revision: int) -> TakedownRow:
    row = _held(work, takedown_id, expected_revision, {TakedownStatus.OPEN})
    row.status = TakedownStatus.ENFORCED.value
    row.enforced_at, row.enforced_by = work.now, owning.principal(work)
    return _recorded(work, "takedown.enforced", row)


def lift(work: Work, takedown_id: int, expected_revision: int, reason: str) -> TakedownRow:
    row = _held(work, takedown_id, expected_revision, {TakedownStatus.OPEN, TakedownStatus.ENFORCED})
    why = owning.why(reason)
    row.status = TakedownStatus.LIFTED.value
    row.lifted_at, row.lifted_by = work.now, owning.principal(work)
    return _recorded(work, "takedown.lifted", row, why)


def seen(work: Work) -> By:
    """By id, also lifted ones, of assets that the viewer sees and of which they may know the licences."""
    mine = sa.and_(identity.sees_asset(work), identity.holds_asset(work, Permission.LICENSE_VIEW))
    return By(sa.select(TakedownRow).join(AssetRow, AssetRow.id == TakedownRow.asset_id).where(mine), TakedownRow.id)


def by_id(work: Work, ids: Iterable[int]) -> dict[int, TakedownRow]:
    return reads.by_id(work, seen(work), ids)


def of_assets(work: Work, asset_ids: Iterable[int]) -> dict[int, list[TakedownRow]]:
    """Per asset those that stand, oldest first. Whether the viewer may know is the caller's question."""
    return reads.grouped(work, OF_ASSETS, asset_ids)


def listed(work: Work, statuses: Collection[TakedownStatus] = ()) -> Ordered:
    """Newest first; of any state where none is named."""
    rows = seen(work).rows
    rows = rows.where(TakedownRow.status.in_(sorted(statuses))) if statuses else rows
    return Ordered(rows, (Key(TakedownRow.id, True),))


def _held(work: Work, takedown_id: int, expected_revision: int, states: Collection[TakedownStatus]) -> TakedownRow:
    row = by_id(work, [takedown_id]).get(takedown_id)
    if row is None:
        raise NotFound("There is no takedown with this id.", ("takedown",))
    owning.asset(work, row.asset_id, Permission.TAKEDOWN_MANAGE)
    work.session.refresh(row)
    if row.revision != expected_revision:
        raise StaleRevision(row.revision)
    if TakedownStatus(row.status) not in states:
        raise Conflict(f"This takedown is {row.status.lower()}.", ("takedown",))
    return row


def _recorded(work: Work, event: str, row: TakedownRow, reason: str | None = None) -> TakedownRow:
    work.session.flush()
    told = {"takedown": row.id, "status": row.status}
    history.record(work, event, ("Asset", row.asset_id), told, org_id=row.org_id, reason=reason)
    return row
