"""What was known of a version at a moment that has passed, as decisions read it: read back from what is dated.

Always true here:
- What is answered is what `facts.of_version` answered at that moment, but for the epoch, which is today's.
- Where any of it was not kept, or the clock was set back since, `Invalid` says which, and nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from domain.licensing import facts, reading, recalled
from domain.licensing.codes import TakedownStatus
from domain.licensing.recalled import Stories, unkept
from domain.licensing.terms import Component, Embargo, Facts, Rights, Subject, Takedown
from domain.refusals import Invalid
from domain.work import Work
from storage.tables import (
    AssetRightsRow,
    AssetVersionRow,
    ComponentRow,
    EmbargoRow,
    ExclusivityRow,
    LegalHoldRow,
    TakedownRow,
)
from storage.types import microseconds

_MERGES: Final = frozenset({"asset.absorbed", "asset.gave_back", "asset.merged", "asset.unmerged"})
#: Of an asset, those that its rights are read back by; deliveries stand among its events, too, and may be many.
_TOLD: Final = (
    *_MERGES,
    *("asset_rights.assessed", "asset_rights.withdrawn", "component.added", "component.removed"),
    *("embargo.lifted", "embargo.placed", "exclusivity.ended", "exclusivity.given"),
    *("legal_hold.lifted", "legal_hold.placed", "takedown.enforced", "takedown.lifted", "takedown.opened"),
)


def of_version(work: Work, version_id: int, moment: datetime) -> Facts:
    """Without look-alikes. `Invalid` for what was not there yet and for what is not kept; whether the viewer may see
    the version is the caller's question.
    """
    assets, parts, stories = _closure(work, version_id, moment)
    subjects = _subjects(work, assets, parts, moment)
    rights = [each for subject in subjects.values() for each in subject.rights]
    licenses, releases = reading.terms(
        work,
        {each.license_id for each in rights if each.license_id is not None},
        {each.release_id for each in rights if each.release_id is not None},
    )
    for story in stories.values():
        recalled.check_order(story, moment)
    return Facts(
        version_id,
        {key: subjects[key] for key in sorted(subjects)},
        recalled.licenses(work, licenses, moment),
        recalled.releases(work, releases, moment),
        recalled.groups(work, moment),
        epoch=facts.epochs(work, [version_id])[version_id][1],
    )


def _closure(
    work: Work, version_id: int, moment: datetime
) -> tuple[dict[int, int], dict[int, list[Component]], Stories]:
    """It and all that it was made of, with their assets, what each was made of, and the stories of the assets."""
    assets: dict[int, int] = {}
    parts: dict[int, list[Component]] = {}
    stories: Stories = {}
    level = {version_id}
    while level:
        assets |= _assets(work, level, moment)
        unread = {assets[each] for each in level} - stories.keys()
        stories |= recalled.stories(work, "Asset", unread, _TOLD)
        _check_merges(stories, unread, moment)
        found = _parts(work, {each: stories[assets[each]] for each in level}, moment)
        parts |= found
        level = {each.version_id for some in found.values() for each in some} - assets.keys()
    return assets, parts, stories


def _assets(work: Work, version_ids: Collection[int], moment: datetime) -> dict[int, int]:
    rows = sa.select(AssetVersionRow.id, AssetVersionRow.asset_id, AssetVersionRow.created_at)
    found = {}
    for row in work.session.execute(rows.where(AssetVersionRow.id.in_(version_ids))):
        if row.created_at > moment:
            raise Invalid("This version was not there at that moment.", ("asOf",), "before")
        found[row.id] = row.asset_id
    return found


def _check_merges(stories: Stories, asset_ids: Collection[int], moment: datetime) -> None:
    """Merging moves what was said from one asset to another."""
    for asset_id in asset_ids:
        if any(each.at > moment and each.type in _MERGES for each in stories[asset_id]):
            raise unkept("assets were merged or parted since, and what was said of each alone")


def _parts(work: Work, told: Mapping[int, Collection[recalled.Event]], moment: datetime) -> dict[int, list[Component]]:
    """Per version what was directly inside it: what is there still, and what was taken out since."""
    found: dict[int, list[Component]] = {each: [] for each in told}
    rows = sa.select(ComponentRow).where(ComponentRow.composite_version_id.in_(told), ComponentRow.created_at <= moment)
    for row in work.session.scalars(rows):
        found[row.composite_version_id].append(Component(row.id, row.part_version_id))
    for version_id, story in told.items():
        for each in story:
            if each.type == "component.removed" and each.at > moment and each.payload["version"] == version_id:
                if not isinstance(each.payload.get("since"), int):  # none was kept, or a text
                    raise unkept("a part was taken out since, and when it was put in")
                if each.payload["since"] <= microseconds(moment):
                    found[version_id].append(Component(each.payload["component"], each.payload["part"]))
    return {version_id: sorted(some, key=lambda each: each.id) for version_id, some in found.items()}


def _subjects(
    work: Work, assets: Mapping[int, int], parts: Mapping[int, list[Component]], moment: datetime
) -> dict[int, Subject]:
    said = _said(work, assets, moment)
    embargoes, takedowns = (
        _then(work, EmbargoRow, "placed_at", "lifted_at", assets, moment),
        _takedowns(work, assets, moment),
    )
    exclusive = _then(work, ExclusivityRow, "created_at", "ended_at", assets, moment)
    held = _then(work, LegalHoldRow, "placed_at", "lifted_at", assets, moment)
    return {
        version_id: Subject(
            version_id,
            asset_id,
            said[version_id],
            tuple(parts[version_id]),
            tuple(Embargo(row.id, row.starts_at, row.ends_at) for row in embargoes[asset_id]),
            takedowns[asset_id],
            tuple(map(reading.exclusivity, exclusive[asset_id])),
            bool(held[asset_id]),
        )
        for version_id, asset_id in assets.items()
    }


def _said(work: Work, assets: Mapping[int, int], moment: datetime) -> dict[int, tuple[Rights, ...]]:
    rows = _then(work, AssetRightsRow, "assessed_at", "ended_at", assets, moment)
    return {
        version_id: tuple(reading.said(row) for row in rows[asset_id] if row.version_id in {None, version_id})
        for version_id, asset_id in assets.items()
    }


def _takedowns(work: Work, assets: Mapping[int, int], moment: datetime) -> dict[int, tuple[Takedown, ...]]:
    def status(row: TakedownRow) -> TakedownStatus:
        enforced = row.enforced_at is not None and row.enforced_at <= moment
        return TakedownStatus.ENFORCED if enforced else TakedownStatus.OPEN

    rows = _then(work, TakedownRow, "opened_at", "lifted_at", assets, moment)
    return {asset_id: tuple(Takedown(row.id, status(row)) for row in some) for asset_id, some in rows.items()}


def _then(
    work: Work, table: Any, begun: str, ended: str, assets: Mapping[int, int], moment: datetime
) -> dict[int, list[Any]]:
    """Per asset the rows that stood then, oldest first."""
    over = getattr(table, ended)
    rows = sa.select(table).where(table.asset_id.in_(set(assets.values())), getattr(table, begun) <= moment)
    found: dict[int, list[Any]] = {asset_id: [] for asset_id in assets.values()}
    for row in work.session.scalars(rows.where(sa.or_(over.is_(None), over > moment)).order_by(table.id)):
        found[row.asset_id].append(row)
    return found
