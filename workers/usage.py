"""Reservations whose time is over are given up, and what runs until its licence ends is told of and withdrawn."""

from __future__ import annotations

from datetime import timedelta

from domain.usage import ending, reserving
from domain.usage.messages import PassOverUsages, TimeOutReservations
from domain.work import Work
from storage.jobs import Claimed
from workers.registry import Chore, Handler, Tools, Write


def time_out_reservations(tools: Tools, _job: Claimed) -> Write:
    """A hundred at a time, each time in a transaction of its own."""
    done = reserving.AT_ONCE
    while done == reserving.AT_ONCE:
        tools.tick()
        with tools.writing() as work:
            done = reserving.time_out(work)
    return _nothing_more


def pass_over_usages(tools: Tools, _job: Claimed) -> Write:
    """Some hundred at a time, each time in a transaction of its own."""
    beyond: int | None = 0
    while beyond is not None:
        tools.tick()
        with tools.writing() as work:
            beyond = ending.pass_over(work, beyond)
    return _nothing_more


def _nothing_more(_work: Work) -> None: ...


HANDLERS: dict[str, Handler] = {
    TimeOutReservations.kind: time_out_reservations,
    PassOverUsages.kind: pass_over_usages,
}
CHORES = (
    Chore("time_out_reservations", timedelta(minutes=1), TimeOutReservations()),
    Chore("pass_over_usages", timedelta(hours=1), PassOverUsages()),
)
