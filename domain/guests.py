"""Links for people without an account: to look at one lightbox or asset, or to bring files to an organisation.

A link's secret is shown once and speaks for a guest of its own, who can do nothing else. What a link is worth is
decided anew each time it is used (`domain.identity.links`): never more than what its maker may see at that moment.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from domain import history, identity, organisations
from domain.pages import Key, Paging, Slice, read_slice
from domain.permissions import Permission
from domain.refusals import Conflict, Invalid, NotFound
from domain.texts import line
from domain.work import Work
from storage.tables import AssetRow, GuestLinkRow, LightboxRow, PrincipalRow, TokenRow

MAX_NAME = 100
MAX_DAYS = 90
MAX_FILES = 1_000


@dataclass(frozen=True)
class NewLink:
    """`secret` is the guest's bearer token, and `url` an address with it; neither can be found out again."""

    id: int
    secret: str
    url: str


@dataclass(frozen=True)
class Opens:
    """What a link shows: exactly one of the two."""

    asset_id: int | None = None
    lightbox_id: int | None = None


def create(work: Work, opens: Opens, name: str, expires_at: datetime) -> NewLink:
    """A link to look, and no more: not to take originals away, not to change. Needs GUEST_INVITE there."""
    if (opens.asset_id is None) == (opens.lightbox_id is None):
        raise Invalid("Open an asset or a lightbox: name one of them.", ("asset",), "one_of")
    org_id = _asset(work, opens.asset_id) or _lightbox(work, opens.lightbox_id)
    link = GuestLinkRow(org_id=org_id, purpose="VIEW", asset_id=opens.asset_id, lightbox_id=opens.lightbox_id)
    return _made(work, link, name, expires_at)


def create_for_uploads(
    work: Work, org_id: int, name: str, expires_at: datetime, max_files: int | None = None
) -> NewLink:
    """A link to bring files, which wait in the organisation's inbox; `max_files` of them at most, if said.

    Needs GUEST_INVITE there.
    """
    organisations.open_to(work, Permission.GUEST_INVITE, org_id, None, ("organisation",))
    if max_files is not None and not 1 <= max_files <= MAX_FILES:
        raise Invalid(f"A link takes 1 to {MAX_FILES} files.", ("maxFiles",), "range")
    return _made(work, GuestLinkRow(org_id=org_id, purpose="UPLOAD", max_files=max_files), name, expires_at)


def revoke(work: Work, link_id: int) -> GuestLinkRow:
    """The link opens nothing any more, and addresses of files given out by it are dead; again, it changes nothing."""
    rows = _known(work).where(GuestLinkRow.id == link_id).with_for_update().execution_options(populate_existing=True)
    row = work.session.scalars(rows).one_or_none()
    if row is None:
        raise NotFound("There is no guest link with this id.", ("guestLink",))
    if row.revoked_at is None:
        row.revoked_at, row.revoked_by = work.now, work.viewer.principal_id
        work.session.flush()
        history.record(work, "guest_link.revoked", ("GuestLink", row.id), org_id=row.org_id)
    return row


def by_id(work: Work, ids: Iterable[int]) -> dict[int, GuestLinkRow]:
    return {row.id: row for row in work.session.scalars(_known(work).where(GuestLinkRow.id.in_(set(ids))))}


def page(work: Work, wanted: Paging) -> Slice[GuestLinkRow]:
    """Newest first; revoked and expired ones too."""
    return read_slice(work, _known(work), [Key(GuestLinkRow.created_at, True), Key(GuestLinkRow.id, True)], wanted)


def count(work: Work) -> int:
    return work.session.scalar(sa.select(sa.func.count()).select_from(_known(work).subquery())) or 0


def files_brought(work: Work, guest_ids: Iterable[int]) -> dict[int, int]:
    """Per guest how many of their files have become assets."""
    wanted = set(guest_ids)
    counted = (
        sa.select(AssetRow.created_by, sa.func.count())
        .where(AssetRow.created_by.in_(wanted))
        .group_by(AssetRow.created_by)
    )
    return dict.fromkeys(wanted, 0) | dict(work.session.execute(counted).all())


def last_used(work: Work, guest_ids: Iterable[int]) -> dict[int, datetime | None]:
    """Per guest when their link was last used, to about a minute."""
    used = sa.select(TokenRow.principal_id, TokenRow.last_used_at).where(
        TokenRow.principal_id.in_(set(guest_ids)), TokenRow.purpose == "GUEST"
    )
    return dict(work.session.execute(used).all())


def _asset(work: Work, asset_id: int | None) -> int | None:
    if asset_id is None:
        return None
    seen = sa.select(AssetRow).where(AssetRow.id == asset_id, identity.sees_asset(work))
    asset = work.session.scalars(seen).one_or_none()
    if asset is None:
        raise NotFound("There is no asset with this id.", ("asset",))
    identity.require(work, Permission.GUEST_INVITE, asset)
    if asset.lifecycle in {"ARCHIVED", "QUARANTINED"}:
        raise Conflict(f"This asset is {asset.lifecycle}: it cannot be shown to guests.", ("asset",))
    return asset.org_id


def _lightbox(work: Work, lightbox_id: int | None) -> int:
    seen = sa.select(LightboxRow).where(LightboxRow.id == lightbox_id, identity.sees_lightbox(work))
    box = work.session.scalars(seen).one_or_none()
    if box is None:
        raise NotFound("There is no lightbox with this id.", ("lightbox",))
    identity.require_in_org(work, Permission.GUEST_INVITE, box.org_id)
    if box.archived_at is not None:
        raise Conflict("This lightbox is archived.", ("lightbox",))
    return box.org_id


def _made(work: Work, link: GuestLinkRow, name: str, expires_at: datetime) -> NewLink:
    if not work.now < expires_at <= work.now + timedelta(days=MAX_DAYS):
        raise Invalid(f"A link expires in the future, within {MAX_DAYS} days.", ("expiresAt",), "range")
    assert work.viewer.principal_id is not None, "links are made by somebody"
    link.name = line(name, MAX_NAME, ("name",))
    guest = PrincipalRow(org_id=link.org_id, kind="SERVICE", name=link.name, created_at=work.now)
    work.session.add(guest)
    work.session.flush()
    link.principal_id, link.created_by = guest.id, work.viewer.principal_id
    link.created_at, link.expires_at = work.now, expires_at
    work.session.add(link)
    work.session.flush()
    secret = identity.guest_token(work, guest, link.name, expires_at)
    history.record(work, "guest_link.created", ("GuestLink", link.id), {"purpose": link.purpose}, org_id=link.org_id)
    # After the `#`: a browser keeps it to itself, so that it stands in nobody's log.
    return NewLink(link.id, secret, f"{work.public_url}/graphql#token={secret}")


def _known(work: Work) -> sa.Select[GuestLinkRow]:
    """Those of every organisation where the viewer may invite, and, if they may anywhere, their own: a token that
    invites nobody knows of none.
    """
    invites = identity.in_orgs(work, Permission.GUEST_INVITE, GuestLinkRow.org_id)
    may = sa.true() if work.viewer.holdings.anywhere(Permission.GUEST_INVITE) else sa.false()
    mine = sa.and_(may, GuestLinkRow.created_by == work.viewer.principal_id)
    return sa.select(GuestLinkRow).where(sa.or_(mine, invites))
