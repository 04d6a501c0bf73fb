"""Licences, parties, releases and what was assessed, as people write and read them."""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa

from domain.global_ids import encode
from domain.hub import Hub
from domain.work import HUB
from storage.tables import GrantCapRow, LicenseGrantRow
from tests import acting
from tests.asking import Client, statements
from tests.assets.acts import accepted, created, events, look, picture, queries, reasons, refusal, unchanged
from tests.licensing.writing import (
    LICENSE,
    PERMIT,
    active,
    assessed,
    draft,
    epoch,
    moved,
    number,
    party,
    put_in,
    release,
)
from tests.schema import samples_likeness

WHOLE = """query ($id: ID!) { license(id: $id) {
  number title kind code status startsOn endsOn zone seats sublicensable freeText groupsAsOf termsUrl
  fee { amount currency minorUnits } licensor { name } licensee { name } supersedes { id } supersededBy { id }
  grants { number effect actions channels territories territoriesExcept purposes languages alterations
    maxSize { pageShare longEdgeMm } caps { unit per limit used reserved } duties { kind parameter actions } } } }"""
GRANT: dict[str, Any] = {
    "actions": ["VIEW", "PRINT"],
    "channels": ["print.flyer", "print.brochure"],
    "territories": ["EU", "CH", "DE"],
    "territoriesExcept": ["FR"],
    "purposes": ["COMMERCIAL"],
    "languages": ["de-ch", "en"],
    "alterations": ["CROP"],
    "maxSize": {"pageShare": 5000},
    "caps": [{"unit": "COPIES", "limit": "250000"}],
    "duties": [{"kind": "CREDIT_ADJACENT", "parameter": "Photo: J. Doe"}],
}


def test_a_licence_says_what_it_was_given(client: Client) -> None:
    fee = {"amount": "1250.5", "currency": "EUR"}
    licensor = party(client)["id"]
    row = draft(client, grants=[GRANT], licensor=licensor, fee=fee, endsOn="2026-12-31", zone="Europe/Berlin", seats=3)
    told = client.ask(WHOLE, id=row["id"])["license"]
    (grant,) = told.pop("grants")
    assert told == {
        "number": "LIC-2026-0001",
        "title": "Alpine sunrise",
        "kind": "RIGHTS_MANAGED",
        "code": None,
        "status": "DRAFT",
        "startsOn": "2026-01-01",
        "endsOn": "2026-12-31",
        "zone": "Europe/Berlin",
        "seats": 3,
        "sublicensable": False,
        "freeText": [],
        "groupsAsOf": None,
        "termsUrl": None,
        "fee": {"amount": "1250.50", "currency": "EUR", "minorUnits": "125050"},
        "licensor": {"name": "Alpine Photos"},
        "licensee": {"name": "Brand"},
        "supersedes": None,
        "supersededBy": None,
    }
    assert grant == {
        "number": 1,
        "effect": "PERMIT",
        "actions": ["PRINT", "VIEW"],
        "channels": ["print.brochure", "print.flyer"],
        "territories": ["CH", "DE", "EU"],
        "territoriesExcept": ["FR"],
        "purposes": ["COMMERCIAL"],
        "languages": ["de-CH", "en"],
        "alterations": ["CROP"],
        "maxSize": {"pageShare": 5000, "longEdgeMm": None},
        "caps": [{"unit": "COPIES", "per": "TOTAL", "limit": "250000", "used": "0", "reserved": "0"}],
        "duties": [{"kind": "CREDIT_ADJACENT", "parameter": "Photo: J. Doe", "actions": []}],
    }


#: How much of a list is let, which no template knows.
LET: Final = {"LIST_ONCE": {"addresses": 12_000}, "LIST_TIMES": {"addresses": 12_000, "times": 3}}


def test_every_template_makes_a_licence_that_can_be_activated_once_it_grants_something(client: Client) -> None:
    offered = client.ask("{ licenseTemplates { code kind public termsUrl } }")["licenseTemplates"]
    assert {each["code"] for each in offered} >= {"OWNED", "CC-BY-NC-ND-4.0", "CC0-1.0", "FONT", "LIST_ONCE", "UNKNOWN"}
    for each in offered:
        told = {"title": each["code"], "startsOn": "2026-01-01", "template": each["code"], **LET.get(each["code"], {})}
        row = accepted(client.mutate("licenseCreate", LICENSE, **told))["license"]
        whole = client.ask(WHOLE, id=row["id"])["license"]
        assert whole["kind"] == each["kind"]
        assert (whole["code"], whole["termsUrl"]) == (
            (each["code"], each["termsUrl"]) if each["public"] else (None, None)
        )
        assert (whole["licensee"] is None) == each["public"]
        answer = moved(client, "Activate", row)
        if whole["grants"] or each["kind"] == "UNKNOWN":
            assert accepted(answer)["license"]["status"] == "ACTIVE"
        else:
            assert refusal(answer)["message"].startswith("This licence grants nothing yet")


