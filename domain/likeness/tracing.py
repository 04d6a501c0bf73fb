"""What a merge changes of the rows that point at two assets, written down, and put back.

Always true here:
- What is written down is JSON, and says of a row that only moved no more than its key and where it pointed.
- Putting back is exact or refused: a row that the merge made or moved and that was changed or taken away since is not
  overwritten.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any, Final

import sqlalchemy as sa

from domain.likeness.moving import STAYS, pointers
from domain.refusals import Conflict
from domain.work import Work
from storage.tables import Row, TagRow
from storage.types import Instant

#: What merging and undoing see to themselves, for there is more to it.
THEMSELVES: Final = frozenset({"approval", "asset_rights", "asset_version", "share"})
#: Of these a row may be changed or be gone by now: whoever decided about a pair since has decided.
YIELDING: Final = frozenset({"near_duplicate"})
#: What bars every version of an asset from being delivered.
BARRING: Final = frozenset({"embargo", "exclusivity", "takedown"})
#: What rows of a table are to people.
WORDS: Final[Mapping[str, str]] = {
    "asset_tag": "tags",
    "asset_text": "titles and alt texts",
    "asset_field": "fields",
    "asset_statement": "statements",
    "asset_relation": "relations",
    "lightbox_asset": "places in lightboxes",
    "access_grant": "grants",
    "guest_link": "guest links",
}

_PAIRS: Final[sa.Table] = Row.metadata.tables["near_duplicate"]
_DECIDED: Final = ("decision", "kept_asset_id", "reason", "decided_at", "decided_by")

Plain = dict[str, Any]
#: By table and key.
Seen = dict[str, dict[tuple[Any, ...], Plain]]


def seen(work: Work, asset_ids: Iterable[int]) -> Seen:
    """All rows that point at one of these assets."""
    ids = sorted(set(asset_ids))
    found: Seen = {}
    for table in _tables():
        either = sa.or_(*(column.in_(ids) for column in pointers(table)))
        rows = work.session.execute(sa.select(table).where(either)).mappings()
        found[table.name] = {_key(table, row): _plain(table, row) for row in rows}
    return found


def differences(before: Seen, after: Seen) -> Plain:
    """By table: rows that are `gone`, that have `come`, and that `moved`."""
    told: Plain = {}
    for table in _tables():
        was, now = before[table.name], after[table.name]
        differing = [key for key in was.keys() & now.keys() if was[key] != now[key]]
        if _is_told_by_key(table):
            moved = [each for key in differing if (each := _moved(table, was[key], now[key])) is not None]
            differing = []
        else:  # what it says may be another's by now
            moved = []
        gone = [row for key, row in was.items() if key not in now or key in differing]
        come = [row for key, row in now.items() if key not in was or key in differing]
        if gone or come or moved:
            told[table.name] = {"gone": gone, "come": come, "moved": moved}
    return told


def put_back(work: Work, told: Plain) -> None:
    """`Conflict` where the world has moved on."""
    for table in _tables():
        change = told.get(table.name)
        if change is None:
            continue
        for row in change["come"]:
            _take_away(work, table, row)
        for move in change["moved"]:
            if table.name in BARRING:
                _let_go(work, table, move)
            where = (*_at(table, move["key"]), *_at(table, move["is"]))
            _done(work, table, sa.update(table).where(*where).values(_values(table, move["was"])))
        for row in change["gone"]:
            _bring_back(work, table, row)


def decided(work: Work, asset_id: int, other_id: int) -> Plain | None:
    """What somebody decided about the two as a pair, if anybody has: the columns that say so."""
    table, (low, high) = _PAIRS, sorted((asset_id, other_id))
    columns = [column for column in table.columns if column.name in _DECIDED]
    here = table.c.low_asset_id == low, table.c.high_asset_id == high, table.c.decision.is_not(None)
    row = work.session.execute(sa.select(*columns).where(*here)).mappings().one_or_none()
    return None if row is None else {column.name: _spelt(row[column.name]) for column in columns}


def decision_of(told: Plain | None) -> Plain:
    """By column what `decided` told, or that nobody has decided."""
    return dict.fromkeys(_DECIDED) if told is None else _values(_PAIRS, told)


def changed_since(what: str) -> Conflict:
    return Conflict(f"What was moved has changed since ({what}): this merge cannot be undone any more.", ("from",))


def _tables() -> list[sa.Table]:
    left_out = STAYS | THEMSELVES
    return [table for table in Row.metadata.sorted_tables if table.name not in left_out and pointers(table)]


def _is_told_by_key(table: sa.Table) -> bool:
    """Whether its rows are known by something else than by the assets that they point at."""
    return not any(column.primary_key for column in pointers(table))


def _key(table: sa.Table, row: Mapping[Any, Any]) -> tuple[Any, ...]:
    return tuple(row[column.name] for column in table.primary_key)


def _moved(table: sa.Table, was: Plain, now: Plain) -> Plain | None:
    names = [column.name for column in pointers(table)]
    if all(was[name] == now[name] for name in names):
        return None
    key = {column.name: now[column.name] for column in table.primary_key}
    return {"key": key, "was": {name: was[name] for name in names}, "is": {name: now[name] for name in names}}


def _let_go(work: Work, table: sa.Table, move: Plain) -> None:
    """Has all that it bars where it stands decided anew: triggers look at where a changed row points afterwards."""
    here = sa.update(table).where(*_at(table, move["key"])).values({name: table.c[name] for name in move["is"]})
    work.session.execute(here)


def _take_away(work: Work, table: sa.Table, row: Plain) -> None:
    here = work.session.execute(sa.select(table).where(*_at(table, _key_of(table, row)))).mappings().one_or_none()
    if here is not None and _plain(table, here) == row:
        work.session.execute(sa.delete(table).where(*_at(table, _key_of(table, row))))
    elif table.name not in YIELDING:
        raise changed_since(_word(table))


def _bring_back(work: Work, table: sa.Table, row: Plain) -> None:
    values = _values(table, row)
    if table.name == "asset_tag":
        values["tag_id"] = _living(work, values["tag_id"])
    if work.session.execute(sa.select(table).where(*_at(table, _key_of(table, values)))).first() is not None:
        if table.name in YIELDING or table.name == "asset_tag":
            return  # the pair was found anew; both tags have become one
        if list(table.primary_key.columns.keys()) != ["id"]:
            raise changed_since(_word(table))
        del values["id"]
    try:
        with work.session.begin_nested():
            work.session.execute(sa.insert(table).values(values))
    except sa.exc.IntegrityError as error:  # what it speaks of is gone, or said otherwise
        if table.name not in YIELDING:
            raise changed_since(_word(table)) from error


def _living(work: Work, tag_id: int) -> int:
    row = work.session.get_one(TagRow, tag_id)
    return tag_id if row.merged_into_id is None else row.merged_into_id


def _done(work: Work, table: sa.Table, change: sa.Update) -> None:
    done: Any = work.session.execute(change)
    if done.rowcount != 1:
        raise changed_since(_word(table))


def _at(table: sa.Table, told: Plain) -> list[sa.ColumnElement[bool]]:
    return [table.c[name] == value if value is not None else table.c[name].is_(None) for name, value in told.items()]


def _key_of(table: sa.Table, row: Plain) -> Plain:
    return {column.name: row[column.name] for column in table.primary_key}


def _word(table: sa.Table) -> str:
    return WORDS.get(table.name, table.name.replace("_", " "))


def _plain(table: sa.Table, row: Mapping[Any, Any]) -> Plain:
    return {column.name: _spelt(row[column.name]) for column in table.columns}


def _spelt(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value


def _values(table: sa.Table, row: Plain) -> Plain:
    return {name: _read(table.c[name].type, value) for name, value in row.items()}


def _read(type_: sa.types.TypeEngine[Any], value: Any) -> Any:
    if not isinstance(value, str):
        return value
    if isinstance(type_, sa.Date):
        return date.fromisoformat(value)
    if isinstance(type_, sa.LargeBinary):
        return base64.b64decode(value)
    return datetime.fromisoformat(value) if isinstance(type_, Instant) else value
