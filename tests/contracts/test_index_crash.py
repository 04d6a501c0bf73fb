"""Every search index under kill -9 and beside other processes."""

import random
import threading
import time
from pathlib import Path

import pytest

from storage import index
from storage.index import Put, Search, SearchIndex, query
from storage.index.home import Home
from tests.contracts.index_children import STEADY, after, batch, child, line, rebuilt, swap, tell
from tests.contracts.index_samples import KINDS, document, filled, found

pytestmark = pytest.mark.parametrize("kind", KINDS)


def test_a_writer_killed_anywhere_leaves_whole_batches_and_the_next_goes_on(kind: str, tmp_path: Path) -> None:
    moments = random.Random(7)
    index.open_index(kind, tmp_path).close()
    reached = 0
    for _ in range(6):
        with child("apply", kind, tmp_path) as writer:
            for _ in range(moments.randint(1, 12)):
                reached = int(line(writer))
            time.sleep(moments.random() / 50)
        reader = index.open_index(kind, tmp_path)
        checkpoint = reader.checkpoint()
        assert checkpoint >= reached
        _check_series(reader, checkpoint)
        with reader.writer_lock():
            reader.apply(batch(checkpoint), checkpoint)
            reader.apply(batch(checkpoint + 1), checkpoint + 1)
        _check_series(reader, checkpoint + 1)
        reader.close()


def test_a_rebuild_killed_anywhere_leaves_the_old_index_or_the_new(kind: str, tmp_path: Path) -> None:
    moments = random.Random(11)
    filled(kind, tmp_path, [document(id_, "Old") for id_ in range(1, 6)], 5).close()
    for round_ in range(4):
        with child("rebuild", kind, tmp_path) as writer:
            for _ in range(moments.randint(1, 40)):
                line(writer)
            time.sleep(moments.random() / 20)
        reader = index.open_index(kind, tmp_path)
        if reader.checkpoint() == 5:
            assert (len(found(reader, "old")), reader.search(Search()).total) == (5, 5), round_
        else:
            assert (len(found(reader, "anew", limit=100)), reader.checkpoint()) == (40, 1_000), round_
        reader.close()
    reader = index.open_index(kind, tmp_path)
    with reader.writer_lock():
        reader.rebuild(rebuilt(), 1_001)
        reader.apply([Put(document(99, "Later"))], 1_002)
    assert (reader.search(Search()).total, found(reader, "later"), reader.checkpoint()) == (41, [99], 1_002)
    assert len(list(tmp_path.glob("g*"))) <= 2
    reader.close()


def test_what_a_dead_writer_left_is_swept_away_by_the_next(kind: str, tmp_path: Path) -> None:
    reader = filled(kind, tmp_path, [document(1, "Old")])
    with child("rebuild", kind, tmp_path) as writer:
        for _ in range(3):
            line(writer)
        assert len(list(tmp_path.glob("g*"))) == 2

    with reader.writer_lock():
        assert [path.name for path in tmp_path.glob("g*")] == [_current(tmp_path)]
    assert found(reader, "old") == [1]
    reader.close()


def test_another_process_sees_a_batch_in_its_next_search(kind: str, tmp_path: Path) -> None:
    writer = filled(kind, tmp_path, [document(0, "Hero")], 1)
    with child("answer", kind, tmp_path) as reader, writer.writer_lock():
        for seq in range(2, 22):
            writer.apply([Put(document(seq, "Hero"))] if seq % 2 else [index.Remove(seq - 1)], seq)
            tell(reader, "hero")
            assert int(line(reader)) == writer.search(Search(query=query.parse("hero"))).total
        writer.rebuild([document(1, "Hero")], 50)
        tell(reader, "hero")
        assert line(reader) == "1"
    writer.close()


def test_readers_beside_a_writer_see_whole_batches_only(kind: str, tmp_path: Path) -> None:
    writer = filled(kind, tmp_path, [document(id_, "Steady") for id_ in range(1, STEADY + 1)], 1)
    with child("watch", kind, tmp_path) as one, child("watch", kind, tmp_path) as other, writer.writer_lock():
        for seq in range(1, 41):
            writer.apply(swap(seq), seq + 1)
            if seq % 13 == 0:
                writer.optimise()
            if seq == 30:
                writer.rebuild([document(seq + at, "Steady") for at in range(1, STEADY + 1)], seq + 1)
        tell(one, "stop")
        tell(other, "stop")
        told = [line(one), line(other)]
    assert [text.partition(" ")[0] for text in told] == ["right", "right"], told
    writer.close()


def test_threads_of_one_process_read_while_another_writes(kind: str, tmp_path: Path) -> None:
    shared = filled(kind, tmp_path, [document(id_, "Steady") for id_ in range(1, STEADY + 1)], 1)
    wrong: list[object] = []
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            answer = shared.search(Search(query=query.parse("steady"), facets=("kind",), highlight=True))
            if answer.total != STEADY or len(answer.hits) != STEADY:
                wrong.append(answer)

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    with shared.writer_lock():
        for seq in range(1, 31):
            shared.apply(swap(seq), seq + 1)
    done.set()
    for reader in readers:
        reader.join()

    assert wrong == []
    shared.close()


def _check_series(reader: SearchIndex, checkpoint: int) -> None:
    expected = after(checkpoint)
    answer = reader.search(Search(facets=("kind",), limit=101, order=(index.OrderBy("created_at"),)))
    assert answer.total == len(expected)
    assert {hit.id for hit in answer.hits} == set(sorted(expected)[-101:])
    for seq in {1, checkpoint // 2 or 1, checkpoint}:
        assert set(found(reader, f'"series {seq}"')) == {id_ for id_ in expected if id_ // 4 == seq}


def _current(directory: Path) -> str:
    generation = Home(directory).current()
    assert generation is not None
    return generation.path.name
