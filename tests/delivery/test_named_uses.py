"""What a named use counts, however often and by however many it is asked for."""

from __future__ import annotations

from datetime import date
from functools import partial

from domain.delivery import deciding
from domain.delivery.leave import Leave
from domain.hub import Hub
from domain.licensing.codes import Action, CapUnit
from domain.licensing.terms import Quantity, Request, Window
from domain.work import Viewer
from tests.assets.together import together
from tests.delivery.licensed import FLYERS, Licensed


def test_of_a_use_that_is_asked_for_twice_at_once_both_decisions_count_as_one(hub: Hub, admin: Viewer) -> None:
    flyer = Licensed(hub, admin, {"grants": [FLYERS]})
    window, quantities = Window(date(2026, 1, 1), date(2026, 12, 31)), (Quantity(CapUnit.COPIES, 400),)

    def drafts() -> list[deciding.Draft]:
        with flyer.hub.reading(flyer.partner) as work:
            use = Request(Action.PRINT, "print.flyer", ("DE",), window, flyer.south, work.now, quantities=quantities)
            return deciding.of(work, [flyer.version.id], use)[1]

    def keep(made: list[deciding.Draft]) -> Leave:
        with flyer.hub.writing(flyer.partner) as work:
            return deciding.keep(work, made)[flyer.version.id]

    first, second = together([partial(keep, each) for each in (drafts(), drafts())])
    assert first.use_id == second.use_id == min(first.decision_id or 0, second.decision_id or 0)
    assert first.decision_id != second.decision_id
