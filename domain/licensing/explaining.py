"""Why a use does not pass: every dimension that fails, of every grant that might have carried it, in one stable order.

What carries is not spoken of. A reason without a territory is about all that were asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Final

from domain.licensing import spans
from domain.licensing.clearing import Cleared
from domain.licensing.codes import Dimension, Missing, ReasonCode, Severity
from domain.licensing.passing import PASSES, RANK, Ask, Bar, Clause, Option
from domain.licensing.spans import Span
from domain.licensing.terms import License, Reason
from domain.licensing.weighing import Failure

#: Of a clause with more grants it is not said of each in which territories it does not reach: others do.
TOLD_ALL: Final = 40


def reasons(
    cleared: Cleared, ask: Ask, version_id: int, window: Span
) -> tuple[tuple[Reason, ...], tuple[Missing, ...]]:
    """Sorted and without repeats, with what would have to be known."""
    found: dict[Reason, None] = {}
    missing: set[Missing] = set()
    for reason, failure in _told(cleared, ask, version_id, window):
        found[reason] = None
        if failure is not None and failure.missing is not None:
            missing.add(failure.missing)
    for reason in _of_components(list(found)):
        found[reason] = None
    return tuple(sorted(found, key=_order)), tuple(sorted(missing))


def term(first: date | None, last: date | None, zone: str | None) -> str:
    return f"{first or ''}..{last or ''} {zone or ''}".rstrip()


def _told(cleared: Cleared, ask: Ask, version_id: int, window: Span) -> Iterator[tuple[Reason, Failure | None]]:
    for bar in cleared.bars:
        if bar.places and spans.overlaps(bar.span, window):
            yield from _of_bar(bar, ask, version_id)
    for clause in cleared.clauses:
        failing = ask.everywhere & ~clause.carried(window, PASSES)
        if failing:
            for reason, failure in _of_clause(clause, failing, ask, window):
                yield _of(reason, clause.version_id, version_id), failure


def _of_bar(bar: Bar, ask: Ask, version_id: int) -> Iterator[tuple[Reason, Failure | None]]:
    failure = bar.failure
    for place in _where(bar.places, ask):
        reason = Reason(
            failure.code, failure.severity, failure.dimension, place, bar.license_id, bar.grant_id, bar.release_id,
            expected=failure.expected, actual=failure.actual,
        )  # fmt: skip
        yield _of(reason, bar.version_id, version_id), failure


def _of_clause(clause: Clause, failing: int, ask: Ask, window: Span) -> Iterator[tuple[Reason, Failure | None]]:
    anywhere, each_told = 0, len(clause.options) <= TOLD_ALL
    for option in clause.options:
        anywhere |= option.reached(window) | (option.excepted(window) if each_told else 0)
        for failure in option.failures:
            yield _reason(option, failure, clause), failure
        for failure in _untimely(option, ask, window):
            yield _reason(option, failure, clause), failure
    for option in clause.options if each_told else ():
        excepted = option.excepted(window)
        for code, places in (
            (ReasonCode.TERRITORY_EXCLUDED, excepted & failing),
            (ReasonCode.TERRITORY_NOT_GRANTED, anywhere & failing & ~option.reached(window) & ~excepted),
        ):
            for place in _where(places, ask):
                yield _reason(option, Failure(code, Dimension.TERRITORY), clause, place), None
    # Where no grant reaches at all, it is said once, not of each.
    alone = clause.options[0] if len(clause.options) == 1 else None
    for place in _where(failing & ~anywhere, ask):
        yield _reason(alone, Failure(ReasonCode.TERRITORY_NOT_GRANTED, Dimension.TERRITORY), clause, place), None


def _untimely(option: Option, ask: Ask, window: Span) -> Iterator[Failure]:
    if not spans.contains(option.span, window):
        first, last = _dates(option)
        asked = ask.request.window
        yield Failure(
            _when(option.touches, window),
            Dimension.WINDOW,
            expected=term(first, last, option.terms.zone if option.terms else ask.request.zone),
            actual=term(asked.first, asked.last, ask.request.zone),
        )
    for one in option.counted:
        if one.is_full(window):
            left = one.balance(window).remaining
            yield Failure(
                ReasonCode.CAP_EXCEEDED, Dimension.QUANTITY, expected=f"{left} {one.cap.unit}", actual=str(one.needed)
            )


def _when(touches: Span, window: Span) -> ReasonCode:
    if window[0] > touches[1]:
        return ReasonCode.EXPIRED
    return ReasonCode.NOT_STARTED if window[1] < touches[0] else ReasonCode.WINDOW_EXCEEDS_GRANT


def _dates(option: Option) -> tuple[date | None, date | None]:
    firsts = [one.starts_on for one in (option.grant, option.terms) if one is not None and one.starts_on is not None]
    lasts = [one.ends_on for one in (option.grant, option.terms) if one is not None and one.ends_on is not None]
    return max(firsts, default=None), min(lasts, default=None)


def _reason(option: Option | None, failure: Failure, clause: Clause, place: str | None = None) -> Reason:
    terms = None if option is None else option.terms
    return Reason(
        failure.code if clause.release_id is None else ReasonCode.RELEASE_LIMITED,
        failure.severity,
        failure.dimension,
        place,
        terms.id if isinstance(terms, License) else None,
        None if option is None or option.grant is None else option.grant.id,
        clause.release_id,
        expected=failure.expected,
        actual=failure.actual,
    )


def _of(reason: Reason, at: int, version_id: int) -> Reason:
    """The same, of a part, where it is one."""
    if at == version_id:
        return reason
    return Reason(
        reason.code, reason.severity, reason.dimension, reason.territory, reason.license_id, reason.grant_id,
        reason.release_id, at, reason.expected, reason.actual,
    )  # fmt: skip


def _of_components(found: Iterable[Reason]) -> Iterator[Reason]:
    worst: dict[int, Severity] = {}
    for reason in found:
        if reason.component is not None:
            so_far = worst.get(reason.component, Severity.APPROVAL)
            worst[reason.component] = min(so_far, reason.severity, key=RANK.__getitem__)
    for component, severity in worst.items():
        yield Reason(ReasonCode.COMPONENT_DENIED, severity, Dimension.COMPONENT, component=component)


def _where(places: int, ask: Ask) -> Iterator[str | None]:
    if places == ask.everywhere:
        yield None
        return
    for at, place in enumerate(ask.places):
        if places >> at & 1:
            yield place


def _order(reason: Reason) -> tuple[str | int, ...]:
    return (
        reason.component or 0,
        reason.code,
        reason.dimension,
        reason.territory or "",
        reason.license_id or 0,
        reason.grant_id or 0,
        reason.release_id or 0,
        reason.severity,
        reason.expected or "",
        reason.actual or "",
    )
