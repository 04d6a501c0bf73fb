"""What would pass where a use does not: each was decided like the use itself, with one thing changed.

A licence that could be bought is the exception: what it will allow is decided once it is there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date

from domain.licensing import clearing, standing
from domain.licensing.clearing import Cleared
from domain.licensing.codes import AlternativeKind, LicenseKind, ReasonCode, Severity
from domain.licensing.passing import Ask
from domain.licensing.spans import Span
from domain.licensing.terms import Alternative, Facts, Quantity, Reason, Request, Subject, Window

#: Other pictures that are proposed at once, and tried for it.
MAX_OTHERS = 3
_TRIED = 12


def proposed(
    facts: Facts,
    versions: list[Subject],
    ask: Ask,
    cleared: Cleared,
    window: Span,
    part: Span | None,
    reasons: tuple[Reason, ...],
) -> tuple[Alternative, ...]:
    """Sorted by kind: less time, fewer places, fewer copies, two uses, unaltered, another picture, a wider licence."""
    passes = _decided(facts, window)
    codes = {reason.code for reason in reasons}
    found = list(_of_time(ask, cleared, window, part))
    found += _of_places(ask, cleared, window)
    if ReasonCode.CAP_EXCEEDED in codes:
        found += _fewer(ask, cleared, versions, passes)
        found += _wider(facts, reasons)
    if ReasonCode.ALTERATION_FORBIDDEN in codes and passes(versions, _with(ask, replace(ask.request, alterations=()))):
        found.append(Alternative(AlternativeKind.WITHOUT_ALTERATIONS))
    found += _others(facts, ask, passes)
    return tuple(sorted(found, key=lambda one: (one.kind, one.version_id or 0, one.license_id or 0)))


Passes = Callable[[list[Subject], Ask], bool]


def _decided(facts: Facts, window: Span) -> Passes:
    def passes(versions: list[Subject], ask: Ask) -> bool:
        return standing.passes(clearing.cleared(facts, versions, ask), ask.everywhere, window)

    return passes


def _of_time(ask: Ask, cleared: Cleared, window: Span, part: Span | None) -> Iterator[Alternative]:
    if part is not None and part != window:
        yield Alternative(AlternativeKind.WINDOW, windows=(dates(part),))
        two = standing.in_two(cleared, ask.everywhere, window)
        if two is not None:
            yield Alternative(AlternativeKind.TWO_USAGES, windows=(dates(two[0]), dates(two[1])))


def _of_places(ask: Ask, cleared: Cleared, window: Span) -> Iterator[Alternative]:
    passing = standing.of(cleared, ask.everywhere, window).passing
    if passing and passing != ask.everywhere:
        yield Alternative(AlternativeKind.TERRITORIES, territories=named(ask, passing))


def _fewer(ask: Ask, cleared: Cleared, versions: list[Subject], passes: Passes) -> Iterator[Alternative]:
    """The most that passes, of each unit that the use says too many of."""
    for quantity in ask.request.quantities:
        for amount in _amounts(cleared, quantity):
            fewer = Quantity(quantity.unit, amount)
            others = tuple(one for one in ask.request.quantities if one.unit != quantity.unit)
            if passes(versions, _with(ask, replace(ask.request, quantities=(*others, fewer)))):
                yield Alternative(AlternativeKind.QUANTITY, quantity=fewer)
                break


def _amounts(cleared: Cleared, quantity: Quantity) -> list[int]:
    """What is left of any cap in any of its periods, per version that it counts for: nothing else can be the most."""
    found: set[int] = set()
    for clause in cleared.clauses:
        for option in clause.options:
            for one in option.counted:
                if one.cap.unit == quantity.unit and one.needed:
                    times = one.needed // quantity.amount
                    left = {one.cap.limit, *(one.cap.limit - used.used - used.reserved for _, used in one.periods)}
                    found |= {amount // times for amount in left}
    return sorted((amount for amount in found if 0 < amount < quantity.amount), reverse=True)


def _wider(facts: Facts, reasons: tuple[Reason, ...]) -> Iterator[Alternative]:
    full = {
        reason.license_id
        for reason in reasons
        if reason.code == ReasonCode.CAP_EXCEEDED and reason.severity == Severity.DENY and reason.license_id is not None
    }
    for license_id in sorted(full):
        if facts.licenses[license_id].kind == LicenseKind.ROYALTY_FREE:
            yield Alternative(AlternativeKind.BUY_EXTENDED, license_id=license_id)


def _others(facts: Facts, ask: Ask, passes: Passes) -> Iterator[Alternative]:
    found = 0
    for version_id in facts.twins[:_TRIED]:
        versions = clearing.subjects(facts, version_id)
        if found < MAX_OTHERS and passes(versions, replace(ask, shares=clearing.shares(versions))):
            found += 1
            yield Alternative(AlternativeKind.OTHER_ASSET, version_id=version_id)


def _with(ask: Ask, request: Request) -> Ask:
    return replace(ask, request=request)


def named(ask: Ask, places: int) -> tuple[str, ...]:
    """The codes of the places."""
    return tuple(place for at, place in enumerate(ask.places) if places >> at & 1)


def dates(span: Span) -> Window:
    return Window(date.fromordinal(span[0]), date.fromordinal(span[1]))
