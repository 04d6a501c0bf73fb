"""Lightboxes in the feed; what lies in them is told as the assets that they open."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import sqlalchemy as sa

from domain import lightboxes
from domain.changes.past import Change, ChangeType, Happened, Point, Verdict, judged, walked
from domain.changes.reading import Begun, Reading, first_of, ids_of, opened
from domain.holdings import Holdings, Lightbox, Scope, Tree
from domain.permissions import Permission
from storage.tables import EventRow, LightboxRow, ShareRow

SUBJECT: Final = "LIGHTBOX"


@dataclass(frozen=True)
class State:
    """What of a lightbox decides who sees it, and can change."""

    exists: bool = True
    archived: bool = False
    shares: Begun = field(default_factory=Begun)


def touched(reading: Reading, beyond: int, limit: int) -> list[int]:
    """The lowest ids above `beyond` of lightboxes to which something happened in the window."""
    found = {each.subject_id for each in reading.events if each.subject_type == "Lightbox"}
    ended = sa.and_(ShareRow.ends_at > reading.place.at, ShareRow.ends_at <= reading.window.to)
    found.update(ids_of(reading.work, ShareRow.lightbox_id, ended, beyond, limit))
    return first_of(found | reading.holder.lightbox_ids, beyond, limit)


def told(reading: Reading, ids: Sequence[int]) -> list[Change]:
    """What of these is a change to the viewer, in their order."""
    shown = {id_: row for id_, row in lightboxes.by_id(reading.work, ids).items() if row.archived_at is None}
    heard = {
        each.subject_id: each.occurred_at
        for each in reading.events
        if each.subject_type == "Lightbox" and not each.type.startswith("share.")
    }
    if reading.is_first:
        at = reading.window.to
        return [
            Change(SUBJECT, id_, ChangeType.CREATED, shown[id_], None, heard.get(id_, at))
            for id_ in ids
            if id_ in shown
        ]
    rows = list(reading.work.session.scalars(sa.select(LightboxRow).where(LightboxRow.id.in_(ids))))
    events, shares = _events(reading, ids), _shares(reading, ids)
    changes = []
    for row in sorted(rows, key=lambda row: row.id):
        seen, verdict = _judged(reading, row, events[row.id], shares[row.id])
        at = heard.get(row.id, verdict.turned_at)
        if row.id not in shown:
            gone = Change(SUBJECT, row.id, ChangeType.REMOVED, None, verdict.reason, verdict.turned_at)
            changes += [gone] if verdict.ever else []
        elif not verdict.at_start:
            changes.append(Change(SUBJECT, row.id, ChangeType.CREATED, row, None, verdict.turned_at))
        elif row.id in heard or not all(seen):
            changes.append(Change(SUBJECT, row.id, ChangeType.UPDATED, row, None, at))
    return changes


def _judged(
    reading: Reading, row: LightboxRow, events: Sequence[Happened], shares: Sequence[ShareRow]
) -> tuple[list[bool], Verdict]:
    now, ticks = State(archived=row.archived_at is not None), reading.ticks(shares)
    points = walked(now, events, _undone, begun=reading.place.at, ended=reading.now, clock=ticks)
    seen = [_shows(reading, row, point, shares) for point in points]
    return seen, judged(points, seen)


def _events(reading: Reading, ids: Sequence[int]) -> dict[int, list[Happened]]:
    """Per lightbox what decided since the place who sees it, oldest first."""
    kinds = ("lightbox.created", "lightbox.archived", "share.created", "share.ended")
    to_box = sa.and_(EventRow.subject_type == "Lightbox", EventRow.subject_id.in_(ids), EventRow.type.in_(kinds))
    found: dict[int, list[Happened]] = defaultdict(list)
    for event in reading.happened(reading.since(), to_box):
        found[event.subject_id].append(event)
    return found


def _shares(reading: Reading, ids: Sequence[int]) -> dict[int | None, list[ShareRow]]:
    """With whomever: those who may look everywhere see what is shared with anybody."""
    found: dict[int | None, list[ShareRow]] = defaultdict(list)
    rows = sa.select(ShareRow).where(ShareRow.lightbox_id.in_(ids), reading.stood())
    for share in reading.work.session.scalars(rows.order_by(ShareRow.id)):
        found[share.lightbox_id].append(share)
    return found


def _undone(state: State, event: Happened) -> State:
    match event.type:
        case "lightbox.created":
            return replace(state, exists=False)
        case "lightbox.archived":
            return replace(state, archived=False)
    return replace(state, shares=state.shares.undone(event))


def _shows(reading: Reading, row: LightboxRow, point: Point[State], shares: Sequence[ShareRow]) -> bool:
    if not point.state.exists or point.state.archived:
        return False
    return sees(reading.holder.at(point.moment), row, opened(shares, point.state.shares, point.moment))


def sees(held: Holdings, row: LightboxRow, ways: dict[str, frozenset[int]]) -> bool:
    """`identity.sees_lightbox` in Python; `ways` are the organisations that it is shared with, by access."""
    everyone, contributors = ways["READ"] | ways["CONTRIBUTE"], ways["CONTRIBUTE"]

    def among(scopes: Sequence[Scope], shared: frozenset[int], *, whole_trees: bool) -> bool:
        return any(_has(scope, row, shared, whole_trees=whole_trees) for scope in scopes)

    all_of, some = held.reach(Permission.ASSET_VIEW_UNAPPROVED), held.reach(Permission.ASSET_VIEW)
    at_work = among(all_of.allowed, contributors, whole_trees=True)
    at_work = at_work and not among(all_of.denied, contributors, whole_trees=True)
    let_in = among(some.allowed, everyone, whole_trees=False)
    let_in = let_in and not among(some.denied, everyone, whole_trees=False)
    return (at_work or let_in) and not among(some.denied, everyone, whole_trees=True)


def _has(scope: Scope, row: LightboxRow, shared: frozenset[int], *, whole_trees: bool) -> bool:
    match scope:
        case Tree(kind=None):
            return (whole_trees and scope.has(row.org_id)) or any(map(scope.has, shared))
        case Lightbox(id_):
            return id_ == row.id
    return False
