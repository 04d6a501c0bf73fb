"""Licences, releases and uses in few words, for tests: what is not said is open, in force and for ever."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any, Final

from domain.licensing import deciding
from domain.licensing.codes import (
    Action,
    CapPer,
    CapUnit,
    Effect,
    LicenseKind,
    LicenseStatus,
    Purpose,
    ReasonCode,
    ReleaseKind,
    ReleaseStatus,
)
from domain.licensing.terms import (
    Cap,
    Component,
    Decision,
    Facts,
    Grant,
    License,
    Quantity,
    Release,
    Request,
    Rights,
    Subject,
    Used,
    Window,
)

US: Final = 1
NOBODY_TO_SEE: Final = Rights(900, people=False, property=False)
MAY: Final = Window(date(2026, 5, 1), date(2026, 5, 31))
NOW: Final = datetime(2026, 4, 1, tzinfo=UTC)


def permit(key: int = 1, **said: Any) -> Grant:
    return replace(Grant(key, Effect.PERMIT, ("ANY",), ("ANY",), ("WORLDWIDE",)), **said)


def prohibit(key: int, **said: Any) -> Grant:
    return replace(Grant(key, Effect.PROHIBIT, ("ANY",), ("ANY",), ("WORLDWIDE",)), **said)


def licence(*grants: Grant, key: int = 1, **said: Any) -> License:
    begun = License(key, LicenseKind.RIGHTS_MANAGED, LicenseStatus.ACTIVE, date(2020, 1, 1), licensee_org_id=US)
    return replace(begun, grants=grants, **said)


def release(*grants: Grant, key: int = 1, **said: Any) -> Release:
    return replace(Release(key, ReleaseKind.MODEL, ReleaseStatus.UNLIMITED), grants=grants, **said)


def cap(unit: CapUnit, limit: int, used: int = 0, reserved: int = 0, per: CapPer = CapPer.TOTAL, **said: Any) -> Cap:
    return Cap(said.get("key", 1), unit, limit, per, (Used(said.get("since"), used, reserved),))


def picture(*licenses: License, releases: tuple[Release, ...] = (), **said: Any) -> Facts:
    """One version, 7, under these licences, on which there is nobody to see, unless `rights` says otherwise."""
    rights = said.pop("rights", (NOBODY_TO_SEE,))
    rights += tuple(Rights(one.id, license_id=one.id) for one in licenses)
    rights += tuple(Rights(100 + one.id, release_id=one.id) for one in releases)
    groups = said.pop("groups", ())
    return Facts(
        7,
        {7: Subject(7, 7, rights, **said)},
        {one.id: one for one in licenses},
        {one.id: one for one in releases},
        groups,
    )


def made_of(whole: Facts, **parts: Facts) -> Facts:
    """The picture as a composite: `v8=...` makes version 8 of what another picture says of itself."""
    subjects, licenses, releases = dict(whole.subjects), dict(whole.licenses), dict(whole.releases)
    keys = [int(name.removeprefix("v")) for name in parts]
    for key, part in zip(keys, parts.values(), strict=True):
        subjects[key] = replace(part.subjects[7], version_id=key, asset_id=key)
        licenses |= part.licenses
        releases |= part.releases
    components = tuple(Component(key, key) for key in keys)
    subjects[7] = replace(subjects[7], components=components)
    return replace(whole, subjects=subjects, licenses=licenses, releases=releases)


def use(**said: Any) -> Request:
    asked = Request(Action.PUBLISH, "web.site", ("DE",), MAY, US, NOW, purpose=Purpose.COMMERCIAL)
    return replace(asked, **said)


def days(first: str, last: str) -> Window:
    return Window(date.fromisoformat(first), date.fromisoformat(last))


def copies(amount: int) -> tuple[Quantity, ...]:
    return (Quantity(CapUnit.COPIES, amount),)


def decide(facts: Facts, **said: Any) -> Decision:
    return deciding.decide(facts, use(**said))


def codes(decision: Decision) -> set[ReasonCode]:
    return {reason.code for reason in decision.reasons}
