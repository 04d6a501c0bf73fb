"""What a list should answer, worked out the plain way from the facts: filters, orders, totals and facets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from functools import cmp_to_key
from typing import Any

from domain.texts import fold
from tests.listing.rows import Facts

#: (id, facts) of one asset.
Entry = tuple[int, Facts]
Where = dict[str, Any]


def matches(where: Where | None, facts: Facts) -> bool:
    """Everything said must hold, with two truth values; archived assets only when the lifecycle is spoken of."""
    if not _mentions_lifecycle(where) and facts.lifecycle == "ARCHIVED":
        return False
    return _holds(where or {}, facts)


def ordered(entries: Sequence[Entry], order: Sequence[tuple[str, str]]) -> list[Entry]:
    """By each field in turn, what is missing as the smallest; ties by id in the direction of the last field."""
    chosen = list(order) or [("CREATED_AT", "DESC")]

    def compare(one: Entry, other: Entry) -> int:
        for field, direction in [*chosen, ("ID", chosen[-1][1])]:
            first, second = _key(one, field), _key(other, field)
            if first != second:
                return (-1 if first < second else 1) * (-1 if direction == "DESC" else 1)
        return 0

    return sorted(entries, key=cmp_to_key(compare))


def facet(entries: Sequence[Entry], by: str) -> list[tuple[str, int]]:
    """Label and count, the most frequent first."""
    counts: Counter[str] = Counter()
    for _, facts in entries:
        match by:
            case "KIND":
                counts[facts.kind] += 1
            case "TAG":
                counts.update(facts.tags)
            case "MEDIA_TYPE" if facts.media_type:
                counts[facts.media_type] += 1
            case "YEAR":
                counts[str(facts.year)] += 1
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def _mentions_lifecycle(where: Where | None) -> bool:
    if where is None:
        return False
    inner = [*where.get("AND", ()), *where.get("OR", ()), *([where["NOT"]] if "NOT" in where else [])]
    return bool(where.get("lifecycle")) or any(map(_mentions_lifecycle, inner))


def _holds(where: Where, facts: Facts) -> bool:
    return all(_part(name, given, facts) for name, given in where.items())


def _part(name: str, given: Any, facts: Facts) -> bool:
    match name:
        case "AND":
            return all(_holds(each, facts) for each in given)
        case "OR":
            return any(_holds(each, facts) for each in given)
        case "NOT":
            return not _holds(given, facts)
        case "tags":
            return _tags(given, set(facts.tags))
    value = {
        "kind": facts.kind,
        "lifecycle": facts.lifecycle,
        "mediaType": facts.media_type,
        "width": facts.width,
        "height": facts.height,
        "byteSize": facts.byte_size if facts.media_type else None,
        "createdAt": facts.created_at,
        "updatedAt": facts.updated_at,
        "capturedAt": facts.captured_at,
    }[name]
    return _compared(given, value)


def _compared(given: dict[str, Any], value: Any) -> bool:
    if value is None:  # a missing value meets no comparison; said nothing, every asset does
        return _is_silent(given)
    if isinstance(value, datetime):
        low, high = (None if given.get(end) is None else datetime.fromisoformat(given[end]) for end in ("from", "to"))
        return (low is None or value >= low) and (high is None or value < high)
    if isinstance(value, int):
        given = {name: None if end is None else int(end) for name, end in given.items()}
        low, high = given.get("from"), given.get("to")
        same = given.get("eq") is None or value == given["eq"]
        return same and (low is None or value >= low) and (high is None or value <= high)
    return (
        (given.get("eq") is None or value == given["eq"])
        and (given.get("oneOf") is None or value in given["oneOf"])
        and (given.get("startsWith") is None or value.startswith(given["startsWith"]))
    )


def _is_silent(given: dict[str, Any]) -> bool:
    return all(value is None for value in given.values())


def _tags(given: dict[str, Any], carried: set[str]) -> bool:
    return (
        ("anyOf" not in given or bool(carried & set(given["anyOf"])))
        and carried >= set(given.get("allOf", ()))
        and not carried & set(given.get("noneOf", ()))
    )


def _key(entry: Entry, field: str) -> Any:
    id_, facts = entry
    match field:
        case "TITLE":
            return fold(facts.title)
        case "CREATED_AT":
            return facts.created_at.timestamp()
        case "UPDATED_AT":
            return facts.updated_at.timestamp()
        case "CAPTURED_AT":
            return float("-inf") if facts.captured_at is None else facts.captured_at.timestamp()
        case "BYTE_SIZE":
            return facts.byte_size if facts.media_type else 0
        case _:
            return id_