def test_a_draft_is_rewritten_and_keeps_what_is_not_said(client: Client) -> None:
    row = draft(client, endsOn="2026-12-31", grants=[GRANT])
    told = {"license": row["id"], "expectedRevision": row["revision"], "grants": [PERMIT, PERMIT], "endsOn": None}
    accepted(client.mutate("licenseUpdate", LICENSE, **told))
    whole = client.ask(WHOLE, id=row["id"])["license"]
    assert (whole["title"], whole["endsOn"], len(whole["grants"])) == ("Alpine sunrise", None, 2)
    assert [grant["caps"] for grant in whole["grants"]] == [[], []]


def test_a_licence_goes_along_its_states_and_each_step_is_recorded(hub: Hub, client: Client) -> None:
    row = active(client)
    row = accepted(moved(client, "Suspend", row, reason="They have not paid."))["license"]
    row = accepted(moved(client, "Resume", row))["license"]
    with unchanged(hub):
        assert refusal(moved(client, "Resume", row))["code"] == "CONFLICT"
        assert refusal(moved(client, "Activate", row))["code"] == "CONFLICT"
    row = accepted(moved(client, "Suspend", row, reason="Once more."))["license"]
    row = accepted(moved(client, "Terminate", row, reason="They went away."))["license"]
    assert row["status"] == "TERMINATED"
    with unchanged(hub):
        for verb in ("Resume", "Activate"):
            assert refusal(moved(client, verb, row))["code"] == "CONFLICT"
        assert refusal(moved(client, "Suspend", row, reason="Again."))["code"] == "CONFLICT"
    assert reasons(hub, "license.suspended") == ["They have not paid.", "Once more."]
    assert reasons(hub, "license.terminated") == ["They went away."]


def test_the_successor_takes_over_every_asset_in_one_step(hub: Hub, client: Client) -> None:
    first, second, other = (created(client, picture(at)) for at in (1, 2, 3))
    old, kept = active(client), active(client, "Another")
    assessed(client, first, licenses=[old["id"]], recognisablePeople=True)
    assessed(client, second, licenses=[old["id"]], version=second["current"]["id"], coverage="COMPONENT")
    assessed(client, other, licenses=[kept["id"]])
    new = draft(client, grants=[GRANT])  # called the same
    told = accepted(moved(client, "Supersede", old, by=new["id"], reason="Other territories."))["license"]
    assert (told["id"], told["status"]) == (new["id"], "ACTIVE")
    assert client.ask(WHOLE, id=old["id"])["license"]["supersededBy"] == {"id": new["id"]}
    assert client.ask(WHOLE, id=new["id"])["license"]["supersedes"] == {"id": old["id"]}
    assert (
        client.ask("query ($id: ID!) { license(id: $id) { status } }", id=old["id"])["license"]["status"]
        == "TERMINATED"
    )
    query = """query ($id: ID!) { asset(id: $id) { licenses { id }
      rights { license { id } version { id } coverage recognisablePeople } } }"""
    assert client.ask(query, id=first["id"])["asset"] == {
        "licenses": [{"id": new["id"]}],
        "rights": [
            {"license": {"id": new["id"]}, "version": None, "coverage": "WHOLE", "recognisablePeople": True},
        ],
    }
    (moved_on,) = client.ask(query, id=second["id"])["asset"]["rights"]
    assert (moved_on["version"], moved_on["coverage"]) == ({"id": second["current"]["id"]}, "COMPONENT")
    assert client.ask(query, id=other["id"])["asset"]["licenses"] == [{"id": kept["id"]}]
    assert events(hub, "license.superseded")[0]["by"] == number(new)
    assert reasons(hub, "license.superseded") == ["Other territories."]


def test_what_was_used_counts_against_the_successor(hub: Hub, client: Client) -> None:
    capped = [{**PERMIT, "caps": [{"unit": "COPIES", "limit": "1000"}, {"unit": "VIEWS", "limit": "5"}]}]
    old = active(client, grants=capped)
    _use(hub, old, 400)
    tight = draft(client, grants=[{**PERMIT, "caps": [{"unit": "COPIES", "limit": "399"}]}])
    with unchanged(hub):
        refused = refusal(moved(client, "Supersede", old, by=tight["id"], reason="Less."))
    assert (refused["code"], refused["constraint"], refused["path"]) == ("INVALID", "cap", ["by"])
    wide = draft(client, grants=[{**PERMIT, "caps": [{"unit": "COPIES", "limit": "400"}]}])
    accepted(moved(client, "Supersede", old, by=wide["id"], reason="As much as was used."))
    (grant,) = client.ask(WHOLE, id=wide["id"])["license"]["grants"]
    assert grant["caps"] == [{"unit": "COPIES", "per": "TOTAL", "limit": "400", "used": "400", "reserved": "0"}]


