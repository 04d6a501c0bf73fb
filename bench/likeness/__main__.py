"""`python -m bench.likeness` looks at pictures of its own making, changed in 28 ways, and asks an index for each.

What is judged was never tuned on: the numbers of its pictures begin at five million. `--at-scale N` adds N pictures
to the index whose hashes are put together from pieces of real ones, so that they crowd as real ones do.
"""

from __future__ import annotations

import argparse
import pickle
import resource
import statistics
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from bench.likeness import changes, pictures
from domain.looks import Likeness
from storage import likeness
from storage.likeness import PARTS, LikenessIndex, Looks, View, Words
from workers.imaging import hashes

CACHE = Path(__file__).parent.parent / ".cache"
HELD_BACK = 5_000_000
#: Bytes of a hash that stay together when hashes are put together anew.
PIECE = 4


def main() -> None:
    asked = argparse.ArgumentParser(prog="python -m bench.likeness")
    asked.add_argument("--photographs", type=int, default=800)
    asked.add_argument("--pages", type=int, default=150)
    asked.add_argument("--queries", type=int, default=60)
    asked.add_argument("--first", type=int, default=HELD_BACK, help="the number of the first picture")
    asked.add_argument("--at-scale", type=int, default=0)
    wanted = asked.parse_args()
    known, queries = seen(wanted.first, wanted.photographs, wanted.pages, wanted.queries)
    index = LikenessIndex()
    index.add(np.arange(1, len(known) + 1, dtype=np.uint32), np.stack([_view(each).hashes for each in known]))
    judge(index, known, queries)
    if wanted.at_scale:
        grow(index, known, wanted.at_scale)
        ask(index, queries)


def seen(
    first: int, photographs: int, pages: int, queries: int
) -> tuple[list[Likeness], dict[tuple[str, int], Likeness | None]]:
    """Likenesses of distinct pictures, pages last, and of the changed ones by how and of which; made once."""
    path = CACHE / f"likeness-{hashes.SIDE}-{first}-{photographs}-{pages}-{queries}.pickle"
    if path.exists():
        kept: tuple[list[Likeness], dict[tuple[str, int], Likeness | None]] = pickle.loads(path.read_bytes())
        return kept
    known = [_seen(pictures.photograph(first + at)) for at in range(photographs)]
    known += [_seen(pictures.page(first + at)) for at in range(pages)]
    changed: dict[tuple[str, int], Likeness | None] = {}
    for at in range(queries):
        picture = pictures.photograph(first + at)
        for how, change in changes.CHANGES.items():
            changed[how, at] = hashes.of_picture(change(picture))
    CACHE.mkdir(exist_ok=True)
    path.write_bytes(pickle.dumps((known, changed)))
    return known, changed


def judge(index: LikenessIndex, known: list[Likeness], queries: dict[tuple[str, int], Likeness | None]) -> None:
    """Every changed picture, and every picture itself, against all of them."""
    right: dict[str, list[bool]] = defaultdict(list)
    alarms = pairs = 0
    for (how, at), found in queries.items():
        told = set() if found is None else set(_alike(index, known, found))
        right[how].append(at in told)
        alarms += len(told - {at})
        pairs += len(known) - 1
    for at, each in enumerate(known):
        alarms += len(set(_alike(index, known, each)) - {at})
        pairs += len(known) - 1
    rates = {how: statistics.mean(found) for how, found in right.items()}
    print(f"{len(known)} pictures, {len(queries)} changed ones: recall {statistics.mean(rates.values()):.2%}")
    print(f"false positives: {alarms} in {pairs:,} comparisons")
    for how, rate in sorted(rates.items(), key=lambda each: each[1]):
        print(f"  {how:24s} {rate:.1%}")


def grow(index: LikenessIndex, known: list[Likeness], count: int) -> None:
    real = np.stack([_view(each).hashes for each in known]).view(np.uint8).reshape(len(known), PARTS, 16)
    rng = np.random.default_rng(7)
    begun = time.process_time()
    for numbers, made in _made_up(real, rng, len(known) + 1, count):
        index.add(numbers, made, more_follow=True)
    index.sort()
    spent = time.process_time() - begun
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    each = index.byte_size / index.held
    print(f"{index.held:,} pictures held: {index.byte_size / 1e6:.0f} MB, that is {each:.0f} MB per million")
    print(f"made up and sorted in {spent:.0f} s of CPU; the process took {peak} MB at most, the bench's own included")


def ask(index: LikenessIndex, queries: dict[tuple[str, int], Likeness | None]) -> None:
    times, proposed, kept = [], [], []
    for (_, at), found in queries.items():
        if found is None:
            continue
        looks = _looks(found)
        begun = time.process_time()
        near = index.near(looks)
        times.append((time.process_time() - begun) * 1000)
        proposed.append(len(near))
        kept.append(at + 1 in near)
    ranked = sorted(times)
    most, nearly_all = (ranked[len(ranked) * share // 100] for share in (90, 99))
    print(f"a query: {statistics.median(times):.2f} ms of CPU, {most:.2f} for 90 %, {nearly_all:.2f} for 99 %")
    print(
        f"compared in full: {statistics.mean(proposed):.0f} pictures; the one asked for is among them: "
        f"{statistics.mean(kept):.2%}"
    )


def _made_up(real: np.ndarray, rng: np.random.Generator, first: int, count: int) -> Iterator[tuple[np.ndarray, Words]]:
    for start in range(0, count, likeness.BATCH):
        size = min(likeness.BATCH, count - start)
        made = np.empty((size, PARTS, 16), np.uint8)
        for piece in range(0, 16, PIECE):
            made[:, :, piece : piece + PIECE] = real[rng.integers(0, len(real), size), :, piece : piece + PIECE]
        yield np.arange(first + start, first + start + size, dtype=np.uint32), made.view(np.uint64)


def _alike(index: LikenessIndex, known: list[Likeness], found: Likeness) -> Iterator[int]:
    """Places of those that are found alike."""
    looks = _looks(found)
    for number in index.near(looks):
        other = known[number - 1]
        if likeness.compare(looks, _view(other), is_page=other.is_page) is not None:
            yield number - 1


def _seen(picture: Image.Image) -> Likeness:
    found = hashes.of_picture(picture)
    assert found is not None, "a picture of ours is plain"
    return found


def _view(found: Likeness) -> View:
    return View.of(found.hashes, found.proofs)


def _looks(found: Likeness) -> Looks:
    return Looks(_view(found), View.of(found.mirrored_hashes, found.mirrored_proofs), is_page=found.is_page)


if __name__ == "__main__":
    main()
