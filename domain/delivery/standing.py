"""What stands beside a version for its address, as columns: for answers that read many versions at once.

Always true here:
- It is what `deciding` would find in the same snapshot for the use in one's own house: the same decision, or none.
  What it cannot tell in columns is asked of `deciding`; a decision that is still to be made is left to it (`Unmade`).
- Nothing is looked up for who is at work with everything. For others than partners it is not known (`Unmade`).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

from domain.delivery import deciding, leave
from domain.delivery.bars import NOW
from domain.delivery.leave import AT_WORK, Leave
from domain.usage import decisions
from domain.work import BRAND_ORG_ID, Work
from storage.tables import AssetRow, AssetVersionRow, RenditionRow, RightsDecisionRow
from storage.types import EPOCH, Microseconds

#: Given with every statement in which the columns stand, as `given` says.
_BOUND: Final = sa.bindparam("is_bound", type_=sa.Boolean)
_ORG: Final = sa.bindparam("bound_org", type_=sa.BigInteger)
_USE: Final = sa.bindparam("bound_use", type_=sa.Text)
_BLANK: Final = sa.literal_column("' '", sa.Text)
_MICROSECOND: Final = timedelta(microseconds=1)


class Unmade(Exception):
    """No column tells by what the address is given."""


def given(work: Work) -> dict[str, Any]:
    """The values of the parameters, for this viewer."""
    is_bound = _is_partners(work)
    use = deciding.AT_HOME_DIGEST if is_bound else ""
    return {"is_bound": is_bound, "bound_org": work.viewer.org_id, "bound_use": use}


def read(work: Work, note: Callable[[datetime], None]) -> Callable[..., Leave | None]:
    """What makes of the columns' raw values by what an address is given; `note` is told when that ends by itself."""
    if leave.is_at_work_everywhere(work.viewer):
        return lambda *_: AT_WORK
    if not _is_partners(work):
        raise Unmade
    org_id, channel, asked = work.viewer.org_id, deciding.AT_HOME_CHANNEL, dict[int, Leave | None]()

    def found(version_id: int, owner: int, told: str | None) -> Leave | None:
        if owner == org_id:
            return AT_WORK
        if told is not None:
            decision_id, epoch, expires, renews = map(int, told.split())
            note(EPOCH + renews * _MICROSECOND)
            return Leave(decision_id, epoch, org_id, channel, EPOCH + expires * _MICROSECOND)
        if version_id not in asked:
            asked[version_id] = _asked(work, version_id)
            note(deciding.looked_at_again(work))
        return asked[version_id]

    return found


def _asked(work: Work, version_id: int) -> Leave | None:
    leaves, drafts = deciding.of(work, [version_id])
    if drafts:
        raise Unmade
    return leaves.get(version_id)


def _is_partners(work: Work) -> bool:
    viewer = work.viewer
    return viewer.principal_id is not None and viewer.on_behalf_of is None and viewer.org_id != BRAND_ORG_ID


def _columns(version: Any) -> tuple[sa.ColumnElement[Any], ...]:
    """Beside a row of versions, all null for who is not bound but the first: its id, the organisation that the asset is
    of, and of the decision, in one text, its id, epoch, end, and the moment from when on another is made.
    """
    asset = sa.orm.aliased(AssetRow)
    row = sa.orm.aliased(RightsDecisionRow)
    owner = sa.select(asset.org_id).where(asset.id == version.asset_id)
    # A column each would look for it four times.
    first, *others = (
        sa.cast(each, sa.Text) for each in (row.id, row.epoch, Microseconds(row.expires_at), Microseconds(row.renew_at))
    )
    told: sa.ColumnElement[str] = first
    for each in others:
        told = told + _BLANK + each
    standing = (
        sa.select(told)
        .join(asset, sa.and_(asset.id == version.asset_id, row.epoch == asset.rights_epoch))
        .where(
            row.version_id == version.id, decisions.of_use(row, _ORG, _USE), row.renew_at > NOW, row.decided_at <= NOW
        )
        .order_by(row.id)
        .limit(1)
    )
    return version.id, *(sa.case((_BOUND, each.correlate(version).scalar_subquery())) for each in (owner, standing))


def _beside_rendition() -> tuple[sa.ColumnElement[Any], ...]:
    version = sa.orm.aliased(AssetVersionRow)
    rows = sa.select(version.id).where(version.id == RenditionRow.version_id).correlate(RenditionRow)
    return tuple(rows.with_only_columns(each).scalar_subquery() for each in _columns(version))


#: What `read` reads, beside an `AssetVersionRow`, and beside a `RenditionRow` of it.
VERSION: Final = _columns(AssetVersionRow)
RENDITION: Final = _beside_rendition()
