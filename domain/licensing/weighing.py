"""One grant against one use: in which dimensions it does not carry it, and whether a prohibition meets it.

Nothing here asks when or where, which `clearing` does for all grants at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from domain.licensing import uses
from domain.licensing.codes import (
    AI_ACTIONS,
    ANY,
    Action,
    Alteration,
    Dimension,
    DutyKind,
    LicenseStatus,
    Missing,
    ReasonCode,
    Severity,
)
from domain.licensing.terms import Duty, Grant, License, Request, Size


@dataclass(frozen=True, slots=True)
class Failure:
    """A dimension in which a grant does not carry the use, and what would have to be known, if that is why."""

    code: ReasonCode
    dimension: Dimension
    severity: Severity = Severity.DENY
    expected: str | None = None
    actual: str | None = None
    missing: Missing | None = None


def of_license(terms: License, request: Request) -> tuple[Failure, ...]:
    """What keeps all of the licence's grants from carrying the use, but for dates and places."""
    return tuple(_of_license(terms, request))


def of_grant(grant: Grant, request: Request) -> tuple[Failure, ...]:
    """In which dimensions a PERMIT does not carry the use, but for dates, places and caps."""
    found: list[Failure] = []
    if not permits(grant, request.action):
        code = ReasonCode.AI_USE_FORBIDDEN if request.action in AI_ACTIONS else ReasonCode.ACTION_NOT_GRANTED
        found.append(Failure(code, Dimension.ACTION, expected=_words(grant.actions), actual=request.action))
    if not uses.covers(grant.channels, request.channel):
        expected = _words(grant.channels)
        found.append(
            Failure(ReasonCode.CHANNEL_NOT_GRANTED, Dimension.CHANNEL, expected=expected, actual=request.channel)
        )
    if grant.purposes:
        found += _purpose(grant, request)
    if grant.products or grant.industries or grant.languages or grant.audiences or grant.placements:
        found += _contexts(grant, request)
    if grant.alterations and request.alterations:
        found += _alterations(grant, request)
    if grant.max_size is not None:
        found += _size(grant.max_size, request.size or Size())
    if grant.duties:
        found += _approvals(grant, request)
    return tuple(found)


def permits(grant: Grant, action: Action) -> bool:
    """Whether a PERMIT names the action. `ANY` does not say the two uses by machines that learn."""
    return action in grant.actions or (ANY in grant.actions and action not in AI_ACTIONS)


def met(grant: Grant, request: Request) -> bool:
    """Whether a PROHIBIT meets the use in every dimension but dates and places. What a use leaves open may be met."""
    return (
        (ANY in grant.actions or request.action in grant.actions)
        and uses.covers(grant.channels, request.channel)
        and (not grant.purposes or request.purpose is None or request.purpose in grant.purposes)
        and (not grant.alterations or not set(grant.alterations).isdisjoint(request.alterations))
        and all(_may_meet(listed, said, dimension) for dimension, _, listed, said in _said(grant, request))
    )


def forbidding(grant: Grant, action: Action) -> tuple[ReasonCode, Dimension]:
    """What a PROHIBIT that is met is called: by the narrowest thing that it is about."""
    if action in AI_ACTIONS and action in grant.actions:
        return ReasonCode.AI_USE_FORBIDDEN, Dimension.ACTION
    if grant.alterations:
        return ReasonCode.ALTERATION_FORBIDDEN, Dimension.ALTERATION
    if grant.purposes:
        return ReasonCode.PURPOSE_FORBIDDEN, Dimension.PURPOSE
    return ReasonCode.PROHIBITED, Dimension.CONSTRAINT


def owed(grant: Grant, action: Action) -> Iterator[Duty]:
    """The grant's duties that a use of this kind owes; an approval is no duty of a use but its condition."""
    for duty in grant.duties:
        if duty.kind != DutyKind.APPROVAL_BY and (not duty.actions or action in duty.actions):
            yield duty


def _of_license(terms: License, request: Request) -> Iterator[Failure]:
    if terms.status != LicenseStatus.ACTIVE:
        active, actual = LicenseStatus.ACTIVE.value, terms.status.value
        yield Failure(ReasonCode.LICENSE_NOT_ACTIVE, Dimension.LICENSE, expected=active, actual=actual)
    if not _may_use(terms, request.party):
        yield Failure(ReasonCode.PARTY_NOT_LICENSED, Dimension.PARTY, actual=str(request.party))
    if terms.seats is not None and request.party not in terms.seat_org_ids and len(terms.seat_org_ids) >= terms.seats:
        expected, actual = str(terms.seats), str(len(terms.seat_org_ids))
        yield Failure(ReasonCode.SEATS_EXHAUSTED, Dimension.SEATS, expected=expected, actual=actual)
    if request.action == Action.SUBLICENSE and not terms.sublicensable:
        yield Failure(ReasonCode.ACTION_NOT_GRANTED, Dimension.ACTION, actual=request.action.value)
    for words in terms.free_text:
        yield Failure(ReasonCode.FREE_TEXT_CONSTRAINT, Dimension.CONSTRAINT, Severity.APPROVAL, expected=words)


