"""Embargoes: until one ends or is lifted, nothing of the asset is out. It is placed and lifted, each once."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from domain import history, identity, reads
from domain.licensing import owning
from domain.permissions import Permission
from domain.reads import Below, By
from domain.refusals import Conflict, Invalid, NotFound
from domain.texts import MAX_TITLE, line
from domain.work import Work
from storage.tables import AssetRow, EmbargoRow

#: Embargoes of one asset that stand at the same time.
MAX_EMBARGOES: Final = 50
#: What `of_assets` answers, as a read.
OF_ASSETS: Final = Below(
    sa.select(EmbargoRow).where(EmbargoRow.lifted_at.is_(None)), EmbargoRow.asset_id, (EmbargoRow.id,)
)


def place(
    work: Work,
    asset_id: int,
    starts_at: datetime | None,
    ends_at: datetime | None,
    reason: str,
    legal_ref: str | None = None,
) -> EmbargoRow:
    """Needs TAKEDOWN_MANAGE for the asset. None: since ever, until it is lifted."""
    asset = owning.asset(work, asset_id, Permission.TAKEDOWN_MANAGE)
    if ends_at is not None and (ends_at <= work.now or (starts_at is not None and ends_at <= starts_at)):
        raise Invalid("An embargo ends later than it starts, and later than now.", ("endsAt",), "window")
    if len(of_assets(work, [asset.id]).get(asset.id, ())) >= MAX_EMBARGOES:
        raise Conflict(f"At most {MAX_EMBARGOES} embargoes of an asset stand at once.", ("asset",))
    why = owning.why(reason)
    row = EmbargoRow(
        org_id=asset.org_id,
        asset_id=asset.id,
        starts_at=starts_at,
        ends_at=ends_at,
        legal_ref=None if legal_ref is None else line(legal_ref, MAX_TITLE, ("legalRef",)),
        placed_at=work.now,
        placed_by=owning.principal(work),
    )
    work.session.add(row)
    work.session.flush()
    _record(work, "embargo.placed", row, why)
    return row


def lift(work: Work, embargo_id: int, reason: str) -> EmbargoRow:
    row = by_id(work, [embargo_id]).get(embargo_id)
    if row is None:
        raise NotFound("There is no embargo with this id.", ("embargo",))
    owning.asset(work, row.asset_id, Permission.TAKEDOWN_MANAGE)
    work.session.refresh(row)
    if row.lifted_at is not None:
        raise Conflict("This embargo was lifted before.", ("embargo",))
    why = owning.why(reason)
    row.lifted_at, row.lifted_by = work.now, owning.principal(work)
    work.session.flush()
    _record(work, "embargo.lifted", row, why)
    return row


def seen(work: Work) -> By:
    """By id those of assets that the viewer sees and of which they may know the licences."""
    known = sa.and_(identity.sees_asset(work), identity.holds_asset(work, Permission.LICENSE_VIEW))
    return By(sa.select(EmbargoRow).join(AssetRow, AssetRow.id == EmbargoRow.asset_id).where(known), EmbargoRow.id)


def by_id(work: Work, ids: Iterable[int]) -> dict[int, EmbargoRow]:
    return reads.by_id(work, seen(work), ids)


def of_assets(work: Work, asset_ids: Iterable[int]) -> dict[int, list[EmbargoRow]]:
    """Per asset those that nobody lifted, oldest first; over ones too. Whether the viewer may know is the caller's
    question.
    """
    return reads.grouped(work, OF_ASSETS, asset_ids)


def _record(work: Work, event: str, row: EmbargoRow, reason: str) -> None:
    history.record(work, event, ("Asset", row.asset_id), {"embargo": row.id}, org_id=row.org_id, reason=reason)
