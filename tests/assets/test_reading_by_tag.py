"""How a list that must carry a tag is read where it is counted on the way."""

from __future__ import annotations

from typing import Any

from sqlalchemy.dialects.postgresql import psycopg

from domain import assets, reads
from domain.hub import Hub
from domain.pages import Paging
from domain.work import HUB
from storage.index.conditions import All, Condition, HasTag
from storage.tables import AssetRow

_BY_KEYS = "asset.id = ANY (array((SELECT asset_tag.asset_id"


def _spelt(hub: Hub, condition: Condition, *, counted: bool) -> str:
    """The page as PostgreSQL is asked for it."""
    with hub.reading(HUB) as work:
        rows, keys = assets.statement(work, condition, (), is_open=True)
        dialect: Any = psycopg.dialect  # untyped
        wanted = Paging(limit=50, position=None, backwards=False, scope="")
        return reads.listed(rows, [AssetRow.id], keys, wanted, dialect(), counted=counted).sql


def test_a_counted_list_of_one_tag_is_found_by_the_keys_that_carry_it(hub: Hub) -> None:
    assert _BY_KEYS in _spelt(hub, HasTag((1,)), counted=True).replace("\n", "")


def test_one_that_is_not_counted_may_be_read_in_its_order(hub: Hub) -> None:
    assert "ANY" not in _spelt(hub, HasTag((1,)), counted=False)


def test_of_two_tags_neither_becomes_an_array_that_is_gone_through_for_each_row(hub: Hub) -> None:
    assert "ANY" not in _spelt(hub, All((HasTag((1,)), HasTag((2,)))), counted=True)
