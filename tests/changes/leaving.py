"""What moves what may leave of assets, as it happens in a `World`: takedowns, embargoes, licences, releases, parts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any, Final

import sqlalchemy as sa

from domain.licensing import activating, assessing, components, embargoes, licenses, parties, releases, takedowns
from domain.licensing.codes import ANY, WORLDWIDE, Action, Effect, LicenseKind, ReleaseKind
from domain.licensing.terms import Grant
from domain.work import Work
from storage.tables import AssetRightsRow, EmbargoRow, LicenseRow, ReleaseRow, TakedownRow
from tests.changes.world import BEGUN, HOUR, World

WHY: Final = "A letter of today."
#: First and last day: days end within what a history lasts, at different hours.
TERMS: Final = (
    (date(2025, 1, 1), None, "UTC"),
    (date(2025, 1, 1), date(2026, 1, 1), "Pacific/Auckland"),
    (date(2025, 1, 1), date(2026, 1, 1), "America/New_York"),
    (date(2026, 1, 2), None, "Asia/Kolkata"),
)
_GRANT: Final = Grant(0, Effect.PERMIT, tuple(Action), (ANY,), (WORLDWIDE,))


def found_terms(world: World) -> None:
    def act(work: Work) -> None:
        for first, last, zone in TERMS:
            draft(work, f"Terms {next(world.names)}", first, last, zone)
        for row in work.session.scalars(sa.select(LicenseRow).where(LicenseRow.status == "DRAFT")):
            activating.activate(work, row.id, row.revision)

    world.done(act)
    found_releases(world)
    for asset_id in range(1, 5):
        assess(world, asset_id, asset_id, None, of_release=False)


def found_releases(world: World) -> None:
    """One for good, and one that ends within a history."""

    def act(work: Work) -> None:
        jane = parties.create(work, parties.Kind.PERSON, {"name": "Jane"}).id
        said: dict[str, Any] = {"status": "UNLIMITED"}
        releases.create(work, ReleaseKind.MODEL, jane, said, [])
        releases.create(work, ReleaseKind.MODEL, jane, {**said, "ends_on": date(2026, 1, 1), "zone": "Asia/Tokyo"}, [])

    world.done(act)


def draft(work: Work, title: str, first: date, last: date | None, zone: str) -> LicenseRow:
    said = {"title": title, "starts_on": first, "ends_on": last, "zone": zone}
    return licenses.create(work, LicenseKind.RIGHTS_MANAGED, said, [_GRANT])


def take_down(world: World, asset_id: int) -> None:
    world.done(lambda work: takedowns.open_(work, asset_id, WHY))


def put_up(world: World, at: int) -> None:
    """A takedown is lifted, or enforced first."""

    def act(work: Work, row: TakedownRow) -> None:
        if at % 3 == 0 and row.status == "OPEN":
            takedowns.enforce(work, row.id, row.revision)
        else:
            takedowns.lift(work, row.id, row.revision, WHY)

    _one(world, at, sa.select(TakedownRow).where(TakedownRow.status != "LIFTED").order_by(TakedownRow.id), act)


def hold_back(world: World, asset_id: int, begins: int | None, lasts: int | None) -> None:
    """An embargo, in hours from now."""
    now = BEGUN + ((world.moment - BEGUN) // HOUR) * HOUR
    starts = None if begins is None else now + begins * HOUR
    ends = None if lasts is None else (starts or now) + lasts * HOUR
    world.done(lambda work: embargoes.place(work, asset_id, starts, ends, WHY))


def let_go(world: World, at: int) -> None:
    rows = sa.select(EmbargoRow).where(EmbargoRow.lifted_at.is_(None)).order_by(EmbargoRow.id)
    _one(world, at, rows, lambda work, row: embargoes.lift(work, row.id, WHY))


def assess(world: World, asset_id: int, at: int, version: int | None, *, of_release: bool) -> None:
    """That the asset, or one of its versions, is under one of the terms."""

    def act(work: Work) -> None:
        table: Any = ReleaseRow if of_release else LicenseRow
        ids = list(work.session.scalars(sa.select(table.id).order_by(table.id)))
        wish = {"release_ids" if of_release else "license_ids": [ids[at % len(ids)]]}
        found = None if version is None else world._version(work, asset_id, version).id
        assessing.assess(work, asset_id, found, assessing.Wish(**wish))  # type: ignore[arg-type]  # one of two lists

    world.done(act)


def withdraw(world: World, at: int) -> None:
    """That something is under a licence or a release."""
    named = sa.or_(AssetRightsRow.license_id.is_not(None), AssetRightsRow.release_id.is_not(None))
    rows = sa.select(AssetRightsRow).where(AssetRightsRow.ended_at.is_(None), named).order_by(AssetRightsRow.id)
    _one(world, at, rows, lambda work, row: assessing.withdraw(work, row.id, WHY))


def move_license(world: World, at: int, how: str) -> None:
    def act(work: Work, row: LicenseRow) -> None:
        match how:
            case "suspend":
                activating.suspend(work, row.id, row.revision, WHY)
            case "resume":
                activating.resume(work, row.id, row.revision)
            case "terminate":
                activating.terminate(work, row.id, row.revision, WHY)
            case "supersede":
                first, last, zone = TERMS[at % len(TERMS)]
                new = draft(work, f"Terms {next(world.names)}", first, last, zone)
                activating.supersede(work, row.id, row.revision, new.id, WHY)

    rows = sa.select(LicenseRow).where(LicenseRow.status.in_(["ACTIVE", "SUSPENDED"])).order_by(LicenseRow.id)
    _one(world, at, rows, act)


def revoke_release(world: World, at: int) -> None:
    rows = sa.select(ReleaseRow).where(ReleaseRow.revoked_at.is_(None)).order_by(ReleaseRow.id)
    _one(world, at, rows, lambda work, row: releases.revoke(work, row.id, row.revision, WHY))


def build_in(world: World, asset_id: int, other_id: int, at: int, *, out: bool) -> None:
    """A version of the one is made part of one of the other, or taken out of it."""

    def act(work: Work) -> None:
        whole, part = world._version(work, asset_id, at), world._version(work, other_id, at // 2)
        (components.remove if out else components.add)(work, whole.id, part.id)

    world.done(act)


def _one(world: World, at: int, rows: sa.Select[Any], act: Callable[[Work, Any], Any]) -> None:
    """Done to one of the rows, if there is any."""

    def chosen(work: Work) -> None:
        if found := list(work.session.scalars(rows)):
            act(work, found[at % len(found)])

    world.done(chosen)
