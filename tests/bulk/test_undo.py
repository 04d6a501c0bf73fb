"""Change by change: whatever can be changed of many assets at once can be taken back, and that again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import pytest

from schema import built
from tests.asking import Client
from tests.assets import acts
from tests.assets.acts import accepted, refusal
from tests.bulk.library import Library, states

Changes = Callable[[Library], dict[str, Any]]


def said(key: str, value: Any) -> Changes:
    return lambda _: {"fields": [{"key": key, "value": value}]}


def text(locale: str, words: str | None) -> list[dict[str, Any]]:
    return [{"locale": locale, "text": words}]


#: One change of each sort that there is; each changes every asset of a library.
CHANGES: Final[dict[str, Changes]] = {
    "title": lambda _: {"title": "Same"},
    "description": lambda _: {"description": "Two\nlines"},
    "tags": lambda _: {"tags": ["new", "tag 1"]},
    "no tags": lambda _: {"tags": []},
    "addTags": lambda _: {"addTags": ["fresh", "fresher"]},
    "removeTags": lambda library: {"removeTags": [library.tags["old"]]},
    "brand": lambda library: {"brand": library.brand()},
    "titles": lambda _: {"titles": text("de", "Gleich") + text("fr", "Pareil")},
    "titles taken away": lambda _: {"titles": text("de", None)},
    "altTexts": lambda _: {"altTexts": text("und", "A picture")},
    "altTexts taken away": lambda _: {"altTexts": text("de", None)},
    "decorative": lambda _: {"decorative": True},
    "archived": lambda _: {"archived": True},
    "fields: text": said("note", {"text": "same"}),
    "fields: text taken away": said("note", None),
    "fields: localised text": said("caption", {"texts": text("de", "Wiese")}),
    "fields: number": said("price", {"number": "9.99"}),
    "fields: boolean": said("cleared", {"boolean": False}),
    "fields: date": said("shot", {"date": "2026-01-31"}),
    "fields: choice": said("season", {"choice": "summer"}),
    "fields: choices": said("seasons", {"choices": ["summer", "spring"]}),
    "fields: choices added": said("seasons", {"addChoices": ["summer"]}),
    "fields: choices removed": said("seasons", {"removeChoices": ["spring"]}),
    "fields: asset": lambda library: {"fields": [{"key": "original", "value": {"asset": other(library)}}]},
    "everything": lambda library: {
        "title": "Same",
        "description": "Words",
        "addTags": ["fresh"],
        "removeTags": [library.tags["old"]],
        "brand": library.brand("Other"),
        "decorative": True,
        "titles": text("it", "Uguale"),
        "fields": [{"key": "price", "value": {"number": "1"}}, {"key": "note", "value": None}],
        "archived": True,
    },
}


def other(library: Library) -> str:
    """An asset that the operation is not about."""
    made: str = acts.created(library.client, acts.picture(90), title="other")["id"]
    return made


@pytest.fixture
def library(client: Client) -> Library:
    return Library.of(client)


def test_every_change_of_many_assets_is_tried_here() -> None:
    tried = {name.partition(":")[0].split(" ")[-1 if name == "no tags" else 0] for name in CHANGES} - {"everything"}
    declared = built.graphql_schema.type_map["AssetBulkChangesInput"]
    assert tried == set(declared.fields)  # type: ignore[attr-defined]  # an input


@pytest.mark.parametrize("name", CHANGES)
def test_what_is_changed_comes_back_and_forth(library: Library, name: str) -> None:
    changes = CHANGES[name](library)
    before = library.standing()
    foreseen = library.preview(**changes)
    operation = library.done(**changes)
    after = library.standing()

    assert states(operation) == ["CHANGED"] * len(library.ids)
    assert (foreseen["changed"], foreseen["refused"]) == (operation["changed"], 0)
    assert all(before[each] != after[each] for each in library.ids)
    told = {item["asset"]["id"]: item["changes"] for item in operation["items"]["nodes"]}
    assert {each["asset"]["id"]: each["changes"] for each in foreseen["examples"]} == told

    undone = library.undo(operation)
    assert library.standing() == before
    assert (undone["undoes"]["id"], states(undone)) == (operation["id"], ["CHANGED"] * len(library.ids))

    again = library.undo(undone)
    assert library.standing() == after
    library.undo(again)
    assert library.standing() == before


def test_archived_assets_are_brought_back_and_put_away_again(library: Library) -> None:
    library.done(archived=True)
    before = library.standing()
    back = library.done(archived=False, title="Back")
    assert {said["lifecycle"][0] for said in library.standing().values()} == {"DRAFT"}
    library.undo(back)
    assert library.standing() == before


def test_what_somebody_changed_since_is_told_and_left_alone(library: Library) -> None:
    operation = library.done(title="Same", addTags=["fresh"])
    mine = acts.look(library.client, {"id": library.ids[1]})
    accepted(acts.change(library.client, "assetUpdate", mine, title="Mine"))
    theirs = acts.look(library.client, {"id": library.ids[2]})
    fresh = next(tag["id"] for tag in theirs["tags"] if tag["name"] == "fresh")
    accepted(acts.change(library.client, "assetUpdate", theirs, removeTags=[fresh]))
    after = library.standing()

    undone = library.undo(operation)

    assert (undone["changed"], undone["refused"]) == (2, 2)
    assert states(undone) == ["CHANGED", "REFUSED", "REFUSED", "CHANGED"]
    refused = [item for item in undone["items"]["nodes"] if item["state"] == "REFUSED"]
    assert {item["code"] for item in refused} == {"CHANGED_SINCE"}
    assert [item["message"] for item in refused] == [
        "Somebody changed its title since: it was left as it is.",
        "Somebody changed its tags since: it was left as it is.",
    ]
    now = library.standing()
    assert [now[each] == after[each] for each in library.ids] == [False, True, True, False]


def test_changes_of_something_else_do_not_keep_it_from_being_taken_back(library: Library) -> None:
    before = library.standing()
    first = library.done(title="Same")
    second = library.done(description="Other")
    library.undo(first)
    library.undo(second)
    assert library.standing() == before


def test_an_operation_is_taken_back_once(library: Library) -> None:
    operation = library.done(title="Same")
    library.undo(operation)
    with acts.unchanged(library.client.hub):
        payload = library.client.mutate("bulkOperationUndo", "operation { id }", operation=operation["id"])
    assert refusal(payload)["code"] == "CONFLICT"
    nothing = library.done(title="Same", assets=None) and library.done(title="Same")
    assert (nothing["changed"], nothing["unchanged"]) == (0, 4)
    payload = library.client.mutate("bulkOperationUndo", "operation { id }", operation=nothing["id"])
    assert refusal(payload)["message"] == "This operation changed nothing."


def test_a_merged_tag_is_not_taken_for_what_it_was(library: Library) -> None:
    operation = library.done(addTags=["fresh"])
    known = library.client.ask("{ tags { nodes { id name revision } } }")["tags"]["nodes"]
    tags = {each["name"]: each for each in known}
    given = {"into": tags["old"]["id"], "from": [tags["fresh"]["id"]], "expectedRevision": tags["old"]["revision"]}
    query = "mutation ($input: TagMergeInput!) { tagMerge(input: $input) { errors { message } } }"
    assert library.client.ask(query, input=given)["tagMerge"]["errors"] == []
    undone = library.undo(operation)
    assert undone["refused"] == 4
    assert {item["code"] for item in undone["items"]["nodes"]} == {"CHANGED_SINCE"}
