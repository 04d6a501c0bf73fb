"""What others are told of fields: the search index, as facts to filter and count by and as words to be found by; and
people and their programs, in plain values.

What needs a permission is told as facts, which only those ask about who may read it everywhere, and never as words.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import sqlalchemy as sa

from domain.custom_fields.values import Piece, day, decimal
from domain.global_ids import encode
from domain.work import Work
from storage.index import facts
from storage.tables import AssetFieldRow, CustomFieldRow, VocabularyTermRow

#: Types whose numbers are asked for by intervals.
MEASURED = frozenset({"NUMBER", "DATE"})
#: What is written down for whoever may read the asset, whatever else they may.
PUBLIC: Final = frozenset({"TEXT", "NUMBER", "BOOLEAN", "DATE", "CHOICE", "CHOICES"})


@dataclass
class Told:
    facts: set[str] = field(default_factory=set)
    texts: list[str] = field(default_factory=list)


def told(work: Work, asset_ids: Collection[int]) -> dict[int, Told]:
    """Per asset what its living fields say, in one statement."""
    rows = (
        sa.select(AssetFieldRow, CustomFieldRow.needs, VocabularyTermRow.labels)
        .join(CustomFieldRow, CustomFieldRow.id == AssetFieldRow.field_id)
        .outerjoin(VocabularyTermRow, VocabularyTermRow.id == AssetFieldRow.term_id)
        .where(AssetFieldRow.asset_id.in_(set(asset_ids)), CustomFieldRow.archived_at.is_(None))
        .order_by(AssetFieldRow.asset_id, AssetFieldRow.field_id, AssetFieldRow.locale, AssetFieldRow.place)
    )
    found: dict[int, Told] = defaultdict(Told)
    for row, needs, labels in work.session.execute(rows):
        of_asset = found[row.asset_id]
        of_asset.facts.update(facts.of(row.field_id, row.word, row.number if row.type in MEASURED else None))
        if needs is None:
            of_asset.texts += [text for text in (row.text, *(labels or {}).values()) if text]
    return found


def exported(work: Work, asset_ids: Collection[int], *, references: bool) -> dict[int, dict[str, Any]]:
    """Per asset by key what its living fields say that need no permission, as `plain` has it; in two statements. With
    `references` also the assets that they refer to, which is for whoever sees all of them.
    """
    types = PUBLIC | {"ASSET"} if references else PUBLIC
    fields = sa.and_(
        CustomFieldRow.archived_at.is_(None), CustomFieldRow.needs.is_(None), CustomFieldRow.type.in_(types)
    )
    known = {row.id: row for row in work.session.scalars(sa.select(CustomFieldRow).where(fields))}
    if not known:
        return {}
    rows = (
        sa.select(AssetFieldRow, VocabularyTermRow.key)
        .outerjoin(VocabularyTermRow, VocabularyTermRow.id == AssetFieldRow.term_id)
        .where(AssetFieldRow.asset_id.in_(set(asset_ids)), AssetFieldRow.field_id.in_(list(known)))
        .order_by(AssetFieldRow.asset_id, AssetFieldRow.field_id, AssetFieldRow.locale, AssetFieldRow.place)
    )
    pieces: dict[int, dict[int, list[Piece]]] = defaultdict(lambda: defaultdict(list))
    terms: dict[int, str] = {}
    for row, key in work.session.execute(rows):
        pieces[row.asset_id][row.field_id].append(Piece.of(row))
        if row.term_id is not None:
            terms[row.term_id] = key
    return {
        asset_id: {known[field_id].key: plain(known[field_id].type, said, terms) for field_id, said in by_field.items()}
        for asset_id, by_field in pieces.items()
    }


def plain(type_: str, pieces: Sequence[Piece], terms: Mapping[int, str]) -> Any:
    """What a field says: texts by language where they have one, words by their keys, numbers and days as they are
    written, references by their ids.
    """
    said = [_piece(type_, piece, terms) for piece in pieces]
    if any(piece.locale for piece in pieces):
        return {piece.locale: text for piece, text in zip(pieces, said, strict=True)}
    return said if type_ == "CHOICES" else said[0]


def _piece(type_: str, piece: Piece, terms: Mapping[int, str]) -> Any:
    match type_:
        case "TEXT":
            return piece.text
        case "CHOICE" | "CHOICES":
            return terms.get(piece.term_id or 0)
        case "ASSET":
            return encode("Asset", piece.target_id or 0)
    number = piece.number or 0
    written = {"NUMBER": decimal, "DATE": day}.get(type_)
    return bool(number) if written is None else str(written(number))
