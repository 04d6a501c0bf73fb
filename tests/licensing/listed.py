"""A world of random rights, what the index lists of it, and what the engine says of every asset in it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from random import Random

import sqlalchemy as sa

from domain import identity
from domain.assets import listing
from domain.hub import Hub
from domain.licensing import compiled, deciding, facts
from domain.licensing.codes import Action, Outcome
from domain.licensing.terms import Facts, Request
from domain.work import BRAND_ORG_ID, HUB, Viewer, Work
from storage.index.conditions import Deliverable
from storage.tables import AssetRow, ShareRow
from tests import acting
from tests.licensing import random_terms, written
from tests.licensing.written import WHEN, Writing
from tests.listing import rows
from tests.working import work_off
from workers import licensing
from workers.registry import Duties

PASSES = {Outcome.ALLOWED, Outcome.ALLOWED_WITH_DUTIES}
ONLY_THIS = Duties(handlers=licensing.HANDLERS)


@dataclass
class World:
    hub: Hub
    administrator: Viewer
    #: Sees what is approved of assets that were shared with their organisation.
    partner: Viewer
    orgs: dict[int, int]
    by: int

    def writing(self, work: Work) -> Writing:
        return Writing(work, self.by, self.orgs)


def laid_out(hub: Hub, administrator: Viewer, seed: int, cases: int) -> World:
    """So many random facts on assets of which some are approved, some in another version than the current one."""
    dice = Random(seed)
    made = [_facts(dice) for _ in range(cases)]
    count = sum(len(each.subjects) for each in made)
    arrivals = Random(-seed)
    told = [
        rows.Facts(
            f"asset {at}",
            arrivals.choice(rows.KINDS),
            created_at=rows.START + timedelta(days=arrivals.randrange(count // 2 + 1)),
            approved=dice.random() < 0.4,
        )
        for at in range(count)
    ]
    ids = rows.insert(hub, told)
    assert administrator.principal_id is not None
    with hub.writing(HUB) as work:
        orgs = written.organisations(work)
        world = World(hub, administrator, administrator, orgs, administrator.principal_id)
        writing, left = world.writing(work), iter(ids)
        writing.groups(made[0])
        for each in made:
            chosen = [next(left) for _ in each.subjects]
            for asset_id in chosen:
                if dice.random() < 0.2:
                    written.another_version(work, asset_id, world.by)
            writing.facts(each, chosen)
        for asset_id in dice.sample(ids, count // 2):
            share = ShareRow(org_id=BRAND_ORG_ID, asset_id=asset_id, to_org_id=orgs[2], access="READ")
            share.created_at, share.created_by = WHEN, world.by
            work.session.add(share)
    return replace(world, partner=acting.member(hub, "partner", org_id=orgs[2]))


def compile_all(hub: Hub) -> None:
    """As a worker does it that was asked by whoever changed something past the domain."""
    with hub.writing(HUB) as work:
        work.recorded.add("license.activated")
    work_off(hub, ONLY_THIS)


def use(dice: Random, orgs: dict[int, int]) -> Request:
    """A random one that says no more than a filter can."""
    asked = random_terms.request(dice)
    party = orgs[dice.choice((1, 1, 2, 3))]
    action = dice.choice((asked.action, asked.action, *Action))
    return Request(action, asked.channel, asked.territories, asked.window, party, WHEN, purpose=asked.purpose)


def listed(work: Work, request: Request) -> set[int]:
    return set(listing.ids_of(work, compiled.wanted(work, request)))


def allowed(work: Work, request: Request, known: dict[int, Facts]) -> set[int]:
    """What the engine lets out of all that the viewer sees."""
    return {
        asset_id
        for asset_id, version_id in shown(work).items()
        if deciding.decide(known[version_id], request, proposing=False).outcome in PASSES
    }


def shown(work: Work) -> dict[int, int]:
    """Per asset that the viewer sees the version that they are shown."""
    seen = sa.select(AssetRow.id, identity.shown_version_id(work)).where(identity.sees_asset(work))
    return {asset_id: version_id for asset_id, version_id in work.session.execute(seen) if version_id is not None}


def known(work: Work) -> dict[int, Facts]:
    return facts.of_versions(work, shown(work).values())


def _facts(dice: Random) -> Facts:
    found = random_terms.facts(dice)
    return written.generous(dice, found) if dice.random() < 0.7 else found


def used(world: World, dice: Random) -> tuple[bytes, Deliverable]:
    """A use that the newest reach lets out, with all that is said of it."""
    for _ in range(1_000):
        with world.hub.reading(world.administrator) as work:
            asked = compiled.wanted(work, use(dice, world.orgs))
            said = compiled.verdicts_of(work, asked)
        if said.endswith(b"\1"):
            return said, asked
    raise AssertionError("nothing passes")
