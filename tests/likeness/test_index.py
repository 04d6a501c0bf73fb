"""The index in memory: it finds what comparing everything finds, as it grows, in several processes, and never lies."""

from __future__ import annotations

from typing import Any

import numpy as np
import sqlalchemy as sa

from domain import looks
from domain.hub import Hub
from domain.looks import Likeness, Unseen
from domain.work import HUB
from storage import likeness
from storage.likeness import PARTS, LikenessIndex, Looks, View, Words
from storage.tables import AlikeRow, LikenessHeadRow, LikenessRow


def random_hashes(count: int, seed: int = 1) -> Words:
    """Of pictures whose crops differ from the whole by a few bits, as they do."""
    rng = np.random.default_rng(seed)
    whole = rng.integers(0, 2, (count, 1, 128), np.uint8)
    noise = (rng.random((count, PARTS, 128)) < 0.06).astype(np.uint8)
    noise[:, 0] = 0
    return np.packbits(whole ^ noise, axis=2).view(np.uint64)


def near(hashes: Words, flips: int, seed: int = 2) -> Looks:
    """Somebody else's copy of a picture: as many bits of all its hashes are different."""
    rng = np.random.default_rng(seed)
    bits = np.unpackbits(hashes.view(np.uint8), axis=1)
    for part in range(PARTS):
        bits[part, rng.choice(128, flips, replace=False)] ^= 1
    changed = np.packbits(bits, axis=1).view(np.uint64)
    other = rng.integers(0, 2**63, (PARTS, 2)).astype(np.uint64)
    proofs = np.zeros((PARTS, 4), np.uint64)
    return Looks(View(changed, proofs), View(other, proofs), is_page=False)


def filled(hashes: Words, tail: int, steps: int = 7) -> LikenessIndex:
    index = LikenessIndex(tail=tail)
    numbers = np.arange(1, len(hashes) + 1, dtype=np.uint32)
    for part in np.array_split(np.arange(len(hashes)), steps):
        index.add(numbers[part], hashes[part])
    return index


def test_whether_sorted_or_waiting_the_same_pictures_are_found() -> None:
    hashes = random_hashes(3000)
    waiting, mixed, ready = filled(hashes, 10_000), filled(hashes, 700), filled(hashes, 1)
    ready.sort()
    assert (waiting.sorted, ready.sorted) == (0, 3000)
    assert 0 < mixed.sorted < 3000
    for place in range(0, 3000, 150):
        looked = near(hashes[place], 6, seed=place)
        assert [place + 1 in index.near(looked) for index in (waiting, mixed, ready)] == [True, True, True]


def test_strangers_are_hardly_proposed() -> None:
    hashes = random_hashes(3000)
    index = filled(hashes, 1)
    strangers = random_hashes(20, seed=9)
    assert sum(len(index.near(near(each, 0))) for each in strangers) <= 2


def test_a_million_pictures_take_less_than_two_hundred_megabytes() -> None:
    """Sketches and numbers have room for newcomers, the entries of the bands have none; their offsets are fixed."""
    assert filled(random_hashes(20_000), 1).byte_size <= most_bytes(20_000)
    assert filled(random_hashes(20_000), 20_000).byte_size <= most_bytes(20_000)
    assert most_bytes(1_000_000) < 200_000_000


def most_bytes(count: int) -> int:
    with_room = count + count // 32 + likeness.BATCH
    fixed = likeness.BANDS * 4 * ((1 << likeness.BAND_BITS) + 1)
    return with_room * (PARTS * 8 + 4) + count * likeness.BANDS * PARTS * 4 + fixed


def kept(hub: Hub, name: str, hashes: Words, proof: int = 0) -> int:
    """Keeps a picture's looks under a digest; the number it was given."""
    proofs = np.full((PARTS, 4), proof, np.uint64).tobytes()
    other = (~hashes).tobytes()
    with hub.writing(HUB) as work:
        looks.record(work, digest(name), Likeness(hashes.tobytes(), proofs, other, proofs, is_page=False))
    with hub.reading(HUB) as work:
        row = work.session.get_one(LikenessRow, digest(name))
        assert row.number is not None
        return row.number


def digest(name: str) -> str:
    return name.rjust(64, "0")


def compare(hub: Hub, index: LikenessIndex) -> list[str]:
    """Compares all that waits; who was compared with others."""
    done: list[str] = []
    while True:
        with hub.reading(HUB) as work:
            found = looks.compare(work, index)
        if found is None:
            return done
        done += [name for name, _ in found.found]
        with hub.writing(HUB) as work:
            looks.keep(work, found)


