"""Random histories of reservations against a model that only adds: counters, phases and refusals agree throughout."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.hub import Hub
from domain.licensing.codes import CapUnit
from domain.licensing.terms import Quantity
from domain.refusals import Conflict
from domain.usage import reserving
from domain.usage.refusing import RightsDenied
from domain.work import HUB
from tests.asking import Client
from tests.lifecycle.turning import later
from tests.usage.using import Licensed, cap, counters, licensed, phases

LIMIT = 100
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("reserve"), st.integers(1, 70), st.integers(1, 48)),
        st.tuples(st.just("confirm"), st.integers(0, 5), st.integers(0, 120)),
        st.tuples(st.just("void"), st.integers(0, 5), st.just(0)),
        st.tuples(st.just("wait"), st.integers(1, 30), st.just(0)),
    ),
    max_size=14,
)


@dataclass
class Model:
    """What should be: per use its phase, what it has reserved or used, and the hour at which its time is over."""

    hour: int = 0
    uses: list[list[Any]] = field(default_factory=list)

    def taken(self) -> tuple[int, int]:
        used = sum(amount for phase, amount, _ in self.uses if phase == "ACTUAL")
        return used, sum(amount for phase, amount, _ in self.uses if phase == "RESERVED")

    def reserve(self, amount: int, hours: int) -> bool:
        if sum(self.taken()) + amount > LIMIT:
            return False
        self.uses.append(["RESERVED", amount, self.hour + hours])
        return True

    def confirm(self, place: int, amount: int) -> bool:
        phase, reserved, over = self.uses[place]
        if phase != "RESERVED" or over <= self.hour or (amount > reserved and self._others(reserved) + amount > LIMIT):
            return False
        self.uses[place][:2] = ["ACTUAL", amount]
        return True

    def void(self, place: int) -> bool:
        if self.uses[place][0] != "RESERVED":
            return False
        self.uses[place][0] = "VOID"
        return True

    def wait(self, hours: int) -> None:
        self.hour += hours
        for use in self.uses:
            if use[0] == "RESERVED" and use[2] <= self.hour:
                use[0] = "VOID"

    def _others(self, own: int) -> int:
        return sum(self.taken()) - own


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_whatever_is_done_the_counters_are_what_a_model_says(hub: Hub, client: Client, steps: list[Any]) -> None:
    number = len(phases(hub)) * 100 + next(_fresh)
    it = licensed(client, cap(LIMIT), number=number)
    before, model, ids = phases(hub), Model(), []
    for verb, first, second in steps:
        now = later(hub, hours=model.hour)
        if verb == "reserve":
            made = _reserved(it, now, first, second)
            assert (made is not None) == model.reserve(first, second)
            ids += [] if made is None else [made]
        elif verb == "wait":
            model.wait(first)
            with later(hub, hours=model.hour).writing(HUB) as work:
                reserving.time_out(work)
        elif first < len(ids):
            said = model.confirm(first, second) if verb == "confirm" else model.void(first)
            assert _resolved(it, now, verb, ids[first], second) == said, (verb, first, second)
        assert counters(hub, it.license_id) == [model.taken()]
    mine = [phase for phase, _, _ in model.uses]
    assert phases(hub)[len(before) :] == mine
    with later(hub, days=90).writing(HUB) as work:  # nothing is left for the next history
        reserving.time_out(work)


def _reserved(it: Licensed, now: Hub, amount: int, hours: int) -> int | None:
    try:
        return it.reserve(amount, hub=now, until=now.clock() + timedelta(hours=hours))
    except RightsDenied:
        return None


def _resolved(it: Licensed, now: Hub, verb: str, usage_id: int, amount: int) -> bool:
    try:
        if verb == "void":
            it.void(usage_id)
        else:
            it.confirm(usage_id, Quantity(CapUnit.COPIES, amount), hub=now)
    except (Conflict, RightsDenied):
        return False
    return True


_fresh = iter(range(1_000, 10**6))
