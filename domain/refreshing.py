"""Asking that finished renditions be looked at again, because something about their asset changed that shows in them.

The old bytes stay where they are until the new ones are there.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

import sqlalchemy as sa

from domain import asking
from domain.work import Work
from storage.tables import AssetRightsRow, AssetRow, AssetVersionRow, LicenseRow, RenditionPresetRow, RenditionRow


@dataclass(frozen=True)
class RefreshRenditions:
    """Make anew what of this version's finished renditions would come out otherwise today."""

    kind: ClassVar[str] = "refresh_renditions"
    queue: ClassVar[str] = "upkeep"
    priority: ClassVar[int] = 0
    max_attempts: ClassVar[int] = 4

    version_id: int

    def unique_key(self) -> str:
        return f"refresh_renditions:{self.version_id}"


@dataclass(frozen=True)
class RefreshLicensed:
    """Ask that the finished renditions of everything under this licence be looked at again, a few at a time."""

    kind: ClassVar[str] = "refresh_licensed"
    queue: ClassVar[str] = "upkeep"
    priority: ClassVar[int] = 0
    max_attempts: ClassVar[int] = 4

    license_id: int

    def unique_key(self) -> str:
        return f"refresh_licensed:{self.license_id}"


@dataclass(frozen=True)
class RefreshNaming:
    """The same of everything under any active licence that names this party as its licensor."""

    kind: ClassVar[str] = "refresh_naming"
    queue: ClassVar[str] = "upkeep"
    priority: ClassVar[int] = 0
    max_attempts: ClassVar[int] = 4

    party_id: int

    def unique_key(self) -> str:
        return f"refresh_naming:{self.party_id}"


@dataclass(frozen=True)
class Pace:
    """`per_minute` versions from `begin` on, of which `done` have had their turn."""

    begin: datetime
    per_minute: int
    done: int = 0

    def at(self, place: int) -> datetime:
        return self.begin + timedelta(minutes=(self.done + place) / self.per_minute)


def of_license(work: Work, license_id: int, org_id: int) -> None:
    """Of all that is under it: what it says of them began or ceased to count."""
    asking.ask(work, RefreshLicensed(license_id), org_id=org_id)


def of_licensor(work: Work, party_id: int, org_id: int) -> None:
    """Of all that is under its licences: it is called otherwise now, or is found elsewhere."""
    asking.ask(work, RefreshNaming(party_id), org_id=org_id)


def ask_under(work: Work, licenses: Sequence[int], after: int, limit: int, pace: Pace | None = None) -> list[int]:
    """Asks for the next versions under any of the licences that have a finished rendition, by id beyond `after`; their
    ids.
    """
    under = sa.and_(
        AssetRightsRow.asset_id == AssetVersionRow.asset_id,
        sa.or_(AssetRightsRow.version_id.is_(None), AssetRightsRow.version_id == AssetVersionRow.id),
    )
    made = sa.select(RenditionRow.id).where(
        RenditionRow.version_id == AssetVersionRow.id, RenditionRow.state == "READY"
    )
    rows = (
        sa.select(AssetVersionRow.id, AssetRightsRow.org_id)
        .join(AssetRightsRow, under)
        .where(
            AssetRightsRow.license_id.in_(licenses),
            AssetRightsRow.ended_at.is_(None),
            AssetVersionRow.id > after,
            made.exists(),
        )
        .distinct()
        .order_by(AssetVersionRow.id)
        .limit(limit)
    )
    found = [(version_id, org_id) for version_id, org_id in work.session.execute(rows)]
    for place, (version_id, org_id) in enumerate(found):
        run_at = pace.at(place) if pace else None
        asking.ask(work, RefreshRenditions(version_id), org_id=org_id, run_at=run_at)
    return [version_id for version_id, _ in found]


def licenses_from(work: Work, party_id: int, after: int, limit: int) -> list[int]:
    """The next active licences of this licensor, by id beyond `after`."""
    rows = sa.select(LicenseRow.id).where(
        LicenseRow.licensor_id == party_id, LicenseRow.status == "ACTIVE", LicenseRow.id > after
    )
    return list(work.session.scalars(rows.order_by(LicenseRow.id).limit(limit)))


def ask(work: Work, version_ids: Iterable[int], org_id: int) -> None:
    """Of each version that has a finished rendition at all."""
    made = sa.select(RenditionRow.version_id).where(
        RenditionRow.version_id.in_(set(version_ids)), RenditionRow.state == "READY"
    )
    for version_id in work.session.scalars(made.distinct().order_by(RenditionRow.version_id)):
        asking.ask(work, RefreshRenditions(version_id), org_id=org_id)


def of_asset(work: Work, asset: AssetRow) -> None:
    """Of all its versions."""
    versions = sa.select(AssetVersionRow.id).where(AssetVersionRow.asset_id == asset.id)
    ask(work, list(work.session.scalars(versions)), asset.org_id)


def if_marked(work: Work, version_id: int, org_id: int) -> None:
    """Of a version whose approval changed, where any preset puts a watermark on what is not approved."""
    marking = sa.select(RenditionPresetRow.id).where(
        RenditionPresetRow.watermark.is_not(None), RenditionPresetRow.archived_at.is_(None)
    )
    if work.session.scalar(marking.limit(1)) is not None:
        ask(work, [version_id], org_id)


def if_told(work: Work, asset: AssetRow) -> None:
    """Of an asset whose title, description or keywords changed, where a rendition of it carries them."""
    telling = (
        sa.select(RenditionRow.version_id)
        .join(RenditionPresetRow, RenditionPresetRow.id == RenditionRow.preset_id)
        .join(AssetVersionRow, AssetVersionRow.id == RenditionRow.version_id)
        .where(
            AssetVersionRow.asset_id == asset.id,
            RenditionPresetRow.metadata_policy == "ALL",
            RenditionPresetRow.archived_at.is_(None),
        )
    )
    if version_ids := list(work.session.scalars(telling.distinct())):
        ask(work, version_ids, asset.org_id)
