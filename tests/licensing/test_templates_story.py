"""What a licence that began with a template allows and denies, as rows say it, on both databases."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

import pytest

from domain.hub import Hub
from domain.licensing import templates
from domain.licensing.codes import CapUnit
from tests.asking import Client
from tests.assets.acts import accepted, refusal, unchanged
from tests.licensing.writing import LICENSE, moved
from tests.schema.samples import Brand
from tests.usage.test_story import told
from tests.usage.using import cap, counters, licensed

LIST: Final = {"addresses": 1_000}
DECISION: Final = "query ($input: RightsQueryInput!) { rightsDecision(input: $input) { outcome reasons { code } } }"


@dataclass(frozen=True)
class Tried:
    """A use, which is commercial, for Germany and 31 days unless it says otherwise, and what is decided."""

    outcome: str
    said: dict[str, Any]
    #: Reasons that are given, if not others as well.
    codes: frozenset[str] = field(default_factory=frozenset)


def yes(action: str, channel: str, **said: Any) -> Tried:
    return Tried("ALLOWED", {"action": action, "channel": channel, **said})


def no(action: str, channel: str, *codes: str, outcome: str = "DENIED", **said: Any) -> Tried:
    return Tried(outcome, {"action": action, "channel": channel, **said}, frozenset(codes))


def many(**units: int) -> dict[str, Any]:
    told_of = [{"unit": unit, "amount": str(amount)} for unit, amount in units.items()]
    return {"quantity": told_of[0], "moreQuantities": told_of[1:]}


NEXT_YEAR: Final[dict[str, Any]] = {"window": {"from": "2027-02-01", "to": "2027-02-02"}}
#: Per template what it allows and what it does not; `#` tells two uses of one template apart that say more.
TRIED: Final[dict[str, tuple[Tried, ...]]] = {
    "OWNED": (
        *(yes("PUBLISH", "web.site"), yes("PRINT", "packaging.box"), yes("RESELL", "merchandise.object")),
        *(yes("AI_TRAIN", "data.training"), yes("AI_INPUT", "data.prompt"), yes("DERIVE", "social.paid")),
        no("SUBLICENSE", "web.site", "ACTION_NOT_GRANTED"),  # the licence itself says whether it may be passed on
    ),
    "COMMISSIONED_BUYOUT": (
        *(yes("PUBLISH", "outdoor.billboard"), yes("BROADCAST", "broadcast.tv"), yes("RESELL", "merchandise.object")),
        yes("DERIVE", "web.site", alterations=["RETOUCH", "MERGE"]),
        no("AI_TRAIN", "data.training", "AI_USE_FORBIDDEN"),
    ),
    "COMMISSIONED_LIMITED": (
        *(yes("PUBLISH", "web.site"), yes("PRINT", "print.flyer"), yes("PUBLISH", "email.newsletter")),
        no("PUBLISH", "outdoor.billboard", "CHANNEL_NOT_GRANTED"),
        no("BROADCAST", "broadcast.tv", "CHANNEL_NOT_GRANTED"),
        no("RESELL", "print.poster", "ACTION_NOT_GRANTED"),
        no("AI_INPUT", "web.site", "AI_USE_FORBIDDEN"),
    ),
    "ROYALTY_FREE": (
        yes("PRINT", "print.flyer", **many(COPIES=500_000)),
        no("PRINT", "print.flyer", "CAP_EXCEEDED", **many(COPIES=500_001)),
        no("PRINT", "print.flyer", outcome="UNKNOWN"),  # how many was not said
        yes("PUBLISH", "web.site"),  # where nobody counts copies
        no("RESELL", "merchandise.object", "PROHIBITED", **many(COPIES=1)),
    ),
    "ROYALTY_FREE_EXTENDED": (
        yes("PRINT", "print.flyer", **many(COPIES=10**9)),
        yes("RESELL", "merchandise.object"),
        no("AI_TRAIN", "data.training", "AI_USE_FORBIDDEN"),
    ),
    "RIGHTS_MANAGED": (no("VIEW", "internal.intranet"), no("PRINT", "print.flyer")),
    "EDITORIAL": (
        no("PUBLISH", "editorial.article", "PURPOSE_FORBIDDEN"),
        Tried("ALLOWED_WITH_DUTIES", {"action": "PUBLISH", "channel": "press.magazine", "purpose": "EDITORIAL"}),
        no("PUBLISH", "web.shop", "CHANNEL_NOT_GRANTED", purpose="EDITORIAL"),
        no("PUBLISH", "editorial.article", "ALTERATION_FORBIDDEN", purpose="EDITORIAL", alterations=["RETOUCH"]),
    ),
    "MUSIC_SYNC": (
        *(yes("BROADCAST", "broadcast.tv"), yes("BROADCAST", "broadcast.cinema"), yes("PUBLISH", "social.story")),
        *(yes("PUBLISH", "advertising.video"), yes("VIEW", "web.site")),
        no("PUBLISH", "advertising.display", "CHANNEL_NOT_GRANTED"),
        no("PRINT", "print.poster", "ACTION_NOT_GRANTED", "CHANNEL_NOT_GRANTED"),
        no("DERIVE", "social.story", "ACTION_NOT_GRANTED"),
        no("AI_TRAIN", "data.training", "AI_USE_FORBIDDEN"),
    ),
    "TALENT": (
        *(yes("PRINT", "print.poster"), yes("PUBLISH", "outdoor.billboard"), yes("BROADCAST", "broadcast.tv")),
        yes("PUBLISH", "advertising.native"),
        no("PUBLISH", "packaging.box", "CHANNEL_NOT_GRANTED"),
        no("DERIVE", "web.site", "ACTION_NOT_GRANTED"),
        no("AI_INPUT", "web.site", "AI_USE_FORBIDDEN"),
    ),
    "FONT": (
        yes("VIEW", "font.desktop", **many(SEATS=1)),
        no("VIEW", "font.desktop", "CAP_EXCEEDED", **many(SEATS=2)),
        yes("PUBLISH", "font.web", **many(VIEWS=10_000)),
        no("PUBLISH", "font.web", "CAP_EXCEEDED", **many(VIEWS=10_001)),
        yes("PUBLISH", "font.document"),
        no("PUBLISH", "font.app", "CHANNEL_NOT_GRANTED"),
        no("RESELL", "font.desktop", "PROHIBITED", **many(SEATS=1)),
    ),
    "FONT_APP": (
        yes("PUBLISH", "font.app", **many(PLACEMENTS=1)),
        no("PUBLISH", "font.app", "CAP_EXCEEDED", **many(PLACEMENTS=2)),
        no("PUBLISH", "font.web", "CHANNEL_NOT_GRANTED", **many(PLACEMENTS=1)),
    ),
    "LIST_ONCE": (
        yes("PUBLISH", "direct.letter", **many(PIECES=1_000, PLACEMENTS=1)),
        yes("PUBLISH", "email.campaign", **many(PIECES=10, PLACEMENTS=1)),
        no("PUBLISH", "direct.letter", "CAP_EXCEEDED", **many(PIECES=1_001, PLACEMENTS=1)),
        no("PUBLISH", "direct.letter", "CAP_EXCEEDED", **many(PIECES=1_000, PLACEMENTS=2)),
        no("PUBLISH", "direct.letter", outcome="UNKNOWN", **many(PLACEMENTS=1)),
        no("PUBLISH", "web.site", "CHANNEL_NOT_GRANTED", **many(PLACEMENTS=1)),
        no("RESELL", "direct.letter", "PROHIBITED", **many(PIECES=1, PLACEMENTS=1)),
    ),
    "LIST_TIMES": (
        yes("PUBLISH", "direct.postcard", **many(PIECES=3_000, PLACEMENTS=3)),
        no("PUBLISH", "direct.postcard", "CAP_EXCEEDED", **many(PIECES=3_001, PLACEMENTS=3)),
        no("PUBLISH", "direct.postcard", "CAP_EXCEEDED", **many(PIECES=1, PLACEMENTS=4)),
    ),
    "LIST_YEAR": (
        yes("PUBLISH", "direct.letter"),
        yes("PUBLISH", "email.newsletter", **many(PIECES=10**6, PLACEMENTS=50)),
        yes("PUBLISH", "direct.letter", window={"from": "2026-01-15", "to": "2027-01-14"}),
        no("PUBLISH", "direct.letter", "WINDOW_EXCEEDS_GRANT", window={"from": "2027-01-14", "to": "2027-01-15"}),
        no("PUBLISH", "direct.letter", "EXPIRED", **NEXT_YEAR),
    ),
    "UNKNOWN": (no("VIEW", "internal.intranet", outcome="UNKNOWN"),),
}
MORE: Final = {"LIST_ONCE": LIST, "LIST_TIMES": {**LIST, "times": 3}}


@pytest.mark.parametrize("code", TRIED)
def test_a_template_allows_and_denies_what_such_licences_do(hub: Hub, client: Client, code: str) -> None:
    brand = Brand(hub, client)
    asset = brand.asset()
    row = accepted(begun(client, code, **MORE.get(code, {})))["license"]
    if code == "RIGHTS_MANAGED":  # nothing is implied: it is not even a licence until it says what it grants
        with unchanged(hub):
            assert refusal(moved(client, "Activate", row))["code"] == "CONFLICT"
    else:
        accepted(moved(client, "Activate", row))
    seen = {"recognisablePeople": False, "recognisableProperty": False}
    accepted(client.mutate("assetRightsAssess", "asset { id }", asset=asset["id"], licenses=[row["id"]], **seen))
    for each in TRIED[code]:
        usual = {"territories": ["DE"], "window": {"from": "2026-05-01", "to": "2026-05-31"}, "purpose": "COMMERCIAL"}
        asked = {"versionId": asset["current"]["id"], **usual, **each.said}
        found = client.ask(DECISION, input=asked)["rightsDecision"]
        assert found["outcome"] == each.outcome, each.said
        assert each.codes <= {one["code"] for one in found["reasons"]}, each.said


def test_every_template_but_public_ones_is_tried() -> None:
    assert set(TRIED) == {code for code, each in templates.TEMPLATES.items() if not each.public}


@pytest.mark.parametrize(
    ("code", "more", "path", "constraint"),
    [
        ("LIST_ONCE", {}, "addresses", "required"),
        ("LIST_ONCE", {"addresses": 0}, "addresses", "range"),
        ("LIST_ONCE", {"addresses": 10**9 + 1}, "addresses", "range"),
        ("LIST_ONCE", {"addresses": 10, "times": 2}, "times", "template"),
        ("LIST_TIMES", {"addresses": 10}, "times", "required"),
        ("LIST_TIMES", {"addresses": 10, "times": 10_001}, "times", "range"),
        ("LIST_YEAR", {"addresses": 10}, "addresses", "template"),
        ("ROYALTY_FREE", {"times": 1}, "times", "template"),
    ],
)
def test_a_list_says_how_many_and_how_often_and_nothing_else_does(
    hub: Hub, client: Client, code: str, more: dict[str, Any], path: str, constraint: str
) -> None:
    with unchanged(hub):
        refused = refusal(begun(client, code, **more))
        assert (refused["code"], refused["path"], refused["constraint"]) == ("INVALID", [path], constraint)
        own = {"grants": [], "kind": "LIST", "title": "A list", "startsOn": "2026-01-15", path: 1}
        assert refusal(client.mutate("licenseCreate", LICENSE, **own))["path"] == [path]


def test_a_list_for_a_year_ends_before_the_day_it_began_on_unless_it_says_otherwise(client: Client) -> None:
    template = templates.TEMPLATES["LIST_YEAR"]
    for starts_on, last in (
        ("2026-01-15", "2027-01-14"),
        ("2026-01-01", "2026-12-31"),
        ("2028-02-29", "2029-02-28"),
        ("2027-02-28", "2028-02-27"),
        ("2027-03-01", "2028-02-29"),
    ):
        assert templates.last_day(template, date.fromisoformat(starts_on)) == date.fromisoformat(last)
    assert accepted(begun(client, "LIST_YEAR"))["license"]["endsOn"] == "2027-01-14"
    assert accepted(begun(client, "LIST_YEAR", endsOn="2026-06-30"))["license"]["endsOn"] == "2026-06-30"
    assert accepted(begun(client, "LIST_YEAR", endsOn=None))["license"]["endsOn"] is None
    assert accepted(begun(client, "FONT"))["license"]["endsOn"] is None


@pytest.mark.parametrize(
    ("unit", "channel"),
    [
        (CapUnit.IMPRESSIONS, "advertising.display"),
        (CapUnit.VIEWS, "font.web"),
        (CapUnit.PIECES, "direct.letter"),
        (CapUnit.DISPLAYS, "outdoor.billboard"),
        (CapUnit.INSERTIONS, "press.newspaper"),
        (CapUnit.SEATS, "font.desktop"),
    ],
)
def test_what_is_capped_in_any_unit_is_reserved_up_to_the_cap(
    hub: Hub, client: Client, unit: CapUnit, channel: str
) -> None:
    it = licensed(client, cap(1_000, unit))

    def reserved(amount: int) -> dict[str, Any]:
        asked = {"versionId": it.asset["current"]["id"], "action": "PUBLISH", "channel": channel, "territories": ["DE"]}
        asked |= {"window": {"from": "2026-05-01", "to": "2026-05-31"}, "purpose": "COMMERCIAL"}
        asked["quantity"] = {"unit": unit.value, "amount": amount}
        return told(client, "rightsReserve", "usage { id records { unit quantity } }", use=asked)

    first = accepted(reserved(700))["usage"]
    assert first["records"] == [{"unit": unit.value, "quantity": "700"}]
    with unchanged(hub):
        assert refusal(reserved(301))["code"] == "RIGHTS_DENIED"
    accepted(reserved(300))
    assert counters(hub, it.license_id) == [(0, 1_000)]
    accepted(told(client, "usageConfirm", "usage { id }", usage=first["id"]))
    assert counters(hub, it.license_id) == [(700, 300)]


def begun(client: Client, code: str, **more: Any) -> dict[str, Any]:
    told_of = {"title": f"A licence {code}", "startsOn": "2026-01-15", "template": code, **more}
    return client.mutate("licenseCreate", LICENSE, **told_of)
