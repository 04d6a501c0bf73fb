"""Random facts and uses, small enough to be looked at and odd enough to hit every rule: the same for the same seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any, Final, TypeVar

from domain.licensing.codes import (
    Action,
    Alteration,
    CapPer,
    CapUnit,
    Coverage,
    DutyKind,
    Effect,
    ExclusivityDirection,
    LicenseKind,
    LicenseStatus,
    MinorAge,
    Purpose,
    ReleaseKind,
    ReleaseStatus,
    TakedownStatus,
)
from domain.licensing.terms import (
    Cap,
    Component,
    Duty,
    Embargo,
    Exclusivity,
    Facts,
    Grant,
    License,
    Member,
    Quantity,
    Release,
    Request,
    Rights,
    Size,
    Subject,
    Takedown,
    TerritoryGroup,
    Used,
    Window,
)

T = TypeVar("T")

#: Clocks change in most of them between these days, at midnight in some, by half an hour in one.
ZONES: Final = (
    "UTC", "Europe/Berlin", "America/New_York", "Africa/Cairo", "America/Santiago", "Asia/Beirut", "Asia/Kathmandu",
    "Australia/Lord_Howe", "Pacific/Kiritimati",
)  # fmt: skip
FROM: Final = date(2026, 3, 20)
SPAN: Final = 40

_GROUP: Final = TerritoryGroup(
    "OWN", (Member("CH"), Member("FR", last_on=date(2026, 4, 4)), Member("US-CA", first_on=date(2026, 4, 5)))
)
_PLACES: Final = ("CH", "DE", "FR", "GB", "US", "US-CA", "US-NY", "EU", "DACH", "OWN")
_CHANNELS: Final = ("print.flyer", "print.poster", "web.site")


def case(seed: int) -> tuple[Facts, Request]:
    """Of some, terms have no days of their own; some pass but for one thing."""
    dice = Random(seed)
    found, asked = facts(dice), request(dice)
    if seed % 5 == 3:
        return nearly(Random(-seed), found, asked)
    return undated(Random(-seed), found, asked.window) if seed % 7 == 0 else found, asked


def facts(dice: Random) -> Facts:
    licenses = {key: _license(dice, key) for key in range(1, dice.choice((2, 3, 4)))}
    releases = {key: _release(dice, key) for key in range(1, dice.choice((1, 1, 2, 3)))}
    versions = dice.choice((1, 1, 1, 1, 2, 3, 4))
    subjects = {}
    for version in range(1, versions + 1):
        below = [Component(part, part) for part in range(version + 1, versions + 1) if dice.random() < 0.6]
        subjects[version] = _subject(dice, version, licenses, releases, tuple(below))
    return Facts(1, subjects, licenses, releases, (_GROUP,))


def request(dice: Random) -> Request:
    first = FROM + timedelta(days=dice.randrange(SPAN))
    chance = dice.random
    return Request(
        action=_often(dice, Action.PUBLISH, tuple(Action), 0.85),
        channel=dice.choice(_CHANNELS),
        territories=tuple(dice.sample(_PLACES, dice.choice((1, 1, 2, 3)))),
        window=Window(first, first + timedelta(days=dice.choice((0, 0, 1, 3, 6)))),
        party=_often(dice, 1, (2, 3)),
        as_of=datetime(2026, 3, 1, tzinfo=UTC),
        zone=None if chance() < 0.4 else dice.choice(ZONES),
        quantities=_quantities(dice),
        purpose=_often(dice, Purpose.COMMERCIAL, (None, *Purpose), 0.6),
        alterations=tuple(sorted(dice.sample(_ALTERED, dice.choice((0, 0, 0, 1, 2))))),
        size=None if chance() < 0.3 else _size(dice),
        product=dice.choice((None, 1, 2)),
        industry=dice.choice((None, "ALCOHOL", "FOOD", "TOYS")),
        language=dice.choice((None, "de", "de-AT", "en")),
        audience=dice.choice((None, "ADULTS")),
        placement=dice.choice((None, "COVER")),
        partial=chance() < 0.3,
    )


def narrowed(dice: Random, asked: Request) -> Request:
    """A use that asks for no more in any dimension, and for less in some; but groups among its places are those of its
    own first day.
    """
    days = (asked.window.last - asked.window.first).days
    start = dice.randrange(days + 1)
    stop = dice.randrange(start, days + 1)
    first = asked.window.first
    changes: dict[str, Any] = {"window": Window(first + timedelta(days=start), first + timedelta(days=stop))}
    changes["territories"] = tuple(dice.sample(asked.territories, dice.randint(1, len(asked.territories))))
    changes["quantities"] = tuple(replace(one, amount=dice.randint(1, one.amount)) for one in asked.quantities)
    changes["alterations"] = tuple(one for one in asked.alterations if dice.random() < 0.7)
    if asked.purpose is None:
        changes["purpose"] = dice.choice((None, *Purpose))
    left: tuple[tuple[str, tuple[str | int, ...]], ...] = (
        *(("industry", ("ALCOHOL", "FOOD")), ("language", ("de", "en")), ("audience", ("ADULTS",))),
        *(("product", (1, 2)), ("placement", ("COVER",))),
    )
    for name, words in left:
        if getattr(asked, name) is None:
            changes[name] = dice.choice((None, *words))
    if asked.size is not None and asked.size.page_share is not None:
        changes["size"] = replace(asked.size, page_share=dice.randint(1, asked.size.page_share))
    return replace(asked, **changes)


def undated(dice: Random, found: Facts, window: Window) -> Facts:
    """The same, but that releases and exclusivities have no first day, in a group that others join and leave on days of
    the window.
    """

    def day() -> date:
        return window.first + timedelta(days=dice.randint(0, (window.last - window.first).days))

    codes = ("CH", "DE", "FR", "GB", "US", "US-CA", "US-NY")
    members = [Member(code, day()) if dice.random() < 0.7 else Member(code, None, day()) for code in codes]
    group = TerritoryGroup("OWN", (Member("AT"), *members))

    def grant(each: Grant) -> Grant:
        return replace(each, starts_on=None, territories=_with_group(dice), territories_except=_left_out(dice))

    def subject(each: Subject) -> Subject:
        some = (*each.exclusivities, *((_exclusivity(dice),) if dice.random() < 0.5 else ()))
        return replace(
            each, exclusivities=tuple(replace(one, starts_on=None, territories=_with_group(dice)) for one in some)
        )

    releases = {
        key: replace(each, starts_on=None, grants=tuple(map(grant, each.grants)))
        for key, each in found.releases.items()
    }
    subjects = {key: subject(each) for key, each in found.subjects.items()}
    return replace(found, subjects=subjects, releases=releases, groups=(group,))


def free(dice: Random, window: Window) -> Facts:
    """Allowed everything by a licence; what is in the way is an exclusivity and a release, both `undated`."""
    all_ = Grant(1, Effect.PERMIT, ("ANY",), ("ANY",), ("WORLDWIDE",))
    terms = License(1, LicenseKind.ROYALTY_FREE, LicenseStatus.ACTIVE, date(2019, 6, 1), grants=(all_,))
    limits: tuple[Grant, ...] = tuple(replace(all_, id=key) for key in (101, 102))
    limits += (replace(all_, id=103, effect=Effect.PROHIBIT),) if dice.random() < 0.3 else ()
    release = Release(1, ReleaseKind.MODEL, ReleaseStatus.LIMITED, grants=limits)
    rights = (Rights(1, 1, people=False, property=False), *((Rights(2, None, 1),) if dice.random() < 0.7 else ()))
    return undated(dice, Facts(1, {1: Subject(1, 1, rights)}, {1: terms}, {1: release}), window)


def _with_group(dice: Random) -> tuple[str, ...]:
    return tuple(sorted({"OWN", *dice.sample(_PLACES, dice.choice((0, 0, 2)))}))


def _left_out(dice: Random) -> tuple[str, ...]:
    return dice.choice(((), (), ("OWN",), ("US-NY", "OWN")))


def nearly(dice: Random, found: Facts, asked: Request) -> tuple[Facts, Request]:
    """The versions under one licence that allows everything but for one thing, or owes something; the use as asked for,
    in what it is about.
    """
    all_ = Grant(11, Effect.PERMIT, ("ANY",), ("ANY",), ("WORLDWIDE",))
    first, last = asked.window.first, asked.window.first + timedelta(days=dice.choice((1, 3, 6)))
    asked = replace(asked, action=Action.PUBLISH, window=Window(first, last), partial=dice.random() < 0.3)
    day, amount = first + timedelta(days=dice.randint(0, (last - first).days - 1)), dice.randint(2, 99)
    unit, per = dice.choice((CapUnit.COPIES, CapUnit.PLACEMENTS)), dice.choice((CapPer.TOTAL, CapPer.YEAR))
    began = None if per == CapPer.TOTAL else date(2026, 1, 1)
    full = Cap(1, unit, 100, per, (Used(began, dice.randrange(60), dice.randrange(41)),))
    grants: tuple[Grant, ...] = (all_,)
    match dice.randrange(10):
        case 0:
            grants = (replace(all_, ends_on=day),)
        case 1:
            grants = (replace(all_, ends_on=day), replace(all_, id=12, starts_on=day + timedelta(days=1)))
        case 2:
            grants = (replace(all_, territories=tuple(sorted(dice.sample(_PLACES, 4)))),)
        case 3 | 8 | 9:
            grants = (replace(all_, caps=(full,)),)
            asked = replace(asked, quantities=(Quantity(unit, amount),))
        case 4:
            grants = (replace(all_, alterations=(Alteration.CROP,)),)
            asked = replace(asked, alterations=(Alteration.CROP, Alteration.FLIP))
        case 5 | 6:
            grants = (replace(all_, duties=(_duty(dice, 1),)), *(() if dice.random() < 0.5 else (_credited(all_),)))
    terms = License(
        1, LicenseKind.RIGHTS_MANAGED, LicenseStatus.ACTIVE, date(2019, 6, 1), zone=dice.choice(ZONES),
        sublicensable=True, grants=grants, ends_on=_day(dice, 60) if dice.random() < 0.2 else None,
    )  # fmt: skip
    release = Release(1, ReleaseKind.MODEL, ReleaseStatus.UNLIMITED, zone=dice.choice(ZONES))
    signed = dice.random() < 0.4
    rights: tuple[Rights, ...] = (Rights(1, 1, people=signed, property=False),)
    rights += (Rights(2, None, 1),) if signed else ()
    subjects = {key: Subject(key, key, rights, each.components) for key, each in found.subjects.items()}
    return Facts(1, subjects, {1: terms}, {1: release} if signed else {}, found.groups), asked


def _credited(grant: Grant) -> Grant:
    """The same in some places, which owes a credit there."""
    credit = Duty(2, DutyKind.CREDIT_ON_IMAGE, "Bea")
    return replace(grant, id=10, territories=("DE", "EU", "US"), duties=(credit,))


def prohibition(dice: Random, key: int) -> Grant:
    return _grant(dice, key, Effect.PROHIBIT)


_ALTERED: Final = (Alteration.CROP, Alteration.FLIP, Alteration.MERGE)


def _license(dice: Random, key: int) -> License:
    rare = dice.random
    permits = [_grant(dice, key * 10 + at, Effect.PERMIT) for at in range(dice.choice((0, 1, 2, 3, 3, 4)))]
    barred = [_grant(dice, key * 10 + 5, Effect.PROHIBIT)] if rare() < 0.15 else []
    return License(
        key,
        _often(dice, LicenseKind.RIGHTS_MANAGED, (LicenseKind.UNKNOWN, LicenseKind.ROYALTY_FREE), 0.85),
        _often(dice, LicenseStatus.ACTIVE, tuple(LicenseStatus), 0.9),
        starts_on=_day(dice, 10) if rare() < 0.2 else date(2019, 6, 1),
        ends_on=_day(dice, 60) if rare() < 0.2 else None,
        zone=dice.choice(ZONES),
        licensee_org_id=_often(dice, 1, (None, 2)),
        end_user_org_ids=tuple(sorted(dice.sample((2, 3), dice.choice((0, 1, 2))))),
        sublicensable=rare() < 0.15,
        seats=1 if rare() < 0.1 else None,
        seat_org_ids=(dice.choice((1, 2)),) if rare() < 0.5 else (),
        groups_as_of=date(2020, 3, 1) if rare() < 0.5 else None,
        free_text=("in words",) if rare() < 0.07 else (),
        grants=(*permits, *barred),
    )


def _release(dice: Random, key: int) -> Release:
    rare = dice.random
    grants = [_grant(dice, key * 10 + 100 + at, Effect.PERMIT) for at in range(dice.choice((0, 1, 2)))]
    if rare() < 0.2:
        grants.append(_grant(dice, key * 10 + 105, Effect.PROHIBIT))
    revoked = datetime(2026, 4, dice.randint(1, 30), dice.randrange(24), tzinfo=UTC)
    return Release(
        key,
        _often(dice, ReleaseKind.MODEL, tuple(ReleaseKind), 0.5),
        _often(dice, ReleaseStatus.UNLIMITED, tuple(ReleaseStatus), 0.5),
        minor_age=MinorAge.A16 if rare() < 0.1 else None,
        guardian=rare() < 0.7,
        starts_on=_day(dice, 10) if rare() < 0.2 else None,
        ends_on=_day(dice, 60) if rare() < 0.2 else None,
        zone=dice.choice(ZONES),
        revoked_at=revoked if rare() < 0.15 else None,
        grants=tuple(grants),
    )


def _grant(dice: Random, key: int, effect: Effect) -> Grant:
    rare = dice.random
    permits = effect == Effect.PERMIT
    limits: dict[str, Any] = {}
    if permits:
        limits = {
            "caps": (_cap(dice, key),) if rare() < 0.3 else (),
            "duties": (_duty(dice, key),) if rare() < 0.3 else (),
            "max_size": _size(dice) if rare() < 0.15 else None,
        }
    return Grant(
        key,
        effect,
        _often(dice, ("ANY",), (("PUBLISH",), ("AI_INPUT", "ANY"), ("DERIVE", "PRINT")), 0.8),
        _often(dice, ("ANY",), (("print",), ("web",), ("print.flyer", "web.site")), 0.75 if permits else 0.4),
        tuple(sorted(dice.sample(_PLACES, 4))) if rare() < 0.45 else ("WORLDWIDE",),
        tuple(sorted(dice.sample(_PLACES, dice.choice((1, 2))))) if rare() < 0.2 else (),
        starts_on=_day(dice, 15) if rare() < 0.3 else None,
        ends_on=_day(dice, 60) if rare() < 0.3 else None,
        purposes=(dice.choice(tuple(Purpose)),) if rare() < 0.12 else (),
        audiences=("ADULTS",) if rare() < 0.08 else (),
        industries=("ALCOHOL", "FOOD") if rare() < 0.12 else (),
        products=(1,) if rare() < 0.05 else (),
        languages=(dice.choice(("de", "de-AT")),) if rare() < 0.1 else (),
        placements=("COVER",) if rare() < 0.05 else (),
        alterations=(dice.choice((*_ALTERED, Alteration.NONE)),) if rare() < 0.15 else (),
        **limits,
    )


def _cap(dice: Random, key: int) -> Cap:
    per = dice.choice((CapPer.TOTAL, CapPer.TOTAL, CapPer.MONTH, CapPer.DAY, CapPer.YEAR))
    starts: Sequence[date | None] = {
        CapPer.TOTAL: (None,),
        CapPer.DAY: tuple(FROM + timedelta(days=at) for at in range(8, 24, 3)),
        CapPer.MONTH: (date(2026, 3, 1), date(2026, 4, 1)),
        CapPer.YEAR: (date(2026, 1, 1),),
    }[per]
    used = tuple(Used(day, dice.randrange(60), dice.randrange(30)) for day in starts if dice.random() < 0.8)
    return Cap(
        key, dice.choice((CapUnit.COPIES, CapUnit.IMPRESSIONS, CapUnit.PLACEMENTS, CapUnit.SEATS)), 100, per, used
    )


def _duty(dice: Random, key: int) -> Duty:
    kind = _often(dice, DutyKind.CREDIT_ADJACENT, (DutyKind.APPROVAL_BY,), 0.7)
    chance = dice.random()
    return Duty(key, kind, "Ada", (Action.PUBLISH,) if chance < 0.3 else (Action.PRINT,) if chance < 0.5 else ())


def _subject(
    dice: Random, version: int, licenses: dict[int, License], releases: dict[int, Release], below: tuple[Component, ...]
) -> Subject:
    rare = dice.random
    rights = [
        Rights(
            version * 100,
            people=_often(dice, False, (None, True), 0.85),
            property=_often(dice, False, (None, True), 0.9),
        )
    ]
    for key in licenses:
        if rare() < (0.9 if version == 1 else 0.7):
            coverage = _often(dice, Coverage.WHOLE, (Coverage.COMPONENT,), 0.9)
            rights.append(Rights(version * 100 + key, license_id=key, coverage=coverage))
    rights += [Rights(version * 100 + 50 + key, release_id=key) for key in releases if rare() < 0.4]
    starts = datetime(2026, 4, dice.randint(1, 20), dice.randrange(24), 15, tzinfo=UTC)
    return Subject(
        version,
        version,
        tuple(rights),
        below,
        embargoes=(Embargo(1, starts, starts + timedelta(hours=dice.randrange(90))),) if rare() < 0.1 else (),
        takedowns=(Takedown(1, dice.choice(tuple(TakedownStatus))),) if rare() < 0.05 else (),
        exclusivities=(_exclusivity(dice),) if rare() < 0.1 else (),
        held=rare() < 0.05,
    )


def _exclusivity(dice: Random) -> Exclusivity:
    rare = dice.random
    return Exclusivity(
        1,
        _often(dice, ExclusivityDirection.OUTGOING, (ExclusivityDirection.INCOMING,)),
        holder_org_id=dice.choice((1, 2, 2)),
        channels=("web",) if rare() < 0.5 else (),
        territories=tuple(dice.sample(_PLACES, 2)) if rare() < 0.6 else (),
        industries=("FOOD",) if rare() < 0.3 else (),
        starts_on=_day(dice, 20) if rare() < 0.5 else None,
        ends_on=_day(dice, 50) if rare() < 0.5 else None,
        zone=dice.choice(ZONES),
    )


def _quantities(dice: Random) -> tuple[Quantity, ...]:
    units = (CapUnit.COPIES, CapUnit.IMPRESSIONS, CapUnit.PLACEMENTS, CapUnit.SEATS)
    return tuple(Quantity(unit, dice.randint(1, dice.choice((40, 60, 130)))) for unit in units if dice.random() < 0.6)


def _size(dice: Random) -> Size:
    return Size(dice.choice((2_500, 5_000)), None, dice.choice((None, None, 500)))


def _day(dice: Random, around: int) -> date:
    """Some day near the one that is so many days in."""
    return (
        FROM + timedelta(days=around - 8 + dice.randrange(16))
        if around < 40
        else FROM + timedelta(days=dice.randrange(60))
    )


def _often(dice: Random, usual: T, others: Sequence[T], chance: float = 0.8) -> T:
    return usual if dice.random() < chance else dice.choice(others)
