"""Whatever cannot be is refused by a typed error that names what is wrong, with nothing written."""

from __future__ import annotations

from typing import Any

import pytest

from domain.global_ids import encode
from domain.hub import Hub
from tests import acting
from tests.asking import Client
from tests.assets.acts import accepted, created, picture, refusal, unchanged
from tests.licensing.writing import LICENSE, PERMIT, active, assessed, draft, moved, party, put_in, release


def _grant(**more: Any) -> dict[str, Any]:
    return {"grants": [PERMIT, {**PERMIT, **more}]}


#: What is said beside a good licence, the constraint it breaks, and where.
BAD_LICENSES: tuple[tuple[dict[str, Any], str, list[str]], ...] = (
    ({"endsOn": "2025-12-31"}, "window", ["endsOn"]),
    ({"startsOn": "2028-02-29", "endsOn": "2028-02-28"}, "window", ["endsOn"]),
    ({"title": "  "}, "required", ["title"]),
    ({"title": "x" * 301}, "length", ["title"]),
    ({"number": "  "}, "required", ["number"]),
    ({"zone": "Europe/Atlantis"}, "zone", ["zone"]),
    ({"zone": "../../etc/passwd"}, "zone", ["zone"]),
    ({"seats": 0}, "range", ["seats"]),
    ({"fee": {"amount": "1.005", "currency": "EUR"}}, "digits", ["fee"]),
    ({"fee": {"amount": "1.5", "currency": "JPY"}}, "digits", ["fee"]),
    ({"fee": {"amount": "1", "currency": "XXX"}}, "currency", ["fee"]),
    ({"fee": {"amount": "-1", "currency": "EUR"}}, "range", ["fee"]),
    ({"termsUrl": "javascript:alert(1)"}, "format", ["termsUrl"]),
    ({"freeText": ["x"] * 21}, "length", ["freeText"]),
    ({"template": "NONE"}, "template", ["template"]),
    ({"kind": None}, "required", ["kind"]),
    ({"grants": [PERMIT] * 51}, "length", ["grants"]),
    (_grant(actions=[]), "required", ["grants", "1", "actions"]),
    (_grant(channels=[]), "required", ["grants", "1", "channels"]),
    (_grant(territories=[]), "required", ["grants", "1", "territories"]),
    (_grant(channels=["print.papyrus"]), "channel", ["grants", "1", "channels"]),
    (_grant(territories=["ZZ"]), "territory", ["grants", "1", "territories"]),
    (_grant(territories=["de"]), "territory", ["grants", "1", "territories"]),
    (_grant(territories=["ZZ-12"]), "territory", ["grants", "1", "territories"]),
    (_grant(territoriesExcept=["ATLANTIS"]), "territory", ["grants", "1", "territoriesExcept"]),
    (_grant(startsOn="2026-06-02", endsOn="2026-06-01"), "window", ["grants", "1", "endsOn"]),
    (_grant(languages=["klingonese"]), "locale", ["grants", "1", "languages"]),
    (_grant(alterations=["NONE", "CROP"]), "alteration", ["grants", "1", "alterations"]),
    (_grant(maxSize={"pageShare": 10_001}), "range", ["grants", "1", "maxSize", "pageShare"]),
    (_grant(maxSize={"longEdgePx": 0}), "range", ["grants", "1", "maxSize"]),
    (_grant(caps=[{"unit": "COPIES", "limit": "-1"}]), "range", ["grants", "1", "caps", "0", "limit"]),
    (_grant(caps=[{"unit": "COPIES", "limit": "1"}] * 2), "unique", ["grants", "1", "caps"]),
    (_grant(effect="PROHIBIT", caps=[{"unit": "COPIES", "limit": "1"}]), "prohibition", ["grants", "1", "effect"]),
    (_grant(duties=[{"kind": "LINK_LICENSE"}] * 21), "length", ["grants", "1", "duties"]),
)


