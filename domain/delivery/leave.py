"""By what an address is given out: its viewer is at work with the asset, or a kept decision allows the use.

Always true here:
- At work is who belongs to the organisation that the asset is of, or to the brand's own and sees there what nobody
  approved; a guest, with what they brought until it is judged. All others are bound: partners above all, other guests,
  and every organisation as such.
- What an address says of its decision is signed with it: which one, at which epoch of the asset's rights, for whom,
  where, and until when.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

from domain import identity
from domain.permissions import Permission
from domain.work import BRAND_ORG_ID, Viewer, Work
from storage.tables import AssetRow, AssetVersionRow
from storage.types import EPOCH

_SECOND: Final = timedelta(seconds=1)
_FOREVER: Final = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Leave:
    """`decision_id` is None for who is at work. `use_id` is the decision under which the use is recorded; None where
    nobody said what it is for.
    """

    decision_id: int | None = None
    epoch: int = 0
    org_id: int = 0
    channel: str = ""
    until: datetime = _FOREVER
    use_id: int | None = None


AT_WORK: Final = Leave()


def at_work(work: Work, version_ids: Collection[int]) -> set[int]:
    """The versions whose addresses the viewer needs no decision for."""
    viewer = work.viewer
    if _is_nobody(viewer):
        return set()
    if is_at_work_everywhere(viewer):
        return set(version_ids)
    rows = sa.select(AssetVersionRow.id).join(AssetRow, AssetRow.id == AssetVersionRow.asset_id)
    return set(work.session.scalars(rows.where(AssetVersionRow.id.in_(version_ids), _works_with(work))))


def is_at_work(work: Work, asset: AssetRow) -> bool:
    """Whether the viewer is with this asset, which they see."""
    viewer = work.viewer
    if _is_nobody(viewer):
        return False
    if viewer.on_behalf_of is not None:
        return asset.created_by == viewer.principal_id and asset.lifecycle == "QUARANTINED"
    if asset.org_id == viewer.org_id or is_at_work_everywhere(viewer):
        return True
    return viewer.org_id == BRAND_ORG_ID and identity.may(work, Permission.ASSET_VIEW_UNAPPROVED, asset)


def is_at_work_everywhere(viewer: Viewer) -> bool:
    """Whether no asset can bind them."""
    if _is_nobody(viewer) or viewer.on_behalf_of is not None or viewer.org_id != BRAND_ORG_ID:
        return False
    return viewer.holdings.reach(Permission.ASSET_VIEW_UNAPPROVED).is_everywhere


def claims(leave: Leave) -> dict[str, Any]:
    """What an address says of it."""
    if leave.decision_id is None:
        return {}
    said = {"c": leave.decision_id, "v": leave.epoch, "y": leave.org_id, "h": leave.channel}
    said["u"] = (leave.until - EPOCH) // _SECOND
    return said if leave.use_id is None else {**said, "q": leave.use_id}


def claimed(said: dict[str, Any]) -> Leave:
    """What `claims` made these of."""
    if "c" not in said:
        return AT_WORK
    return Leave(said["c"], said["v"], said["y"], said["h"], EPOCH + said["u"] * _SECOND, said.get("q"))


def _is_nobody(viewer: Viewer) -> bool:
    """An organisation as such; the hub itself is somebody."""
    return viewer.principal_id is None and not viewer.is_administrator


def _works_with(work: Work) -> sa.ColumnElement[bool]:
    if work.viewer.on_behalf_of is not None:
        return sa.and_(AssetRow.created_by == work.viewer.principal_id, AssetRow.lifecycle == "QUARANTINED")
    own = AssetRow.org_id == work.viewer.org_id
    if work.viewer.org_id != BRAND_ORG_ID:
        return own
    return sa.or_(own, identity.holds_asset(work, Permission.ASSET_VIEW_UNAPPROVED))