def _may_use(terms: License, party: int) -> bool:
    if terms.licensee_org_id is None or terms.sublicensable:
        return True
    return party == terms.licensee_org_id or party in terms.end_user_org_ids


def _purpose(grant: Grant, request: Request) -> Iterator[Failure]:
    if request.purpose not in grant.purposes:
        left = request.purpose is None
        yield Failure(
            ReasonCode.PURPOSE_FORBIDDEN,
            Dimension.PURPOSE,
            Severity.UNKNOWN if left else Severity.DENY,
            _words(grant.purposes),
            request.purpose,
            Missing.PURPOSE_NOT_GIVEN if left else None,
        )


def _contexts(grant: Grant, request: Request) -> Iterator[Failure]:
    for dimension, missing, listed, said in _said(grant, request):
        if not listed or (said is not None and _is_listed(listed, said, dimension)):
            continue
        yield Failure(
            ReasonCode.CONTEXT_NOT_GRANTED,
            dimension,
            Severity.UNKNOWN if said is None else Severity.DENY,
            _words(listed),
            None if said is None else str(said),
            missing if said is None else None,
        )


def _alterations(grant: Grant, request: Request) -> Iterator[Failure]:
    beyond = sorted(set(request.alterations) - set(grant.alterations) - {Alteration.NONE})
    if beyond:
        expected, actual = _words(grant.alterations), _words(beyond)
        yield Failure(ReasonCode.ALTERATION_FORBIDDEN, Dimension.ALTERATION, expected=expected, actual=actual)


def _size(limit: Size, said: Size) -> Iterator[Failure]:
    for most, size, unit in (
        (limit.page_share, said.page_share, "bp"),
        (limit.long_edge_mm, said.long_edge_mm, "mm"),
        (limit.long_edge_px, said.long_edge_px, "px"),
    ):
        if most is not None and (size is None or size > most):
            left = size is None
            yield Failure(
                ReasonCode.SIZE_EXCEEDED,
                Dimension.SIZE,
                Severity.UNKNOWN if left else Severity.DENY,
                f"{most} {unit}",
                None if left else f"{size} {unit}",
                Missing.SIZE_NOT_GIVEN if left else None,
            )


def _approvals(grant: Grant, request: Request) -> Iterator[Failure]:
    for duty in grant.duties:
        if duty.kind == DutyKind.APPROVAL_BY and (not duty.actions or request.action in duty.actions):
            yield Failure(ReasonCode.APPROVAL_REQUIRED, Dimension.APPROVAL, Severity.APPROVAL, expected=duty.parameter)


Context = tuple[Dimension, Missing, tuple[str | int, ...], str | int | None]


def _said(grant: Grant, request: Request) -> tuple[Context, ...]:
    return (
        (Dimension.PRODUCT, Missing.PRODUCT_NOT_GIVEN, grant.products, request.product),
        (Dimension.INDUSTRY, Missing.INDUSTRY_NOT_GIVEN, grant.industries, request.industry),
        (Dimension.LANGUAGE, Missing.LANGUAGE_NOT_GIVEN, grant.languages, request.language),
        (Dimension.AUDIENCE, Missing.AUDIENCE_NOT_GIVEN, grant.audiences, request.audience),
        (Dimension.PLACEMENT, Missing.PLACEMENT_NOT_GIVEN, grant.placements, request.placement),
    )


def _is_listed(listed: Iterable[str | int], said: str | int, dimension: Dimension) -> bool:
    if dimension == Dimension.LANGUAGE:
        return any(said == word or str(said).startswith(f"{word}-") for word in listed)
    return said in listed


def _may_meet(listed: Iterable[str | int], said: str | int | None, dimension: Dimension) -> bool:
    """A prohibition for Austrian German may meet whatever is said to be in German."""
    words = tuple(listed)
    if not words or said is None or _is_listed(words, said, dimension):
        return True
    return dimension == Dimension.LANGUAGE and any(str(word).startswith(f"{said}-") for word in words)


def _words(codes: Iterable[object]) -> str:
    return ", ".join(str(code) for code in codes)
