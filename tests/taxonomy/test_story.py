"""Tags through GraphQL: names and synonyms, hierarchy, merging, and finding assets by them."""

from __future__ import annotations

from typing import Any

import pytest

from domain.hub import Hub
from domain.taxonomy import MAX_DEPTH
from tests.asking import Client, statements
from tests.imaging import made
from tests.working import mutate, reads, refused

TAG = "tag { id name revision synonyms parent { name } children { name } assetCount }"


def tag(client: Client, name: str, parent: str | None = None, synonyms: tuple[str, ...] = ()) -> dict[str, Any]:
    payload = mutate(client, "tagCreate", TAG, name=name, parent=parent, synonyms=list(synonyms))
    assert payload["errors"] == []
    found: dict[str, Any] = payload["tag"]
    return found


def asset(client: Client, number: int, *tags: str) -> dict[str, Any]:
    data = made.encoded(made.solid((number % 256, number // 256, 7), size=(16, 16)), "PNG")
    return client.create(data, f"{number}.png", title=f"asset {number}", tags=list(tags))


def node(client: Client, id_: str) -> dict[str, Any] | None:
    fragment = TAG.removeprefix("tag ")
    found: dict[str, Any] | None = client.ask(
        f"query ($id: ID!) {{ node(id: $id) {{ ... on Tag {fragment} }} }}", id=id_
    )["node"]
    return found


def titles(client: Client, **tags: Any) -> list[str]:
    found = client.ask(
        "query ($where: AssetWhere) { assets(where: $where, orderBy: {field: TITLE}, first: 100) { nodes { title } } }",
        where={"tags": tags},
    )
    return [each["title"].removeprefix("asset ") for each in found["assets"]["nodes"]]


def test_a_tag_is_made_with_its_synonyms_below_a_parent(client: Client) -> None:
    place = tag(client, "Place")
    assert tag(client, "  Saint   Petersburg ", place["id"], ("Питер", "SPb", "saint petersburg")) == {
        "id": client.ask('{ tags(startingWith: "spb") { nodes { id } } }')["tags"]["nodes"][0]["id"],
        "name": "Saint Petersburg",
        "revision": 1,
        "synonyms": ["SPb", "Питер"],
        "parent": {"name": "Place"},
        "children": [],
        "assetCount": 0,
    }
    seen = node(client, place["id"])
    assert seen is not None
    assert seen["children"] == [{"name": "Saint Petersburg"}]


@pytest.mark.parametrize("taken", ["beach", "BEACH", "ｂｅａｃｈ", "strand", "STRAND"])
def test_a_spelling_means_one_tag_only(client: Client, taken: str) -> None:
    tag(client, "Beach", synonyms=("Strand",))
    other = tag(client, "Other")
    for error in (
        refused(client, "tagCreate", TAG, name=taken),
        refused(client, "tagCreate", TAG, name="New", synonyms=[taken]),
        refused(client, "tagUpdate", TAG, tag=other["id"], expectedRevision=1, name=taken),
        refused(client, "tagUpdate", TAG, tag=other["id"], expectedRevision=1, synonyms=[taken]),
    ):
        assert (error["code"], error["path"][0] in {"name", "synonyms"}) == ("CONFLICT", True)


def test_a_renamed_tag_gives_its_old_spelling_free_and_may_take_its_own_synonym(client: Client) -> None:
    beach = tag(client, "Beach", synonyms=("Strand",))
    renamed = mutate(client, "tagUpdate", TAG, tag=beach["id"], expectedRevision=1, name="Strand")
    assert (renamed["tag"]["name"], renamed["tag"]["synonyms"], renamed["tag"]["revision"]) == ("Strand", [], 2)
    assert tag(client, "beach")["id"] != beach["id"]
    cased = mutate(client, "tagUpdate", TAG, tag=beach["id"], expectedRevision=2, name="STRAND")
    assert (cased["errors"], cased["tag"]["name"], cased["tag"]["synonyms"]) == ([], "STRAND", [])


def test_synonyms_are_replaced_as_a_whole(client: Client) -> None:
    beach = tag(client, "Beach", synonyms=("Strand", "Пляж"))
    changed = mutate(client, "tagUpdate", TAG, tag=beach["id"], expectedRevision=1, synonyms=["playa", "Пляж"])
    assert changed["tag"]["synonyms"] == ["playa", "Пляж"]
    assert tag(client, "Strand")["name"] == "Strand"


def test_an_asset_tagged_by_a_synonym_carries_the_tag(client: Client) -> None:
    beach = tag(client, "Beach", synonyms=("Пляж",))
    asset(client, 1, "ПЛЯЖ", "sun")
    seen = node(client, beach["id"])
    assert seen is not None
    assert seen["assetCount"] == 1
    assert client.ask("{ assets { nodes { tags { name } } } }")["assets"]["nodes"] == [
        {"tags": [{"name": "Beach"}, {"name": "sun"}]}
    ]


def test_a_tag_can_move_to_another_parent_and_to_the_top(client: Client) -> None:
    one, two = tag(client, "One"), tag(client, "Two")
    child = tag(client, "Child", one["id"])
    moved = mutate(client, "tagUpdate", TAG, tag=child["id"], expectedRevision=1, parent=two["id"])
    assert moved["tag"]["parent"] == {"name": "Two"}
    top = mutate(client, "tagUpdate", TAG, tag=child["id"], expectedRevision=2, parent=None)
    assert (top["errors"], top["tag"]["parent"]) == ([], None)
    kept = mutate(client, "tagUpdate", TAG, tag=child["id"], expectedRevision=3, name="Kept")
    assert kept["tag"]["parent"] is None


def test_a_circle_is_refused(client: Client) -> None:
    one = tag(client, "One")
    two = tag(client, "Two", one["id"])
    three = tag(client, "Three", two["id"])
    for below in (one, two, three):
        error = refused(client, "tagUpdate", TAG, tag=one["id"], expectedRevision=1, parent=below["id"])
        assert (error["code"], error["path"]) == ("CONFLICT", ["parent"])


def test_a_hierarchy_has_a_greatest_depth_however_it_is_reached(client: Client) -> None:
    chain = [tag(client, "level 1")]
    for level in range(2, MAX_DEPTH + 1):
        chain.append(tag(client, f"level {level}", chain[-1]["id"]))
    assert refused(client, "tagCreate", TAG, name="too deep", parent=chain[-1]["id"])["code"] == "CONFLICT"
    top = tag(client, "top")
    second = tag(client, "second", top["id"])
    deep = {"tag": top["id"], "expectedRevision": 1, "parent": chain[-2]["id"]}
    assert refused(client, "tagUpdate", TAG, **deep)["code"] == "CONFLICT"
    merge = {"into": chain[-1]["id"], "from": [top["id"]], "expectedRevision": 1}
    assert refused(client, "tagMerge", TAG, **merge)["code"] == "CONFLICT"
    assert (
        mutate(client, "tagUpdate", TAG, tag=second["id"], expectedRevision=1, parent=chain[-2]["id"])["errors"] == []
    )


def test_merging_moves_assets_spellings_and_children_and_the_old_id_goes_on_working(client: Client) -> None:
    beach, strand, coast = tag(client, "Beach"), tag(client, "Strand", synonyms=("Ufer",)), tag(client, "Coast")
    tag(client, "Dune", strand["id"])
    asset(client, 1, "Beach")
    asset(client, 2, "Strand")
    asset(client, 3, "Beach", "Strand")
    merged = mutate(client, "tagMerge", TAG, into=beach["id"], expectedRevision=1, **{"from": [strand["id"]]})
    assert merged["errors"] == []
    expected = {
        "id": beach["id"],
        "name": "Beach",
        "revision": 2,
        "synonyms": ["Strand", "Ufer"],
        "parent": None,
        "children": [{"name": "Dune"}],
        "assetCount": 3,
    }
    assert merged["tag"] == expected
    assert node(client, strand["id"]) == expected
    assert titles(client, anyOf=[strand["id"]]) == ["1", "2", "3"]
    names = client.ask("{ tags { totalCount nodes { name } } }")["tags"]
    assert names == {"totalCount": 3, "nodes": [{"name": "Beach"}, {"name": "Coast"}, {"name": "Dune"}]}
    assert refused(client, "tagCreate", TAG, name="ufer")["code"] == "CONFLICT"
    assert refused(client, "tagUpdate", TAG, tag=strand["id"], expectedRevision=1, name="Back")["code"] == "NOT_FOUND"

    again = mutate(client, "tagMerge", TAG, into=coast["id"], expectedRevision=1, **{"from": [beach["id"]]})
    assert again["tag"]["synonyms"] == ["Beach", "Strand", "Ufer"]
    for old in (beach, strand):
        seen = node(client, old["id"])
        assert seen is not None
        assert (seen["id"], seen["assetCount"]) == (coast["id"], 3)
    asset(client, 4, "strand")
    assert titles(client, anyOf=[coast["id"]]) == ["1", "2", "3", "4"]


def test_a_merged_tag_can_still_be_taken_off_by_its_old_id(client: Client) -> None:
    beach, strand = tag(client, "Beach"), tag(client, "Strand")
    one = asset(client, 1, "Strand")
    mutate(client, "tagMerge", TAG, into=beach["id"], expectedRevision=1, **{"from": [strand["id"]]})
    payload = client.mutate(
        "assetUpdate", "asset { tags { name } }", asset=one["id"], expectedRevision=1, removeTags=[strand["id"]]
    )
    assert payload["asset"]["tags"] == []


def test_merges_that_make_no_sense_are_refused(client: Client) -> None:
    top = tag(client, "Top")
    below = tag(client, "Below", top["id"])
    other = tag(client, "Other")
    merged = tag(client, "Merged")
    mutate(client, "tagMerge", TAG, into=other["id"], expectedRevision=1, **{"from": [merged["id"]]})
    expected = {
        (below["id"], 1, (top["id"],)): "CONFLICT",
        (top["id"], 1, (top["id"],)): "CONFLICT",
        (top["id"], 1, ()): "INVALID",
        (top["id"], 1, ("VGFnOjk5",)): "NOT_FOUND",
        (top["id"], 1, (merged["id"],)): "NOT_FOUND",
        (merged["id"], 2, (top["id"],)): "NOT_FOUND",
        (other["id"], 1, (top["id"],)): "STALE_REVISION",
    }
    for (into, revision, losers), code in expected.items():
        error = refused(client, "tagMerge", TAG, into=into, expectedRevision=revision, **{"from": list(losers)})
        assert error["code"] == code, (into, losers)


def test_names_that_are_no_names_are_refused(client: Client) -> None:
    for name in ("", "   ", "\u0007", "x" * 101):
        error = refused(client, "tagCreate", TAG, name=name)
        assert (error["code"], error["path"]) == ("INVALID", ["name"])
    assert refused(client, "tagCreate", TAG, name="ok", parent="VGFnOjk5")["code"] == "NOT_FOUND"
    assert refused(client, "tagCreate", TAG, name="ok", synonyms=[f"s{n}" for n in range(51)])["code"] == "INVALID"


def test_tags_are_listed_by_name_and_by_how_a_spelling_begins(client: Client) -> None:
    sea = tag(client, "Sea")
    tag(client, "Beach", sea["id"], ("Strand",))
    tag(client, "straße")
    tag(client, "100%")
    tag(client, "100 percent")

    def names(arguments: str) -> list[str]:
        return [each["name"] for each in client.ask(f"{{ tags{arguments} {{ nodes {{ name }} }} }}")["tags"]["nodes"]]

    assert names("") == ["100 percent", "100%", "Beach", "Sea", "straße"]
    assert names("(topOnly: true)") == ["100 percent", "100%", "Sea", "straße"]
    assert names('(startingWith: "STRA")') == ["Beach", "straße"]
    assert names('(startingWith: "strasse")') == ["straße"]
    assert names('(startingWith: "100%")') == ["100%"]
    assert names('(startingWith: "nothing")') == []


def test_pages_of_tags_join_without_gap_or_repeat_in_both_directions(client: Client) -> None:
    expected = sorted(f"tag {number:02}" for number in range(11))
    asset(client, 1, *expected)
    for size, before, after in (("first", "after", "endCursor"), ("last", "before", "startCursor")):
        found: list[str] = []
        cursor = None
        while True:
            page = client.ask(
                f"""query ($n: Int, $cursor: String) {{ tags({size}: $n, {before}: $cursor) {{
                      totalCount nodes {{ name }} pageInfo {{ hasNextPage hasPreviousPage {after} }} }} }}""",
                n=4,
                cursor=cursor,
            )["tags"]
            assert page["totalCount"] == 11
            names = [each["name"] for each in page["nodes"]]
            found = found + names if size == "first" else names + found
            cursor = page["pageInfo"][after]
            if not page["pageInfo"]["hasNextPage" if size == "first" else "hasPreviousPage"]:
                break
        assert found == expected


def test_a_filter_by_tag_means_everything_below_it_unless_told_otherwise(client: Client) -> None:
    sea = tag(client, "Sea")
    beach = tag(client, "Beach", sea["id"])
    dune = tag(client, "Dune", beach["id"])
    sun = tag(client, "Sun")
    for number, words in enumerate((["Sea"], ["Beach"], ["Dune"], ["Sun"], ["Dune", "Sun"], [])):
        asset(client, number, *words)
    assert titles(client, anyOf=[sea["id"]]) == ["0", "1", "2", "4"]
    assert titles(client, anyOf=[sea["id"]], includeDescendants=False) == ["0"]
    assert titles(client, anyOf=[dune["id"], sun["id"]]) == ["2", "3", "4"]
    assert titles(client, allOf=[sea["id"], sun["id"]]) == ["4"]
    assert titles(client, noneOf=[beach["id"]]) == ["0", "3", "5"]
    assert titles(client, anyOf=[sun["id"]], noneOf=[dune["id"]]) == ["3"]
    assert titles(client, anyOf=[]) == []
    assert titles(client, allOf=[]) == ["0", "1", "2", "3", "4", "5"]
    assert titles(client, noneOf=[]) == ["0", "1", "2", "3", "4", "5"]
    answer = client.answer('{ assets(where: {tags: {anyOf: ["bm9uc2Vuc2U"]}}) { totalCount } }')
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["NOT_FOUND"]


def test_a_page_of_tags_with_everything_takes_a_constant_number_of_statements(hub: Hub, client: Client) -> None:
    query = "{ tags(first: 100) { nodes { name synonyms parent { name } children { name } assetCount } } }"
    counts = []
    for batch in range(2):
        parent = tag(client, f"parent {batch}")
        for number in range(4):
            tag(client, f"tag {batch} {number}", parent["id"], (f"synonym {batch} {number}",))
        with statements(hub) as sent:
            client.ask(query)
        counts.append(len(reads(sent)))
    assert counts == [5, 5]