def test_what_was_used_does_not_begin_anew_because_it_is_counted_by_the_year(hub: Hub, client: Client) -> None:
    old = active(client, grants=[{**PERMIT, "caps": [{"unit": "COPIES", "limit": "1000"}]}])
    yearly = draft(client, grants=[{**PERMIT, "caps": [{"unit": "COPIES", "per": "YEAR", "limit": "1000"}]}])
    _use(hub, old, 400)
    with unchanged(hub):
        refused = refusal(moved(client, "Supersede", old, by=yearly["id"], reason="By the year."))
    assert (refused["code"], refused["constraint"], refused["path"]) == ("INVALID", "cap", ["by"])
    assert "400 copies were counted in all, and grant 1 counts them by the year" in refused["message"]


def test_seats_are_as_many_as_there_are(hub: Hub, client: Client) -> None:
    row = active(client, seats=1)
    first, second = (encode("Organisation", acting.organisation(hub, name)) for name in ("North", "South"))
    told = {"license": row["id"], "organisation": first}
    answer = accepted(client.mutate("licenseSeatAssign", "license { seated { id } }", **told))
    assert answer["license"]["seated"] == [{"id": first}]
    with unchanged(hub):
        full = client.mutate("licenseSeatAssign", "license { id }", license=row["id"], organisation=second)
        assert refusal(full)["message"] == "All 1 seats of this licence are taken."
    accepted(client.mutate("licenseSeatRelease", "license { id }", **told))
    accepted(client.mutate("licenseSeatAssign", "license { id }", license=row["id"], organisation=second))


def test_a_release_waits_is_signed_and_can_be_revoked(hub: Hub, client: Client) -> None:
    row = release(client)
    asset = created(client, picture(1))
    assessed(client, asset, releases=[row["id"]])
    told = {"release": row["id"], "expectedRevision": row["revision"], "status": "UNLIMITED", "signedOn": "2026-01-31"}
    row = accepted(client.mutate("releaseSign", "release { id revision status signedOn }", **told))["release"]
    assert (row["status"], row["signedOn"]) == ("UNLIMITED", "2026-01-31")
    with unchanged(hub):
        again = {**told, "expectedRevision": row["revision"], "status": "NAP"}
        assert refusal(client.mutate("releaseSign", "release { id }", **again))["code"] == "CONFLICT"
    told = {"release": row["id"], "expectedRevision": row["revision"], "reason": "She changed her mind."}
    row = accepted(client.mutate("releaseRevoke", "release { id revision revokedAt }", **told))["release"]
    assert row["revokedAt"] is not None
    with unchanged(hub):
        again = {**told, "expectedRevision": row["revision"]}
        assert refusal(client.mutate("releaseRevoke", "release { id }", **again))["code"] == "CONFLICT"


def test_people_and_money_are_shown_to_those_who_may_see_them(hub: Hub, client: Client) -> None:
    fee = {"amount": "300", "currency": "JPY"}
    row, signed = draft(client, fee=fee), release(client)
    query = """query ($license: ID!, $release: ID!) {
      license(id: $license) { fee { amount } } parties { nodes { name email kind } }
      node(id: $release) { ... on Release { about { name } } } }"""
    lawyer = Client(hub, acting.member(hub, "legal"))
    finance = Client(hub, acting.member(hub, "finance"))
    told = {"license": row["id"], "release": signed["id"]}
    seen = lawyer.answer(query, **told)
    assert seen["data"]["license"] == {"fee": None}
    assert seen["data"]["node"] == {"about": {"name": "Jane Doe"}}
    assert seen["extensions"]["denied"] == [{"path": ["license", "fee"], "permission": "field.money"}]
    paid = finance.answer(query, **told)
    assert paid["data"]["license"] == {"fee": {"amount": "300"}}
    assert paid["data"]["node"] == {"about": None}
    assert paid["data"]["parties"]["nodes"] == [{"name": None, "email": None, "kind": "PERSON"}]


