"""What stands in the way of a use whatever allows it: takedowns, embargoes, holds, prohibitions, what others were
given alone, and people who have not agreed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from domain.licensing import passing, spans, territories, uses, weighing
from domain.licensing.codes import (
    OF_PEOPLE,
    UNDER_AGE,
    WORLDWIDE,
    Dimension,
    Effect,
    ExclusivityDirection,
    LicenseStatus,
    Missing,
    ReasonCode,
    ReleaseKind,
    ReleaseStatus,
    Severity,
    TakedownStatus,
)
from domain.licensing.passing import Ask, Bar
from domain.licensing.terms import Exclusivity, Facts, License, Release, Request, Subject
from domain.licensing.weighing import Failure

#: What a picture of somebody under age never advertises.
BARRED_FOR_MINORS: Final = frozenset(
    {"ADULT", "ALCOHOL", "BETTING", "CANNABIS", "DATING", "GAMBLING", "TOBACCO", "WEAPONS"}
)


def bars(facts: Facts, subject: Subject, ask: Ask) -> Iterator[Bar]:
    at, everywhere = subject.version_id, ask.everywhere
    for takedown in subject.takedowns:
        if takedown.status != TakedownStatus.LIFTED:
            yield Bar(at, Failure(ReasonCode.TAKEDOWN, Dimension.TAKEDOWN), everywhere)
    for embargo in subject.embargoes:
        span = spans.meeting(embargo.starts_at, embargo.ends_at, ask.request.zone)
        until = None if embargo.ends_at is None else embargo.ends_at.isoformat()
        yield Bar(at, Failure(ReasonCode.EMBARGO, Dimension.EMBARGO, expected=until), everywhere, span)
    if subject.held:
        yield Bar(at, Failure(ReasonCode.LEGAL_HOLD, Dimension.HOLD, Severity.APPROVAL), everywhere)
    for exclusivity in subject.exclusivities:
        if _conflicts(exclusivity, ask.request):
            yield from _exclusive(at, exclusivity, ask)
    for license_id in sorted({rights.license_id for rights in subject.rights if rights.license_id is not None}):
        terms = facts.licenses[license_id]
        if terms.status in {LicenseStatus.ACTIVE, LicenseStatus.SUSPENDED}:
            yield from _prohibitions(at, terms, ask)
    if passing.may_be_commercial(ask.request):
        yield from _release_bars(facts, subject, ask)


def _prohibitions(at: int, terms: License | Release, ask: Ask) -> Iterator[Bar]:
    of_license = isinstance(terms, License)
    for grant in terms.grants:
        if grant.effect == Effect.PROHIBIT and weighing.met(grant, ask.request):
            failure = Failure(*weighing.forbidding(grant, ask.request.action))
            term = passing.term(grant, terms, ask.request.zone)[1]
            of = (grant.id, terms.id if of_license else None, None if of_license else terms.id)
            for span, places in passing.forbidden(grant, terms, ask):
                yield Bar(at, failure, places, spans.common(term, span), *of)


def _conflicts(exclusivity: Exclusivity, request: Request) -> bool:
    return (
        exclusivity.direction == ExclusivityDirection.OUTGOING
        and exclusivity.holder_org_id != request.party
        and (not exclusivity.channels or uses.covers(exclusivity.channels, request.channel))
        and (not exclusivity.industries or request.industry is None or request.industry in exclusivity.industries)
    )


def _exclusive(at: int, exclusivity: Exclusivity, ask: Ask) -> Iterator[Bar]:
    day = exclusivity.groups_as_of or exclusivity.starts_on
    areas = territories.meant(exclusivity.territories or (WORLDWIDE,), (), day, ask.groups)
    term = spans.touching(exclusivity.starts_on, exclusivity.ends_on, exclusivity.zone, ask.request.zone)
    failure = Failure(ReasonCode.EXCLUSIVITY_CONFLICT, Dimension.EXCLUSIVITY, actual=str(ask.request.party))
    for span, places in passing.forbidding(areas, ask):
        yield Bar(at, failure, places, spans.common(term, span))


def _release_bars(facts: Facts, subject: Subject, ask: Ask) -> Iterator[Bar]:
    at, everywhere = subject.version_id, ask.everywhere
    releases = passing.releases(facts, subject)
    for release in releases:
        if release.status == ReleaseStatus.NON:
            failure = Failure(ReasonCode.RELEASE_MISSING, Dimension.RELEASE)
            yield Bar(at, failure, everywhere, release_id=release.id)
        if release.revoked_at is not None:
            span = spans.meeting(release.revoked_at, None, ask.request.zone)
            failure = Failure(ReasonCode.RELEASE_REVOKED, Dimension.RELEASE, actual=release.revoked_at.isoformat())
            yield Bar(at, failure, everywhere, span, release_id=release.id)
        for failure in _minor(release, ask.request):
            yield Bar(at, failure, everywhere, release_id=release.id)
        yield from _prohibitions(at, release, ask)
    for seen, of_people, missing in (
        (_seen(rights.people for rights in subject.rights), True, Missing.RELEASE_STATUS_UNKNOWN),
        (_seen(rights.property for rights in subject.rights), False, Missing.PROPERTY_STATUS_UNKNOWN),
    ):
        if seen is not False and not any((release.kind in OF_PEOPLE) == of_people for release in releases):
            severity = Severity.DENY if seen else Severity.APPROVAL
            kind = ReleaseKind.MODEL if of_people else ReleaseKind.PROPERTY
            unknown = None if seen else missing
            yield Bar(
                at,
                Failure(ReasonCode.RELEASE_MISSING, Dimension.RELEASE, severity, kind.value, None, unknown),
                everywhere,
            )


def _minor(release: Release, request: Request) -> Iterator[Failure]:
    if release.kind != ReleaseKind.MINOR and release.minor_age not in UNDER_AGE:
        return
    if not release.guardian:
        yield Failure(ReasonCode.MINOR_RESTRICTED, Dimension.RELEASE, missing=Missing.GUARDIAN_UNKNOWN)
    if request.industry is None or request.industry in BARRED_FOR_MINORS:
        left = request.industry is None
        severity = Severity.UNKNOWN if left else Severity.DENY
        missing = Missing.INDUSTRY_NOT_GIVEN if left else None
        yield Failure(
            ReasonCode.MINOR_RESTRICTED, Dimension.INDUSTRY, severity, actual=request.industry, missing=missing
        )


def _seen(said: Iterable[bool | None]) -> bool | None:
    """One who sees somebody is enough; else one who looked and saw nobody."""
    known = {one for one in said if one is not None}
    return any(known) if known else None
