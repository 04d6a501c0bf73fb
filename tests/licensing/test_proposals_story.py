"""From a file that claims something to a draft that a person may make count; and who may do that."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from domain.hub import Hub
from domain.licensing import parties
from domain.work import HUB, Viewer
from storage.tables import AssetRightsRow, LicenseRow, PartyRow
from tests import acting
from tests.asking import Client
from tests.assets.acts import picture
from tests.imaging import made_metadata
from tests.working import mutate, refused, work_off

SPACES = 'xmlns:plus="http://ns.useplus.org/ldf/xmp/1.0/" xmlns:cc="http://creativecommons.org/ns#"'
MANAGED = (
    "<photoshop:Credit>Ada Lens</photoshop:Credit>"
    '<plus:Licensor><rdf:Seq><rdf:li rdf:parseType="Resource"><plus:LicensorName>Lens Agency</plus:LicensorName>'
    "<plus:LicensorEmail>a@lens.example</plus:LicensorEmail>"
    "<plus:LicensorURL>https://lens.example/</plus:LicensorURL></rdf:li></rdf:Seq></plus:Licensor>"
    "<plus:LicenseID>L-9</plus:LicenseID><plus:ImageSupplierImageID>4711</plus:ImageSupplierImageID>"
    "<plus:LicenseStartDate>2026-02-01</plus:LicenseStartDate><plus:LicenseEndDate>2027-01-31</plus:LicenseEndDate>"
    "<plus:LicenseTransactionDate>some day</plus:LicenseTransactionDate>"
    "<plus:MediaSummaryCode>|PLUS|V0120|U001|1IAC2BOB7DZA8RDE|</plus:MediaSummaryCode>"
    "<plus:RegionConstraints>Not in Bavaria.</plus:RegionConstraints>"
    "<plus:CreditLineRequired>CR-CAI</plus:CreditLineRequired>"
    "<plus:ImageAlterationConstraints><rdf:Bag><rdf:li>AL-CRP</rdf:li></rdf:Bag></plus:ImageAlterationConstraints>"
    "<plus:DataMining>http://ns.useplus.org/ldf/vocab/DMI-PROHIBITED</plus:DataMining>"
)
PROPOSAL = """query ($id: ID!) { asset(id: $id) { current { licenseProposal {
  kind code termsUrl credit notice licenseId itemId startsOn endsOn transactedOn dataMining alterations
  parties { role name plusId url } duties { kind parameter } usages { items { code dimension } }
  constraints { dimension text } sources { field namespace name text unread } } } } }"""
DRAFT = """license { id title kind code status startsOn endsOn supplierItemId plusLicenseId termsUrl freeText
  licensor { name kind url } licensee { id }
  grants { effect actions channels territories purposes duties { kind } } }"""


def brought(hub: Hub, client: Client, body: str = MANAGED, **more: Any) -> dict[str, Any]:
    content = made_metadata.jpeg(xmp=made_metadata.xmp(body, SPACES))
    asset = client.create(content, "harbour.jpg", **{"title": "Harbour", **more})
    work_off(hub)
    return asset


def proposal(client: Client, asset: dict[str, Any]) -> dict[str, Any] | None:
    found: dict[str, Any] | None = client.ask(PROPOSAL, id=asset["id"])["asset"]["current"]["licenseProposal"]
    return found


def drafted(client: Client, asset: dict[str, Any], **more: Any) -> dict[str, Any]:
    payload = mutate(client, "licenseFromProposal", DRAFT, version=asset["current"]["id"], **more)
    assert payload["errors"] == []
    found: dict[str, Any] = payload["license"]
    return found


def licences(hub: Hub) -> int:
    with hub.reading(HUB) as work:
        tables = (LicenseRow, PartyRow, AssetRightsRow)
        return sum(work.session.scalar(sa.select(sa.func.count()).select_from(table)) or 0 for table in tables)


def test_a_file_that_claims_something_proposes_it_with_the_places_that_say_so(hub: Hub, client: Client) -> None:
    found = proposal(client, brought(hub, client))
    assert found is not None
    sources = {(each["field"], each["name"]): each for each in found.pop("sources")}
    assert found == {
        "kind": "RIGHTS_MANAGED",
        "code": None,
        "termsUrl": None,
        "credit": "Ada Lens",
        "notice": None,
        "licenseId": "L-9",
        "itemId": "4711",
        "startsOn": "2026-02-01",
        "endsOn": "2027-01-31",
        "transactedOn": None,
        "dataMining": "PROHIBITED",
        "alterations": ["CROP"],
        "parties": [{"role": "LICENSOR", "name": "Lens Agency", "plusId": None, "url": "https://lens.example/"}],
        "duties": [{"kind": "CREDIT_ADJACENT", "parameter": "Ada Lens"}],
        "usages": [
            {
                "items": [
                    {"code": "2BOB", "dimension": "MEDIA"},
                    {"code": "7DZA", "dimension": "DURATION"},
                    {"code": "8RDE", "dimension": "REGION"},
                ]
            }
        ],
        "constraints": [{"dimension": "TERRITORY", "text": "Not in Bavaria."}],
    }
    assert sources["ENDS_ON", "LicenseEndDate"]["unread"] is None
    assert sources["TRANSACTED_ON", "LicenseTransactionDate"]["unread"].startswith("This is no whole date")
    assert "a@lens.example" not in str(sources)


def test_a_file_that_claims_nothing_proposes_nothing(hub: Hub, client: Client) -> None:
    asset = client.create(picture(1), "plain.png")
    assert proposal(client, asset) is None
    work_off(hub)
    assert proposal(client, asset) is None
    before = licences(hub)
    assert refused(client, "licenseFromProposal", DRAFT, version=asset["current"]["id"])["code"] == "CONFLICT"
    assert licences(hub) == before


def test_a_claim_becomes_a_draft_that_grants_nothing(hub: Hub, client: Client) -> None:
    asset = brought(hub, client)
    found = drafted(client, asset, licensorKind="ORGANISATION")
    assert (found["status"], found["kind"], found["title"]) == (
        "DRAFT",
        "RIGHTS_MANAGED",
        "Harbour (as the file claims)",
    )
    assert (found["startsOn"], found["endsOn"]) == ("2026-02-01", "2027-01-31")
    assert (found["plusLicenseId"], found["supplierItemId"]) == ("L-9", "4711")
    assert found["licensor"] == {"name": "Lens Agency", "kind": "ORGANISATION", "url": "https://lens.example/"}
    assert [(each["effect"], each["actions"]) for each in found["grants"]] == [("PROHIBIT", ["AI_TRAIN"])]
    assert found["freeText"] == [
        "Not in Bavaria.",
        "PLUS: not to be altered: CROP.",
        "PLUS: CREDIT_ADJACENT: Ada Lens.",
        "PLUS media summary: 2BOB 7DZA 8RDE.",
        "Not understood: plus:LicenseTransactionDate: some day. This is no whole date: it does not name one day.",
    ]
    with hub.reading(HUB) as work:
        (row,) = work.session.scalars(sa.select(AssetRightsRow))
        assert row.version_id is not None
        assert (row.coverage, row.recognisable_people, row.recognisable_property) == ("WHOLE", None, None)


@pytest.mark.parametrize(
    ("address", "code", "kind", "grants"),
    [
        ("licenses/by-nc-sa/4.0/", "CC-BY-NC-SA-4.0", "CREATIVE_COMMONS", 2),
        ("licenses/by/2.0/", "CC-BY-2.0", "CREATIVE_COMMONS", 1),
        ("publicdomain/zero/1.0/", "CC0-1.0", "CREATIVE_COMMONS", 1),
        ("publicdomain/mark/1.0/", "PDM-1.0", "PUBLIC_DOMAIN", 1),
    ],
)
def test_a_public_licence_becomes_a_draft_with_what_it_grants_to_everybody(
    hub: Hub, client: Client, address: str, code: str, kind: str, grants: int
) -> None:
    body = f'<cc:license rdf:resource="https://creativecommons.org/{address}"/>'
    found = drafted(client, brought(hub, client, body))
    assert (found["status"], found["code"], found["kind"]) == ("DRAFT", code, kind)
    assert (found["licensee"], found["licensor"], found["freeText"]) == (None, None, [])
    assert found["termsUrl"] == f"https://creativecommons.org/{address}"
    assert len(found["grants"]) == grants
    if "NC" in code:
        assert {"effect": "PROHIBIT", "purposes": ["COMMERCIAL"]}.items() <= found["grants"][1].items()


def test_a_licensor_that_is_known_is_not_made_twice(hub: Hub, client: Client, admin: Viewer) -> None:
    with hub.writing(admin) as work:
        parties.create(work, parties.Kind.ORGANISATION, {"name": "LENS agency"})
        other = parties.create(work, parties.Kind.ORGANISATION, {"name": "Another"}).id
    asset = brought(hub, client)
    assert drafted(client, asset)["licensor"]["name"] == "LENS agency"
    with hub.reading(HUB) as work:
        assert len(list(work.session.scalars(sa.select(PartyRow)))) == 2
        assert other


def test_a_new_licensor_is_taken_for_a_person_unless_somebody_says_otherwise(hub: Hub, client: Client) -> None:
    assert drafted(client, brought(hub, client))["licensor"]["kind"] == "PERSON"


def test_of_two_drafts_of_one_claim_one_counts_under_its_name(hub: Hub, client: Client) -> None:
    asset = brought(hub, client)
    key = {"idempotencyKey": "the-same-wish"}
    first = drafted(client, asset, **key)
    assert drafted(client, asset, **key)["id"] == first["id"]
    second = drafted(client, asset)
    assert second["title"] == first["title"]
    told = {"license": first["id"], "expectedRevision": 1}
    assert mutate(client, "licenseActivate", "license { status }", **told)["license"] == {"status": "ACTIVE"}
    told = {"license": second["id"], "expectedRevision": 1}
    assert refused(client, "licenseActivate", "license { id }", **told)["code"] == "CONFLICT"
    assert drafted(client, asset, title="A third one", startsOn="2026-03-01")["startsOn"] == "2026-03-01"


def test_a_first_day_after_the_last_is_refused_and_nothing_is_made(hub: Hub, client: Client) -> None:
    asset = brought(hub, client)
    before = licences(hub)
    wrong = refused(client, "licenseFromProposal", DRAFT, version=asset["current"]["id"], startsOn="2027-02-01")
    assert wrong["code"] == "INVALID"
    assert licences(hub) == before


def test_who_may_not_write_licences_makes_none_of_a_claim(hub: Hub, client: Client) -> None:
    asset = brought(hub, client)
    designer = Client(hub, acting.member(hub, "designer"))
    assert proposal(designer, asset) is not None
    before = licences(hub)
    assert refused(designer, "licenseFromProposal", DRAFT, version=asset["current"]["id"])["code"] == "NOT_ALLOWED"
    assert licences(hub) == before


def test_a_claim_is_known_to_those_who_may_know_of_licences(hub: Hub, client: Client) -> None:
    asset = brought(hub, client)
    told = {"version": asset["current"]["id"], "sha256": asset["current"]["sha256"]}
    assert mutate(client, "assetVersionApprove", "asset { id }", ownWork=True, **told)["errors"] == []
    viewer = Client(hub, acting.member(hub, "viewer"))
    answer = viewer.answer(PROPOSAL, id=asset["id"])
    assert answer["data"]["asset"]["current"]["licenseProposal"] is None
    assert [each["permission"] for each in answer["extensions"]["denied"]] == ["license.view"]


def test_very_many_words_fit_into_a_draft(hub: Hub, client: Client) -> None:
    names = ("Media", "Region", "ProductOrService", "Other")
    body = "".join(f"<plus:{name}Constraints>{'word ' * 700}{name}</plus:{name}Constraints>" for name in names)
    many = "".join(f"<rdf:li>IF-X{number}</rdf:li>" for number in range(30))
    body += f"<plus:ImageFileConstraints><rdf:Bag>{many}</rdf:Bag></plus:ImageFileConstraints>"
    found = drafted(client, brought(hub, client, body + f"<plus:LicenseID>{'9' * 400}</plus:LicenseID>"))
    assert len(found["freeText"]) == 20
    assert max(map(len, found["freeText"])) <= 2_000
    assert found["freeText"][-1].startswith("The file says ")
    assert found["plusLicenseId"] is None
