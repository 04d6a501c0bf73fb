"""Reservations whose time is over are given up; what runs until its licence or a release ends is told of and withdrawn,
and exclusivity that was promised to us is told of before it ends.
"""

from __future__ import annotations

from datetime import timedelta

from domain.usage import ending, reserving, watching
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
    """Some hundred at a time, each time in a transaction of its own; uses first, then exclusivity."""
    for pass_over in (ending.pass_over, watching.pass_over):
        beyond: int | None = 0
        while beyond is not None:
            tools.tick()
            with tools.writing() as work:
                beyond = pass_over(work, beyond)
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
