"""Who may know what fields say: reading, writing, filtering, counting and searching are bound by one rule."""

from __future__ import annotations

from typing import Any

import pytest

from domain import sharing
from domain.global_ids import decode
from domain.hub import Hub
from domain.sharing import Access, Subject
from tests import acting
from tests.asking import Client
from tests.assets import acts
from tests.assets.acts import accepted, created, picture, refusal
from tests.fields.brand import listed, new_field, said, say, vocabulary
from tests.working import index_all, mutate


@pytest.fixture
def asset(client: Client) -> dict[str, Any]:
    """Approved, with a note that needs a permission, and a season that needs none."""
    seasons = vocabulary(client)
    new_field(client, "secret", "CHOICE", vocabulary=seasons["id"], needs="FIELD_NOTES")
    new_field(client, "remark", "TEXT", needs="FIELD_NOTES")
    new_field(client, "season", "CHOICE", vocabulary=seasons["id"])
    fields = [
        {"key": "secret", "value": {"choice": "winter"}},
        {"key": "remark", "value": {"text": "hidden words"}},
        {"key": "season", "value": {"choice": "summer"}},
    ]
    made = created(client, picture(1), title="one", fields=fields)
    given = {"version": made["current"]["id"], "sha256": made["current"]["sha256"]}
    approved: dict[str, Any] = accepted(
        client.mutate("assetVersionApprove", f"asset {{ {acts.WHOLE_ASSET} }}", ownWork=True, **given)
    )["asset"]
    return approved


def share(client: Client, asset: dict[str, Any], org_id: int, access: str = "READ") -> None:
    with client.hub.writing(client.viewer) as work:
        sharing.create(work, Subject(decode(asset["id"])[1], None), org_id, Access(access))


def agency(hub: Hub, client: Client, asset: dict[str, Any], access: str = "READ") -> Client:
    """Of another organisation, with a share of the asset: it holds no permission for notes."""
    org_id = acting.organisation(hub, "Studio", kind="AGENCY")
    share(client, asset, org_id, access)
    return Client(hub, acting.member(hub, "agency", org_id=org_id))


def test_a_field_that_needs_a_permission_is_silent_without_it(hub: Hub, client: Client, asset: dict[str, Any]) -> None:
    assert said(client, asset) == {"secret": "winter", "remark": "hidden words", "season": "summer"}
    other = agency(hub, client, asset)
    assert said(other, asset) == {"season": "summer"}
    assert [each["key"] for each in other.ask("{ customFields { key } }")["customFields"]] == ["season"]


def test_nobody_filters_or_counts_by_what_they_may_not_read(hub: Hub, client: Client, asset: dict[str, Any]) -> None:
    other = agency(hub, client, asset)
    index_all(hub)
    for search in (None, "one"):
        assert listed(client, {"key": "secret", "choice": {"anyOf": ["winter"]}}, search=search) == {"one"}
        assert listed(other, {"key": "season", "choice": {"anyOf": ["summer"]}}, search=search) == {"one"}
        where = {"fields": [{"key": "secret", "isSet": True}]}
        query = "query ($where: AssetWhere, $search: String) { assets(where: $where, search: $search) { totalCount } }"
        told = other.answer(query, where=where, search=search)["errors"]
        unknown = {"fields": [{"key": "nothing", "isSet": True}]}
        missing = other.answer(query, where=unknown, search=search)["errors"]
        assert told[0]["message"].replace("secret", "nothing") == missing[0]["message"]
    ordered = '{ assets(orderBy: {custom: "secret"}) { nodes { id } } }'
    assert other.answer(ordered)["errors"][0]["extensions"]["code"] == "INVALID"
    assert len(client.ask(ordered)["assets"]["nodes"]) == 1
    counted = '{ assets { fieldFacets(keys: ["secret"]) { values { count } } } }'
    assert other.answer(counted)["errors"][0]["extensions"]["code"] == "INVALID"
    assert client.ask(counted)["assets"]["fieldFacets"] == [{"values": [{"count": 1}]}]


