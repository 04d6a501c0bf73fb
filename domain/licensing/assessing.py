"""What somebody found out about an asset: the licences and releases that it, or one version of it, is under, and
whether people or property can be recognised in it.

An assessment is never changed: it is ended, and another says what holds instead. It takes LICENSE_MANAGE for the asset.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from domain import history, identity, reads, refreshing
from domain.licensing import licenses, owning, releases
from domain.licensing.codes import Coverage
from domain.permissions import Permission
from domain.reads import Below, By
from domain.refusals import Conflict, Invalid, NotFound
from domain.work import Work
from storage.tables import AssetRightsRow, AssetRow, AssetVersionRow

#: Assessments of one asset that stand at the same time.
MAX_STANDING: Final = 200


def _of_versions() -> Below:
    of_all = sa.and_(AssetRightsRow.version_id.is_(None), AssetRightsRow.asset_id == AssetVersionRow.asset_id)
    rows = (
        sa.select(AssetRightsRow)
        .select_from(AssetVersionRow)
        .join(AssetRightsRow, sa.or_(AssetRightsRow.version_id == AssetVersionRow.id, of_all))
        .where(AssetRightsRow.ended_at.is_(None))
    )
    return Below(rows, AssetVersionRow.id, (AssetRightsRow.id,))


#: What `of_assets` and `of_versions` answer, as reads.
OF_ASSETS: Final = Below(
    sa.select(AssetRightsRow).where(AssetRightsRow.ended_at.is_(None)), AssetRightsRow.asset_id, (AssetRightsRow.id,)
)
OF_VERSIONS: Final = _of_versions()


@dataclass(frozen=True)
class Wish:
    """Of all versions, those to come too, where no version is named. None: nobody has looked."""

    license_ids: Sequence[int] = ()
    release_ids: Sequence[int] = ()
    coverage: Coverage = Coverage.WHOLE
    recognisable_people: bool | None = None
    recognisable_property: bool | None = None


def assess(work: Work, asset_id: int, version_id: int | None, wish: Wish) -> list[AssetRightsRow]:
    """One assessment per licence and release; where none is named, one of what can be recognised.

    `Conflict` where the asset, or that version, is under one of them already.
    """
    # Licences before assets, as whoever supersedes one locks them, and in one order.
    subjects = [(licenses.named(work, each, ("licenses",)).id, None) for each in sorted(set(wish.license_ids))]
    asset = owning.asset(work, asset_id, Permission.LICENSE_MANAGE)
    if version_id is not None and owning.version(work, version_id).asset_id != asset.id:
        raise NotFound("This asset has no version with this id.", ("version",))
    seen = (wish.recognisable_people, wish.recognisable_property)
    of_releases = [releases.named(work, each, ("releases",)).id for each in dict.fromkeys(wish.release_ids)]
    named: list[tuple[int | None, int | None]] = [*subjects, *((None, each) for each in of_releases)]
    if not named and seen == (None, None):
        raise Invalid("Name a licence or a release, or say what can be recognised.", ("licenses",), "required")
    there = of_assets(work, [asset.id])[asset.id]
    if len(there) + len(named) > MAX_STANDING:
        raise Conflict(f"At most {MAX_STANDING} assessments of an asset stand at once.", ("asset",))
    known = {(row.license_id, row.release_id) for row in there if row.version_id == version_id}
    if any(each in known for each in named):
        raise Conflict("This licence or release was said of it already.", ("licenses",))
    rows = [_row(work, asset, version_id, wish, subject) for subject in named or [(None, None)]]
    work.session.add_all(rows)
    work.session.flush()
    _record(work, "asset_rights.assessed", asset, rows)
    return rows


def withdraw(work: Work, rights_id: int, reason: str) -> AssetRow:
    """The assessment ends; the asset is answered."""
    row = by_id(work, [rights_id]).get(rights_id)
    if row is None:
        raise NotFound("There is no assessment with this id.", ("rights",))
    asset = owning.asset(work, row.asset_id, Permission.LICENSE_MANAGE)
    why = owning.why(reason)
    work.session.refresh(row)
    if row.ended_at is not None:
        raise Conflict("This assessment has ended.", ("rights",))
    row.ended_at, row.ending = work.now, "WITHDRAWN"
    work.session.flush()
    _record(work, "asset_rights.withdrawn", asset, [row], why)
    return asset


def seen(work: Work) -> By:
    """By id, also those that ended, of assets that the viewer sees and for which they hold LICENSE_VIEW."""
    rows = sa.select(AssetRightsRow).join(AssetRow, AssetRow.id == AssetRightsRow.asset_id)
    return By(rows.where(_known(work)), AssetRightsRow.id)


def by_id(work: Work, ids: Iterable[int]) -> dict[int, AssetRightsRow]:
    return reads.by_id(work, seen(work), ids)


def of_assets(work: Work, asset_ids: Iterable[int]) -> dict[int, list[AssetRightsRow]]:
    """Per asset what stands of it and its versions, oldest first. Whether the viewer may know is the caller's
    question.
    """
    wanted = set(asset_ids)
    return {asset_id: [] for asset_id in wanted} | reads.grouped(work, OF_ASSETS, wanted)


def of_versions(work: Work, version_ids: Iterable[int]) -> dict[int, list[AssetRightsRow]]:
    """Per version what stands of it alone or of all of its asset, oldest first."""
    return reads.grouped(work, OF_VERSIONS, version_ids)


def is_assessed(work: Work, version: AssetVersionRow) -> bool:
    """Whether anything that stands was said of the version, or of all of its asset."""
    said = sa.exists().where(
        AssetRightsRow.asset_id == version.asset_id,
        AssetRightsRow.ended_at.is_(None),
        sa.or_(AssetRightsRow.version_id.is_(None), AssetRightsRow.version_id == version.id),
    )
    return bool(work.session.scalar(sa.select(said)))


def _known(work: Work) -> sa.ColumnElement[bool]:
    return sa.and_(identity.sees_asset(work), identity.holds_asset(work, Permission.LICENSE_VIEW))


def _row(
    work: Work, asset: AssetRow, version_id: int | None, wish: Wish, subject: tuple[int | None, int | None]
) -> AssetRightsRow:
    return AssetRightsRow(
        org_id=asset.org_id,
        asset_id=asset.id,
        version_id=version_id,
        license_id=subject[0],
        release_id=subject[1],
        coverage=wish.coverage.value,
        assessed_at=work.now,
        assessed_by=owning.principal(work),
        recognisable_people=wish.recognisable_people,
        recognisable_property=wish.recognisable_property,
    )


def _record(work: Work, event: str, asset: AssetRow, rows: Sequence[AssetRightsRow], reason: str | None = None) -> None:
    under = [row.license_id for row in rows if row.license_id]
    told = {"rights": [row.id for row in rows], "licenses": under, "version": rows[0].version_id}
    history.record(work, event, ("Asset", asset.id), told, org_id=asset.org_id, reason=reason)
    refreshing.of_asset(work, asset)
