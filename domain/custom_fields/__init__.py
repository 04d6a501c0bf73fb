"""Fields of the brand's own: what can be said of an asset beside what every asset has.

Always true here:
- A field's key and type never change, and neither does the vocabulary it chooses from. An archived field says nothing
  any more and keeps what it said.
- A value fits its field: the database binds type and vocabulary of both.
- A field that needs a permission is read, written, filtered and counted by nobody who lacks it.
"""

from __future__ import annotations

from domain.custom_fields.asking import Question, condition, counted, ordering
from domain.custom_fields.defining import (
    MAX_FIELDS,
    MAX_KINDS,
    NEEDS,
    FieldChanges,
    NewField,
    archive,
    bound,
    by_id,
    by_key,
    create,
    known,
    readable_everywhere,
    restore,
    update,
)
from domain.custom_fields.referring import naming, turned
from domain.custom_fields.telling import Told, exported, plain, told
from domain.custom_fields.values import Piece, Said, day, decimal, is_said, of_assets, pieces_of
from domain.custom_fields.writing import Given, Wanted, Written, foreseen, put, put_back, together, wanted

__all__ = [
    "MAX_FIELDS",
    "MAX_KINDS",
    "NEEDS",
    "FieldChanges",
    "Given",
    "NewField",
    "Piece",
    "Question",
    "Said",
    "Told",
    "Wanted",
    "Written",
    "archive",
    "bound",
    "by_id",
    "by_key",
    "condition",
    "counted",
    "create",
    "day",
    "decimal",
    "exported",
    "foreseen",
    "is_said",
    "known",
    "naming",
    "of_assets",
    "ordering",
    "pieces_of",
    "plain",
    "put",
    "put_back",
    "readable_everywhere",
    "restore",
    "together",
    "told",
    "turned",
    "update",
    "wanted",
]
