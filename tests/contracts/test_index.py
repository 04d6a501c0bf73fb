"""What every search index keeps: batches, checkpoints, rebuilding, one writer, and no sight of what was taken
away.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from storage import index
from storage.index import (
    MAX_REVISIONS,
    Access,
    Door,
    NeedsRebuild,
    NotLeading,
    Put,
    Remove,
    Search,
    SearchIndex,
    SearchRefused,
    query,
)
from storage.index.home import Home
from tests.contracts.index_samples import KINDS, document, filled, find, found, with_one_of

Fill = Callable[..., SearchIndex]


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def fill(kind: str, tmp_path: Path) -> Iterator[Fill]:
    """Makes the index of one test, holding the documents given."""
    made: list[SearchIndex] = []

    def make(*documents: index.Document, seq: int = 1) -> SearchIndex:
        made.append(filled(kind, tmp_path / "index", documents, seq))
        return made[-1]

    yield make
    for each in made:
        each.close()


def test_an_empty_directory_is_an_empty_index(kind: str, tmp_path: Path) -> None:
    empty = index.open_index(kind, tmp_path / "new")

    answer = empty.search(Search(facets=("kind", "tag")))

    assert (answer.total, answer.hits, answer.seq) == (0, (), 0)
    assert answer.facets == {"kind": (), "tag": ()}
    assert empty.checkpoint() == 0
    assert not empty.needs_rebuild
    assert empty.revisions(0, 10) == []
    assert empty.suggest("a", None) == []
    assert empty.correct(query.parse("anything"), None) is None


def test_a_batch_moves_the_checkpoint_and_shows_in_the_next_search(fill: Fill) -> None:
    searched = fill(document(1, "Hero"), seq=41)

    assert searched.checkpoint() == 41
    assert find(searched, "hero").seq == 41
    assert found(searched, "hero") == [1]


def test_a_batch_without_operations_still_moves_the_checkpoint(fill: Fill) -> None:
    searched = fill(document(1))

    with searched.writer_lock():
        searched.apply([], 9)

    assert searched.checkpoint() == 9
    assert searched.search(Search()).total == 1


def test_applying_the_same_batch_twice_changes_nothing(fill: Fill) -> None:
    searched = fill(document(1, "Hero"), document(2, "Villain"))
    batch: list[Put | Remove] = [Put(document(3, "Hero")), Remove(2), Remove(77)]

    with searched.writer_lock():
        searched.apply(batch, 5)
        once = searched.search(Search(facets=("kind", "year"), query=query.parse("hero")))
        searched.apply(batch, 5)

    assert searched.search(Search(facets=("kind", "year"), query=query.parse("hero"))) == once
    assert searched.checkpoint() == 5


def test_a_batch_older_than_the_checkpoint_is_passed_over(fill: Fill) -> None:
    searched = fill(document(1, "New"), seq=10)

    with searched.writer_lock():
        searched.apply([Put(document(1, "Old"))], 9)

    assert searched.checkpoint() == 10
    assert found(searched, "old") == []
    assert found(searched, "new") == [1]


def test_of_several_operations_on_one_document_the_last_counts(fill: Fill) -> None:
    searched = fill()

    with searched.writer_lock():
        searched.apply([Put(document(1, "First")), Remove(1), Put(document(1, "Last")), Put(document(2)), Remove(2)], 2)

    assert found(searched, "first") == []
    assert found(searched, "last") == [1]
    assert searched.search(Search()).total == 1


def test_a_document_put_again_is_found_by_its_new_words_only(fill: Fill) -> None:
    searched = fill(document(1, "Summer"))

    with searched.writer_lock():
        searched.apply([Put(document(1, "Winter", revision=2))], 2)

    assert found(searched, "summer") == []
    assert [(hit.id, hit.revision) for hit in find(searched, "winter").hits] == [(1, 2)]


def test_what_is_taken_from_a_viewer_is_gone_from_every_answer_at_once(fill: Fill, kind: str, tmp_path: Path) -> None:
    searched = fill(document(1, "Secret hero", access=frozenset({"red", "blue"})))
    elsewhere = index.open_index(kind, tmp_path / "index")
    red = with_one_of("red")
    assert found(elsewhere, "secret", access=red) == [1]

    with searched.writer_lock():
        searched.apply([Put(document(1, "Secret hero", access=frozenset({"blue"})))], 2)
        for reader in (searched, elsewhere):
            answer = reader.search(Search(access=red, facets=("kind",)))
            assert (answer.total, answer.hits, answer.facets["kind"]) == (0, (), ())
            assert found(reader, "secret", access=red) == []
            assert reader.suggest("sec", red) == []
            assert reader.correct(query.parse("secert"), red) is None
            assert found(reader, "secret", access=with_one_of("blue")) == [1]
    elsewhere.close()


def test_a_viewer_without_any_term_sees_nothing(fill: Fill) -> None:
    searched = fill(document(1), document(2, access=frozenset()))

    assert searched.search(Search(access=())).total == 0
    assert searched.search(Search(access=with_one_of())).total == 0
    assert searched.search(Search(access=with_one_of("everyone"))).total == 1
    assert searched.search(Search(access=None)).total == 2


DOORS: tuple[tuple[Access, list[int]], ...] = (
    ((Door(()),), [1, 2, 3, 4]),
    ((Door((frozenset("ab"),)),), [1, 2, 3]),
    ((Door((frozenset("a"), frozenset("b"))),), [2]),
    ((Door((frozenset("a"), frozenset())),), []),
    ((Door((frozenset("ab"),), frozenset("c")),), [1, 3]),
    ((Door((), frozenset("a")),), [3, 4]),
    ((Door((), frozenset("z")),), [1, 2, 3, 4]),
    ((Door((frozenset({4}),)),), [4]),
    ((Door((frozenset({4, "c"}),)),), [2, 4]),
    ((Door((), frozenset({4, "c"})),), [1, 3]),
    ((Door((), frozenset({1, 2, 3, 4})),), []),
    ((Door((frozenset("c"),)), Door((frozenset({4}),), frozenset("a"))), [2, 4]),
    ((Door((frozenset("a"),)), Door(())), [1, 2, 3, 4]),
    ((Door((frozenset("a"),)), Door((), frozenset("b"))), [1, 2, 4]),
)


@pytest.mark.parametrize(("access", "seen"), DOORS)
def test_a_door_asks_for_a_term_of_each_group_and_for_none_that_it_refuses(
    fill: Fill, access: Access, seen: list[int]
) -> None:
    carried = {1: "a", 2: "abc", 3: "b", 4: ""}
    searched = fill(*(document(id_, f"Hero {id_}", access=frozenset(terms)) for id_, terms in carried.items()))

    answer = searched.search(Search(access=access, facets=("kind",)))
    assert sorted(hit.id for hit in answer.hits) == seen
    assert answer.total == sum(value.count for value in answer.facets["kind"]) == len(seen)
    assert sorted(found(searched, "hero", access=access)) == seen
    for id_ in carried:
        assert bool(searched.suggest(f"hero {id_}", access)) is (id_ in seen)
    assert searched.correct(query.parse("heor"), access) == ("hero" if seen else None)


def test_only_the_holder_of_the_lock_may_write(fill: Fill, kind: str, tmp_path: Path) -> None:
    searched = fill(document(1))
    other = index.open_index(kind, tmp_path / "index")

    with pytest.raises(NotLeading):
        searched.apply([Remove(1)], 2)
    with pytest.raises(NotLeading):
        searched.rebuild([], 2)
    with pytest.raises(NotLeading):
        searched.optimise()
    with searched.writer_lock(), pytest.raises(NotLeading), other.writer_lock():
        pass
    with other.writer_lock():
        other.apply([Remove(1)], 2)

    assert searched.search(Search()).total == 0
    other.close()


def test_a_batch_that_fails_half_way_leaves_everything_as_it_was(fill: Fill) -> None:
    searched = fill(document(1, "Hero"), seq=3)
    broken = replace(document(2, "Hero"), title=None)  # type: ignore[arg-type]

    with searched.writer_lock():
        with pytest.raises((TypeError, AttributeError, ValueError)):
            searched.apply([Remove(1), Put(broken)], 4)
        assert found(searched, "hero") == [1]
        assert searched.checkpoint() == 3
        searched.apply([Put(document(2, "Hero"))], 4)

    assert sorted(found(searched, "hero")) == [1, 2]


def test_many_small_batches_answer_like_one_large_one(fill: Fill, kind: str, tmp_path: Path) -> None:
    documents = [document(id_, f"Asset {id_ % 7}", kind="PHOTO" if id_ % 3 else "VIDEO") for id_ in range(1, 61)]
    whole = fill(*documents)
    pieces = index.open_index(kind, tmp_path / "pieces")
    with pieces.writer_lock():
        for seq, each in enumerate(documents, 1):
            pieces.apply([Put(each), Remove(each.id - 50)], seq)
        pieces.apply([Put(each) for each in documents[:10]], 100)
        for step in range(2):
            for text in ("asset", "3", "asset 3 -kind:VIDEO"):
                one, other = (
                    find(each, text, facets=("kind",), order=(index.OrderBy("created_at"),), limit=100)
                    for each in (whole, pieces)
                )
                assert [hit.id for hit in one.hits] == [hit.id for hit in other.hits], (text, step)
                assert (one.total, one.facets) == (other.total, other.facets)
            pieces.optimise()
    pieces.close()


def test_rebuilding_replaces_everything(fill: Fill, kind: str, tmp_path: Path) -> None:
    searched = fill(document(1, "Old"), document(2, "Old"), seq=5)
    elsewhere = index.open_index(kind, tmp_path / "index")
    assert elsewhere.search(Search()).total == 2

    with searched.writer_lock():
        searched.rebuild((document(id_, "Built") for id_ in range(3, 7)), 8)

    for reader in (searched, elsewhere):
        assert reader.checkpoint() == 8
        assert found(reader, "old") == []
        assert sorted(found(reader, "built")) == [3, 4, 5, 6]
    elsewhere.close()


def test_readers_keep_the_old_index_until_a_rebuild_is_complete(fill: Fill) -> None:
    searched = fill(document(1, "Old"), seq=5)
    seen = []

    def documents() -> Iterator[index.Document]:
        for id_ in range(2, 5):
            seen.append((found(searched, "old"), searched.search(Search()).total, searched.checkpoint()))
            yield document(id_, "New")

    with searched.writer_lock():
        searched.rebuild(documents(), 6)

    assert seen == [([1], 1, 5)] * 3
    assert searched.search(Search()).total == 3


def test_a_rebuild_that_fails_leaves_the_old_index(fill: Fill) -> None:
    searched = fill(document(1, "Old"), seq=5)

    def documents() -> Iterator[index.Document]:
        yield document(2, "New")
        raise ConnectionError

    with searched.writer_lock():
        with pytest.raises(ConnectionError):
            searched.rebuild(documents(), 6)
        assert (found(searched, "old"), searched.checkpoint()) == ([1], 5)
        searched.apply([Put(document(3, "Old"))], 6)

    assert sorted(found(searched, "old")) == [1, 3]


def test_a_document_given_twice_to_a_rebuild_is_indexed_as_last_given(fill: Fill) -> None:
    searched = fill()

    with searched.writer_lock():
        searched.rebuild([document(1, "First"), document(2), document(1, "Second")], 2)

    assert searched.search(Search()).total == 2
    assert (found(searched, "first"), found(searched, "second")) == ([], [1])


def test_an_index_of_another_analyser_asks_to_be_rebuilt(fill: Fill, kind: str, tmp_path: Path) -> None:
    made = fill(document(1, "Hero"), seq=5)
    home = Home(tmp_path / "index")
    current = home.current()
    assert current is not None
    with home.lead():
        home.switch(current.path, "made-by-an-older-program")
    assert made.needs_rebuild

    searched = index.open_index(kind, tmp_path / "index")
    assert searched.needs_rebuild
    assert searched.checkpoint() == 0
    with searched.writer_lock():
        for refused in (
            lambda: searched.search(Search()),
            lambda: searched.apply([Put(document(2))], 6),
            lambda: searched.revisions(0, 10),
            lambda: searched.suggest("he", None),
            lambda: searched.correct(query.parse("heor"), None),
        ):
            with pytest.raises(NeedsRebuild):
                refused()
        searched.rebuild([document(1, "Hero")], 6)

    assert not searched.needs_rebuild
    assert found(searched, "hero") == [1]
    searched.close()


def test_revisions_are_told_in_order_of_id_whoever_may_see_them(fill: Fill) -> None:
    searched = fill(document(30), document(10, revision=4), document(20, access=frozenset()))

    assert searched.revisions(0, MAX_REVISIONS) == [(10, 4), (20, 1), (30, 1)]
    assert searched.revisions(-1, 2) == [(10, 4), (20, 1)]
    assert searched.revisions(10, 1) == [(20, 1)]
    assert searched.revisions(29, 2) == [(30, 1)]
    assert searched.revisions(30, 2) == []


def test_revisions_are_those_of_the_newest_batch_however_many_there_were(fill: Fill) -> None:
    searched = fill()
    expected: dict[int, int] = {}
    with searched.writer_lock():
        for seq in range(2, 32):
            put = [seq * 7 % 40 + 1, seq * 11 % 40 + 1]
            gone = seq * 13 % 40 + 1
            searched.apply([*(Put(document(id_, revision=seq)) for id_ in put), Remove(gone)], seq)
            expected |= dict.fromkeys(put, seq)
            expected.pop(gone, None)
            assert searched.revisions(0, 100) == sorted(expected.items())
        searched.optimise()
        told, after = [], 0
        while piece := searched.revisions(after, 7):
            told += piece
            after = piece[-1][0]
        assert told == sorted(expected.items())
        searched.rebuild([document(5, revision=9), document(3)], 40)

    assert searched.revisions(0, 100) == [(3, 1), (5, 9)]


@pytest.mark.parametrize("limit", [0, -1, MAX_REVISIONS + 1])
def test_revisions_are_not_told_without_a_limit(fill: Fill, limit: int) -> None:
    searched = fill(document(1))

    with pytest.raises(SearchRefused, match=r"10,000 revisions"):
        searched.revisions(0, limit)


def test_the_index_outlives_the_program_that_filled_it(fill: Fill, kind: str, tmp_path: Path) -> None:
    fill(document(1, "Hero"), seq=12).close()

    again = index.open_index(kind, tmp_path / "index")

    assert (found(again, "hero"), again.checkpoint()) == ([1], 12)
    again.close()


def test_an_unknown_engine_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(index.BackendMissing, match="whoosh, tantivy"):
        index.open_index("lucene", tmp_path)
