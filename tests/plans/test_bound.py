"""Addresses of whoever is bound by licences: a plan gives those that ordinary execution would, under kept decisions."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from domain import delivery
from domain.global_ids import encode
from domain.hub import Hub
from domain.licensing import takedowns
from domain.work import Viewer
from schema import execution, plans
from schema.execution import Asked
from storage import statements
from tests.acting import member
from tests.assets.acts import unchanged
from tests.delivery.brand import Brand
from tests.delivery.licensed import FLYERS, HOME, Licensed

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
QUARTER, SECOND = timedelta(minutes=15), timedelta(seconds=1)
LIST = """query ($ids: [ID!]!) {
  assets(first: 50) { totalCount nodes { id current {
    id download { url validUntil } renditions { preset url { url validUntil } } } } }
  nodes(ids: $ids) { __typename ... on Rendition { url { url } } ... on AssetVersion { download { validUntil } } }
}"""


@pytest.fixture
def it(hub: Hub, admin: Viewer) -> Licensed:
    return Licensed(hub, admin, {"grants": [HOME]})


class Asking:
    """One viewer's asking, of which each answer is compared with that of ordinary execution."""

    def __init__(self, it: Licensed, viewer: Viewer) -> None:
        thumb = it.brand.rendition(it.version, "thumb")
        ids = [encode("Rendition", thumb.id), encode("AssetVersion", it.version.id)]
        self.it, self.viewer, self.asked = it, viewer, Asked(LIST, variables={"ids": ids})

    def planned(self, at: datetime | None = None) -> bool:
        """Whether a plan answered."""
        before = plans.counted.answered
        self.body = self._body(at, has_plans=True)
        is_planned = plans.counted.answered > before
        assert json.loads(self.body) == json.loads(self._body(at, has_plans=False))
        assert b'"errors"' not in self.body
        return is_planned

    @property
    def addresses(self) -> list[bool]:
        """Per asset, newest first, whether there is one of its own bytes."""
        return [each["current"]["download"] is not None for each in self.shown["assets"]["nodes"]]

    @property
    def by_id(self) -> list[bool]:
        """Of the first asset's thumb and of its version, found by their own ids."""
        rendition, version = self.shown["nodes"]
        return [rendition["url"] is not None, version["download"] is not None]

    @property
    def shown(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)["data"]
        return found

    def _body(self, at: datetime | None, *, has_plans: bool) -> bytes:
        hub = self.it.hub if at is None else self.it.at(at)
        told = replace(hub, settings=hub.settings.model_copy(update={"plans": has_plans}))
        return execution.answer(told, self.viewer, self.asked, "test").body


def test_a_plan_answers_a_partner_once_the_decisions_are_kept_and_writes_nothing(it: Licensed) -> None:
    asking = Asking(it, it.partner)
    assert not asking.planned()
    assert len(it.kept()) == 1
    with unchanged(it.hub):
        for _ in range(2):
            assert asking.planned()
            assert (asking.addresses, asking.by_id) == ([True], [True, True])


def test_what_is_not_licensed_is_null_in_a_plan_too(it: Licensed) -> None:
    it.picture({"grants": [FLYERS]}, 1)
    asking = Asking(it, it.partner)
    asking.planned()
    with unchanged(it.hub):
        assert asking.planned()
    assert asking.addresses == [False, True]


def test_an_address_in_a_plan_ends_with_its_licence(it: Licensed) -> None:
    asking = Asking(it, it.partner)
    asking.planned()
    assert asking.planned()
    it.terminate()
    assert asking.planned()
    assert (asking.addresses, asking.by_id) == ([False], [False, False])


def test_a_plan_gives_no_address_of_what_was_taken_down(it: Licensed) -> None:
    asking = Asking(it, it.partner)
    asking.planned()
    assert asking.planned()
    with it.hub.writing(it.admin) as work:
        takedowns.open_(work, it.version.asset_id, "The photographer wrote.")
    assert asking.planned()
    assert (asking.addresses, asking.by_id) == ([False], [False, False])


def test_as_time_passes_a_plan_says_what_would_be_decided_then(hub: Hub, admin: Viewer) -> None:
    """Also where nothing but the clock moves: each moment is asked twice, so that what was kept is asked for."""
    start = hub.clock()
    last = (start + 20 * DAY).date()
    it = Licensed(hub, admin, {"grants": [HOME | {"startsOn": "2020-01-01", "endsOn": last.isoformat()}]})
    asking = Asking(it, it.partner)
    moments = [start + 9 * HOUR * at for at in range(60)] + [start + 40 * DAY]
    seen = []
    for at in moments:
        asking.planned(at)
        assert asking.planned(at), at
        seen.append(asking.addresses)
    assert seen == sorted(seen, reverse=True)
    assert (seen[0], seen[-1]) == ([True], [False])


@pytest.mark.parametrize("who", ["admin", "partner"])
def test_what_is_remembered_never_outlives_its_addresses(it: Licensed, who: str) -> None:
    """Asked again and again at each moment, also where nothing was committed since."""
    asking = Asking(it, getattr(it, who))
    asking.planned()
    start = delivery.minted_since(it.hub.clock()) + QUARTER
    texts = {}
    for at in (start, start + QUARTER / 2, start + QUARTER - SECOND, start + QUARTER, start + 2 * QUARTER):
        for _ in range(2):
            assert asking.planned(at)
            first = asking.shown["assets"]["nodes"][0]["current"]
            shown = [first["download"], *(each["url"] for each in first["renditions"] if each["url"] is not None)]
            lasts = [datetime.fromisoformat(each["validUntil"]) - at for each in shown]
            assert all(HOUR - QUARTER < each <= HOUR for each in lasts), (at, lasts)
            texts[at] = first["download"]["url"]
    assert len(set(texts.values())) == 3


def test_what_is_a_partners_own_needs_no_decision(it: Licensed) -> None:
    designer = member(it.hub, "designer", org_id=it.south, name="Designer")
    Brand(it.hub, designer).asset(b"Words of their own. " * 50)
    it.terminate()
    asking = Asking(it, designer)
    with unchanged(it.hub):
        assert asking.planned()
    assert asking.addresses == [True, False]
    assert it.kept() == []


def test_bars_and_decisions_are_asked_once_for_each_version(it: Licensed) -> None:
    asking = Asking(it, it.partner)
    asking.planned()
    heard: list[str] = []
    statements.heard.append(heard.append)
    try:
        assert asking.planned(it.hub.clock() + HOUR)
    finally:
        statements.heard.remove(heard.append)
    below = [each for each in heard if "rendition.version_id IN" in each or "rendition.version_id = ANY" in each]
    assert len(below) == 1
    assert "takedown" not in below[0]
    assert "rights_decision" not in below[0]
