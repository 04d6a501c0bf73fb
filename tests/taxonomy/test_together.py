"""Several writers at one vocabulary: one tag per spelling, no circle, nothing lost, nobody stuck."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import partial
from typing import Any

import sqlalchemy as sa

from domain.hub import Hub
from storage.tables import AssetTagRow, TagRow, TagSynonymRow
from tests.asking import Client
from tests.taxonomy.test_story import TAG, asset, tag
from tests.working import at_once, mutate


def test_six_writers_that_bring_the_same_new_tags_in_different_orders_make_each_once(hub: Hub, client: Client) -> None:
    words = [f"word {number}" for number in range(12)]
    chance = random.Random(3)

    def bring(number: int) -> Callable[[], dict[str, Any]]:
        mine = words.copy()
        chance.shuffle(mine)
        return lambda: asset(client, number, *mine)

    assert len(at_once([bring(number) for number in range(6)])) == 6
    with hub.database.reading() as session:
        names = list(session.scalars(sa.select(TagRow.name).order_by(TagRow.name)))
        spellings = list(session.scalars(sa.select(TagSynonymRow.text).order_by(TagSynonymRow.text)))
        carried = session.scalar(sa.select(sa.func.count()).select_from(AssetTagRow))
    assert names == spellings == sorted(words)
    assert carried == 6 * 12


def test_two_moves_at_once_never_make_a_circle(hub: Hub, client: Client) -> None:
    for round_ in range(4):
        one, two = tag(client, f"one {round_}"), tag(client, f"two {round_}")

        def move(child: dict[str, Any], parent: dict[str, Any]) -> dict[str, Any]:
            return mutate(client, "tagUpdate", TAG, tag=child["id"], expectedRevision=1, parent=parent["id"])

        answers = at_once([partial(move, one, two), partial(move, two, one)])
        assert sorted(len(answer["errors"]) for answer in answers) == [0, 1]
        assert {error["code"] for answer in answers for error in answer["errors"]} == {"CONFLICT"}


def test_two_tags_merged_into_each_other_at_once_become_one(hub: Hub, client: Client) -> None:
    for round_ in range(4):
        one, two = tag(client, f"one {round_}"), tag(client, f"two {round_}")

        def merge(into: dict[str, Any], loser: dict[str, Any]) -> dict[str, Any]:
            return mutate(client, "tagMerge", TAG, into=into["id"], expectedRevision=1, **{"from": [loser["id"]]})

        answers = at_once([partial(merge, one, two), partial(merge, two, one)])
        assert sorted(len(answer["errors"]) for answer in answers) == [0, 1]
        assert {error["code"] for answer in answers for error in answer["errors"]} <= {"NOT_FOUND", "STALE_REVISION"}
    assert client.ask("{ tags { totalCount } }")["tags"]["totalCount"] == 4


def test_an_asset_tagged_while_its_tag_is_merged_away_carries_what_the_tag_became(hub: Hub, client: Client) -> None:
    for round_ in range(6):
        old, new = tag(client, f"old {round_}"), tag(client, f"new {round_}")
        merge = partial(mutate, client, "tagMerge", TAG, into=new["id"], expectedRevision=1, **{"from": [old["id"]]})
        at_once([partial(asset, client, round_, f"old {round_}"), merge])
    with hub.database.reading() as session:
        lost = sa.select(AssetTagRow.asset_id).join(TagRow, TagRow.id == AssetTagRow.tag_id)
        assert session.scalars(lost.where(TagRow.merged_into_id.is_not(None))).all() == []
        assert session.scalar(sa.select(sa.func.count()).select_from(AssetTagRow)) == 6
