"""What the change feed says of what is thrown away, brought back and purged, and to whom."""

from __future__ import annotations

from typing import Any

import pytest

from domain import sharing
from domain.hub import Hub
from domain.sharing import Access, Subject
from domain.work import Viewer
from tests import acting
from tests.asking import Client
from tests.assets import acts
from tests.assets.acts import accepted, created, look, picture, refusal
from tests.lifecycle.turning import brought_back, number, purge, thrown

QUERY = """query ($after: String) { changes(after: $after, first: 100, of: [ASSET]) {
  nodes { type reason nodeId } pageInfo { endCursor } } }"""


@pytest.fixture
def partner(hub: Hub) -> Client:
    return Client(hub, acting.member(hub, "partner", org_id=acting.organisation(hub, "North")))


def read(client: Client, after: str | None = None) -> tuple[list[tuple[str, str | None, str]], str]:
    found: dict[str, Any] = client.ask(QUERY, after=after)["changes"]
    told = [(each["type"], each["reason"], each["nodeId"]) for each in found["nodes"]]
    return told, found["pageInfo"]["endCursor"]


def shared(hub: Hub, admin: Viewer, client: Client, partner: Client, mark: int) -> dict[str, Any]:
    """An approved asset that the partner is shown."""
    asset = created(client, picture(mark))
    told = {"version": asset["current"]["id"], "sha256": asset["current"]["sha256"]}
    accepted(client.mutate("assetVersionApprove", "asset { id }", ownWork=True, **told))
    with hub.writing(admin) as work:
        sharing.create(work, Subject(number(asset), None), partner.viewer.org_id, Access.READ)
    return look(client, asset)


def gone(client: Client, asset: dict[str, Any]) -> dict[str, Any]:
    confirmation = refusal(thrown(client, asset))["confirmation"]
    found: dict[str, Any] = accepted(thrown(client, asset, confirmation=confirmation))["asset"]
    return found


def test_whoever_was_shown_it_is_told_to_forget_it_even_long_after_it_was_purged(
    hub: Hub, admin: Viewer, client: Client, partner: Client
) -> None:
    asset = shared(hub, admin, client, partner, 1)
    told, place = read(partner)
    assert told == [("CREATED", None, asset["id"])]
    gone(client, asset)
    removed = ("REMOVED", "DELETED", asset["id"])
    assert read(partner, place)[0] == [removed]
    purge(hub)
    assert read(partner, place)[0] == [removed]
    assert read(partner)[0] == []


def test_what_is_brought_back_is_there_again(hub: Hub, admin: Viewer, client: Client, partner: Client) -> None:
    asset = shared(hub, admin, client, partner, 1)
    _, before = read(partner)
    away = gone(client, asset)
    _, between = read(partner, before)
    accepted(brought_back(client, away))
    assert read(partner, between)[0] == [("CREATED", None, asset["id"])]
    assert read(partner, before)[0] == [("UPDATED", None, asset["id"])]


def test_nobody_is_told_of_what_they_were_never_shown(hub: Hub, client: Client, partner: Client) -> None:
    _, place = read(partner)
    asset = created(client, picture(1))
    accepted(thrown(client, asset))
    purge(hub)
    assert read(partner, place)[0] == []


def test_what_was_archived_before_is_no_news_when_it_is_thrown_away(hub: Hub, client: Client) -> None:
    archived = accepted(acts.change(client, "assetArchive", created(client, picture(1))))["asset"]
    _, place = read(client)
    away = accepted(thrown(client, archived))["asset"]
    accepted(brought_back(client, away))
    assert read(client, place)[0] == []


def test_a_hold_is_no_news_to_anybody(client: Client) -> None:
    asset = created(client, picture(1))
    _, place = read(client)
    told = {"asset": asset["id"], "matter": "A case", "reason": "The court asked."}
    accepted(client.mutate("legalHoldPlace", "hold { id }", **told))
    assert read(client, place)[0] == []
