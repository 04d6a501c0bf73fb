"""Decisions as somebody asks for them: of what they see, with what they may know, from rows on both databases."""

from __future__ import annotations

from typing import Any

import pytest

from domain.global_ids import decode, encode
from domain.hub import Hub
from domain.licensing import deciding, facts, policy, remembering
from domain.licensing.codes import Action, Outcome
from domain.licensing.terms import Facts, Request
from domain.usage import decisions
from domain.work import BRAND_ORG_ID, HUB, Work
from tests import acting
from tests.asking import Client, statements
from tests.assets import acts
from tests.assets.acts import accepted, unchanged
from tests.licensing.terms_of import MAY
from tests.schema import samples_licensing as samples
from tests.schema.samples import Brand

DECISION = """query ($input: RightsQueryInput!) { rightsDecision(input: $input) {
  id outcome allowedTerritories deniedTerritories allowedWindow { from to } missing epoch policyDigest validUntil
  reasons { code severity dimension territory expected actual message(locale: "de")
    license { id } grant { id } release { id } component { id } }
  duties { kind text(locale: "en") creditLine(locale: "de") license { id } version { id } }
  remaining { unit limit used reserved remaining after }
  alternatives { kind territories windows { from to } unit amount message(locale: "en") version { id } license { id } }
  basis { territories license { id } grant { id } release { id } version { id } }
} }"""
MATRIX = """query ($input: RightsMatrixInput!) { rightsMatrix(input: $input) {
  epoch cells { channel territory outcome reasonCodes } } }"""
GRANT = {"actions": ["ANY"], "channels": ["print"], "territories": ["DE", "AT"]}


def use(version: str, **said: Any) -> dict[str, Any]:
    usual = {"action": "PRINT", "channel": "print.flyer", "territories": ["DE"], "purpose": "COMMERCIAL"}
    return {"versionId": version, "window": {"from": "2026-05-01", "to": "2026-05-31"}, **usual, **said}


def ask(client: Client, version: str, **said: Any) -> dict[str, Any]:
    found: dict[str, Any] = client.ask(DECISION, input=use(version, **said))["rightsDecision"]
    return found


