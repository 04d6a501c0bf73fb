"""What an operation would do, worked out without doing it; and what one did, in words for people."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import sqlalchemy as sa

from domain import custom_fields, identity, taxonomy
from domain.assets import standing
from domain.bulk.asking import Selection, selected
from domain.bulk.edits import Edit, Input, foreseen_edit
from domain.bulk.foreseeing import around, foresee
from domain.custom_fields import Piece
from domain.global_ids import encode
from domain.permissions import Permission
from domain.work import Work
from storage.tables import AssetRow, CustomFieldRow, VocabularyTermRow

#: Assets worked out at once.
AT_ONCE: Final = 500
#: Assets told of one by one, and for each reason of refusing.
EXAMPLES: Final = 20
OF_REASON: Final = 5

Kept = tuple[int, Mapping[str, Any], Mapping[str, Any]]


@dataclass(frozen=True)
class Change:
    """One thing that is, was or would be changed: a property, a tag, a field by its key, or a text by its language.

    What a field says that needs a permission is not told.
    """

    what: str
    before: Any
    after: Any


@dataclass
class Reason:
    """Why some assets would not be changed, how many, and which of them for example."""

    code: str
    message: str
    count: int = 0
    asset_ids: list[int] = field(default_factory=list)


@dataclass
class Preview:
    """Counts of all assets that the operation would be about; examples of those that would change."""

    total: int
    changed: int = 0
    unchanged: int = 0
    reasons: list[Reason] = field(default_factory=list)
    examples: list[tuple[int, list[Change]]] = field(default_factory=list)

    @property
    def refused(self) -> int:
        return sum(reason.count for reason in self.reasons)


def preview(work: Work, selection: Selection, given: Input) -> Preview:
    """What `ask` would do now. Refuses the same."""
    ids = selected(work, selection)
    identity.require_anywhere(work, Permission.ASSET_UPDATE)
    edit, fresh = foreseen_edit(work, given)
    found = Preview(len(ids))
    reasons: dict[tuple[str, str], Reason] = {}
    kept: list[Kept] = []
    for start in range(0, len(ids), AT_ONCE):
        _foresee(work, ids[start : start + AT_ONCE], edit, found, reasons, kept)
    found.reasons = sorted(reasons.values(), key=lambda reason: (-reason.count, reason.code, reason.message))
    told = changes_of(work, kept, fresh)
    found.examples = [(asset_id, told[asset_id]) for asset_id, _, _ in kept]
    return found


def changes_of(work: Work, kept: Iterable[Kept], fresh: Mapping[int, str] | None = None) -> dict[int, list[Change]]:
    """Per asset what was kept of its change, `(asset, before, after)`, in words for people."""
    rows = list(kept)
    words = _Words.of(work, rows, fresh or {})
    return {asset_id: _changes(words, before, after) for asset_id, before, after in rows}


def _foresee(
    work: Work,
    ids: Sequence[int],
    edit: Edit,
    found: Preview,
    reasons: dict[tuple[str, str], Reason],
    kept: list[Kept],
) -> None:
    rows = list(work.session.scalars(sa.select(AssetRow).where(AssetRow.id.in_(ids)).order_by(AssetRow.id)))
    identity.facts(work, rows)  # all at once, so that none is asked for alone
    before = standing.of(work, rows)
    told = around(work, edit, rows)
    for row in rows:
        outcome = foresee(work, row, before[row.id], edit, told)
        if outcome.refusal is not None:
            why = (outcome.refusal.code, outcome.refusal.message)
            reason = reasons.setdefault(why, Reason(*why))
            reason.count += 1
            reason.asset_ids += [row.id] if len(reason.asset_ids) < OF_REASON else []
        elif outcome.values:
            found.changed += 1
            if len(kept) < EXAMPLES:
                own = {name: before[row.id].get(name) for name in outcome.values}
                kept.append((row.id, own, outcome.values))
        else:
            found.unchanged += 1


@dataclass(frozen=True)
class _Words:
    """What numbers in kept changes mean."""

    tags: Mapping[int, str]
    fields: Mapping[int, CustomFieldRow]
    terms: Mapping[int, str]

    @classmethod
    def of(cls, work: Work, rows: Sequence[Kept], fresh: Mapping[int, str]) -> _Words:
        names = {name for _, before, after in rows for name in (*before, *after)}
        tag_ids = _numbers(names, "tag")
        field_ids = _numbers(names, "field")
        fields = sa.select(CustomFieldRow).where(CustomFieldRow.id.in_(field_ids))
        known = {row.id: row for row in work.session.scalars(fields)} if field_ids else {}
        tags = {tag_id: row.name for tag_id, row in taxonomy.by_id(work, tag_ids).items()} if tag_ids else {}
        vocabularies = {row.vocabulary_id for row in known.values() if row.vocabulary_id is not None}
        terms = sa.select(VocabularyTermRow.id, VocabularyTermRow.key).where(
            VocabularyTermRow.vocabulary_id.in_(vocabularies)
        )
        keys = dict(work.session.execute(terms).all()) if vocabularies else {}
        return cls({**tags, **fresh}, known, keys)


def _numbers(names: Collection[str], sort: str) -> list[int]:
    return sorted(int(name.partition(":")[2]) for name in names if name.startswith(f"{sort}:"))


def _changes(words: _Words, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    found: list[Change] = []
    tags: dict[str, list[str]] = defaultdict(list)
    for name in sorted(before.keys() | after.keys()):
        sort, _, key = name.partition(":")
        if sort == "tag":
            tags["after" if before.get(name) is None else "before"].append(words.tags.get(int(key), key))
        else:
            found.append(_change(words, sort, key, before.get(name), after.get(name)))
    if tags:
        found.append(Change("tags", sorted(tags["before"]), sorted(tags["after"])))
    return found


def _change(words: _Words, sort: str, key: str, before: Any, after: Any) -> Change:
    match sort:
        case "field":
            row = words.fields[int(key)]
            if row.needs is not None:
                return Change(f"fields.{row.key}", None, None)
            return Change(f"fields.{row.key}", _said(words, row, before), _said(words, row, after))
        case "text":
            purpose, _, locale = key.partition(":")
            what = "titles" if purpose == "TITLE" else "altTexts"
            if not locale:
                return Change("decorative", before is not None, after is not None)
            return Change(f"{what}.{locale}", before, after)
        case "brand":
            return Change("brand", *(None if each is None else encode("Brand", each) for each in (before, after)))
    return Change(sort, before[0], after[0])


def _said(words: _Words, row: CustomFieldRow, pieces: Sequence[Sequence[Any]] | None) -> Any:
    return custom_fields.plain(row.type, [Piece(*each) for each in pieces], words.terms) if pieces else None
