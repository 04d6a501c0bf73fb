"""How often a plan speaks to PostgreSQL."""

from __future__ import annotations

import pytest

from domain.global_ids import decode, encode
from domain.hub import Hub
from domain.work import HUB
from schema import execution, plans
from schema.execution import Asked
from schema.plans import kept
from storage.wire import Wire
from tests.asking import Client
from tests.assets import acts

ONE = """query ($id: ID!) { asset(id: $id) {
  id title tags { name } current { number renditions { preset url { url } } } approved { number }
} }"""
SHORT = "query ($id: ID!) { asset(id: $id) { id title } }"
pytestmark = pytest.mark.parametrize("stores", ["postgres+s3"], indirect=True)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Of each message how many statements it held."""
    lengths, answered = list[int](), Wire._answered

    def noted(self: Wire, questions: list[object]) -> object:
        lengths.append(len(questions))
        return answered(self, questions)  # type: ignore[arg-type]

    monkeypatch.setattr(Wire, "_answered", noted)
    return lengths


def asked(hub: Hub, sent: list[int], number: int, *, anew: bool = True, query: str = ONE) -> int:
    """How many messages it took; nothing kept of what was read before."""
    memory = kept.of(hub.database)
    if anew:
        memory.values, memory.answers = kept.Kept(), kept.Answers()
    sent.clear()
    before = plans.counted.answered
    execution.answer(hub, HUB, Asked(query, variables={"id": encode("Asset", number)}), "test")
    assert plans.counted.answered == before + 1
    return len(sent)


def test_one_asset_is_one_message_also_after_one_that_is_not_there(hub: Hub, client: Client, sent: list[int]) -> None:
    numbers = [decode(acts.created(client, acts.picture(each))["id"])[1] for each in range(2)]
    assert [asked(hub, sent, each) for each in numbers] == [1, 1]
    assert asked(hub, sent, numbers[0], query=SHORT) == 1
    assert asked(hub, sent, 10**6) > 1
    assert [asked(hub, sent, each) for each in numbers] == [1, 1]


def test_what_is_kept_is_not_asked_for_with_what_may_have_changed(hub: Hub, client: Client, sent: list[int]) -> None:
    number = decode(acts.created(client, acts.picture(1))["id"])[1]
    asked(hub, sent, number)
    kept.of(hub.database).answers = kept.Answers()
    asked(hub, sent, number, anew=False)  # the last one that was wanted had not been kept
    kept.of(hub.database).answers = kept.Answers()
    asked(hub, sent, number, anew=False)
    assert sent[0] == len(["BEGIN", "the asset, and what is seen"])
