"""Templates, completeness, and the gate before approval."""

from __future__ import annotations

from typing import Any

import pytest

from domain.global_ids import encode
from domain.hub import Hub
from tests import acting
from tests.asking import Client
from tests.assets import acts
from tests.assets.acts import accepted, created, picture, refusal
from tests.fields.brand import new_field, say
from tests.working import at_once, mutate, refused

COMPLETE = "completeness { score isEnough lacking { name required field { key } } template { name } }"
TEMPLATE = "template { id revision gate items { property field { key } weight required } }"


def template(client: Client, **more: Any) -> dict[str, Any]:
    items = [
        {"property": "TITLE", "weight": 2},
        {"property": "ALT_TEXT", "weight": 3},
        {"field": "photographer", "weight": 5, "required": True},
    ]
    given = {"name": "Pictures", "kind": "IMAGE", "items": items, "gate": 70, **more}
    found: dict[str, Any] = accepted(mutate(client, "metadataTemplateCreate", TEMPLATE, **given))["template"]
    return found


def complete(client: Client, asset: dict[str, Any]) -> Any:
    return client.ask(f"query ($id: ID!) {{ asset(id: $id) {{ {COMPLETE} }} }}", id=asset["id"])["asset"][
        "completeness"
    ]


def approve(client: Client, asset: dict[str, Any]) -> dict[str, Any]:
    """The payload, with what an incomplete asset lacks."""
    query = """mutation ($input: AssetVersionApproveInput!) { assetVersionApprove(input: $input) {
      asset { id } version { id } errors { code message path ... on IncompleteError { score gate lacking } } } }"""
    version = asset["current"]
    payload: dict[str, Any] = client.ask(
        query, input={"version": version["id"], "sha256": version["sha256"], "ownWork": True}
    )["assetVersionApprove"]
    return payload


@pytest.fixture
def pictures(client: Client) -> dict[str, Any]:
    new_field(client, "photographer", "TEXT")
    return template(client)


def test_an_asset_says_how_complete_it_is_and_what_it_lacks(client: Client, pictures: dict[str, Any]) -> None:
    asset = created(client, picture(1))
    assert complete(client, asset) == {
        "score": 0,
        "isEnough": False,
        "lacking": [
            {"name": "TITLE", "required": False, "field": None},
            {"name": "ALT_TEXT", "required": False, "field": None},
            {"name": "photographer", "required": True, "field": {"key": "photographer"}},
        ],
        "template": {"name": "Pictures"},
    }
    titled = created(client, picture(2), title="Said", decorative=True)
    assert complete(client, titled)["score"] == 50
    document = created(client, b"plain text that is no picture\n", "words.txt")
    assert complete(client, document) is None


def test_an_incomplete_asset_is_not_approved_and_is_told_what_it_lacks(
    client: Client, pictures: dict[str, Any]
) -> None:
    asset = created(client, picture(1), title="Said")
    with acts.unchanged(client.hub):
        error = refusal(approve(client, asset))
    assert error["code"] == "INCOMPLETE"
    assert (error["score"], error["gate"], error["lacking"]) == (20, 70, ["ALT_TEXT", "photographer"])
    assert error["message"] == ("This asset is 20 % complete, and its template asks for 70 %. It lacks photographer.")
    assert "APPROVE" not in acts.look(client, asset)["viewerCan"]
    changed = accepted(say(client, asset, photographer={"text": "Mina"}))["asset"]
    assert complete(client, asset)["score"] == 70
    assert "APPROVE" in changed["viewerCan"]
    accepted(approve(client, changed))


def test_what_is_required_has_to_be_there_whatever_the_score(client: Client) -> None:
    new_field(client, "photographer", "TEXT")
    template(client, gate=0)
    asset = created(client, picture(1), title="Said", decorative=True)
    assert refusal(approve(client, asset))["lacking"] == ["photographer"]


def test_without_a_gate_nothing_is_refused_and_an_archived_template_asks_for_nothing(
    client: Client, pictures: dict[str, Any]
) -> None:
    given = {"template": pictures["id"], "expectedRevision": 1}
    opened = accepted(mutate(client, "metadataTemplateUpdate", TEMPLATE, **given, gate=None))["template"]
    assert opened["gate"] is None
    asset = created(client, picture(1))
    assert complete(client, asset)["isEnough"]
    accepted(approve(client, asset))
    accepted(mutate(client, "metadataTemplateArchive", TEMPLATE, template=pictures["id"], expectedRevision=2))
    assert complete(client, asset) is None
    template(client)


def test_the_nearest_template_above_holds(hub: Hub, client: Client, pictures: dict[str, Any]) -> None:
    affiliate = acting.organisation(hub, "North")
    shop = acting.organisation(hub, "Shop", parent=affiliate)
    there = Client(hub, acting.member(hub, "designer", org_id=shop))
    asset = created(there, picture(1))
    assert complete(there, asset)["template"] == {"name": "Pictures"}
    given = {"organisation": encode("Organisation", affiliate), "name": "Northern", "gate": None}
    template(client, **given)
    assert complete(there, asset)["template"] == {"name": "Northern"}
    assert complete(client, created(client, picture(2)))["template"] == {"name": "Pictures"}


def test_an_organisation_has_one_template_for_a_kind_even_of_two_made_at_once(hub: Hub, client: Client) -> None:
    items = [{"property": "TITLE"}]
    given = {"name": "Same", "kind": "IMAGE", "items": items}

    def make() -> Any:
        return mutate(Client(hub, client.viewer), "metadataTemplateCreate", TEMPLATE, **given)["errors"]

    answers = at_once([make, make])
    assert sorted(len(errors) for errors in answers) == [0, 1]
    assert [errors[0]["code"] for errors in answers if errors] == ["CONFLICT"]


def test_a_template_asks_only_for_what_such_assets_have(client: Client) -> None:
    new_field(client, "runtime", "NUMBER", kinds=["VIDEO"])
    wrong: list[tuple[list[dict[str, Any]], str]] = [
        ([{"field": "runtime"}], "CONFLICT"),
        ([{"field": "nothing"}], "INVALID"),
        ([], "INVALID"),
        ([{"property": "TITLE", "field": "runtime"}], "INVALID"),
        ([{"property": "TITLE"}, {"property": "TITLE"}], "INVALID"),
        ([{"property": "TITLE", "weight": 101}], "INVALID"),
    ]
    for items, code in wrong:
        given = {"name": "Wrong", "kind": "IMAGE", "items": items}
        assert refused(client, "metadataTemplateCreate", TEMPLATE, **given)["code"] == code, items


def test_who_sees_only_what_is_approved_does_not_see_how_complete_it_is(
    hub: Hub, client: Client, pictures: dict[str, Any]
) -> None:
    asset = created(client, picture(1), fields=[{"key": "photographer", "value": {"text": "Mina"}}], title="Said")
    accepted(approve(client, asset))
    viewer = Client(hub, acting.member(hub, "viewer"))
    answer = viewer.answer(f"query ($id: ID!) {{ asset(id: $id) {{ {COMPLETE} }} }}", id=asset["id"])
    assert answer["data"] == {"asset": {"completeness": None}}
    assert answer["extensions"]["denied"][0]["permission"] == "asset.view_unapproved"
