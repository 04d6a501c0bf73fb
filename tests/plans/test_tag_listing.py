"""What is kept beside each tag is what the asset says, whoever writes it; and lists of a tag are read there."""

from __future__ import annotations

import random
from dataclasses import replace
from functools import partial
from typing import Any

import orjson
import pytest
import sqlalchemy as sa

from domain.global_ids import encode
from domain.hub import Hub
from domain.work import HUB, Viewer
from schema import execution, plans
from schema.execution import Asked
from storage import statements
from storage.tables import ApprovalRow, AssetRow, AssetTagRow, Row, TagListingRow, TagRow
from tests.identity import policy_world
from tests.plans import differential
from tests.plans.test_freshness import change
from tests.working import at_once

KEPT = ("created_at", "lifecycle", "org_id", "approved_version_id", "kind")
LIST = """query ($first: Int, $after: String, $where: AssetWhere, $by: [AssetOrder!]) {
  assets(first: $first, after: $after, where: $where, orderBy: $by) {
    totalCount edges { cursor node { id title lifecycle } } pageInfo { hasNextPage endCursor }
} }"""


@pytest.fixture
def brand(hub: Hub) -> policy_world.World:
    return differential.world(hub, 3)


def agrees(hub: Hub) -> int:
    """How many assets are kept beside tags."""
    kept = sa.select(TagListingRow.asset_id, TagListingRow.tag_id, *(getattr(TagListingRow, name) for name in KEPT))
    true = sa.select(AssetRow.id, AssetTagRow.tag_id, *(getattr(AssetRow, name) for name in KEPT))
    true = true.join(AssetTagRow, AssetTagRow.asset_id == AssetRow.id)
    with hub.reading(HUB) as work:
        found, expected = (sorted(work.session.execute(each).all()) for each in (kept, true))
    assert found == expected
    return len(found)


@pytest.mark.parametrize("table", ["asset", "asset_tag"])
def test_whatever_column_is_written_it_stays_what_the_asset_says(brand: policy_world.World, table: str) -> None:
    changed = {column.name for column in Row.metadata.tables[table].columns if change(brand.hub, column)}
    assert changed >= ({*KEPT} - {"approved_version_id"} if table == "asset" else {"asset_id", "tag_id"})
    assert agrees(brand.hub) > 0


@pytest.mark.parametrize("seed", range(3))
def test_it_stays_so_in_any_history_of_writes_few_or_many_at_once(brand: policy_world.World, seed: int) -> None:
    chance, hub = random.Random(seed), brand.hub
    with hub.reading(HUB) as work:
        tags = list(work.session.scalars(sa.select(TagRow.id)))
        stands = sa.select(ApprovalRow.asset_id, ApprovalRow.version_id).where(ApprovalRow.revoked_at.is_(None))
        approved = dict(work.session.execute(stands).all())
        orgs = sorted(set(work.session.scalars(sa.select(AssetRow.org_id))))
    kept = set[int]()
    for _ in range(60):
        some = chance.sample(brand.assets, chance.choice((1, 2, len(brand.assets))))
        with hub.writing(HUB) as work:
            written(work.session, chance, some, tags, approved, orgs)
            if chance.random() < 0.1:
                work.session.rollback()
        kept.add(agrees(hub))
    assert len(kept) > 5


def written(session: Any, chance: random.Random, some: list[int], tags: list[int], versions: Any, orgs: Any) -> None:
    """One statement, as some command might send it, or somebody at a console."""
    these = AssetRow.id.in_(some)
    carried = AssetTagRow.asset_id.in_(some)
    match chance.randrange(7):
        case 0 | 1:
            taken = set(session.execute(sa.select(AssetTagRow.asset_id, AssetTagRow.tag_id)).all())
            new = [(asset, chance.choice(tags)) for asset in some]
            told = {"origin": "USER", "created_at": policy_world.NOW}
            rows = [{"asset_id": asset, "tag_id": tag, **told} for asset, tag in new if (asset, tag) not in taken]
            if rows:
                session.execute(sa.insert(AssetTagRow), rows)
        case 2:
            session.execute(sa.delete(AssetTagRow).where(carried, AssetTagRow.tag_id == chance.choice(tags)))
        case 3:
            one, other = chance.sample(tags, 2)
            has = sa.select(AssetTagRow.asset_id).where(AssetTagRow.tag_id == other)
            moved = sa.update(AssetTagRow).where(AssetTagRow.tag_id == one, AssetTagRow.asset_id.not_in(has))
            session.execute(moved.values(tag_id=other).execution_options(synchronize_session=False))
        case 4:
            at = chance.choice((None, versions.get(some[0])))
            session.execute(sa.update(AssetRow).where(AssetRow.id == some[0]).values(approved_version_id=at))
        case 5:
            kind, org = chance.choice(("VIDEO", "IMAGE", "LOGO")), chance.choice(orgs)
            session.execute(sa.update(AssetRow).where(these).values(kind=kind, org_id=org))
        case _:
            archived = {"lifecycle": "ARCHIVED", "lifecycle_before_archive": "DRAFT"}
            living = {"lifecycle": "DRAFT", "lifecycle_before_archive": None}
            session.execute(sa.update(AssetRow).where(these).values(chance.choice((archived, living))))


