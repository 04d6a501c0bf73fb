"""What every search index finds: ranking, order, paging, highlights, suggestions and corrections."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from storage import index
from storage.index import (
    Fragment,
    OrderBy,
    Position,
    Search,
    SearchIndex,
    SearchRefused,
    Tag,
    TooDeep,
    conditions,
    query,
)
from storage.index.conditions import ConditionError
from tests.contracts.index_samples import ANYONE, KINDS, document, filled, find, found

Fill = Callable[..., SearchIndex]


@pytest.fixture(params=KINDS)
def fill(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Fill]:
    """Makes the index of one test, holding the documents given."""
    made: list[SearchIndex] = []

    def make(*documents: index.Document) -> SearchIndex:
        made.append(filled(str(request.param), tmp_path, documents))
        return made[-1]

    yield make
    for each in made:
        each.close()


def test_an_asset_called_exactly_so_comes_first(fill: Fill) -> None:
    noise = [document(id_, "Summer", description="summer beach " * id_) for id_ in range(10, 30)]
    searched = fill(
        *noise,
        document(1, "Summer Beach 2024"),
        document(2, "summer beach"),
        document(3, "Something else", tags=(Tag(1, "Summer beach"),)),
        document(4, "Nothing", file_names=("Summer_Beach.jpg",)),
    )

    ids = found(searched, "Summer Beach")

    assert ids[0] == 2
    assert set(ids[1:3]) == {3, 4}


def test_a_synonym_of_a_tag_finds_what_carries_the_tag(fill: Fill) -> None:
    searched = fill(document(1, tags=(Tag(1, "Automobile", ("car", "Auto")),)), document(2))

    assert found(searched, "cars") == found(searched, "tag:auto") == [1]


@pytest.mark.parametrize(
    "text",
    [
        "BrandHero",
        "brandhero",
        "brand hero",
        "hero_2024",
        "brandhero2024",
        "BrandHero_2024-final.jpg",
        "final",
        "herojp* OR hero",
    ],
)
def test_pieces_of_a_file_name_find_it(fill: Fill, text: str) -> None:
    searched = fill(document(1, file_names=("BrandHero_2024-final.jpg",)), document(2, file_names=("other.png",)))

    assert found(searched, text) == [1]


def test_a_stop_word_beside_others_is_welcome_but_not_required(fill: Fill) -> None:
    searched = fill(document(1, "The beach"), document(2, "Beach"), document(3, "The"))

    assert found(searched, "the beach") == [1, 2]
    assert sorted(found(searched, "the")) == [1, 3]
    assert found(searched, '"the beach"') == [1]


def test_a_phrase_never_runs_from_one_text_into_the_next(fill: Fill) -> None:
    searched = fill(document(1, "summer", description="beach"), document(2, "beach", description="summer beach"))

    assert found(searched, '"summer beach"') == [2]


def test_hits_are_counted_after_access_and_conditions(fill: Fill) -> None:
    searched = fill(
        document(1, "Hero", tags=(Tag(1, "a"), Tag(2, "b")), media_type="image/png"),
        document(2, "Hero", tags=(Tag(1, "a"),), captured_at=document(0).created_at.replace(year=1999)),
        document(3, "Hero", kind="VIDEO"),
        document(4, "Hero", access=frozenset({"others"}), tags=(Tag(3, "c"),)),
    )

    answer = find(
        searched,
        "hero",
        access=ANYONE,
        conditions=conditions.Is("kind", "PHOTO"),
        facets=("kind", "tag", "media_type", "year"),
        limit=1,
    )

    assert answer.total == 2
    counted = {name: [(each.value, each.count) for each in values] for name, values in answer.facets.items()}
    assert counted == {
        "kind": [("PHOTO", 2)],
        "tag": [(1, 2), (2, 1)],
        "media_type": [("image/png", 1)],
        "year": [(1999, 1), (2024, 1)],
    }


NO_TYPE = (
    conditions.Is("media_type", "\0"),
    conditions.Is("media_type", ""),
    conditions.OneOf("media_type", ("\0", "", "None")),
    conditions.StartsWith("media_type", ""),
    conditions.StartsWith("media_type", "\0"),
)


@pytest.mark.parametrize("condition", NO_TYPE, ids=repr)
@pytest.mark.parametrize("text", ["", "hero"])
def test_a_document_without_a_media_type_is_found_by_no_condition_on_it_and_by_the_opposite_of_each(
    fill: Fill, condition: conditions.Condition, text: str
) -> None:
    searched = fill(document(1, "Hero"), document(2, "Hero"))

    assert found(searched, text, conditions=condition) == []
    assert sorted(found(searched, text, conditions=conditions.Not(condition))) == [1, 2]
    assert sorted(found(searched, text, conditions=conditions.Not(conditions.Not(conditions.Not(condition))))) == [1, 2]


def test_a_document_without_a_media_type_stays_unfound_among_others_that_have_one(fill: Fill) -> None:
    searched = fill(document(1), document(2, media_type="image/png"), document(3, media_type=""))

    def ids(condition: conditions.Condition) -> list[int]:
        return sorted(hit.id for hit in searched.search(Search(conditions=condition)).hits)

    any_type = conditions.StartsWith("media_type", "")
    assert (ids(any_type), ids(conditions.Not(any_type))) == ([2, 3], [1])
    assert (ids(NO_TYPE[0]), ids(conditions.Not(NO_TYPE[0]))) == ([], [1, 2, 3])
    assert (ids(NO_TYPE[1]), ids(conditions.Not(NO_TYPE[1]))) == ([3], [1, 2])
    assert ids(conditions.AnyOf((NO_TYPE[0], conditions.Is("media_type", "image/png")))) == [2]
    assert ids(conditions.OneOf("media_type", ("\0", "image/png"))) == [2]


@pytest.mark.parametrize("text", ["", "hero"])
def test_a_missing_media_type_is_no_facet_value(fill: Fill, text: str) -> None:
    searched = fill(document(1, "Hero"), document(2, "Hero", media_type="image/png"), document(3, "Hero"))

    answer = find(searched, text, facets=("media_type", "kind"))
    lone = find(searched, text, facets=("media_type",), conditions=conditions.Not(conditions.Is("id", 2)))

    assert [(each.value, each.count) for each in answer.facets["media_type"]] == [("image/png", 1)]
    assert [(each.value, each.count) for each in answer.facets["kind"]] == [("PHOTO", 3)]
    assert (lone.total, lone.facets["media_type"]) == (2, ())


def test_a_facet_answers_its_fifty_most_frequent_values_exactly(fill: Fill) -> None:
    many = [document(id_, tags=tuple(Tag(tag, f"Tag {tag}") for tag in range(1, 1 + id_))) for id_ in range(1, 301)]
    searched = fill(*many)

    tags = searched.search(Search(facets=("tag",))).facets["tag"]

    assert [(each.value, each.count) for each in tags] == [(tag, 301 - tag) for tag in range(1, 51)]


def test_missing_values_sort_as_the_smallest(fill: Fill) -> None:
    searched = fill(document(1, byte_size=5), document(2), document(3, byte_size=0))

    def order(*, descending: bool) -> list[int]:
        hits = searched.search(Search(order=(OrderBy("byte_size", descending),))).hits
        return [hit.id for hit in hits]

    assert order(descending=False) == [2, 3, 1]
    assert order(descending=True) == [1, 3, 2]


def test_titles_sort_without_regard_to_case_and_accents(fill: Fill) -> None:
    searched = fill(document(1, "Zebra"), document(2, "Äpfel"), document(3, "apple"), document(4, "яблоко"))

    hits = searched.search(Search(order=(OrderBy("title", descending=False),))).hits

    assert [hit.id for hit in hits] == [2, 3, 1, 4]
    assert hits[0].position == Position(("apfel",), 2)


def test_pages_stay_put_while_documents_are_added(fill: Fill) -> None:
    searched = fill(*(document(id_, "Hero") for id_ in range(1, 11)))
    newest = (OrderBy("created_at"),)
    first = searched.search(Search(order=newest, limit=3)).hits
    with searched.writer_lock():
        searched.apply([index.Put(document(id_, "Hero")) for id_ in range(11, 20)], 2)

    second = searched.search(Search(order=newest, limit=3, after=first[-1].position))

    assert [hit.id for hit in first] == [10, 9, 8]
    assert [hit.id for hit in second.hits] == [7, 6, 5]
    assert second.total == 19


def test_a_ranking_is_not_followed_without_end(fill: Fill) -> None:
    searched = fill(*(document(id_, "Hero") for id_ in range(1, 10_102)))
    beyond = find(searched, "hero", limit=101, after=Position(find(searched, "hero").hits[0].position.key, 103))

    assert [hit.id for hit in beyond.hits] == list(range(102, 1, -1))
    for refused in (
        Search(query=query.parse("hero"), after=beyond.hits[0].position),
        Search(query=query.parse("hero"), backward=True),
        Search(after=Position((0.0,), 100)),
        Search(backward=True),
    ):
        with pytest.raises(TooDeep):
            searched.search(refused)
    oldest = Search(query=query.parse("hero"), order=(OrderBy("created_at"),), backward=True, limit=2)
    assert [hit.id for hit in searched.search(oldest).hits] == [2, 1]


@pytest.mark.parametrize(
    "search",
    [
        Search(limit=0),
        Search(limit=102),
        Search(order=()),
        Search(order=(OrderBy("relevance", descending=False),)),
        Search(order=(OrderBy("relevance"), OrderBy("title"))),
        Search(order=(OrderBy("title"), OrderBy("title"))),
        Search(order=(OrderBy("title"),), after=Position((7,), 1)),
        Search(order=(OrderBy("created_at"),), after=Position((1, 2), 1)),
        Search(after=Position(("a",), 1)),
    ],
    ids=repr,
)
def test_a_search_that_means_nothing_is_refused(fill: Fill, search: Search) -> None:
    searched = fill(document(1))

    with pytest.raises(SearchRefused):
        searched.search(search)


def test_a_filter_that_means_nothing_is_refused(fill: Fill) -> None:
    searched = fill(document(1))

    with pytest.raises(ConditionError, match="cannot be compared"):
        searched.search(Search(conditions=conditions.Is("width", "wide")))


def test_highlights_show_where_the_words_stand(fill: Fill) -> None:
    story = "At dawn. " * 30 + "Die Häuser am Meer. " + "Later. " * 30 + "Ein altes Haus." + " End." * 40
    searched = fill(document(1, "HERO: BrandHero", description=story, file_names=("haus_01.jpg",)))

    (hit,) = find(searched, "haus brandhero", highlight=True).hits

    shown = {match.field: match.fragments for match in hit.matches}
    assert shown["title"] == (Fragment("HERO: BrandHero", ((6, 15),)),)
    assert shown["file"] == (Fragment("haus_01.jpg", ((0, 4),)),)
    first, second = shown["description"]
    assert [first.text[slice(*match)] for match in first.matches] == ["Häuser"]
    assert [second.text[slice(*match)] for match in second.matches] == ["Haus"]
    assert max(len(first.text), len(second.text)) < 250


def test_highlights_mark_only_the_field_asked_for(fill: Fill) -> None:
    searched = fill(document(1, "Hero", description="A hero"))

    (hit,) = find(searched, "title:hero", highlight=True).hits

    assert [match.field for match in hit.matches] == ["title"]


def test_what_is_being_typed_goes_on_as_titles_tags_and_words(fill: Fill) -> None:
    searched = fill(
        document(1, "Sommer am Meer", tags=(Tag(1, "Sommerkampagne"),)),
        document(2, "Sommer am Meer", description="sommerlich"),
        document(3, "Sonne", access=frozenset({"others"})),
    )

    suggested = searched.suggest("Som", ANYONE, limit=9)

    assert ("Sommer am Meer", "title", 2) in [(each.text, each.kind, each.count) for each in suggested]
    assert ("Sommerkampagne", "tag", 1) in [(each.text, each.kind, each.count) for each in suggested]
    assert ("sommerlich", "word", 1) in [(each.text, each.kind, each.count) for each in suggested]
    assert [each.text for each in searched.suggest("so", ANYONE) if each.text.lower() == "sonne"] == []
    assert [each.text for each in searched.suggest("das mee", ANYONE)] == ["das meer"]
    assert len(searched.suggest("s", ANYONE, limit=2)) == 2
    assert searched.suggest("", ANYONE) == searched.suggest(" ~ ", ANYONE) == []


def test_a_misspelt_word_is_corrected_to_the_nearest_one_the_viewer_could_find(fill: Fill) -> None:
    searched = fill(
        document(1, "Campaign poster"), document(2, "Campaign"), document(3, "Champaign", access=frozenset({"others"}))
    )

    def correct(text: str) -> str | None:
        return searched.correct(query.parse(text), ANYONE)

    assert correct("title:campaing  -(poster)") == "title:campaign  -(poster)"
    assert correct("champaign") == "campaign"
    assert correct("campaign") is None
    assert correct("campaigns") is None
    assert correct("-campaing") is None
    assert correct("zzz") is None
    assert correct('"campaing"') is None


def test_a_search_may_be_relaxed_when_it_finds_nothing(fill: Fill) -> None:
    searched = fill(document(1, "Broschüre Frühling"), document(2, "Campaign"), document(3, "Broschüre Sommer"))

    strict, beginning = find(searched, "brosch frühling"), find(searched, "brosch frühling", relax=True)
    misspelt = find(searched, "compaign", relax=True, highlight=True)

    assert (strict.total, strict.relaxed) == (0, False)
    assert ([hit.id for hit in beginning.hits], beginning.relaxed) == ([1], True)
    assert ([hit.id for hit in misspelt.hits], misspelt.relaxed) == ([2], True)
    assert misspelt.hits[0].matches[0].fragments[0].matches == ((0, 8),)
    assert not find(searched, "campaign", relax=True).relaxed
    assert find(searched, "xyzzy", relax=True).total == 0


def test_a_fuzzy_word_keeps_its_first_letter(fill: Fill) -> None:
    searched = fill(document(1, "colour"), document(2, "dolour"), document(3, "color"))

    assert sorted(found(searched, "colour~")) == [1, 3]
    assert sorted(found(searched, "coulor~2")) == [1, 3]


def test_odd_characters_do_not_confuse_the_index(fill: Fill) -> None:
    odd = "a\0b \x1f ¨ ½ ﷺ 𝔘𝔫𝔦𝔠𝔬𝔡𝔢 e\u0301 \u0301 ʼn ٣ ①" + "x" * 300
    searched = fill(document(1, odd, tags=(Tag(1, odd),), kind="", media_type=""), document(2, ""))

    assert searched.search(Search()).total == 2
    assert found(searched, "unicode") == [1]
    assert found(searched, "é") == [1]
    assert searched.search(Search(conditions=conditions.Is("kind", ""))).total == 1
