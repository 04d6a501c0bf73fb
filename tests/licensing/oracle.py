"""The rights decision by brute force: each day of each window in each territory, grant by grant, in plain loops.

It shares only the words with the engine. Days are compared by the quarters of an hour that they are made of; groups and
channels are written out; nothing is remembered but those quarters.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from domain.licensing.terms import Facts, Grant, License, Release, Request, Subject
from tests.licensing import oracle_bars, oracle_days

ORDER = ["DENIED", "UNKNOWN", "NEEDS_APPROVAL", "ALLOWED_WITH_DUTIES", "ALLOWED"]

Problem = tuple[str, str, str | None]  # severity, code, missing


@dataclass(frozen=True)
class Answer:
    outcome: str
    allowed: tuple[str, ...]
    denied: tuple[str, ...]
    window: tuple[date, date] | None
    #: Component, code, licence, grant, release: of all that fails, but for where.
    reasons: frozenset[tuple[object, ...]]
    #: Component and territory where some grant of a clause that fails there does not reach.
    nowhere: frozenset[tuple[object, ...]]
    missing: frozenset[str]


def answer(facts: Facts, request: Request) -> Answer:
    days = list(oracle_days.days_of(request.window.first, request.window.last))
    places = sorted(oracle_days.written_out(facts, request.territories, days[0]))
    ranks = {place: rank(facts, request, days, place) for place in places}
    allowed = tuple(place for place in places if ranks[place] >= 3)
    denied = tuple(place for place in places if ranks[place] < 3)
    worst = min(ranks.values())
    if request.partial:
        worst = min(ranks[place] for place in allowed) if allowed else max(ranks.values())
    reasons, nowhere, missing = _told(facts, request, days, places)
    return Answer(ORDER[worst], allowed, denied, _window(facts, request, days, places), reasons, nowhere, missing)


def rank(facts: Facts, request: Request, days: list[date], place: str) -> int:
    found = 4
    for version in all_parts(facts, facts.version_id):
        subject = facts.subjects[version]
        for severity, _, _, _, _, _ in oracle_bars.bars(facts, subject, request, days, place):
            found = min(found, _severity(severity))
        for clause in clauses(facts, subject):
            found = min(found, clause_rank(facts, clause, request, days, place))
    return found


def passes(facts: Facts, request: Request) -> bool:
    days = list(oracle_days.days_of(request.window.first, request.window.last))
    return all(
        rank(facts, request, days, place) >= 3 for place in oracle_days.written_out(facts, request.territories, days[0])
    )


def _window(facts: Facts, request: Request, days: list[date], places: list[str]) -> tuple[date, date] | None:
    """All windows within the window, the longest first, of equals the earliest."""
    for length in range(len(days), 0, -1):
        for start in range(len(days) - length + 1):
            part = days[start : start + length]
            if all(rank(facts, request, part, place) >= 3 for place in places):
                return part[0], part[-1]
    return None


def _told(
    facts: Facts, request: Request, days: list[date], places: list[str]
) -> tuple[frozenset[tuple[object, ...]], frozenset[tuple[object, ...]], frozenset[str]]:
    reasons: set[tuple[object, ...]] = set()
    nowhere: set[tuple[object, ...]] = set()
    missing: set[str] = set()
    for version in all_parts(facts, facts.version_id):
        subject = facts.subjects[version]
        part = None if version == facts.version_id else version
        for place in places:
            for _, code, left, license_id, grant_id, release_id in oracle_bars.bars(
                facts, subject, request, days, place
            ):
                reasons.add((part, code, license_id, grant_id, release_id))
                missing |= {left} if left else set()
            for clause in clauses(facts, subject):
                if clause_rank(facts, clause, request, days, place) >= 3:
                    continue
                for terms, grant in clause:
                    of_release = isinstance(terms, Release)
                    for _, code, left in _problems(facts, terms, grant, request, days):
                        name = "RELEASE_LIMITED" if of_release else code
                        license_id = None if terms is None or of_release else terms.id
                        release_id = terms.id if isinstance(terms, Release) else None
                        reasons.add((part, name, license_id, None if grant is None else grant.id, release_id))
                        missing |= {left} if left else set()
                    if grant is not None and not _reaches(facts, terms, grant, days, place):
                        nowhere.add((part, place))
    return frozenset(reasons), frozenset(nowhere), frozenset(missing)


Option = tuple[License | Release | None, Grant | None]


def clauses(facts: Facts, subject: Subject) -> Iterator[list[Option]]:
    whole: set[int] = set()
    for rights in subject.rights:
        if rights.license_id is not None and rights.coverage == "WHOLE":
            whole.add(rights.license_id)
    options: list[Option] = []
    for key in whole:
        options += _of(facts.licenses[key])
    yield options or [(None, None)]
    for key in {one.license_id for one in subject.rights if one.coverage == "COMPONENT" and one.license_id is not None}:
        yield _of(facts.licenses[key])
    for key in {one.release_id for one in subject.rights if one.release_id is not None}:
        release = facts.releases[key]
        if release.status == "UNLIMITED":
            yield [(release, None)]
        elif release.status == "LIMITED":
            yield _of(release)


def _of(terms: License | Release) -> list[Option]:
    permits: list[Option] = [(terms, grant) for grant in terms.grants if grant.effect == "PERMIT"]
    if isinstance(terms, License) and terms.kind == "UNKNOWN":
        return [(terms, None)]
    return permits or [(terms, None)]


def clause_rank(facts: Facts, clause: list[Option], request: Request, days: list[date], place: str) -> int:
    best = 0
    for terms, grant in clause:
        if isinstance(terms, Release) and request.purpose not in {None, "COMMERCIAL"}:
            return 4
        if grant is not None and not _reaches(facts, terms, grant, days, place):
            continue
        worst = 4
        if grant is not None and any(
            duty.kind != "APPROVAL_BY" and (not duty.actions or request.action in duty.actions) for duty in grant.duties
        ):
            worst = 3
        for severity, _, _ in _problems(facts, terms, grant, request, days):
            worst = min(worst, _severity(severity))
        best = max(best, worst)
    return best


def _problems(
    facts: Facts, terms: License | Release | None, grant: Grant | None, request: Request, days: list[date]
) -> Iterator[Problem]:
    if terms is None:
        yield "DENY", "NO_LICENSE", None
        return
    if isinstance(terms, License):
        yield from _license_problems(terms, request)
        if terms.kind == "UNKNOWN":
            yield "UNKNOWN", "NO_LICENSE", "LICENSE_UNKNOWN"
            return
        if grant is None and not terms.free_text:
            yield "DENY", "ACTION_NOT_GRANTED", None
    elif grant is None and terms.status == "LIMITED":
        yield "DENY", "RELEASE_LIMITED", None
    inside = [_whole_day_in(terms, grant, request.zone, day) for day in days]
    if not all(inside):
        yield "DENY", _when(terms, grant, request.zone, days), None
    if grant is not None:
        yield from _grant_problems(facts, terms, grant, request, days)


def _license_problems(terms: License, request: Request) -> Iterator[Problem]:
    if terms.status != "ACTIVE":
        yield "DENY", "LICENSE_NOT_ACTIVE", None
    everybody = terms.licensee_org_id is None or terms.sublicensable
    if not everybody and request.party not in {terms.licensee_org_id, *terms.end_user_org_ids}:
        yield "DENY", "PARTY_NOT_LICENSED", None
    if terms.seats is not None and len({*terms.seat_org_ids, request.party}) > max(
        terms.seats, len(terms.seat_org_ids)
    ):
        yield "DENY", "SEATS_EXHAUSTED", None
    if request.action == "SUBLICENSE" and not terms.sublicensable:
        yield "DENY", "ACTION_NOT_GRANTED", None
    if terms.free_text:
        yield "APPROVAL", "FREE_TEXT_CONSTRAINT", None


def _grant_problems(
    facts: Facts, terms: License | Release, grant: Grant, request: Request, days: list[date]
) -> Iterator[Problem]:
    learning = request.action.startswith("AI_")
    if request.action not in grant.actions and ("ANY" not in grant.actions or learning):
        yield "DENY", "AI_USE_FORBIDDEN" if learning else "ACTION_NOT_GRANTED", None
    if not oracle_days.has_channel(grant.channels, request.channel):
        yield "DENY", "CHANNEL_NOT_GRANTED", None
    if grant.purposes and request.purpose is None:
        yield "UNKNOWN", "PURPOSE_FORBIDDEN", "PURPOSE_NOT_GIVEN"
    elif grant.purposes and request.purpose not in grant.purposes:
        yield "DENY", "PURPOSE_FORBIDDEN", None
    for name in ("industry", "language", "audience", "placement", "product"):
        listed, said = oracle_days.context(grant, request, name)
        if listed and said is None:
            yield "UNKNOWN", "CONTEXT_NOT_GRANTED", f"{name.upper()}_NOT_GIVEN"
        elif listed and not any(oracle_days.is_under(said, word, name) for word in listed):
            yield "DENY", "CONTEXT_NOT_GRANTED", None
    yield from _picture_problems(grant, request)
    yield from _cap_problems(facts, terms, grant, request, days)


def _picture_problems(grant: Grant, request: Request) -> Iterator[Problem]:
    if grant.alterations and any(one not in grant.alterations for one in request.alterations):
        yield "DENY", "ALTERATION_FORBIDDEN", None
    if grant.max_size is not None:
        for name in ("page_share", "long_edge_mm", "long_edge_px"):
            most = getattr(grant.max_size, name)
            size = None if request.size is None else getattr(request.size, name)
            if most is not None and size is None:
                yield "UNKNOWN", "SIZE_EXCEEDED", "SIZE_NOT_GIVEN"
            elif most is not None and size > most:
                yield "DENY", "SIZE_EXCEEDED", None
    for duty in grant.duties:
        if duty.kind == "APPROVAL_BY" and (not duty.actions or request.action in duty.actions):
            yield "APPROVAL", "APPROVAL_REQUIRED", None


def _cap_problems(
    facts: Facts, terms: License | Release, grant: Grant, request: Request, days: list[date]
) -> Iterator[Problem]:
    for cap in grant.caps:
        amounts = [one.amount for one in request.quantities if one.unit == cap.unit]
        if not amounts:
            if counts(str(cap.unit), request.channel):
                yield "UNKNOWN", "CAP_EXCEEDED", "QUANTITY_NOT_GIVEN"
            continue
        fullest = 0
        for used in cap.used:
            if any(in_period(cap.per, used.starts_on, terms.zone, request.zone, day) for day in days):
                fullest = max(fullest, used.used + used.reserved)
        if fullest + amounts[0] * times(facts, terms) > cap.limit:
            yield "DENY", "CAP_EXCEEDED", None


def counts(unit: str, channel: str) -> bool:
    """Whether what is asked for there is counted in this unit, also where it does not say how many."""
    branch = channel.split(".", maxsplit=1)[0]
    on_paper = branch in {"print", "press", "editorial", "packaging", "merchandise", "direct"}
    on_screen = branch in {"web", "social", "email"}
    return {"COPIES": on_paper, "IMPRESSIONS": on_screen, "PLACEMENTS": True, "SEATS": False}[unit]


def times(facts: Facts, terms: License | Release) -> int:
    """How often a use counts: once for each version that the licence covers."""
    if isinstance(terms, Release):
        return 1
    found = 0
    for version in all_parts(facts, facts.version_id):
        found += any(rights.license_id == terms.id for rights in facts.subjects[version].rights)
    return found


def in_period(per: str, first: date | None, zone: str, asked: str | None, day: date) -> bool:
    if first is None or per == "TOTAL":
        return True
    for local in oracle_days.dates_in(zone, asked, day):
        if per == "YEAR" and local.year == first.year and local >= first:
            return True
        if per == "MONTH" and (local.year, local.month) == (first.year, first.month) and local >= first:
            return True
        if per == "DAY" and local == first:
            return True
    return False


def _reaches(facts: Facts, terms: License | Release | None, grant: Grant, days: list[date], place: str) -> bool:
    """On each day, as groups are then where the terms name no day for them."""
    assert terms is not None
    for day in days:
        as_of = terms.groups_as_of or terms.starts_on or grant.starts_on or day
        if not oracle_days.lies_in(place, oracle_days.written_out(facts, grant.territories, as_of)):
            return False
        if oracle_days.has_part_in(place, oracle_days.written_out(facts, grant.territories_except, as_of)):
            return False
    return True


def _when(terms: License | Release, grant: Grant | None, asked: str | None, days: list[date]) -> str:
    """Over, if each moment is after the last day; not begun, if each is before the first one."""
    locals_ = [local for day in days for local in oracle_days.dates_in(terms.zone, asked, day)]
    lasts = [one.ends_on for one in (terms, grant) if one is not None and one.ends_on is not None]
    firsts = [one.starts_on for one in (terms, grant) if one is not None and one.starts_on is not None]
    if lasts and firsts and min(lasts) < max(firsts):
        return "EXPIRED"
    if lasts and all(local > min(lasts) for local in locals_):
        return "EXPIRED"
    if firsts and all(local < max(firsts) for local in locals_):
        return "NOT_STARTED"
    return "WINDOW_EXCEEDS_GRANT"


def _whole_day_in(terms: License | Release, grant: Grant | None, asked: str | None, day: date) -> bool:
    return all(oracle_days.in_both(terms, grant, local) for local in oracle_days.dates_in(terms.zone, asked, day))


def all_parts(facts: Facts, version: int) -> set[int]:
    found = {version}
    for part in facts.subjects[version].components:
        found |= all_parts(facts, part.version_id)
    return found


def _severity(name: str) -> int:
    return ["DENY", "UNKNOWN", "APPROVAL"].index(name)
