"""Search finds, counts, orders, suggests and corrects exactly what the rule shows to each of random viewers."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from domain import history, holdings, lightboxes, search, workflow
from domain.assets import Order, OrderField, Stage
from domain.hub import Hub
from domain.search import access, faces
from domain.work import HUB, Viewer, Work
from storage import index
from storage.index.conditions import All
from storage.index.contract import FacetField
from storage.tables import AssetRow, AssetVersionRow, LightboxRow, PrincipalRow, ShareRow
from tests.identity import policy_oracle as oracle
from tests.identity.policy_world import ENDS, LATER, NOW, World, made, word
from tests.identity.test_policy import ALL, ANY, OF_VERSIONS, ORDERS, SEEDS, at, meets, seen
from tests.working import index_all

FACETS: tuple[FacetField, ...] = ("kind", "tag", "media_type", "year")


@pytest.fixture(params=SEEDS)
def world(hub: Hub, request: pytest.FixtureRequest) -> World:
    return indexed(made(replace(hub, clock=lambda: NOW), request.param))


@pytest.fixture
def on_tantivy(hub: Hub, tmp_path: Path) -> Iterator[World]:
    opened = index.open_index("tantivy", tmp_path / "other")
    yield indexed(made(replace(hub, clock=lambda: NOW, index=opened), SEEDS[0]))
    opened.close()


def indexed(world: World) -> World:
    search.rebuild(world.hub)
    return world


def found(work: Work, text: str, stage: Stage = Stage.DRAFT) -> list[int]:
    page = search.page(work, text, ANY, [Order(OrderField.CREATED_AT, descending=False)], ALL, stage)
    assert page.total == len(page.slice.rows)
    return sorted(row.id for row in page.slice.rows)


def check(world: World) -> int:
    """Everything asked of everybody; how often somebody was shown another version than the newest."""
    hidden = 0
    for viewer in world.viewers():
        with world.hub.reading(viewer) as work:
            expected = seen(work)
            hidden += sum(version is not None and version is not asset.versions[-1] for asset, version in expected)
            for stage in Stage:
                staged = [one for one in expected if stage is Stage.DRAFT or one[0].row.approved_version_id]
                assert found(work, "asset", stage=stage) == [asset.row.id for asset, _ in staged], (viewer, stage)
                for name, values in search.facets(work, "asset", ANY, FACETS, stage).items():
                    assert {each.value: each.count for each in values} == oracle.facet(staged, name), (viewer, name)
    return hidden


def test_search_finds_and_counts_what_the_rule_shows_at_any_time(world: World) -> None:
    assert check(world) > 5
    for moment in (NOW + timedelta(microseconds=1), LATER - timedelta(microseconds=1), LATER):
        check(at(world, moment))


def test_the_other_engine_finds_and_counts_the_same(on_tantivy: World) -> None:
    assert check(on_tantivy) > 5
    check(at(on_tantivy, LATER))


def test_search_filters_and_orders_by_the_version_that_is_shown(world: World) -> None:
    for viewer in world.viewers():
        with world.hub.reading(viewer) as work:
            expected = seen(work)
            for order in ORDERS:
                page = search.page(work, "asset", ANY, [order], ALL)
                assert [row.id for row in page.slice.rows] == oracle.ordered(expected, order), (viewer, order)
            for condition in OF_VERSIONS:
                some = [one for one in expected if meets(condition, one[1])]
                asked = All((ANY, condition))
                page = search.page(work, "asset", asked, [], ALL)
                assert sorted(row.id for row in page.slice.rows) == [asset.row.id for asset, _ in some]
                assert page.total == len(some), (viewer, condition)
                (kinds,) = search.facets(work, "asset", asked, ["media_type"]).values()
                assert {each.value: each.count for each in kinds} == oracle.facet(some, "media_type")


def test_words_of_a_version_are_found_suggested_and_corrected_only_where_it_is_seen(world: World) -> None:
    refused = 0
    for turn, viewer in enumerate(world.viewers()):
        with world.hub.reading(viewer) as work:
            doors = access.doors(work, Stage.DRAFT)
            for asset in oracle.known(work)[turn % 4 :: 4]:
                names = {version.file_name.removesuffix(".png") for version in asset.seen_versions(viewer.holdings)}
                shown = asset.shown(viewer.holdings)
                for version in asset.versions:
                    name = version.file_name.removesuffix(".png")
                    assert found(work, f'file:"{name}"') == ([asset.row.id] if name in names else []), (viewer, name)
                    assert bool(work.index.suggest(name, doors)) is (name in names), (viewer, name)
                    said = word("meta", asset.row.id, version.number)
                    assert found(work, f'"{said}"') == ([asset.row.id] if version is shown else []), (viewer, said)
                    assert bool(work.index.suggest(said[:-1], doors)) is (version is shown), (viewer, said)
                    meant = work.index.correct(index.query.parse(f"{said}z"), doors)
                    assert meant is None or found(work, f'"{meant}"') != [], (viewer, said, meant)
                    refused += name not in names
    assert refused > 20


def test_an_asset_has_a_second_document_exactly_where_its_public_face_reads_otherwise(world: World) -> None:
    with world.hub.reading(HUB) as work:
        told = search.documents(work, world.assets)
        twice = 0
        for asset in oracle.known(work):
            public = asset.row.approved_version_id is not None and asset.row.lifecycle not in holdings.WITHHELD
            names = {version.file_name for version in asset.versions}
            approved = {version.file_name for version in asset.versions if version.id in asset.approved}
            newest_is_public = asset.row.approved_version_id == asset.row.current_version_id
            two = public and not (newest_is_public and names == approved)
            assert len(told[asset.row.id]) == 1 + two
            twice += two
            marks = [document.access & {access.PUBLIC, access.PUBLIC_ONLY} for document in told[asset.row.id]]
            if two:
                assert marks == [set(), {access.PUBLIC, access.PUBLIC_ONLY}]
            else:
                assert marks == [{access.PUBLIC} if public else set()]
    assert 2 < twice < len(world.assets)
    held = world.hub.index.revisions(0, index.MAX_REVISIONS)
    assert len(held) == len(world.assets) + twice
    with world.hub.index.writer_lock():
        assert search.reconcile(world.hub).mended == 0


def test_what_changes_who_sees_what_is_followed_by_its_events(world: World) -> None:
    """Assets placed and taken out, shared and no longer shared, approved and put away: in step after every round."""
    chance = random.Random(5)
    for _ in range(4):
        with world.hub.writing(HUB) as work:
            for _ in range(4):
                _rearrange(work, chance)
                _share_anew(work, world, chance)
                _decide(work, chance)
        index_all(world.hub)
        check(world)
    with world.hub.index.writer_lock():
        assert search.reconcile(world.hub).mended == 0


def test_reconciling_mends_faces_that_are_missing_or_too_many(world: World) -> None:
    with world.hub.reading(HUB) as work:
        told = search.documents(work, world.assets)
    (one, *_), (two, *_) = ([id_ for id_, some in told.items() if len(some) == count] for count in (1, 2))
    ghost = replace(told[one][0], id=faces.public_id(one))
    with world.hub.index.writer_lock():
        world.hub.index.apply([index.Put(ghost), index.Remove(faces.public_id(two))], world.hub.index.checkpoint())
        assert search.reconcile(world.hub).outdated == 2
        assert search.reconcile(world.hub).mended == 0
    check(world)


def test_a_viewer_who_holds_everything_asks_one_question_and_one_who_holds_nothing_none(hub: Hub) -> None:
    with hub.reading(HUB) as work:
        assert access.doors(work, Stage.DRAFT) == (index.Door((), frozenset({access.PUBLIC_ONLY})),)
    with hub.reading(Viewer(None, 1, "nobody", is_administrator=False)) as work:
        assert access.doors(work, Stage.DRAFT) == access.doors(work, Stage.APPROVED) == ()


def _rearrange(work: Work, chance: random.Random) -> None:
    living = sa.select(LightboxRow).where(LightboxRow.archived_at.is_(None)).order_by(LightboxRow.id)
    box = chance.choice(list(work.session.scalars(living)))
    judged = sa.select(AssetRow.id).where(AssetRow.lifecycle != "QUARANTINED").order_by(AssetRow.id)
    some = chance.sample(list(work.session.scalars(judged)), 3)
    change = chance.choice((lightboxes.add, lightboxes.remove))
    change(work, box.id, some, box.revision)


def _share_anew(work: Work, world: World, chance: random.Random) -> None:
    standing = list(work.session.scalars(sa.select(ShareRow).where(ShareRow.ended_at.is_(None)).order_by(ShareRow.id)))
    row = chance.choice(standing)
    row.ended_at = work.now
    _tell(work, "share.ended", row)
    fresh = ShareRow(
        org_id=row.org_id,
        to_org_id=chance.choice(sorted(world.orgs)),
        asset_id=None if row.asset_id is None else chance.choice(world.assets),
        lightbox_id=None if row.lightbox_id is None else chance.choice(world.boxes),
        access=chance.choice(("READ", "CONTRIBUTE")),
        created_at=work.now,
        created_by=row.created_by,
        ends_at=chance.choice(ENDS[4:]),
    )
    work.session.add(fresh)
    work.session.flush()
    _tell(work, "share.created", fresh)


def _tell(work: Work, event: str, row: ShareRow) -> None:
    subject = ("Lightbox", row.lightbox_id) if row.asset_id is None else ("Asset", row.asset_id)
    assert subject[1] is not None
    history.record(work, event, (subject[0], subject[1]), {"share": row.id})


def _decide(work: Work, chance: random.Random) -> None:
    """Approves a version, or takes an approval back: as the first of the people, who holds everything here."""
    someone = work.session.scalars(sa.select(PrincipalRow.id).order_by(PrincipalRow.id)).first()
    acting = replace(work, viewer=replace(HUB, principal_id=someone))
    open_ = sa.select(AssetVersionRow).join(AssetRow, AssetRow.id == AssetVersionRow.asset_id)
    rows = open_.where(AssetRow.lifecycle.not_in(("ARCHIVED", "QUARANTINED"))).order_by(AssetVersionRow.id)
    version = chance.choice(list(work.session.scalars(rows)))
    (asset,) = (each for each in oracle.known(acting) if each.row.id == version.asset_id)
    if version.id in asset.approved:
        workflow.revoke(acting, version.id)
    else:
        workflow.approve(acting, version.id, version.sha256, is_own_work=True)
