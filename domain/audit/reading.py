"""Which events a viewer finds: those of the organisations where they hold AUDIT_VIEW, newest first.

Always true here:
- Somebody who holds it nowhere is refused with `NotAllowed`; elsewhere events are simply not there.
- Nor are those of an asset that is denied to the viewer, to look at or to its events; one that they were merely never
  given to look at is told of.
- Nor does what happened to anything else name an asset that the viewer does not see, unless its own events are told to
  them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from domain import identity
from domain.holdings import Holdings, Reach
from domain.pages import Key, Paging, Slice, read_slice, sliced
from domain.permissions import Permission
from domain.work import Work
from storage.tables import AssetRow, AssetVersionRow, EventRow, PrincipalRow, RenditionRow

#: A denial of one of these hides what happened to an asset.
_HIDING = (Permission.AUDIT_VIEW, Permission.ASSET_VIEW)

#: Where payloads name assets: of any subject, and of some.
_ASSETS: Final = ("asset", "distinctFrom")
_ASSETS_IN: Final = {
    "Asset": ("into", "from"),
    "Lightbox": ("added", "removed"),
    "NearDuplicate": ("assets", "kept"),
}


@dataclass(frozen=True)
class Asked:
    """Which events: what is left out narrows nothing. The time is half-open, [since, until)."""

    subject: tuple[str, int] | None = None
    actor_id: int | None = None
    #: How the type begins: `asset.` for all that happened to assets.
    type_prefix: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    org_id: int | None = None


def page(work: Work, asked: Asked, wanted: Paging) -> Slice[EventRow]:
    return read_slice(work, _found(work, asked), [Key(EventRow.id, descending=True)], wanted)


def count(work: Work, asked: Asked) -> int:
    return work.session.scalar(sa.select(sa.func.count()).select_from(_found(work, asked).subquery())) or 0


def histories(work: Work, subject_ids: Collection[int], wanted: Paging, type_: str) -> dict[int, Slice[EventRow]]:
    """One page of what happened to each of these subjects of one type, in one statement however many they are. To an
    asset also happened what happened to those that became part of it, until they did.
    """
    rank = sa.func.row_number().over(
        partition_by=_subject(type_),
        order_by=EventRow.id.asc() if wanted.backwards else EventRow.id.desc(),
    )
    ranked = _about(work, subject_ids, type_).add_columns(EventRow.id, rank.label("rank"))
    if wanted.position is not None:
        (place,) = wanted.position
        ranked = ranked.where(EventRow.id > place if wanted.backwards else EventRow.id < place)
    inner = ranked.subquery()
    rows = (
        sa.select(EventRow, inner.c.subject)
        .join(inner, inner.c.id == EventRow.id)
        .where(inner.c.rank <= wanted.limit + 1)
        .order_by(inner.c.subject, inner.c.rank)
    )
    found: dict[int, list[EventRow]] = defaultdict(list)
    for row, subject in work.session.execute(rows):
        found[subject].append(row)
    return {each: sliced(found[each], [(row.id,) for row in found[each]], wanted) for each in subject_ids}


def counts(work: Work, subject_ids: Collection[int], type_: str) -> dict[int, int]:
    asked = _about(work, subject_ids, type_).add_columns(sa.func.count()).group_by(_subject(type_))
    return {subject_id: number for subject_id, number in work.session.execute(asked)}  # noqa: C416  # rows are no pairs to mypy


def payloads(work: Work, rows: Collection[EventRow]) -> dict[EventRow, dict[str, Any]]:
    """What belongs to each of these events, which the viewer found, without the assets that it may not name to them; in
    one statement at most.
    """
    named = {id_ for row in rows for id_ in _named(row)}
    told = _nameable(work, named) if named else set()
    return {row: _without(row, named - told) for row in rows}


def kinds_of(work: Work, principal_ids: Iterable[int]) -> dict[int, str]:
    """PERSON or SERVICE: under which type somebody who acted is known, also where the viewer may not look at them."""
    rows = sa.select(PrincipalRow.id, PrincipalRow.kind).where(PrincipalRow.id.in_(set(principal_ids)))
    return dict(work.session.execute(rows).all())


def may_of(work: Work, org_ids: Iterable[int], permission: Permission) -> dict[int, bool]:
    """Whether the viewer holds the permission in each of these organisations."""
    return {org_id: work.viewer.holdings.in_org(permission, org_id) for org_id in org_ids}


def _found(work: Work, asked: Asked) -> sa.Select[EventRow]:
    found = sa.select(EventRow).where(_told(work))
    if asked.subject is not None:
        type_, number = asked.subject
        found = found.where(EventRow.subject_type == type_, EventRow.subject_id == number)
    if asked.type_prefix is not None:
        found = found.where(EventRow.type.startswith(asked.type_prefix, autoescape=True))
    for column, value in ((EventRow.actor_id, asked.actor_id), (EventRow.org_id, asked.org_id)):
        if value is not None:
            found = found.where(column == value)
    if asked.since is not None:
        found = found.where(EventRow.occurred_at >= asked.since)
    if asked.until is not None:
        found = found.where(EventRow.occurred_at < asked.until)
    return found


def _about(work: Work, subject_ids: Collection[int], type_: str) -> sa.Select[int]:
    ids = set(subject_ids)
    about: sa.ColumnElement[bool] = EventRow.subject_id.in_(ids)
    if type_ == "Asset":
        about = sa.or_(about, EventRow.subject_id.in_(sa.select(_gone.id).where(_gone.merged_into_id.in_(ids))))
    return sa.select(_subject(type_).label("subject")).where(EventRow.subject_type == type_, about, _told(work))


_gone = sa.orm.aliased(AssetRow)


def _subject(type_: str) -> sa.ColumnElement[int]:
    """The subject of an event, or the asset that it became part of."""
    if type_ != "Asset":
        return EventRow.subject_id.expression
    became = sa.select(_gone.merged_into_id).where(_gone.id == EventRow.subject_id).correlate(EventRow)
    return sa.func.coalesce(became.scalar_subquery(), EventRow.subject_id)


def _named(row: EventRow) -> set[int]:
    """The assets that the payload names besides the subject."""
    found: set[int] = set()
    for key in _naming(row):
        value = row.payload.get(key)
        found |= set(value) if isinstance(value, list) else set() if value is None else {value}
    return found


def _naming(row: EventRow) -> tuple[str, ...]:
    return (*_ASSETS, *_ASSETS_IN.get(row.subject_type, ()))


def _without(row: EventRow, hidden: set[int]) -> dict[str, Any]:
    told = dict(row.payload)
    for key in _naming(row) if hidden else ():
        value = told.get(key)
        if isinstance(value, list):
            told[key] = [id_ for id_ in value if id_ not in hidden]
        elif value in hidden:
            del told[key]
    return told


def _nameable(work: Work, asset_ids: set[int]) -> set[int]:
    """Of these, the assets that the viewer sees, or whose own events are told to them."""
    there = identity.in_orgs(work, Permission.AUDIT_VIEW, AssetRow.org_id)
    denials = [_denied(work, each) for each in _HIDING if work.viewer.holdings.reach(each).denied]
    told = sa.and_(there, *map(sa.not_, denials))
    rows = sa.select(AssetRow.id).where(AssetRow.id.in_(asset_ids), sa.or_(identity.sees_asset(work), told))
    return set(work.session.scalars(rows))


def _told(work: Work) -> sa.ColumnElement[bool]:
    """The condition on `EventRow` that binds every read of events."""
    identity.require_anywhere(work, Permission.AUDIT_VIEW)
    there = identity.in_orgs(work, Permission.AUDIT_VIEW, EventRow.org_id)
    denials = [_denied(work, each) for each in _HIDING if work.viewer.holdings.reach(each).denied]
    if not denials:
        return there
    denied = sa.or_(*denials)
    versions = sa.select(AssetVersionRow.id).join(AssetRow, AssetRow.id == AssetVersionRow.asset_id).where(denied)
    renditions = (
        sa.select(RenditionRow.id)
        .join(AssetVersionRow, AssetVersionRow.id == RenditionRow.version_id)
        .join(AssetRow, AssetRow.id == AssetVersionRow.asset_id)
        .where(denied)
    )
    hidden = (
        ("Asset", sa.select(AssetRow.id).where(AssetRow.id == EventRow.subject_id, denied)),
        ("AssetVersion", versions.where(AssetVersionRow.id == EventRow.subject_id)),
        ("Rendition", renditions.where(RenditionRow.id == EventRow.subject_id)),
    )
    return sa.and_(there, *(sa.not_(sa.and_(EventRow.subject_type == type_, rows.exists())) for type_, rows in hidden))


def _denied(work: Work, permission: Permission) -> sa.ColumnElement[bool]:
    """The condition on `AssetRow` that it is denied: what would be held, were that allowed which is denied."""
    turned = Holdings({permission: Reach(allowed=work.viewer.holdings.reach(permission).denied)})
    return identity.holds_asset(replace(work, viewer=replace(work.viewer, holdings=turned)), permission)
