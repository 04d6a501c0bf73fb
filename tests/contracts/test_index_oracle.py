"""Both engines against the oracle: any history of batches, any search, the same answer as counting by
hand.
"""

import random
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storage import index
from storage.index import (
    Document,
    Door,
    FacetField,
    OrderBy,
    OrderField,
    Put,
    Remove,
    Search,
    SearchIndex,
    Tag,
    Term,
    conditions,
    facts,
    query,
)
from tests.contracts import index_oracle as oracle
from tests.contracts.index_samples import KINDS, MEMORY

pytestmark = pytest.mark.parametrize("kind", KINDS)

WORDS = ("summer", "summers", "Sommer", "BrandHero", "brandhero", "hero", "the", "Häuser", "лето", "летний", "x2")
DAYS = (*(datetime(2024, month, 1, tzinfo=UTC) for month in (1, 2, 12)), datetime(1969, 7, 20, 20, 17, tzinfo=UTC))
TYPES = ("image/png", "image/jpeg", "video/mp4", "image/svg+xml")
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "kind": st.sampled_from(("PHOTO", "VIDEO", "nothing")),
    "lifecycle": st.sampled_from(("ACTIVE", "ARCHIVED")),
    "media_type": st.sampled_from(TYPES),
    **dict.fromkeys(("id", "org_id", "width", "height", "byte_size"), st.integers(-1, 6)),
    **dict.fromkeys(("created_at", "updated_at", "captured_at"), st.sampled_from(DAYS)),
}

#: What a field of numbers (7) and one of words (8) may say; the second is counted.
NUMBERS = (-(2**60), -33, -32, -1, 0, 1, 31, 32, 1_000_000, 2**60)
WHAT_SAID = (
    frozenset[str](),
    *(frozenset(facts.of(7, f":{number}", number)) for number in NUMBERS),
    frozenset({*facts.of(8, "=1"), *facts.of(8, "=2")}),
    frozenset({*facts.of(8, "=2"), *facts.of(7, ":31", 31)}),
)
COUNTED = ("8=1", "8=2", "8=3")

sentences = st.lists(st.sampled_from(WORDS), min_size=1, max_size=4).map(" ".join)
tags = st.integers(1, 4).map(lambda id_: Tag(id_, f"Tag {id_}", ("summer",) if id_ == 1 else ()))
documents = st.builds(
    Document,
    id=st.integers(1, 9),
    org_id=st.integers(1, 2),
    access=st.frozensets(st.sampled_from("abc"), max_size=2),
    title=sentences,
    description=st.one_of(st.just(""), sentences),
    tags=st.lists(tags, max_size=2, unique=True).map(tuple),
    campaigns=st.lists(sentences, max_size=1).map(tuple),
    file_names=st.lists(st.sampled_from(("BrandHero_x2.jpg", "summer.png")), max_size=1).map(tuple),
    creators=st.lists(sentences, max_size=1).map(tuple),
    kind=VALUES["kind"],
    lifecycle=VALUES["lifecycle"],
    media_type=st.one_of(st.none(), VALUES["media_type"]),
    width=st.one_of(st.none(), st.integers(0, 5)),
    height=st.one_of(st.none(), st.integers(0, 5)),
    byte_size=st.one_of(st.none(), st.integers(0, 5)),
    created_at=st.sampled_from(DAYS),
    updated_at=st.sampled_from(DAYS),
    captured_at=st.one_of(st.none(), st.sampled_from(DAYS)),
    revision=st.integers(1, 9),
    facts=st.sampled_from(WHAT_SAID),
)
batches = st.lists(st.one_of(documents.map(Put), st.integers(1, 9).map(Remove)), min_size=1, max_size=8)
histories = st.lists(batches, min_size=1, max_size=4)

comparisons = st.one_of(
    st.sampled_from(tuple(VALUES)).flatmap(lambda name: st.builds(conditions.Is, st.just(name), VALUES[name])),
    st.sampled_from(tuple(VALUES)).flatmap(
        lambda name: st.builds(conditions.OneOf, st.just(name), st.lists(VALUES[name], max_size=3).map(tuple))
    ),
    st.sampled_from(sorted(conditions.NUMBERS | conditions.INSTANTS)).flatmap(
        lambda name: st.builds(conditions.Between, st.just(name), st.none() | VALUES[name], st.none() | VALUES[name])
    ),
    st.lists(st.integers(1, 5), max_size=2).map(tuple).map(conditions.HasTag),
    st.sampled_from(("image/", "image/svg+", "", "x")).map(lambda text: conditions.StartsWith("media_type", text)),
    st.builds(conditions.FieldIs, st.just(8), st.lists(st.sampled_from(("=1", "=2", "=9")), max_size=2).map(tuple)),
    st.builds(conditions.FieldBetween, st.just(7), *[st.none() | st.sampled_from(NUMBERS)] * 2),
    st.sampled_from((7, 8, 9)).map(conditions.FieldSays),
    st.frozensets(st.integers(1, 9), max_size=4).map(conditions.Among),
)
filters = st.recursive(
    comparisons,
    lambda parts: st.one_of(
        st.lists(parts, max_size=3).map(tuple).map(conditions.All),
        st.lists(parts, max_size=3).map(tuple).map(conditions.AnyOf),
        parts.map(conditions.Not),
    ),
    max_leaves=5,
)

