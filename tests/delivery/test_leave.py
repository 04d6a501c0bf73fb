"""An address is given out, and opens, by a decision that is kept; to whoever is at work with the asset, by none."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa

from domain import sharing
from domain.delivery import deciding
from domain.global_ids import encode
from domain.hub import Hub
from domain.licensing import components, embargoes
from domain.sharing import Access, Subject
from domain.work import HUB, Viewer
from storage.tables import EventRow, GrantRow, OrganisationRow, UsageRow
from tests.acting import again, give, guest, member, organisation
from tests.asking import Client, rows_everywhere
from tests.assets.acts import accepted, unchanged
from tests.assets.together import together
from tests.delivery.brand import Brand
from tests.delivery.licensed import FLYER, FLYERS, HOME, Licensed
from tests.licensing import writing

MOMENT, HOUR, DAY = timedelta(microseconds=1), timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def it(hub: Hub, admin: Viewer) -> Licensed:
    """Addresses last a day, so that what ends them is the rights that they were given out by."""
    lasting = replace(hub, settings=hub.settings.model_copy(update={"url_hours": 24}))
    return Licensed(lasting, admin, {"grants": [HOME]})


@pytest.fixture
def flyer(hub: Hub, admin: Viewer) -> Licensed:
    """Licensed for flyers alone, a thousand of them."""
    cap = {"unit": "COPIES", "limit": 1_000}
    return Licensed(hub, admin, {"grants": [FLYERS | {"caps": [cap]}]})


def claims(path: str) -> dict[str, Any]:
    token = path.rpartition("/")[2]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))[32:])
    return found


def flyers(amount: int, **more: Any) -> dict[str, Any]:
    return {**FLYER, "quantity": {"unit": "COPIES", "amount": str(amount)}, **more}


def refused(it: Licensed, path: str) -> None:
    """However it is asked for."""
    conditions: list[dict[str, str]] = [{}, {"range": "bytes=0-3"}, {"if_none_match": "*"}, {"if_match": '"other"'}]
    for headers in conditions:
        answer = it.get(path, "GET", None, **headers)
        assert (answer.status_code, answer.json()["code"]) == (451, "RIGHTS_DENIED")
        assert answer.headers["cache-control"] == "no-store"
        assert answer.json()["detail"].count(".") == 1
        assert {"etag", "content-range", "location", "surrogate-key"}.isdisjoint(answer.headers)
    assert it.get(path, "HEAD").status_code == 451


def test_a_partner_is_given_addresses_by_one_kept_decision_and_asking_again_writes_nothing(it: Licensed) -> None:
    paths = it.paths(it.partner)
    (kept,) = it.kept()
    assert (kept.mode, kept.org_id, kept.outcome, kept.version_id) == ("DELIVER", it.south, "ALLOWED", it.version.id)
    assert kept.request["channel"] == "internal.intranet"
    for path in paths[:2]:
        said = claims(path)
        assert (said["c"], said["v"], said["y"], said["h"]) == (kept.id, kept.epoch, it.south, "internal.intranet")
        assert "q" not in said
    with unchanged(it.hub):
        assert it.paths(it.partner) == paths
    assert it.statuses(paths) == [200, 200, 302]
    behind = it.get(paths[2]).headers["location"]
    assert (claims(behind)["c"], it.get(behind).status_code) == (kept.id, 200)
    assert len(it.kept()) == 1


def test_who_is_at_work_with_the_asset_needs_no_decision(it: Licensed) -> None:
    it.terminate()
    designer = member(it.hub, "designer")
    for viewer in (it.admin, designer):
        told = it.told(viewer)
        assert [it.get(told[name]["url"]).status_code for name in ("download", "thumb")] == [200, 200]
    assert it.kept() == []
    stable = it.told(designer)["latest"]["url"]
    refused(it, stable)  # a stable address is for the organisation as such


def test_a_share_to_contribute_binds_and_ones_own_pictures_do_not(it: Licensed) -> None:
    agency = member(it.hub, "agency", org_id=it.south, name="Agency")
    draft, own = it.brand.asset(b"A draft. " * 60), Brand(it.hub, agency).asset(b"Their own. " * 60)
    with it.hub.writing(it.admin) as work:
        sharing.create(work, Subject(draft.asset_id, None), it.south, Access.CONTRIBUTE, None)
    query = "query ($id: ID!) { asset(id: $id) { current { download { url } } } }"
    asked = {name: encode("Asset", each.asset_id) for name, each in (("draft", draft), ("own", own))}
    told = {name: Client(it.hub, agency).ask(query, id=id_)["asset"]["current"] for name, id_ in asked.items()}
    assert told["draft"] == {"download": None}
    assert it.get(urlsplit(told["own"]["download"]["url"]).path).status_code == 200
    assert it.kept() == []


def test_a_guest_looks_at_what_the_host_may_for_as_long(it: Licensed) -> None:
    visitor = guest(it.hub, it.admin, asset_id=it.version.asset_id)
    told = it.told(visitor)
    assert (told["download"], told["latest"]) == (None, None)
    path = urlsplit(told["thumb"]["url"]).path
    (kept,) = it.kept()
    assert (kept.org_id, claims(path)["c"], it.get(path).status_code) == (1, kept.id, 200)
    it.terminate()
    refused(it, path)


def test_what_is_not_licensed_has_no_address_and_leaves_no_trace(it: Licensed) -> None:
    it.terminate()
    nothing = {"download": None, "thumb": None, "latest": None}
    with unchanged(it.hub):
        assert it.told(it.partner) == nothing
        assert it.told(it.admin, FLYER) == nothing
    query = """query ($version: ID!) { rightsDecision(input: {versionId: $version, action: DOWNLOAD,
      channel: "internal.intranet", territories: ["WORLDWIDE"], window: {from: "2026-12-01", to: "2026-12-01"}
    }) { outcome reasons { code } } }"""
    told = Client(it.hub, it.partner).ask(query, version=encode("AssetVersion", it.version.id))["rightsDecision"]
    assert told == {"outcome": "DENIED", "reasons": [{"code": "LICENSE_NOT_ACTIVE"}]}


def test_an_address_ends_with_the_licence_and_no_cache_keeps_it_longer(hub: Hub, admin: Viewer) -> None:
    last = hub.clock().date() + DAY
    it = Licensed(hub, admin, {"grants": [HOME], "endsOn": last.isoformat(), "zone": "America/New_York"})
    end = datetime(last.year, last.month, last.day, tzinfo=UTC) + DAY + 5 * HOUR
    shortly = end - 90 * timedelta(seconds=1)
    given = it.told(it.partner, at=shortly)
    assert {given[name]["validUntil"] for name in ("download", "thumb")} == {f"{end:%Y-%m-%dT%H:%M:%SZ}"}
    paths = it.paths(it.partner, at=shortly)
    for path in paths[:2]:
        kept = it.get(path, at=shortly).headers["cache-control"]
        assert "max-age=90" in kept
    latest = it.get(paths[2], at=end - 20 * timedelta(seconds=1))
    assert latest.headers["cache-control"].endswith("max-age=20")
    assert it.statuses(paths, end - MOMENT) == [200, 200, 302]
    assert it.statuses(paths, end) == [410, 410, 451]
    assert it.told(it.partner, at=end) == {"download": None, "thumb": None, "latest": None}


def test_what_is_over_closes_every_address_that_was_given_out(it: Licensed) -> None:
    paths = it.paths(it.partner)
    behind = it.get(paths[2]).headers["location"]
    at_work = it.paths(it.admin)[:2]
    it.terminate()
    for path in (*paths, behind):
        refused(it, path)
    assert it.statuses(at_work) == [200, 200]


def test_rights_that_moved_and_still_allow_it_open_as_before(it: Licensed) -> None:
    paths, before = it.paths(it.partner), writing.epoch(it.hub, {"id": encode("Asset", it.version.asset_id)})
    it.assess(it.version, licenses=[writing.active(it.client, "Another")["id"]])
    assert writing.epoch(it.hub, {"id": encode("Asset", it.version.asset_id)}) > before
    told = len(it.kept())
    assert it.statuses(paths[:2]) == [200, 200]
    assert len(it.kept()) == told
    assert it.get(paths[2]).status_code == 302


def test_a_licence_that_supersedes_it_closes_what_it_does_not_carry(it: Licensed) -> None:
    paths = it.paths(it.partner)
    newer = writing.draft(it.client, "Narrower", sublicensable=True, grants=[FLYERS])
    told = {"by": newer["id"], "reason": "Less was bought."}
    accepted(writing.moved(it.client, "Supersede", it.license, **told))
    for path in paths:
        refused(it, path)


def test_one_that_ends_earlier_shortens_what_was_given_out(it: Licensed) -> None:
    paths = it.paths(it.partner)
    today = it.hub.clock().date()
    ends = {"endsOn": today.isoformat()}
    newer = writing.draft(it.client, "Shorter", sublicensable=True, grants=[HOME], **ends)
    accepted(writing.moved(it.client, "Supersede", it.license, by=newer["id"], reason="Less was bought."))
    end = datetime(today.year, today.month, today.day, tzinfo=UTC) + DAY
    assert (
        it.get(paths[0], at=end - 10 * timedelta(seconds=1)).headers["cache-control"].startswith("private, max-age=10,")
    )
    assert it.statuses(paths, end) == [451, 451, 451]


def test_what_it_is_made_of_closes_it_too(it: Licensed) -> None:
    paths, whole = it.paths(it.partner), it.version
    part = it.brand.asset(b"A part. " * 60)
    theirs = writing.active(it.client, "Of the part", sublicensable=True, grants=[HOME])
    it.assess(part, licenses=[theirs["id"]])
    with it.hub.writing(it.admin) as work:
        components.add(work, whole.id, part.id)
    assert it.statuses(paths) == [200, 200, 302]
    accepted(writing.moved(it.client, "Terminate", theirs, reason="It is over."))
    for path in paths:
        refused(it, path)


def test_whoever_was_at_work_when_it_was_given_out_and_is_no_more_opens_nothing(it: Licensed) -> None:
    """Though they still see the asset, and it is licensed."""
    north = organisation(it.hub, "North")
    with it.hub.writing(HUB) as work:
        work.session.execute(sa.update(OrganisationRow).where(OrganisationRow.id == north).values(kind="AFFILIATE"))
    keeper = member(it.hub, "librarian", org_id=north)
    there = Licensed.__new__(Licensed)
    there.__dict__ |= it.__dict__
    version = type(it.brand)(it.hub, keeper).asset(b"Of the north. " * 60)
    it.brand.approve(version)
    there.version = version
    designer = member(it.hub, "designer")
    it.brand.render(version, "thumb", b"of the north")
    paths = there.paths(designer)[:2]
    assert (it.kept(), it.statuses(paths)) == ([], [200, 200])
    assert designer.principal_id is not None
    with it.hub.writing(HUB) as work:
        mine = sa.update(GrantRow).where(GrantRow.principal_id == designer.principal_id)
        work.session.execute(mine.values(revoked_at=work.now))
        give(it.hub, designer.principal_id, "partner", session=work.session)
    assert it.statuses(paths) == [404, 404]
    fresh = there.paths(again(it.hub, designer))[:2]
    assert it.statuses(fresh) == [200, 200]
    assert [each.org_id for each in it.kept()] == [1]


def test_a_stranger_finds_nothing_whatever_the_rights_say(it: Licensed) -> None:
    paths = it.paths(it.partner)
    stranger = member(it.hub, "partner", org_id=organisation(it.hub, "West", kind="PARTNER"))
    found = Client(it.hub, stranger).ask("query ($id: ID!) { asset(id: $id) { id } }", id=encode("Asset", 1))
    assert found == {"asset": None}
    with it.hub.writing(HUB) as work:
        taken = sa.update(GrantRow).where(GrantRow.principal_id == it.partner.principal_id)
        work.session.execute(taken.values(revoked_at=work.now))
    assert it.statuses(paths) == [404, 404, 404]
    it.terminate()
    assert it.statuses(paths) == [404, 404, 404]


def test_a_use_that_is_licensed_gives_what_looking_does_not(flyer: Licensed) -> None:
    assert flyer.told(flyer.partner)["download"] is None
    paths = flyer.paths(flyer.partner, flyers(400))
    (kept,) = flyer.kept()
    assert (claims(paths[0])["q"], claims(paths[0])["h"]) == (kept.id, "print.flyer")
    assert flyer.told(flyer.partner, flyers(1_001))["download"] is None
    assert flyer.told(flyer.partner, {**flyers(400), "territories": ["DE", "CH"]})["download"] is None
    assert len(flyer.kept()) == 1


def test_a_use_is_recorded_once_with_its_first_bytes(flyer: Licensed) -> None:
    paths = flyer.paths(flyer.partner, flyers(400))
    assert flyer.get(paths[0], "HEAD").status_code == 200
    tag = flyer.get(paths[0], "HEAD").headers["etag"]
    assert flyer.get(paths[0], if_none_match=tag).status_code == 304
    assert used(flyer.hub) == []
    assert flyer.statuses(paths[:2] * 2) == [200] * 4
    assert used(flyer.hub) == [("ACTUAL", "DELIVERY", flyer.kept()[0].id)]
    with flyer.hub.reading(HUB) as work:
        served = sa.select(EventRow).where(EventRow.type == "delivery.served").order_by(EventRow.id)
        assert {each.payload["decision"] for each in work.session.scalars(served)} == {flyer.kept()[0].id}


def test_a_use_that_others_left_no_room_for_is_refused_and_nothing_leaves(flyer: Licensed) -> None:
    first, second = (flyer.paths(flyer.partner, flyers(amount))[0] for amount in (600, 500))
    assert flyer.get(first).status_code == 200
    with unchanged(flyer.hub):
        answer = flyer.get(second)
        assert (answer.status_code, answer.json()["code"]) == (451, "RIGHTS_DENIED")
    assert len(used(flyer.hub)) == 1


def test_the_same_use_under_rights_that_moved_is_not_counted_again(flyer: Licensed) -> None:
    path = flyer.paths(flyer.partner, flyers(900))[0]
    assert flyer.get(path).status_code == 200
    flyer.assess(flyer.version, licenses=[writing.active(flyer.client, "Another")["id"]])
    again_ = flyer.paths(flyer.partner, flyers(900))[0]
    assert flyer.statuses([path, again_]) == [200, 200]
    first, second = flyer.kept()
    assert (second.repeats_id, claims(again_)["q"]) == (first.id, first.id)
    assert used(flyer.hub) == [("ACTUAL", "DELIVERY", first.id)]


def test_a_stable_address_for_a_use_is_over_when_the_use_is(flyer: Licensed) -> None:
    stable = flyer.paths(flyer.partner, flyers(100))[2]
    behind = flyer.get(stable).headers["location"]
    assert claims(behind)["q"] == flyer.kept()[0].id
    assert flyer.get(behind).status_code == 200
    over = datetime(2027, 1, 2, tzinfo=UTC)
    assert flyer.get(stable, at=over).status_code == 410
    flyer.terminate()
    refused(flyer, stable)


@pytest.mark.parametrize(
    ("use", "argument"),
    [
        ({**FLYER, "window": {"from": "2026-12-31", "to": "2026-01-01"}}, "window"),
        ({**FLYER, "channel": "print"}, "channel"),
        ({**FLYER, "channel": "print.leaflet"}, "channel"),
        ({**FLYER, "territories": ["XX"]}, "territories"),
        ({**FLYER, "territories": []}, "territories"),
        ({**FLYER, "window": {"from": "2026-01-01", "to": "2026-01-02", "zone": "Europe/Nowhere"}}, "zone"),
        ({**FLYER, "party": encode("Organisation", 1)}, "party"),
    ],
)
def test_a_use_that_says_nothing_that_can_be_decided_is_refused_as_a_decision_is(
    it: Licensed, use: dict[str, Any], argument: str
) -> None:
    asked = """query ($id: ID!, $use: UseInput) { asset(id: $id) { current { download(use: $use) { url } } } }"""
    with unchanged(it.hub):
        answer = Client(it.hub, it.partner).answer(asked, id=encode("Asset", it.version.asset_id), use=use)
    (error,) = answer["errors"]
    assert error["extensions"]["code"] == ("NOT_FOUND" if argument == "party" else "INVALID")
    assert error["extensions"]["argument"] == argument
    assert answer["data"]["asset"]["current"] == {"download": None}


def test_a_decision_serves_for_a_month_and_then_another_is_made(it: Licensed) -> None:
    start = it.hub.clock()
    it.told(it.partner)
    it.told(it.partner, at=start + (deciding.AHEAD - 1) * DAY)
    assert len(it.kept()) == 1
    given = it.told(it.partner, at=start + (deciding.AHEAD + 2) * DAY)["download"]
    assert given is not None
    assert len(it.kept()) == 2


def test_a_grant_that_ends_soon_gives_addresses_until_then(hub: Hub, admin: Viewer) -> None:
    soon = hub.clock().date() + 3 * DAY
    it = Licensed(hub, admin, {"grants": [HOME | {"endsOn": soon.isoformat()}]})
    given = it.told(it.partner)["download"]
    assert given is not None
    end = datetime(soon.year, soon.month, soon.day, tzinfo=UTC) + DAY
    before = it.told(it.partner, at=end - HOUR / 2)["download"]
    assert before["validUntil"] == f"{end:%Y-%m-%dT%H:%M:%SZ}"
    assert len(it.kept()) == 1


def test_an_embargo_that_is_over_since_this_morning_holds_nothing_back(it: Licensed) -> None:
    now = it.hub.clock()
    with it.hub.writing(it.admin) as work:
        embargoes.place(work, it.version.asset_id, now + HOUR, now + 2 * HOUR, "The fair opens then.")
    paths = it.paths(it.partner)
    assert it.statuses(paths) == [200, 200, 302]
    assert it.statuses(paths, now + HOUR) == [451, 451, 451]
    assert it.told(it.partner, at=now + HOUR) == it.told(it.partner, at=now + HOUR) | {"download": None, "thumb": None}
    assert it.statuses(paths, now + 2 * HOUR) == [200, 200, 302]
    assert it.told(it.partner, at=now + 2 * HOUR)["download"] is not None


def test_every_address_of_a_partners_list_is_given_by_a_decision(it: Licensed) -> None:
    for number in range(1, 6):
        it.picture({"grants": [HOME if number % 2 else FLYERS]}, number)
    query = (
        """{ assets(first: 50) { nodes { id current { id download { url } renditions { preset url { url } } } } } }"""
    )
    nodes = Client(it.hub, it.partner).ask(query)["assets"]["nodes"]
    given = [claims(url["url"])["i"] for node in nodes if (url := node["current"]["download"]) is not None]
    assert sorted(given) == sorted(each.version_id for each in it.kept())
    assert (len(nodes), len(given)) == (6, 4)
    before = rows_everywhere(it.hub)
    assert Client(it.hub, it.partner).ask(query)["assets"]["nodes"] == nodes
    assert rows_everywhere(it.hub) == before


def test_as_many_as_there_are_connections_are_given_addresses_at_once(it: Licensed) -> None:
    """Each of them reads a snapshot while its decision is written."""
    partners = [member(it.hub, "partner", org_id=organisation(it.hub, f"P{at}", kind="PARTNER")) for at in range(12)]
    for partner in partners:
        with it.hub.writing(it.admin) as work:
            sharing.create(work, Subject(it.version.asset_id, None), partner.org_id, Access.READ, None)
    told = together([partial(it.told, partner) for partner in partners])
    assert all(each["download"] is not None for each in told)
    assert {each.org_id for each in it.kept()} == {partner.org_id for partner in partners}


def used(hub: Hub) -> list[tuple[str, str, int]]:
    with hub.reading(HUB) as work:
        return [(each.phase, each.source, each.decision_id) for each in work.session.scalars(sa.select(UsageRow))]
