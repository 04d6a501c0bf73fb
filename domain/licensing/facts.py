"""What is known of versions, as decisions read it: any number of versions at once, in the same few statements.

Whether the viewer may see the versions is the caller's question. Nothing here is written.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import sqlalchemy as sa

from domain import identity, reads
from domain.licensing import reading
from domain.licensing.codes import LicenseKind, LicenseStatus
from domain.licensing.terms import Facts, License, Member, Release, Subject, TerritoryGroup
from domain.work import Work
from storage import snapshots, statements
from storage.tables import (
    AlikeRow,
    AssetRightsRow,
    AssetRow,
    AssetStatementRow,
    AssetVersionRow,
    ComponentRow,
    LicenseRow,
    MetadataRow,
    PartyRow,
    TerritoryGroupMemberRow,
    TerritoryGroupRow,
)

Named = tuple[Subject, License | None]

#: Owned pictures of the same that are looked at for one version.
MAX_TWINS: Final = 12
_OURS: Final = (LicenseKind.OWNED.value, LicenseKind.COMMISSIONED.value)


def of_version(work: Work, version_id: int) -> Facts:
    """As `of_versions`; a version that is not there is a KeyError."""
    return of_versions(work, [version_id])[version_id]


def of_versions(work: Work, version_ids: Iterable[int]) -> dict[int, Facts]:
    """Per version that there is: it, all that it is made of, and what all of these are under."""
    wanted = set(version_ids)
    work.session.flush()  # plain rows are read past whatever the session has not written yet
    closures, moments = _closures(work, wanted)
    known = _read(work, closures, moments)
    return {version_id: known.facts(version_id, parts) for version_id, parts in closures.items()}


def with_twins(work: Work, facts: Facts) -> Facts:
    """The same with owned pictures that look the same, nearest first, as far as the viewer sees them."""
    twins = _twins(work, facts.version_id)
    if not twins:
        return facts
    others = of_versions(work, twins)
    subjects, licenses, releases = dict(facts.subjects), dict(facts.licenses), dict(facts.releases)
    for other in others.values():
        subjects |= other.subjects
        licenses |= other.licenses
        releases |= other.releases
    return replace(facts, subjects=subjects, licenses=licenses, releases=releases, twins=tuple(twins))


def named(work: Work, pairs: Iterable[tuple[int, int | None]]) -> dict[tuple[int, int | None], Named]:
    """Per version and licence what a credit line is made of: title, creator, licensor. No decision reads these."""
    wanted = set(pairs)
    subjects = _named_subjects(work, {version_id for version_id, _ in wanted})
    license_ids = {license_id for _, license_id in wanted if license_id is not None}
    licenses, _ = reading.terms(work, license_ids, ())
    rows = sa.select(LicenseRow.id, PartyRow.name).join(PartyRow, PartyRow.id == LicenseRow.licensor_id)
    for row in work.session.execute(rows.where(LicenseRow.id.in_(license_ids))):
        licenses[row.id] = replace(licenses[row.id], licensor=row.name)
    return {
        (version_id, license_id): (subjects[version_id], None if license_id is None else licenses[license_id])
        for version_id, license_id in wanted
    }


def seen(work: Work, version_id: int) -> tuple[int, int] | None:
    """Its asset and that one's epoch, as `epochs` says them; None where the viewer sees no such version."""

    def make(dialect: sa.Dialect) -> sa.Select[int, int]:
        rows = sa.select(AssetVersionRow.asset_id, AssetRow.rights_epoch)
        rows = rows.join(AssetRow, AssetRow.id == AssetVersionRow.asset_id)
        return rows.where(statements.among(AssetVersionRow.id, dialect), identity.sees_version(work))

    dialect = work.session.get_bind().dialect
    keys = statements.keys([version_id], dialect)
    if not snapshots.is_reading(work.session):  # only while nothing is written are conditions known to be alike
        row = work.session.execute(make(dialect), {statements.KEYS: keys}).one_or_none()
        return None if row is None else (row[0], row[1])
    found = reads.run(work, ("seen versions", identity.likeness(work)), make, keys=keys, now=work.now)
    return (found[0][0], found[0][1]) if found else None


