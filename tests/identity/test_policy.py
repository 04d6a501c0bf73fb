"""The policy in SQL and the rule in Python say the same of random people and assets, and lists show exactly that."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
import sqlalchemy as sa

from domain import assets, holdings, identity
from domain.assets import Order, OrderField
from domain.assets.reading import shown_versions
from domain.hub import Hub
from domain.identity import opened
from domain.pages import Paging
from domain.permissions import Permission
from domain.work import Viewer, Work
from storage.index.conditions import All, Between, Condition, Is, Not, OneOf, StartsWith
from storage.tables import AssetRow, AssetVersionRow
from tests.identity import policy_oracle as oracle
from tests.identity.policy_oracle import Known
from tests.identity.policy_world import LATER, NOW, World, made

#: Worlds in which much differs from viewer to viewer.
SEEDS = (4, 6)
ALL = Paging(limit=100, backwards=False, position=None, scope="")
#: Speaks of the lifecycle, so that archived assets are listed too.
ANY = Not(Is("lifecycle", "NOWHERE"))
OF_VERSIONS: tuple[Condition, ...] = (
    Is("width", 100),
    Not(Is("width", 100)),
    OneOf("media_type", ("image/png", "video/mp4")),
    StartsWith("media_type", "image/"),
    Between("byte_size", 20, None),
    Between("height", None, 100),
)
ORDERS = (
    Order(OrderField.CREATED_AT, descending=True),
    Order(OrderField.TITLE, descending=False),
    Order(OrderField.BYTE_SIZE, descending=False),
    Order(OrderField.CAPTURED_AT, descending=True),
)


@pytest.fixture(params=SEEDS)
def world(hub: Hub, request: pytest.FixtureRequest) -> World:
    return made(replace(hub, clock=lambda: NOW), request.param)


def at(world: World, moment: datetime) -> World:
    return replace(world, hub=replace(world.hub, clock=lambda: moment))


def ids(work: Work, condition: sa.ColumnElement[bool]) -> list[int]:
    return list(work.session.scalars(sa.select(AssetRow.id).where(condition).order_by(AssetRow.id)))


def meets(condition: Condition, version: AssetVersionRow | None) -> bool:
    """Of the conditions above."""
    match condition:
        case Not(part):
            return not meets(part, version)
        case Is(name, value):
            return getattr(version, name, None) == value
        case OneOf(name, values):
            return getattr(version, name, None) in values
        case StartsWith(name, prefix):
            return getattr(version, name, "").startswith(prefix)
        case Between(name):
            low: Any = condition.low
            high: Any = condition.high
            found: Any = getattr(version, name, None)
            return found is not None and (low is None or found >= low) and (high is None or found <= high)
    raise AssertionError(condition)


def seen(work: Work) -> list[tuple[Known, AssetVersionRow | None]]:
    """What the viewer sees by the rule, each asset with the version it is shown in."""
    held = work.viewer.holdings
    return [(asset, asset.shown(held)) for asset in oracle.known(work) if asset.is_seen(held)]


def test_who_sees_which_asset_is_the_same_in_sql_as_by_the_rule(world: World) -> None:
    amounts = set()
    for moment in (NOW, LATER):
        there = at(world, moment)
        for viewer in there.viewers():
            with there.hub.reading(viewer) as work:
                expected = [asset.row.id for asset, _ in seen(work)]
                assert ids(work, identity.sees_asset(work)) == expected, viewer
                assert sorted(assets.by_id(work, world.assets)) == expected
                amounts.add(len(expected))
    assert len(amounts) > 4, "viewers should see unlike much"
    assert max(amounts) == len(world.assets)


def test_who_sees_which_asset_is_the_same_while_writing_and_where_organisations_own_many(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With two assets as many, instead of fifteen hundred."""
    monkeypatch.setattr(opened, "MANY", 2)
    for viewer in world.viewers():
        for unit in (world.hub.reading, world.hub.writing):
            with unit(viewer) as work:
                assert ids(work, identity.sees_asset(work)) == [asset.row.id for asset, _ in seen(work)], viewer
                shown = {asset.row.id: version.id for asset, version in seen(work) if version is not None}
                assert {id_: row.id for id_, row in shown_versions(work, world.assets).items()} == shown


def test_where_any_permission_holds_is_the_same_in_sql_as_by_the_rule(world: World) -> None:
    for viewer in world.viewers():
        with world.hub.reading(viewer) as work:
            everything = oracle.known(work)
            for permission in Permission:
                expected = [
                    asset.row.id for asset in everything if holdings.holds(viewer.holdings, permission, asset.facts)
                ]
                assert ids(work, identity.holds_asset(work, permission)) == expected, (viewer, permission)
                for asset in everything[permission is Permission.ASSET_VIEW :: 31]:
                    assert identity.may(work, permission, asset.row) is (asset.row.id in expected)


def test_which_versions_are_seen_and_which_is_shown_is_the_same_in_sql_as_by_the_rule(world: World) -> None:
    hidden = 0
    for viewer in world.viewers():
        with world.hub.reading(viewer) as work:
            everything = oracle.known(work)
            expected = {version.id for asset in everything for version in asset.seen_versions(viewer.holdings)}
            rows = sa.select(AssetVersionRow.id).join(AssetRow, AssetRow.id == AssetVersionRow.asset_id)
            assert set(work.session.scalars(rows.where(identity.sees_version(work)))) == expected, viewer
            shown = {asset.row.id: version.id for asset, version in seen(work) if version is not None}
            assert {id_: row.id for id_, row in shown_versions(work, world.assets).items()} == shown
            newest = {asset.row.id: asset.row.current_version_id for asset in everything}
            hidden += sum(version_id != newest[id_] for id_, version_id in shown.items())
    assert hidden > 5, "some should be shown another version than the newest"


def test_lists_totals_and_facets_are_of_what_the_viewer_sees_and_no_more(world: World) -> None:
    for viewer in world.viewers():
        with world.hub.reading(viewer) as work:
            expected = seen(work)
            for stage in assets.Stage:
                staged = [one for one in expected if stage is assets.Stage.DRAFT or one[0].row.approved_version_id]
                for order in ORDERS:
                    page = assets.page(work, ANY, [order], ALL, stage)
                    assert [row.id for row in page.rows] == oracle.ordered(staged, order), (viewer, stage, order)
                assert assets.count(work, ANY, stage) == len(staged)
                facets = assets.facets(work, ANY, ("kind", "tag", "media_type", "year"), stage)
                for name, values in facets.items():
                    assert {each.value: each.count for each in values} == oracle.facet(staged, name), (viewer, name)


def test_filters_never_tell_of_a_version_that_the_viewer_is_not_shown(world: World) -> None:
    for viewer in world.viewers():
        with world.hub.reading(viewer) as work:
            expected = seen(work)
            for condition in OF_VERSIONS:
                some = [asset.row.id for asset, version in expected if meets(condition, version)]
                asked = All((ANY, condition))
                assert assets.count(work, asked) == len(some), (viewer, condition)
                assert sorted(row.id for row in assets.page(work, asked, [], ALL).rows) == some


def test_nobody_else_sees_through_a_viewer_that_holds_nothing(world: World) -> None:
    nobody = Viewer(None, 1, "nobody", is_administrator=False)
    with world.hub.reading(nobody) as work:
        assert ids(work, identity.sees_asset(work)) == []
        assert assets.count(work, ANY) == 0