plain = st.sampled_from((*WORDS, "houses", "летних", "brand-hero", "nowhere"))
leaves = st.one_of(
    plain,
    st.lists(plain, min_size=2, max_size=3).map(lambda words: '"' + " ".join(words) + '"'),
    st.sampled_from(
        ("summ*", "h*", "brandh*", "sumer~", "heor~1", "sonner~2", "kind:PHOTO", "width:1..3", "type:image")
    ),
    st.builds("{}:{}".format, st.sampled_from(("title", "description", "tag", "file", "creator", "campaign")), plain),
    st.sampled_from(("title:summ*", "file:heros~", 'title:"the hero"', "tag:(summer OR hero)")),
)
texts = st.recursive(
    leaves,
    lambda parts: st.one_of(
        st.lists(parts, min_size=2, max_size=3).map(" ".join),
        st.lists(parts, min_size=2, max_size=3).map(lambda some: "(" + " OR ".join(some) + ")"),
        parts.map(lambda part: f"NOT ({part})"),
    ),
    max_leaves=5,
)
groups: st.SearchStrategy[frozenset[Term]] = st.frozensets(st.sampled_from((*"abcd", 1, 2, 11)), max_size=3)
doors = st.builds(Door, st.lists(groups, max_size=2).map(tuple), groups)
access = st.one_of(st.none(), st.lists(doors, max_size=3).map(tuple))
sorted_fields = st.sampled_from([name for name in get_args(OrderField) if name != "relevance"])
orders = st.lists(sorted_fields, min_size=1, max_size=3, unique=True).flatmap(
    lambda names: st.tuples(*(st.builds(OrderBy, st.just(name), st.booleans()) for name in names))
)
searches = st.builds(
    Search,
    query=st.one_of(st.none(), texts.map(query.parse)),
    access=access,
    conditions=st.one_of(st.none(), filters),
    order=st.one_of(orders, st.just(index.RELEVANCE)),
    facets=st.just(get_args(FacetField)),
    counted=st.just(COUNTED),
    limit=st.integers(1, 4),
)
thoroughly = settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)


@given(history=histories, asked=st.lists(searches, min_size=8, max_size=20))
@thoroughly
def test_any_search_after_any_history_finds_counts_and_orders_as_by_hand(
    kind: str, history: list[list[Put | Remove]], asked: list[Search]
) -> None:
    with tempfile.TemporaryDirectory(dir=MEMORY) as directory:
        searched = index.open_index(kind, Path(directory))
        truth: dict[int, Document] = {}
        with searched.writer_lock():
            for seq, ops in enumerate(history, 1):
                searched.apply(ops, seq)
                _apply(truth, ops)
            if len(history) % 2:
                searched.optimise()
        for search in asked:
            _check(searched, search, truth)
        searched.close()


@pytest.fixture
def library(kind: str, tmp_path: Path) -> Iterator[tuple[SearchIndex, dict[int, Document]]]:
    """Two hundred assets of every sort, some put twice and some removed since."""
    made = index.open_index(kind, tmp_path)
    truth: dict[int, Document] = {}
    with made.writer_lock():
        for seq in range(1, 5):
            chance = random.Random(seq)
            ops: list[Put | Remove] = [Put(_any_document(chance)) for _ in range(80)]
            ops += [Remove(chance.randint(1, 200)) for _ in range(10)]
            made.apply(ops, seq)
            _apply(truth, ops)
            if seq == 2:
                made.optimise()
    yield made, truth
    made.close()


def test_every_comparison_of_every_field_finds_what_it_says(library: tuple[SearchIndex, dict[int, Document]]) -> None:
    for condition in _every_comparison():
        for asked in (condition, conditions.Not(condition)):
            search = Search(conditions=asked, order=(OrderBy("created_at"),), limit=101)
            assert _ids(library[0], search) == _expected(library[1], search), asked


def test_every_kind_of_word_in_every_field_finds_what_it_says(library: tuple[SearchIndex, dict[int, Document]]) -> None:
    forms = ("{}", '"{} hero"', '"the {}"', "{}*", "{}~", "{}~2", "-{}", "({} OR the)", "{} the", "NOT ({} hero)")
    for word in (*WORDS, "houses", "brand-hero", "BrandHero_x2", "brandherox", "png"):
        for scope in (None, *get_args(query.Scope)):
            for form in forms:
                text = form.format(word)
                text = text if scope is None else f"{scope}:({text})"
                search = Search(query=query.parse(text), order=(OrderBy("created_at"),), limit=101)
                assert _ids(library[0], search) == _expected(library[1], search), text


