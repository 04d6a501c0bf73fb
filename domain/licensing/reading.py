"""Rows of licensing as the values that decisions read, in a fixed number of statements however many there are."""

from __future__ import annotations

from collections import defaultdict, namedtuple
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from domain import reads
from domain.licensing import codes
from domain.licensing.terms import (
    Cap,
    Component,
    Duty,
    Embargo,
    Exclusivity,
    Grant,
    License,
    Release,
    Rights,
    Size,
    Subject,
    Takedown,
    Used,
)
from domain.work import Work
from storage import statements
from storage.tables import (
    TAKEDOWN_STANDS,
    AssetRightsRow,
    ComponentRow,
    EmbargoRow,
    ExclusivityRow,
    GrantCapPeriodRow,
    GrantCapRow,
    GrantDutyRow,
    LegalHoldRow,
    LicenseGrantRow,
    LicenseRow,
    LicenseSeatRow,
    ReleaseRow,
    TakedownRow,
)

Rows = Mapping[int, list[Any]]
_RIGHTS: Final = "id license_id release_id coverage recognisable_people recognisable_property asset_id version_id"


@dataclass(frozen=True)
class _Read:
    """Rows of which one column is among some ids: compiled once, for the raw driver where nothing can be about to be
    written; making a statement costs more than asking it.
    """

    name: str
    make: Callable[[sa.Dialect], Any]
    #: What makes something with names of one row.
    row: Callable[[Iterable[Any]], Any]

    def of(self, work: Work, ids: Collection[int], **more: Collection[int]) -> list[Any]:
        """Nothing is asked about nothing."""
        if not ids:
            return []
        dialect = work.session.get_bind().dialect
        keys = {name: statements.keys(each, dialect) for name, each in more.items()}
        found = reads.run(work, ("licensing", self.name), self.make, keys=statements.keys(ids, dialect), **keys)
        return list(map(self.row, found))

    def grouped(self, work: Work, ids: Collection[int], column: str) -> Rows:
        found: dict[int, list[Any]] = defaultdict(list)
        for row in self.of(work, ids):
            found[getattr(row, column)].append(row)
        return found


def _named(names: str) -> Callable[[Iterable[Any]], Any]:
    found: Any = namedtuple("Row", names)  # type: ignore[misc]  # noqa: PYI024  # whichever columns are read
    made: Callable[[Iterable[Any]], Any] = found._make
    return made


def _of(table: type[Any], names: str, column: str, *stands: sa.ColumnElement[bool]) -> _Read:
    """The named columns of the table's rows, by id."""
    kept = table.__table__

    def make(dialect: sa.Dialect) -> sa.Select[Any]:
        rows = sa.select(*(kept.c[name] for name in names.split()))
        return rows.where(statements.among(kept.c[column], dialect), *stands).order_by(kept.c.id)

    return _Read(f"{table.__tablename__} by {column}", make, _named(names))


def _said_of(dialect: sa.Dialect) -> Any:
    """Of assets, and of versions alone: one that was moved to another asset takes along what was said of it."""
    kept = AssetRightsRow.__table__
    rows = sa.select(*(kept.c[name] for name in _RIGHTS.split())).where(AssetRightsRow.ended_at.is_(None))
    whole = rows.where(statements.among(kept.c.asset_id, dialect), kept.c.version_id.is_(None))
    return whole.union_all(rows.where(statements.among(kept.c.version_id, dialect, "versions")))


def _standing_against(dialect: sa.Dialect) -> Any:
    """Which of these stand against which assets: mostly none, so that one question does for four."""
    tables = (
        ("embargo", EmbargoRow, EmbargoRow.lifted_at.is_(None)),
        ("takedown", TakedownRow, TAKEDOWN_STANDS),
        ("exclusivity", ExclusivityRow, ExclusivityRow.ended_at.is_(None)),
        ("hold", LegalHoldRow, LegalHoldRow.lifted_at.is_(None)),
    )
    return sa.union_all(
        *(
            sa.select(sa.literal_column(f"'{name}'", sa.Text).label("kind"), table.asset_id).where(
                statements.among(table.asset_id, dialect), stands
            )
            for name, table, stands in tables
        )
    )


