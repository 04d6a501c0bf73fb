"""Taking a merge back: the asset that became part of another one stands for itself again, as it was.

Always true here:
- It is exact or refused: whatever the merge moved returns to where it was, and where any of that was changed since, or
  something was said of both that would bar one of them no more, nothing happens.
- What came to the asset that stayed after the merge stays with it, as long as it is of none of the versions that leave.
- Nothing shows that did not show before the merge or by it; ended shares and assessments stay ended, and are made anew.
- Of several merges into one asset the last is taken back first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import sqlalchemy as sa

from domain import (
    approvals,
    assets,
    custom_fields,
    history,
    holds,
    identity,
    lightboxes,
    merged_rights,
    public_face,
    sharing,
)
from domain.likeness import tracing
from domain.likeness.merging import ASIDE, NEEDED, renumber, standing
from domain.permissions import Permission
from domain.refusals import Conflict, NotFound, StaleRevision
from domain.sharing import Access, Subject
from domain.texts import MAX_NOTE, paragraphs
from domain.work import Work
from storage.tables import (
    ApprovalRow,
    AssetMergeRow,
    AssetRow,
    AssetVersionRow,
    LightboxAssetRow,
    LightboxRow,
    NearDuplicateRow,
    ShareRow,
)

#: Merges named of one asset: the latest.
MOST: Final = 100
#: Of what stands: what people call it.
_WORDS: Final = {
    "approvals": "approvals of what would leave",
    "assessments": "what is said of its rights",
    "denials": "whom it is denied to",
    "embargoes": "embargoes",
    "exclusivities": "exclusivity",
    "takedowns": "takedowns",
    "versions": "its versions",
}
#: What may have ended since, and is then over for both.
_ENDING: Final = frozenset({"denials", "embargoes", "exclusivities", "takedowns"})

Plain = dict[str, Any]


def undo(work: Work, from_id: int, expected_revision: int, reason: str | None = None) -> tuple[AssetRow, AssetRow]:
    """The asset that stayed, which has this revision, and the one that stands for itself again.

    Takes what merging takes, of both. `Conflict` where it is too late or the world has moved on.
    """
    why = paragraphs(reason, MAX_NOTE, ("reason",))
    merge, into, gone = _held(work, from_id, expected_revision)
    trace = merge.trace
    _check_still(work, into, trace)
    approved = _stand_apart(work, into, gone, trace)
    _chain_back(work, into, gone, trace)
    for id_ in (into.id, gone.id):
        _settle(work, work.session.get_one(AssetRow, id_), trace["into" if id_ == into.id else "from"])
    _check_theirs(work, gone)
    with _awake(work, gone):
        _shares_back(work, into, gone, trace)
    _tell_lightboxes(work, trace["rows"].get("lightbox_asset"))
    _tell_naming(work, trace["rows"].get("asset_field"), {into.id, gone.id})
    _decide_back(work, into, gone, trace.get("decided"))
    work.session.delete(merge)
    work.session.flush()
    told = {"into": into.id, "revision": gone.revision, "approved": approved}
    history.record(work, "asset.unmerged", ("Asset", gone.id), told, org_id=gone.org_id, reason=why)
    told = {"from": gone.id, "revision": into.revision, "versions": trace["moved"], "approved": approved}
    history.record(work, "asset.gave_back", ("Asset", into.id), told, org_id=into.org_id, reason=why)
    return into, gone


def of_assets(work: Work, asset_ids: Iterable[int]) -> dict[int, list[tuple[AssetMergeRow, AssetRow]]]:
    """Per asset that the viewer sees all of what was merged into it and can be taken back, the latest first, at most
    100.
    """
    gone = sa.orm.aliased(AssetRow)
    rows = (
        sa.select(AssetMergeRow, gone, AssetRow)
        .join(gone, gone.id == AssetMergeRow.from_id)
        .join(AssetRow, AssetRow.id == AssetMergeRow.into_id)
        .where(AssetMergeRow.into_id.in_(set(asset_ids)), AssetMergeRow.undo_until > work.now)
        .where(identity.sees_asset(work), identity.holds_asset(work, Permission.ASSET_VIEW_UNAPPROVED))
        .order_by(AssetMergeRow.merged_at.desc(), AssetMergeRow.from_id.desc())
    )
    found: dict[int, list[tuple[AssetMergeRow, AssetRow]]] = {}
    for merge, was, into in work.session.execute(rows):
        of_one = found.setdefault(into.id, [])
        if len(of_one) < MOST:
            of_one.append((merge, was))
    return found


def forget(work: Work) -> int:
    """Lets go of what was kept of merges that are final by now; how many."""
    over = sa.delete(AssetMergeRow).where(AssetMergeRow.undo_until <= work.now)
    done: Any = work.session.execute(over)
    return int(done.rowcount)


def _held(work: Work, from_id: int, expected_revision: int) -> tuple[AssetMergeRow, AssetRow, AssetRow]:
    """All locked, the assets in the order of their ids as whoever merges locks them."""
    unknown = NotFound("There is no merge of this asset that could be undone.", ("from",))
    merge = work.session.get(AssetMergeRow, from_id)
    if merge is None:
        raise unknown
    became = assets.survivors(work, [from_id]).get(from_id)
    ids = sorted({merge.into_id, from_id, merge.into_id if became is None else became})
    rows = sa.select(AssetRow).where(AssetRow.id.in_(ids)).order_by(AssetRow.id).with_for_update()
    held = {row.id: row for row in work.session.scalars(rows.execution_options(populate_existing=True))}
    seen = set(work.session.scalars(sa.select(AssetRow.id).where(AssetRow.id.in_(ids), identity.sees_asset(work))))
    into, gone = held[merge.into_id], held[from_id]
    if gone.merged_into_id is None or gone.merged_into_id not in seen:
        raise unknown
    for permission in NEEDED:
        identity.require(work, permission, held[gone.merged_into_id])
    if gone.merged_into_id != into.id:
        raise Conflict("What it became part of was merged itself since: undo that first.", ("from",))
    if into.revision != expected_revision:
        raise StaleRevision(into.revision)
    again = sa.select(AssetMergeRow).where(AssetMergeRow.from_id == from_id).with_for_update()
    merge = work.session.scalars(again.execution_options(populate_existing=True)).one_or_none()
    if merge is None:
        raise unknown
    if merge.undo_until <= work.now:
        raise Conflict("It is too late to undo this merge.", ("from",))
    return merge, into, gone


def _check_still(work: Work, into: AssetRow, trace: Plain) -> None:
    if assets.trashed(work, [into]):
        raise Conflict("This asset lies in the trash: take it out first.", ("from",))
    if into.lifecycle == "ARCHIVED":
        raise Conflict("This asset is archived: restore it first.", ("from",))
    if holds.of_assets(work, [into.id])[into.id]:
        raise Conflict("This asset is under a legal hold: it stays as it is.", ("from",))
    now, then = standing(work, into.id, trace["moved"]), trace["stands"]
    for name, ids in now.items():
        fresh = set(ids) - set(then[name])
        if fresh or (name not in _ENDING and ids != then[name]):
            raise tracing.changed_since(_WORDS[name])


def _stand_apart(work: Work, into: AssetRow, gone: AssetRow, trace: Plain) -> list[int]:
    """Versions and all that points at either asset; the versions whose approvals leave.

    Triggers let records and versions move only from an asset that is being merged: while they go back, the one that
    stayed is. It is told so by no event, and undone before anybody else can look.
    """
    was, moved = trace["from"], trace["moved"]
    into.current_version_id = trace["into"]["current"]
    gone.lifecycle, gone.lifecycle_before_archive = was["lifecycle"], was["before"]
    into.approved_version_id = None
    work.session.flush()
    _point(work, gone.id, None)
    _point(work, into.id, gone.id)
    number = AssetVersionRow.number - trace["shift"] if trace["newest"] else AssetVersionRow.number
    renumber(work, moved, {"asset_id": gone.id, "number": number})
    approved = _approvals_back(work, gone.id, trace)
    tracing.put_back(work, trace["rows"])
    merged_rights.part(work, gone.id, into.id, trace["rights"])
    _point(work, into.id, None)
    work.session.refresh(gone)
    gone.current_version_id = was["current"]
    work.session.flush()
    if not trace["newest"]:
        _point(work, gone.id, into.id)
        renumber(work, trace["staying"], {"number": AssetVersionRow.number + ASIDE})
        renumber(work, trace["staying"], {"number": AssetVersionRow.number - ASIDE - trace["shift"]})
        _point(work, gone.id, None)
    work.session.expire_all()
    return approved


def _point(work: Work, asset_id: int, into_id: int | None) -> None:
    row = sa.update(AssetRow).where(AssetRow.id == asset_id).values(merged_into_id=into_id)
    work.session.execute(row.execution_options(synchronize_session=False))


def _approvals_back(work: Work, gone_id: int, trace: Plain) -> list[int]:
    """Those of what leaves go with it, and those that ended by the merge stand again. Of which versions one does."""
    theirs = sa.update(ApprovalRow).where(ApprovalRow.version_id.in_(trace["moved"])).values(asset_id=gone_id)
    work.session.execute(theirs.execution_options(synchronize_session=False))
    ended = sa.update(ApprovalRow).where(ApprovalRow.id.in_(trace["approvals_ended"]))
    ended = ended.values(revoked_at=None, revoked_by=None)
    work.session.execute(ended.execution_options(synchronize_session=False))
    stands = sa.select(ApprovalRow.version_id).where(ApprovalRow.asset_id == gone_id, ApprovalRow.revoked_at.is_(None))
    return sorted(work.session.scalars(stands))


def _chain_back(work: Work, into: AssetRow, gone: AssetRow, trace: Plain) -> None:
    """What had become part of it before is part of it again."""
    earlier = sa.update(AssetRow).where(AssetRow.id.in_(trace["earlier"]), AssetRow.merged_into_id == into.id)
    work.session.execute(earlier.values(merged_into_id=gone.id).execution_options(synchronize_session=False))


def _settle(work: Work, asset: AssetRow, was: Plain) -> None:
    approved = approvals.approved_versions(work, [asset.id]).get(asset.id)
    asset.approved_version_id = None if approved is None else approved.id
    if approved is None and asset.lifecycle == "APPROVED":
        asset.lifecycle = "DRAFT" if was["lifecycle"] == "APPROVED" else was["lifecycle"]
    asset.updated_at = work.now
    public_face.retagged(work, asset)
    work.session.flush()


def _check_theirs(work: Work, gone: AssetRow) -> None:
    """Whoever takes it back may do with what leaves what they did to it."""
    seen = sa.select(AssetRow.id).where(AssetRow.id == gone.id, identity.sees_asset(work))
    if work.session.scalar(seen) is None:
        raise NotFound("There is no merge of this asset that could be undone.", ("from",))
    for permission in NEEDED:
        identity.require(work, permission, gone)


@contextmanager
def _awake(work: Work, asset: AssetRow) -> Iterator[None]:
    """Nothing that is archived can be shared: what was shared before it was archived is not archived meanwhile."""
    was = asset.lifecycle, asset.lifecycle_before_archive
    if asset.lifecycle == "ARCHIVED":
        asset.lifecycle, asset.lifecycle_before_archive = asset.lifecycle_before_archive or "DRAFT", None
        work.session.flush()
    yield
    asset.lifecycle, asset.lifecycle_before_archive = was
    work.session.flush()


def _shares_back(work: Work, into: AssetRow, gone: AssetRow, trace: Plain) -> None:
    """One that ended by the merge is made anew, where what stood for it still does; and that ends, if the merge made
    it. Where another one was made since instead, neither opens for longer than both did.
    """
    stands = sa.select(ShareRow).where(ShareRow.asset_id == into.id, identity.standing_share(work))
    there = {(share.to_org_id, share.access): share for share in work.session.scalars(stands)}
    left = {*trace["shares_made"], *trace.get("shares_alike", ())}
    ended = sa.select(ShareRow).where(ShareRow.id.in_(trace["shares_ended"])).order_by(ShareRow.id)
    anew: dict[int, int] = {}
    for share in list(work.session.scalars(ended)):
        instead = there.get((share.to_org_id, share.access))
        if instead is None or (share.ends_at is not None and share.ends_at <= work.now):
            continue
        ends = [share.ends_at] if instead.id in left else [share.ends_at, instead.ends_at]
        until = min((each for each in ends if each is not None), default=None)
        fresh = sharing.create(work, Subject(asset_id=gone.id), share.to_org_id, Access(share.access), until)
        if instead.id in left:
            anew[share.id] = fresh.id
        if instead.id in trace["shares_made"]:
            sharing.end(work, instead.id)
    _rename_shares(work, gone, anew)


def _rename_shares(work: Work, gone: AssetRow, anew: dict[int, int]) -> None:
    """What earlier merges into it made or found there are these ones now."""
    for merge in list(work.session.scalars(sa.select(AssetMergeRow).where(AssetMergeRow.into_id == gone.id))):
        names = {"shares_made", "shares_alike"} & merge.trace.keys()
        renamed = {name: [anew.get(id_, id_) for id_ in merge.trace[name]] for name in names}
        merge.trace = merge.trace | renamed


def _tell_lightboxes(work: Work, change: Plain | None) -> None:
    """Each in which something lies otherwise now."""
    if change is None:
        return
    out: dict[int, list[int]] = {}
    back: dict[int, list[int]] = {}
    for rows, by_box in ((change["come"], out), (change["gone"], back)):
        for row in rows:
            by_box.setdefault(row["lightbox_id"], []).append(row["asset_id"])
    boxes = sa.select(LightboxRow).where(LightboxRow.id.in_({*out, *back})).order_by(LightboxRow.id).with_for_update()
    for box in list(work.session.scalars(boxes.execution_options(populate_existing=True))):
        inside = sa.select(sa.func.count()).where(LightboxAssetRow.lightbox_id == box.id)
        if work.session.scalars(inside).one() > lightboxes.MAX_ASSETS:
            raise Conflict("It would lie in a lightbox that is full by now.", ("from",))
        box.updated_at = work.now
        work.session.flush()
        told = {"revision": box.revision, "removed": out.get(box.id, []), "added": back.get(box.id, [])}
        history.record(work, "lightbox.assets_changed", ("Lightbox", box.id), told, org_id=box.org_id)


def _tell_naming(work: Work, change: Plain | None, both: set[int]) -> None:
    """Each other asset that refers to the one that leaves again."""
    custom_fields.turned(work, {row["asset_id"] for row in (change or {"gone": ()})["gone"]} - both)


def _decide_back(work: Work, into: AssetRow, gone: AssetRow, decided: Plain | None) -> None:
    """The pair that was decided by the merge is again what had been decided about it, or waits for a decision."""
    low, high = sorted((into.id, gone.id))
    rows = sa.select(NearDuplicateRow).where(
        NearDuplicateRow.low_asset_id == low,
        NearDuplicateRow.high_asset_id == high,
        NearDuplicateRow.decision.in_(("MERGE", "NEW_VERSION")),
    )
    row = work.session.scalars(rows.with_for_update()).one_or_none()
    if row is None:
        return
    for name, value in tracing.decision_of(decided).items():
        setattr(row, name, value)
    work.session.flush()
    told = {"assets": [low, high], "decision": row.decision}
    history.record(work, "near_duplicate.reopened", ("NearDuplicate", row.id), told, org_id=into.org_id)
