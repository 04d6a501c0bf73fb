"""Decisions that something relies on, kept as they were made: the question, the answer, and whose it was.

Equal questions have equal digests; a decision that is kept never changes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import fields, is_dataclass, replace
from datetime import date, datetime
from enum import Enum
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import orjson
import sqlalchemy as sa

from domain import identity
from domain.licensing.terms import Decision, Request
from domain.permissions import Permission
from domain.work import Work
from storage.tables import RightsDecisionRow


class Mode(Enum):
    """What relies on it."""

    RESERVE = "RESERVE"
    DELIVER = "DELIVER"


def keep(work: Work, version_id: int, request: Request, decision: Decision, mode: Mode) -> RightsDecisionRow:
    """Of the organisation that is to use the version."""
    asked = plain(request)
    row = RightsDecisionRow(
        org_id=request.party,
        version_id=version_id,
        mode=mode.value,
        outcome=decision.outcome.value,
        request_digest=digest(version_id, request),
        request=asked,
        explanation=plain(decision),
        policy_digest=decision.policy_digest,
        epoch=decision.epoch,
        decided_at=work.now,
        decided_by=work.viewer.principal_id,
        expires_at=decision.valid_until,
    )
    work.session.add(row)
    work.session.flush()
    return row


def by_id(work: Work, ids: Iterable[int]) -> dict[int, RightsDecisionRow]:
    """Those of organisations whose usage the viewer may see."""
    seen = identity.in_orgs(work, Permission.USAGE_VIEW, RightsDecisionRow.org_id)
    rows = sa.select(RightsDecisionRow).where(RightsDecisionRow.id.in_(set(ids)), seen)
    return {row.id: row for row in work.session.scalars(rows)}


def digest(version_id: int, request: Request) -> str:
    """SHA-256 of the question, without the moment at which it was asked."""
    asked = {name: value for name, value in plain(request).items() if name != "as_of"} | {"version": version_id}
    return hashlib.sha256(orjson.dumps(asked, option=orjson.OPT_SORT_KEYS)).hexdigest()


def plain(value: Any) -> Any:
    """A value of `domain.licensing.terms` as JSON holds it, field by field."""
    if is_dataclass(value):
        return {each.name: plain(getattr(value, each.name)) for each in fields(value)}
    match value:
        case Enum():
            return value.value
        case datetime() | date():
            return value.isoformat()
        case tuple():
            return [plain(each) for each in value]
    return value


def request_of(kept: dict[str, Any], as_of: datetime) -> Request:
    """The question that `plain` wrote, asked at another moment; `policy.decision_of` reads the answer."""
    found: Request = _restored(Request, kept)
    return replace(found, as_of=as_of)


def _restored(kind: Any, kept: Any) -> Any:
    """A value of this type from what `plain` made of it."""
    origin, inner = get_origin(kind), get_args(kind)
    if origin in {Union, UnionType}:
        return None if kept is None else _restored(next(each for each in inner if each is not type(None)), kept)
    if origin is tuple:
        return tuple(_restored(inner[0], each) for each in kept)
    if is_dataclass(kind):
        hints = get_type_hints(kind)
        return kind(**{each.name: _restored(hints[each.name], kept[each.name]) for each in fields(kind)})  # type: ignore[operator]  # a class
    if issubclass(kind, Enum):
        return kind(kept)
    return kind.fromisoformat(kept) if issubclass(kind, date) else kept
