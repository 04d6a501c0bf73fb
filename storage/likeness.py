"""Which pictures of a whole store look like one picture: an index in memory, fed from the rows.

Two pictures are alike when the whole of one and some part of the other, whole or crop, have hashes within `NEAR` bits
and proofs within `ALIKE` bits of each other, or `ALIKE_PAGES` where one is a page of text.

Always true here:
- Rows are numbered in the order of their commits (`next_number` holds a lock until the transaction ends), so that any
  number of processes may each go on reading where they stopped, and none misses a row.
- The index proposes, the rows decide: what it holds of a row that is gone or was numbered anew finds nothing.
- Up to `TAIL` pictures are all compared, by half of their hashes' bits. Of more, bands decide which are: three times 20
  of a hash's other bits, of which `REACH` may differ. Newcomers wait unsorted, and are all compared, until there are
  enough of them to be sorted in.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from itertools import combinations
from typing import Any, Final
from weakref import WeakKeyDictionary

import numpy as np
import sqlalchemy as sa
from sqlalchemy.orm import Session

from storage.tables import LikenessHeadRow, LikenessRow

Words = np.ndarray[Any, np.dtype[np.uint64]]
Numbers = np.ndarray[Any, np.dtype[np.uint32]]
Counts = np.ndarray[Any, np.dtype[np.uint16]]
Bytes = np.ndarray[Any, np.dtype[np.uint8]]

#: Bits that may differ: of 128, and of 256.
NEAR: Final = 28
ALIKE: Final = 64
ALIKE_PAGES: Final = 31
#: Parts of a picture that have a hash and a proof; the first is the whole.
PARTS: Final = 9

BANDS: Final = 3
BAND_BITS: Final = 20
#: Bits of a band that may differ: for the whole picture, and for its crops.
REACH, REACH_OF_CROPS = 2, 1
#: Of the 64 bits that are compared first.
NEAR_AT_FIRST: Final = 16
#: Pictures that wait to be sorted in, at least; and one in this many of those that are.
TAIL: Final = 8_192
TAIL_SHARE: Final = 64
#: Rows read at once, and how many wait, as a share of those sorted, while many are read.
BATCH: Final = 4_096
LOADED_SHARE: Final = 3
#: Pictures compared in full: the nearest at first sight.
MOST: Final = 256


@dataclass(frozen=True)
class View:
    """A picture as it is or mirrored: hashes of two words, proofs of four, a row for each part."""

    hashes: Words
    proofs: Words

    @classmethod
    def of(cls, hashes: bytes | None, proofs: bytes | None) -> View:
        assert hashes is not None
        assert proofs is not None
        return cls(_words(hashes, 2), _words(proofs, 4))


@dataclass(frozen=True)
class Looks:
    straight: View
    mirrored: View
    is_page: bool

    @classmethod
    def of(cls, row: LikenessRow) -> Looks:
        return cls(
            View.of(row.hashes, row.proofs), View.of(row.mirrored_hashes, row.mirrored_proofs), is_page=row.is_page
        )


@dataclass(frozen=True)
class Alike:
    """A picture that looks like the one asked about; `distance` is between proofs, 0 to `ALIKE`."""

    sha256: str
    distance: int
    is_mirrored: bool


@dataclass
class LikenessIndex:
    """Of one database, in one process and one thread."""

    tail: int = TAIL
    #: The number of the last row that was read.
    seen: int = 0
    #: How many pictures are held, and how many of these are sorted.
    held: int = 0
    sorted: int = 0
    _numbers: Numbers = field(default_factory=lambda: np.empty(0, np.uint32))
    _sketches: Words = field(default_factory=lambda: np.empty((0, PARTS), np.uint64))
    _bands: list[_Band] = field(default_factory=list)
    _waiting: list[Numbers] = field(default_factory=list)

    @property
    def byte_size(self) -> int:
        """What it holds in memory."""
        waiting = sum(each.nbytes for each in self._waiting)
        return self._sketches.nbytes + self._numbers.nbytes + sum(band.byte_size for band in self._bands) + waiting

    def add(self, numbers: Numbers, hashes: Words, *, more_follow: bool = False) -> None:
        """Pictures by number, each with the hashes of its parts: (pictures, 9, 2)."""
        count = len(numbers)
        self._make_room(self.held + count)
        keys, sketches = _cut(hashes.reshape(-1, 2))
        self._numbers[self.held : self.held + count] = numbers
        self._sketches[self.held : self.held + count] = sketches.reshape(count, PARTS)
        self._waiting.append(keys)
        self.held += count
        self.seen = max(self.seen, int(numbers.max(initial=0)))
        if self.held - self.sorted > max(self.tail, self.sorted // (LOADED_SHARE if more_follow else TAIL_SHARE)):
            self.sort()

    def sort(self) -> None:
        """Sorts in what waits."""
        if not self._waiting:
            return
        keys = np.concatenate(self._waiting)
        self._waiting = []
        self._bands = self._bands or [_Band() for _ in range(BANDS)]
        for at, band in enumerate(self._bands):
            band.add(keys[:, at], self.sorted * PARTS)
        self.sorted = self.held

    def near(self, looks: Looks) -> list[int]:
        """Numbers of pictures that may be alike, as they are or mirrored: the `MOST` nearest at first sight."""
        found: list[tuple[Numbers, Bytes]] = []
        for view in (looks.straight, looks.mirrored):
            keys, sketches = _cut(view.hashes)
            found += self._waiting_near(sketches)
            found += self._sorted_near(keys, sketches) if self._bands else ()
        places = np.concatenate([each for each, _ in found])
        distances = np.concatenate([each for _, each in found])
        nearest = places[np.argsort(distances, kind="stable")[: MOST * PARTS]]
        return [int(self._numbers[place]) for place in list(dict.fromkeys(nearest.tolist()))[:MOST]]

    def _waiting_near(self, sketches: Words) -> Iterable[tuple[Numbers, Bytes]]:
        there = self._sketches[self.sorted : self.held]
        parts = np.arange(self.sorted * PARTS, self.held * PARTS, dtype=np.uint32)
        yield _close(parts, there.ravel(), sketches[:1])
        yield _close(parts[::PARTS], there[:, 0], sketches[1:])

    def _sorted_near(self, keys: Numbers, sketches: Words) -> Iterable[tuple[Numbers, Bytes]]:
        every = self._sketches.ravel()
        wanted = (key[0] ^ _within(REACH) for key in keys.T)
        parts = np.concatenate([band.parts(each) for band, each in zip(self._bands, wanted, strict=True)])
        yield _close(parts, every[parts], sketches[:1])
        wanted = ((key[1:, None] ^ _within(REACH_OF_CROPS)).ravel() for key in keys.T)
        parts = np.concatenate([band.parts(each) for band, each in zip(self._bands, wanted, strict=True)])
        parts = parts[parts % PARTS == 0]
        yield _close(parts, every[parts], sketches[1:])

    def _make_room(self, count: int) -> None:
        if count > len(self._numbers):
            room = count + count // 32 + BATCH
            self._numbers = np.concatenate((self._numbers[: self.held], np.empty(room - self.held, np.uint32)))
            fresh = np.empty((room - self.held, PARTS), np.uint64)
            self._sketches = np.concatenate((self._sketches[: self.held], fresh))


class _Band:
    """Parts of pictures (nine times the picture's place, plus which part) by 20 bits of their hashes: all of one key
    stand beside each other.
    """

    def __init__(self) -> None:
        self.offsets: Numbers = np.zeros((1 << BAND_BITS) + 1, np.uint32)
        self.entries: Numbers = np.empty(0, np.uint32)

    @property
    def byte_size(self) -> int:
        return self.offsets.nbytes + self.entries.nbytes

    def add(self, keys: Numbers, first: int) -> None:
        """The keys of all parts from this one on."""
        order = np.argsort(keys, kind="stable")
        ranked = keys[order]
        at = self.offsets[ranked + np.uint32(1)].astype(np.int64)
        self.entries = np.insert(self.entries, at, (order + first).astype(np.uint32))
        counts = np.bincount(keys, minlength=1 << BAND_BITS)
        self.offsets[1:] += np.cumsum(counts, dtype=np.uint32)

    def parts(self, keys: Numbers) -> Numbers:
        starts = self.offsets[keys].astype(np.int64)
        lengths = self.offsets[keys + np.uint32(1)] - starts
        ends = np.cumsum(lengths)
        at = np.repeat(starts - ends + lengths, lengths) + np.arange(int(ends[-1]))
        return self.entries[at]


#: Of each database of this process.
_known: WeakKeyDictionary[Any, LikenessIndex] = WeakKeyDictionary()


def index_of(session: Session) -> LikenessIndex:
    """The index of this database, kept for as long as the process holds it open."""
    engine = session.get_bind().engine
    if engine not in _known:
        _known[engine] = LikenessIndex()
    return _known[engine]


def refresh(session: Session, index: LikenessIndex, algorithm: int) -> None:
    """Reads what was numbered since, as far as the session sees."""
    columns = (LikenessRow.number, LikenessRow.hashes)
    wanted = sa.select(*columns).where(LikenessRow.algorithm == algorithm).order_by(LikenessRow.number).limit(BATCH)
    while rows := session.execute(wanted.where(LikenessRow.number > index.seen)).all():
        numbers = np.array([row[0] for row in rows], np.uint32)
        hashes = np.frombuffer(b"".join(row[1] or b"" for row in rows), np.uint64).reshape(-1, PARTS, 2)
        index.add(numbers, hashes, more_follow=len(rows) == BATCH)


def alike(session: Session, index: LikenessIndex, looks: Looks, but: str) -> list[Alike]:
    """Pictures that look like this one, nearest first; without those of the digest `but`."""
    columns = (LikenessRow.sha256, LikenessRow.hashes, LikenessRow.proofs, LikenessRow.is_page)
    rows = sa.select(*columns).where(LikenessRow.number.in_(index.near(looks)), LikenessRow.sha256 != but)
    found = [
        Alike(sha256, *compared)
        for sha256, hashes, proofs, is_page in session.execute(rows)
        if (compared := compare(looks, View.of(hashes, proofs), is_page=is_page)) is not None
    ]
    return sorted(found, key=lambda each: (each.distance, each.sha256))


def compare(looks: Looks, other: View, *, is_page: bool) -> tuple[int, bool] | None:
    """How far the two are apart, and whether one is the mirror image; None where they are not alike."""
    limit = ALIKE_PAGES if looks.is_page or is_page else ALIKE
    ways = ((_apart(looks.straight, other), False), (_apart(looks.mirrored, other), True))
    return min(((distance, turned) for distance, turned in ways if distance <= limit), default=None)


def next_number(session: Session) -> int:
    """The next number, in the order of commits: whoever takes one after us waits until our transaction has ended."""
    taken = sa.update(LikenessHeadRow).values(last=LikenessHeadRow.last + 1).returning(LikenessHeadRow.last)
    return session.scalars(taken.execution_options(synchronize_session=False)).one()


def _close(parts: Numbers, theirs: Words, sketches: Words) -> tuple[Numbers, Bytes]:
    """Places of the pictures whose parts are near one of the sketches at first sight, and how near."""
    distances = np.bitwise_count(theirs ^ sketches[0])
    for sketch in sketches[1:]:
        np.minimum(distances, np.bitwise_count(theirs ^ sketch), out=distances)
    close = np.flatnonzero(distances <= NEAR_AT_FIRST)
    return parts[close] // PARTS, distances[close]


def _apart(one: View, other: View) -> int:
    """Between the proofs of those parts whose hashes are near: the whole of one and any of the other."""
    hashes = np.concatenate((_distances(other.hashes, one.hashes[0]), _distances(one.hashes, other.hashes[0])))
    proofs = np.concatenate((_distances(other.proofs, one.proofs[0]), _distances(one.proofs, other.proofs[0])))
    return int(proofs[hashes <= NEAR].min(initial=256))


def _distances(these: Words, one: Words) -> Counts:
    """Bits in which each row differs from the one."""
    found: Counts = np.bitwise_count(these ^ one).sum(axis=1, dtype=np.uint16)
    return found


def _words(raw: bytes, each: int) -> Words:
    return np.frombuffer(raw, np.uint64).reshape(PARTS, each)


@cache
def _order() -> np.ndarray[Any, np.dtype[np.intp]]:
    """The bits of the bands, then those compared at first: neighbours, which often agree, stand in different ones."""
    return np.random.default_rng(20).permutation(128)


def _cut(hashes: Words) -> tuple[Numbers, Words]:
    """Per hash of two words the keys of its bands, and the 64 bits that are compared first."""
    raw = np.ascontiguousarray(hashes).view(np.uint8).reshape(-1, 16)
    bits = np.ascontiguousarray(np.unpackbits(raw, axis=1)[:, _order()])
    padded = np.zeros((len(bits), BANDS, 32), np.uint8)
    padded[:, :, 32 - BAND_BITS :] = bits[:, : BANDS * BAND_BITS].reshape(-1, BANDS, BAND_BITS)
    keys: Numbers = np.packbits(padded, axis=2).view(">u4")[:, :, 0].astype(np.uint32)
    return keys, np.packbits(np.ascontiguousarray(bits[:, 64:]), axis=1).view(np.uint64)[:, 0]


@cache
def _within(reach: int) -> Numbers:
    """Every change of at most so many bits of a key."""
    changes = [0]
    for count in range(1, reach + 1):
        changes += [sum(1 << bit for bit in bits) for bits in combinations(range(BAND_BITS), count)]
    return np.array(changes, np.uint32)