def licensed(brand: Brand, asset: dict[str, Any], *grants: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Puts the asset, on which there is nobody to see, under a licence with these grants."""
    made = samples.active(brand, grants=list(grants) or [GRANT], **more)
    told = {"asset": asset["id"], "licenses": [made["id"]]}
    seen = {"recognisablePeople": False, "recognisableProperty": False}
    accepted(brand.client.mutate("assetRightsAssess", "asset { id }", **told, **seen))
    return made


def test_a_use_is_decided_and_explained_with_everything_that_speaks_for_and_against_it(
    hub: Hub, client: Client
) -> None:
    brand = Brand(hub, client)
    asset = brand.asset(title="Engine")
    version = asset["current"]["id"]
    assert {one["code"] for one in ask(client, version)["reasons"]} == {"NO_LICENSE", "RELEASE_MISSING"}
    credit = {**GRANT, "duties": [{"kind": "CREDIT_ADJACENT", "parameter": "© Ada"}]}
    credit["caps"] = [{"unit": "COPIES", "limit": "1000"}]
    made = licensed(brand, asset, credit, endsOn="2026-12-31", zone="Europe/Berlin")
    allowed = ask(client, version, quantity={"unit": "COPIES", "amount": "400"})
    assert allowed["outcome"] == "ALLOWED_WITH_DUTIES"
    assert allowed["duties"][0]["creditLine"] == "© Ada"
    assert allowed["duties"][0]["text"] == "Credit it beside the picture: © Ada"
    assert allowed["remaining"] == [
        {"unit": "COPIES", "limit": "1000", "used": "0", "reserved": "0", "remaining": "1000", "after": "600"}
    ]
    assert [(one["license"]["id"], one["territories"]) for one in allowed["basis"]] == [(made["id"], ["DE"])]
    assert allowed["validUntil"] >= "2026-05-31T22:00:00Z"
    window = {"from": "2026-12-01", "to": "2027-01-31"}
    denied = ask(
        client, version, window=window, territories=["DE", "FR"], quantity={"unit": "COPIES", "amount": "2000"}
    )
    assert denied["outcome"] == "DENIED"
    assert {(one["code"], one["territory"]) for one in denied["reasons"]} == {
        ("CAP_EXCEEDED", None),
        ("TERRITORY_NOT_GRANTED", "FR"),
        ("WINDOW_EXCEEDS_GRANT", None),
    }
    late = ask(client, version, window=window, quantity={"unit": "COPIES", "amount": "1"})
    assert late["allowedWindow"] == {"from": "2026-12-01", "to": "2026-12-31"}
    assert [one["message"] for one in late["alternatives"]] == ["From 2026-12-01 to 2026-12-31."]
    assert late["reasons"][0]["message"].startswith("Die Nutzung (2026-12-01..2027-01-31) liegt nicht ganz")


def test_a_matrix_says_what_each_cell_alone_would_say(hub: Hub, client: Client) -> None:
    brand = Brand(hub, client)
    asset = brand.asset()
    version = asset["current"]["id"]
    licensed(brand, asset, GRANT, {**GRANT, "channels": ["web"], "territories": ["EU"]})
    given = use(version, channels=["web.site", "print.flyer"], territories=["FR", "DACH", "DE"])
    del given["channel"]
    cells = client.ask(MATRIX, input=given)["rightsMatrix"]["cells"]
    assert [(cell["channel"], cell["territory"]) for cell in cells] == [
        (channel, place) for channel in ("print.flyer", "web.site") for place in ("DACH", "DE", "FR")
    ]
    for cell in cells:
        alone = ask(client, version, channel=cell["channel"], territories=[cell["territory"]])
        assert cell["outcome"] == alone["outcome"]
        assert set(cell["reasonCodes"]) == {one["code"] for one in alone["reasons"]}


@pytest.mark.parametrize("name", ["channels", "territories"])
def test_a_matrix_without_rows_or_columns_is_refused(hub: Hub, client: Client, name: str) -> None:
    version = Brand(hub, client).asset()["current"]["id"]
    given = {**use(version, channels=["web.site"], territories=["FR"]), name: []}
    del given["channel"]
    (error,) = client.answer(MATRIX, input=given)["errors"]
    assert error["extensions"]["code"] == "INVALID"
    assert error["message"] == "Name at least one."


def test_the_epoch_moves_with_the_rights_and_the_same_question_has_the_same_id(hub: Hub, client: Client) -> None:
    brand = Brand(hub, client)
    asset = brand.asset()
    version = asset["current"]["id"]
    made = licensed(brand, asset)
    first, again = ask(client, version), ask(client, version)
    assert (first["outcome"], first["id"], first["epoch"]) == ("ALLOWED", again["id"], again["epoch"])
    told = {"license": made["id"], "expectedRevision": made["revision"], "reason": "They asked for it."}
    accepted(client.mutate("licenseSuspend", "license { id }", **told))
    after = ask(client, version)
    assert (after["outcome"], after["epoch"] > first["epoch"]) == ("DENIED", True)
    assert [one["code"] for one in after["reasons"]] == ["LICENSE_NOT_ACTIVE"]
    assert after["id"] != first["id"]
    accepted(client.mutate("takedownOpen", "takedown { id }", asset=asset["id"], reason="They asked for it."))
    assert "TAKEDOWN" in {one["code"] for one in ask(client, version)["reasons"]}


def test_a_part_that_may_not_be_used_keeps_the_whole_from_being_used(hub: Hub, client: Client) -> None:
    brand = Brand(hub, client)
    whole, part = brand.asset(), brand.asset()
    licensed(brand, whole)
    licensed(brand, part, {**GRANT, "territories": ["AT"]})
    version = whole["current"]["id"]
    assert ask(client, version)["outcome"] == "ALLOWED"
    parts = {"composite": version, "part": part["current"]["id"]}
    accepted(client.mutate("componentAdd", "composite { id }", **parts))
    decided = ask(client, version)
    told = {(one["code"], one["component"] and one["component"]["id"]) for one in decided["reasons"]}
    assert told == {("COMPONENT_DENIED", part["current"]["id"]), ("TERRITORY_NOT_GRANTED", part["current"]["id"])}
    assert ask(client, version, territories=["AT"])["outcome"] == "ALLOWED"


def test_what_the_viewer_does_not_see_reads_as_if_it_were_not_there(hub: Hub, client: Client) -> None:
    brand = Brand(hub, client)
    asset = brand.asset()
    licensed(brand, asset)
    agency = Client(hub, acting.member(hub, "agency", org_id=acting.organisation(hub, "Agency", kind="AGENCY")))
    hidden = agency.answer(DECISION, input=use(asset["current"]["id"]))["errors"]
    unknown = agency.answer(DECISION, input=use(encode("AssetVersion", 999_999)))["errors"]
    assert hidden == unknown
    assert hidden[0]["extensions"]["code"] == "NOT_FOUND"


def test_what_cannot_be_decided_is_refused_and_nothing_is_written_by_asking(hub: Hub, client: Client) -> None:
    brand = Brand(hub, client)
    asset = brand.asset()
    licensed(brand, asset)
    version = asset["current"]["id"]
    with unchanged(hub):
        ask(client, version)
        for said, code in (
            ({"window": {"from": "2026-05-02", "to": "2026-05-01"}}, "INVALID"),
            ({"territories": ["XX"]}, "INVALID"),
            ({"channel": "print"}, "INVALID"),
            ({"window": {"from": "2026-05-01", "to": "2026-05-02", "zone": "Mars/Olympus"}}, "INVALID"),
            ({"asOf": "2020-01-01T00:00:00Z"}, "INVALID"),
            ({"quantity": {"unit": "COPIES", "amount": "0"}}, "INVALID"),
            ({"party": encode("Upload", 1)}, "NOT_FOUND"),
        ):
            (error,) = client.answer(DECISION, input=use(version, **said))["errors"]
            assert error["extensions"]["code"] == code, said


def test_that_it_is_held_is_told_to_those_alone_who_manage_holds(hub: Hub, client: Client) -> None:
    brand = Brand(hub, client)
    asset = brand.asset()
    licensed(brand, asset)
    accepted(client.mutate("legalHoldPlace", "hold { id }", asset=asset["id"], matter="A case", reason="The court."))
    version = asset["current"]["id"]
    designer = Client(hub, acting.member(hub, "designer"))
    for who, code in ((client, "LEGAL_HOLD"), (designer, "APPROVAL_REQUIRED")):
        decided = ask(who, version)
        assert (decided["outcome"], [one["code"] for one in decided["reasons"]]) == ("NEEDS_APPROVAL", [code])


def test_an_owned_picture_of_the_same_bytes_is_proposed(hub: Hub, client: Client) -> None:
    brand = Brand(hub, client)
    data = brand.picture()
    bought = acts.created(client, data)
    owned = accepted(acts.create(client, data, onDuplicate="DISTINCT", reason="Ours."))["asset"]
    licensed(brand, bought, {**GRANT, "territories": ["FR"]})
    licensed(brand, owned, kind="OWNED")
    decided = ask(client, bought["current"]["id"])
    (other,) = [one for one in decided["alternatives"] if one["kind"] == "OTHER_ASSET"]
    assert other["version"]["id"] == owned["current"]["id"]


def test_facts_of_many_versions_cost_as_many_statements_as_of_one(hub: Hub, client: Client) -> None:
    brand = Brand(hub, client)
    numbers = []
    for _ in range(3):
        asset = brand.asset()
        licensed(brand, asset, {**GRANT, "caps": [{"unit": "COPIES", "limit": "9"}]})
        numbers.append(decode(asset["current"]["id"])[1])
    with hub.reading(HUB) as work, statements(hub) as one:
        alone = facts.of_versions(work, numbers[:1])
    with hub.reading(HUB) as work, statements(hub) as many:
        together = facts.of_versions(work, numbers)
    assert len(one) == len(many)
    assert together[numbers[0]] == alone[numbers[0]]


def test_remembered_facts_are_those_that_are_there(hub: Hub, client: Client) -> None:
    brand = Brand(hub, client)
    asset = brand.asset()
    made = licensed(brand, asset, {**GRANT, "caps": [{"unit": "COPIES", "limit": "9"}]})
    number = decode(asset["current"]["id"])[1]

    def remembered(work: Work) -> Facts:
        return remembering.facts_of(work, number, facts.epochs(work, [number])[number])

    def both() -> None:
        with hub.reading(HUB) as work:
            assert remembered(work) == facts.of_version(work, number)
            assert remembered(work) == facts.of_version(work, number)

    both()
    told = {"license": made["id"], "expectedRevision": made["revision"], "reason": "They asked for it."}
    accepted(client.mutate("licenseSuspend", "license { id }", **told))
    both()
    with hub.reading(HUB) as work, statements(hub) as asked:
        remembered(work)
    asked_for = [each for each in asked if each != "BEGIN"]
    assert len(asked_for) == 2, "the epoch, and what the cap has given away"


def test_a_decision_that_was_kept_is_read_as_it_was_made(hub: Hub, client: Client) -> None:
    brand = Brand(hub, client)
    kept = samples.decided(brand)
    node = client.ask("query ($id: ID!) { node(id: $id) { ... on RightsDecision { id outcome } } }", id=kept)["node"]
    assert node == {"id": kept, "outcome": "DENIED"}


def test_a_decision_is_the_same_written_out_and_read_again(hub: Hub, client: Client) -> None:
    brand = Brand(hub, client)
    asset = brand.asset()
    licensed(brand, asset)
    number = decode(asset["current"]["id"])[1]
    with hub.reading(HUB) as work:
        known = facts.of_version(work, number)
        decided = deciding.decide(known, _request(work.now))
        assert policy.decision_of(decisions.plain(decided)) == decided
        assert decided.outcome == Outcome.DENIED


def _request(now: Any) -> Request:
    return Request(Action.PRINT, "web.site", ("DE", "FR"), MAY, BRAND_ORG_ID, now)
