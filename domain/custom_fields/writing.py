"""Saying something of assets: what was given is read once, and then put to as many assets as it is meant for."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Final

import sqlalchemy as sa

from domain import identity, locales, vocabularies
from domain.custom_fields import defining
from domain.custom_fields.defining import by_key
from domain.custom_fields.values import Piece, has, may_write, pieces_of
from domain.permissions import Permission
from domain.refusals import Conflict, Invalid, NotFound
from domain.texts import fold, paragraphs
from domain.work import Work
from storage.tables import AssetFieldRow, AssetRow, CustomFieldRow

MAX_CHOICES: Final = 100
#: Characters that a text is sorted by: what a cursor holds of it.
MAX_SORTED: Final = 200
#: Fields named in one change.
MAX_GIVEN: Final = 100


@dataclass(frozen=True)
class Given:
    """What somebody says under a field's key: one of these, by the field's type, or nothing, which takes away what it
    says. `texts` changes only the languages it names, and one whose text is None goes.
    """

    key: str
    text: str | None = None
    texts: Mapping[str, str | None] | None = None
    number: Decimal | None = None
    boolean: bool | None = None
    day: date | None = None
    choice: str | None = None
    choices: Sequence[str] | None = None
    add: Sequence[str] | None = None
    remove: Sequence[str] | None = None
    asset_id: int | None = None


@dataclass(frozen=True)
class Wanted:
    """What a field is to say. SET: exactly this. MERGE: this in its languages; empty texts go. ADD and REMOVE: these
    choices beside the others.
    """

    field_id: int
    mode: str
    pieces: tuple[Piece, ...] = ()

    def plain(self) -> list[Any]:
        """As JSON keeps it."""
        return [self.field_id, self.mode, [list(piece) for piece in self.pieces]]

    @classmethod
    def restored(cls, plain: Sequence[Any]) -> Wanted:
        return cls(plain[0], plain[1], tuple(Piece(*each) for each in plain[2]))


@dataclass
class Written:
    """Which fields were changed, and whether any of them shows to everybody who sees the asset."""

    field_ids: list[int] = field(default_factory=list)
    shows: bool = False


def wanted(work: Work, given: Sequence[Given], path: tuple[str, ...] = ("fields",)) -> list[Wanted]:
    """What was given, read and checked as far as no asset is needed for it."""
    if len(given) > MAX_GIVEN:
        raise Invalid(f"Name at most {MAX_GIVEN} fields at once.", path, "length")
    keys = [each.key for each in given]
    if len(set(keys)) != len(keys):
        raise Invalid("Name each field once.", path, "unique")
    rows = by_key(work, keys, path) if keys else {}
    return [_read(work, rows[each.key], each, (*path, each.key)) for each in given]


def together(said: Sequence[Wanted]) -> list[Wanted]:
    """One for each field: what all of these, one after the other, leave it saying where it said nothing before. Of one
    that would say nothing there is nothing to be said.
    """
    found: dict[int, tuple[Piece, ...]] = {}
    for each in said:
        found[each.field_id] = _CHANGED[each.mode](found.get(each.field_id, ()), each.pieces)
    return [Wanted(field_id, "SET", pieces) for field_id, pieces in found.items() if pieces]


def put(work: Work, asset: AssetRow, said: Sequence[Wanted]) -> Written:
    """Lets the fields say this of the asset, which is held. Refused: a field that such assets do not have, or that the
    viewer may not write there; and a reference to what they no longer see, for `said` may have been read long ago.
    """
    written = Written()
    if not said:
        return written
    _check_targets(work, {piece.target_id for each in said for piece in each.pieces if piece.target_id is not None})
    fields = _held(work, [each.field_id for each in said])
    present = pieces_of(work, [asset.id]).get(asset.id, {})
    for each in said:
        row = fields[each.field_id]
        _check(work, row, asset)
        before = present.get(row.id, ())
        after = _after(asset, row, before, each)
        if after != before:
            _write(work, asset, row, after)
            written.field_ids.append(row.id)
            written.shows = written.shows or row.needs is None
    return written


def foreseen(
    work: Work, asset: AssetRow, row: CustomFieldRow, before: tuple[Piece, ...], said: Wanted
) -> tuple[Piece, ...]:
    """What the field would say after `put`, which refuses the same."""
    _check(work, row, asset)
    return _after(asset, row, before, said)


def put_back(work: Work, asset: AssetRow, field_id: int, pieces: Sequence[Piece]) -> Written:
    """Lets a field say again what it said before, even one that is archived by now."""
    row = _held(work, [field_id])[field_id]
    _check_permission(work, row, asset)
    _write(work, asset, row, tuple(pieces))
    return Written([field_id], row.needs is None)


def digest(text: str) -> str:
    """The word of a text: two spellings of one text have the same."""
    return ":" + hashlib.blake2b(fold(text).encode(), digest_size=16).hexdigest()


def _read(work: Work, row: CustomFieldRow, given: Given, path: tuple[str, ...]) -> Wanted:
    filled = [name for name in _READ if getattr(given, name) is not None]
    if not filled:
        return Wanted(row.id, "SET")
    allowed = _TAKES[row.type] - ({"text"} if row.localised else {"texts"})
    if len(filled) > 1 or filled[0] not in allowed:
        raise Invalid(f"This field takes {' or '.join(sorted(allowed))}, one at a time.", path, "type")
    return _READ[filled[0]](work, row, getattr(given, filled[0]), path)


def _text(_work: Work, row: CustomFieldRow, text: str, path: tuple[str, ...]) -> Wanted:
    cleaned = paragraphs(text, row.max_length or defining.MAX_TEXT, path)
    return Wanted(row.id, "SET", () if cleaned is None else (Piece("", 0, digest(cleaned), text=cleaned),))


def _texts(_work: Work, row: CustomFieldRow, texts: Mapping[str, str | None], path: tuple[str, ...]) -> Wanted:
    pieces = []
    for name, text in sorted((locales.tag(name, path), text) for name, text in texts.items()):
        cleaned = paragraphs(text, row.max_length or defining.MAX_TEXT, path)
        pieces.append(Piece(name, 0, digest(cleaned or ""), text=cleaned))
    if len({piece.locale for piece in pieces}) != len(texts):
        raise Invalid("Name each language once.", path, "unique")
    return Wanted(row.id, "MERGE", tuple(pieces))


def _number(_work: Work, row: CustomFieldRow, given: Decimal, path: tuple[str, ...]) -> Wanted:
    return _measured(row, defining.micro(given, row.decimals or 0, path), path)


def _day(_work: Work, row: CustomFieldRow, given: date, path: tuple[str, ...]) -> Wanted:
    return _measured(row, defining.days(given), path)


def _measured(row: CustomFieldRow, number: int, path: tuple[str, ...]) -> Wanted:
    if (row.minimum is not None and number < row.minimum) or (row.maximum is not None and number > row.maximum):
        raise Invalid("This lies outside of what the field takes.", path, "range")
    return Wanted(row.id, "SET", (Piece("", 0, f":{number}", number=number),))


def _boolean(_work: Work, row: CustomFieldRow, given: bool, _path: tuple[str, ...]) -> Wanted:  # a value
    return Wanted(row.id, "SET", (Piece("", 0, f"={int(given)}", number=int(given)),))


def _choice(work: Work, row: CustomFieldRow, key: str, path: tuple[str, ...]) -> Wanted:
    return _chosen(work, row, [key], "SET", path)


def _choices(work: Work, row: CustomFieldRow, keys: Sequence[str], path: tuple[str, ...]) -> Wanted:
    return _chosen(work, row, keys, "SET", path)


def _add(work: Work, row: CustomFieldRow, keys: Sequence[str], path: tuple[str, ...]) -> Wanted:
    return _chosen(work, row, keys, "ADD", path)


def _remove(work: Work, row: CustomFieldRow, keys: Sequence[str], path: tuple[str, ...]) -> Wanted:
    return _chosen(work, row, keys, "REMOVE", path)


def _chosen(work: Work, row: CustomFieldRow, keys: Sequence[str], mode: str, path: tuple[str, ...]) -> Wanted:
    assert row.vocabulary_id is not None
    if len(keys) > MAX_CHOICES:
        raise Invalid(f"Choose at most {MAX_CHOICES}.", path, "length")
    terms = vocabularies.chosen(work, row.vocabulary_id, keys, path)
    if mode != "REMOVE" and any(term.archived_at is not None for term in terms):
        raise Invalid("A word that is archived is chosen no more.", path, "choice")
    return Wanted(row.id, mode, tuple(Piece("", at, f"={term.id}", term_id=term.id) for at, term in enumerate(terms)))


def _asset(work: Work, row: CustomFieldRow, asset_id: int, path: tuple[str, ...]) -> Wanted:
    _check_targets(work, {asset_id}, path)
    return Wanted(row.id, "SET", (Piece("", 0, f":{asset_id}", target_id=asset_id),))


def _check_targets(work: Work, asset_ids: Collection[int], path: tuple[str, ...] = ("fields",)) -> None:
    if not asset_ids:
        return
    seen = sa.select(AssetRow.id).where(AssetRow.id.in_(asset_ids), identity.sees_asset(work))
    if set(work.session.scalars(seen)) != set(asset_ids):
        raise NotFound("There is no asset with this id.", path)


_READ: Final[dict[str, Callable[[Work, CustomFieldRow, Any, tuple[str, ...]], Wanted]]] = {
    "text": _text,
    "texts": _texts,
    "number": _number,
    "boolean": _boolean,
    "day": _day,
    "choice": _choice,
    "choices": _choices,
    "add": _add,
    "remove": _remove,
    "asset_id": _asset,
}
_TAKES: Final = {
    "TEXT": {"text", "texts"},
    "NUMBER": {"number"},
    "BOOLEAN": {"boolean"},
    "DATE": {"day"},
    "CHOICE": {"choice"},
    "CHOICES": {"choices", "add", "remove"},
    "ASSET": {"asset_id"},
}


def _merged(before: tuple[Piece, ...], pieces: tuple[Piece, ...]) -> tuple[Piece, ...]:
    """The languages that are named say this, and nothing where the text is empty."""
    texts = {piece.locale: piece for piece in before} | {piece.locale: piece for piece in pieces}
    return tuple(piece for _, piece in sorted(texts.items()) if piece.text is not None)


def _added(before: tuple[Piece, ...], pieces: tuple[Piece, ...]) -> tuple[Piece, ...]:
    return _placed({piece.word: piece for piece in (*before, *pieces)}.values())


def _removed(before: tuple[Piece, ...], pieces: tuple[Piece, ...]) -> tuple[Piece, ...]:
    gone = {piece.word for piece in pieces}
    return _placed(piece for piece in before if piece.word not in gone)


def _placed(pieces: Any) -> tuple[Piece, ...]:
    return tuple(piece._replace(place=at) for at, piece in enumerate(pieces))


_CHANGED: Final[dict[str, Callable[[tuple[Piece, ...], tuple[Piece, ...]], tuple[Piece, ...]]]] = {
    "SET": lambda _before, pieces: pieces,
    "MERGE": _merged,
    "ADD": _added,
    "REMOVE": _removed,
}


def _held(work: Work, field_ids: Sequence[int]) -> dict[int, CustomFieldRow]:
    rows = sa.select(CustomFieldRow).where(CustomFieldRow.id.in_(set(field_ids)))
    return {row.id: row for row in work.session.scalars(rows)}


def _after(asset: AssetRow, row: CustomFieldRow, before: tuple[Piece, ...], said: Wanted) -> tuple[Piece, ...]:
    after = _CHANGED[said.mode](before, said.pieces)
    if len(after) > MAX_CHOICES:
        raise Invalid(f"A field says at most {MAX_CHOICES} things.", ("fields", row.key), "length")
    if any(piece.target_id == asset.id for piece in after):
        raise Conflict("An asset does not refer to itself.", ("fields", row.key))
    return after


def _check(work: Work, row: CustomFieldRow, asset: AssetRow) -> None:
    if row.archived_at is not None:
        raise Conflict("This field is archived.", ("fields", row.key))
    if not has(row, asset):
        raise Conflict(f"An asset of kind {asset.kind} has no field {row.key}.", ("fields", row.key))
    _check_permission(work, row, asset)


def _check_permission(work: Work, row: CustomFieldRow, asset: AssetRow) -> None:
    if not may_write(work, row, asset):
        assert row.needs is not None
        raise identity.not_allowed(Permission(row.needs))


def _write(work: Work, asset: AssetRow, row: CustomFieldRow, pieces: tuple[Piece, ...]) -> None:
    """Whatever the field said before goes."""
    own = (AssetFieldRow.asset_id == asset.id, AssetFieldRow.field_id == row.id)
    work.session.execute(sa.delete(AssetFieldRow).where(*own).execution_options(synchronize_session=False))
    fixed = {"asset_id": asset.id, "field_id": row.id, "type": row.type, "vocabulary_id": row.vocabulary_id}
    if pieces:
        rows = [{**fixed, **piece._asdict(), "folded": _sorted(piece.text)} for piece in pieces]
        work.session.execute(sa.insert(AssetFieldRow), rows)


def _sorted(text: str | None) -> str | None:
    return None if text is None else fold(text)[:MAX_SORTED]
