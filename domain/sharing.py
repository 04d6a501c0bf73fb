"""What one organisation opens to another: an asset or a lightbox, to look at or to work on, until a day that is set.

Always true here:
- A share opens nothing by itself: those of the other organisation need the permission at home, and see what is shared
  as if it lay there. Of a lightbox it opens what belongs to the sharing organisation and below, no matter what else
  lies in it.
- It stands in [made, ends), half-open, or until somebody ends it; of two alike never more than one stands.
- Nobody opens to others what they could not do themselves, nor for longer than they could.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum

import sqlalchemy as sa

from domain import assets, authority, history, identity, organisations
from domain.holdings import Facts, Lightbox, Tree, holds
from domain.identity import bounds
from domain.pages import Key, Paging, Slice, read_slice
from domain.permissions import SHARED_TO_CONTRIBUTE, SHARED_TO_READ, Permission
from domain.refusals import Conflict, Invalid, NotAllowed, NotFound
from domain.work import Work
from storage.tables import AssetRow, GrantRow, GuestLinkRow, LightboxRow, OrganisationRow, ShareRow

#: Shares of one thing that may stand at once: bounds the list of them.
MAX_STANDING = 200


class Access(Enum):
    READ = "READ"
    CONTRIBUTE = "CONTRIBUTE"


@dataclass(frozen=True)
class Subject:
    """What is shared: exactly one of the two."""

    asset_id: int | None = None
    lightbox_id: int | None = None


def create(
    work: Work, subject: Subject, to_org_id: int, access: Access = Access.READ, ends_at: datetime | None = None
) -> ShareRow:
    """Opens the asset or the lightbox to the organisation, until `ends_at` if that is set.

    Needs ASSET_SHARE at the asset; for a lightbox, over everything of its organisation and below, since whatever is
    placed in it later is opened too. What others are to do one must be able to do oneself, and until `ends_at`: a share
    without an end is for those whose own right has none.
    """
    if (subject.asset_id is None) == (subject.lightbox_id is None):
        raise Invalid("Share an asset or a lightbox: name one of them.", ("asset",), "one_of")
    owner_id = _held_asset(work, subject.asset_id, access) or _held_lightbox(work, subject.lightbox_id, access)
    _check_other(work, owner_id, to_org_id)
    if ends_at is not None and ends_at <= work.now:
        raise Invalid("A share ends in the future.", ("endsAt",), "range")
    _check_lasting(work, subject, owner_id, access, ends_at)
    _check_new(work, subject, to_org_id, access)
    assert work.viewer.principal_id is not None, "shares are made by somebody"
    row = ShareRow(
        org_id=owner_id,
        to_org_id=to_org_id,
        asset_id=subject.asset_id,
        lightbox_id=subject.lightbox_id,
        access=access.value,
        created_at=work.now,
        created_by=work.viewer.principal_id,
        ends_at=ends_at,
    )
    work.session.add(row)
    work.session.flush()
    _record(work, "share.created", row)
    return row


def end(work: Work, share_id: int) -> ShareRow:
    """Nothing is open by this share any more; ending it again, or after its time, changes nothing."""
    row = work.session.scalars(
        _known(work).where(ShareRow.id == share_id).with_for_update().execution_options(populate_existing=True)
    ).one_or_none()
    if row is None:
        raise NotFound("There is no share with this id.", ("share",))
    if work.session.scalar(sa.select(ShareRow.id).where(ShareRow.id == share_id, _is_ours(work))) is None:
        raise identity.not_allowed(Permission.ASSET_SHARE)
    if row.ended_at is None and (row.ends_at is None or row.ends_at > work.now):
        row.ended_at, row.ended_by = work.now, work.viewer.principal_id
        work.session.flush()
        _record(work, "share.ended", row)
    return row


def check_placing(work: Work, box: LightboxRow, placed: Iterable[AssetRow]) -> None:
    """`NotAllowed` where placing these assets, none of which lies in the lightbox yet, opens one of them to somebody,
    be it to the viewer, and the viewer may not share it.

    Nothing is opened to the organisation that an asset belongs to, nor to those above it; and assets that belong to
    other organisations than the lightbox's and those below stay shut whoever places them.
    """
    below = identity.tree(work, box.org_id)
    mine = identity.facts(work, [asset for asset in placed if asset.org_id in below]).values()
    owners = {facts.org_id for facts in mine if not _may_share_in(work, box, facts)}
    if owners and (_is_open_to_some(work, box) or _is_open_beyond(work, box, owners)):
        raise identity.not_allowed(Permission.ASSET_SHARE)


def by_id(work: Work, ids: Iterable[int]) -> dict[int, ShareRow]:
    return {row.id: row for row in work.session.scalars(_known(work).where(ShareRow.id.in_(set(ids))))}


def of_assets(work: Work, asset_ids: Iterable[int]) -> dict[int, list[ShareRow]]:
    """Per asset the shares of it that stand, newest first, at most 200; those of lightboxes it lies in are not its."""
    return _standing_by(work, ShareRow.asset_id, asset_ids)


def of_lightboxes(work: Work, lightbox_ids: Iterable[int]) -> dict[int, list[ShareRow]]:
    """Per lightbox the shares of it that stand, newest first, at most 200."""
    return _standing_by(work, ShareRow.lightbox_id, lightbox_ids)


@dataclass(frozen=True)
class Wanted:
    """Which shares: to an organisation, from one, and whether also those that are over."""

    to_org_id: int | None = None
    from_org_id: int | None = None
    with_ended: bool = False


def page(work: Work, which: Wanted, wanted: Paging) -> Slice[ShareRow]:
    """Newest first."""
    keys = [Key(ShareRow.created_at, True), Key(ShareRow.id, True)]
    return read_slice(work, _listed(work, which), keys, wanted)


def count(work: Work, which: Wanted) -> int:
    return work.session.scalar(sa.select(sa.func.count()).select_from(_listed(work, which).subquery())) or 0


def _held_asset(work: Work, asset_id: int | None, access: Access) -> int | None:
    """The asset's organisation, the asset locked; None where none was named."""
    if asset_id is None:
        return None
    rows = sa.select(AssetRow).where(AssetRow.id == asset_id, identity.sees_asset(work)).with_for_update(key_share=True)
    asset = work.session.scalars(rows.execution_options(populate_existing=True)).one_or_none()
    if asset is None:
        raise NotFound("There is no asset with this id.", ("asset",))
    assets.check_allowed(work, "SHARE", asset)
    for permission in _needed(access):
        if permission is not Permission.LIGHTBOX_EDIT:
            identity.require(work, permission, asset)
    assets.check_state("SHARE", asset)
    return asset.org_id


