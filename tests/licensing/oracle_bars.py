"""What stands in the way of a use, as the oracle sees it: all that forbids it in one territory on some of its days."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from domain.licensing.terms import Exclusivity, Facts, Grant, License, Release, Request, Subject
from tests.licensing import oracle_days

Barred = tuple[str, str, str | None, int | None, int | None, int | None]


def bars(facts: Facts, subject: Subject, request: Request, days: list[date], place: str) -> Iterator[Barred]:
    for takedown in subject.takedowns:
        if takedown.status in {"OPEN", "ENFORCED"}:
            yield "DENY", "TAKEDOWN", None, None, None, None
    for embargo in subject.embargoes:
        if any(
            oracle_days.between(moment, embargo.starts_at, embargo.ends_at)
            for day in days
            for moment in oracle_days.quarters(request.zone, day)
        ):
            yield "DENY", "EMBARGO", None, None, None, None
    if subject.held:
        yield "APPROVAL", "LEGAL_HOLD", None, None, None, None
    for one in subject.exclusivities:
        if _is_exclusive(facts, one, request, days, place):
            yield "DENY", "EXCLUSIVITY_CONFLICT", None, None, None, None
    for key in {rights.license_id for rights in subject.rights if rights.license_id is not None}:
        terms = facts.licenses[key]
        if terms.status not in {"DRAFT", "TERMINATED"}:
            for grant, code in _met(facts, terms, request, days, place):
                yield "DENY", code, None, terms.id, grant.id, None
    if request.purpose in {None, "COMMERCIAL"}:
        yield from _release_bars(facts, subject, request, days, place)


def _release_bars(facts: Facts, subject: Subject, request: Request, days: list[date], place: str) -> Iterator[Barred]:
    releases = [facts.releases[key] for key in {one.release_id for one in subject.rights if one.release_id is not None}]
    for release in releases:
        if release.status == "NON":
            yield "DENY", "RELEASE_MISSING", None, None, None, release.id
        if release.revoked_at is not None and any(
            moment + oracle_days.QUARTER > release.revoked_at
            for day in days
            for moment in oracle_days.quarters(request.zone, day)
        ):
            yield "DENY", "RELEASE_REVOKED", None, None, None, release.id
        if release.kind == "MINOR" or release.minor_age in {"AG-A17", "AG-A16", "AG-A15", "AG-U14"}:
            if not release.guardian:
                yield "DENY", "MINOR_RESTRICTED", "GUARDIAN_UNKNOWN", None, None, release.id
            if request.industry is None:
                yield "UNKNOWN", "MINOR_RESTRICTED", "INDUSTRY_NOT_GIVEN", None, None, release.id
            elif request.industry in {"ALCOHOL", "BETTING", "TOBACCO"}:
                yield "DENY", "MINOR_RESTRICTED", None, None, None, release.id
        for grant, code in _met(facts, release, request, days, place):
            yield "DENY", code, None, None, grant.id, release.id
    for said, kinds, missing in (
        ([one.people for one in subject.rights], {"MODEL", "MINOR", "TALENT"}, "RELEASE_STATUS_UNKNOWN"),
        ([one.property for one in subject.rights], {"PROPERTY", "TRADEMARK", "ARTWORK"}, "PROPERTY_STATUS_UNKNOWN"),
    ):
        if not any(release.kind in kinds for release in releases):
            if True in said:
                yield "DENY", "RELEASE_MISSING", None, None, None, None
            elif False not in said:
                yield "APPROVAL", "RELEASE_MISSING", missing, None, None, None


def _is_exclusive(facts: Facts, one: Exclusivity, request: Request, days: list[date], place: str) -> bool:
    if one.direction != "OUTGOING" or one.holder_org_id == request.party:
        return False
    if one.channels and not oracle_days.has_channel(one.channels, request.channel):
        return False
    if one.industries and request.industry is not None and request.industry not in one.industries:
        return False
    for at in days:
        area = oracle_days.written_out(
            facts, one.territories or ("WORLDWIDE",), one.groups_as_of or one.starts_on or at
        )
        if oracle_days.has_part_in(place, area) and any(
            oracle_days.in_term(one.starts_on, one.ends_on, local)
            for local in oracle_days.dates_in(one.zone, request.zone, at)
        ):
            return True
    return False


def _met(
    facts: Facts, terms: License | Release, request: Request, days: list[date], place: str
) -> Iterator[tuple[Grant, str]]:
    for grant in terms.grants:
        if grant.effect != "PROHIBIT" or not _meets(grant, request):
            continue
        for at in days:
            as_of = terms.groups_as_of or terms.starts_on or grant.starts_on or at
            excepted = oracle_days.written_out(facts, grant.territories_except, as_of)
            left = {
                code
                for code in oracle_days.written_out(facts, grant.territories, as_of)
                if not oracle_days.lies_in(code, excepted)
            }
            if oracle_days.lies_in(place, excepted) or not oracle_days.has_part_in(place, left):
                continue
            if any(
                oracle_days.in_both(terms, grant, local) for local in oracle_days.dates_in(terms.zone, request.zone, at)
            ):
                yield grant, _name(grant, request)
                break


def _meets(grant: Grant, request: Request) -> bool:
    if request.action not in grant.actions and "ANY" not in grant.actions:
        return False
    if not oracle_days.has_channel(grant.channels, request.channel):
        return False
    if grant.purposes and request.purpose is not None and request.purpose not in grant.purposes:
        return False
    if grant.alterations and not any(one in grant.alterations for one in request.alterations):
        return False
    for name in ("industry", "language", "audience", "placement", "product"):
        listed, said = oracle_days.context(grant, request, name)
        if listed and said is not None:
            either = [
                oracle_days.is_under(said, word, name) or oracle_days.is_under(word, said, name) for word in listed
            ]
            if not any(either):
                return False
    return True


def _name(grant: Grant, request: Request) -> str:
    if request.action.startswith("AI_") and request.action in grant.actions:
        return "AI_USE_FORBIDDEN"
    if grant.alterations:
        return "ALTERATION_FORBIDDEN"
    return "PURPOSE_FORBIDDEN" if grant.purposes else "PROHIBITED"
