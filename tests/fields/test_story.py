"""Fields of the brand's own: made, said, read, found, counted and put away, through GraphQL."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from domain import changes
from domain.exports import conditions, lines
from domain.global_ids import number_of
from domain.hub import Hub
from storage.index.conditions import All, FieldBetween, FieldIs, FieldSays, Not
from storage.tables import AssetRow
from tests import acting
from tests.asking import Client, statements
from tests.assets import acts
from tests.assets.acts import accepted, created, picture, refusal
from tests.fields import brand
from tests.fields.brand import every_field, listed, names, new_field, said, say, vocabulary
from tests.working import index_all, mutate, refused, work_off


@pytest.fixture
def asset(client: Client) -> dict[str, Any]:
    return created(client, picture(1), title="one")


def test_every_type_of_field_says_what_it_was_given(client: Client, asset: dict[str, Any]) -> None:
    every_field(client)
    other = created(client, picture(2), title="two")
    told = {
        "note": {"text": "  by hand  "},
        "caption": {"texts": [{"locale": "de", "text": "Wiese"}, {"locale": "en-gb", "text": "Meadow"}]},
        "price": {"number": "12.50"},
        "cleared": {"boolean": False},
        "shot": {"date": "2026-02-28"},
        "season": {"choice": "summer"},
        "seasons": {"choices": ["winter", "spring"]},
        "original": {"asset": other["id"]},
    }

    changed = accepted(say(client, asset, **told))["asset"]

    assert changed["revision"] == asset["revision"] + 1
    expected = {
        "note": "by hand",
        "caption": {"de": "Wiese", "en-GB": "Meadow"},
        "price": "12.5",
        "cleared": False,
        "shot": "2026-02-28",
        "season": "summer",
        "seasons": ["winter", "spring"],
        "original": other["id"],
    }
    assert said(client, asset) == expected
    assert list(said(client, asset)) == list(expected), "in the order in which the fields were made"
    (event,) = [each for each in acts.events(client.hub, "asset.updated") if "fields" in each]
    assert len(event["fields"]) == len(expected)


def test_a_field_is_said_when_an_asset_is_made_and_taken_away_with_null(client: Client) -> None:
    every_field(client)
    new = created(client, picture(3), fields=[{"key": "note", "value": {"text": "first"}}])
    assert said(client, new) == {"note": "first"}
    accepted(say(client, new, note=None))
    assert said(client, new) == {}


def test_languages_and_choices_are_changed_one_by_one(client: Client, asset: dict[str, Any]) -> None:
    every_field(client)
    first = {"caption": {"texts": [{"locale": "de", "text": "Wiese"}, {"locale": "fr", "text": "Pré"}]}}
    changed = accepted(say(client, asset, **first, seasons={"choices": ["spring"]}))["asset"]
    then = {"caption": {"texts": [{"locale": "de", "text": None}, {"locale": "it", "text": "Prato"}]}}
    changed = accepted(say(client, changed, **then, seasons={"addChoices": ["winter", "spring"]}))["asset"]
    assert said(client, asset) == {"caption": {"fr": "Pré", "it": "Prato"}, "seasons": ["spring", "winter"]}
    accepted(say(client, changed, seasons={"removeChoices": ["spring"]}))
    assert said(client, asset)["seasons"] == ["winter"]


@pytest.mark.parametrize(
    ("key", "value", "constraint"),
    [
        ("price", {"text": "12"}, "type"),
        ("price", {"number": "12.345"}, "decimals"),
        ("price", {"number": "-1"}, "range"),
        ("price", {"number": "1000.01"}, "range"),
        ("note", {"texts": [{"locale": "de", "text": "x"}]}, "type"),
        ("caption", {"text": "x"}, "type"),
        ("note", {"text": "x" * 10_001}, "length"),
        ("season", {"choice": "autumn"}, "choice"),
        ("seasons", {"choices": ["spring", "autumn"]}, "choice"),
        ("season", {"choices": ["spring"]}, "type"),
        ("season", {"choice": "sum\u0000mer"}, "choice"),
        ("nothing", {"text": "x"}, "field"),
        ("no such key\u0000", {"text": "x"}, "field"),
    ],
)
def test_what_does_not_fit_its_field_is_refused_and_changes_nothing(
    client: Client, asset: dict[str, Any], key: str, value: dict[str, Any], constraint: str
) -> None:
    every_field(client)
    with acts.unchanged(client.hub):
        error = refusal(say(client, asset, **{key: value}))
    assert (error["code"], error["constraint"]) == ("INVALID", constraint)


def test_a_field_is_of_some_kinds_only_and_can_only_get_more(client: Client, asset: dict[str, Any]) -> None:
    made = new_field(client, "runtime", "NUMBER", kinds=["VIDEO"])
    with acts.unchanged(client.hub):
        assert refusal(say(client, asset, runtime={"number": "3"}))["code"] == "CONFLICT"
    error = refused(client, "customFieldUpdate", "field { id }", field=made["id"], expectedRevision=1, kinds=["IMAGE"])
    assert error["code"] == "CONFLICT"
    more = {"field": made["id"], "expectedRevision": 1, "kinds": ["IMAGE", "VIDEO"]}
    accepted(mutate(client, "customFieldUpdate", "field { id }", **more))
    accepted(say(client, asset, runtime={"number": "3"}))
    ask = "query ($kind: AssetKind) { customFields(kind: $kind) { key } }"
    assert client.ask(ask, kind="AUDIO")["customFields"] == []
    assert client.ask(ask, kind="IMAGE")["customFields"] == [{"key": "runtime"}]


def test_an_archived_field_is_silent_and_a_restored_one_says_what_it_said(
    client: Client, asset: dict[str, Any]
) -> None:
    field = every_field(client)["note"]
    changed = accepted(say(client, asset, note={"text": "kept"}))["asset"]
    accepted(mutate(client, "customFieldArchive", "field { id }", field=field["id"], expectedRevision=1))
    index_all(client.hub)
    assert said(client, asset) == {}
    assert "note" not in [each["key"] for each in client.ask("{ customFields { key } }")["customFields"]]
    assert refusal(say(client, changed, note={"text": "new"}))["constraint"] == "field"
    assert client.ask('{ assets(search: "kept") { totalCount } }')["assets"]["totalCount"] == 0
    accepted(mutate(client, "customFieldRestore", "field { id }", field=field["id"], expectedRevision=2))
    index_all(client.hub)
    assert said(client, asset) == {"note": "kept"}
    assert client.ask('{ assets(search: "kept") { totalCount } }')["assets"]["totalCount"] == 1


def test_who_does_not_manage_fields_makes_none_and_a_key_is_never_given_anew(hub: Hub, client: Client) -> None:
    field = new_field(client, "note", "TEXT")
    designer = Client(hub, acting.member(hub, "designer"))
    error = refused(designer, "customFieldCreate", "field { id }", key="other", type="TEXT", names=names("Other"))
    assert error["code"] == "NOT_ALLOWED"
    librarian = Client(hub, acting.member(hub, "librarian"))
    new_field(librarian, "other", "TEXT")
    accepted(mutate(client, "customFieldArchive", "field { id }", field=field["id"], expectedRevision=1))
    error = refused(client, "customFieldCreate", "field { id }", key="note", type="NUMBER", names=names("Note"))
    assert error["code"] == "CONFLICT"


def test_fields_filter_lists_with_and_without_words(client: Client) -> None:
    every_field(client)
    told: dict[str, dict[str, Any]] = {
        "a": {"price": {"number": "10"}, "season": {"choice": "summer"}, "note": {"text": "Straße"}},
        "b": {"price": {"number": "20.5"}, "seasons": {"choices": ["summer", "winter"]}, "cleared": {"boolean": True}},
        "c": {"shot": {"date": "2026-03-01"}, "cleared": {"boolean": False}},
        "d": {},
    }
    for number, (title, values) in enumerate(told.items()):
        fields = [{"key": key, "value": value} for key, value in values.items()]
        created(client, picture(number), title=title, tags=["all"], fields=fields)
    original = client.ask("{ assets(first: 10) { nodes { id title } } }")["assets"]["nodes"]
    ids = {node["title"]: node["id"] for node in original}
    accepted(say(client, acts.look(client, {"id": ids["d"]}), original={"asset": ids["a"]}))
    index_all(client.hub)
    asked: list[tuple[dict[str, Any], str]] = [
        ({"key": "price", "isSet": True}, "ab"),
        ({"key": "price", "isSet": False}, "cd"),
        ({"key": "price", "number": {"from": "10", "to": "20.49"}}, "a"),
        ({"key": "price", "number": {"from": "10.01"}}, "b"),
        ({"key": "price", "number": {"eq": "20.50"}}, "b"),
        ({"key": "note", "text": ["STRASSE", "other"]}, "a"),
        ({"key": "cleared", "boolean": False}, "c"),
        ({"key": "shot", "date": {"from": "2026-03-01", "to": "2026-03-02"}}, "c"),
        ({"key": "shot", "date": {"to": "2026-03-01"}}, ""),
        ({"key": "season", "choice": {"anyOf": ["summer", "winter"]}}, "a"),
        ({"key": "seasons", "choice": {"allOf": ["summer", "winter"]}}, "b"),
        ({"key": "seasons", "choice": {"noneOf": ["winter"]}}, "acd"),
        ({"key": "original", "asset": ids["a"]}, "d"),
    ]
    for each, found in asked:
        assert listed(client, each) == set(found), each
        assert listed(client, each, search="tag:all") == set(found), each
        assert listed(client, NOT={"fields": [each]}) == set("abcd") - set(found), each


def test_fields_are_counted_and_their_words_found(client: Client) -> None:
    every_field(client)
    for number, key in enumerate(("summer", "summer", "winter")):
        fields = [{"key": "season", "value": {"choice": key}}, {"key": "cleared", "value": {"boolean": number > 0}}]
        created(client, picture(number), title=f"picture {number}", fields=fields)
    index_all(client.hub)
    query = """query ($search: String) { assets(search: $search) { totalCount
      fieldFacets(keys: ["season", "cleared"]) { field { key } values { value label count } } } }"""
    expected = [
        {
            "field": {"key": "season"},
            "values": [
                {"value": "summer", "label": "Summer", "count": 2},
                {"value": "winter", "label": "Winter", "count": 1},
            ],
        },
        {
            "field": {"key": "cleared"},
            "values": [
                {"value": "true", "label": "true", "count": 2},
                {"value": "false", "label": "false", "count": 1},
            ],
        },
    ]
    for search in (None, "picture"):
        assert client.ask(query, search=search)["assets"]["fieldFacets"] == expected
    assert client.ask(query, search="winter")["assets"]["totalCount"] == 1


def test_fields_order_lists(client: Client) -> None:
    every_field(client)
    texts = ("Äpfel", "zebra", "apple")
    seasons = ("winter", "spring", "summer")
    for at in range(3):
        asset = created(client, picture(at), title=f"{at}")
        more: dict[str, Any] = {
            "note": {"text": texts[at]},
            "caption": {"texts": [{"locale": "de", "text": texts[at]}]},
        }
        more |= {
            "price": {"number": str(10 - at)},
            "cleared": {"boolean": at == 1},
            "shot": {"date": f"2026-0{3 - at}-01"},
        }
        accepted(say(client, asset, season={"choice": seasons[at]}, **more))
    created(client, picture(9), title="silent")
    orders: dict[str, tuple[dict[str, Any], str]] = {
        "text": ({"custom": "note"}, "silent 2 1 0"),
        "local": ({"custom": "caption", "locale": "de"}, "silent 2 1 0"),
        "elsewhere": ({"custom": "caption", "locale": "fr"}, "0 1 2 silent"),
        "number": ({"custom": "price"}, "silent 2 1 0"),
        "boolean": ({"custom": "cleared"}, "silent 0 2 1"),
        "date": ({"custom": "shot"}, "silent 2 1 0"),
        "choice": ({"custom": "season"}, "silent 1 2 0"),
    }
    for order, expected in orders.values():
        ways = [{**order, "direction": way} for way in ("ASC", "DESC")]
        assert " ".join(titles_by(client, ways[0], 100)) == expected
        assert sorted(titles_by(client, ways[1], 100)) == sorted(expected.split())
        for way in ways:
            assert titles_by(client, way, 1) == titles_by(client, way, 100)
    assert titles_by(client, {"custom": "price", "direction": "DESC"}, 2) == ["0", "1", "2", "silent"]


def titles_by(client: Client, order: dict[str, Any], first: int) -> list[str]:
    """Of all assets, page by page."""
    asked = """query ($by: [AssetOrder!], $first: Int, $after: String) {
      assets(orderBy: $by, first: $first, after: $after) {
        nodes { title } pageInfo { endCursor hasNextPage } } }"""
    found: list[str] = []
    after = None
    while True:
        page = client.ask(asked, by=[order], first=first, after=after)["assets"]
        found += [each["title"] for each in page["nodes"]]
        if not page["pageInfo"]["hasNextPage"]:
            return found
        after = page["pageInfo"]["endCursor"]


@pytest.mark.parametrize(
    ("order", "search", "says"),
    [
        ({"custom": "seasons"}, None, "order nothing: seasons"),
        ({"custom": "original"}, None, "order nothing: original"),
        ({"custom": "caption"}, None, "Name the language"),
        ({"custom": "note", "locale": "de"}, None, "Only such a text has one"),
        ({"custom": "unknown"}, None, "There is no field unknown"),
        ({"custom": "note", "field": "TITLE"}, None, "name one of both"),
        ({"field": "TITLE", "locale": "de"}, None, "has a language"),
        ({}, None, "name one of both"),
        ({"custom": "note"}, "meadow", "without words to search for"),
    ],
)
def test_what_orders_nothing_is_refused(client: Client, order: dict[str, Any], search: str | None, says: str) -> None:
    every_field(client)
    asked = "query ($by: [AssetOrder!], $search: String) { assets(orderBy: $by, search: $search) { nodes { id } } }"
    error = client.answer(asked, by=[order], search=search)["errors"][0]
    assert (error["extensions"]["code"], says in error["message"]) == ("INVALID", True)


def test_an_export_says_what_fields_say_and_the_feed_tells_when_they_fall_silent(client: Client) -> None:
    hub = client.hub
    made = every_field(client)
    new_field(client, "hidden", "TEXT", needs="FIELD_NOTES")
    asset = created(client, picture(1))
    accepted(
        say(
            client,
            asset,
            note={"text": "A note"},
            caption={"texts": [{"locale": "de", "text": "Wiese"}]},
            price={"number": "12.50"},
            cleared={"boolean": False},
            shot={"date": "2026-05-01"},
            season={"choice": "summer"},
            seasons={"choices": ["winter", "spring"]},
            hidden={"text": "Not for all"},
        )
    )
    whole = {
        "note": "A note",
        "caption": {"de": "Wiese"},
        "price": "12.5",
        "cleared": False,
        "shot": "2026-05-01",
        "season": "summer",
        "seasons": ["winter", "spring"],
    }

    def line() -> dict[str, Any]:
        with hub.reading(client.viewer) as work:
            row = work.session.get_one(AssetRow, number_of("Asset", asset["id"]))
            (found,) = lines.of_assets(work, [row], {"fields"})
            return found

    assert line() == {"type": "Asset", "id": asset["id"], "fields": whole}
    asked = """query ($after: String) { changes(first: 100, after: $after) {
      nodes { nodeId type } pageInfo { endCursor } } }"""
    changes.settle(hub)
    cursor = client.ask(asked)["changes"]["pageInfo"]["endCursor"]
    shown = {"field": made["note"]["id"], "expectedRevision": made["note"]["revision"]}
    accepted(mutate(client, "customFieldArchive", "field { id }", **shown))
    assert line()["fields"] == {key: value for key, value in whole.items() if key != "note"}
    changes.settle(hub)
    told = client.ask(asked, after=cursor)["changes"]["nodes"]
    assert told == [{"nodeId": asset["id"], "type": "UPDATED"}]


def test_a_word_called_otherwise_is_found_by_its_new_name(client: Client, asset: dict[str, Any]) -> None:
    seasons = vocabulary(client)
    new_field(client, "season", "CHOICE", vocabulary=seasons["id"])
    accepted(say(client, asset, season={"choice": "summer"}))
    relabel = [{"key": "summer", "labels": names("Hochsommer", de="Sommerzeit")}]
    given = {"vocabulary": seasons["id"], "expectedRevision": 1, "relabel": relabel, "archive": ["summer"]}
    accepted(mutate(client, "vocabularyUpdate", "vocabulary { id }", **given))
    index_all(client.hub)
    assert client.ask('{ assets(search: "sommerzeit") { totalCount } }')["assets"]["totalCount"] == 1
    label = "query ($l: Locale) { vocabularies { terms(archived: true) { key label(locale: $l) archived } } }"
    terms = client.ask(label, l="de-AT")["vocabularies"][0]["terms"]
    assert {"key": "summer", "label": "Sommerzeit", "archived": True} in terms
    other = created(client, picture(2))
    assert refusal(say(client, other, season={"choice": "summer"}))["constraint"] == "choice"


def test_a_filter_by_fields_is_kept_with_an_export_as_it_was() -> None:
    kept = All((FieldIs(3, ("=1", ":ab"), restricted=True), Not(FieldBetween(4, None, 7)), FieldSays(5)))
    assert conditions.restored(orjson.loads(orjson.dumps(conditions.kept(kept)))) == kept


def test_an_export_takes_assets_by_their_fields_but_not_by_what_needs_a_permission(client: Client) -> None:
    new_field(client, "note", "TEXT")
    new_field(client, "secret", "TEXT", needs="FIELD_NOTES")
    created(client, picture(1), title="one", fields=[{"key": "note", "value": {"text": "x"}}])
    created(client, picture(2), title="two")
    asked = "export { total state }"
    given = {"where": {"fields": [{"key": "note", "isSet": True}]}, "fields": ["title"]}
    accepted(client.mutate("bulkExportRun", asked, **given))
    work_off(client.hub)
    found = client.ask("{ bulkExports { nodes { state done } } }")["bulkExports"]["nodes"]
    assert found == [{"state": "DONE", "done": 1}]
    with acts.unchanged(client.hub):
        payload = client.mutate("bulkExportRun", asked, where={"fields": [{"key": "secret", "isSet": True}]})
    assert refusal(payload)["constraint"] == "permission"


def test_reading_fields_of_many_assets_takes_as_many_statements_as_of_one(client: Client) -> None:
    every_field(client)
    fields = [{"key": "season", "value": {"choice": "summer"}}, {"key": "note", "value": {"text": "x"}}]
    words: dict[str, Any] = {
        "altTexts": [{"locale": "en", "text": "A square"}],
        "titles": [{"locale": "de", "text": "Quadrat"}],
    }
    counts = []
    query = f"{{ assets(first: 100) {{ nodes {{ {brand.SAID} localTitle {{ text }} altText {{ text }} }} }} }}"
    for number in range(4):
        created(client, picture(number), fields=fields, **words)
        with statements(client.hub) as sent:
            client.ask(query)
        counts.append(len(acts.queries(sent)))
    assert counts[0] == counts[-1]
