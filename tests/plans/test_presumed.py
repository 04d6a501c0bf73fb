"""What is presumed of shares and tags, to speak to PostgreSQL less often, is proved before anything is told."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import orjson
import pytest
import sqlalchemy as sa

from domain.global_ids import encode
from domain.hub import Hub
from domain.identity.tokens import PREFIX_LENGTH
from domain.work import HUB, Viewer
from schema import execution, plans
from schema.execution import Asked
from schema.plans import kept
from storage import wire
from storage.tables import AssetTagRow, ShareRow, TagRow, TokenRow
from storage.wire import MOST_DOUBTS, Mistaken, Presumed, Wire
from tests.identity import policy_world
from tests.plans import differential

LIST = """query ($tag: ID!) {
  assets(first: 5, where: {tags: {anyOf: [$tag]}}) { totalCount nodes { id title tags { name } } } }"""
ONE = "query ($id: ID!) { asset(id: $id) { id title tags { name } current { number } } }"
pytestmark = pytest.mark.parametrize("stores", ["postgres+s3"], indirect=True)


@pytest.fixture
def brand(hub: Hub) -> policy_world.World:
    return differential.world(hub, 3)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Of each message that it was sent, and of each mistake."""
    noted, answered, prove = list[str](), Wire._answered, Wire._prove

    def note(self: Wire, questions: Any) -> Any:
        noted.append("message")
        return answered(self, questions)

    def proved(self: Wire, found: Any) -> None:
        try:
            prove(self, found)
        except Mistaken:
            noted.append("mistake")
            raise

    monkeypatch.setattr(Wire, "_answered", note)
    monkeypatch.setattr(Wire, "_prove", proved)
    return noted


def tags_of(hub: Hub) -> list[int]:
    with hub.reading(HUB) as work:
        most = sa.select(AssetTagRow.tag_id).group_by(AssetTagRow.tag_id).order_by(sa.func.count().desc())
        return list(work.session.scalars(most.limit(2)))


def asked(hub: Hub, viewer: Viewer, tag: int, *, anew: bool = True) -> Any:
    """With nothing kept of what was read before, unless that is to be kept."""
    memory = kept.of(hub.database)
    if anew:
        memory.values, memory.answers = kept.Kept(), kept.Answers()
    body = execution.answer(hub, viewer, Asked(LIST, variables={"tag": encode("Tag", tag)}), "test").body
    answer = orjson.loads(body)
    answer.pop("extensions", None)
    assert "errors" not in answer, answer
    return answer["data"]


def test_who_asks_again_waits_for_two_messages(brand: policy_world.World, told: list[str]) -> None:
    hub, (tag, *_) = brand.hub, tags_of(brand.hub)
    again = list[int]()
    for viewer in brand.viewers():
        for _ in range(3):
            told.clear()
            before = plans.counted.answered
            found = asked(hub, viewer, tag)
        if plans.counted.answered > before and found["assets"]["nodes"]:
            again.append(len(told))
    assert again.count(2) > len(again) / 2  # others are asked how many assets their organisations own


def changes(tag: int, other: int) -> list[Callable[[Any], None]]:
    """What other processes may commit in between, each the contrary of what stood before it."""
    later = policy_world.NOW + timedelta(days=400)

    def shares(**values: Any) -> Callable[[Any], None]:
        return lambda session: session.execute(
            sa.update(ShareRow).values(**values).execution_options(synchronize_session=False)
        )

    def merged(into: int | None) -> Callable[[Any], None]:
        moved = sa.update(TagRow).where(TagRow.id == tag).values(merged_into_id=into)
        return lambda session: session.execute(moved.execution_options(synchronize_session=False))

    return [
        shares(ended_at=policy_world.NOW),
        shares(ended_at=None),
        shares(ends_at=later),
        shares(ends_at=policy_world.NOW - timedelta(days=1)),
        shares(ends_at=None),
        merged(other),
        merged(None),
    ]


@pytest.mark.parametrize("anew", [True, False])
def test_what_changed_since_is_never_told(brand: policy_world.World, told: list[str], anew: bool) -> None:
    hub, (tag, other) = brand.hub, tags_of(brand.hub)
    plain = replace(hub, settings=hub.settings.model_copy(update={"plans": False}))
    with hub.writing(HUB) as work:  # whose whole answers are kept
        people = [each for each in brand.viewers() if each.principal_id is not None]
        ids = {each.principal_id: token_of(work.session, each) for each in people}
    viewers = [HUB, *(replace(each, token_id=ids[each.principal_id]) for each in people)]
    mistakes, answers = 0, set()
    for change in changes(tag, other):
        told.clear()
        with hub.writing(HUB) as work:
            change(work.session)
        for viewer in viewers:
            found = asked(hub, viewer, tag, anew=anew)
            assert found == asked(plain, viewer, tag, anew=False)
            assert asked(hub, viewer, tag, anew=anew) == found
            answers.add(repr(found))
        mistakes += told.count("mistake")
    assert mistakes > len(viewers) / 2
    assert len(answers) > 4