def test_whoever_tags_at_the_moment_of_a_change_keeps_what_it_became(brand: policy_world.World) -> None:
    hub, asset = brand.hub, brand.assets[0]
    with hub.reading(HUB) as work:
        tags = list(work.session.scalars(sa.select(TagRow.id)))

    def tag(number: int) -> None:
        with hub.writing(HUB) as work:
            one = {"asset_id": asset, "tag_id": number, "origin": "USER", "created_at": policy_world.NOW}
            work.session.execute(sa.insert(AssetTagRow), [one])

    def turn(kind: str) -> None:
        with hub.writing(HUB) as work:
            work.session.execute(sa.update(AssetRow).where(AssetRow.id == asset).values(kind=kind))

    for round_ in range(40):
        with hub.writing(HUB) as work:
            work.session.execute(sa.delete(AssetTagRow).where(AssetTagRow.asset_id == asset))
        kinds = ("VIDEO", "LOGO") if round_ % 2 else ("LOGO", "VIDEO")
        at_once([*(partial(tag, each) for each in tags[:3]), *(partial(turn, each) for each in kinds)])
        agrees(hub)


@pytest.mark.parametrize("tags", [1, 2])
def test_a_page_of_a_tag_is_read_beside_it_and_is_the_same(
    brand: policy_world.World, tags: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub, told = brand.hub, list[str]()
    plain = replace(hub, settings=hub.settings.model_copy(update={"plans": False}))
    with hub.reading(HUB) as work:
        most = sa.select(AssetTagRow.tag_id).group_by(AssetTagRow.tag_id).order_by(sa.func.count().desc())
        named = [encode("Tag", each) for each in work.session.scalars(most.limit(tags))]
    monkeypatch.setattr(statements, "heard", [told.append])
    seen = 0
    for viewer in (HUB, *(viewers := brand.viewers())):
        after = None
        while True:
            wanted = {"first": 2, "after": after, "where": {"tags": {"anyOf": named}}}
            told.clear()
            before = plans.counted.answered
            found, expected = (answered(each, viewer, wanted) for each in (hub, plain))
            assert found == expected
            if plans.counted.answered > before and found["data"]["assets"]["totalCount"]:
                listing = [sql for sql in told if "chosen" in sql or "count(*)" in sql]
                if listing and "created_by" not in listing[0]:  # which is not kept there: some may see what they made
                    assert all("tag_listing" in sql and "FROM asset_tag" not in sql for sql in listing), listing
                    seen += 1
            after = found["data"]["assets"]["pageInfo"]["endCursor"]
            if not found["data"]["assets"]["pageInfo"]["hasNextPage"]:
                break
    assert seen > len(viewers)


def test_an_order_of_what_is_not_kept_there_is_read_as_ever(brand: policy_world.World) -> None:
    hub = brand.hub
    plain = replace(hub, settings=hub.settings.model_copy(update={"plans": False}))
    with hub.reading(HUB) as work:
        named = encode("Tag", work.session.scalars(sa.select(AssetTagRow.tag_id)).first() or 0)
    for by in ("TITLE", "BYTE_SIZE", "UPDATED_AT", "CAPTURED_AT"):
        wanted = {"first": 3, "where": {"tags": {"anyOf": [named]}}, "by": [{"field": by, "direction": "ASC"}]}
        before = plans.counted.answered
        found = answered(hub, HUB, wanted)
        assert plans.counted.answered == before + 1
        assert found == answered(plain, HUB, wanted)
        assert found["data"]["assets"]["edges"]


def answered(hub: Hub, viewer: Viewer, wanted: dict[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = orjson.loads(execution.answer(hub, viewer, Asked(LIST, variables=wanted), "test").body)
    told.pop("extensions", None)
    assert "errors" not in told, told
    return told
