"""What the search index is told of fields: facts to filter and count by, and words to be found by.

What needs a permission is told as facts, which only those ask about who may read it everywhere, and never as words.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field

import sqlalchemy as sa

from domain.work import Work
from storage.index import facts
from storage.tables import AssetFieldRow, CustomFieldRow, VocabularyTermRow

#: Types whose numbers are asked for by intervals.
MEASURED = frozenset({"NUMBER", "DATE"})


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
