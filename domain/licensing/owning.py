"""Whose licences, releases and parties are: who may know of them, who may write them, and for which assets.

They belong to organisations, like assets: LICENSE_VIEW there shows them, LICENSE_MANAGE there writes them.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from functools import cache
from typing import Any, Final
from zoneinfo import available_timezones

import sqlalchemy as sa

from domain import identity, organisations
from domain.permissions import Permission
from domain.refusals import Invalid, NotFound
from domain.texts import MAX_NOTE, paragraphs
from domain.work import Work
from storage.tables import AssetRow, AssetVersionRow

#: Of a licence or release, as people speak of it.
MAX_NUMBER: Final = 60


def home(work: Work, org_id: int | None, path: tuple[str, ...] = ("organisation",)) -> int:
    """The organisation where the viewer may write, their own if none is named; held, so that of two who make something
    there at once the second sees what the first made.
    """
    wanted = work.viewer.org_id if org_id is None else org_id
    return organisations.open_to(work, Permission.LICENSE_MANAGE, wanted, None, path, alone=True)


def seen(work: Work, column: Any) -> sa.ColumnElement[bool]:
    """The condition that what belongs to the organisation in `column` may be known."""
    return identity.in_orgs(work, Permission.LICENSE_VIEW, column)


def sight(work: Work) -> Hashable:
    """Equal for those for whom `seen` is spelled alike."""
    return identity.likeness_in_orgs(work, Permission.LICENSE_VIEW)


def sight_of_assets(work: Work) -> Hashable:
    """In a unit of work that reads: equal for those who may know the licences of the same assets."""
    return identity.likeness(work, [Permission.LICENSE_VIEW])


def held(column: Any) -> Callable[[Work, Permission], sa.ColumnElement[bool]]:
    """What tells the condition that a permission holds for what belongs to the organisation in `column`."""
    return lambda work, permission: identity.in_orgs(work, permission, column)


def require(work: Work, org_id: int) -> None:
    identity.require_in_org(work, Permission.LICENSE_MANAGE, org_id)


def may(work: Work, org_ids: Iterable[int], permission: Permission) -> dict[int, bool]:
    """Per organisation whether the viewer holds the permission there."""
    return {org_id: work.viewer.holdings.in_org(permission, org_id) for org_id in org_ids}


def asset(work: Work, asset_id: int, permission: Permission, path: tuple[str, ...] = ("asset",)) -> AssetRow:
    """The asset, which the viewer sees and for which they hold the permission; held until the transaction ends."""
    rows = sa.select(AssetRow).where(AssetRow.id == asset_id, identity.sees_asset(work)).with_for_update(key_share=True)
    row = work.session.scalars(rows.execution_options(populate_existing=True)).one_or_none()
    if row is None:
        raise NotFound("There is no asset with this id.", path)
    identity.require(work, permission, row)
    return row


def version(work: Work, version_id: int, path: tuple[str, ...] = ("version",)) -> AssetVersionRow:
    """The version, if the viewer sees it."""
    rows = sa.select(AssetVersionRow).join(AssetRow, AssetRow.id == AssetVersionRow.asset_id)
    row = work.session.scalars(rows.where(AssetVersionRow.id == version_id, identity.sees_version(work))).one_or_none()
    if row is None:
        raise NotFound("There is no version with this id.", path)
    return row


def sees_asset(work: Work, asset_id: int) -> bool:
    """Whether the viewer sees the asset. Assets know of licences, so what reads assets is not asked here."""
    rows = sa.select(AssetRow.id).where(AssetRow.id == asset_id, identity.sees_asset(work))
    return work.session.scalar(rows) is not None


def sees_assets(work: Work, asset_id: Any) -> sa.ColumnElement[bool]:
    """The condition that the viewer sees the asset whose id stands in the column."""
    return sa.select(AssetRow.id).where(AssetRow.id == asset_id, identity.sees_asset(work)).exists()


def why(reason: str, path: tuple[str, ...] = ("reason",)) -> str:
    said = paragraphs(reason, MAX_NOTE, path)
    if said is None:
        raise Invalid("Say why.", path, "required")
    return said


def zone(name: str, path: tuple[str, ...] = ("zone",)) -> str:
    """The name of a time zone (IANA)."""
    if name not in _zones():
        raise Invalid(f"{name!r} is no time zone, such as Europe/Berlin.", path, "zone")
    return name


@cache
def _zones() -> frozenset[str]:
    """Found by looking through a folder, so only once."""
    return frozenset(available_timezones())


def principal(work: Work) -> int:
    assert work.viewer.principal_id is not None, "somebody asked for it"
    return work.viewer.principal_id