def _held_lightbox(work: Work, lightbox_id: int | None, access: Access) -> int:
    """The lightbox's organisation, the lightbox locked."""
    seen = sa.select(LightboxRow).where(LightboxRow.id == lightbox_id, identity.sees_lightbox(work))
    rows = seen.with_for_update(key_share=True).execution_options(populate_existing=True)
    box = work.session.scalars(rows).one_or_none()
    if box is None:
        raise NotFound("There is no lightbox with this id.", ("lightbox",))
    for permission in _needed(access):
        if not _holds_throughout(work, permission, box.org_id):
            raise identity.not_allowed(permission)
    if box.archived_at is not None:
        raise Conflict("This lightbox is archived.", ("lightbox",))
    return box.org_id


def _check_lasting(work: Work, subject: Subject, owner_id: int, access: Access, until: datetime | None) -> None:
    """`NotAllowed` unless the viewer, as things stand, goes on holding what the share needs until it ends, and the
    token that they use goes on working.
    """
    bounds.check_lasting(work, Permission.ASSET_SHARE, until)
    assert work.viewer.principal_id is not None, "shares are made by somebody"
    moment = authority.FOR_EVER if until is None else until - datetime.resolution
    held = identity.holdings_of(replace(work, clock=lambda: moment), work.viewer.principal_id)
    then = replace(work, viewer=replace(work.viewer, holdings=held))
    asset = None if subject.asset_id is None else work.session.get_one(AssetRow, subject.asset_id)
    for permission in _needed(access):
        if asset is None:
            lasts = _holds_throughout(then, permission, owner_id)
        else:
            lasts = permission is Permission.LIGHTBOX_EDIT or identity.may(then, permission, asset)
        if not lasts:
            word = permission.value
            raise NotAllowed(f"You hold the permission {word} only for a time: let the share end before.", word)


def _needed(access: Access) -> list[Permission]:
    """What the sharer must hold: ASSET_SHARE first, and what is given."""
    given = SHARED_TO_CONTRIBUTE if access is Access.CONTRIBUTE else SHARED_TO_READ
    return [Permission.ASSET_SHARE, *sorted(given, key=lambda permission: permission.value)]


def _holds_throughout(work: Work, permission: Permission, org_id: int) -> bool:
    """Whether it holds for everything of the organisation and below, with nothing taken out of it."""
    reach = work.viewer.holdings.reach(permission)
    if not any(isinstance(scope, Tree) and scope.kind is None and scope.has(org_id) for scope in reach.allowed):
        return False
    below = identity.tree(work, org_id) if reach.denied else frozenset()
    return all(isinstance(scope, Tree) and not any(map(scope.has, below)) for scope in reach.denied)


def _may_share_in(work: Work, box: LightboxRow, facts: Facts) -> bool:
    """Whether the viewer may share the asset now, and is not denied it for what lies in the lightbox."""
    denied = work.viewer.holdings.reach(Permission.ASSET_SHARE).denied
    shut = any(isinstance(scope, Lightbox) and scope.id == box.id and scope.has(facts.org_id) for scope in denied)
    return not shut and holds(work.viewer.holdings, Permission.ASSET_SHARE, facts)