def test_licences_of_another_organisation_are_not_there(hub: Hub, client: Client) -> None:
    row = active(client)
    asset = created(client, picture(1))
    assessed(client, asset, licenses=[row["id"]])
    outside = Client(hub, acting.member(hub, "legal", org_id=acting.organisation(hub, "Other")))
    assert outside.ask("{ licenses { totalCount } parties { totalCount } releases { totalCount } }") == {
        "licenses": {"totalCount": 0},
        "parties": {"totalCount": 0},
        "releases": {"totalCount": 0},
    }
    assert outside.ask("query ($id: ID!) { license(id: $id) { id } }", id=row["id"]) == {"license": None}
    viewer = Client(hub, acting.member(hub, "agency"))  # sees the asset, not what it is under
    answer = viewer.answer("query ($id: ID!) { asset(id: $id) { id licenses { id } rights { id } } }", id=asset["id"])
    assert answer["data"]["asset"] == {"id": asset["id"], "licenses": [], "rights": None}


def test_a_list_takes_as_many_statements_however_long_it_is(hub: Hub, client: Client) -> None:
    query = """{ licenses(first: 50) { nodes { number licensor { name } licensee { id } supersededBy { id }
      grants { caps { unit } duties { kind } } } totalCount } }"""
    of_assets = "{ assets(first: 50) { nodes { licenses { id } rights { id license { id } } takedowns { id } } } }"

    def counted(asked: str) -> int:
        with statements(hub) as sent:
            client.ask(asked)
        return len(queries(sent))

    told: list[tuple[int, int]] = []
    for at in range(2):
        for step in range(1 + 5 * at):
            asset = created(client, picture(10 * at + step))
            row = active(client, f"{at} {step}", licensor=party(client)["id"], grants=[GRANT])
            assessed(client, asset, licenses=[row["id"]])
        told.append((counted(query), counted(of_assets)))
    assert told[0] == told[1]


def test_expiring_licences_come_by_their_last_day_page_by_page(client: Client) -> None:
    for at, ends_on in enumerate(("2027-03-01", "2026-06-30", None, "2028-02-29", "2026-06-30")):
        active(client, f"Licence {at}", endsOn=ends_on)
    draft(client, "A draft", endsOn="2026-05-01")
    query = """query ($day: Date!, $after: String) { expiringLicenses(beforeDay: $day, first: 2, after: $after) {
      nodes { title endsOn } totalCount pageInfo { hasNextPage endCursor } } }"""
    first = client.ask(query, day="2028-02-29")["expiringLicenses"]
    assert [each["title"] for each in first["nodes"]] == ["Licence 1", "Licence 4"]
    assert (first["totalCount"], first["pageInfo"]["hasNextPage"]) == (3, True)
    after = first["pageInfo"]["endCursor"]
    rest = client.ask(query, day="2028-02-29", after=after)["expiringLicenses"]
    assert [each["title"] for each in rest["nodes"]] == ["Licence 0"]
    assert client.ask(query, day="2028-03-01")["expiringLicenses"]["totalCount"] == 4


def test_a_composite_says_what_is_in_it(hub: Hub, client: Client) -> None:
    whole, part, deep = (created(client, picture(at)) for at in (1, 2, 3))
    answer = accepted(put_in(client, whole, part))
    assert answer["composite"]["components"] == [{"id": part["current"]["id"]}]
    accepted(put_in(client, part, deep))
    with unchanged(hub):
        assert refusal(put_in(client, whole, part))["code"] == "CONFLICT"
    told = {"composite": whole["current"]["id"], "part": part["current"]["id"]}
    accepted(client.mutate("componentRemove", "composite { id }", **told))
    accepted(put_in(client, deep, whole))


