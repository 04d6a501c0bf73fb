"""The same filter, order and paging asked of the rows and of the search index, against an oracle in plain Python."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.global_ids import decode, encode
from domain.hub import Hub
from tests.asking import Client
from tests.listing import oracle, rows
from tests.listing.oracle import Entry
from tests.working import index_all

SEEDS = (1, 2)
COUNT = 60
PAGE = """query ($first: Int, $after: String, $last: Int, $before: String, $search: String, $where: AssetWhere,
                 $orderBy: [AssetOrder!], $stage: Stage) {
  assets(first: $first, after: $after, last: $last, before: $before, search: $search, where: $where,
         orderBy: $orderBy, stage: $stage) {
    totalCount edges { cursor node { id } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    facets(by: [KIND, TAG, MEDIA_TYPE, YEAR]) { by values { label count } } } }"""
#: A word that every asset has in its title, and no word at all.
ASKED = (None, "asset")
ORDERS = ("CREATED_AT", "UPDATED_AT", "CAPTURED_AT", "TITLE", "BYTE_SIZE")
EXAMPLES = settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


class World:
    """Assets in rows and index, and their facts. No dataclass: Hypothesis would spell all of it out."""

    def __init__(self, client: Client, entries: list[Entry], tags: dict[str, str]) -> None:
        self.client, self.entries, self.tags = client, entries, tags

    def ask(self, **variables: Any) -> dict[str, Any]:
        """A page; tags in `where` are named by their word."""
        where = None if variables.get("where") is None else self._with_ids(variables["where"])
        page: dict[str, Any] = self.client.ask(PAGE, **(variables | {"where": where}))["assets"]
        return page

    def expected(self, where: dict[str, Any] | None, stage: str | None = None) -> list[Entry]:
        found = [entry for entry in self.entries if oracle.matches(where, entry[1])]
        return [entry for entry in found if stage != "APPROVED" or entry[1].approved]

    def _with_ids(self, where: dict[str, Any]) -> dict[str, Any]:
        turned: dict[str, Any] = {}
        for name, value in where.items():
            match name:
                case "AND" | "OR":
                    turned[name] = [self._with_ids(each) for each in value]
                case "NOT":
                    turned[name] = self._with_ids(value)
                case "tags":
                    turned[name] = {how: [self.tags[word] for word in words] for how, words in value.items()}
                case _:
                    turned[name] = value
        return turned


@pytest.fixture(params=SEEDS)
def world(hub: Hub, client: Client, request: pytest.FixtureRequest) -> World:
    facts = rows.some(request.param, COUNT)
    ids = rows.insert(hub, facts)
    index_all(hub)
    listed = client.ask("{ tags { nodes { id name } } }")["tags"]["nodes"]
    return World(client, list(zip(ids, facts, strict=True)), {each["name"]: each["id"] for each in listed})


def _ranges(values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional={"from": values, "to": values})


INSTANTS = st.integers(-450, 450).map(
    lambda days: (rows.START + timedelta(days=days)).isoformat().replace("+00:00", "Z")
)
NUMBERS = st.sampled_from([None, 0, 1, 50, 100, 4000])
BIG = st.sampled_from([None, "0", "1", "50", "3000000000", "4000000000"])
WORDS = st.lists(st.sampled_from(rows.TAGS), max_size=2, unique=True)


def _measure(values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.one_of(_ranges(values), st.fixed_dictionaries({"eq": values}))


LEAF = st.fixed_dictionaries(
    {},
    optional={
        "kind": st.one_of(
            st.fixed_dictionaries({"eq": st.sampled_from(rows.KINDS)}),
            st.fixed_dictionaries({"oneOf": st.lists(st.sampled_from(rows.KINDS), max_size=2)}),
        ),
        "lifecycle": st.fixed_dictionaries({"oneOf": st.lists(st.sampled_from(rows.LIFECYCLES), max_size=3)}),
        "mediaType": st.one_of(
            st.fixed_dictionaries({"eq": st.sampled_from([*rows.MEDIA_TYPES, "IMAGE/PNG"])}),
            st.fixed_dictionaries(
                {"startsWith": st.sampled_from(["", "image/", "IMAGE/", "%", "i_age", "video/mp4x"])}
            ),
        ),
        "width": _measure(NUMBERS),
        "height": _measure(NUMBERS),
        "byteSize": _measure(BIG),
        "createdAt": _ranges(INSTANTS),
        "updatedAt": _ranges(INSTANTS),
        "capturedAt": _ranges(INSTANTS),
        "tags": st.fixed_dictionaries({}, optional={"anyOf": WORDS, "allOf": WORDS, "noneOf": WORDS}),
    },
).map(lambda leaf: dict(list(leaf.items())[:3]))
WHERE = st.recursive(
    LEAF,
    lambda inner: st.fixed_dictionaries(
        {},
        optional={
            "AND": st.lists(inner, max_size=2),
            "OR": st.lists(inner, max_size=3),
            "NOT": inner,
            "kind": st.just({"eq": "IMAGE"}),
        },
    ),
    max_leaves=6,
)
ORDER = st.lists(
    st.tuples(st.sampled_from(ORDERS), st.sampled_from(["ASC", "DESC"])), max_size=3, unique_by=lambda by: by[0]
)


def _spoken(order: list[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"field": field, "direction": direction} for field, direction in order]


def _ids(entries: list[Entry]) -> list[str]:
    return [encode("Asset", id_) for id_, _ in entries]


@EXAMPLES
@given(where=WHERE, order=ORDER, stage=st.sampled_from(["DRAFT", "APPROVED"]))
def test_rows_index_and_oracle_agree_on_every_filter_order_total_and_facet(
    world: World, where: dict[str, Any], order: list[tuple[str, str]], stage: str
) -> None:
    expected = oracle.ordered(world.expected(where, stage), order)
    facets = {by: sorted(oracle.facet(expected, by)) for by in ("KIND", "TAG", "MEDIA_TYPE", "YEAR")}
    for words in ASKED:
        chosen = order or [("CREATED_AT", "DESC")]
        page = world.ask(first=100, where=where, orderBy=_spoken(chosen), stage=stage, search=words)
        assert [edge["node"]["id"] for edge in page["edges"]] == _ids(expected), words
        assert page["totalCount"] == len(expected), words
        counted = {
            each["by"]: sorted((value["label"], value["count"]) for value in each["values"]) for each in page["facets"]
        }
        assert counted == facets, words


@EXAMPLES
@given(
    where=WHERE,
    order=ORDER.filter(bool),
    sizes=st.lists(st.integers(1, 25), min_size=1, max_size=4),
    words=st.sampled_from(ASKED),
)
def test_pages_of_any_size_join_to_the_whole_list_in_both_directions(
    world: World, where: dict[str, Any], order: list[tuple[str, str]], sizes: list[int], words: str | None
) -> None:
    expected = _ids(oracle.ordered(world.expected(where), order))
    asked = {"where": where, "orderBy": _spoken(order), "search": words}
    for backwards in (False, True):
        found, cursor, turn = list[str](), None, 0
        while True:
            size = sizes[turn % len(sizes)]
            turn += 1
            page = world.ask(
                **asked, **({"last": size, "before": cursor} if backwards else {"first": size, "after": cursor})
            )
            ids = [edge["node"]["id"] for edge in page["edges"]]
            found = ids + found if backwards else found + ids
            info = page["pageInfo"]
            assert info["hasPreviousPage" if not backwards else "hasNextPage"] is (cursor is not None)
            if not info["hasPreviousPage" if backwards else "hasNextPage"]:
                break
            cursor = info["startCursor" if backwards else "endCursor"]
            assert len(ids) == size
        assert found == expected, (words, backwards)


@EXAMPLES
@given(words=st.sampled_from(["asset", "beta", "alpha OR мост", "red"]), size=st.integers(1, 9))
def test_pages_by_relevance_show_every_hit_once(world: World, words: str, size: int) -> None:
    whole = [edge["node"]["id"] for edge in world.ask(first=100, search=words)["edges"]]
    found, cursor = list[str](), None
    while True:
        page = world.ask(first=size, after=cursor, search=words)
        found += [edge["node"]["id"] for edge in page["edges"]]
        if not page["pageInfo"]["hasNextPage"]:
            break
        cursor = page["pageInfo"]["endCursor"]
    assert found == whole
    assert len(set(found)) == len(found) == page["totalCount"]
    assert {decode(each)[0] for each in found} <= {"Asset"}