def _is_open_to_some(work: Work, box: LightboxRow) -> bool:
    """Whether guests or single people see through the lightbox what lies in it."""
    links = sa.select(GuestLinkRow.id).where(
        GuestLinkRow.lightbox_id == box.id, GuestLinkRow.revoked_at.is_(None), GuestLinkRow.expires_at > work.now
    )
    grants = sa.select(GrantRow.id).where(
        GrantRow.lightbox_id == box.id, GrantRow.is_denial.is_(False), identity.standing_grant(work)
    )
    return bool(work.session.scalar(sa.select(sa.or_(links.exists(), grants.exists()))))


def _is_open_beyond(work: Work, box: LightboxRow, owners: set[int]) -> bool:
    """Whether the lightbox is shared with an organisation that is not one of these owners, nor above all of them."""
    shared = sa.select(ShareRow.to_org_id).where(ShareRow.lightbox_id == box.id, identity.standing_share(work))
    return any(not owners <= identity.tree(work, to_org_id) for to_org_id in work.session.scalars(shared))


def _check_other(work: Work, owner_id: int, to_org_id: int) -> None:
    """The other organisation must be there, and another one: whoever stands above sees everything below already."""
    other = organisations.living(work, to_org_id)
    if work.session.get_one(OrganisationRow, owner_id).path.startswith(other.path):
        raise Conflict("It belongs to this organisation already, or to one below it.", ("organisation",))


def _check_new(work: Work, subject: Subject, to_org_id: int, access: Access) -> None:
    of_subject = (ShareRow.asset_id == subject.asset_id, ShareRow.lightbox_id == subject.lightbox_id)
    mine = of_subject[0] if subject.lightbox_id is None else of_subject[1]
    standing = list(work.session.scalars(sa.select(ShareRow).where(mine, identity.standing_share(work))))
    if any((row.to_org_id, row.access) == (to_org_id, access.value) for row in standing):
        raise Conflict("It is shared with this organisation just so already.", ("organisation",))
    if len(standing) >= MAX_STANDING:
        raise Conflict(f"One thing is shared at most {MAX_STANDING} times at once.", ("organisation",))


def _listed(work: Work, which: Wanted) -> sa.Select[ShareRow]:
    rows = _known(work)
    if which.to_org_id is not None:
        rows = rows.where(ShareRow.to_org_id == which.to_org_id)
    if which.from_org_id is not None:
        rows = rows.where(ShareRow.org_id == which.from_org_id)
    return rows if which.with_ended else rows.where(identity.standing_share(work))


def _known(work: Work) -> sa.Select[ShareRow]:
    """Shares of what the viewer sees, if they may share it, or are of the organisation that it was opened to."""
    theirs = identity.in_orgs(work, Permission.ASSET_VIEW, ShareRow.to_org_id)
    seen = sa.or_(
        sa.and_(ShareRow.asset_id.in_(sa.select(AssetRow.id).where(identity.sees_asset(work))), theirs),
        sa.and_(ShareRow.lightbox_id.in_(sa.select(LightboxRow.id).where(identity.sees_lightbox(work))), theirs),
        _is_ours(work),
    )
    return sa.select(ShareRow).where(seen)


def _is_ours(work: Work) -> sa.ColumnElement[bool]:
    """The condition that the viewer sees what is shared, and may share it."""
    shared = identity.holds_asset(work, Permission.ASSET_SHARE)
    ours = sa.select(AssetRow.id).where(identity.sees_asset(work), shared)
    boxes = sa.select(LightboxRow.id).where(
        identity.sees_lightbox(work), identity.in_orgs(work, Permission.ASSET_SHARE, LightboxRow.org_id)
    )
    return sa.or_(ShareRow.asset_id.in_(ours), ShareRow.lightbox_id.in_(boxes))


def _standing_by(
    work: Work, column: sa.orm.InstrumentedAttribute[int | None], ids: Iterable[int]
) -> dict[int, list[ShareRow]]:
    wanted = set(ids)
    rows = _known(work).where(column.in_(wanted), identity.standing_share(work)).order_by(ShareRow.id.desc())
    found: dict[int, list[ShareRow]] = defaultdict(list)
    for row in work.session.scalars(rows):
        found[row.lightbox_id if row.asset_id is None else row.asset_id].append(row)  # type: ignore[index]
    return {each: found[each] for each in wanted}


def _record(work: Work, event: str, row: ShareRow) -> None:
    subject = ("Lightbox", row.lightbox_id) if row.asset_id is None else ("Asset", row.asset_id)
    assert subject[1] is not None
    story = {"share": row.id, "organisation": row.to_org_id, "access": row.access}
    history.record(work, event, (subject[0], subject[1]), story, org_id=row.org_id)
