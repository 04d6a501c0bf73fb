"""Addresses of bytes: what is signed, for whom, and for how long.

Addresses made by one token within the same quarter of an hour are the same text, so that browsers and proxies can keep
what they fetched. None lasts longer than the configured hours, and none less by more than that quarter.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple, Protocol

import sqlalchemy as sa

from domain import changes, identity, signing, tailoring
from domain.delivery import leave
from domain.delivery.leave import AT_WORK, Leave
from domain.holdings import Holdings, Reach, Tree
from domain.permissions import Permission
from domain.work import BRAND_ORG_ID, Viewer, Work
from storage.tables import AssetRow, AssetVersionRow, BulkExportRow, RenditionRow
from storage.types import EPOCH

#: Addresses end at multiples of it.
STEP: Final = timedelta(minutes=15)
_STEPS_OF_HOUR: Final = timedelta(hours=1) // STEP
#: What addresses are signed for, and where they stand.
FILES: Final = "files"
LATEST: Final = "latest"
#: Which bytes one below `FILES` opens.
ORIGINAL: Final = "o"
RENDITION: Final = "r"
EXPORT: Final = "x"


class SignedUrl(NamedTuple):
    url: str
    valid_until: datetime


class Signing(Protocol):
    """What makes the address of a row, by its id and digest, that is given out `by` this."""

    def __call__(self, row_id: int, sha256: str, by: Leave = AT_WORK, /) -> SignedUrl: ...


class RenditionSigning(Protocol):
    """The same of a rendition: its id, state, digest, its marked twin's, the asset's organisation."""

    def __call__(
        self,
        rendition_id: int,
        state: str,
        sha256: str | None,
        marked: str | None,
        owner: int | None,
        by: Leave = AT_WORK,
        /,
    ) -> SignedUrl | None: ...


def original_url(work: Work, version: AssetVersionRow, by: Leave = AT_WORK) -> SignedUrl:
    """Where the version's own bytes are fetched. Whether the viewer may, and `by` what, is the caller's question."""
    return original_urls(work)(version.id, version.sha256, by)


def rendition_url(work: Work, rendition: RenditionRow, by: Leave = AT_WORK) -> SignedUrl | None:
    """Where the rendition is fetched, or its marked twin where the viewer is shown that; None unless it is READY."""
    owner = None if rendition.marked_sha256 is None else _owner(work, rendition.version_id)
    return rendition_urls(work)(rendition.id, rendition.state, rendition.sha256, rendition.marked_sha256, owner, by)


def original_urls(work: Work) -> Signing:
    """`original_url` of a version's id and digest."""
    return _signing(work, ORIGINAL)


def rendition_urls(work: Work) -> RenditionSigning:
    """`rendition_url` of a rendition's id, state, digest, its marked twin's, and then the asset's organisation."""
    signed, held = _signing(work, RENDITION), work.viewer.holdings

    def made(
        rendition_id: int,
        state: str,
        sha256: str | None,
        marked: str | None,
        owner: int | None,
        by: Leave = AT_WORK,
    ) -> SignedUrl | None:
        if state != "READY" or sha256 is None:
            return None
        if marked is None or owner is None or tailoring.sees_bare(held, owner):
            return signed(rendition_id, sha256, by)
        return signed(rendition_id, marked, by)

    return made


def export_url(work: Work, export: BulkExportRow) -> SignedUrl | None:
    """Where the viewer's own export is fetched; None unless it is there, and opens to what they hold now."""
    if export.sha256 is None or not opens(work, export):
        return None
    return signed_url(work, EXPORT, export.id, export.sha256)


def latest_url(work: Work, asset_id: int, preset: str, by: Leave = AT_WORK) -> str:
    """The stable address of the latest approved version of an asset in a preset; it never expires by itself. It opens
    for the use that it is given out `by`, decided anew each time.

    Whether the viewer may be given one is the caller's question (`may_last`).
    """
    claims = {"k": LATEST, "i": asset_id, "p": preset, "g": work.viewer.org_id, "w": work.viewer.principal_id}
    if by.use_id is not None:
        claims |= leave.claims(by)
    if not work.viewer.by_session:
        claims |= _by(work.viewer)
    return f"{work.public_url}/{LATEST}/{signing.sign(work.secret, LATEST, claims)}"


