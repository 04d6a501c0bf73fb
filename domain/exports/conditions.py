"""Filters as they are kept with an export: the tree as JSON, and back."""

from __future__ import annotations

import dataclasses
from datetime import datetime, timedelta
from typing import Any, Final

from storage.index.conditions import (
    All,
    AnyOf,
    Between,
    Condition,
    Deliverable,
    FieldBetween,
    FieldIs,
    FieldSays,
    HasTag,
    Is,
    Not,
    OneOf,
    StartsWith,
)
from storage.types import EPOCH, microseconds

_LEAVES: Final = {
    "is": Is,
    "one": OneOf,
    "between": Between,
    "starts": StartsWith,
    "tag": HasTag,
    "field": FieldIs,
    "field between": FieldBetween,
    "field says": FieldSays,
    "deliverable": Deliverable,
}


def kept(condition: Condition) -> list[Any]:
    match condition:
        case All(parts) | AnyOf(parts):
            return ["all" if isinstance(condition, All) else "any", *map(kept, parts)]
        case Not(part):
            return ["not", kept(part)]
    word = next(word for word, leaf in _LEAVES.items() if isinstance(condition, leaf))
    return [word, *(_plain(getattr(condition, each.name)) for each in dataclasses.fields(condition))]


def restored(kept: list[Any]) -> Condition:
    word, *parts = kept
    match word:
        case "all":
            return All(tuple(map(restored, parts)))
        case "any":
            return AnyOf(tuple(map(restored, parts)))
        case "not":
            return Not(restored(parts[0]))
    found: Condition = _LEAVES[word](*map(_rich, parts))
    return found


def _plain(value: Any) -> Any:
    match value:
        case datetime():
            return {"t": microseconds(value)}
        case tuple() | list():
            return list(map(_plain, value))
    return value


def _rich(value: Any) -> Any:
    match value:
        case dict():
            return EPOCH + timedelta(microseconds=value["t"])
        case list():
            return tuple(map(_rich, value))
    return value