@pytest.mark.parametrize(("more", "constraint", "path"), BAD_LICENSES)
def test_a_licence_that_cannot_be_is_neither_made_nor_made_of_another(
    hub: Hub, client: Client, more: dict[str, Any], constraint: str, path: list[str]
) -> None:
    there = draft(client, "There already")
    told = {"title": "Alpine sunrise", "startsOn": "2026-01-01", "kind": "RIGHTS_MANAGED", "grants": [PERMIT], **more}
    at = {"license": there["id"], "expectedRevision": there["revision"], **more}
    with unchanged(hub):
        _invalid(client.mutate("licenseCreate", LICENSE, **told), constraint, path)
        if not set(more) & {"template", "kind"}:
            _invalid(client.mutate("licenseUpdate", LICENSE, **at), constraint, path)


def test_a_licence_of_one_day_ends_on_the_day_it_starts(client: Client) -> None:
    row = draft(client, startsOn="2028-02-29", endsOn="2028-02-29")
    assert (row["startsOn"], row["endsOn"]) == ("2028-02-29", "2028-02-29")


def test_a_day_that_is_none_is_no_input(hub: Hub, client: Client) -> None:
    query = "mutation ($input: LicenseCreateInput!) { licenseCreate(input: $input) { license { id } } }"
    with unchanged(hub):
        told = {"title": "A", "startsOn": "2026-02-29", "kind": "OWNED"}
        answer = client.answer(query, input=told)
    assert "There is no such day." in answer["errors"][0]["message"]


def test_a_number_is_given_once_and_a_title_counts_once(hub: Hub, client: Client) -> None:
    first = draft(client, number="A-1")
    with unchanged(hub):
        again = client.mutate("licenseCreate", LICENSE, title="B", startsOn="2026-01-01", kind="OWNED", number="A-1")
        assert (refusal(again)["code"], refusal(again)["path"]) == ("CONFLICT", ["number"])
    second = draft(client)  # called the same, and so may a draft be
    accepted(moved(client, "Activate", first))
    with unchanged(hub):
        assert (
            refusal(moved(client, "Activate", second))["message"] == "There is a licence called Alpine sunrise already."
        )


def test_a_licence_supersedes_neither_itself_nor_one_that_is_not_active(hub: Hub, client: Client) -> None:
    row, other, third = active(client), draft(client, "Another"), draft(client, "Third")
    over = accepted(moved(client, "Terminate", active(client, "Over"), reason="So."))["license"]
    with unchanged(hub):
        _invalid(moved(client, "Supersede", row, by=row["id"], reason="So."), "self", ["by"])
        for by in (over["id"], "nothing"):
            assert refusal(moved(client, "Supersede", row, by=by, reason="So."))["path"] == ["by"]
        for ended in (over, other):
            refused = refusal(moved(client, "Supersede", ended, by=third["id"], reason="So."))
            assert (refused["code"], refused["path"]) == ("CONFLICT", ["license"])


def test_what_nobody_gives_a_reason_for_is_not_done(hub: Hub, client: Client) -> None:
    row, signed, asset = active(client), release(client), created(client, picture(1))
    with unchanged(hub):
        for verb in ("Suspend", "Terminate"):
            _invalid(moved(client, verb, row, reason="  "), "required", ["reason"])
        told = {"release": signed["id"], "expectedRevision": signed["revision"], "reason": " "}
        _invalid(client.mutate("releaseRevoke", "release { id }", **told), "required", ["reason"])
        for name in ("takedownOpen", "embargoPlace"):
            entity = name.removesuffix("Open").removesuffix("Place")
            _invalid(client.mutate(name, f"{entity} {{ id }}", asset=asset["id"], reason=" "), "required", ["reason"])


def test_somebody_changed_it_first(hub: Hub, client: Client) -> None:
    row = draft(client)
    accepted(client.mutate("licenseUpdate", LICENSE, license=row["id"], expectedRevision=row["revision"], title="B"))
    with unchanged(hub):
        for verb in ("Activate", "Resume"):
            assert refusal(moved(client, verb, row))["code"] == "STALE_REVISION"