def epochs(work: Work, version_ids: Collection[int]) -> dict[int, tuple[int, int]]:
    """Per version its asset and that one's epoch: while both stay the same, so do the facts, but for what caps have
    given away.
    """
    rows = sa.select(AssetVersionRow.id, AssetVersionRow.asset_id, AssetRow.rights_epoch)
    rows = rows.join(AssetRow, AssetRow.id == AssetVersionRow.asset_id).where(AssetVersionRow.id.in_(version_ids))
    return {version_id: (asset_id, epoch) for version_id, asset_id, epoch in work.session.execute(rows)}


@dataclass(frozen=True)
class _Known:
    subjects: Mapping[int, Subject]
    licenses: Mapping[int, License]
    releases: Mapping[int, Release]
    groups: tuple[TerritoryGroup, ...]
    epochs: Mapping[int, tuple[int, int]]

    def facts(self, version_id: int, parts: Collection[int]) -> Facts:
        rights = [each for part in parts for each in self.subjects[part].rights]
        return Facts(
            version_id,
            {part: self.subjects[part] for part in sorted(parts)},
            {each.license_id: self.licenses[each.license_id] for each in rights if each.license_id is not None},
            {each.release_id: self.releases[each.release_id] for each in rights if each.release_id is not None},
            self.groups,
            epoch=self.epochs[version_id][1],
        )


def _read(work: Work, closures: Mapping[int, Collection[int]], moments: Mapping[int, tuple[int, int]]) -> _Known:
    composite = any(len(parts) > 1 for parts in closures.values())
    assets = {version_id: asset_id for version_id, (asset_id, _) in moments.items()}
    subjects = reading.subjects(work, assets, composite=composite)
    rights = [each for subject in subjects.values() for each in subject.rights]
    licenses, releases = reading.terms(
        work,
        {each.license_id for each in rights if each.license_id is not None},
        {each.release_id for each in rights if each.release_id is not None},
    )
    return _Known(subjects, licenses, releases, own_groups(work), moments)


def _closures(work: Work, version_ids: Collection[int]) -> tuple[dict[int, list[int]], dict[int, tuple[int, int]]]:
    """Per version it and all that it is made of, at any depth; and per version of these what `epochs` says."""
    found: dict[int, list[int]] = defaultdict(list)
    moments = {}
    keys = statements.keys(version_ids, work.session.get_bind().dialect)
    for root, part, asset_id, epoch in reads.run(work, "what versions are made of", _reach, keys=keys):
        found[root].append(part)
        moments[part] = (asset_id, epoch)
    return dict(found), moments


def _reach(dialect: sa.Dialect) -> sa.Select[Any]:
    """Rows of version, part, its asset and that one's epoch. Assets are joined inside: outside, SQLite would read them
    all.
    """
    own = (AssetVersionRow.asset_id.label("asset_id"), AssetRow.rights_epoch.label("rights_epoch"))
    rows = sa.select(AssetVersionRow.id.label("root"), AssetVersionRow.id.label("part"), *own)
    rows = rows.join(AssetRow, AssetRow.id == AssetVersionRow.asset_id)
    reach = rows.where(statements.among(AssetVersionRow.id, dialect)).cte("reach", recursive=True)
    below = sa.select(reach.c.root, ComponentRow.part_version_id, *own)
    below = below.join(ComponentRow, ComponentRow.composite_version_id == reach.c.part)
    below = below.join(AssetVersionRow, AssetVersionRow.id == ComponentRow.part_version_id)
    reach = reach.union(below.join(AssetRow, AssetRow.id == AssetVersionRow.asset_id))
    return sa.select(reach)


