"""Legal holds: while one stands on an asset, nobody throws it away and nothing of it is purged.

The database itself refuses (triggers), whoever asks. A hold is a record: it is placed and lifted, each once, each with
a reason, and never goes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Final

import sqlalchemy as sa

from domain import history, identity
from domain.permissions import Permission
from domain.refusals import Conflict, Invalid, NotFound
from domain.texts import MAX_NOTE, MAX_TITLE, line, paragraphs
from domain.work import Work
from storage.tables import AssetRow, AssetTrashRow, LegalHoldRow

#: Holds of one asset that stand at the same time.
MAX_HOLDS: Final = 50


def place(work: Work, asset_id: int, matter: str, reason: str) -> LegalHoldRow:
    """Needs HOLD_MANAGE for the asset, which may lie in the trash. `Conflict` where it is held for this matter, or
    purged.
    """
    asset = _held(work, asset_id)
    said, why = line(matter, MAX_TITLE, ("matter",)), _why(reason)
    purged = sa.select(AssetTrashRow.asset_id).where(
        AssetTrashRow.asset_id == asset.id, AssetTrashRow.purged_at.is_not(None)
    )
    if work.session.scalar(purged) is not None:
        raise Conflict("This asset is purged: there is nothing left to keep.", ("asset",))
    there = of_assets(work, [asset.id])[asset.id]
    if any(row.matter == said for row in there):
        raise Conflict("This asset is held for this matter already.", ("matter",))
    if len(there) >= MAX_HOLDS:
        raise Conflict(f"An asset is held for at most {MAX_HOLDS} matters at once.", ("asset",))
    assert work.viewer.principal_id is not None
    row = LegalHoldRow(
        org_id=asset.org_id,
        asset_id=asset.id,
        matter=said,
        placed_at=work.now,
        placed_by=work.viewer.principal_id,
    )
    work.session.add(row)
    work.session.flush()
    _record(work, "legal_hold.placed", row, why)
    return row


def lift(work: Work, hold_id: int, reason: str) -> LegalHoldRow:
    """Needs HOLD_MANAGE for the asset. `Conflict` where it was lifted before."""
    row = by_id(work, [hold_id]).get(hold_id)
    if row is None:
        raise NotFound("There is no legal hold with this id.", ("hold",))
    _held(work, row.asset_id)
    work.session.refresh(row)
    if row.lifted_at is not None:
        raise Conflict("This legal hold was lifted before.", ("hold",))
    why = _why(reason)
    row.lifted_at, row.lifted_by = work.now, work.viewer.principal_id
    work.session.flush()
    _record(work, "legal_hold.lifted", row, why)
    return row


def by_id(work: Work, ids: Iterable[int]) -> dict[int, LegalHoldRow]:
    """Also those that were lifted, of assets for which the viewer holds HOLD_MANAGE."""
    return {row.id: row for row in work.session.scalars(_known(work).where(LegalHoldRow.id.in_(set(ids))))}


def of_assets(work: Work, asset_ids: Iterable[int]) -> dict[int, list[LegalHoldRow]]:
    """Per asset the holds that stand, oldest first. Whether the viewer may know of them is the caller's question."""
    wanted = set(asset_ids)
    standing = sa.select(LegalHoldRow).where(LegalHoldRow.asset_id.in_(wanted), LegalHoldRow.lifted_at.is_(None))
    found: dict[int, list[LegalHoldRow]] = defaultdict(list)
    for row in work.session.scalars(standing.order_by(LegalHoldRow.id)):
        found[row.asset_id].append(row)
    return {asset_id: found[asset_id] for asset_id in wanted}


def _known(work: Work) -> sa.Select[LegalHoldRow]:
    mine = sa.and_(identity.sees_asset(work), identity.holds_asset(work, Permission.HOLD_MANAGE))
    return sa.select(LegalHoldRow).join(AssetRow, AssetRow.id == LegalHoldRow.asset_id).where(mine)


def _held(work: Work, asset_id: int) -> AssetRow:
    """The asset, locked: of two who place, lift or purge at once, the later sees what the earlier did."""
    rows = sa.select(AssetRow).where(AssetRow.id == asset_id, identity.sees_asset(work)).with_for_update(key_share=True)
    row = work.session.scalars(rows.execution_options(populate_existing=True)).one_or_none()
    if row is None:
        raise NotFound("There is no asset with this id.", ("asset",))
    identity.require(work, Permission.HOLD_MANAGE, row)
    return row


def _why(reason: str) -> str:
    why = paragraphs(reason, MAX_NOTE, ("reason",))
    if why is None:
        raise Invalid("Say why.", ("reason",), "required")
    return why


def _record(work: Work, event: str, row: LegalHoldRow, reason: str) -> None:
    history.record(work, event, ("Asset", row.asset_id), {"hold": row.id}, org_id=row.org_id, reason=reason)
