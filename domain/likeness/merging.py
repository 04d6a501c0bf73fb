"""Merging: one asset takes over everything another one was, and the other's id stands for it from now on.

Always true here:
- Versions are never lost and never change their bytes or their ids. They are numbered anew: the history of the asset
  that goes comes before that of the one that stays, or after it where its bytes are to be the newest.
- Approvals go with their versions. Of an asset whose public face was withheld they end, so that nothing shows that
  did not show before.
- Nothing is opened by it that whoever merges could not open themselves: shares are made anew, and grants and links
  move, only by somebody who may make such.
- What it moved is written down in the same transaction, for as long as things lie in the trash: `parting` takes it
  back.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from domain import (
    approvals,
    assets,
    authority,
    custom_fields,
    history,
    identity,
    merged_rights,
    public_face,
    relations,
    sharing,
    taxonomy,
)
from domain.holdings import WITHHELD, One
from domain.likeness import moving, tracing
from domain.permissions import Permission
from domain.refusals import Conflict, Invalid, NotFound, StaleRevision
from domain.sharing import Access, Subject
from domain.texts import MAX_NOTE, paragraphs
from domain.work import Work
from storage.tables import (
    ApprovalRow,
    AssetMergeRow,
    AssetRow,
    AssetTagRow,
    AssetVersionRow,
    EmbargoRow,
    ExclusivityRow,
    GrantRow,
    GuestLinkRow,
    LegalHoldRow,
    LightboxAssetRow,
    LightboxRow,
    NearDuplicateRow,
    RoleRow,
    ShareRow,
    TakedownRow,
)

#: What merging takes, of both assets.
NEEDED: Final = (
    Permission.ASSET_VIEW_UNAPPROVED,
    Permission.ASSET_UPDATE,
    Permission.ASSET_VERSION_ADD,
    Permission.ASSET_ARCHIVE,
    Permission.ASSET_SHARE,
)
#: Beyond any number of versions.
ASIDE: Final = 1 << 24


@dataclass(frozen=True)
class Merge:
    """`from_id` becomes part of `into_id`; with `newest` its bytes are the newest version of what comes of it. The
    revisions are those that the viewer was shown.
    """

    into_id: int
    from_id: int
    into_revision: int
    from_revision: int
    newest: bool = False
    reason: str | None = None


def merge(work: Work, wanted: Merge) -> AssetRow:
    """The asset that stays.

    Refused, and nothing changed: what the viewer does not see or may not do, assets of two organisations or kinds, one
    that is in quarantine or in the trash, one that stays archived, one that goes under a legal hold.
    """
    if wanted.into_id == wanted.from_id:
        raise Conflict("An asset cannot be merged into itself.", ("from",))
    why = paragraphs(wanted.reason, MAX_NOTE, ("reason",))
    into, gone = _held(work, wanted)
    _check_fit(work, into, gone)
    _check_opens(work, into, gone)
    rows, before = tracing.seen(work, (into.id, gone.id)), _before(work, gone)
    trace = _trace(work, into, gone)
    if gone.lifecycle in WITHHELD:
        trace["approvals_ended"] = _end_approvals(work, gone)
        before = {**before, "approved": []}
    gone.merged_into_id, gone.updated_at = into.id, work.now
    work.session.flush()
    staying = list(work.session.scalars(_versions(into.id)))
    versions, trace["shift"] = _move_versions(work, into, gone, newest=wanted.newest)
    _move_tags(work, into, gone)
    _move_placings(work, into, gone)
    trace |= _move_shares(work, into, gone)
    naming = custom_fields.naming(work, gone.id) - {into.id}
    moving.move(work, gone.id, into.id)
    if relations.leads_back(work, into.id):
        raise Conflict("Together they would be made of themselves: take back a relation first.", ("from",))
    _move_findings(work, into.id, gone.id)
    newest_id = gone.current_version_id
    _put_away(work, gone)
    _settle(work, into, newest_id if wanted.newest else None)
    trace["rights"] = merged_rights.merge(work, gone.id, into.id, versions, staying)
    trace |= {"newest": wanted.newest, "moved": versions, "staying": staying}
    trace["rows"] = tracing.differences(rows, tracing.seen(work, (into.id, gone.id)))
    _keep(work, into, gone, trace)
    custom_fields.turned(work, naming)
    story = {"into": into.id, "revision": gone.revision, **before}
    history.record(work, "asset.merged", ("Asset", gone.id), story, org_id=gone.org_id, reason=why)
    told = {"from": gone.id, "versions": versions, "revision": into.revision, "approved": before["approved"]}
    history.record(work, "asset.absorbed", ("Asset", into.id), told, org_id=into.org_id, reason=why)
    return into


def _held(work: Work, wanted: Merge) -> tuple[AssetRow, AssetRow]:
    """Both, locked in the order of their ids, so that two who merge the same pair do not wait for each other."""
    ids = sorted((wanted.into_id, wanted.from_id))
    rows = sa.select(AssetRow).where(AssetRow.id.in_(ids), identity.sees_asset(work)).order_by(AssetRow.id)
    held = work.session.scalars(rows.with_for_update().execution_options(populate_existing=True))
    found = {row.id: row for row in held if row.merged_into_id is None}  # merged while we waited for the lock
    for id_, revision, name in (
        (wanted.into_id, wanted.into_revision, "into"),
        (wanted.from_id, wanted.from_revision, "from"),
    ):
        if id_ not in found:
            raise NotFound("There is no asset with this id.", (name,))
        for permission in NEEDED:
            identity.require(work, permission, found[id_])
        if found[id_].revision != revision:
            raise StaleRevision(found[id_].revision)
    return found[wanted.into_id], found[wanted.from_id]


def _check_fit(work: Work, into: AssetRow, gone: AssetRow) -> None:
    if into.org_id != gone.org_id:
        raise Conflict("These assets belong to different organisations.", ("from",))
    if into.kind != gone.kind:
        raise Conflict(f"One of these assets is of kind {into.kind}, the other of kind {gone.kind}.", ("from",))
    for asset, name in ((into, "into"), (gone, "from")):
        if asset.lifecycle == "QUARANTINED":
            raise Conflict("This asset is in quarantine: accept it first.", (name,))
        if assets.trashed(work, [asset]):
            raise Conflict("This asset lies in the trash: take it out first.", (name,))
    if into.lifecycle == "ARCHIVED":
        raise Conflict("This asset is archived: restore it first.", ("into",))
    held = sa.select(LegalHoldRow.id).where(LegalHoldRow.asset_id == gone.id, LegalHoldRow.lifted_at.is_(None))
    if work.session.scalar(sa.select(held.exists())):
        raise Conflict("This asset is under a legal hold: it stays as it is.", ("from",))


def _check_opens(work: Work, into: AssetRow, gone: AssetRow) -> None:
    """`NotAllowed` where a grant or a link would open the asset that stays, and the viewer could not."""
    grants = sa.select(GrantRow, RoleRow.permissions).join(RoleRow, RoleRow.id == GrantRow.role_id)
    standing = (GrantRow.asset_id == gone.id, GrantRow.is_denial.is_(False), identity.standing_grant(work))
    for grant, permissions in work.session.execute(grants.where(*standing)):
        authority.check_gives(work, [Permission(each) for each in permissions], One(into.id), grant.expires_at)
    links = sa.select(GuestLinkRow.id).where(
        GuestLinkRow.asset_id == gone.id, GuestLinkRow.revoked_at.is_(None), GuestLinkRow.expires_at > work.now
    )
    if work.session.scalar(sa.select(links.exists())):
        identity.require(work, Permission.GUEST_INVITE, into)


def _before(work: Work, gone: AssetRow) -> dict[str, object]:
    """What the change feed needs to know of what was."""
    rows = sa.select(ApprovalRow.version_id).where(ApprovalRow.asset_id == gone.id, ApprovalRow.revoked_at.is_(None))
    approved = sorted(work.session.scalars(rows))
    return {"lifecycle": gone.lifecycle, "before": gone.lifecycle_before_archive, "approved": approved}


def _trace(work: Work, into: AssetRow, gone: AssetRow) -> dict[str, Any]:
    """What of the two will be written over."""
    earlier = sa.select(AssetRow.id).where(AssetRow.merged_into_id == gone.id).order_by(AssetRow.id)
    return {
        "into": {"lifecycle": into.lifecycle, "current": into.current_version_id},
        "from": {
            "lifecycle": gone.lifecycle,
            "before": gone.lifecycle_before_archive,
            "current": gone.current_version_id,
        },
        "earlier": list(work.session.scalars(earlier)),
        "decided": tracing.decided(work, into.id, gone.id),
        "approvals_ended": [],
    }


def _keep(work: Work, into: AssetRow, gone: AssetRow, trace: dict[str, Any]) -> None:
    trace["stands"] = standing(work, into.id, trace["moved"])
    until = work.now + timedelta(days=work.limits.trash_days)
    work.session.add(
        AssetMergeRow(
            from_id=gone.id,
            into_id=into.id,
            org_id=into.org_id,
            merged_at=work.now,
            merged_by=work.viewer.principal_id,
            undo_until=until,
            trace=trace,
        )
    )
    work.session.flush()


def standing(work: Work, into_id: int, moved: Iterable[int]) -> dict[str, list[int]]:
    """The ids of what stands of an asset into which another was merged, and would not all be of that one alone: its
    versions, approvals of those that `moved`, assessments, what bars it, and denials.
    """
    now = work.now
    wanted: dict[str, sa.Select[int]] = {
        "versions": sa.select(AssetVersionRow.id).where(AssetVersionRow.asset_id == into_id),
        "approvals": sa.select(ApprovalRow.id).where(
            ApprovalRow.version_id.in_(list(moved)), ApprovalRow.revoked_at.is_(None)
        ),
        "embargoes": sa.select(EmbargoRow.id).where(EmbargoRow.asset_id == into_id, EmbargoRow.lifted_at.is_(None)),
        "takedowns": sa.select(TakedownRow.id).where(TakedownRow.asset_id == into_id, TakedownRow.lifted_at.is_(None)),
        "exclusivities": sa.select(ExclusivityRow.id).where(
            ExclusivityRow.asset_id == into_id, ExclusivityRow.ended_at.is_(None)
        ),
        "denials": sa.select(GrantRow.id).where(
            GrantRow.asset_id == into_id,
            GrantRow.is_denial,
            GrantRow.revoked_at.is_(None),
            sa.or_(GrantRow.expires_at.is_(None), GrantRow.expires_at > now),
        ),
    }
    found = {name: sorted(work.session.scalars(rows)) for name, rows in wanted.items()}
    return found | {"assessments": merged_rights.standing(work, into_id)}


def _end_approvals(work: Work, gone: AssetRow) -> list[int]:
    """The ids of those that ended."""
    rows = sa.select(ApprovalRow).where(ApprovalRow.asset_id == gone.id, ApprovalRow.revoked_at.is_(None))
    ended = list(work.session.scalars(rows.order_by(ApprovalRow.id)))
    for approval in ended:
        approval.revoked_at, approval.revoked_by = work.now, work.viewer.principal_id
        told = {"version": approval.version_id}
        history.record(work, "asset.approval_revoked", ("Asset", gone.id), told, org_id=gone.org_id)
    gone.approved_version_id = None
    work.session.flush()
    return [approval.id for approval in ended]


def _move_versions(work: Work, into: AssetRow, gone: AssetRow, *, newest: bool) -> tuple[list[int], int]:
    """Their ids, in order, and by how much the later ones are numbered higher. A trigger lets them move while the asset
    that goes still has its pointer.
    """
    moved = list(work.session.scalars(_versions(gone.id)))
    earlier = into.id if newest else gone.id
    last = sa.select(sa.func.max(AssetVersionRow.number)).where(AssetVersionRow.asset_id == earlier)
    shift = work.session.scalars(last).one() or 0
    if newest:
        renumber(work, moved, {"asset_id": into.id, "number": AssetVersionRow.number + shift})
    else:
        staying = list(work.session.scalars(_versions(into.id)))
        renumber(work, staying, {"number": AssetVersionRow.number + ASIDE})
        renumber(work, moved, {"asset_id": into.id})
        renumber(work, staying, {"number": AssetVersionRow.number - ASIDE + shift})
    theirs = sa.update(ApprovalRow).where(ApprovalRow.asset_id == gone.id).values(asset_id=into.id)
    work.session.execute(theirs.execution_options(synchronize_session=False))
    for row in [each for each in work.session.identity_map.values() if isinstance(each, AssetVersionRow | ApprovalRow)]:
        work.session.expire(row)
    return moved, shift


def _versions(asset_id: int) -> sa.Select[int]:
    return sa.select(AssetVersionRow.id).where(AssetVersionRow.asset_id == asset_id).order_by(AssetVersionRow.number)


def renumber(work: Work, ids: list[int], values: dict[str, object]) -> None:
    rows = sa.update(AssetVersionRow).where(AssetVersionRow.id.in_(ids)).values(values)
    work.session.execute(rows.execution_options(synchronize_session=False))


def _move_tags(work: Work, into: AssetRow, gone: AssetRow) -> None:
    carried = sa.select(AssetTagRow.tag_id, AssetTagRow.origin).where(AssetTagRow.asset_id == gone.id)
    try:
        for tag_id, origin in list(work.session.execute(carried.order_by(AssetTagRow.tag_id))):
            taxonomy.attach(work, into.id, [tag_id], origin)
    except Invalid as full:
        raise Conflict("Together they carry more tags than an asset may: take some off first.", ("from",)) from full
    off = sa.delete(AssetTagRow).where(AssetTagRow.asset_id == gone.id)
    work.session.execute(off.execution_options(synchronize_session=False))


def _move_placings(work: Work, into: AssetRow, gone: AssetRow) -> None:
    """In every lightbox the one that stays takes the other's place, unless it lies there already."""
    placed = sa.select(LightboxAssetRow.lightbox_id).where(LightboxAssetRow.asset_id == gone.id)
    boxes = sa.select(LightboxRow).where(LightboxRow.id.in_(placed)).order_by(LightboxRow.id).with_for_update()
    there = set(
        work.session.scalars(sa.select(LightboxAssetRow.lightbox_id).where(LightboxAssetRow.asset_id == into.id))
    )
    for box in list(work.session.scalars(boxes)):
        theirs = (LightboxAssetRow.lightbox_id == box.id, LightboxAssetRow.asset_id == gone.id)
        change: sa.Delete | sa.Update = sa.delete(LightboxAssetRow).where(*theirs)
        if box.id not in there:
            change = sa.update(LightboxAssetRow).where(*theirs).values(asset_id=into.id)
        work.session.execute(change.execution_options(synchronize_session=False))
        box.updated_at = work.now
        work.session.flush()
        told = {"revision": box.revision, "removed": [gone.id], "added": [] if box.id in there else [into.id]}
        history.record(work, "lightbox.assets_changed", ("Lightbox", box.id), told, org_id=box.org_id)


