"""Search through GraphQL: three languages, the query language, suggestions, and never anything stale."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from domain.hub import Hub
from tests.asking import Client
from tests.listing.rows import Facts, insert
from tests.working import index_all, mutate

ASSETS = [
    Facts("Summer campaign on the beaches", tags=("coast",), file_name="BrandHero_2024-final.png", width=1600),
    Facts("Sommerkampagne mit Häusern am Meer", tags=("море",), file_name="haus_am_meer.jpg", width=800),
    Facts("Летняя кампания на пляжах", description="Дети играют у моря.", file_name="пляж_01.jpg"),
    Facts("Winter campaign", description="Snow falls on the summer house.", kind="VIDEO", media_type="video/mp4"),
    Facts(
        "Price list",
        kind="DOCUMENT",
        media_type="application/pdf",
        captured_at=datetime(2023, 6, 30, 23, 59, tzinfo=UTC),
    ),
]
FOUND = """query ($search: String!, $first: Int, $after: String) {
  assets(search: $search, first: $first, after: $after) {
  totalCount didYouMean indexLagMs nodes { id title }
  edges { cursor score textMatches { field fragments { text matches } } }
  pageInfo { hasNextPage endCursor } } }"""


@pytest.fixture
def ids(hub: Hub) -> list[int]:
    made = insert(hub, ASSETS)
    index_all(hub)
    return made


def search(client: Client, text: str, **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = client.ask(FOUND, search=text, **more)["assets"]
    return found


def numbers(client: Client, text: str) -> list[int]:
    """Which of `ASSETS` are found, in their own order."""
    titles = [facts.title for facts in ASSETS]
    return sorted(titles.index(node["title"]) for node in search(client, text)["nodes"])


def refusal(client: Client, text: str) -> dict[str, Any]:
    answer = client.answer(FOUND, search=text)
    assert answer["data"] is None
    (error,) = answer["errors"]
    found: dict[str, Any] = error
    return found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("beach", [0]),
        ("campaigns", [0, 3]),
        ("haus", [1]),
        ("häuser", [1]),
        ("пляж", [2]),
        ("кампании", [2]),
        ("ребёнок OR дети", [2]),
        ("brand hero", [0]),
        ("brandhero", [0]),
        ("2024", [0]),
        ("haus_am_meer.jpg", [1]),
        ('"summer campaign"', [0]),
        ('"campaign summer"', []),
        ('"summer house"', [3]),
        ("title:summer", [0]),
        ("description:summer", [3]),
        ("tag:coast", [0]),
        ("tag:море", [1]),
        ("file:hero", [0]),
        ("campaign NOT beach", [3]),
        ("campaign -winter", [0]),
        ("NOT summer", [1, 2, 4]),
        ("beach OR пляж", [0, 2]),
        ("(beach OR snow) campaign", [0, 3]),
        ("camp*", [0, 3]),
        ("somm*", [1]),
        ("кампа*", [2]),
        ("kind:VIDEO", [3]),
        ("type:image/*", [0, 1, 2]),
        ("type:video", [3]),
        ("width:1000..", [0]),
        ("width:..1000", [1]),
        ("captured:2023-06", [4]),
        ("captured:2023-07", []),
        ("created:2019..2020", [0, 1, 2, 3, 4]),
        ("summr~", [0, 3]),
        ("SUMMER", [0, 3]),
    ],
)
def test_words_find_what_they_mean(client: Client, ids: list[int], text: str, expected: list[int]) -> None:
    assert numbers(client, text) == expected


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("beach AND", 9),
        ('say "beach', 4),
        ("(beach", 0),
        ("beach)", 5),
        ("colour:red", 0),
        ("width:wide", 6),
        ("be*ach", 2),
        ("OR beach", 0),
        ("title: beach", 6),
        ("(" * 60 + "x" + ")" * 60, 50),
    ],
)
def test_a_search_that_cannot_be_read_says_where(client: Client, ids: list[int], text: str, position: int) -> None:
    error = refusal(client, text)
    assert error["extensions"] == {"code": "BAD_SEARCH", "argument": "search", "position": position}
    assert error["message"].endswith(".")


def test_an_endless_search_is_refused_not_cut(client: Client, ids: list[int]) -> None:
    assert refusal(client, "x" * 2001)["extensions"]["code"] == "BAD_SEARCH"
    assert refusal(client, " ".join(f"w{n}" for n in range(65)))["extensions"]["code"] == "BAD_SEARCH"


def test_a_misspelt_word_is_offered_right(client: Client, ids: list[int]) -> None:
    found = search(client, "campagin")
    assert found["didYouMean"] == "campaign"
    assert search(client, "campaign")["didYouMean"] is None
    assert search(client, "qqqqqqqq")["didYouMean"] is None


def test_highlights_point_at_the_words_that_were_found(client: Client, ids: list[int]) -> None:
    for text, field, words in (
        ("campaign", "title", ["campaign"]),
        ("beach summer", "title", ["Summer", "beaches"]),
        ("пляжа", "title", ["пляжах"]),
        ("description:морем", "description", ["моря"]),
        ("häuser", "title", ["Häusern"]),
        ("coast", "tag", ["coast"]),
    ):
        edge = search(client, text)["edges"][0]
        matches = {match["field"]: match["fragments"] for match in edge["textMatches"]}
        (fragment,) = matches[field]
        assert [fragment["text"][start:end] for start, end in fragment["matches"]] == words, text
        assert edge["score"] > 0


def test_what_is_being_typed_goes_on(client: Client, ids: list[int]) -> None:
    asked = "query ($prefix: String!, $first: Int!) { suggest(prefix: $prefix, first: $first) { text kind count } }"

    def suggested(prefix: str, first: int = 10) -> list[tuple[str, str, int]]:
        found = client.ask(asked, prefix=prefix, first=first)["suggest"]
        return [(each["text"], each["kind"], each["count"]) for each in found]

    assert ("Summer campaign on the beaches", "TITLE", 1) in suggested("summ")
    assert ("coast", "TAG", 1) in suggested("coa")
    assert ("the beaches", "WORD", 1) in suggested("the beac")
    assert ("Летняя кампания на пляжах", "TITLE", 1) in suggested("летн")
    assert suggested("") == []
    assert suggested("zzzz") == []
    assert len(suggested("s", 1)) == 1
    for first in (0, 21, -1):
        answer = client.answer(asked, prefix="s", first=first)
        assert answer["errors"][0]["extensions"]["code"] == "PAGE_TOO_LARGE"


def test_page_sizes_and_cursors_that_do_not_fit_are_refused(client: Client, ids: list[int]) -> None:
    answer = client.answer(FOUND, search="campaign", first=100_000)
    assert answer["errors"][0]["extensions"] == {"code": "PAGE_TOO_LARGE", "argument": "first"}
    cursor = search(client, "campaign", first=1)["pageInfo"]["endCursor"]
    assert len(search(client, "campaign", first=1, after=cursor)["nodes"]) == 1
    for text, after in (
        ("summer", cursor),
        ("campaign", cursor[:-2] + "AA"),
        ("campaign", "nonsense"),
        ("campaign", ""),
    ):
        answer = client.answer(FOUND, search=text, after=after)
        assert answer["errors"][0]["extensions"] == {"code": "BAD_CURSOR", "argument": "after"}, after
    listed = "query ($after: String) { assets(after: $after) { nodes { id } } }"
    assert client.answer(listed, after=cursor)["errors"][0]["extensions"]["code"] == "BAD_CURSOR"


@pytest.mark.parametrize(
    ("order", "code"),
    [
        ("[{field: RELEVANCE}]", "INVALID"),
        ("[{field: RELEVANCE, direction: DESC}, {field: TITLE}]", "INVALID"),
        ("[{field: TITLE}, {field: TITLE}]", "INVALID"),
        ("[{field: TITLE}, {field: CREATED_AT}, {field: UPDATED_AT}, {field: BYTE_SIZE}]", "INVALID"),
    ],
)
def test_orders_that_mean_nothing_are_refused_with_words_and_without(
    client: Client, ids: list[int], order: str, code: str
) -> None:
    for words in ('search: "campaign", ', ""):
        answer = client.answer(f"{{ assets({words}orderBy: {order}) {{ nodes {{ id }} }} }}")
        assert answer["errors"][0]["extensions"]["code"] == code
    assert client.ask('{ assets(search: "campaign", orderBy: {field: RELEVANCE, direction: DESC}) { totalCount } }')


def test_nothing_but_blanks_is_no_search(client: Client, ids: list[int]) -> None:
    assert search(client, "   ")["totalCount"] == len(ASSETS)
    assert search(client, " & ")["totalCount"] == len(ASSETS)


def test_a_search_is_also_filtered_by_tag_and_its_descendants(client: Client, ids: list[int]) -> None:
    sea = mutate(client, "tagCreate", "tag { id }", name="sea")["tag"]["id"]
    coast = client.ask('{ tags(startingWith: "coast") { nodes { id revision } } }')["tags"]["nodes"][0]
    mutate(client, "tagUpdate", "tag { id }", tag=coast["id"], expectedRevision=coast["revision"], parent=sea)
    found = client.ask(
        """query ($tags: [ID!]) { assets(search: "campaign", where: {tags: {anyOf: $tags}}) {
             nodes { title } totalCount } }""",
        tags=[sea],
    )["assets"]
    assert found == {"nodes": [{"title": ASSETS[0].title}], "totalCount": 1}