def _used_of(dialect: sa.Dialect) -> Any:
    """Of caps that never begin anew from themselves, of the others from their periods."""
    nothing = sa.null().cast(sa.Date())
    total = sa.select(GrantCapRow.id.label("cap"), nothing.label("day"), GrantCapRow.used, GrantCapRow.reserved)
    total = total.where(statements.among(GrantCapRow.id, dialect), GrantCapRow.per == codes.CapPer.TOTAL.value)
    kept = GrantCapPeriodRow
    period = sa.select(kept.cap_id, kept.starts_on, kept.used, kept.reserved)
    both = total.union_all(period.where(statements.among(kept.cap_id, dialect))).subquery()
    return sa.select(both).order_by(both.c.cap, both.c.day)


_GRANT: Final = (
    "id license_id release_id effect actions channels territories territories_except starts_on ends_on purposes "
    "audiences industries products languages placements alterations max_page_share max_edge_mm max_edge_px"
)
_SAID: Final = _Read("asset_rights", _said_of, _named(_RIGHTS))
_PARTS: Final = _of(ComponentRow, "id composite_version_id part_version_id", "composite_version_id")
_AGAINST: Final = _Read("against", _standing_against, _named("kind asset_id"))
_EMBARGOES: Final = _of(EmbargoRow, "id asset_id starts_at ends_at", "asset_id", EmbargoRow.lifted_at.is_(None))
_TAKEDOWNS: Final = _of(TakedownRow, "id asset_id status", "asset_id", TAKEDOWN_STANDS)
_EXCLUSIVITIES: Final = _of(
    ExclusivityRow,
    "id asset_id direction holder_org_id channels territories industries starts_on ends_on zone groups_as_of",
    "asset_id",
    ExclusivityRow.ended_at.is_(None),
)
_LICENSES: Final = _of(
    LicenseRow,
    "id kind status starts_on ends_on zone licensee_org_id end_user_org_ids sublicensable seats groups_as_of free_text "
    "number code terms_url",
    "id",
)
_RELEASES: Final = _of(
    ReleaseRow,
    "id kind status minor_age guardian starts_on ends_on zone groups_as_of revoked_at",
    "id",
)
_SEATS: Final = _of(LicenseSeatRow, "license_id org_id", "license_id", LicenseSeatRow.released_at.is_(None))
_GRANTS: Final = _of(LicenseGrantRow, _GRANT, "license_id")
_AGREED: Final = _of(LicenseGrantRow, _GRANT, "release_id")
_CAPS: Final = _of(GrantCapRow, "id grant_id unit at_most per used reserved", "grant_id")
_DUTIES: Final = _of(GrantDutyRow, "id grant_id kind parameter actions", "grant_id")
_USED: Final = _Read("used", _used_of, _named("cap day used reserved"))


def subjects(work: Work, asset_of: Mapping[int, int], *, composite: bool = True) -> dict[int, Subject]:
    """Per version, given with its asset, what stands of it and of its asset. None of them is made of others where it
    is not `composite`.
    """
    assets = set(asset_of.values())
    of_asset: dict[int, list[Any]] = defaultdict(list)
    of_version: dict[int, list[Any]] = defaultdict(list)
    for row in _SAID.of(work, assets, versions=asset_of):
        (of_asset[row.asset_id] if row.version_id is None else of_version[row.version_id]).append(row)
    parts = _PARTS.grouped(work, asset_of if composite else (), "composite_version_id")
    against: dict[str, set[int]] = defaultdict(set)
    for row in _AGAINST.of(work, assets):
        against[row.kind].add(row.asset_id)
    embargoes = _EMBARGOES.grouped(work, against["embargo"], "asset_id")
    takedowns = _TAKEDOWNS.grouped(work, against["takedown"], "asset_id")
    exclusive = _EXCLUSIVITIES.grouped(work, against["exclusivity"], "asset_id")
    return {
        version_id: Subject(
            version_id,
            asset_id,
            tuple(map(said, sorted(of_asset[asset_id] + of_version[version_id], key=lambda row: row.id))),
            tuple(Component(row.id, row.part_version_id) for row in parts[version_id]),
            tuple(Embargo(row.id, row.starts_at, row.ends_at) for row in embargoes[asset_id]),
            tuple(Takedown(row.id, codes.TakedownStatus(row.status)) for row in takedowns[asset_id]),
            tuple(map(exclusivity, exclusive[asset_id])),
            asset_id in against["hold"],
        )
        for version_id, asset_id in asset_of.items()
    }


