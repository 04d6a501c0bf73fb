"""What is remembered of uses: which reaches let them out."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import date, timedelta
from random import Random

import pytest
import sqlalchemy as sa

from domain.hub import Hub
from domain.licensing import compiled
from domain.licensing.compiled import verdicts
from domain.licensing.terms import Window
from domain.work import HUB, Viewer, Work
from storage.tables import DeliverablePartRow, DeliverableReachRow
from tests.licensing import listed
from tests.licensing.listed import World


@pytest.fixture
def world(hub: Hub, admin: Viewer) -> World:
    made = listed.laid_out(hub, admin, seed=1, cases=24)
    listed.compile_all(hub)
    return made


@pytest.mark.parametrize("further", [0, 1])
def test_where_a_database_was_put_back_to_what_it_was_everything_is_judged_anew(world: World, further: int) -> None:
    before, use = listed.used(world, Random(8))
    newest_one = len(before) - 1
    with world.hub.writing(HUB) as work:  # another one under its number
        part = sa.update(DeliverablePartRow).where(DeliverablePartRow.reach_id == newest_one)
        work.session.execute(part.values(uses=0).execution_options(synchronize_session=False))
        work.session.get_one(DeliverableReachRow, newest_one).digest = "0" * 64
        for number in range(newest_one, newest_one + further):
            _copy(work, number, number + 1)
    with world.hub.reading(world.administrator) as work:
        assert compiled.verdicts_of(work, use) == before[:-1] + b"\0" * (1 + further)


def test_of_many_uses_only_the_last_are_remembered(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verdicts, "MOST_BYTES", 8_192)
    with world.hub.reading(world.administrator) as work:
        for day in range(40):
            from_day = date(2026, 1, 1) + timedelta(days=day)
            use = compiled.wanted(work, replace(listed.use(Random(1), world.orgs), window=Window(from_day, from_day)))
            compiled.verdicts_of(work, use)
        kept = verdicts._memory(work)
        assert kept.find(use) is not None
        assert 0 < len(kept._judged) < 8


def test_what_was_judged_before_it_was_committed_is_judged_again(world: World) -> None:
    before, use = listed.used(world, Random(8))
    left, right = len(before), len(before) + 1
    with suppress(ZeroDivisionError), world.hub.writing(HUB) as work:
        _copy(work, left - 1, left)
        assert compiled.verdicts_of(work, use) == before + b"\1"
        raise ZeroDivisionError
    with world.hub.writing(HUB) as work:  # the same numbers, and one of which nothing is allowed
        _copy(work, left - 1, left, uses=0)
        _copy(work, left - 1, right)
    with world.hub.reading(world.administrator) as work:
        assert compiled.verdicts_of(work, use) == before + b"\0\1"


def _copy(work: Work, reach_id: int, to: int, **more: int) -> None:
    """Another reach of the same parts, but for `more`."""
    work.session.execute(sa.insert(DeliverableReachRow).values(id=to, digest=f"{to}{more}"))
    columns = [column for column in DeliverablePartRow.__table__.columns if column.name != "reach_id"]
    told = [sa.literal(more[column.name]) if column.name in more else column for column in columns]
    rows = sa.select(sa.literal(to), *told).where(DeliverablePartRow.reach_id == reach_id)
    names = ["reach_id", *(column.name for column in columns)]
    work.session.execute(sa.insert(DeliverablePartRow).from_select(names, rows))
