"""A webhook's story: made over GraphQL, told of what happens, answered by a real receiver, listed and told again."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from domain.work import HUB
from tests.assets import acts
from tests.webhooks.house import House
from tests.webhooks.receiver import answering
from tests.working import mutate, refused

LISTED = """query ($id: ID!) { node(id: $id) { ... on Webhook { state disabled { code message } deliveries {
  totalCount nodes { id type state body messageId failure { code } attempts {
    number status milliseconds snippet failure { code message } } } } } } }"""


def test_what_happens_is_told_with_the_documents_answer_and_a_signature_that_holds(house: House) -> None:
    hook = house.made(headers=[{"name": "X-Receiver-Key", "value": "sesame"}])
    asset = house.asset(title="A lighthouse")
    assert house.tell() == 1
    (got,) = house.there.got
    told = Webhook(hook["secret"]).verify(got.body, got.headers)
    assert told["type"] == "asset.created"
    assert told["subject"] == asset["id"]
    assert told["data"] == {"node": {"id": asset["id"], "title": "A lighthouse", "lifecycle": "DRAFT"}}
    assert abs((datetime.fromisoformat(told["timestamp"]) - datetime.now(UTC)).total_seconds()) < 60
    assert (got.headers["x-receiver-key"], got.headers["content-type"]) == ("sesame", "application/json")
    with pytest.raises(WebhookVerificationError):
        Webhook(hook["secret"]).verify(got.body + b" ", got.headers)
    listed = house.client.ask(LISTED, id=hook["id"])["node"]["deliveries"]
    (delivery,) = listed["nodes"]
    assert (listed["totalCount"], delivery["state"], delivery["messageId"]) == (
        1,
        "DELIVERED",
        got.headers["webhook-id"],
    )
    assert (json.loads(delivery["body"]), delivery["failure"]) == (told, None)
    (attempt,) = delivery["attempts"]
    assert (attempt["number"], attempt["status"], attempt["failure"]) == (1, 204, None)


def test_only_the_chosen_events_are_told_and_each_once_in_their_order(house: House) -> None:
    house.made(events=["ASSET_UPDATED"])
    assets = [house.asset(number) for number in range(3)]
    for asset in assets:
        acts.accepted(acts.change(house.client, "assetUpdate", asset, title=f"New {asset['id']}"))
    assert house.tell() == 3
    assert [each["subject"] for each in house.bodies] == [asset["id"] for asset in assets]
    assert house.tell() == 0
    assert len(house.there.got) == 3


def test_nothing_that_happened_before_is_told(house: House) -> None:
    house.asset()
    house.follow()
    house.made()
    assert house.tell() == 0


def test_an_answer_is_kept_as_harmless_text(house: House) -> None:
    hook = house.made()
    house.there.then(answering(500, b"<b>No\x00pe</b>\x1b[31m\n\xff" + b"x" * 5000))
    house.asset()
    house.tell()
    (delivery,) = house.client.ask(LISTED, id=hook["id"])["node"]["deliveries"]["nodes"]
    (attempt,) = delivery["attempts"]
    assert (delivery["state"], delivery["failure"]) == ("PENDING", {"code": "REFUSED"})
    assert attempt["snippet"].startswith("<b>Nope</b>[31m �xxx")
    assert len(attempt["snippet"]) == 500
    assert (attempt["status"], attempt["failure"]["message"]) == (500, "It answered 500.")


def test_a_ping_tells_of_nothing(house: House) -> None:
    hook = house.made()
    payload = acts.accepted(mutate(house.client, "webhookTest", "delivery { id type state }", webhook=hook["id"]))
    assert (payload["delivery"]["type"], payload["delivery"]["state"]) == ("webhook.ping", "PENDING")
    house.send()
    (got,) = house.there.got
    told = Webhook(hook["secret"]).verify(got.body, got.headers)
    assert (told["type"], told["data"]) == ("webhook.ping", None)


def test_a_delivery_told_again_keeps_its_id_and_tells_what_is_true_now(house: House) -> None:
    hook = house.made(events=["ASSET_CREATED"])
    asset = house.asset(title="Old")
    house.tell()
    acts.accepted(acts.change(house.client, "assetUpdate", asset, title="New"))
    (delivery,) = house.client.ask(LISTED, id=hook["id"])["node"]["deliveries"]["nodes"]
    again = mutate(house.client, "webhookDeliveryReplay", "delivery { id state }", delivery=delivery["id"])
    assert acts.accepted(again)["delivery"] == {"id": delivery["id"], "state": "PENDING"}
    error = refused(house.client, "webhookDeliveryReplay", "delivery { id }", delivery=delivery["id"])
    assert (error["code"], error["path"]) == ("CONFLICT", ["delivery"])
    assert house.tell() == 1
    first, second = house.there.got
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert [each["data"]["node"]["title"] for each in house.bodies] == ["Old", "New"]
    (delivery,) = house.client.ask(LISTED, id=hook["id"])["node"]["deliveries"]["nodes"]
    assert [each["number"] for each in delivery["attempts"]] == [1, 2]


def test_during_the_overlap_of_a_rotation_both_secrets_hold_and_then_only_the_new_one(house: House) -> None:
    hook = house.made(events=["ASSET_CREATED"])
    given = {"webhook": hook["id"], "expectedRevision": hook["revision"], "overlapHours": 2}
    fresh = acts.accepted(mutate(house.client, "webhookSecretRotate", "webhook { id } secret", **given))["secret"]
    assert fresh != hook["secret"]
    house.asset(1)
    house.tell()
    house.later(hours=3)
    house.asset(2)
    house.tell()
    first, second = house.there.got
    for secret in (hook["secret"], fresh):
        Webhook(secret).verify(first.body, first.headers)
    assert len(second.headers["webhook-signature"].split(" ")) == 1
    assert len(first.headers["webhook-signature"].split(" ")) == 2
    with house.hub.reading(HUB) as work:
        row = house.row(hook)
        assert fresh not in row.sealed_secret
        assert work.secret.decode() not in row.sealed_secret


def test_a_webhook_that_is_switched_off_is_told_nothing_and_misses_what_happens(house: House) -> None:
    hook = house.made(events=["ASSET_CREATED"])
    house.asset(1)
    house.follow()
    assert house.changed(hook, active=False)["state"] == "PAUSED"
    house.asset(2)
    house.tell()
    assert house.changed(hook, active=True)["state"] == "ACTIVE"
    house.asset(3, title="Third")
    house.tell()
    assert [each["data"]["node"]["title"] for each in house.bodies] == ["Third"]
    assert [each.state for each in house.deliveries()] == ["FAILED", "DELIVERED"]
    assert house.deliveries()[0].failure_code == "PAUSED"


def test_a_webhook_that_was_put_away_is_told_nothing_and_not_listed(house: House) -> None:
    hook = house.made()
    given = {"webhook": hook["id"], "expectedRevision": hook["revision"]}
    assert acts.accepted(mutate(house.client, "webhookArchive", "webhook { state }", **given))["webhook"] == {
        "state": "ARCHIVED"
    }
    house.asset()
    assert house.tell() == 0
    assert house.client.ask("{ webhooks { totalCount nodes { id } } }")["webhooks"] == {"totalCount": 0, "nodes": []}
    error = refused(house.client, "webhookUpdate", "webhook { id }", **{**given, "expectedRevision": 2, "name": "x"})
    assert error["code"] == "CONFLICT"


@pytest.mark.parametrize(
    ("document", "constraint"),
    [
        ("mutation { assetArchive(input: {}) { errors { code } } }", "operation"),
        ("subscription { assetChanged { change } }", "operation"),
        ("query a { me { name } } query b { me { name } }", "operation"),
        ("fragment f on Asset { id }", "operation"),
        ("query ($subject: ID!) {", "syntax"),
        ("{ nothing }", "validation"),
        ("query ($id: ID!) { node(id: $id) { id } }", "variables"),
        ("query ($subject: [ID!]!) { nodes(ids: $subject) { id } }", "variables"),
        ("query ($subject: ID!) { me { name } }", "validation"),
        ("{ assets(first: 100) { nodes { versions(first: 100) { nodes { id } } } } }", "cost"),
        ("{ " + "me { name } " * 2000 + "}", "length"),
        ("{ " + "me { name }\n" * 400 + "}", "syntax"),
    ],
)
def test_a_document_that_is_no_one_bounded_query_is_refused(house: House, document: str, constraint: str) -> None:
    error = refused(house.client, "webhookCreate", "webhook { id }", **house.wish(document=document))
    assert (error["__typename"], error["path"], error["constraint"]) == ("ValidationError", ["document"], constraint)


def test_a_document_may_ask_with_everything_that_it_is_told_of_the_event(house: House) -> None:
    document = """query ($subject: ID!, $type: String!, $timestamp: DateTime!, $cursor: String!) {
      node(id: $subject) { id @skip(if: false) } suggest(prefix: $type) { text }
      assets(where: { createdAt: { from: $timestamp } }, search: $cursor) { totalCount } }"""
    house.made(document=document)
    asset = house.asset()
    house.tell()
    assert house.bodies[0]["data"]["node"] == {"id": asset["id"]}
    assert house.bodies[0].get("errors") is None


@pytest.mark.parametrize(
    ("headers", "constraint"),
    [
        ([{"name": "Webhook-Id", "value": "1"}], "reserved"),
        ([{"name": "host", "value": "x"}], "reserved"),
        ([{"name": "Content-Length", "value": "0"}], "reserved"),
        ([{"name": "X Y", "value": "1"}], "format"),
        ([{"name": "X-Y", "value": "a\r\nHost: b"}], "format"),
        ([{"name": "X-Y", "value": "ü"}], "format"),
        ([{"name": "X-Y", "value": "a"}, {"name": "x-y", "value": "b"}], "unique"),
        ([{"name": f"X-{number}", "value": "a"} for number in range(11)], "length"),
    ],
)
def test_headers_that_would_change_the_message_are_refused(
    house: House, headers: list[dict[str, str]], constraint: str
) -> None:
    error = refused(house.client, "webhookCreate", "webhook { id }", **house.wish(headers=headers))
    assert (error["path"], error["constraint"]) == (["headers"], constraint)


def test_values_of_headers_are_kept_encrypted_and_shown_to_nobody(house: House) -> None:
    hook = house.made(headers=[{"name": "Authorization", "value": "Bearer sesame"}])
    assert hook["headerNames"] == ["Authorization"]
    assert "sesame" not in house.row(hook).sealed_headers
    house.asset()
    house.tell()
    assert house.there.got[0].headers["authorization"] == "Bearer sesame"


def test_a_document_that_finds_no_answer_fails_its_delivery_and_says_why(house: House) -> None:
    house.made(document='query ($subject: ID!) { node(id: $subject) { id } assets(search: "((") { totalCount } }')
    house.asset()
    house.tell()
    (delivery,) = house.deliveries()
    assert (delivery.state, delivery.failure_code, delivery.body) == ("FAILED", "RENDERING", None)
    assert house.there.got == []