def test_an_active_licence_is_not_updated(hub: Hub, client: Client) -> None:
    row = active(client)
    told = {"license": row["id"], "expectedRevision": row["revision"], "title": "Another"}
    with unchanged(hub):
        refused = refusal(client.mutate("licenseUpdate", LICENSE, **told))
    assert refused["message"] == "This licence is active: a change is a new licence that supersedes it."


def test_a_composite_never_contains_itself(hub: Hub, client: Client) -> None:
    chain = [created(client, picture(at)) for at in range(3)]
    accepted(put_in(client, chain[0], chain[1]))
    accepted(put_in(client, chain[1], chain[2]))
    with unchanged(hub):
        for whole, part in ((2, 0), (1, 0), (2, 1), (0, 0)):
            refused = refusal(put_in(client, chain[whole], chain[part]))
            assert (refused["code"], refused["message"]) == ("CONFLICT", "It would contain itself.")


def test_an_assessment_that_says_nothing_or_says_it_again_is_refused(hub: Hub, client: Client) -> None:
    asset, other, row = created(client, picture(1)), created(client, picture(2)), active(client)
    assessed(client, asset, licenses=[row["id"]])
    over = accepted(moved(client, "Terminate", active(client, "Over"), reason="So."))["license"]

    def asked(**more: Any) -> dict[str, Any]:
        return client.mutate("assetRightsAssess", "asset { id }", asset=asset["id"], **more)

    with unchanged(hub):
        _invalid(asked(), "required", ["licenses"])
        assert refusal(asked(licenses=[row["id"]]))["code"] == "CONFLICT"
        assert refusal(asked(licenses=[over["id"]]))["code"] == "CONFLICT"
        wrong = refusal(asked(version=other["current"]["id"], recognisablePeople=True))
        assert (wrong["code"], wrong["path"]) == ("NOT_FOUND", ["version"])


def test_releases_that_cannot_be_are_refused(hub: Hub, client: Client) -> None:
    about = party(client, "Jane Doe", "PERSON")["id"]

    def asked(**more: Any) -> dict[str, Any]:
        return client.mutate("releaseCreate", "release { id }", kind="MODEL", about=about, **more)

    accepted(asked(number="R-1"))
    with unchanged(hub):
        _invalid(asked(status="LIMITED"), "required", ["grants"])
        _invalid(asked(startsOn="2026-02-01", endsOn="2026-01-31"), "window", ["endsOn"])
        _invalid(asked(signedOn="2999-01-01"), "future", ["signedOn"])
        _invalid(asked(grants=[{**PERMIT, "territories": ["ZZ"]}]), "territory", ["grants", "0", "territories"])
        assert refusal(asked(number="R-1"))["path"] == ["number"]


def test_an_embargo_that_is_over_before_it_begins_is_refused(hub: Hub, client: Client) -> None:
    asset = created(client, picture(1))
    told = {"asset": asset["id"], "reason": "Not yet."}
    with unchanged(hub):
        for window in (
            {"endsAt": "2020-01-01T00:00:00Z"},
            {"startsAt": "2099-01-02T00:00:00Z", "endsAt": "2099-01-01T00:00:00Z"},
            {"startsAt": "2099-01-01T01:00:00+01:00", "endsAt": "2099-01-01T00:00:00Z"},
        ):
            _invalid(client.mutate("embargoPlace", "embargo { id }", **told, **window), "window", ["endsAt"])


def test_an_exclusivity_that_cannot_be_is_refused(hub: Hub, client: Client) -> None:
    holder = encode("Organisation", client.viewer.org_id)
    told = {"asset": created(client, picture(1))["id"], "holder": holder}
    with unchanged(hub):
        for more, constraint, path in (
            ({"startsOn": "2026-02-02", "endsOn": "2026-02-01"}, "window", ["endsOn"]),
            ({"startsOn": "2028-03-01", "endsOn": "2028-02-29", "zone": "Asia/Tokyo"}, "window", ["endsOn"]),
            ({"channels": ["print.nothing"]}, "channel", ["channels"]),
            ({"territories": ["XX"]}, "territory", ["territories"]),
            ({"zone": "Mars/Olympus"}, "zone", ["zone"]),
        ):
            _invalid(client.mutate("exclusivityGive", "exclusivity { id }", **told, **more), constraint, path)
        nobody = {**told, "holder": encode("Organisation", 4711)}
        assert refusal(client.mutate("exclusivityGive", "exclusivity { id }", **nobody))["path"] == ["holder"]
    one_day = {"startsOn": "2028-02-29", "endsOn": "2028-02-29"}
    accepted(client.mutate("exclusivityGive", "exclusivity { id }", **told, **one_day))


