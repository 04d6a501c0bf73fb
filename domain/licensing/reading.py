"""Rows of licensing as the values that decisions read, in a fixed number of statements however many there are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final

import sqlalchemy as sa

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
from storage.tables import (
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


def _of(table: type[Any], column: str, *stands: sa.ColumnElement[bool]) -> sa.Select[Any]:
    """The rows of the table whose column is one of `ids`. Made once: making a statement costs more than asking it."""
    kept = table.__table__
    return sa.select(kept).where(kept.c[column].in_(_IDS), *stands).order_by(kept.c.id)


_STANDS: Final = AssetRightsRow.ended_at.is_(None)
_IDS: Final[sa.BindParameter[Any]] = sa.bindparam("ids", expanding=True)
_PARTS: Final = _of(ComponentRow, "composite_version_id")
_EMBARGOES: Final = _of(EmbargoRow, "asset_id", EmbargoRow.lifted_at.is_(None))
_TAKEDOWNS: Final = _of(TakedownRow, "asset_id", TakedownRow.status != codes.TakedownStatus.LIFTED.value)
_EXCLUSIVITIES: Final = _of(ExclusivityRow, "asset_id", ExclusivityRow.ended_at.is_(None))
_OF_ASSETS: Final = _of(AssetRightsRow, "asset_id", _STANDS, AssetRightsRow.version_id.is_(None))
#: A version that was moved to another asset takes along what was said of it alone.
_OF_VERSIONS: Final = _of(AssetRightsRow, "version_id", _STANDS)
_LICENSES: Final = _of(LicenseRow, "id")
_RELEASES: Final = _of(ReleaseRow, "id")
_SEATS: Final = _of(LicenseSeatRow, "license_id", LicenseSeatRow.released_at.is_(None))
_GRANTS: Final = _of(LicenseGrantRow, "license_id")
_AGREED: Final = _of(LicenseGrantRow, "release_id")
_CAPS: Final = _of(GrantCapRow, "grant_id")
_DUTIES: Final = _of(GrantDutyRow, "grant_id")
#: Which of these stand against which assets: mostly none, so that one question does for four.
_AGAINST: Final = sa.union_all(
    *(
        sa.select(sa.literal(name, literal_execute=True).label("kind"), table.asset_id).where(
            table.asset_id.in_(_IDS), stands
        )
        for name, table, stands in (
            ("embargo", EmbargoRow, EmbargoRow.lifted_at.is_(None)),
            ("takedown", TakedownRow, TakedownRow.status != codes.TakedownStatus.LIFTED.value),
            ("exclusivity", ExclusivityRow, ExclusivityRow.ended_at.is_(None)),
            ("hold", LegalHoldRow, LegalHoldRow.lifted_at.is_(None)),
        )
    )
)


def subjects(work: Work, asset_of: Mapping[int, int], *, composite: bool = True) -> dict[int, Subject]:
    """Per version, given with its asset, what stands of it and of its asset. None of them is made of others where it
    is not `composite`.
    """
    assets = set(asset_of.values())
    of_asset = _grouped(work, _OF_ASSETS, assets, "asset_id")
    of_version = _grouped(work, _OF_VERSIONS, asset_of, "version_id")
    parts = _grouped(work, _PARTS, asset_of if composite else (), "composite_version_id")
    against: dict[str, set[int]] = defaultdict(set)
    for row in _rows(work, _AGAINST, assets):
        against[row.kind].add(row.asset_id)
    embargoes = _grouped(work, _EMBARGOES, against["embargo"], "asset_id")
    takedowns = _grouped(work, _TAKEDOWNS, against["takedown"], "asset_id")
    exclusive = _grouped(work, _EXCLUSIVITIES, against["exclusivity"], "asset_id")
    return {
        version_id: Subject(
            version_id,
            asset_id,
            tuple(map(_said, sorted(of_asset[asset_id] + of_version[version_id], key=lambda row: row.id))),
            tuple(Component(row.id, row.part_version_id) for row in parts[version_id]),
            tuple(Embargo(row.id, row.starts_at, row.ends_at) for row in embargoes[asset_id]),
            tuple(Takedown(row.id, codes.TakedownStatus(row.status)) for row in takedowns[asset_id]),
            tuple(map(_exclusivity, exclusive[asset_id])),
            asset_id in against["hold"],
        )
        for version_id, asset_id in asset_of.items()
    }


def terms(
    work: Work, license_ids: Collection[int], release_ids: Collection[int]
) -> tuple[dict[int, License], dict[int, Release]]:
    """With their grants, and what caps have given away by now."""
    licenses = list(_rows(work, _LICENSES, license_ids))
    seats = _grouped(work, _SEATS, [row.id for row in licenses if row.seats is not None], "license_id")
    granted = [*_rows(work, _GRANTS, license_ids), *_rows(work, _AGREED, release_ids)]
    ids = [row.id for row in granted]
    caps, duties = _grouped(work, _CAPS, ids, "grant_id"), _grouped(work, _DUTIES, ids, "grant_id")
    spent = used(work, [row.id for some in caps.values() for row in some])
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
        {row.id: _release(row, of_release[row.id]) for row in _rows(work, _RELEASES, release_ids)},
    )


def used(work: Work, cap_ids: Collection[int]) -> dict[int, tuple[Used, ...]]:
    """Per cap what it has given away, in each of its periods."""
    found: dict[int, list[Used]] = {cap_id: [] for cap_id in cap_ids}
    for cap_id, starts_on, spent, reserved in _rows(work, _USED, cap_ids):
        found[cap_id].append(Used(starts_on, spent, reserved))
    return {cap_id: tuple(each) for cap_id, each in found.items()}


def _used() -> sa.Select[Any]:
    """Of those that never begin anew from the caps themselves, of the others from their periods; made once."""
    nothing = sa.null().cast(sa.Date())
    total = sa.select(GrantCapRow.id.label("cap"), nothing.label("day"), GrantCapRow.used, GrantCapRow.reserved)
    total = total.where(GrantCapRow.id.in_(_IDS), GrantCapRow.per == codes.CapPer.TOTAL.value)
    period = sa.select(
        GrantCapPeriodRow.cap_id, GrantCapPeriodRow.starts_on, GrantCapPeriodRow.used, GrantCapPeriodRow.reserved
    ).where(GrantCapPeriodRow.cap_id.in_(_IDS))
    both = total.union_all(period).subquery()
    return sa.select(both).order_by(both.c.cap, both.c.day)


_USED: Final = _used()


def _said(row: Any) -> Rights:
    return Rights(
        row.id,
        row.license_id,
        row.release_id,
        codes.Coverage(row.coverage),
        row.recognisable_people,
        row.recognisable_property,
    )


def _rows(work: Work, rows: Any, ids: Collection[int]) -> Iterable[Any]:
    """Nothing is asked about nothing."""
    return work.session.execute(rows, {"ids": list(ids)}) if ids else ()


def _grouped(work: Work, rows: sa.Select[Any], ids: Collection[int], column: str) -> Rows:
    found: dict[int, list[Any]] = defaultdict(list)
    for row in _rows(work, rows, ids):
        found[getattr(row, column)].append(row)
    return found


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


def _exclusivity(row: Any) -> Exclusivity:
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
