"""How a use counts against caps: what is left, in which periods of its window, and where it does not fit.

A use counts with its whole quantity, once for each version that the licence covers, in every period that it touches.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from domain.licensing import spans, uses
from domain.licensing.codes import CapPer, CapUnit, Dimension, Missing, ReasonCode, Severity
from domain.licensing.spans import ALWAYS, Span
from domain.licensing.terms import Cap, CapBalance, Request, Used
from domain.licensing.weighing import Failure


@dataclass(frozen=True, slots=True)
class Counted:
    """A cap that the use counts against. `needed` is None where the use does not say how many."""

    cap: Cap
    needed: int | None
    #: The days of each period of which something is used, and how much is left in it.
    periods: tuple[tuple[Span, Used], ...]

    @property
    def failures(self) -> tuple[Failure, ...]:
        """Why it fits in no period at all."""
        expected = f"{self.cap.limit} {self.cap.unit} per {self.cap.per}"
        if self.needed is None:
            left = Missing.QUANTITY_NOT_GIVEN
            return (Failure(ReasonCode.CAP_EXCEEDED, Dimension.QUANTITY, Severity.UNKNOWN, expected, missing=left),)
        if self.needed > self.cap.limit:
            actual = str(self.needed)
            return (Failure(ReasonCode.CAP_EXCEEDED, Dimension.QUANTITY, expected=expected, actual=actual),)
        return ()

    def full(self) -> Iterator[Span]:
        """The days of the periods that it does not fit into, though it would if they were empty."""
        if self.needed is not None and self.needed <= self.cap.limit:
            for span, used in self.periods:
                if used.used + used.reserved + self.needed > self.cap.limit:
                    yield span

    def is_full(self, window: Span) -> bool:
        return any(spans.overlaps(span, window) for span in self.full())

    def balance(self, window: Span) -> CapBalance:
        """In the fullest period that the window touches."""
        touched = [used for span, used in self.periods if spans.overlaps(span, window)]
        fullest = max(touched, key=lambda one: (one.used + one.reserved, one.used), default=Used(None, 0, 0))
        left = self.cap.limit - fullest.used - fullest.reserved
        after = None if self.needed is None else left - self.needed
        cap = self.cap
        return CapBalance(cap.id, cap.unit, cap.limit, fullest.used, fullest.reserved, left, after)


def counted(caps: Iterable[Cap], request: Request, times: int, zone: str) -> Iterator[Counted]:
    """Those of the caps that the use counts against. Seats are given, not used up: they count when it is for some."""
    for cap in caps:
        amount = _amount(cap.unit, request)
        if amount is None and (cap.unit == CapUnit.SEATS or not uses.counts(cap.unit, request.channel)):
            continue
        needed = None if amount is None else amount * times
        yield Counted(cap, needed, tuple((_period(cap.per, used, zone, request.zone), used) for used in cap.used))


def _amount(unit: CapUnit, request: Request) -> int | None:
    return next((quantity.amount for quantity in request.quantities if quantity.unit == unit), None)


def _period(per: CapPer, used: Used, zone: str, asked: str | None) -> Span:
    if per == CapPer.TOTAL or used.starts_on is None:
        return ALWAYS
    return spans.touching(used.starts_on, _last(per, used.starts_on), zone, asked)


def _last(per: CapPer, first: date) -> date:
    if per == CapPer.DAY:
        return first
    if per == CapPer.MONTH:
        return (first.replace(day=1) + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    return date(first.year, 12, 31)