def test_groups_of_territories_that_cannot_be_are_refused(hub: Hub, client: Client) -> None:
    query = """mutation ($input: TerritoryGroupCreateInput!) { territoryGroupCreate(input: $input) {
      group { id } errors { code path ... on ValidationError { constraint } } } }"""

    def asked(code: str, *members: dict[str, str]) -> dict[str, Any]:
        told = {"code": code, "name": "Ours", "members": list(members)}
        answer: dict[str, Any] = client.ask(query, input=told)["territoryGroupCreate"]
        return answer

    with unchanged(hub):
        for code in ("DE", "eu", "X", "WORLDWIDE", "ANY", "A B", "Ä_1"):
            _invalid(asked(code), "format", ["code"])
        assert refusal(asked("EU"))["code"] == "CONFLICT"
        _invalid(asked("OURS", {"territory": "EU"}), "territory", ["members", "0", "territory"])
        backwards = {"territory": "DE", "firstOn": "2020-02-02", "lastOn": "2020-02-01"}
        _invalid(asked("OURS", {"territory": "AT"}, backwards), "window", ["members", "1", "lastOn"])
    assert asked("OURS", {"territory": "AT"})["errors"] == []
    with unchanged(hub):
        assert refusal(asked("OURS"))["code"] == "CONFLICT"
    draft(client, grants=[{**PERMIT, "territories": ["OURS"]}])


def test_parties_are_people_and_companies_with_addresses(hub: Hub, client: Client) -> None:
    query = """mutation ($input: PartyCreateInput!) { partyCreate(input: $input) {
      party { id } errors { code path ... on ValidationError { constraint } } } }"""
    with unchanged(hub):
        for more, constraint, path in (
            ({"email": "nobody"}, "format", ["email"]),
            ({"url": "ftp://agency.example"}, "format", ["url"]),
            ({"country": "ZZ"}, "country", ["country"]),
            ({"country": "EU"}, "country", ["country"]),
            ({"name": " "}, "required", ["name"]),
        ):
            told = {"kind": "PERSON", "name": "Jane Doe", **more}
            _invalid(client.ask(query, input=told)["partyCreate"], constraint, path)
    gone = party(client)
    accepted(client.mutate("partyArchive", "party { archived }", party=gone["id"], expectedRevision=gone["revision"]))
    with unchanged(hub):
        told = {"title": "A", "startsOn": "2026-01-01", "kind": "OWNED", "licensor": gone["id"]}
        assert refusal(client.mutate("licenseCreate", LICENSE, **told))["path"] == ["licensor"]


def test_what_one_may_see_one_may_not_therefore_change(hub: Hub, client: Client) -> None:
    row, asset = active(client), created(client, picture(1))
    designer = Client(hub, acting.member(hub, "designer"))
    with unchanged(hub):
        assert refusal(moved(designer, "Suspend", row, reason="So."))["code"] == "NOT_ALLOWED"
        told = {"asset": asset["id"], "licenses": [row["id"]]}
        assert refusal(designer.mutate("assetRightsAssess", "asset { id }", **told))["code"] == "NOT_ALLOWED"
        told = {"asset": asset["id"], "reason": "So."}
        assert refusal(designer.mutate("takedownOpen", "takedown { id }", **told))["code"] == "NOT_ALLOWED"


def _invalid(payload: dict[str, Any], constraint: str, path: list[str]) -> None:
    refused = refusal(payload)
    assert (refused["code"], refused["constraint"], refused["path"]) == ("INVALID", constraint, path)