def pairs(hub: Hub) -> set[tuple[str, str]]:
    with hub.reading(HUB) as work:
        return {(row.sha256[-1], row.other[-1]) for row in work.session.scalars(sa.select(AlikeRow))}


def test_each_process_reads_on_from_where_it_stopped_and_none_misses_a_picture(hub: Hub) -> None:
    first, second = LikenessIndex(), LikenessIndex()
    hashes = random_hashes(4)
    kept(hub, "a", hashes[0])
    assert compare(hub, first) == [digest("a")]
    kept(hub, "b", hashes[0])
    kept(hub, "c", hashes[1])
    assert compare(hub, second) == [digest("b"), digest("c")]
    kept(hub, "d", hashes[1])
    assert compare(hub, first) == [digest("d")]
    assert pairs(hub) == {("a", "b"), ("b", "a"), ("c", "d"), ("d", "c")}
    assert (first.held, second.held) == (4, 3)


def test_comparing_again_changes_nothing(hub: Hub) -> None:
    hashes = random_hashes(2)
    for name in ("a", "b"):
        kept(hub, name, hashes[0])
    compare(hub, LikenessIndex())
    before = pairs(hub)
    with hub.writing(HUB) as work:
        work.session.execute(sa.update(LikenessHeadRow).values(compared=0))
    compare(hub, LikenessIndex())
    assert pairs(hub) == before == {("a", "b"), ("b", "a")}


def test_numbers_are_given_in_the_order_of_commits(hub: Hub) -> None:
    """Whoever takes one waits for whoever took one before, so that a reader by numbers misses nobody."""
    hashes = random_hashes(3)
    assert [kept(hub, name, hashes[0]) for name in ("a", "b", "c")] == [1, 2, 3]
    with hub.reading(HUB) as work:
        assert work.session.scalars(sa.select(LikenessHeadRow.last)).one() == 3


def test_what_was_looked_at_anew_is_found_by_its_new_looks_alone(hub: Hub) -> None:
    index, hashes = LikenessIndex(), random_hashes(3)
    kept(hub, "a", hashes[0])
    kept(hub, "b", hashes[0])
    compare(hub, index)
    with hub.writing(HUB) as work:
        work.session.execute(
            sa.update(LikenessRow).where(LikenessRow.sha256 == digest("a")).values(state="LOOKING", number=None)
        )
    assert kept(hub, "a", hashes[1]) == 3
    compare(hub, index)
    assert pairs(hub) == set()
    kept(hub, "c", hashes[0])
    compare(hub, index)
    assert pairs(hub) == {("b", "c"), ("c", "b")}


def test_hashes_alone_do_not_make_two_pictures_alike(hub: Hub) -> None:
    hashes = random_hashes(1)
    kept(hub, "a", hashes[0], proof=0)
    kept(hub, "b", hashes[0], proof=2**64 - 1)
    compare(hub, LikenessIndex())
    assert pairs(hub) == set()


def test_what_nothing_holds_any_more_is_forgotten(hub: Hub) -> None:
    hashes = random_hashes(1)
    for name in ("a", "b"):
        kept(hub, name, hashes[0])
    with hub.writing(HUB) as work:
        looks.record(work, digest("c"), Unseen("TRUNCATED", "The file ends too early."))
    compare(hub, LikenessIndex())
    with hub.writing(HUB) as work:
        assert looks.forget(work) == 3
        assert looks.forget(work) == 0
    assert pairs(hub) == set()


def test_what_came_before_pictures_were_compared_is_looked_at_by_and_by(hub: Hub, client: Any) -> None:
    from tests.likeness.looks import jpeg, similar
    from tests.working import tools_of, work_off
    from workers.likeness import sweep_looks

    first, copy = client.create(jpeg(1), "a.jpg"), client.create(jpeg(1, "JPEG q50"), "b.jpg")
    work_off(hub)
    with hub.writing(HUB) as work:
        for row in work.session.scalars(sa.select(LikenessRow)).all():
            work.session.delete(row)
        work.session.execute(sa.delete(AlikeRow))
    assert similar(client, first["id"]) == []
    sweep_looks(tools_of(hub), None)  # type: ignore[arg-type]  # it does not look at its job
    work_off(hub)
    assert [each["asset"]["id"] for each in similar(client, first["id"])] == [copy["id"]]
