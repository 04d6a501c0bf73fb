"""Whatever the rights are and however it is asked for, bytes leave for a partner or a guest exactly where the engine
allows it.
"""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from random import Random

import httpx
import pytest
import sqlalchemy as sa

from domain.delivery import minting
from domain.hub import Hub
from domain.licensing.codes import Action, CapUnit
from domain.licensing.terms import Quantity, Request
from domain.work import HUB, Viewer
from server import waiting
from server.app import make_app
from storage.tables import RightsDecisionRow, UsageRow
from storage.types import EPOCH
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
#: What a guest is given: to look at, not to take away, and nothing that outlasts the link.
TO_LOOK_AT = {"rendition"}


@pytest.fixture(autouse=True)
def _no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever is let in to what is still to be made is told so at once."""
    monkeypatch.setattr(waiting, "PATIENCE", 0.02)


@dataclass
class Round:
    """What one use, or none, is given at one moment; and the versions of which bytes have left for it."""

    world: World
    dice: Random
    moment: datetime
    use: Request | None
    used: set[int] = field(default_factory=set)

    @property
    def is_counted(self) -> bool:
        return self.use is not None and bool(self.use.quantities)

    def allowed(self, *of: int) -> set[int]:
        return self.world.allowed(self.moment, self.use, self.used, of or None)


@pytest.mark.timeout(1200)  # hundreds of requests, each to a fresh server, on machines that do other things
@pytest.mark.parametrize(("seed", "guest"), [(2, False), (8, False), (4, True)])
def test_bytes_leave_exactly_where_the_engine_allows_it(hub: Hub, admin: Viewer, seed: int, guest: bool) -> None:
    world = worlds.laid_out(hub, admin, seed, CASES, guest=guest)
    dice, seen = Random(seed), Counter[str]()
    # A guest is given one address of a picture where a partner has seven.
    for number in range(3 * ROUNDS if guest else ROUNDS):
        use = None if number % 3 == 0 else world.use(dice)
        it = Round(world, dice, FROM + dice.random() * SPAN, use)
        given, allowed = world.given(it.moment, use), it.allowed()
        _is_exactly(given, allowed, guest=guest)
        assert all(_is_kept(world, each) for each in given)
        _steady(it, given)
        seen.update(_all(it, given, changed=False))
        world.change(dice)
        seen.update(_all(it, given, changed=True))
        over = it.moment + timedelta(days=dice.choice((1, 2, 40)))
        for each in given:
            if each.route != "latest" and _opens_until(each) <= over:
                assert _ask(world, each, over, dice).status_code in CLOSED - {404}
    assert seen["opened"] > (15 if guest else 50)
    assert seen["refused"] > (5 if guest else 10)
    assert seen["counted"] == _counted(hub) > 0


def test_what_is_full_is_refused_to_whoever_fetches_too_late(hub: Hub, admin: Viewer) -> None:
    """Who was given addresses of all while there was room for each alone."""
    world = worlds.laid_out(hub, admin, 4, 6, scarce=True)
    dice, seen = Random(4), Counter[str]()
    for _ in range(ROUNDS):
        use = replace(
            world.use(dice), action=Action.PUBLISH, quantities=(Quantity(CapUnit.COPIES, dice.randint(40, 60)),)
        )
        it = Round(world, dice, FROM + dice.random() * SPAN, use)
        given = world.given(it.moment, use)
        _is_exactly(given, it.allowed(), guest=False)
        dice.shuffle(given)
        seen.update(_all(it, given, changed=False))
    assert min(seen["full"], seen["opened"]) > 2
    assert seen["counted"] == _counted(hub) > 2


def _is_exactly(given: list[Address], allowed: set[int], *, guest: bool) -> None:
    if guest:
        assert {each.route for each in given} <= TO_LOOK_AT
        assert {each.version_id for each in given} == allowed
        return
    assert {each.version_id for each in given if each.route == "original"} == allowed
    # A stable address is given while an embargo lasts, and opens after it.
    assert {each.version_id for each in given if each.route != "latest"} == allowed
    assert {each.version_id for each in given if each.route == "latest"} >= allowed


def _all(it: Round, given: list[Address], *, changed: bool) -> Counter[str]:
    """What came of asking for each: exactly what should have."""
    found, before = Counter[str](), it.allowed()
    for each in given:
        allowed = each.version_id in (it.allowed(each.version_id) if it.is_counted else before)
        answer = _ask(it.world, each, it.moment, it.dice)
        left = _left(answer, each)
        if allowed:
            assert answer.status_code in OPEN or (answer.status_code == MADE_LATER and each.route in LATER), each
            found["opened"] += not changed
            if left and it.use is not None and each.version_id not in it.used:
                it.used.add(each.version_id)
                found["counted"] += 1
        else:
            # What is full lets whoever was given an address before find that out with the first byte.
            assert answer.status_code == 451 or (it.is_counted and not left), each
            found["refused"] += changed
            found["full"] += it.is_counted and not changed and answer.status_code == 451
    return found


def _left(answer: httpx.Response, address: Address) -> bool:
    """Whether bytes of the picture did."""
    return answer.status_code in {200, 206} and bool(answer.content) and not address.route.endswith("info.json")


def _ask(world: World, address: Address, moment: datetime, dice: Random) -> httpx.Response:
    """What a stable address leads to is asked for as well."""
    headers = dice.choice(({}, {"Range": "bytes=0-3"}, {"If-None-Match": "*"}, {"If-Match": '"other"'}))
    method = dice.choice(("GET", "GET", "HEAD"))
    call = Caller(make_app(world.at(moment)))
    answer = call(method, address.path, headers)
    _check_caching(world, address, answer, moment)
    if answer.status_code != 302:
        return answer
    there = Address(address.version_id, "files", answer.headers["location"].partition("hub.test")[2])
    answer = call(method, there.path, headers)
    _check_caching(world, there, answer, moment)
    return answer


def _check_caching(world: World, address: Address, answer: httpx.Response, moment: datetime) -> None:
    if answer.status_code >= 400:
        assert answer.headers["cache-control"] == "no-store"
    elif "max-age=" in answer.headers["cache-control"]:
        most = int(answer.headers["cache-control"].partition("max-age=")[2].partition(",")[0])
        assert moment + timedelta(seconds=most) <= _ends(world, address, answer.headers.get("location"))


def _ends(world: World, address: Address, location: str | None) -> datetime:
    """When what it was given out by is over."""
    there = address if location is None else Address(0, "files", location.partition("hub.test")[2])
    with world.hub.reading(HUB) as work:
        row = work.session.get_one(RightsDecisionRow, there.claims["c"])
        ends: datetime = min(row.expires_at, EPOCH + there.claims["e"] * minting.STEP)
    return ends


def _opens_until(address: Address) -> datetime:
    ends: datetime = min(datetime.fromtimestamp(address.claims["u"], UTC), EPOCH + address.claims["e"] * minting.STEP)
    return ends


def _is_kept(world: World, address: Address) -> bool:
    """Its decision stands in the register, for its version and its party; a stable one at home decides when opened."""
    if address.route == "latest" and "c" not in address.claims:
        return True
    with world.hub.reading(HUB) as work:
        row = work.session.scalars(
            sa.select(RightsDecisionRow).where(RightsDecisionRow.id == address.claims["c"])
        ).one()
    party = row.org_id == address.claims["y"] == world.viewer.org_id
    return party and row.version_id == address.version_id and row.outcome.startswith("ALLOWED")


def _steady(it: Round, given: list[Address]) -> None:
    before = rows_everywhere(it.world.hub)
    assert [each.path for each in it.world.given(it.moment, it.use)] == [each.path for each in given]
    assert rows_everywhere(it.world.hub) == before


def _counted(hub: Hub) -> int:
    """Uses that deliveries have left in the register."""
    with hub.reading(HUB) as work:
        return work.session.scalar(sa.select(sa.func.count()).where(UsageRow.source == "DELIVERY")) or 0