def _move_shares(work: Work, into: AssetRow, gone: AssetRow) -> dict[str, list[int]]:
    """Each ends, and one like it is made by whoever merges, unless there is one. The ids of all three."""
    standing = sa.select(ShareRow).where(ShareRow.asset_id == gone.id, identity.standing_share(work))
    has = sa.select(ShareRow).where(ShareRow.asset_id == into.id, identity.standing_share(work))
    there = {(share.to_org_id, share.access): share.id for share in work.session.scalars(has)}
    ended = list(work.session.scalars(standing.order_by(ShareRow.id)))
    made, alike = [], []
    for share in ended:
        share.ended_at, share.ended_by = work.now, work.viewer.principal_id
        work.session.flush()
        told = {"share": share.id, "organisation": share.to_org_id, "access": share.access}
        history.record(work, "share.ended", ("Asset", gone.id), told, org_id=share.org_id)
        like_it = there.get((share.to_org_id, share.access))
        if like_it is None:
            fresh = sharing.create(
                work, Subject(asset_id=into.id), share.to_org_id, Access(share.access), share.ends_at
            )
            made.append(fresh.id)
        else:
            alike.append(like_it)
    return {"shares_ended": [share.id for share in ended], "shares_made": made, "shares_alike": alike}


def _move_findings(work: Work, into_id: int, gone_id: int) -> None:
    """What looked like the one that goes looks like the one that stays; what was decided about it stays as it is."""
    mine = (NearDuplicateRow.low_asset_id == gone_id) | (NearDuplicateRow.high_asset_id == gone_id)
    rows = list(work.session.scalars(sa.select(NearDuplicateRow).where(mine)))
    for row in rows:
        other = row.high_asset_id if row.low_asset_id == gone_id else row.low_asset_id
        if other == into_id or row.decision is not None:
            continue
        low, high = sorted((other, into_id))
        values = {"low_asset_id": low, "high_asset_id": high, "found_at": row.found_at}
        is_postgres = work.session.get_bind().dialect.name == "postgresql"
        insert = postgresql.insert(NearDuplicateRow) if is_postgres else sqlite.insert(NearDuplicateRow)
        work.session.execute(insert.values(values).on_conflict_do_nothing())
        work.session.delete(row)
    work.session.flush()


def _put_away(work: Work, gone: AssetRow) -> None:
    if gone.lifecycle != "ARCHIVED":
        gone.lifecycle_before_archive, gone.lifecycle = gone.lifecycle, "ARCHIVED"
    gone.current_version_id = gone.approved_version_id = None
    work.session.flush()
    earlier = sa.update(AssetRow).where(AssetRow.merged_into_id == gone.id).values(merged_into_id=gone.merged_into_id)
    work.session.execute(earlier.execution_options(synchronize_session=False))


def _settle(work: Work, into: AssetRow, newest_id: int | None) -> None:
    if newest_id is not None:
        into.current_version_id = newest_id
    approved = approvals.approved_versions(work, [into.id]).get(into.id)
    into.approved_version_id = None if approved is None else approved.id
    if approved is not None and into.lifecycle in {"DRAFT", "IN_REVIEW", "CHANGES_REQUESTED"}:
        into.lifecycle = "APPROVED"
    into.updated_at = work.now
    public_face.retagged(work, into)
    work.session.flush()
