"""Assets in the feed, with their versions, renditions and tags: which were touched, and what that means to the viewer.

Whoever sees only what is approved hears of nothing else: a newer version, and what is made of it, is no change to them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from domain import holdings, identity
from domain.assets import reading as rows_of_assets
from domain.changes import moving, rights
from domain.changes.past import Change, ChangeType, Happened, Point, Verdict, judged, walked
from domain.changes.reading import RENDERED, Begun, Reading, first_of, ids_of, opened
from domain.changes.rights import Standing
from domain.holdings import Facts
from storage.tables import ApprovalRow, AssetFieldRow, AssetRow, AssetTagRow, EventRow, LightboxAssetRow, ShareRow

SUBJECT: Final = "ASSET"
#: What does not change what an asset shows to anybody who is told of it here.
SILENT: Final = ("share.", "legal_hold.", "relation.")


@dataclass(frozen=True)
class State:
    """What of an asset decides who sees it, and can change. `before` is what a restored asset goes back to."""

    id: int
    lifecycle: str
    before: str | None
    approved: frozenset[int]
    boxes: frozenset[int]
    exists: bool = True
    shares: Begun = field(default_factory=Begun)


Undo = Callable[[State, Happened], State]


def _moved_back(state: State, event: Happened) -> State:
    box = frozenset({event.subject_id})
    if state.id in event.payload.get("added", ()):
        return replace(state, boxes=state.boxes - box)
    return replace(state, boxes=state.boxes | box) if state.id in event.payload.get("removed", ()) else state


def _unarchived(state: State, event: Happened) -> State:
    """What was archived before it was thrown away was seen by nobody meanwhile."""
    if event.payload.get("wasArchived"):
        return state
    return replace(state, lifecycle=state.before or "DRAFT", before=None)


def _archived_again(state: State, event: Happened) -> State:
    return state if event.payload.get("wasArchived") else replace(state, lifecycle="ARCHIVED", before=state.lifecycle)


#: How what an event did is undone. A later feature that moves an asset in its life adds its event here.
UNDO: Final[dict[str, Undo]] = {
    "asset.created": lambda state, _: replace(state, exists=False),
    "asset.archived": lambda state, _: replace(state, lifecycle=state.before or "DRAFT", before=None),
    "asset.trashed": _unarchived,
    "asset.restored_from_trash": _archived_again,
    "asset.restored": lambda state, _: replace(state, lifecycle="ARCHIVED", before=state.lifecycle),
    "asset.merged": lambda state, event: replace(
        state,
        lifecycle=event.payload["lifecycle"],
        before=event.payload["before"],
        approved=frozenset(event.payload["approved"]),
    ),
    "asset.absorbed": lambda state, event: replace(state, approved=state.approved - {*event.payload["approved"]}),
    "asset.unmerged": lambda state, _: replace(
        state, lifecycle="ARCHIVED", before=state.before or state.lifecycle, approved=frozenset()
    ),
    "asset.gave_back": lambda state, event: replace(state, approved=state.approved | {*event.payload["approved"]}),
    "inbox.accepted": lambda state, _: replace(state, lifecycle="QUARANTINED"),
    "inbox.rejected": lambda state, _: replace(state, lifecycle="QUARANTINED", before=None),
    "asset.version_approved": lambda state, event: replace(state, approved=state.approved - {event.payload["version"]}),
    "asset.approval_revoked": lambda state, event: replace(state, approved=state.approved | {event.payload["version"]}),
    "lightbox.assets_changed": _moved_back,
    "share.created": lambda state, event: replace(state, shares=state.shares.undone(event)),
    "share.ended": lambda state, event: replace(state, shares=state.shares.undone(event)),
}


@dataclass
class Heard:
    """When something last happened to an asset itself: for those who see all of it, and for all others."""

    whole: datetime | None = None
    public: datetime | None = None

    def of(self, event: Happened, *, public: bool) -> None:
        self.whole = max(self.whole or event.occurred_at, event.occurred_at)
        if public:
            self.public = max(self.public or event.occurred_at, event.occurred_at)


@dataclass(frozen=True)
class Past:
    verdict: Verdict
    #: Whether the viewer saw more or less of it, or none, for some of the time.
    turned: bool


def touched(reading: Reading, beyond: int, limit: int) -> list[int]:
    """The lowest ids above `beyond` of assets to which something happened in the window, or around which; in a handful
    of statements however many they are.
    """
    work = reading.work
    found = {each.subject_id for each in reading.events if each.subject_type == "Asset"}
    found |= {*reading.rendered.values(), *reading.holder.asset_ids, *rights.touched(reading, beyond, limit)}
    found |= {asset_id for event in reading.events if event.subject_id in reading.boxes for asset_id in _moved(event)}
    if reading.tag_ids:
        tagged = AssetTagRow.tag_id.in_(sorted(reading.tag_ids))
        found.update(ids_of(work, AssetTagRow.asset_id, tagged, beyond, limit))
    if reading.field_ids:
        saying = AssetFieldRow.field_id.in_(sorted(reading.field_ids))
        found.update(ids_of(work, AssetFieldRow.asset_id, saying, beyond, limit))
    if orgs := sorted(reading.holder.org_ids):
        over = sa.and_(
            ShareRow.to_org_id.in_(orgs), ShareRow.ends_at > reading.place.at, ShareRow.ends_at <= reading.window.to
        )
        found.update(ids_of(work, ShareRow.asset_id, over, beyond, limit))
    if boxes := _turned_boxes(reading):
        inside = LightboxAssetRow.lightbox_id.in_(sorted(boxes))
        found.update(ids_of(work, LightboxAssetRow.asset_id, inside, beyond, limit))
    return first_of(found, beyond, limit)


def told(reading: Reading, ids: Sequence[int]) -> list[Change]:
    """What of these is a change to the viewer, in their order."""
    seen = rows_of_assets.by_id(reading.work, ids)
    shown = {id_: row for id_, row in seen.items() if row.lifecycle != "ARCHIVED"}
    whole = identity.sees_unapproved(reading.work, shown.values())
    approved = _approved(reading, ids)
    leaves = rights.told(reading, ids, approved)
    heard = _heard(reading, ids, approved, leaves)
    pasts = {} if reading.is_first else _pasts(reading, ids, approved)
    changes = []
    for id_ in ids:
        when = heard[id_].whole if whole.get(id_) else heard[id_].public
        change = _told(reading, id_, shown.get(id_), pasts.get(id_), when)
        if change is not None:
            changes.append(change if change.row is None else replace(change, reason=leaves[id_].reason))
    return changes


def _told(reading: Reading, id_: int, row: AssetRow | None, past: Past | None, heard: datetime | None) -> Change | None:
    """Without why nothing leaves of it."""
    if past is None:  # the reader begins with nothing
        at = heard or reading.window.to
        return None if row is None else Change(SUBJECT, id_, ChangeType.CREATED, row, None, at)
    verdict = past.verdict
    if row is None:
        if not verdict.ever:
            return None
        return Change(SUBJECT, id_, ChangeType.REMOVED, None, verdict.reason, verdict.turned_at)
    if not verdict.at_start:
        return Change(SUBJECT, id_, ChangeType.CREATED, row, None, verdict.turned_at)
    if heard is None and not past.turned and id_ not in reading.holder.asset_ids:
        return None
    return Change(SUBJECT, id_, ChangeType.UPDATED, row, None, heard or verdict.turned_at)


def _heard(
    reading: Reading, ids: Sequence[int], approved: Mapping[int, int], leaves: Mapping[int, Standing]
) -> dict[int, Heard]:
    found = defaultdict(Heard, {id_: Heard(each.whole, each.public) for id_, each in leaves.items()})
    carriers, saying = _carriers(reading, ids), _saying(reading, ids)
    for event in reading.events:
        if event.type in RENDERED:
            found[reading.rendered[event.subject_id]].of(event, public=event.subject_id in approved)
        elif event.subject_type == "Asset" and not _is_silent(event):
            found[event.subject_id].of(event, public=_is_public(event, approved))
        elif event.subject_type == "Tag":
            for asset_id in carriers[event.subject_id]:
                found[asset_id].of(event, public=True)
        elif event.subject_type == "CustomField":
            for asset_id in saying[event.subject_id]:
                found[asset_id].of(event, public=True)
    return found


def _is_silent(event: Happened) -> bool:
    return event.type.startswith(SILENT) or moving.is_silent(event)


def _is_public(event: Happened, approved: Collection[int]) -> bool:
    """Whether it shows to those who see only what is approved; `approved` are versions."""
    if event.type == "asset.version_added":
        return False
    version = event.payload.get("version")
    if event.type.startswith(("asset_rights.", "component.")):
        return version is None or version in approved
    return event.type != "asset.version_analysed" or version in approved


def _carriers(reading: Reading, ids: Sequence[int]) -> dict[int, list[int]]:
    """By tag to which something happened those of the assets that carry it."""
    found: dict[int, list[int]] = defaultdict(list)
    if reading.tag_ids:
        carried = sa.select(AssetTagRow.tag_id, AssetTagRow.asset_id).where(
            AssetTagRow.asset_id.in_(ids), AssetTagRow.tag_id.in_(sorted(reading.tag_ids))
        )
        for tag_id, asset_id in reading.work.session.execute(carried):
            found[tag_id].append(asset_id)
    return found


def _saying(reading: Reading, ids: Sequence[int]) -> dict[int, list[int]]:
    """By field that ended or began to say something those of the assets of which it does."""
    found: dict[int, list[int]] = defaultdict(list)
    if reading.field_ids:
        said = sa.select(AssetFieldRow.field_id, AssetFieldRow.asset_id).distinct()
        said = said.where(AssetFieldRow.asset_id.in_(ids), AssetFieldRow.field_id.in_(sorted(reading.field_ids)))
        for field_id, asset_id in reading.work.session.execute(said):
            found[field_id].append(asset_id)
    return found


def _approved(reading: Reading, ids: Sequence[int]) -> dict[int, int]:
    """By version with a standing approval its asset."""
    standing = sa.select(ApprovalRow.version_id, ApprovalRow.asset_id)
    rows = standing.where(ApprovalRow.asset_id.in_(ids), ApprovalRow.revoked_at.is_(None))
    return dict(reading.work.session.execute(rows).all())


def _pasts(reading: Reading, ids: Sequence[int], approved: Mapping[int, int]) -> dict[int, Past]:
    rows = {row.id: row for row in reading.work.session.scalars(sa.select(AssetRow).where(AssetRow.id.in_(ids)))}
    states, events = _states(reading, rows, approved), _events(reading, ids)
    direct: dict[int | None, list[ShareRow]] = defaultdict(list)
    for share in reading.shares(ShareRow.asset_id.in_(ids)):
        direct[share.asset_id].append(share)
    pasts = {}
    for id_, row in rows.items():
        boxed = [share for share in reading.box_shares if reading.belongs(row.org_id, share.org_id)]
        pasts[id_] = _past(reading, row, states[id_], events[id_], [*direct[id_], *boxed])
    return pasts


def _past(
    reading: Reading, row: AssetRow, state: State, events: Sequence[Happened], shares: Sequence[ShareRow]
) -> Past:
    ticks = reading.ticks(shares)
    points = walked(state, events, _undone, begun=reading.place.at, ended=reading.now, clock=ticks)
    faces = [_face(reading, row, point, shares) for point in points]
    return Past(judged(points, [face is not None for face in faces]), turned=len(set(faces)) > 1)


def _undone(state: State, event: Happened) -> State:
    return UNDO[event.type](state, event)


def _face(reading: Reading, row: AssetRow, point: Point[State], shares: Sequence[ShareRow]) -> bool | None:
    """None where the viewer was not shown it; else whether also what nobody had approved."""
    state, held = point.state, reading.holder.at(point.moment)
    there = [share for share in shares if share.lightbox_id is None or share.lightbox_id in state.boxes]
    ways = opened(there, state.shares, point.moment)
    facts = Facts(
        id=row.id,
        org_id=row.org_id,
        kind=row.kind,
        lifecycle=state.lifecycle,
        is_approved=bool(state.approved),
        created_by=row.created_by,
        lightboxes=state.boxes,
        shared_to_read=ways["READ"],
        shared_to_contribute=ways["CONTRIBUTE"],
    )
    if not state.exists or state.lifecycle == "ARCHIVED" or not holdings.sees(held, facts):
        return None
    return holdings.sees_unapproved(held, facts)


def _states(reading: Reading, rows: Mapping[int, AssetRow], approved: Mapping[int, int]) -> dict[int, State]:
    """How they stand now."""
    versions: dict[int, set[int]] = defaultdict(set)
    for version_id, asset_id in approved.items():
        versions[asset_id].add(version_id)
    boxes: dict[int, set[int]] = defaultdict(set)
    if reading.boxes:
        inside = sa.select(LightboxAssetRow.asset_id, LightboxAssetRow.lightbox_id).where(
            LightboxAssetRow.asset_id.in_(list(rows)), LightboxAssetRow.lightbox_id.in_(sorted(reading.boxes))
        )
        for asset_id, lightbox_id in reading.work.session.execute(inside):
            boxes[asset_id].add(lightbox_id)
    return {
        id_: State(id_, row.lifecycle, row.lifecycle_before_archive, frozenset(versions[id_]), frozenset(boxes[id_]))
        for id_, row in rows.items()
    }


def _events(reading: Reading, ids: Sequence[int]) -> dict[int, list[Happened]]:
    """Per asset what decided since the place who sees it, oldest first."""
    to_asset = sa.and_(EventRow.subject_type == "Asset", EventRow.subject_id.in_(ids))
    to_box = sa.and_(EventRow.subject_type == "Lightbox", EventRow.subject_id.in_(sorted(reading.boxes)))
    found: dict[int, list[Happened]] = defaultdict(list)
    for event in reading.happened(reading.since(), EventRow.type.in_(list(UNDO)), sa.or_(to_asset, to_box)):
        if event.subject_type == "Asset":
            found[event.subject_id].append(event)
            continue
        for asset_id in ids if event.type.startswith("share.") else _moved(event).intersection(ids):
            found[asset_id].append(event)
    return found


def _moved(event: Happened) -> set[int]:
    if event.type != "lightbox.assets_changed":
        return set()
    return {*event.payload.get("added", ()), *event.payload.get("removed", ())}


def _turned_boxes(reading: Reading) -> set[int]:
    """Lightboxes that were opened or shut as a whole."""
    shared = {event.subject_id for event in reading.events if event.type in {"share.created", "share.ended"}}
    over = {each.lightbox_id for each in reading.box_shares if reading.falls_in(each.ends_at)}
    turned = {each for each in {*shared, *over} if each is not None} & reading.boxes
    return turned | reading.holder.lightbox_ids
