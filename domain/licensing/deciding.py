"""The decision: may this version be used so, there, all that time, by them; what is owed for it, and why not.

Pure: nothing is read but the facts and the request, nothing is written, no clock is asked. Equal facts and requests
give equal decisions. Nothing is allowed but what a grant carries as a whole; whatever forbids wins.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from domain.licensing import alternatives, clearing, explaining, policy, spans, standing, territories, uses, weighing
from domain.licensing.clearing import Cleared
from domain.licensing.codes import Dimension
from domain.licensing.passing import RANKS, Ask, Clause, Option
from domain.licensing.spans import Span
from domain.licensing.terms import (
    Basis,
    CapBalance,
    Decision,
    DueDuty,
    Facts,
    License,
    Release,
    Request,
    TerritoryGroup,
    Window,
)
from domain.refusals import Invalid

#: Of one use, in one unit.
MAX_QUANTITY = 10**15


def decide(facts: Facts, request: Request, *, proposing: bool = True) -> Decision:
    """Refused are uses that say nothing that can be decided: unknown codes, a window that ends before it starts.

    With `partial` the outcome is that of the places that pass, if any do; without, that of all places together. Unless
    `proposing`, nobody looks for what would pass instead.
    """
    groups = territories.all_groups(facts.groups)
    ask, window = asked(request, groups)
    versions = clearing.subjects(facts, facts.version_id)
    ask = replace(ask, shares=clearing.shares(versions))
    cleared = clearing.cleared(facts, versions, ask)
    stands = standing.of(cleared, ask.everywhere, window)
    part = window if stands.passing == ask.everywhere else standing.largest(cleared, ask.everywhere, window)
    reasons, missing = explaining.reasons(cleared, ask, facts.version_id, window)
    used = _used(cleared, window, stands.passing)
    return Decision(
        outcome=RANKS[_rank(stands, ask, partial=request.partial)],
        allowed_territories=alternatives.named(ask, stands.passing),
        denied_territories=alternatives.named(ask, ask.everywhere & ~stands.passing),
        allowed_window=None if part is None else alternatives.dates(part),
        remaining=_balances(cleared, window),
        duties=_duties(used, request),
        reasons=reasons,
        missing=missing,
        alternatives=()
        if stands.passing == ask.everywhere or not proposing
        else alternatives.proposed(facts, versions, ask, cleared, window, part, reasons),
        basis=_basis(used, ask),
        policy_digest=policy.digest(facts, versions, groups),
        epoch=facts.epoch,
        valid_until=_valid_until(used, request),
        evaluated_at=request.as_of,
    )


def asked(request: Request, groups: Mapping[str, TerritoryGroup]) -> tuple[Ask, Span]:
    """The use with its places written out as of its first day, and its days; refused as `decide` refuses."""
    _check_window(request.window)
    if request.zone is not None:
        spans.zone(request.zone)
    uses.leaf(request.channel)
    _check_quantities(request)
    places = tuple(sorted(territories.expanded(request.territories, request.window.first, groups)))
    if not places:
        raise Invalid("Say where: name at least one territory that is one on the first day.", ("territories",), "empty")
    return Ask(request, places, groups, {}), (request.window.first.toordinal(), request.window.last.toordinal())


def _check_window(window: Window) -> None:
    if window.last < window.first:
        raise Invalid("The window ends before it starts.", ("window",), "order")
    if window.first.year < spans.FIRST_YEAR or window.last.year > spans.LAST_YEAR:
        raise Invalid(
            f"The window lies in the years from {spans.FIRST_YEAR} to {spans.LAST_YEAR}.", ("window",), "range"
        )


def _check_quantities(request: Request) -> None:
    units = [quantity.unit for quantity in request.quantities]
    if len(set(units)) != len(units):
        raise Invalid("Say once how many there are of each unit.", ("quantity",), "unique")
    if any(not 0 < quantity.amount <= MAX_QUANTITY for quantity in request.quantities):
        raise Invalid(f"A quantity is from 1 to {MAX_QUANTITY}.", ("quantity", "amount"), "range")


def _rank(stands: standing.Standing, ask: Ask, *, partial: bool) -> int:
    if not partial:
        return stands.worst(ask.everywhere)
    return stands.worst(stands.passing) if stands.passing else stands.best(ask.everywhere)


@dataclass(frozen=True, slots=True)
class _Use:
    """What one option carries of the use."""

    clause: Clause
    option: Option
    places: int


def _used(cleared: Cleared, window: Span, places: int) -> list[_Use]:
    return [
        _Use(clause, option, carried)
        for clause in cleared.clauses
        for option, carried in standing.chosen(clause, window, places)
    ]


def _balances(cleared: Cleared, window: Span) -> tuple[CapBalance, ...]:
    """Of every cap that stands in a grant for this channel and action, by id."""
    found = {}
    for clause in cleared.clauses:
        for option in clause.options:
            if not any(failure.dimension in {Dimension.ACTION, Dimension.CHANNEL} for failure in option.failures):
                found.update({one.cap.id: one.balance(window) for one in option.counted})
    return tuple(found[key] for key in sorted(found))


def _duties(used: Iterable[_Use], request: Request) -> tuple[DueDuty, ...]:
    found = set()
    for use in used:
        grant, terms = use.option.grant, use.option.terms
        if grant is not None and grant.duties:
            license_id = terms.id if isinstance(terms, License) else None
            found |= {
                DueDuty(duty.kind, duty.parameter, license_id, grant.id, use.clause.version_id)
                for duty in weighing.owed(grant, request.action)
            }
    return tuple(
        sorted(
            found, key=lambda one: (one.version_id, one.kind, one.parameter or "", one.license_id or 0, one.grant_id)
        )
    )


def _basis(used: Iterable[_Use], ask: Ask) -> tuple[Basis, ...]:
    found = [
        Basis(
            use.clause.version_id,
            alternatives.named(ask, use.places),
            None if use.option.grant is None else use.option.grant.id,
            use.option.terms.id if isinstance(use.option.terms, License) else None,
            use.option.terms.id if isinstance(use.option.terms, Release) else None,
        )
        for use in used
    ]
    return tuple(
        sorted(found, key=lambda one: (one.version_id, one.license_id or 0, one.release_id or 0, one.grant_id or 0))
    )


def _valid_until(used: Iterable[_Use], request: Request) -> datetime:
    """The end of the window, or of the first of the terms that carry it; never before it was asked."""
    found = []
    for use in used:
        terms = use.option.terms
        assert terms is not None
        found.append(spans.ends(request.window.last, request.zone or terms.zone))
        lasts = [one.ends_on for one in (use.option.grant, terms) if one is not None and one.ends_on is not None]
        found += [spans.ends(spans.clamped(last), terms.zone) for last in lasts]
    return max(min(found, default=spans.ends(request.window.last, request.zone or "UTC")), request.as_of)
