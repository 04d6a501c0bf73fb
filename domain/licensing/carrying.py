"""What would carry a use: every grant of every licence and release of a version, and how far each reaches."""

from __future__ import annotations

from collections.abc import Iterator

from domain.licensing import passing, spans, weighing
from domain.licensing.codes import (
    Coverage,
    Dimension,
    Effect,
    LicenseKind,
    Missing,
    ReasonCode,
    ReleaseStatus,
    Severity,
)
from domain.licensing.counting import counted
from domain.licensing.passing import FREE, PASSES, RANK, Ask, Clause, Option
from domain.licensing.spans import ALWAYS, Span
from domain.licensing.terms import Facts, Grant, License, Release, Subject
from domain.licensing.weighing import Failure


def clauses(facts: Facts, subject: Subject, ask: Ask) -> Iterator[Clause]:
    whole: dict[int, License] = {}
    parts: dict[int, License] = {}
    for rights in subject.rights:
        if rights.license_id is not None:
            held = whole if rights.coverage == Coverage.WHOLE else parts
            held[rights.license_id] = facts.licenses[rights.license_id]
    options = [option for key in sorted(whole) for option in _of_license(whole[key], ask)]
    yield Clause(subject.version_id, tuple(options or [_nothing(ask, ReasonCode.NO_LICENSE)]))
    for key in sorted(parts):
        yield Clause(subject.version_id, tuple(_of_license(parts[key], ask)))
    if passing.may_be_commercial(ask.request):
        for release in passing.releases(facts, subject):
            options = list(_of_release(release, ask))
            if options:
                yield Clause(subject.version_id, tuple(options), release.id)


def _of_license(terms: License, ask: Ask) -> Iterator[Option]:
    failures = weighing.of_license(terms, ask.request)
    if terms.kind == LicenseKind.UNKNOWN:
        unknown = Failure(ReasonCode.NO_LICENSE, Dimension.LICENSE, Severity.UNKNOWN, missing=Missing.LICENSE_UNKNOWN)
        yield _whole((*failures, unknown), ALWAYS, ALWAYS, ask, terms)
        return
    permits = [grant for grant in terms.grants if grant.effect == Effect.PERMIT]
    for grant in permits:
        yield _option(grant, terms, failures + weighing.of_grant(grant, ask.request), ask)
    if not permits:
        # What only words say, somebody has to read; where there are none it grants nothing.
        none = () if terms.free_text else (Failure(ReasonCode.ACTION_NOT_GRANTED, Dimension.LICENSE),)
        yield _bare(terms, (*failures, *none), ask)


def _of_release(release: Release, ask: Ask) -> Iterator[Option]:
    if release.status == ReleaseStatus.UNLIMITED:
        yield _bare(release, (), ask)
    if release.status != ReleaseStatus.LIMITED:
        return
    permits = [grant for grant in release.grants if grant.effect == Effect.PERMIT]
    for grant in permits:
        yield _option(grant, release, weighing.of_grant(grant, ask.request), ask)
    if not permits:
        yield _bare(release, (Failure(ReasonCode.RELEASE_LIMITED, Dimension.RELEASE),), ask)


def _option(grant: Grant, terms: License | Release, failures: tuple[Failure, ...], ask: Ask) -> Option:
    times = ask.shares.get(terms.id, 1) if isinstance(terms, License) else 1
    caps = tuple(counted(grant.caps, ask.request, times, terms.zone)) if grant.caps else ()
    failures += tuple(failure for one in caps for failure in one.failures)
    span, touches = passing.term(grant, terms, ask.request.zone)
    rank = _rank(failures, duties=any(weighing.owed(grant, ask.request.action)))
    return Option(rank, passing.granted(grant, terms, ask), span, touches, failures, caps, grant, terms)


def _bare(terms: License | Release, failures: tuple[Failure, ...], ask: Ask) -> Option:
    """What carries, or fails, as a whole: no grant says where or how."""
    span = spans.within(terms.starts_on, terms.ends_on, terms.zone, ask.request.zone)
    touches = spans.touching(terms.starts_on, terms.ends_on, terms.zone, ask.request.zone)
    return _whole(failures, span, touches, ask, terms)


def _nothing(ask: Ask, code: ReasonCode) -> Option:
    return _whole((Failure(code, Dimension.LICENSE),), ALWAYS, ALWAYS, ask)


def _whole(
    failures: tuple[Failure, ...], span: Span, touches: Span, ask: Ask, terms: License | Release | None = None
) -> Option:
    return Option(_rank(failures), passing.everywhere(ask), span, touches, failures, terms=terms)


def _rank(failures: tuple[Failure, ...], *, duties: bool = False) -> int:
    return min((RANK[failure.severity] for failure in failures), default=PASSES if duties else FREE)
