"""Lists of what may be delivered: the compiled index against the engine on random rights, while these change."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

import pytest
import sqlalchemy as sa

from domain.assets import Order, OrderField, Stage, listing, newest
from domain.hub import Hub
from domain.licensing import compiled
from domain.licensing.compiled import keeping
from domain.pages import Paging
from domain.work import BRAND_ORG_ID, HUB, Viewer, Work
from storage import statements
from storage.index.conditions import All, Condition, Is, Not
from storage.tables import (
    AssetRightsRow,
    AssetRow,
    AssetVersionRow,
    ComponentRow,
    DeliverableDueRow,
    DeliverableVersionRow,
    EmbargoRow,
    LicenseRow,
    ReleaseRow,
    TakedownRow,
    TerritoryGroupMemberRow,
)
from tests import acting
from tests.licensing import listed, written
from tests.licensing.listed import World
from tests.licensing.written import WHEN

CASES = int(os.environ.get("IMPRIMATUR_DELIVERABLE_CASES", "24"))
#: Each is asked of every asset.
USES = 25
#: Changes after which all is compared again.
ROUNDS = 3


@pytest.fixture
def world(hub: Hub, admin: Viewer) -> World:
    made = listed.laid_out(hub, admin, seed=1, cases=CASES)
    listed.compile_all(hub)
    return made


def test_what_is_listed_is_what_the_engine_lets_out_also_after_changes(world: World) -> None:
    dice = Random(2)
    compared, passed = _compare(world, dice)
    assert compared > passed > compared // 20, "uses that pass, and some that do not"
    for _ in range(ROUNDS):
        with world.hub.writing(HUB) as work:
            for change in dice.sample(CHANGES, 4):
                change(work, world, dice)
        stale = _compare_stale(world, dice)
        assert stale > 0, "changes that matter"
        listed.compile_all(world.hub)
        _compare(world, dice)
        _compare(world, Random(2))  # what was asked before


def test_what_changes_while_it_is_compiled_is_compiled_again(world: World) -> None:
    with world.hub.writing(HUB) as work:
        work.session.execute(sa.update(LicenseRow).where(LicenseRow.status == "ACTIVE").values(status="SUSPENDED"))
    with world.hub.reading(HUB) as work:
        found = compiled.compiled(work)
    assert found is not None
    changed = min(found.times)
    with world.hub.writing(HUB) as work:
        row = EmbargoRow(org_id=BRAND_ORG_ID, asset_id=changed, placed_at=WHEN, placed_by=world.by)
        work.session.add(row)
    with world.hub.writing(HUB) as work:
        assert compiled.keep(work, found) == len(found.times) - 1
        assert list(work.session.scalars(sa.select(DeliverableDueRow.asset_id))) == [changed]
    listed.compile_all(world.hub)
    _compare(world, Random(3))


def test_what_others_change_at_this_moment_is_left_to_them(world: World) -> None:
    if not world.hub.database.is_postgres:
        pytest.skip("on SQLite nobody else changes anything meanwhile")
    with world.hub.writing(HUB) as work:
        work.session.execute(sa.update(LicenseRow).where(LicenseRow.status == "ACTIVE").values(status="SUSPENDED"))
    with world.hub.reading(HUB) as work:
        found = compiled.compiled(work)
    assert found is not None
    with world.hub.writing(HUB) as other:
        row = EmbargoRow(org_id=BRAND_ORG_ID, asset_id=min(found.times), placed_at=WHEN, placed_by=world.by)
        other.session.add(row)
        other.session.flush()
        with world.hub.writing(HUB) as work:  # waits for nobody
            assert compiled.keep(work, found) == len(found.times) - 1
    listed.compile_all(world.hub)
    _compare(world, Random(4))


def test_an_asset_of_which_nothing_was_said_costs_nothing(hub: Hub, admin: Viewer) -> None:
    world = listed.laid_out(hub, admin, seed=1, cases=1)
    listed.compile_all(hub)
    with hub.writing(HUB) as work:
        said = sa.select(sa.func.count(sa.distinct(AssetRow.id))).where(AssetRow.rights_epoch > 0)
        assert work.session.scalar(said)
        silent = AssetRow(
            org_id=BRAND_ORG_ID, kind="IMAGE", title="Silent", title_folded="silent", title_origin="USER",
            description_origin="USER", lifecycle="DRAFT", created_at=WHEN, created_by=world.by, updated_at=WHEN,
        )  # fmt: skip
        work.session.add(silent)
        work.session.flush()
        silent.title = "Still silent"
        work.session.flush()
        assert work.session.scalar(sa.select(DeliverableDueRow.asset_id)) is None


def test_the_newest_are_those_that_pass_one_by_one_page_by_page_both_ways(world: World) -> None:
    hub, dice = world.hub, Random(5)
    denied = acting.member(hub, "designer", name="Denied")
    with hub.writing(HUB) as work:
        assert denied.principal_id is not None
        no_documents: dict[str, Any] = {"is_denial": True, "scope": "ASSET_KIND", "asset_kind": "DOCUMENT"}
        acting.give(hub, denied.principal_id, "designer", session=work.session, **no_documents)
    wide = (world.administrator, acting.member(hub, "viewer"), acting.again(hub, denied))
    passed = 0
    for viewer in (*wide, world.partner):
        with hub.reading(viewer) as work:
            came = dict(work.session.execute(sa.select(AssetRow.id, AssetRow.created_at)).all())
            for _ in range(USES):
                use = compiled.wanted(work, listed.use(dice, {1: viewer.org_id, 2: viewer.org_id, 3: viewer.org_id}))
                where = dice.choice((use, All((use, Is("kind", "IMAGE"))), All((Not(Is("kind", "VIDEO")), use))))
                asked = listing.effective(where)
                assert (newest.leading(work, asked) is not None) == (viewer in wide)
                stage, down = dice.choice(list(Stage)), dice.random() < 0.7
                ids = _of_stage(work, listing.ids_of(work, asked), stage)
                ids.sort(key=lambda each: (came[each], each), reverse=down)
                order = [Order(OrderField.CREATED_AT, descending=down)]
                assert _paged(work, where, order, stage) == ids
                assert listing.count(work, where, stage) == len(ids)
                passed += len(ids)
    assert passed > USES


def test_a_use_is_judged_once_and_later_only_what_is_new(world: World) -> None:
    request = listed.use(Random(6), world.orgs)
    asked: list[str] = []
    statements.heard.append(asked.append)

    def judged() -> tuple[bytes, int]:
        asked.clear()
        with world.hub.reading(world.administrator) as work:
            told = compiled.verdicts_of(work, compiled.wanted(work, request))
        return told, sum("deliverable_part" in each for each in asked)

    try:
        before, times = judged()
        assert times == 1
        assert judged() == (before, 0)
        with world.hub.writing(HUB) as work:
            for change in CHANGES:
                change(work, world, Random(9))
        listed.compile_all(world.hub)
        after, times = judged()
        assert (times, after[: len(before)]) == (1, before)
        assert len(after) > len(before)
    finally:
        statements.heard.remove(asked.append)


def test_reaches_get_their_numbers_from_one_writer_at_a_time(hub: Hub, admin: Viewer) -> None:
    listed.laid_out(hub, admin, seed=1, cases=4)
    if not hub.database.is_postgres:
        pytest.skip("SQLite has one writer")
    free = sa.select(sa.func.pg_try_advisory_xact_lock(keeping.LOCK))
    with hub.reading(HUB) as work:
        found = compiled.compiled(work)
    assert found is not None
    with hub.writing(HUB) as work:
        compiled.keep(work, found)
        with hub.writing(HUB) as other:
            assert other.session.scalar(free) is False
    with hub.writing(HUB) as other:
        assert other.session.scalar(free) is True


def _of_stage(work: Work, ids: list[int], stage: Stage) -> list[int]:
    rows = sa.select(AssetRow.id).where(AssetRow.id.in_(ids), AssetRow.approved_version_id.is_not(None))
    return ids if stage is Stage.DRAFT else list(work.session.scalars(rows))


def _paged(work: Work, condition: Condition, order: list[Order], stage: Stage) -> list[int]:
    """Read to the end and back again, which finds the same."""
    there: list[int] = []
    wanted: Paging | None = Paging(5, backwards=False, position=None, scope="")
    while wanted is not None:
        page = listing.page(work, condition, order, wanted, stage)
        there += [row.id for row in page.rows]
        wanted = replace(wanted, position=page.positions[-1]) if page.has_next else None
    back: list[int] = []
    wanted = Paging(5, backwards=True, position=None, scope="")
    while wanted is not None:
        page = listing.page(work, condition, order, wanted, stage)
        back = [*(row.id for row in page.rows), *back]
        wanted = replace(wanted, position=page.positions[0]) if page.has_previous else None
    assert there == back
    return there


def _compare(world: World, dice: Random) -> tuple[int, int]:
    """All that both viewers see, for some uses; how many answers were compared, and how many of them let out."""
    compared = passed = 0
    for viewer in (world.administrator, world.partner):
        orgs = world.orgs if viewer is world.administrator else dict.fromkeys(world.orgs, viewer.org_id)
        with world.hub.reading(viewer) as work:
            known = listed.known(work)
            for _ in range(USES):
                request = listed.use(dice, orgs)
                told = listed.listed(work, request)
                assert told == listed.allowed(work, request, known), request
                compared, passed = compared + len(known), passed + len(told)
    return compared, passed


def _compare_stale(world: World, dice: Random) -> int:
    """How many assets are due: none of them is listed, and of all others what the engine lets out."""
    with world.hub.reading(world.administrator) as work:
        due = set(work.session.scalars(sa.select(DeliverableDueRow.asset_id)))
        known = listed.known(work)
        for _ in range(USES):
            request = listed.use(dice, world.orgs)
            assert listed.listed(work, request) == listed.allowed(work, request, known) - due, request
    return len(due)


def _some(work: Work, dice: Random, rows: sa.Select[int]) -> int:
    return dice.choice(sorted(work.session.scalars(rows)))


def _move_license(work: Work, _world: World, dice: Random) -> None:
    row = work.session.get_one(LicenseRow, _some(work, dice, sa.select(LicenseRow.id)))
    row.status = {"DRAFT": "ACTIVE", "ACTIVE": "SUSPENDED", "SUSPENDED": "ACTIVE"}.get(row.status, row.status)
    row.activated_at = row.activated_at or WHEN
    work.session.flush()


def _revoke_release(work: Work, world: World, dice: Random) -> None:
    row = work.session.get_one(ReleaseRow, _some(work, dice, sa.select(ReleaseRow.id)))
    if row.revoked_at is None:
        row.revoked_at, row.revoked_by = WHEN, world.by
    work.session.flush()


def _end_assessment(work: Work, _world: World, dice: Random) -> None:
    chosen = sa.select(AssetRightsRow.id).where(AssetRightsRow.ended_at.is_(None))
    row = work.session.get_one(AssetRightsRow, _some(work, dice, chosen))
    row.ended_at, row.ending = WHEN, "WITHDRAWN"
    work.session.flush()


def _assess(work: Work, world: World, dice: Random) -> None:
    """Of one version alone."""
    version = work.session.get_one(AssetVersionRow, _some(work, dice, sa.select(AssetVersionRow.id)))
    row = AssetRightsRow(org_id=BRAND_ORG_ID, asset_id=version.asset_id, version_id=version.id, coverage="WHOLE")
    row.license_id = _some(work, dice, sa.select(LicenseRow.id))
    held = sa.select(AssetRightsRow.id).where(
        AssetRightsRow.version_id == version.id, AssetRightsRow.license_id == row.license_id
    )
    if work.session.scalar(held) is None:
        row.assessed_at, row.assessed_by, row.recognisable_people = WHEN, world.by, dice.choice((None, False, True))
        work.session.add(row)
    work.session.flush()


def _embargo(work: Work, world: World, dice: Random) -> None:
    row = EmbargoRow(org_id=BRAND_ORG_ID, asset_id=_asset(work, dice), placed_at=WHEN, placed_by=world.by)
    row.ends_at = dice.choice((None, WHEN.replace(month=4, day=dice.randint(1, 30))))
    work.session.add(row)
    work.session.flush()


def _take_down(work: Work, world: World, dice: Random) -> None:
    row = TakedownRow(org_id=BRAND_ORG_ID, asset_id=_asset(work, dice), status="OPEN", opened_at=WHEN)
    row.opened_by = world.by
    work.session.add(row)
    work.session.flush()


def _lift(work: Work, world: World, dice: Random) -> None:
    for row in work.session.scalars(sa.select(EmbargoRow).where(EmbargoRow.lifted_at.is_(None))):
        if dice.random() < 0.5:
            row.lifted_at, row.lifted_by = WHEN, world.by
    work.session.flush()


def _put_in(work: Work, world: World, dice: Random) -> None:
    """Into a newer one, so that nothing contains itself."""
    one, other = sorted(dice.sample(sorted(work.session.scalars(sa.select(AssetVersionRow.id))), 2))
    pair = (ComponentRow.composite_version_id == one, ComponentRow.part_version_id == other)
    below = sa.select(ComponentRow.id).where(ComponentRow.composite_version_id == other)
    if work.session.scalar(sa.select(ComponentRow.id).where(*pair)) is None and work.session.scalar(below) is None:
        row = ComponentRow(composite_version_id=one, part_version_id=other, created_at=WHEN, created_by=world.by)
        work.session.add(row)
    work.session.flush()


def _take_out(work: Work, _world: World, dice: Random) -> None:
    ids = sorted(work.session.scalars(sa.select(ComponentRow.id)))
    if ids:
        work.session.execute(sa.delete(ComponentRow).where(ComponentRow.id == dice.choice(ids)))


def _add_version(work: Work, world: World, dice: Random) -> None:
    written.another_version(work, _asset(work, dice), world.by)


def _regroup(work: Work, _world: World, dice: Random) -> None:
    """Every asset of which anything was said is due."""
    row = work.session.scalars(sa.select(TerritoryGroupMemberRow).limit(1)).one()
    row.territory = dice.choice(("DE", "GB", "FR", "US-NY"))
    work.session.flush()


def _asset(work: Work, dice: Random) -> int:
    return _some(work, dice, sa.select(DeliverableVersionRow.asset_id).distinct())


CHANGES: tuple[Callable[[Work, World, Random], None], ...] = (
    _move_license,
    _revoke_release,
    _end_assessment,
    _assess,
    _embargo,
    _take_down,
    _lift,
    _put_in,
    _take_out,
    _add_version,
    _regroup,
)
