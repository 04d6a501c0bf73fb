"""Why nothing leaves of an asset, held to the engine that decides on what leaves."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from datetime import date, timedelta

import sqlalchemy as sa

from domain.changes import rights
from domain.delivery import bars
from domain.hub import Hub
from domain.licensing import activating, assessing, deciding, facts
from domain.licensing.codes import Action, Outcome
from domain.licensing.terms import Request, Window
from domain.work import HUB, Work
from storage.tables import AssetRow
from tests.changes import leaving
from tests.changes.world import World

EVER = date(2020, 1, 1)
#: Days of which none is near the walk's: the engine decides by days, the feed tells by moments.
TERMS = ((EVER, None, "UTC"), (EVER, date(2026, 1, 5), "Pacific/Auckland"), (date(2026, 1, 7), None, "Asia/Kolkata"))
ASSETS = range(1, 5)
PASSES = {Outcome.ALLOWED, Outcome.ALLOWED_WITH_DUTIES}


def test_a_reason_is_told_exactly_while_the_engine_lets_nothing_out(hub: Hub) -> None:
    world = World(hub)
    world.moment += timedelta(days=2)
    _begin(world)
    chance = random.Random(7)
    seen: Counter[str] = Counter()
    for step in range(120):
        _move(world, chance)
        if step == 60:
            world.moment += timedelta(days=9)
        with world.hub.reading(HUB) as work:
            told = rights.reasons(work, ASSETS)
            assert {id_: id_ not in told for id_ in ASSETS} == _let_out(work), step
        seen.update(told[id_].value if id_ in told else "none" for id_ in ASSETS)
    assert min(seen[each] for each in ("none", "WITHDRAWN", "RECALLED", "EXPIRED")) > 0, seen


def _begin(world: World) -> None:
    """Each asset is under one licence, and nobody can be recognised."""

    def act(work: Work) -> None:
        rows = [leaving.draft(work, f"Terms {at}", *terms) for at, terms in enumerate(TERMS)]
        for row in rows:
            activating.activate(work, row.id, row.revision)
        for asset_id in ASSETS:
            own = assessing.of_assets(work, [asset_id])[asset_id]
            nobody = assessing.Wish(recognisable_people=False, recognisable_property=False)
            assessing.assess(work, asset_id, None, nobody)
            assessing.assess(work, asset_id, None, assessing.Wish([rows[asset_id % 2].id]))
            for each in own:
                assessing.withdraw(work, each.id, leaving.WHY)

    with world.hub.writing(world.viewer("admin")) as work:
        act(work)
    leaving.found_releases(world)


def _move(world: World, chance: random.Random) -> None:
    asset, other, at = chance.choice(ASSETS), chance.choice(ASSETS), chance.randrange(12)
    match chance.randrange(12):
        case 0:
            leaving.take_down(world, asset)
        case 1 | 2:
            leaving.put_up(world, at)
        case 3:
            leaving.hold_back(world, asset, chance.choice((None, 0)), chance.choice((None, 240)))
        case 4 | 5:
            leaving.let_go(world, at)
        case 6 | 7:
            leaving.assess(world, asset, at, None, of_release=chance.random() < 1 / 4)
        case 8:
            leaving.withdraw(world, at)
        case 9:
            leaving.move_license(world, at, chance.choice(("suspend", "terminate", "supersede")))
        case 10:
            leaving.move_license(world, at, "resume")
            leaving.build_in(world, asset, other, 0, out=chance.random() < 1 / 2)
        case 11 if chance.random() < 1 / 4:
            leaving.revoke_release(world, at)


def _let_out(work: Work) -> dict[int, bool]:
    """Whether the version that leaves may, for a use that leaves open what it is for; embargoes by the moment."""
    leaving_of = sa.func.coalesce(AssetRow.approved_version_id, AssetRow.current_version_id)
    rows = work.session.execute(sa.select(AssetRow.id, leaving_of).where(AssetRow.id.in_(ASSETS)))
    versions: dict[int, int] = dict(rows.all())
    barred, known = bars.barred(work, versions.values()), facts.of_versions(work, versions.values())
    today = work.now.date()
    request = Request(Action.VIEW, "web.site", ("DE",), Window(today, today), 1, work.now, zone="UTC")
    found = {}
    for id_, version in versions.items():
        subjects = {key: replace(each, embargoes=()) for key, each in known[version].subjects.items()}
        outcome = deciding.decide(replace(known[version], subjects=subjects), request).outcome
        found[id_] = not barred[version] and outcome in PASSES
    return found