def _every_comparison() -> Iterator[conditions.Condition]:
    values: dict[str, list[Any]] = {
        "kind": ["PHOTO", "VIDEO", "nothing"],
        "lifecycle": ["ACTIVE"],
        "media_type": [*TYPES],
        **{name: [0, 1, 2, 5, -1] for name in sorted(conditions.NUMBERS)},
        **{name: [*DAYS] for name in sorted(conditions.INSTANTS)},
    }
    for name, some in values.items():
        field: Any = name
        yield from (conditions.Is(field, value) for value in some)
        yield from (conditions.OneOf(field, tuple(some[:count])) for count in range(3))
        if name not in conditions.TEXTS:
            for low in (None, *some):
                yield from (conditions.Between(field, low, high) for high in (None, *some))
    yield from (conditions.HasTag(tags) for tags in ((), (1,), (2, 3), (9,)))
    yield from (conditions.StartsWith("media_type", text) for text in ("", "image/", "image/svg+", "image/png", "x"))
    yield from (conditions.FieldIs(8, words) for words in ((), ("=1",), ("=1", "=2"), ("=3",)))
    yield from (conditions.FieldSays(key) for key in (7, 8, 9))
    yield from (conditions.Among(frozenset(ids)) for ids in ((), (1,), (2, 3, 99)))
    for least in (None, *NUMBERS):
        yield from (conditions.FieldBetween(7, least, most) for most in (None, *NUMBERS))


def _any_document(chance: random.Random) -> Document:
    def sentence() -> str:
        return " ".join(chance.choices(WORDS, k=chance.randint(1, 4)))

    return Document(
        id=chance.randint(1, 200),
        org_id=chance.randint(1, 2),
        access=frozenset("a"),
        title=sentence(),
        description=chance.choice(("", sentence())),
        tags=tuple(Tag(tag, f"Tag {tag}", (chance.choice(WORDS),)) for tag in chance.sample(range(1, 5), k=2)),
        campaigns=(sentence(),),
        file_names=(chance.choice(("BrandHero_x2.jpg", "summer.png")),),
        creators=(sentence(),),
        texts=(sentence(),),
        kind=chance.choice(("PHOTO", "VIDEO")),
        lifecycle=chance.choice(("ACTIVE", "ARCHIVED")),
        media_type=chance.choice((None, *TYPES)),
        width=chance.choice((None, 0, 1, 2, 5)),
        height=chance.choice((None, 0, 1, 2, 5)),
        byte_size=chance.choice((None, 0, 1, 2, 5)),
        created_at=chance.choice(DAYS),
        updated_at=chance.choice(DAYS),
        captured_at=chance.choice((None, *DAYS)),
        facts=chance.choice(WHAT_SAID),
    )


def _ids(searched: SearchIndex, search: Search) -> list[int]:
    return [hit.id for hit in searched.search(search).hits]


def _expected(truth: dict[int, Document], search: Search) -> list[int]:
    ordered = oracle.ordered(oracle.matching(truth.values(), search), search)
    return [each.id for each in ordered][: search.limit]


def _apply(truth: dict[int, Document], ops: list[Put | Remove]) -> None:
    for op in ops:
        if isinstance(op, Put):
            truth[op.document.id] = op.document
        else:
            truth.pop(op.id, None)


def _check(searched: SearchIndex, search: Search, truth: dict[int, Document]) -> None:
    expected = oracle.matching(truth.values(), search)
    answer = searched.search(search)
    assert answer.total == len(expected)
    for field in search.facets:
        assert [(each.value, each.count) for each in answer.facets[field]] == oracle.facet(expected, field)
    assert answer.counted == oracle.counted(expected, search.counted)
    forward, backward = _paged(searched, search), _paged(searched, replace(search, backward=True))
    assert forward == backward
    assert len(forward) == len(set(forward))
    assert {id_: truth[id_] for id_ in forward} == {each.id: each for each in expected}
    if search.order != index.RELEVANCE:
        assert forward == [each.id for each in oracle.ordered(expected, search)]
    for hit in answer.hits:
        assert hit.revision == truth[hit.id].revision


def _paged(searched: SearchIndex, search: Search) -> list[int]:
    """All hits in the order asked, a page at a time, from either end."""
    found: list[int] = []
    while True:
        hits = searched.search(search).hits
        if not hits:
            return found
        ids = [hit.id for hit in hits]
        found = ids + found if search.backward else found + ids
        edge = hits[0 if search.backward else -1].position
        search = replace(search, before=edge) if search.backward else replace(search, after=edge)
