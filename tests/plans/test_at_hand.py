"""What keeps nobody waiting: read on a connection that is always open, broken off when it takes too long, never begun
where anything is to be put together first.
"""

from __future__ import annotations

import time

import pytest
import sqlalchemy as sa

from domain.global_ids import encode
from domain.hub import Hub
from domain.work import HUB
from schema import execution, plans
from schema.execution import Asked
from storage import at_hand, hurry, statements
from tests.asking import Client
from tests.assets import acts

ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"


#: PostgreSQL is asked over a network: nothing of it is at hand.
pytestmark = pytest.mark.parametrize("stores", ["sqlite+disk"], indirect=True)


@pytest.fixture
def near(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> Hub:
    assert hub.database.epochs.are_at_hand
    monkeypatch.setattr(at_hand, "MOST_SECONDS", 1.0)  # others have the processor as well
    monkeypatch.setattr(plans, "SLOW_SECONDS", 1.0)
    return hub


def read(hub: Hub, asked: Asked) -> bytes | None:
    found = execution.at_hand(hub, HUB, asked)
    answered = None if found is None else found.read(hub.database.epochs.now())
    return None if answered is None else answered.body


def test_a_question_is_at_hand_once_a_thread_has_answered_one_like_it(near: Hub, client: Client) -> None:
    ids = [acts.created(client, acts.picture(number))["id"] for number in range(2)]
    text = "query ($id: ID!) { asset(id: $id) { askedNowhereElse: id title } }"
    first, second = (Asked(text, variables={"id": each}) for each in ids)
    assert read(near, first) is None
    told = execution.answer(near, HUB, first, "test").body
    assert read(near, first) == told
    assert read(near, second) == execution.answer(near, HUB, second, "test").body


def test_it_reads_what_was_committed_last(near: Hub, client: Client) -> None:
    id_ = acts.created(client, acts.picture(1), title="before")["id"]
    asked = Asked(f'{{ asset(id: "{id_}") {{ title }} }}')
    execution.answer(near, HUB, asked, "test")
    assert b"before" in (read(near, asked) or b"")
    with near.writing(HUB) as work:
        work.session.execute(sa.text("UPDATE asset SET title = 'after'"))
    assert b"after" in (read(near, asked) or b"")


def test_what_has_no_plan_is_not_at_hand(near: Hub) -> None:
    asked = Asked('mutation { tagCreate(input: {name: "x"}) { errors { code } } }')
    execution.answer(near, HUB, asked, "test")
    assert execution.at_hand(near, HUB, asked) is None
    unknown = Asked(f'{{ asset(id: "{encode("Asset", 1)}") {{ history(first: 1) {{ totalCount }} }} }}')
    execution.answer(near, HUB, unknown, "test")
    assert execution.at_hand(near, HUB, unknown) is None


EMPTY: dict[str, object] = {}
LONG = {"AND": [{"AND": [EMPTY] * 990}] * 20}


def test_what_takes_long_to_understand_is_not_at_hand(near: Hub) -> None:
    """An empty object takes 0.09 ms to read: 20,000 in the variables, or 2,000 in the document, keep all waiting."""
    in_variables = "query ($n: Int, $where: AssetWhere) { assets(first: $n, where: $where) { nodes { id } } }"
    written = "{AND: [" + "{} " * 900 + "]}"
    in_text = f"query ($n: Int) {{ assets(first: $n, where: {{AND: [{written} {written}]}}) {{ nodes {{ id }} }} }}"
    for document, more in ((in_variables, {"where": LONG}), (in_text, {})):
        first = Asked(document, variables={"n": 1})
        assert execution.at_hand(near, HUB, first) is None  # nobody has read the document
        execution.answer(near, HUB, first, "test")
        assert execution.at_hand(near, HUB, Asked(document, variables={"n": 2, **more})) is None
    assert execution.at_hand(near, HUB, Asked(in_variables, variables={"n": 2})) is not None


def test_a_statement_that_goes_on_for_too_long_is_broken_off_and_the_next_is_answered(near: Hub) -> None:
    begun = time.perf_counter()
    with pytest.raises(hurry.TooLong), near.database.at_hand.opened() as connection:
        connection.execute(ENDLESS).fetchone()
    assert time.perf_counter() - begun >= at_hand.MOST_SECONDS
    with near.database.at_hand.opened() as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_whoever_comes_while_another_reads_waits_for_nothing(near: Hub) -> None:
    with near.database.at_hand.opened(), pytest.raises(hurry.TooLong), near.database.at_hand.opened():
        pass
    with near.database.at_hand.opened() as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_it_writes_nothing(near: Hub) -> None:
    with pytest.raises(hurry.TooLong), near.database.at_hand.opened() as connection:
        connection.execute("DELETE FROM asset")


def test_no_session_is_opened_and_no_statement_put_together_in_a_hurry(near: Hub) -> None:
    with near.at_hand(HUB) as (work, _), pytest.raises(hurry.NotAtHand):
        work.session.execute(sa.text("SELECT 1"))
    with hurry.hurried(), pytest.raises(hurry.NotAtHand):
        statements.compiled(sa.select(sa.literal(1)), near.database.engine.dialect)


def test_an_operation_that_was_slow_twice_is_left_to_threads_for_a_while(near: Hub, client: Client) -> None:
    id_ = acts.created(client, acts.picture(1))["id"]
    asked = Asked(f'{{ asset(id: "{id_}") {{ id title }} }}')
    execution.answer(near, HUB, asked, "test")
    found = execution.at_hand(near, HUB, asked)
    assert found is not None
    assert found.is_short
    found.asking.known.note(plans.SLOW_SECONDS * 2)
    assert found.is_short
    found.asking.known.note(plans.SLOW_SECONDS * 2)
    assert not found.is_short
    assert read(near, asked) is None


def test_on_sqlite_known_numbers_stand_in_the_text_and_nothing_else_changes(near: Hub) -> None:
    dialect = near.database.engine.dialect
    inner = sa.select(sa.literal("b?").label("what?"), sa.literal(2).label("n")).subquery()
    odd, number = inner.c["what?"], inner.c["n"]
    rows = sa.select(odd, sa.literal_column("'?''?'"), sa.literal(-3), sa.literal(7), sa.literal(2**63 - 1))
    select = rows.where(number > 1, number < sa.bindparam("most", type_=sa.Integer))
    statement = statements.compiled(select, dialect)
    assert len(statement.order or ()) == 3  # a text, what is below nothing, and what is given
    with near.database.at_hand.opened() as connection:
        found = statement.run(connection.cursor(), most=3)
    assert found == [("b?", "?'?", -3, 7, 2**63 - 1)]
