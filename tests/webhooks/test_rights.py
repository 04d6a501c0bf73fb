"""Whose rights a webhook has: nobody is told of what they may not see, and nothing is said that they may not read."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from domain import identity
from domain.global_ids import decode, encode
from domain.permissions import Permission
from domain.work import HUB, Viewer
from storage.tables import EventRow, GrantRow, PrincipalRow, RoleRow, TokenRow
from tests import acting
from tests.asking import Client
from tests.assets import acts
from tests.webhooks.house import House
from tests.working import mutate, refused

P = Permission


def role(house: House, *permissions: P) -> str:
    name = " ".join(sorted(each.value for each in permissions))
    with house.hub.writing(HUB) as work:
        if work.session.scalar(sa.select(RoleRow.id).where(RoleRow.name == name)) is None:
            work.session.add(RoleRow(name=name, permissions=name.split(), created_at=work.now))
    return name


def account(house: House, *permissions: P, org_id: int = 1) -> int:
    """A service account that holds these; its number."""
    with house.hub.writing(HUB) as work:
        row = PrincipalRow(org_id=org_id, kind="SERVICE", name="Machine", created_at=work.now)
        work.session.add(row)
        work.session.flush()
        number = row.id
    if permissions:
        name = role(house, *permissions)
        with house.hub.writing(HUB) as work:
            acting.give(house.hub, number, name, org_id=org_id, session=work.session)
    return number


def for_account(house: House, number: int, **fields: Any) -> dict[str, Any]:
    return house.made(serviceAccount=encode("ServiceAccount", number), **fields)


def somebody(house: House, *permissions: P, org_id: int = 1) -> Client:
    return Client(house.hub, acting.member(house.hub, role(house, *permissions), org_id=org_id))


def approve(house: House, asset: dict[str, Any]) -> None:
    given = {"version": asset["current"]["id"], "sha256": asset["current"]["sha256"]}
    acts.accepted(house.client.mutate("assetVersionApprove", "asset { id }", ownWork=True, **given))


def test_who_sees_only_what_is_approved_is_told_of_nothing_else(house: House) -> None:
    everything = ["ASSET_CREATED", "ASSET_UPDATED", "ASSET_VERSION_ADDED", "ASSET_VERSION_APPROVED", "RENDITION_QUEUED"]
    for_account(house, account(house, P.ASSET_VIEW), events=everything)
    asset = house.asset(1, title="A secret plan")
    house.asset(2, title="Another")
    assert house.tell() == 0
    assert house.deliveries() == []
    approve(house, asset)
    house.tell()
    assert [each["type"] for each in house.bodies] == ["asset.version_approved"]
    newer = house.client.ask("query ($id: ID!) { asset(id: $id) { id revision } }", id=asset["id"])["asset"]
    acts.accepted(acts.add_version(house.client, newer, acts.picture(3)))
    assert house.tell() == 0
    assert b"secret" not in b"".join(each.body for each in house.there.got).replace(b"A secret plan", b"")


def test_nothing_is_told_of_what_another_organisation_has(house: House) -> None:
    other = acting.organisation(house.hub, "Other")
    seen = for_account(house, account(house, P.ASSET_VIEW, P.ASSET_VIEW_UNAPPROVED, org_id=other))
    house.asset()
    assert house.tell() == 0
    theirs = Client(house.hub, acting.member(house.hub, "designer", org_id=other))
    asset = acts.created(theirs, acts.picture(9))
    assert house.tell() == 1
    assert (house.bodies[0]["subject"], decode(seen["id"])[0]) == (asset["id"], "Webhook")


def test_takedowns_and_embargoes_are_told_to_whoever_is_told_of_the_asset(house: House) -> None:
    events = ["TAKEDOWN_OPENED", "TAKEDOWN_LIFTED", "EMBARGO_PLACED"]
    for_account(house, account(house, P.ASSET_VIEW), events=events)
    asset, hidden = house.asset(1), house.asset(2)
    approve(house, asset)
    why = {"reason": "A letter of Ada Lovelace."}
    for each in (asset, hidden):
        opened = house.client.mutate("takedownOpen", "takedown { id revision }", asset=each["id"], **why)
        acts.accepted(house.client.mutate("embargoPlace", "embargo { id }", asset=each["id"], **why))
        found = acts.accepted(opened)["takedown"]
        lifting = {"takedown": found["id"], "expectedRevision": found["revision"]}
        acts.accepted(house.client.mutate("takedownLift", "takedown { id }", **lifting, **why))
    house.tell()
    told = {(each["type"], each["subject"]) for each in house.bodies}
    assert told == {(each, asset["id"]) for each in ("takedown.opened", "takedown.lifted", "embargo.placed")}
    assert b"Lovelace" not in b"".join(each.body for each in house.there.got)


def test_nothing_of_a_denied_field_is_in_a_message(house: House) -> None:
    hook = for_account(
        house,
        account(house, P.ASSET_VIEW, P.ASSET_VIEW_UNAPPROVED, P.AUDIT_VIEW),
        document="query ($subject: ID!) { node(id: $subject) { ... on Asset { title } } "
        "auditEvents(first: 5) { nodes { type reason } } people(first: 5) { nodes { __typename } } }",
    )
    reason = "Because Ada Lovelace asked"
    asset = house.asset(title="Shown")
    answer = house.client.answer("{ me { name } }")
    assert answer["data"]
    with house.hub.writing(house.admin) as work:
        work.reason = reason
        from domain import history

        history.record(work, "asset.updated", ("Asset", decode(asset["id"])[1]))
    house.tell()
    told = house.there.got[-1].body.decode()
    assert reason not in told
    assert {each["reason"] for each in json.loads(told)["data"]["auditEvents"]["nodes"]} == {None}
    assert "Shown" in told
    with house.hub.reading(HUB) as work:
        assert reason in set(work.session.scalars(sa.select(EventRow.reason)))
    assert hook["state"] == "ACTIVE"


def test_a_webhook_limited_by_scopes_sees_no_more_than_they_let(house: House) -> None:
    house.made(scopes=["ASSET_VIEW"])
    asset = house.asset()
    assert house.tell() == 0
    approve(house, asset)
    acts.accepted(
        acts.change(
            house.client,
            "assetUpdate",
            house.client.ask("query ($id: ID!) { asset(id: $id) { id revision } }", id=asset["id"])["asset"],
            title="New",
        )
    )
    assert house.tell() == 1


def stop(house: House, number: int, how: str) -> None:
    with house.hub.writing(HUB) as work:
        if how == "disabled":
            work.session.get_one(PrincipalRow, number).disabled_at = work.now
        else:
            revoked = sa.update(GrantRow).where(GrantRow.principal_id == number)
            work.session.execute(revoked.values(revoked_at=work.now))


@pytest.mark.parametrize("how", ["disabled", "revoked"])
def test_when_the_rights_end_deliveries_stop_and_it_says_so(house: House, how: str) -> None:
    number = account(house, P.ASSET_VIEW, P.ASSET_VIEW_UNAPPROVED)
    hook = for_account(house, number)
    house.asset(1)
    assert house.follow() == 1  # words were found, nothing was sent yet
    stop(house, number, how)
    house.send()
    house.asset(2)
    house.tell()
    assert house.there.got == []
    (delivery,) = house.deliveries()
    assert (delivery.state, delivery.failure_code) == ("FAILED", "RIGHTS_ENDED")
    shown = house.client.ask(
        "query ($id: ID!) { node(id: $id) { ... on Webhook { state disabled { code message } } } }", id=hook["id"]
    )["node"]
    assert (shown["state"], shown["disabled"]["code"]) == ("DISABLED", "RIGHTS_ENDED")
    with house.hub.reading(HUB) as work:
        told = list(work.session.scalars(sa.select(EventRow.payload).where(EventRow.type == "webhook.disabled")))
    assert told == [{"code": "RIGHTS_ENDED"}]


def test_it_says_so_although_nothing_happens(house: House) -> None:
    from domain import webhooks

    number = account(house, P.ASSET_VIEW)
    hook = for_account(house, number)
    stop(house, number, "disabled")
    with house.hub.writing(HUB) as work:
        webhooks.tend(work)
    assert house.row(hook).disabled_code == "RIGHTS_ENDED"


def with_token(house: House, **fields: Any) -> tuple[int, Client]:
    with house.hub.writing(house.admin) as work:
        made = identity.create_token(work, "press", **fields)
    return made.id, Client(house.hub, identity.viewer_of_token(house.hub, made.secret, "192.0.2.1"))


def test_a_webhook_reaches_as_far_as_the_token_that_it_was_made_with_and_ends_with_it(house: House) -> None:
    scopes = [P.WEBHOOK_MANAGE, P.ASSET_VIEW, P.PEOPLE_VIEW]
    number, client = with_token(house, scopes=scopes)
    hook = house.made(client)
    asset = house.asset()
    assert house.tell() == 0
    approve(house, asset)
    house.changed(hook, events=["ASSET_UPDATED", "ASSET_VERSION_APPROVED"])
    acts.accepted(
        acts.change(
            house.client,
            "assetUpdate",
            house.client.ask("query ($id: ID!) { asset(id: $id) { id revision } }", id=asset["id"])["asset"],
            title="New",
        )
    )
    assert house.tell() == 2
    with house.hub.writing(HUB) as work:
        work.session.get_one(TokenRow, number).revoked_at = work.now
    house.asset(5)
    acts.accepted(
        acts.change(
            house.client,
            "assetUpdate",
            house.client.ask("query ($id: ID!) { asset(id: $id) { id revision } }", id=asset["id"])["asset"],
            title="Newer",
        )
    )
    assert house.tell() == 0
    assert house.row(hook).disabled_code == "RIGHTS_ENDED"


def test_a_token_for_some_networks_makes_no_webhook(house: House) -> None:
    _, client = with_token(house, networks=["192.0.2.0/24"])
    error = refused(client, "webhookCreate", "webhook { id }", **house.wish())
    assert error["code"] == "NOT_ALLOWED"


def test_a_webhook_for_an_account_ends_when_the_token_does_that_made_it(house: House) -> None:
    number = account(house, P.ASSET_VIEW, P.ASSET_VIEW_UNAPPROVED)
    _, client = with_token(house, expires_at=house.hub.clock() + timedelta(days=1))
    hook = house.made(client, serviceAccount=encode("ServiceAccount", number))
    house.asset(1)
    assert house.tell() == 1
    house.later(days=2)
    house.asset(2)
    assert house.tell() == 0
    assert house.row(hook).disabled_code == "RIGHTS_ENDED"


def test_nobody_makes_a_webhook_that_sees_more_than_they_do(house: House) -> None:
    strong = account(house, *Permission)
    client = somebody(house, P.WEBHOOK_MANAGE, P.ASSET_VIEW, P.PEOPLE_VIEW)
    wish = house.wish(serviceAccount=encode("ServiceAccount", strong))
    error = refused(client, "webhookCreate", "webhook { id }", **wish)
    assert (error["code"], error["path"]) == ("NOT_ALLOWED", ["serviceAccount"])
    made = house.made(client, serviceAccount=encode("ServiceAccount", strong), scopes=["ASSET_VIEW"])
    assert made["state"] == "ACTIVE"


def test_who_may_see_less_than_a_webhook_only_looks_at_it_and_stops_it(house: House) -> None:
    hook = house.made()
    house.asset()
    house.tell()
    weaker = somebody(house, P.WEBHOOK_MANAGE, P.ASSET_VIEW)
    given = {"webhook": hook["id"], "expectedRevision": hook["revision"]}
    other = f"http://127.0.0.1:{house.there.port}/other"
    (delivery,) = house.deliveries()
    of_delivery = encode("WebhookDelivery", delivery.id)
    for mutation, fields in (
        ("webhookUpdate", {**given, "url": other}),
        ("webhookSecretRotate", {**given, "overlapHours": 0}),
        ("webhookTest", {"webhook": hook["id"]}),
        ("webhookDeliveryReplay", {"delivery": of_delivery}),
    ):
        entity = "delivery" if mutation in {"webhookTest", "webhookDeliveryReplay"} else "webhook"
        error = refused(weaker, mutation, f"{entity} {{ id }}", **fields)
        assert error["code"] == "NOT_ALLOWED", mutation
    asked = "query ($id: ID!) { node(id: $id) { ... on WebhookDelivery { type body attempts { status } } } }"
    assert weaker.ask(asked, id=of_delivery)["node"] == {
        "type": "asset.created",
        "body": None,
        "attempts": [{"status": 204}],
    }
    assert house.client.ask(asked, id=of_delivery)["node"]["body"] is not None
    assert acts.accepted(mutate(weaker, "webhookArchive", "webhook { state }", **given))


def test_webhooks_of_another_organisation_are_not_there(house: House) -> None:
    hook = house.made()
    other = acting.organisation(house.hub, "Other")
    stranger = somebody(house, *Permission, org_id=other)
    assert stranger.ask("{ webhooks { totalCount nodes { id } } }")["webhooks"] == {"totalCount": 0, "nodes": []}
    given = {"webhook": hook["id"], "expectedRevision": hook["revision"]}
    assert refused(stranger, "webhookArchive", "webhook { id }", **given)["code"] == "NOT_FOUND"


def test_a_replay_tells_nothing_that_may_not_be_seen_any_more(house: House) -> None:
    number = account(house, P.ASSET_VIEW, P.ASSET_VIEW_UNAPPROVED)
    for_account(house, number, events=["ASSET_CREATED"])
    house.asset()
    house.tell()
    stop(house, number, "revoked")
    name = role(house, P.ASSET_VIEW)
    with house.hub.writing(HUB) as work:
        acting.give(house.hub, number, name, session=work.session)
    (delivery,) = house.deliveries()
    again = {"delivery": encode("WebhookDelivery", delivery.id)}
    acts.accepted(mutate(house.client, "webhookDeliveryReplay", "delivery { id }", **again))
    house.tell()
    assert len(house.there.got) == 1
    (delivery,) = house.deliveries()
    assert (delivery.state, delivery.failure_code, delivery.body) == ("FAILED", "UNSEEN", None)


def test_addresses_are_looked_up_for_nobody_who_may_make_no_webhook(house: House) -> None:
    client = Client(house.hub, acting.member(house.hub, "designer"))
    error = refused(client, "webhookCreate", "webhook { id }", **house.wish(url="https://nowhere.invalid/"))
    assert (error["code"], error["path"]) == ("NOT_ALLOWED", None)


@pytest.mark.parametrize(
    "url", ["http://10.0.0.1/", "https://169.254.169.254/", "https://[::1]/", "http://2130706433/"]
)
def test_an_address_inside_is_refused_when_the_webhook_is_made_and_when_it_is_changed(house: House, url: str) -> None:
    error = refused(house.client, "webhookCreate", "webhook { id }", **house.wish(url=url))
    assert (error["path"], error["constraint"]) == (["url"], "address")
    hook = house.made()
    given = {"webhook": hook["id"], "expectedRevision": hook["revision"], "url": url}
    assert refused(house.client, "webhookUpdate", "webhook { id }", **given)["constraint"] == "address"


def test_guests_make_none(house: House) -> None:
    asset = house.asset()
    guest: Viewer = acting.guest(house.hub, house.admin, asset_id=decode(asset["id"])[1])
    assert refused(Client(house.hub, guest), "webhookCreate", "webhook { id }", **house.wish())["code"] == "NOT_ALLOWED"
