"""Decisions that something relies on, kept as they were made: the question, the answer, and whose it was.

Equal questions have equal digests; a decision that is kept never changes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import date, datetime
from enum import Enum
from types import UnionType
from typing import Any, Final, Union, get_args, get_origin, get_type_hints

import orjson
import sqlalchemy as sa

from domain import identity
from domain.licensing.terms import Decision, Request
from domain.permissions import Permission
from domain.work import Work
from storage.tables import AssetRow, AssetVersionRow, RightsDecisionRow, UsageRow


class Mode(Enum):
    """What relies on it."""

    RESERVE = "RESERVE"
    DELIVER = "DELIVER"


#: First half of PostgreSQL's advisory locks on named uses: "uses" in ASCII; the other half is the version.
_USES: Final = 0x75_73_65_73
_NUMBERS: Final = 2**31


@dataclass(frozen=True)
class Handed:
    """What one for DELIVER is found again by, from when on it is made anew, and which earlier one it repeats."""

    use_digest: str
    renew_at: datetime
    repeats_id: int | None = None


@dataclass(frozen=True)
class Kept:
    """One for DELIVER that holds."""

    id: int
    version_id: int
    epoch: int
    expires_at: datetime
    repeats_id: int | None


def keep(
    work: Work, version_id: int, request: Request, decision: Decision, mode: Mode, handed: Handed | None = None
) -> RightsDecisionRow:
    """Of the organisation that is to use the version; `handed` is said of those for DELIVER."""
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
        use_digest=None if handed is None else handed.use_digest,
        renew_at=None if handed is None else handed.renew_at,
        repeats_id=None if handed is None else handed.repeats_id,
    )
    work.session.add(row)
    work.session.flush()
    return row


def handed(work: Work, version_ids: Collection[int], org_id: int, use_digest: str) -> dict[int, Kept]:
    """Per version the decision that an address for this use is given out by now; without those that need a new one."""
    rows = sa.select(
        RightsDecisionRow.id,
        RightsDecisionRow.version_id,
        RightsDecisionRow.epoch,
        RightsDecisionRow.expires_at,
        RightsDecisionRow.repeats_id,
    )
    rows = rows.join(AssetVersionRow, AssetVersionRow.id == RightsDecisionRow.version_id)
    rows = rows.join(AssetRow, AssetRow.id == AssetVersionRow.asset_id)
    rows = rows.where(
        RightsDecisionRow.version_id.in_(version_ids),
        of_use(RightsDecisionRow, org_id, use_digest),
        RightsDecisionRow.epoch == AssetRow.rights_epoch,
        RightsDecisionRow.renew_at > work.now,
        RightsDecisionRow.decided_at <= work.now,  # one from the future says nothing of now: clocks are set back
    )
    return {row.version_id: Kept(*row) for row in work.session.execute(rows.order_by(RightsDecisionRow.id.desc()))}


def first_of(work: Work, version_ids: Collection[int], org_id: int, use_digest: str) -> dict[int, int]:
    """Per version the first decision that was handed out for this use, whatever has become of it."""
    rows = sa.select(RightsDecisionRow.version_id, sa.func.min(RightsDecisionRow.id))
    rows = rows.where(RightsDecisionRow.version_id.in_(version_ids), of_use(RightsDecisionRow, org_id, use_digest))
    found = work.session.execute(rows.group_by(RightsDecisionRow.version_id))
    return {row[0]: row[1] for row in found}


def lock_uses(work: Work, version_id: int) -> None:
    """Until this unit of work ends nobody else keeps a decision on a named use of the version."""
    if work.session.get_bind().dialect.name == "postgresql":  # SQLite has one writer
        work.session.execute(
            sa.select(sa.func.pg_advisory_xact_lock(_USES, sa.cast(version_id % _NUMBERS, sa.Integer)))
        )


def recorded(work: Work, ids: Collection[int]) -> set[int]:
    """Of these decisions those under which a delivery was recorded as a use."""
    rows = sa.select(UsageRow.decision_id).where(UsageRow.decision_id.in_(ids), UsageRow.source == "DELIVERY")
    return set(work.session.scalars(rows))


def by_id(work: Work, ids: Iterable[int]) -> dict[int, RightsDecisionRow]:
    """Those of organisations whose usage the viewer may see."""
    seen = identity.in_orgs(work, Permission.USAGE_VIEW, RightsDecisionRow.org_id)
    rows = sa.select(RightsDecisionRow).where(RightsDecisionRow.id.in_(set(ids)), seen)
    return {row.id: row for row in work.session.scalars(rows)}


def digest(version_id: int, request: Request) -> str:
    """SHA-256 of the question, without the moment at which it was asked."""
    asked = {name: value for name, value in plain(request).items() if name != "as_of"} | {"version": version_id}
    return hashlib.sha256(orjson.dumps(asked, option=orjson.OPT_SORT_KEYS)).hexdigest()


def digest_of_use(request: Request, *, moving: bool = False) -> str:
    """SHA-256 of the use alone: of no version, party or moment; `moving` ones are the same use on whichever days."""
    left_out = {"as_of", "party"} | ({"window"} if moving else set())
    asked = {name: value for name, value in plain(request).items() if name not in left_out}
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


def of_use(row: Any, org_id: Any, use_digest: Any) -> sa.ColumnElement[bool]:
    """That a row of decisions is one of those that addresses for this use are given to the organisation by."""
    return sa.and_(
        row.mode == sa.literal_column(f"'{Mode.DELIVER.value}'"),  # as the index of these spells it
        row.org_id == org_id,
        row.use_digest == use_digest,
    )


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
