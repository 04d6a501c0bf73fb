"""Which reaches let a use out: each is judged once for each use, and remembered in the process, so that a list need
only look at one byte for each of its assets.

Always true here:
- A reach never changes and its number is never given again, so what was said of it stays true.
- Reaches are committed in the order of their numbers (`keeping`), so whoever has judged all up to one has missed none.
- Only what was read of what is committed is remembered: numbers of what is rolled back are given again.
- A use that is asked for the first time costs one look at all parts there are; after that, one at those that are new.
"""

from __future__ import annotations

import threading
import weakref
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import orjson
import sqlalchemy as sa

from domain import reads
from domain.work import Work
from storage import snapshots
from storage.index.conditions import Deliverable
from storage.tables import DeliverablePartRow, DeliverableReachRow

#: What stands for a reach that lets the use out; all others are `NO`.
YES: Final = b"\1"
NO: Final = b"\0"
#: Bytes that verdicts of one database may take: one for each reach and use, and for each use what it says itself.
MOST_BYTES: Final = 32 * 1024 * 1024
_BESIDES: Final = 1024


def of(work: Work, use: Deliverable) -> bytes:
    """One byte for each number of a reach, from 0 on, up to the newest that this unit of work sees."""
    newest = reads.run(work, "newest reach", _newest)
    if not newest:
        return b""
    (id_, digest) = newest[0]
    memory = _memory(work)
    known = memory.find(use)
    if known is not None and known.newest == id_ and known.digest == digest:
        return known.verdicts
    if known is not None and known.newest < id_ and _digest(work, known.newest) == known.digest:
        known = _Judged(known.verdicts + _judged(work, use, id_, known.newest + 1), id_, digest)
    else:  # a database that was put back to what it was begins anew with its numbers
        known = _Judged(_judged(work, use, id_), id_, digest)
    if snapshots.is_reading(work.session):
        memory.keep(use, known)
    return known.verdicts


def lets_out(verdicts: sa.BindParameter[bytes], reach_id: Any) -> sa.ColumnElement[bool]:
    """The condition that a reach, by its number in a column, is one of those; not true where there is none."""
    return sa.func.substr(verdicts, sa.cast(reach_id, sa.Integer) + 1, 1) == sa.literal(YES, sa.LargeBinary)


@dataclass(frozen=True)
class _Judged:
    verdicts: bytes
    #: The last that was judged, and what it is told by.
    newest: int
    digest: str

    @property
    def size(self) -> int:
        return len(self.verdicts) + _BESIDES


class _Memory:
    """Of one database, those asked for longest ago forgotten first. Any number of threads may use it."""

    def __init__(self) -> None:
        self._judged: OrderedDict[Deliverable, _Judged] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()

    def find(self, use: Deliverable) -> _Judged | None:
        with self._lock:
            if use in self._judged:
                self._judged.move_to_end(use)
            return self._judged.get(use)

    def keep(self, use: Deliverable, judged: _Judged) -> None:
        with self._lock:
            old = self._judged.pop(use, None)
            self._size += judged.size - (0 if old is None else old.size)
            self._judged[use] = judged
            while self._size > MOST_BYTES:
                self._size -= self._judged.popitem(last=False)[1].size


_by_pool: weakref.WeakKeyDictionary[Any, _Memory] = weakref.WeakKeyDictionary()


def _memory(work: Work) -> _Memory:
    engine: Any = work.session.get_bind()
    return _by_pool.setdefault(engine.pool, _Memory())


def _newest(_dialect: sa.Dialect) -> sa.Select[int, str]:
    reach = DeliverableReachRow
    return sa.select(reach.id, reach.digest).order_by(reach.id.desc()).limit(1)


def _digest(work: Work, reach_id: int) -> str | None:
    """What the reach of that number is told by; None where it is no longer there."""
    rows = reads.run(work, "a reach's digest", _of_number, reach_id=reach_id)
    return rows[0][0] if rows else None


def _of_number(_dialect: sa.Dialect) -> sa.Select[str]:
    return sa.select(DeliverableReachRow.digest).where(DeliverableReachRow.id == _number("reach_id"))


def _judged(work: Work, use: Deliverable, newest: int, first: int = 0) -> bytes:
    """From `first` to `newest`."""
    key = ("reaches that pass", use.subdivisions, tuple(map(bool, (*use.channels, *use.countries))))
    given = {"at_least": first, "at_most": newest, "party": use.party, "use": use.use, "first": use.first}
    rows = reads.run(work, key, partial(_passing, use), **given, last=use.last, **_words(use))
    verdicts = bytearray(NO) * (newest + 1 - first)
    for id_ in orjson.loads(rows[0][0] or b"[]"):
        verdicts[id_ - first] = 1
    return bytes(verdicts)


def _passing(use: Deliverable, dialect: sa.Dialect) -> sa.Select[Any]:
    """Their numbers as one text of JSON: a row for each would take longer than finding them."""
    part = DeliverablePartRow
    rows = sa.select(part.reach_id).where(*_has(_CHANNELS, "channels", use.channels))
    rows = rows.where(part.uses.bitwise_and(_number("use")) != 0, *_has(_PLACES, "countries", use.countries))
    rows = rows.where(part.first <= _number("first"), part.last >= _number("last"), part.first_to >= _number("first"))
    rows = rows.where(sa.or_(part.party == 0, part.party == _number("party")))
    rows = rows.where(*(_has_subdivision(code, country) for code, country in use.subdivisions))
    rows = rows.where(part.reach_id >= _number("at_least"), part.reach_id <= _number("at_most"))
    found = rows.subquery()
    if dialect.name == "sqlite":
        return sa.select(sa.func.json_group_array(found.c.reach_id))
    return sa.select(sa.cast(sa.func.json_agg(found.c.reach_id), sa.Text))


def _number(name: str) -> sa.BindParameter[int]:
    return sa.bindparam(name, type_=sa.BigInteger)


_CHANNELS: Final = (DeliverablePartRow.channels_0, DeliverablePartRow.channels_1)
_PLACES: Final = tuple(getattr(DeliverablePartRow, f"places_{at}") for at in range(4))


def _words(use: Deliverable) -> dict[str, int]:
    """What `_has` asks for by name."""
    told = [("channels", use.channels), ("countries", use.countries)]
    return {f"{name}_{at}": word for name, words in told for at, word in enumerate(words) if word}


def _has(columns: Sequence[Any], name: str, words: Sequence[int]) -> list[sa.ColumnElement[bool]]:
    asked = [(column, _number(f"{name}_{at}")) for at, column in enumerate(columns) if words[at]]
    return [column.bitwise_and(word) == word for column, word in asked]


def _has_subdivision(code: str, country: Sequence[int]) -> sa.ColumnElement[bool]:
    """It is named itself, or with all that are not named of its country, or its country names none at all."""
    named: Any = sa.func.coalesce(DeliverablePartRow.subdivisions, "")
    rest = f"{code[:2]}-*"
    words = [(column, word) for column, word in zip(_PLACES, country, strict=True) if word]
    whole = sa.and_(named.not_like(f"% -{rest} %"), *(column.bitwise_and(word) == word for column, word in words))
    others = sa.and_(named.not_like(f"% -{code} %"), sa.or_(named.like(f"% +{rest} %"), whole))
    return sa.or_(named.like(f"% +{code} %"), others)
