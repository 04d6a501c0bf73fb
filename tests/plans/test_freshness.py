"""No answer outlives what it was made of: whatever changes, by whatever way, the next asking shows it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from domain.global_ids import encode
from domain.hub import Hub
from domain.work import HUB, Viewer
from schema import execution, plans
from schema.execution import Asked
from storage.tables import Row
from storage.types import Instant
from tests.identity import policy_world
from tests.plans import differential

ALL = """
fragment Made on Rendition { id state preset mediaType width height byteSize sha256
  failure { code message } url { url } }
fragment Bytes on AssetVersion {
  id number sha256 mediaType byteSize width height fileName capturedAt createdAt analysis changeNote
  failure { code message retryable } metadata { namespace name value } renditions { ...Made }
  rendition(preset: "web") { id } download { url validUntil }
}
fragment Whole on Asset {
  id title description kind lifecycle revision createdAt updatedAt
  tags { id name revision } current { ...Bytes } approved { ...Bytes }
}
query ($ids: [ID!]!) {
  assets(first: 100) { totalCount edges { cursor node { ...Whole } } pageInfo { hasNextPage endCursor } }
  nodes(ids: $ids) { ...Whole }
}
"""
#: Tables whose columns show in what plans answer.
MAPPED = ("asset", "asset_version", "asset_tag", "rendition", "metadata", "approval", "tag", "rendition_preset")
#: What the database lets nobody change.
FROZEN = {
    "asset_version": {
        "id", "asset_id", "number", "sha256", "byte_size", "file_name", "media_type", "change_note", "made_from_id",
        "created_at", "created_by",
    },
}  # fmt: skip


@pytest.fixture
def brand(hub: Hub) -> policy_world.World:
    return differential.world(hub, 3)


def asked(hub: Hub, viewer: Viewer, ids: list[str]) -> bytes:
    return execution.answer(hub, viewer, Asked(ALL, variables={"ids": ids}), "test").body


@pytest.mark.parametrize("table", MAPPED)
def test_a_change_of_any_column_shows_at_once(brand: policy_world.World, table: str) -> None:
    hub, viewer = brand.hub, HUB
    plain = replace(hub, settings=hub.settings.model_copy(update={"plans": False}))
    ids = [encode("Asset", number) for number in brand.assets[:4]]
    changed = set()
    told = asked(hub, viewer, ids)
    for column in Row.metadata.tables[table].columns:
        if not change(hub, column):
            continue
        changed.add(column.name)
        planned = plans.counted.answered
        told = asked(hub, viewer, ids)
        assert b'"errors"' not in told, told[:500]
        assert plans.counted.answered == planned + 1
        assert json.loads(told) == json.loads(asked(plain, viewer, ids)), column
        assert asked(hub, viewer, ids) == told
    unchanged = {column.name for column in Row.metadata.tables[table].columns} - changed
    assert unchanged <= FROZEN.get(table, set()) | KEYS[table]


def test_a_merge_shows_at_once(brand: policy_world.World) -> None:
    """Of an archived asset only: the one it became part of stands in its place, and no plan says so."""
    hub, viewer = brand.hub, HUB
    plain = replace(hub, settings=hub.settings.model_copy(update={"plans": False}))
    gone, into = brand.assets[:2]
    asset = Row.metadata.tables["asset"]
    archived = {"lifecycle": "ARCHIVED", "lifecycle_before_archive": "DRAFT"}
    with hub.writing(HUB) as work:
        work.session.execute(sa.update(asset).where(asset.c.id == into).values(LIVING))
        work.session.execute(sa.update(asset).where(asset.c.id == gone).values(archived))
    ids = [encode("Asset", gone)]
    planned = plans.counted.answered
    (before,) = json.loads(asked(hub, viewer, ids))["data"]["nodes"]
    assert before["id"] == ids[0]
    assert plans.counted.answered == planned + 1
    with hub.writing(HUB) as work:
        work.session.execute(sa.update(asset).where(asset.c.id == gone).values(merged_into_id=into))
    told = asked(hub, viewer, ids)
    assert plans.counted.answered == planned + 1
    assert json.loads(told)["data"]["nodes"][0]["id"] == encode("Asset", into)
    assert json.loads(told) == json.loads(asked(plain, viewer, ids))
    asked(hub, viewer, [encode("Asset", 10**6)])
    assert plans.counted.answered == planned + 2  # what stands for nothing needs no resolver


LIVING = {"lifecycle": "DRAFT", "lifecycle_before_archive": None}
WORDS = (
    *("RUNNING", "READY", "PUBLISHED", "DRAFT", "VIDEO", "LOGO", "COVER", "PNG", "USER", "METADATA", "TRUNCATED"),
    *("GREY", "STRIP", "OWNED", "SUSPENDED", "NAP", "AG-A25", "PERSON", "ORGANISATION", "AGENCY"),
)
#: Keys that others point at, what needs something that this world lacks, and what a check allows only together with
#: other words.
KEYS = {
    "asset": {"id", "current_version_id", "approved_version_id", "lifecycle_before_archive", "brand_id"},
    "asset_version": set(),
    "asset_tag": set(),
    "rendition": {"id"},
    "metadata": {"version_id"},
    "approval": {"id", "revoked_by"},
    "tag": {"id"},
    "rendition_preset": {"id"},
}


def change(hub: Hub, column: sa.Column[Any], words: Iterable[str] = ()) -> bool:
    """Gives the column another value in every row it can be given to, these words before others; whether there was
    one.
    """
    table = column.table
    key = list(table.primary_key)
    with hub.reading(HUB) as work:
        rows = work.session.execute(sa.select(*key, column.label("value")).order_by(*key).limit(40)).all()
    done = False
    for row in rows:
        where = [each == value for each, value in zip(key, row[:-1], strict=True)]
        for value in (*words, *_others(hub, column, row[-1])):
            if _tried(hub, sa.update(table).where(*where).values({column.name: value})):
                done = True
                break
    return done


def _tried(hub: Hub, statement: Any) -> bool:
    try:
        with hub.writing(HUB) as work:
            return bool(work.session.connection().execute(statement).rowcount)
    except sa.exc.DBAPIError:
        return False


def _others(hub: Hub, column: sa.Column[Any], value: Any) -> Iterator[Any]:
    """Values that the column might take instead of this one."""
    for key in column.foreign_keys:
        with hub.reading(HUB) as work:
            others = [each for each in work.session.scalars(sa.select(key.column).limit(20)) if each != value]
        yield from others
        return
    match column.type:
        case sa.Boolean():
            yield not value
        case sa.Integer():
            yield from (1, 1000) if value is None else (value + 1, value + 1000)
        case sa.Date():
            yield date(2026, 7, 1) if value is None else value + timedelta(days=1)
        case sa.Double():
            yield (value or 0.0) + 1.5
        case Instant():
            yield policy_world.START if value is None else value + timedelta(seconds=1)
        case sa.String():
            yield from (word for word in WORDS if word != value)
            yield f"{(value or '0')[:-1]}{'a' if value[-1:] != 'a' else 'b'}" if value else "another"
        case _:
            yield ["another"]
    if column.nullable and value is not None:
        yield None
