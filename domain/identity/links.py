"""What a guest's link is worth now.

Always true here:
- It opens nothing that its maker may not see at this moment, and nothing at all once they may not invite guests to it.
- Of everything in a lightbox it opens what is its organisation's and below, and what the maker is denied stays shut.
- A link to bring files never brings more of them than it says, however many arrive at once, and were they thrown away
  again.
"""

from __future__ import annotations

from dataclasses import replace

import sqlalchemy as sa

from domain.holdings import Holdings, Reach, holds
from domain.identity import policy, viewers
from domain.permissions import Permission
from domain.refusals import Conflict
from domain.work import Viewer, Work
from storage.tables import AssetRow, EventRow, GuestLinkRow, LightboxRow, PrincipalRow, UploadRow


def is_standing(work: Work, link: GuestLinkRow) -> bool:
    """Whether its time is not over and nobody took it back."""
    return link.revoked_at is None and link.expires_at > work.now


def narrowed(work: Work, guest: Viewer, link: GuestLinkRow) -> Viewer:
    """The guest with what of the link its maker still stands behind; nothing, where that is so."""
    maker = _maker(work, link)
    shown = frozenset[Permission]() if maker is None else _stood_behind(replace(work, viewer=maker), link)
    if maker is None or not shown:
        return replace(guest, holdings=Holdings(), is_administrator=False)
    opened = guest.holdings.limited_to(shown)
    if link.purpose == "UPLOAD":
        return replace(guest, holdings=opened)
    kept = {
        permission: Reach(reach.allowed, reach.denied + maker.holdings.reach(permission).denied)
        for permission, reach in opened.reaches.items()
    }
    return replace(guest, holdings=Holdings(kept))


def count_upload(work: Work) -> None:
    """To be asked before an upload is begun: `Conflict` where a guest's link takes no more files. Others pass.

    Counted under a lock on the link that lasts as long as the transaction, so that simultaneous files queue up here.
    """
    link = _limited(work)
    if link is not None and max(_uploads(work, link), _assets(work, link)) >= (link.max_files or 0):
        raise _full(link)


def count_asset(work: Work) -> None:
    """To be asked before an asset is made, for one upload may be tried for several. Refuses like `count_upload`."""
    link = _limited(work)
    if link is not None and _assets(work, link) >= (link.max_files or 0):
        raise _full(link)


def _maker(work: Work, link: GuestLinkRow) -> Viewer | None:
    """Whoever made the link with all they hold now, by whatever token they made it; None once they are shut out."""
    row = work.session.get_one(PrincipalRow, link.created_by)
    if row.disabled_at is not None:
        return None
    held = viewers.holdings_of(work, row.id)
    return Viewer(row.id, row.org_id, row.name, is_administrator=False, holdings=held)


def _stood_behind(maker: Work, link: GuestLinkRow) -> frozenset[Permission]:
    """Of what the link opens, what its maker holds of the same thing."""
    if link.purpose == "UPLOAD":
        invites = maker.viewer.holdings.in_org(Permission.GUEST_INVITE, link.org_id)
        return frozenset(Permission) if invites else frozenset()
    return _of_asset(maker, link.asset_id) if link.lightbox_id is None else _of_lightbox(maker, link.lightbox_id)


def _of_asset(maker: Work, asset_id: int | None) -> frozenset[Permission]:
    seen = sa.select(AssetRow).where(AssetRow.id == asset_id, policy.sees_asset(maker))
    asset = maker.session.scalars(seen).one_or_none()
    if asset is None:
        return frozenset()
    facts = policy.facts(maker, [asset])[asset.id]
    held = frozenset(each for each in Permission if holds(maker.viewer.holdings, each, facts))
    return held if Permission.GUEST_INVITE in held else frozenset()


def _of_lightbox(maker: Work, lightbox_id: int) -> frozenset[Permission]:
    seen = sa.select(LightboxRow).where(
        LightboxRow.id == lightbox_id, LightboxRow.archived_at.is_(None), policy.sees_lightbox(maker)
    )
    box = maker.session.scalars(seen).one_or_none()
    held = maker.viewer.holdings
    if box is None or not held.in_org(Permission.GUEST_INVITE, box.org_id):
        return frozenset()
    return frozenset(each for each in Permission if held.in_org(each, box.org_id))


def _limited(work: Work) -> GuestLinkRow | None:
    """The guest's own link, locked; None for one that takes any number of files, and for whoever is no guest."""
    if work.viewer.on_behalf_of is None:
        return None
    mine = sa.select(GuestLinkRow).where(
        GuestLinkRow.principal_id == work.viewer.principal_id, GuestLinkRow.max_files.is_not(None)
    )
    return work.session.scalars(mine.with_for_update()).one_or_none()


def _full(link: GuestLinkRow) -> Conflict:
    return Conflict(f"This link takes {link.max_files} files, and as many were brought.", ("upload",))


def _uploads(work: Work, link: GuestLinkRow) -> int:
    """Those under way and those that ever arrived; in one statement, so that one arriving now is counted once."""
    under_way = sa.select(sa.func.count()).where(
        UploadRow.principal_id == link.principal_id, UploadRow.state == "OPEN", UploadRow.expires_at > work.now
    )
    arrived = sa.select(sa.func.count()).where(
        EventRow.subject_type == "Principal",
        EventRow.subject_id == link.principal_id,
        EventRow.type == "upload.completed",
    )
    both = sa.select(under_way.scalar_subquery() + arrived.scalar_subquery())
    return work.session.scalar(both) or 0


def _assets(work: Work, link: GuestLinkRow) -> int:
    brought = sa.select(sa.func.count()).where(AssetRow.created_by == link.principal_id)
    return work.session.scalar(brought) or 0
