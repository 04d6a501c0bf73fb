"""Which of a segment's documents meet a condition, as a mask; the conditions' own rules are told where they
are defined.
"""

import numpy as np

from storage.index import analyser, conditions, facts, ordering
from storage.index.conditions import (
    All,
    Among,
    AnyOf,
    Between,
    Condition,
    Deliverable,
    HasTag,
    Is,
    Not,
    OneOf,
    OwnField,
    StartsWith,
    Value,
)
from storage.index.whoosh_index.columns import Columns
from storage.index.whoosh_index.segment import Mask


def mask(table: Columns, condition: Condition) -> Mask:  # noqa: PLR0911 - one line for each kind of condition
    match condition:
        case All(parts):
            return _all(table, parts)
        case AnyOf(parts):
            # Not any of them = all of them not.
            return ~_all(table, tuple(Not(part) for part in parts))
        case Not(part):
            return ~mask(table, part)
        case Is(field, value):
            return _one_of(table, field, (value,))
        case OneOf(field, values):
            return _one_of(table, field, values)
        case Between():
            return _between(table, condition)
        case HasTag(tag_ids):
            return _has_tag(table, tag_ids)
        case StartsWith(field, prefix):
            words = table.names[field]
            return _coded(table, field, [at for at, word in enumerate(words) if word.startswith(prefix)])
        case Among() | Deliverable():
            ids = conditions.ids_of(condition)
            return np.isin(table["id"], np.fromiter(ids, np.int64, len(ids)))
        case _:
            return _says(table, condition)


def _all(table: Columns, parts: tuple[Condition, ...]) -> Mask:
    found = np.ones(table.documents, np.bool_)
    for part in parts:
        found &= mask(table, part)
    return found


def _one_of(table: Columns, field: str, values: tuple[Value, ...]) -> Mask:
    if field in conditions.TEXTS:
        wanted = set(values)
        return _coded(table, field, [at for at, word in enumerate(table.names[field]) if word in wanted])
    numbers = [ordering.number(value) for value in values]
    return table[field] == numbers[0] if len(numbers) == 1 else np.isin(table[field], numbers)


def _coded(table: Columns, field: str, codes: list[int]) -> Mask:
    return table[field] == codes[0] if len(codes) == 1 else np.isin(table[field], codes)


def _between(table: Columns, condition: Between) -> Mask:
    values = table[condition.field]
    found = values > ordering.MISSING
    if condition.low is not None:
        found &= values >= ordering.number(condition.low)
    if condition.high is not None:
        high = ordering.number(condition.high)
        found &= values < high if condition.field in conditions.INSTANTS else values <= high
    return found


def _says(table: Columns, condition: OwnField) -> Mask:
    wanted = [analyser.digest(fact) for fact in facts.asked(condition)]
    found = np.zeros(table.documents, np.bool_)
    found[table["fact_document"][np.isin(table["fact_value"], wanted)]] = True
    return found


def _has_tag(table: Columns, tag_ids: tuple[int, ...]) -> Mask:
    codes = np.flatnonzero(np.isin(table["tag_id"], tag_ids))
    found = np.zeros(table.documents, np.bool_)
    found[table["tag_document"][np.isin(table["tag_value"], codes)]] = True
    return found
