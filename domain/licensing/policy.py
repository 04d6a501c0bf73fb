"""The facts that a decision rests on, as canonical bytes (RFC 8785), and their SHA-256.

Two decisions with the same digest were made by the same rules. What is empty or not said is left out, so that a field
that is added later changes no digest made before it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from functools import cache, lru_cache
from typing import Any, Final, get_args, get_origin, get_type_hints

import orjson

from domain.licensing.terms import Decision, Facts, Grant, License, Release, Request, Subject, TerritoryGroup

#: The largest integer that RFC 8785 can say as a number.
_EXACT: Final = 2**53 - 1


def digest(facts: Facts, versions: Iterable[Subject], groups: dict[str, TerritoryGroup]) -> str:
    """Lower-case hexadecimal, of everything that is known of these versions."""
    subjects = sorted(versions, key=lambda one: one.version_id)
    licenses = {one.license_id for subject in subjects for one in subject.rights if one.license_id is not None}
    releases = {one.release_id for subject in subjects for one in subject.rights if one.release_id is not None}
    terms: list[License | Release] = [facts.licenses[key] for key in sorted(licenses)]
    terms += [facts.releases[key] for key in sorted(releases)]
    named = {code for one in terms for grant in one.grants for code in _codes(grant)}
    named |= {code for subject in subjects for one in subject.exclusivities for code in one.territories}
    # A use may name any of the brand's own groups, and what they mean is decided by with the rest.
    named |= {group.code for group in facts.groups}
    hashed = hashlib.sha256()
    for part in (*subjects, *terms, *(groups[code] for code in sorted(named & groups.keys()))):
        hashed.update(_bytes(part))
        hashed.update(b"\n")
    return hashed.hexdigest()


def canonical(decision: Decision) -> bytes:
    """The decision as it is stored and compared: equal decisions give equal bytes."""
    return _dumps(plain(decision))


def number(version_id: int, request: Request, decision: Decision) -> int:
    """Of the question and of the rules that it was decided by, positive, in 62 bits."""
    asked = {**plain(request), "as_of": None, "version": version_id, "policy": decision.policy_digest}
    return int.from_bytes(hashlib.sha256(_dumps(asked)).digest()[:8]) >> 2 or 1


def plain(value: Any) -> Any:
    """As JSON has it: dates and instants as ISO 8601 says them, what is None or empty left out."""
    if isinstance(value, str):
        return str(value)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if abs(value) <= _EXACT else str(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, tuple):
        return [plain(one) for one in value]
    if not is_dataclass(value):
        raise TypeError(f"{type(value).__name__} has no canonical form.")
    kind: Any = type(value)
    said = ((name, getattr(value, name)) for name in _names(kind))
    return {name: plain(one) for name, one in said if one is not None and one != ()}


@cache
def _names(kind: Any) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))


def _dumps(value: Any) -> bytes:
    """As RFC 8785 has it, of what `plain` makes: names are ASCII, integers small, and nothing is a float."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def _codes(grant: Grant) -> tuple[str, ...]:
    return (*grant.territories, *grant.territories_except)


@lru_cache(maxsize=4096)
def _bytes(part: Subject | License | Release | TerritoryGroup) -> bytes:
    return _dumps(plain(part))


def decision_of(kept: Mapping[str, Any]) -> Decision:
    """The decision that was written out field by field, as JSON."""
    found: Decision = _read(Decision, kept)
    return found


def _read(kind: Any, said: Any) -> Any:
    """A value of the annotated kind, from what JSON makes of it."""
    parts = get_args(kind)
    if said is None or kind is Any:
        return None
    if get_origin(kind) is tuple:
        return tuple(_read(parts[0], each) for each in said)
    if parts:  # something or None
        return _read(next(each for each in parts if each is not type(None)), said)
    if isinstance(kind, type) and is_dataclass(kind):
        hints = _hints(kind)
        return kind(**{name: _read(hints[name], each) for name, each in said.items()})
    if kind in {date, datetime}:
        return kind.fromisoformat(said)
    return kind(said)


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)
