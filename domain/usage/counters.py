"""What is left of caps: locked, read as it stands, and divided into what one use takes of each.

Whoever counts against caps locks them in the order of their ids, before anything is decided by them: of many at once
each sees what the one before took.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final

import sqlalchemy as sa

from domain.licensing import reading, spans
from domain.licensing.codes import CapPer
from domain.licensing.terms import Cap, Decision, Facts, Grant, License, Release, Request
from domain.refusals import Invalid
from domain.work import Work
from storage.tables import GrantCapRow

#: Periods of one cap that one use may touch: more than a year of days.
MAX_PERIODS: Final = 400
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True)
class Part:
    """What a use takes of one grant; of a cap in one of its periods where `cap` is there."""

    version_id: int
    license_id: int | None
    grant_id: int
    cap: Cap | None = None
    period: date | None = None
    quantity: int = 0


def lock(work: Work, cap_ids: Iterable[int]) -> None:
    """Until the transaction ends, in the order of ids. SQLite's writers are alone already."""
    rows = sa.select(GrantCapRow).where(GrantCapRow.id.in_(set(cap_ids))).order_by(GrantCapRow.id)
    work.session.scalars(rows.with_for_update(key_share=True).execution_options(populate_existing=True)).all()


def caps_of(facts: Facts) -> dict[int, Cap]:
    """Every cap that a decision on these facts may look at."""
    return {cap.id: cap for _, grant in _grants(facts) for cap in grant.caps}


def counted(work: Work, facts: Facts, but: Mapping[tuple[int, date | None], int] | None = None) -> Facts:
    """The same facts with what caps have given away as it stands now. `but`: without these reservations, by cap and
    period.
    """
    spared = but or {}
    used = {
        cap_id: tuple(replace(each, reserved=each.reserved - spared.get((cap_id, each.starts_on), 0)) for each in spent)
        for cap_id, spent in reading.used(work, sorted(caps_of(facts))).items()
    }

    def told(grant: Grant) -> Grant:
        return replace(grant, caps=tuple(replace(cap, used=used[cap.id]) for cap in grant.caps))

    return replace(
        facts,
        licenses={id_: replace(each, grants=tuple(map(told, each.grants))) for id_, each in facts.licenses.items()},
        releases={id_: replace(each, grants=tuple(map(told, each.grants))) for id_, each in facts.releases.items()},
    )


def parts(facts: Facts, request: Request, decision: Decision) -> list[Part]:
    """What the use takes of the grants that carry it; `Invalid` where it touches too many periods of a cap."""
    grants = {grant.id: (terms, grant) for terms, grant in _grants(facts)}
    needed = {each.cap_id: each.remaining - each.after for each in decision.remaining if each.after is not None}
    found: dict[tuple[int, int], list[Part]] = {}
    for basis in decision.basis:
        if basis.grant_id is None:
            continue
        terms, grant = grants[basis.grant_id]
        license_id = terms.id if isinstance(terms, License) else None
        plain = Part(basis.version_id, license_id, grant.id)
        counting = [cap for cap in grant.caps if cap.id in needed]
        if not counting:
            found.setdefault((grant.id, basis.version_id), [plain])
        for cap in counting:  # once, whatever it is of: what is needed is of all versions together
            taken = replace(plain, cap=cap, quantity=needed[cap.id])
            each = [replace(taken, period=period) for period in _periods(cap, request, terms.zone)]
            found.setdefault((grant.id, -cap.id), each)
    return [part for key in sorted(found) for part in found[key]]


def _grants(facts: Facts) -> Iterator[tuple[License | Release, Grant]]:
    holders: list[License | Release] = [*facts.licenses.values(), *facts.releases.values()]
    for terms in holders:
        for grant in terms.grants:
            yield terms, grant


def _periods(cap: Cap, request: Request, zone: str) -> list[date | None]:
    """First days of the periods that the use touches, in the licence's zone; [None] of a cap that never begins anew."""
    if cap.per == CapPer.TOTAL:
        return [None]
    first, last = spans.touching(request.window.first, request.window.last, request.zone or zone, zone)
    found: list[date | None] = []
    day = _first_of(cap.per, date.fromordinal(first))
    while day.toordinal() <= last:
        if len(found) >= MAX_PERIODS:
            raise Invalid(f"The window touches more than {MAX_PERIODS} periods of a cap.", ("window",), "length")
        found.append(day)
        day = _next(cap.per, day)
    return found


def _first_of(per: CapPer, day: date) -> date:
    if per == CapPer.DAY:
        return day
    return day.replace(day=1) if per == CapPer.MONTH else date(day.year, 1, 1)


def _next(per: CapPer, day: date) -> date:
    if per == CapPer.DAY:
        return day + _DAY
    return _first_of(per, day + timedelta(days=31 if per == CapPer.MONTH else 366))