def token_of(session: Any, viewer: Viewer) -> int:
    assert viewer.principal_id is not None
    row = TokenRow(principal_id=viewer.principal_id, name="", prefix="x" * PREFIX_LENGTH, created_at=policy_world.START)
    row.digest = secrets.token_hex(32)
    session.add(row)
    session.flush()
    return row.id


def test_one_asset_is_one_message_and_a_mistake_leaves_the_connection_to_others(
    brand: policy_world.World, told: list[str]
) -> None:
    hub, mistaken = brand.hub, 0
    plain = replace(hub, settings=hub.settings.model_copy(update={"plans": False}))
    for viewer in brand.viewers():
        ids = [encode("Asset", each) for each in brand.assets]
        seen = [id_ for id_ in ids if one(plain, viewer, id_) is not None]
        if not seen or not viewer.holdings.shared_to:
            continue
        for stands in (False, True):
            one(hub, viewer, seen[0])
            told.clear()
            one(hub, viewer, seen[0])
            if "mistake" in told or len(told) > 1:
                continue  # what is not there for them any more may stand for another one
            with hub.writing(HUB) as work:
                ended = sa.update(ShareRow).values(ended_at=None if stands else policy_world.NOW)
                work.session.execute(ended.execution_options(synchronize_session=False))
            told.clear()
            found = one(hub, viewer, seen[0])
            mistaken += told.count("mistake")
            assert found == one(plain, viewer, seen[0])
            pool: Any = hub.database.apart.pool
            assert pool.checkedout() == 0
            with hub.database.apart.connect() as connection:
                assert connection.connection.driver_connection.info.transaction_status.name == "IDLE"  # type: ignore[union-attr]
    assert mistaken > 2


def one(hub: Hub, viewer: Viewer, id_: str) -> Any:
    memory = kept.of(hub.database)
    memory.values, memory.answers = kept.Kept(), kept.Answers()
    body = execution.answer(hub, viewer, Asked(ONE, variables={"id": id_}), "test").body
    return orjson.loads(body)["data"]["asset"]


def test_a_wrong_one_that_leads_to_nothing_is_believed_a_few_times(brand: policy_world.World, told: list[str]) -> None:
    """A list with words to search for is answered otherwise: nothing is sent that could prove what was presumed."""
    hub, (tag, _) = brand.hub, tags_of(brand.hub)
    plain = replace(hub, settings=hub.settings.model_copy(update={"plans": False}))
    viewer = next(each for each in brand.viewers() if each.holdings.shared_to and asked(hub, each, tag))
    presumed = hub.database.presumed
    right = {key: presumed.get(key) for key in presumed.all_keys() if key[0] == "opened"}
    assert any(known is not None and known.rows for known in right.values())
    for key in right:
        presumed.put(key, Presumed([(0, "READ", None, None, None)]))
    expected = searched(plain, viewer)
    for _ in range(MOST_DOUBTS + 1):
        assert searched(hub, viewer) == expected
    now = [presumed.get(key) for key in right]
    assert any(known in right.values() for known in now)
    assert asked(hub, viewer, tag) == asked(plain, viewer, tag)


def searched(hub: Hub, viewer: Viewer) -> Any:
    query = '{ assets(first: 5, search: "asset") { totalCount nodes { id } } }'
    return orjson.loads(execution.answer(hub, viewer, Asked(query), "test").body)["data"]


def test_many_rows_are_not_presumed_nor_what_grew_to_be_many(
    brand: policy_world.World, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub, (tag, _) = brand.hub, tags_of(brand.hub)
    answered = plans.counted.answered
    asked(hub, HUB, tag)
    assert hub.database.presumed.all_keys()
    monkeypatch.setattr(wire, "MOST_PRESUMED", 1)
    with hub.writing(HUB) as work:
        below = {"org_id": 1, "parent_id": tag, "created_at": policy_world.NOW, "updated_at": policy_world.NOW}
        work.session.execute(sa.insert(TagRow), [{"name": "below", "folded": "below", **below}])
    asked(hub, HUB, tag)
    assert hub.database.presumed.all_keys() == []
    asked(hub, HUB, tag)
    assert plans.counted.answered == answered + 3
    assert hub.database.presumed.all_keys() == []