def may_last(work: Work, asset_ids: Iterable[int]) -> dict[int, bool]:
    """Per asset whether a stable address could ever open it: not a guest's, nor one of what waits in quarantine or
    does not reach the viewer's organisation as such. What somebody is to hold besides is the caller's question.
    """
    ids = set(asset_ids)
    if work.viewer.on_behalf_of is not None:
        return dict.fromkeys(ids, False)
    reached = identity.holds_asset(as_organisation(work, work.viewer.org_id), Permission.ASSET_VIEW)
    rows = sa.select(AssetRow.id).where(AssetRow.id.in_(ids), AssetRow.lifecycle != "QUARANTINED", reached)
    return dict.fromkeys(ids, False) | dict.fromkeys(work.session.scalars(rows), True)


def minted_since(moment: datetime) -> datetime:
    """Since when whoever asks at this moment is given the same addresses; they are until `STEP` later."""
    return EPOCH + (moment - EPOCH) // STEP * STEP


def lasts_until(work: Work) -> datetime:
    """Until when an address lasts that is made now, if nothing ends it earlier."""
    return minted_since(work.now) + work.limits.url_hours * _STEPS_OF_HOUR * STEP


def addresses(work: Work, purpose: str, more: dict[str, Any], below: str | None = None) -> Signing:
    """Addresses below `/{purpose}/`, or another path, of rows by id and digest, for the viewer, with these claims."""
    valid_until = lasts_until(work)
    common = {"e": (valid_until - EPOCH) // STEP, "w": work.viewer.principal_id, **_by(work.viewer), **more}
    place = f"{work.public_url}/{below or purpose}/"
    last, until = AT_WORK, valid_until
    spelt = signing.series(work.secret, purpose, common)

    def signed(row_id: int, sha256: str, by: Leave = AT_WORK) -> SignedUrl:
        nonlocal last, spelt, until
        if by is not last:
            last, until = by, min(valid_until, by.until)
            spelt = signing.series(work.secret, purpose, {**common, **leave.claims(by)})
        return SignedUrl(place + spelt(row_id, sha256), until)

    return signed


def opens(work: Work, export: BulkExportRow) -> bool:
    """Only to whoever asked for it, and while they hold what they held when it was written: it may tell of anything."""
    if export.principal_id != work.viewer.principal_id or export.expires_at is None or export.expires_at <= work.now:
        return False
    may = work.viewer.holdings.anywhere(Permission.ASSET_DOWNLOAD)
    return may and changes.digest(work.viewer) == export.held


def as_organisation(work: Work, org_id: int) -> Work:
    """As an organisation as such, which sees what is approved of its own and of what was shared with it."""
    orgs = None if org_id == BRAND_ORG_ID else identity.tree(work, org_id)
    held = dict.fromkeys((Permission.ASSET_VIEW, Permission.ASSET_DOWNLOAD), Reach((Tree(org_id, orgs),)))
    viewer = Viewer(None, org_id, "an organisation", is_administrator=False, holdings=Holdings(held))
    return replace(work, viewer=viewer)


def signed_url(
    work: Work, kind: str, row_id: int, sha256: str, more: dict[str, Any] | None = None, *, by: Leave = AT_WORK
) -> SignedUrl:
    """Valid for the configured hours but for what is over of the present quarter of one, at most until what it is given
    out `by` ends; the hub's own open nothing.
    """
    return _signing(work, kind, more)(row_id, sha256, by)


def _signing(work: Work, kind: str, more: dict[str, Any] | None = None) -> Signing:
    """What `signed_url` makes of many: what is the same in all of them is made once."""
    return addresses(work, FILES, {"k": kind, **(more or {})})


def _by(viewer: Viewer) -> dict[str, int]:
    return {} if viewer.token_id is None else {"t": viewer.token_id}


def _owner(work: Work, version_id: int) -> int | None:
    rows = sa.select(AssetRow.org_id).join(AssetVersionRow, AssetVersionRow.asset_id == AssetRow.id)
    return work.session.scalar(rows.where(AssetVersionRow.id == version_id))