_GROUPS: Final = (
    sa.select(
        TerritoryGroupRow.code,
        TerritoryGroupMemberRow.territory,
        TerritoryGroupMemberRow.first_on,
        TerritoryGroupMemberRow.last_on,
    )
    .join(TerritoryGroupMemberRow, TerritoryGroupMemberRow.group_id == TerritoryGroupRow.id, isouter=True)
    .order_by(TerritoryGroupRow.code, TerritoryGroupMemberRow.territory, TerritoryGroupMemberRow.id)
)


def own_groups(work: Work) -> tuple[TerritoryGroup, ...]:
    """The brand's own, in one statement."""
    found: dict[str, list[Member]] = defaultdict(list)
    for code, territory, first_on, last_on in reads.run(work, "groups of territories", lambda _: _GROUPS):
        found[code] += [] if territory is None else [Member(territory, first_on, last_on)]
    return tuple(TerritoryGroup(code, tuple(members)) for code, members in found.items())


def _twins(work: Work, version_id: int) -> list[int]:
    """Versions of other assets under an active licence that says they are ours, of the same bytes or alike."""
    near = [row[0] for row in reads.run(work, "near versions", lambda _: _NEAR, version_id=version_id)]
    if not near:
        return []
    seen = sa.select(AssetVersionRow.id).join(AssetRow, AssetRow.id == AssetVersionRow.asset_id)
    shown = set(work.session.scalars(seen.where(AssetVersionRow.id.in_(near), identity.sees_version(work))))
    return [id_ for id_ in near if id_ in shown][:MAX_TWINS]


def _near() -> sa.Select[int, int]:
    """Ours and near to the version that is asked about, nearest first; who may see them is not asked."""
    own, other = sa.orm.aliased(AssetVersionRow), AssetVersionRow
    alike = sa.and_(AlikeRow.sha256 == own.sha256, AlikeRow.other == other.sha256)
    ours = (
        sa.exists()
        .where(LicenseRow.id == AssetRightsRow.license_id, AssetRightsRow.asset_id == other.asset_id)
        .where(AssetRightsRow.ended_at.is_(None), LicenseRow.kind.in_(_OURS))
        .where(LicenseRow.status == LicenseStatus.ACTIVE.value)
    )

    def found(distance: Any, near: sa.ColumnElement[bool]) -> sa.Select[int, int]:
        rows = sa.select(other.id.label("id"), distance.label("distance")).select_from(own)
        rows = rows.join(AlikeRow, AlikeRow.sha256 == own.sha256) if near is alike else rows
        rows = rows.join(other, near)
        return rows.where(own.id == sa.bindparam("version_id"), other.asset_id != own.asset_id, ours)

    same = found(sa.literal(0), other.sha256 == own.sha256)
    both = same.union_all(found(AlikeRow.distance, alike)).subquery()
    return sa.select(both.c.id, both.c.distance).order_by(both.c.distance, both.c.id).limit(MAX_TWINS * 10)


_NEAR: Final = _near()


def _named_subjects(work: Work, version_ids: Collection[int]) -> dict[int, Subject]:
    titles = sa.select(AssetVersionRow.id, AssetRow.id, AssetRow.title, AssetStatementRow.creator)
    titles = titles.join(AssetRow, AssetRow.id == AssetVersionRow.asset_id)
    titles = titles.join(AssetStatementRow, AssetStatementRow.asset_id == AssetRow.id, isouter=True)
    claimed = sa.select(MetadataRow.version_id, MetadataRow.value).where(
        MetadataRow.version_id.in_(version_ids), MetadataRow.namespace == "proposal", MetadataRow.name == "creator"
    )
    claims = {row.version_id: row.value for row in work.session.execute(claimed) if isinstance(row.value, str)}
    found = {}
    for version_id, asset_id, title, stated in work.session.execute(titles.where(AssetVersionRow.id.in_(version_ids))):
        creator = stated or claims.get(version_id)
        found[version_id] = Subject(version_id, asset_id, title=title, creator=creator)
    return found