def test_who_may_read_a_field_only_somewhere_does_not_filter_by_it(
    hub: Hub, client: Client, asset: dict[str, Any]
) -> None:
    lightbox = accepted(mutate(client, "lightboxCreate", "lightbox { id revision }", title="Some"))["lightbox"]
    there = acting.member(hub)
    with hub.writing(there) as work:
        acting.give(
            hub,
            there.principal_id or 0,
            "designer",
            session=work.session,
            scope="LIGHTBOX",
            lightbox_id=decode(lightbox["id"])[1],
        )
    someone = Client(hub, acting.again(hub, there))
    for asked in ('where: {fields: [{key: "secret", isSet: true}]}', 'orderBy: {custom: "secret"}'):
        answer = someone.answer(f"{{ assets({asked}) {{ nodes {{ id }} }} }}")
        assert answer["errors"][0]["extensions"]["code"] == "NOT_ALLOWED"


def test_hidden_words_are_not_found(hub: Hub, client: Client, asset: dict[str, Any]) -> None:
    other = agency(hub, client, asset)
    index_all(hub)
    for asking in (client, other):
        assert asking.ask('{ assets(search: "hidden") { totalCount } }')["assets"]["totalCount"] == 0
        assert asking.ask('{ assets(search: "summer") { totalCount } }')["assets"]["totalCount"] == 1


def test_who_may_not_read_a_field_does_not_write_it(hub: Hub, client: Client, asset: dict[str, Any]) -> None:
    other = agency(hub, client, asset, "CONTRIBUTE")
    shown = acts.look(other, asset)
    with acts.unchanged(hub):
        assert refusal(say(other, shown, remark={"text": "mine"}))["constraint"] == "field"
    accepted(say(other, shown, season={"choice": "winter"}))
    assert said(client, asset) == {"secret": "winter", "remark": "hidden words", "season": "winter"}


def test_a_hidden_change_does_not_show_in_the_public_revision(hub: Hub, client: Client, asset: dict[str, Any]) -> None:
    partner = agency(hub, client, asset)
    before = acts.look(partner, asset)["revision"]
    changed = accepted(say(client, acts.look(client, asset), remark={"text": "other"}))["asset"]
    assert acts.look(partner, asset)["revision"] == before
    accepted(say(client, changed, season={"choice": "spring"}))
    assert acts.look(partner, asset)["revision"] == before + 1


def test_a_reference_names_only_what_the_viewer_sees(hub: Hub, client: Client, asset: dict[str, Any]) -> None:
    new_field(client, "original", "ASSET")
    draft = created(client, picture(2), title="draft")
    accepted(say(client, acts.look(client, asset), original={"asset": draft["id"]}))
    other = agency(hub, client, asset)
    assert said(other, asset)["original"] is None
    answer = other.answer(
        'query ($id: ID!) { assets(where: {fields: [{key: "original", asset: $id}]}) { totalCount } }',
        id=draft["id"],
    )
    assert answer["errors"][0]["extensions"]["code"] == "NOT_FOUND"


def test_who_changes_nothing_sees_the_words_that_are_chosen_where_they_look(
    hub: Hub, client: Client, asset: dict[str, Any]
) -> None:
    partner = acting.organisation(hub, "Partner")
    share(client, asset, partner)
    viewer = Client(hub, acting.member(hub, "partner", org_id=partner))
    terms = "{ vocabularies { terms { key } } }"
    assert [each["key"] for each in client.ask(terms)["vocabularies"][0]["terms"]] == ["spring", "summer", "winter"]
    assert viewer.ask(terms)["vocabularies"][0]["terms"] == [{"key": "summer"}]
    asked = '{ assets(where: {fields: [{key: "season", choice: {anyOf: ["winter"]}}]}) { totalCount } }'
    unknown = asked.replace("winter", "nothing")
    assert (
        viewer.answer(asked)["errors"][0]["message"].replace("winter", "nothing")
        == (viewer.answer(unknown)["errors"][0]["message"])
    )
    assert client.ask(asked)["assets"]["totalCount"] == 0