def test_embargoes_takedowns_and_exclusivity_stand_until_they_are_lifted(hub: Hub, client: Client) -> None:
    asset = created(client, picture(1))
    query = """query ($id: ID!) { asset(id: $id) {
      embargoes { id endsAt } takedowns { id status } exclusivities { id direction territories holder { name } } } }"""
    told = {"asset": asset["id"], "reason": "They asked."}
    until = "2099-01-01T00:00:00Z"
    embargo = accepted(client.mutate("embargoPlace", "embargo { id }", **told, endsAt=until))["embargo"]
    taken = accepted(client.mutate("takedownOpen", "takedown { id status revision }", **told))["takedown"]
    holder = encode("Organisation", acting.organisation(hub, "North"))
    wish = {"asset": asset["id"], "holder": holder, "territories": ["DACH"], "channels": ["print"]}
    exclusive = accepted(client.mutate("exclusivityGive", "exclusivity { id }", **wish))["exclusivity"]
    assert client.ask(query, id=asset["id"])["asset"] == {
        "embargoes": [{"id": embargo["id"], "endsAt": until}],
        "takedowns": [{"id": taken["id"], "status": "OPEN"}],
        "exclusivities": [
            {"id": exclusive["id"], "direction": "OUTGOING", "territories": ["DACH"], "holder": {"name": "North"}}
        ],
    }
    at = {"takedown": taken["id"], "expectedRevision": taken["revision"]}
    seen_to = accepted(client.mutate("takedownEnforce", "takedown { status revision enforcedAt }", **at))["takedown"]
    assert (seen_to["status"], seen_to["enforcedAt"] is None) == ("ENFORCED", False)
    at = {"takedown": taken["id"], "expectedRevision": seen_to["revision"]}
    accepted(client.mutate("takedownLift", "takedown { id }", **at, reason="It was settled."))
    accepted(client.mutate("embargoLift", "embargo { id }", embargo=embargo["id"], reason="Now."))
    accepted(client.mutate("exclusivityEnd", "exclusivity { id }", exclusivity=exclusive["id"], reason="Over."))
    assert client.ask(query, id=asset["id"])["asset"] == {"embargoes": [], "takedowns": [], "exclusivities": []}
    taken_down = client.ask("{ takedowns(statuses: [LIFTED]) { nodes { asset { id } } } }")["takedowns"]["nodes"]
    assert taken_down == [{"asset": {"id": asset["id"]}}]
    assert reasons(hub, "takedown.lifted") == ["It was settled."]


def _use(hub: Hub, row: dict[str, Any], copies: int) -> None:
    mine = sa.select(LicenseGrantRow.id).where(LicenseGrantRow.license_id == number(row))
    used = sa.update(GrantCapRow).where(GrantCapRow.grant_id.in_(mine), GrantCapRow.unit == "COPIES")
    with hub.writing(HUB) as work:
        work.session.execute(used.values(used=copies))


def test_what_becomes_part_of_another_is_no_freer_than_before(hub: Hub, client: Client) -> None:
    """What was said of all of each is said of its versions alone; takedowns and documents go along."""
    into, gone = created(client, picture(1)), created(client, picture(2))
    free, strict = active(client, "Free"), active(client, "Strict")
    paper = active(client, "On paper", document=gone["id"])
    assessed(client, into, licenses=[free["id"]])
    assessed(client, gone, licenses=[strict["id"]], recognisablePeople=True)
    accepted(client.mutate("takedownOpen", "takedown { id }", asset=gone["id"], reason="They asked."))
    whole = created(client, picture(3))
    accepted(put_in(client, whole, gone))
    before = epoch(hub, whole)
    _merged(client, into, gone)
    query = """query ($id: ID!) { asset(id: $id) { takedowns { status } rights { license { title } version { id } }
      versions { nodes { id rights { license { title } recognisablePeople } } } } }"""
    found = client.ask(query, id=into["id"])["asset"]
    assert found["takedowns"] == [{"status": "OPEN"}]
    said = {each["license"]["title"]: each["version"] for each in found["rights"]}
    assert said == {"Free": {"id": into["current"]["id"]}, "Strict": {"id": gone["current"]["id"]}}
    of_versions = {each["id"]: each["rights"] for each in found["versions"]["nodes"]}
    assert of_versions[gone["current"]["id"]] == [{"license": {"title": "Strict"}, "recognisablePeople": True}]
    assert of_versions[into["current"]["id"]] == [{"license": {"title": "Free"}, "recognisablePeople": None}]
    document = "query ($id: ID!) { license(id: $id) { document { id } } }"
    assert client.ask(document, id=paper["id"])["license"]["document"] == {"id": into["id"]}
    assert epoch(hub, whole) > before


def test_what_was_said_alike_of_two_that_become_one_goes_on_for_all_of_it(hub: Hub, client: Client) -> None:
    into, gone = created(client, picture(1)), created(client, picture(2))
    row = active(client)
    for asset in (into, gone):
        assessed(client, asset, licenses=[row["id"]])
    _merged(client, into, gone)
    query = "query ($id: ID!) { asset(id: $id) { rights { license { id } version { id } } } }"
    found = client.ask(query, id=into["id"])["asset"]["rights"]
    assert found == [{"license": {"id": row["id"]}, "version": None}]


def _merged(client: Client, into: dict[str, Any], gone: dict[str, Any]) -> None:
    revisions = {each["id"]: look(client, each)["revision"] for each in (into, gone)}
    told = samples_likeness.merged(
        {**into, "revision": revisions[into["id"]]}, {**gone, "revision": revisions[gone["id"]]}
    )
    accepted(client.mutate("assetMerge", "asset { id }", **told))
