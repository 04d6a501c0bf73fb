"""Whatever the rights are and however it is asked for, bytes leave for a partner exactly where the engine allows it."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
import sqlalchemy as sa

from domain.hub import Hub
from domain.licensing.terms import Request
from domain.work import HUB, Viewer
from server import waiting
from server.app import make_app
from storage.tables import RightsDecisionRow
from tests.asking import rows_everywhere
from tests.delivery import world as worlds
from tests.delivery.world import FROM, SPAN, Address, World
from tests.server.caller import Caller

CASES = int(os.environ.get("IMPRIMATUR_DELIVERY_CASES", "24"))
ROUNDS = int(os.environ.get("IMPRIMATUR_DELIVERY_ROUNDS", "6"))
#: The door is open: there, elsewhere, not changed, a part, no such part, other bytes, or still to be made.
OPEN, MADE_LATER = {200, 302, 304, 206, 412}, 503
LATER = {"transform", "asset transform", "iiif/0,0,8,8/4,/0/default.jpg"}
CLOSED = {404, 410, 451}


@pytest.fixture(autouse=True)
def _no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever is let in to what is still to be made is told so at once."""
    monkeypatch.setattr(waiting, "PATIENCE", 0.02)


@pytest.mark.parametrize("seed", [1, 2])
def test_bytes_leave_for_a_partner_exactly_where_the_engine_allows_it(hub: Hub, admin: Viewer, seed: int) -> None:
    world = worlds.laid_out(hub, admin, seed, CASES)
    dice, opened, refused = Random(seed), 0, 0
    for _ in range(ROUNDS):
        moment = FROM + dice.random() * SPAN
        use = None if dice.random() < 0.5 else world.use(dice)
        given, allowed = world.given(moment, use), world.allowed(moment, use)
        assert {each.version_id for each in given if each.route == "original"} == allowed
        # A stable address is given while an embargo lasts, and opens after it.
        assert {each.version_id for each in given if each.route != "latest"} == allowed
        assert {each.version_id for each in given if each.route == "latest"} >= allowed
        assert all(_is_kept(world, each) for each in given)
        _steady(world, moment, use, given)
        opened += _all(world, given, moment, dice, allowed)
        world.change(dice)
        later = world.allowed(moment, use)
        refused += _all(world, given, moment, dice, later, changed=True)
        over = moment + timedelta(days=dice.choice((1, 2, 40)))
        for each in given:
            if each.route != "latest" and min(each.claims["u"], each.claims["e"] * 3600) <= over.timestamp():
                assert _ask(world, each, over, dice) in CLOSED - {404}
    assert opened > 50
    assert refused > 10


def _all(
    world: World, given: list[Address], moment: datetime, dice: Random, allowed: set[int], *, changed: bool = False
) -> int:
    """How many were open, or with `changed` closed: each exactly as it should be."""
    counted = 0
    for each in given:
        status = _ask(world, each, moment, dice)
        if each.version_id in allowed:
            assert status in OPEN or (status == MADE_LATER and each.route in LATER), each
            counted += not changed
        else:
            assert status == 451, each
            counted += changed
    return counted


def _ask(world: World, address: Address, moment: datetime, dice: Random) -> int:
    headers = dice.choice(({}, {"Range": "bytes=0-3"}, {"If-None-Match": "*"}, {"If-Match": '"other"'}))
    method = dice.choice(("GET", "GET", "HEAD"))
    answer = Caller(make_app(world.at(moment)))(method, address.path, headers)
    if answer.status_code >= 400:
        assert answer.headers["cache-control"] == "no-store"
    elif "max-age=" in answer.headers["cache-control"]:
        most = int(answer.headers["cache-control"].partition("max-age=")[2].partition(",")[0])
        ends = _ends(world, address, answer.headers.get("location"))
        assert moment + timedelta(seconds=most) <= ends
    return answer.status_code


def _ends(world: World, address: Address, location: str | None) -> datetime:
    """When what it was given out by is over."""
    claims = address.claims if location is None else Address(0, "files", location.partition("hub.test")[2]).claims
    with world.hub.reading(HUB) as work:
        row = work.session.get_one(RightsDecisionRow, claims["c"])
        return min(row.expires_at, datetime.fromtimestamp(claims["e"] * 3600, UTC))


def _is_kept(world: World, address: Address) -> bool:
    """Its decision stands in the register, for its version and its party; a stable one at home decides when opened."""
    if address.route == "latest" and "c" not in address.claims:
        return True
    with world.hub.reading(HUB) as work:
        row = work.session.scalars(
            sa.select(RightsDecisionRow).where(RightsDecisionRow.id == address.claims["c"])
        ).one()
    party = row.org_id == address.claims["y"] == world.partner.org_id
    return party and row.version_id == address.version_id and row.outcome.startswith("ALLOWED")


def _steady(world: World, moment: datetime, use: Request | None, given: list[Address]) -> None:
    before = rows_everywhere(world.hub)
    assert [each.path for each in world.given(moment, use)] == [each.path for each in given]
    assert rows_everywhere(world.hub) == before
