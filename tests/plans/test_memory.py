"""What is remembered is nobody else's, and nobody's who has lost what they held."""

from __future__ import annotations

import gc
import weakref
from dataclasses import replace

import pytest

from domain.global_ids import encode
from domain.holdings import Holdings, Reach, Tree
from domain.hub import Hub
from domain.permissions import EVERY
from domain.work import BRAND_ORG_ID, HUB, Viewer
from schema import execution
from schema.execution import Asked
from tests.identity import policy_world
from tests.plans import differential

LIST = "{ assets(first: 50) { totalCount nodes { id title } } }"


@pytest.fixture
def brand(hub: Hub) -> policy_world.World:
    return differential.world(hub, 3)


def ordinarily(hub: Hub, viewer: Viewer, asked: Asked) -> bytes:
    plain = replace(hub, settings=hub.settings.model_copy(update={"plans": False}))
    return execution.answer(plain, viewer, asked, "test").body


def test_who_was_recognised_before_a_grant_ended_leaves_nothing_for_who_comes_after(brand: policy_world.World) -> None:
    whole = Holdings(dict.fromkeys(EVERY, Reach((Tree(BRAND_ORG_ID, None),))))
    before = Viewer(brand.people[0], BRAND_ORG_ID, "Ada", is_administrator=True, holdings=whole, token_id=7)
    after = replace(before, is_administrator=False, holdings=Holdings())
    execution.answer(brand.hub, before, Asked(LIST), "test")
    found = execution.answer(brand.hub, after, Asked(LIST), "test").body
    assert found == ordinarily(brand.hub, after, Asked(LIST))
    assert b'"totalCount":0' in found


def test_a_condition_that_is_null_is_no_condition_that_is_false(brand: policy_world.World) -> None:
    query = "query ($id: ID!, $x: Boolean = true) { asset(id: $id) { id title @include(if: $x) } }"
    asked = Asked(query, variables={"id": encode("Asset", brand.assets[0]), "x": None})
    assert execution.answer(brand.hub, HUB, asked, "test").body == ordinarily(brand.hub, HUB, asked)


def test_a_document_without_a_plan_keeps_nothing_of_who_asked_it(brand: policy_world.World) -> None:
    viewer = replace(HUB, name="Ada")
    asked = Asked("{ me { __typename } assets(first: 3) { nodes { viewerCan } } }")
    execution.answer(brand.hub, viewer, asked, "test")
    gone = weakref.ref(viewer)
    del viewer
    gc.collect()
    assert gone() is None


def test_a_value_takes_no_more_room_than_it_is_counted(brand: policy_world.World) -> None:
    from schema.plans import kept

    value = kept._shrunk(b"x" * 7)
    assert value == b"x" * 7
    memory = kept.Kept(most_bytes=3 * (kept.OVERHEAD + 10))
    memory.keep((number, b"x" * 10) for number in range(10))
    assert len(memory) == 3
    answers = kept.Answers(most_bytes=3 * (kept.OVERHEAD + 10))
    for number in range(10):
        answers.keep(number, "epoch", None, b"x" * 10)
    assert [number for number in range(10) if answers.find(number, "epoch", policy_world.NOW)] == [7, 8, 9]
    assert answers.find(9, "another", policy_world.NOW) is None