def terms(
    work: Work, license_ids: Collection[int], release_ids: Collection[int]
) -> tuple[dict[int, License], dict[int, Release]]:
    """With their grants, and what caps have given away by now."""
    licenses = _LICENSES.of(work, license_ids)
    seats = _SEATS.grouped(work, [row.id for row in licenses if row.seats is not None], "license_id")
    granted = [*_GRANTS.of(work, license_ids), *_AGREED.of(work, release_ids)]
    ids = [row.id for row in granted]
    caps, duties = _CAPS.grouped(work, ids, "grant_id"), _DUTIES.grouped(work, ids, "grant_id")
    spent = _spent(work, [row for some in caps.values() for row in some])
    of_license: dict[int, list[Grant]] = defaultdict(list)
    of_release: dict[int, list[Grant]] = defaultdict(list)
    for row in granted:
        grant = _grant(row, tuple(_cap(cap, spent[cap.id]) for cap in caps[row.id]), tuple(map(_duty, duties[row.id])))
        if row.license_id is not None:
            of_license[row.license_id].append(grant)
        else:
            of_release[row.release_id].append(grant)
    return (
        {row.id: _license(row, of_license[row.id], (seat.org_id for seat in seats[row.id])) for row in licenses},
        {row.id: _release(row, of_release[row.id]) for row in _RELEASES.of(work, release_ids)},
    )


def used(work: Work, cap_ids: Collection[int]) -> dict[int, tuple[Used, ...]]:
    """Per cap what it has given away, in each of its periods."""
    found: dict[int, list[Used]] = {cap_id: [] for cap_id in cap_ids}
    for row in _USED.of(work, cap_ids):
        found[row.cap].append(Used(row.day, row.used, row.reserved))
    return {cap_id: tuple(each) for cap_id, each in found.items()}


def _spent(work: Work, caps: Iterable[Any]) -> dict[int, tuple[Used, ...]]:
    """The same of caps at hand, of which only those that begin anew are asked about."""
    anew = []
    found = {}
    for row in caps:
        if row.per == codes.CapPer.TOTAL:
            found[row.id] = (Used(None, row.used, row.reserved),)
        else:
            anew.append(row.id)
    return found | used(work, anew)


def said(row: Any) -> Rights:
    return Rights(
        row.id,
        row.license_id,
        row.release_id,
        codes.Coverage(row.coverage),
        row.recognisable_people,
        row.recognisable_property,
    )


def _license(row: Any, grants: Iterable[Grant], seats: Iterable[int]) -> License:
    return License(
        row.id,
        codes.LicenseKind(row.kind),
        codes.LicenseStatus(row.status),
        row.starts_on,
        row.ends_on,
        row.zone,
        row.licensee_org_id,
        tuple(row.end_user_org_ids),
        row.sublicensable,
        row.seats,
        tuple(sorted(seats)),
        row.groups_as_of,
        tuple(row.free_text),
        row.number,
        public_code=row.code,
        terms_url=row.terms_url,
        grants=tuple(grants),
    )


def _release(row: Any, grants: Iterable[Grant]) -> Release:
    return Release(
        row.id,
        codes.ReleaseKind(row.kind),
        codes.ReleaseStatus(row.status),
        None if row.minor_age is None else codes.MinorAge(row.minor_age),
        row.guardian,
        row.starts_on,
        row.ends_on,
        row.zone,
        row.groups_as_of,
        row.revoked_at,
        tuple(grants),
    )


def _grant(row: Any, caps: tuple[Cap, ...], duties: tuple[Duty, ...]) -> Grant:
    size = Size(row.max_page_share, row.max_edge_mm, row.max_edge_px)
    return Grant(
        row.id,
        codes.Effect(row.effect),
        tuple(row.actions),
        tuple(row.channels),
        tuple(row.territories),
        tuple(row.territories_except),
        row.starts_on,
        row.ends_on,
        tuple(map(codes.Purpose, row.purposes)),
        tuple(row.audiences),
        tuple(row.industries),
        tuple(row.products),
        tuple(row.languages),
        tuple(row.placements),
        tuple(map(codes.Alteration, row.alterations)),
        None if size == Size() else size,
        caps,
        duties,
    )


def _cap(row: Any, spent: tuple[Used, ...]) -> Cap:
    return Cap(row.id, codes.CapUnit(row.unit), row.at_most, codes.CapPer(row.per), spent)


def _duty(row: Any) -> Duty:
    return Duty(row.id, codes.DutyKind(row.kind), row.parameter, tuple(map(codes.Action, row.actions)))


def exclusivity(row: Any) -> Exclusivity:
    return Exclusivity(
        row.id,
        codes.ExclusivityDirection(row.direction),
        row.holder_org_id,
        tuple(row.channels),
        tuple(row.territories),
        tuple(row.industries),
        row.starts_on,
        row.ends_on,
        row.zone,
        row.groups_as_of,
    )
