"""What a use that passes owes and rests on, what is left of caps, and how long it holds: by the oracle's own loops."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from domain.licensing.terms import Cap, Facts, Grant, License, Release, Request
from tests.licensing import oracle, oracle_days

#: What is chosen for one place of one version.
Chosen = tuple[int, str, License | Release, Grant | None]


@dataclass(frozen=True)
class Owed:
    #: Version, places, grant, licence, release.
    basis: tuple[tuple[object, ...], ...]
    #: Version, kind, parameter, licence, grant.
    duties: frozenset[tuple[object, ...]]
    #: Cap, unit, limit, used, reserved, remaining, after.
    remaining: tuple[tuple[object, ...], ...]
    valid_until: datetime


def owed(facts: Facts, request: Request, allowed: tuple[str, ...]) -> Owed:
    days = list(oracle_days.days_of(request.window.first, request.window.last))
    chosen = list(_chosen(facts, request, days, allowed))
    return Owed(
        _basis(chosen),
        frozenset(_duties(chosen, request)),
        tuple(_remaining(facts, request, days)),
        _until(chosen, request, days),
    )


def _chosen(facts: Facts, request: Request, days: list[date], allowed: tuple[str, ...]) -> Iterator[list[Chosen]]:
    """Of each clause what carries each place: what owes nothing before what owes, then by the smallest numbers."""
    for version in sorted(oracle.all_parts(facts, facts.version_id)):
        for clause in oracle.clauses(facts, facts.subjects[version]):
            if isinstance(clause[0][0], Release) and request.purpose not in {None, "COMMERCIAL"}:
                continue
            found: list[Chosen] = []
            for place in allowed:
                best = None
                for terms, grant in clause:
                    rank = oracle.clause_rank(facts, [(terms, grant)], request, days, place)
                    key = (-rank, 0 if terms is None else terms.id, 0 if grant is None else grant.id)
                    if rank >= 3 and terms is not None and (best is None or key < best[0]):
                        best = key, terms, grant
                assert best is not None, "what passes is carried"
                found.append((version, place, best[1], best[2]))
            yield found


def _basis(chosen: list[list[Chosen]]) -> tuple[tuple[object, ...], ...]:
    found = []
    for clause in chosen:
        places: dict[tuple[int, int, int, int], list[str]] = {}
        for version, place, terms, grant in clause:
            of_license = isinstance(terms, License)
            key = (version, terms.id if of_license else 0, 0 if of_license else terms.id, grant.id if grant else 0)
            places.setdefault(key, []).append(place)
        found += [(key, tuple(sorted(some))) for key, some in places.items()]
    return tuple(
        (version, places, grant or None, license_ or None, release or None)
        for (version, license_, release, grant), places in sorted(found)
    )


def _duties(chosen: list[list[Chosen]], request: Request) -> Iterator[tuple[object, ...]]:
    for clause in chosen:
        for version, _, terms, grant in clause:
            for duty in () if grant is None else grant.duties:
                if duty.kind != "APPROVAL_BY" and (not duty.actions or request.action in duty.actions):
                    license_id = terms.id if isinstance(terms, License) else None
                    yield version, str(duty.kind), duty.parameter, license_id, grant.id if grant else None


def _remaining(facts: Facts, request: Request, days: list[date]) -> Iterator[tuple[object, ...]]:
    found: dict[int, tuple[object, ...]] = {}
    for version in oracle.all_parts(facts, facts.version_id):
        for clause in oracle.clauses(facts, facts.subjects[version]):
            for terms, grant in clause:
                if terms is None or grant is None or not _is_for_it(terms, grant, request):
                    continue
                for cap in grant.caps:
                    balance = _balance(facts, terms, cap, request, days)
                    found |= {} if balance is None else {cap.id: balance}
    for key in sorted(found):
        yield found[key]


def _is_for_it(terms: License | Release, grant: Grant, request: Request) -> bool:
    """Whether a grant is for this channel and action."""
    if isinstance(terms, Release) and request.purpose not in {None, "COMMERCIAL"}:
        return False
    if isinstance(terms, License) and request.action == "SUBLICENSE" and not terms.sublicensable:
        return False
    if request.action not in grant.actions and ("ANY" not in grant.actions or request.action.startswith("AI_")):
        return False
    return oracle_days.has_channel(grant.channels, request.channel)


def _balance(
    facts: Facts, terms: License | Release, cap: Cap, request: Request, days: list[date]
) -> tuple[object, ...] | None:
    needed = None
    for one in request.quantities:
        if one.unit == cap.unit:
            needed = one.amount * oracle.times(facts, terms)
    if needed is None and not oracle.counts(str(cap.unit), request.channel):
        return None
    used = reserved = 0
    for each in cap.used:
        inside = any(oracle.in_period(cap.per, each.starts_on, terms.zone, request.zone, day) for day in days)
        if inside and (each.used + each.reserved, each.used) > (used + reserved, used):
            used, reserved = each.used, each.reserved
    left = cap.limit - used - reserved
    return cap.id, str(cap.unit), cap.limit, used, reserved, left, None if needed is None else left - needed


def _until(chosen: list[list[Chosen]], request: Request, days: list[date]) -> datetime:
    """The first moment after the window, or after a day on which something that carries it ends."""
    found = []
    for clause in chosen:
        for _, _, terms, grant in clause:
            found.append(oracle_days.after(request.zone or terms.zone, days[-1]))
            lasts = [one.ends_on for one in (terms, grant) if one is not None and one.ends_on is not None]
            # What ends later than all days that are known here ends after the window.
            found += [oracle_days.after(terms.zone, last) for last in lasts if last <= oracle_days.LAST]
    return max(min(found, default=oracle_days.after(request.zone or "UTC", days[-1])), request.as_of)
