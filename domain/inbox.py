"""The inbox: what guests have brought and nobody has judged yet.

What lies here is in quarantine: apart from the guest who brought it, it exists only for those who may look into the
inbox of its organisation. Once it is accepted it is a draft like any other, and no longer the guest's to see.
"""

from __future__ import annotations

import sqlalchemy as sa

from domain import history, identity
from domain.pages import Key, Paging, Slice, read_slice
from domain.permissions import Permission
from domain.refusals import Conflict, Invalid, NotFound, StaleRevision
from domain.texts import MAX_NOTE, paragraphs
from domain.work import Work
from storage.tables import AssetRow


def page(work: Work, wanted: Paging) -> Slice[AssetRow]:
    """What is to be judged, oldest first."""
    return read_slice(work, _listed(work), [Key(AssetRow.created_at, False), Key(AssetRow.id, False)], wanted)


def count(work: Work) -> int:
    return work.session.scalar(sa.select(sa.func.count()).select_from(_listed(work).subquery())) or 0


def accept(work: Work, asset_id: int, expected_revision: int) -> AssetRow:
    """The asset becomes a draft of the organisation that it was brought to. Needs INBOX_REVIEW there."""
    asset = _held(work, asset_id)
    if asset.revision != expected_revision:
        raise StaleRevision(asset.revision)
    _check_waiting(asset)
    asset.lifecycle = "DRAFT"
    return _judged(work, asset, "inbox.accepted")


def reject(work: Work, asset_id: int, reason: str) -> AssetRow:
    """The asset is archived and the reason recorded; if it is ever restored, it is in quarantine again.

    Needs INBOX_REVIEW there.
    """
    asset = _held(work, asset_id)
    why = paragraphs(reason, MAX_NOTE, ("reason",))
    if why is None:
        raise Invalid("Say why it is rejected.", ("reason",), "required")
    _check_waiting(asset)
    asset.lifecycle_before_archive, asset.lifecycle = asset.lifecycle, "ARCHIVED"
    return _judged(work, asset, "inbox.rejected", why)


def _listed(work: Work) -> sa.Select[AssetRow]:
    """Seeing an asset in quarantine takes INBOX_VIEW as it is."""
    return sa.select(AssetRow).where(AssetRow.lifecycle == "QUARANTINED", identity.sees_asset(work))


def _held(work: Work, asset_id: int) -> AssetRow:
    rows = sa.select(AssetRow).where(AssetRow.id == asset_id, identity.sees_asset(work)).with_for_update(key_share=True)
    asset = work.session.scalars(rows.execution_options(populate_existing=True)).one_or_none()
    if asset is None:
        raise NotFound("There is no asset with this id.", ("asset",))
    identity.require(work, Permission.INBOX_REVIEW, asset)
    return asset


def _check_waiting(asset: AssetRow) -> None:
    if asset.lifecycle != "QUARANTINED":
        raise Conflict("This asset does not lie in the inbox.", ("asset",))


def _judged(work: Work, asset: AssetRow, event: str, reason: str | None = None) -> AssetRow:
    asset.updated_at = work.now
    work.session.flush()
    story = {"revision": asset.revision}
    history.record(work, event, ("Asset", asset.id), story, org_id=asset.org_id, reason=reason)
    return asset
