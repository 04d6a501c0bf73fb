"""What was known at a moment that has passed is what was answered then; and what is not kept is said not to be."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest

from domain import history
from domain.hub import Hub
from domain.licensing import activating, answering, assessing, licenses, policy, releases
from domain.licensing.codes import MinorAge, Outcome, ReleaseKind, ReleaseStatus
from domain.licensing.terms import Decision, Request
from domain.likeness import merging
from domain.refusals import Invalid
from domain.work import Viewer, Work
from storage.tables import AssetRow, LicenseRow
from tests.acting import member, organisation
from tests.asking import Client
from tests.assets.acts import accepted, refusal, unchanged
from tests.licensing.past_world import HOUR, Past
from tests.licensing.test_engine_story import DECISION, GRANT, licensed, use
from tests.licensing.writing import moved
from tests.schema.samples import Brand
from tests.usage.using import licensed as licensed_by_hand

STEPS = int(os.environ.get("IMPRIMATUR_PAST_STEPS", "30"))
HISTORIES = int(os.environ.get("IMPRIMATUR_PAST_HISTORIES", "2"))


@pytest.mark.parametrize("seed", range(HISTORIES))
def test_whoever_asks_later_of_a_moment_is_answered_what_was_answered_then(hub: Hub, admin: Viewer, seed: int) -> None:
    world, seen, done = Past(hub, admin, Random(seed)), [], Counter[str]()
    for _ in range(STEPS):
        done[world.step()] += 1
        for version_id in world.versions:
            asked = world.request()
            seen.append((version_id, asked, _decided(world, version_id, asked)))
    world.now += HOUR
    answered, outcomes, unkept = 0, Counter[str](), set()
    for version_id, asked, then in seen:
        try:
            later = _decided(world, version_id, replace(asked, as_of=world.now), asked.as_of)
        except Invalid as refused:
            unkept.add((refused.constraint, refused.message))
            continue
        assert _bytes(later) == _bytes(then), (asked, done)
        answered += 1
        outcomes[then.outcome] += 1
    assert answered > len(seen) // 3, unkept
    assert len(outcomes) >= 2, outcomes
    assert all(kind == "unkept" and ("rewritten" in told or "signed since" in told) for kind, told in unkept)


def _decided(world: Past, version_id: int, asked: Request, then: datetime | None = None) -> Decision:
    with world.here().reading(world.viewer) as work:
        return answering.decision(work, version_id, asked, then=then)


def _bytes(decision: Decision) -> bytes:
    """The epoch counts changes and is not kept of each moment."""
    return policy.canonical(replace(decision, epoch=0))


def _drafted(world: Past, work: Work) -> LicenseRow:
    row = world.draft(work)
    assessing.assess(work, world.assets[0], None, assessing.Wish([row.id]))
    return row


def _rewritten(world: Past) -> None:
    with world.here().writing(world.viewer) as work:
        row = _drafted(world, work)
    _pass(world)
    with world.here().writing(world.viewer) as work:
        licenses.update(work, row.id, row.revision, {}, world.grants())


def _signed(world: Past) -> None:
    with world.here().writing(world.viewer) as work:
        row = releases.create(work, ReleaseKind.MODEL, world.about, {}, [])
        assessing.assess(work, world.assets[0], None, assessing.Wish(release_ids=[row.id]))
    _pass(world)
    with world.here().writing(world.viewer) as work:
        releases.sign(work, row.id, row.revision, ReleaseStatus.UNLIMITED, {"minor_age": MinorAge.A16})


def _merged(world: Past) -> None:
    _pass(world)
    with world.here().writing(world.viewer) as work:
        into, gone = (work.session.get_one(AssetRow, each) for each in world.assets)
        merging.merge(work, merging.Merge(into.id, gone.id, into.revision, gone.revision))


def _regrouped_before_that_was_kept(world: Past) -> None:
    _pass(world)
    with world.here().writing(world.viewer) as work:
        history.record(work, "territory_group.updated", ("TerritoryGroup", world.group), {"revision": 2})


def _taken_out_before_that_was_kept(world: Past) -> None:
    _pass(world)
    told = {"version": world.versions[0], "part": world.versions[1]}
    with world.here().writing(world.viewer) as work:
        history.record(work, "component.removed", ("Asset", world.assets[0]), told)


def _taken_out_when_that_was_kept_as_text(world: Past) -> None:
    _pass(world)
    told = {"version": world.versions[0], "part": world.versions[1], "component": 1, "since": world.now.isoformat()}
    with world.here().writing(world.viewer) as work:
        history.record(work, "component.removed", ("Asset", world.assets[0]), told)


def _pass(world: Past) -> None:
    world.now += HOUR


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (_rewritten, "rewritten"),
        (_signed, "signed"),
        (_merged, "merged"),
        (_regrouped_before_that_was_kept, "group"),
        (_taken_out_before_that_was_kept, "part"),
        (_taken_out_when_that_was_kept_as_text, "part"),
    ],
)
def test_what_is_not_kept_is_not_guessed(hub: Hub, admin: Viewer, change: Callable[[Past], None], word: str) -> None:
    world = Past(hub, admin, Random(7))
    asked, began = world.request(), world.now
    _pass(world)
    change(world)
    _pass(world)
    with unchanged(hub), pytest.raises(Invalid, match=word) as refused:
        _decided(world, world.versions[0], asked, world.now - 2 * HOUR)
    assert (refused.value.path, refused.value.constraint) == (("asOf",), "unkept")
    assert _decided(world, world.versions[0], asked, world.now).outcome in Outcome
    if change in {_rewritten, _signed}:  # what was not there yet is not asked about
        assert _decided(world, world.versions[0], asked, began).outcome in Outcome


def test_of_a_licence_that_was_written_past_the_hub_nobody_knows_how_it_stood(hub: Hub, client: Client) -> None:
    it = licensed_by_hand(client)
    with hub.reading(client.viewer) as work, pytest.raises(Invalid, match="by hand"):
        answering.decision(work, it.version_id, it.request(1), then=work.now)


def test_where_the_clock_was_set_back_nothing_is_said_of_the_moments_between(hub: Hub, admin: Viewer) -> None:
    world = Past(hub, admin, Random(7))
    asked, began = world.request(), world.now
    with world.here().writing(world.viewer) as work:
        row = work.session.query(LicenseRow).order_by(LicenseRow.id).first()
        assert row is not None
        number = row.id
    for verb, hours in ((activating.suspend, 5), (activating.resume, 2), (activating.suspend, 8)):
        world.now = began + hours * HOUR
        with world.here().writing(world.viewer) as work:
            row = work.session.get_one(LicenseRow, number)
            verb(work, number, row.revision, *(["Why."] if verb is activating.suspend else []))
    world.now = began + 9 * HOUR
    for hours in (2, 3, 4):
        with pytest.raises(Invalid) as refused:
            _decided(world, world.versions[0], asked, began + hours * HOUR)
        assert refused.value.constraint == "clock"
    for hours in (1, 5, 8):
        assert _decided(world, world.versions[0], asked, began + hours * HOUR).outcome in Outcome


def test_the_past_is_asked_for_over_graphql_by_whoever_sees_the_version(hub: Hub, client: Client) -> None:
    brand = Brand(hub, client)
    asset = brand.asset()
    version, began = asset["current"]["id"], hub.clock()
    made = licensed(brand, asset, GRANT)
    known = hub.clock()
    accepted(moved(client, "Suspend", made, reason="They asked for it."))

    def outcome(who: Client, **more: Any) -> Any:
        answer = who.answer(DECISION, input=use(version, **more))
        if "errors" in answer:
            (error,) = answer["errors"]
            return error["extensions"]["code"], error["message"]
        return answer["data"]["rightsDecision"]["outcome"]

    assert outcome(client) == "DENIED"
    assert outcome(client, asOf=known.isoformat()) == "ALLOWED"
    assert outcome(client, asOf=began.isoformat()) == "DENIED"
    assert outcome(client, asOf="2020-02-29T23:59:59Z") == ("INVALID", "This version was not there at that moment.")
    tomorrow = (hub.clock() + timedelta(days=1)).isoformat()
    assert outcome(client, asOf=tomorrow) == ("INVALID", "Nobody knows yet what will be known then.")
    agency = Client(hub, member(hub, "agency", org_id=organisation(hub, "Agency", kind="AGENCY")))
    assert outcome(agency, asOf=known.isoformat())[0] == "NOT_FOUND"


def test_a_use_is_reserved_as_things_stand_now(hub: Hub, client: Client) -> None:
    brand = Brand(hub, client)
    asset = brand.asset()
    licensed(brand, asset, GRANT)
    told = use(asset["current"]["id"], asOf=hub.clock().isoformat())
    with unchanged(hub):
        error = refusal(client.mutate("rightsReserve", "usage { id }", use=told))
    assert (error["code"], error["path"]) == ("INVALID", ["use", "asOf"])
